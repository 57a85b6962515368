//! Which answers of a bucket are believed.

use std::fmt;

use async_trait::async_trait;
use http::StatusCode;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
    ReqwestConnector,
};
use object_store::{Attribute, ClientOptions, GetResult};

use super::error::AnswerProblem;
use super::{ObjectMeta, page};

/// An answer with success that is not what the store says.
#[derive(Debug)]
pub(super) struct NotTheStores {
    what: &'static str,
}

impl fmt::Display for NotTheStores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)
    }
}

impl std::error::Error for NotTheStores {}

/// The keys of a page that the store's client cannot name: it comes with the page.
#[derive(Clone, Debug, Default)]
pub(super) struct ImpossibleKeys(pub Vec<String>);

/// Connects to stores and looks at their answers before their client does.
#[derive(Debug)]
pub(super) struct DoubtingConnector;

impl HttpConnector for DoubtingConnector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let client = ReqwestConnector::default().connect(options)?;
        Ok(HttpClient::new(Doubting(client)))
    }
}

#[derive(Debug)]
struct Doubting(HttpClient);

#[async_trait]
impl HttpService for Doubting {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let is_list = request.method() == http::Method::GET && is_list(request.uri().query());
        let response = self.0.execute(request).await?;
        match response.status() {
            StatusCode::NOT_IMPLEMENTED => Ok(not_implemented(response)),
            StatusCode::OK if is_list => listing(response).await,
            _ => Ok(response),
        }
    }
}

/// Whether a request is for a page of a listing, of S3 and Google or of Azure.
fn is_list(query: Option<&str>) -> bool {
    let mut pairs = query.unwrap_or_default().split('&');
    pairs.any(|pair| matches!(pair, "list-type=2" | "comp=list"))
}

/// What a store does not do now it does not do in two minutes either: with this status its client does
/// not ask again.
fn not_implemented(response: HttpResponse) -> HttpResponse {
    let (mut parts, _) = response.into_parts();
    parts.status = StatusCode::BAD_REQUEST;
    let body = "<Error><Code>NotImplemented</Code></Error>".to_owned();
    HttpResponse::from_parts(parts, body.into())
}

async fn listing(response: HttpResponse) -> Result<HttpResponse, HttpError> {
    let (mut parts, body) = response.into_parts();
    match page::read(&body.bytes().await?) {
        Ok(page) => {
            parts.extensions.insert(ImpossibleKeys(page.impossible));
            Ok(HttpResponse::from_parts(parts, page.body.into()))
        }
        Err(what) => Err(HttpError::new(HttpErrorKind::Decode, NotTheStores { what })),
    }
}

/// What shows that an answer is not the object that was asked for, before its bytes are there.
pub(super) fn check(
    key: &str,
    listed: Option<&ObjectMeta>,
    found: &GetResult,
) -> Result<(), AnswerProblem> {
    let kind = found.attributes.get(&Attribute::ContentType);
    let tags = listed
        .and_then(|listed| listed.e_tag.as_deref())
        .zip(found.meta.e_tag.as_deref())
        .map(|(listed, found)| bare(listed) == bare(found));
    if kind.is_some_and(|kind| is_page(kind)) && tags != Some(true) && !is_named_page(key) {
        return Err(AnswerProblem::Page);
    }
    match (listed.map(|listed| listed.size), found.meta.size) {
        (Some(listed), found) if listed != found && tags == Some(false) => {
            Err(AnswerProblem::Changed { listed, found })
        }
        (Some(expected), found) if expected != found => {
            Err(AnswerProblem::Length { expected, found })
        }
        _ => Ok(()),
    }
}

/// A tag without what servers put around it.
fn bare(tag: &str) -> &str {
    tag.trim_start_matches("W/").trim_matches('"')
}

/// Whether a media type is of a page for people, or of an error.
fn is_page(kind: &str) -> bool {
    let kind = kind.split(';').next().unwrap_or_default().trim();
    [
        "text/html",
        "application/xhtml+xml",
        "application/xml",
        "text/xml",
    ]
    .iter()
    .any(|page| kind.eq_ignore_ascii_case(page))
}

fn is_named_page(key: &str) -> bool {
    let end = key.rsplit('.').next().unwrap_or_default();
    ["html", "htm", "xhtml", "xml"]
        .iter()
        .any(|page| end.eq_ignore_ascii_case(page))
}
