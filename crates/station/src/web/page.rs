//! The page: studies, one study with its pictures, and what people say of it.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Form, Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use maud::Markup;
use serde::Deserialize;
use tokio::task::spawn_blocking;

use super::control::{Failed, blocking, resend_study};
use super::users::{Role, Users};
use super::views;
use crate::clock;
use crate::composer;
use crate::coordinator;
use crate::journal;
use crate::overview::Whole;
use crate::shared::Shared;
use attrium_imaging::PatientLabel;
use attrium_spool::audit::AuditEvent;
use attrium_spool::{Review, ReviewRow};

/// What a browser may load: this page's own style and pictures, nothing else; and nobody may put it into a frame.
const POLICY: &str = "default-src 'none'; img-src 'self'; style-src 'self'; form-action 'self'; \
    base-uri 'none'; frame-ancestors 'none'";
/// The style sheet.
const STYLE: &str = include_str!("style.css");
/// The days that are listed.
const DAYS: i64 = 30;
const DAY: i64 = 86_400_000;

/// Reasons for which somebody says that they have seen a study.
pub(super) const REASONS: [&str; 5] = [
    "Physician informed",
    "Further imaging arranged",
    "Known amyloidosis",
    "Not suspicious on the images",
    "Test or phantom",
];

/// What the page's handlers share.
#[derive(Clone)]
struct Site {
    shared: Arc<Shared>,
    users: Option<Arc<Users>>,
}

/// Who looks.
#[derive(Clone, Debug)]
pub(super) struct Visitor {
    /// Their name.
    pub name: String,
    /// What they may do.
    pub role: Role,
}

pub(super) fn router(shared: Arc<Shared>, users: Option<Users>) -> Router {
    let site = Site {
        shared,
        users: users.map(Arc::new),
    };
    Router::new()
        .route("/", get(list))
        .route("/studies/{number}", get(study))
        .route("/studies/{number}/decision.png", get(decision_picture))
        .route("/studies/{number}/scan.png", get(scan_picture))
        .route("/studies/{number}/acknowledge", post(acknowledge))
        .route("/studies/{number}/grade", post(grade))
        .route("/studies/{number}/resend", post(resend))
        .layer(middleware::from_fn_with_state(site.clone(), admit))
        .route("/style.css", get(style))
        .route("/healthz", get(async || "ok"))
        .layer(middleware::from_fn(with_headers))
        .with_state(site)
}

async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE).into_response()
}

/// Lets those in who are users, and on a page for this machine alone everybody; and takes no form of another page.
async fn admit(State(site): State<Site>, mut request: Request, next: Next) -> Response {
    if request.method() != "GET" && !is_own(request.headers()) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let visitor = match &site.users {
        None => Some(Visitor {
            name: "local".to_owned(),
            role: Role::Administrator,
        }),
        Some(users) => authenticated(users, request.headers()),
    };
    let Some(visitor) = visitor else {
        let asked = [(
            header::WWW_AUTHENTICATE,
            "Basic realm=\"attrium\", charset=\"UTF-8\"",
        )];
        return (StatusCode::UNAUTHORIZED, asked, "name and token, please\n").into_response();
    };
    request.extensions_mut().insert(visitor);
    next.run(request).await
}

fn authenticated(users: &Users, headers: &HeaderMap) -> Option<Visitor> {
    let said = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let user = users.authenticate(said)?;
    Some(Visitor {
        name: user.name.clone(),
        role: user.role,
    })
}

/// Whether a form comes from this page: browsers say where from.
fn is_own(headers: &HeaderMap) -> bool {
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let site = text(header::HeaderName::from_static("sec-fetch-site"));
    if let Some(site) = site {
        return site == "same-origin";
    }
    let (Some(origin), Some(host)) = (text(header::ORIGIN), text(header::HOST)) else {
        return false;
    };
    let of_host = origin.split_once("://").map(|(_, host)| host);
    of_host == Some(host)
}

async fn with_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        ("content-security-policy", POLICY),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

type Visited = axum::Extension<Visitor>;

async fn list(State(site): State<Site>) -> Result<Markup, Failed> {
    let listed = blocking(&site.shared, |shared| {
        let since = clock::start_of_day(clock::now() - DAYS * DAY);
        let overview = shared.overview()?;
        let studies = shared.studies(since, 1000)?;
        let strangers = shared
            .index
            .read(|session| session.strangers_since(since))?;
        Ok((overview, studies, strangers))
    });
    let (overview, studies, strangers) = listed.await?;
    Ok(views::list(&overview, &studies, &strangers))
}

async fn study(
    State(site): State<Site>,
    axum::Extension(visitor): Visited,
    Path(number): Path<u64>,
) -> Result<Response, Failed> {
    let Some(whole) = blocking(&site.shared, move |shared| shared.whole(number)).await? else {
        return Ok((StatusCode::NOT_FOUND, views::no_study(number)).into_response());
    };
    let (shared, who) = (site.shared.clone(), visitor.name.clone());
    let overview = blocking(&site.shared, Shared::overview).await?;
    let read = spawn_blocking(move || {
        let bytes = shown_object(&shared, &whole);
        let patient = bytes.as_deref().and_then(PatientLabel::read);
        shared.journal(&[journal::record(
            AuditEvent::Viewed,
            Some(number),
            Some(&who),
        )]);
        (whole, bytes.is_some(), patient)
    });
    let (whole, has_picture, patient) = read.await.map_err(|_| Failed)?;
    let shown = views::Shown {
        overview: &overview,
        whole: &whole,
        has_picture,
        patient: patient.as_ref(),
        visitor: &visitor,
    };
    Ok(views::study(&shown).into_response())
}

/// The bytes of the object that decides, or of the last one that was decided on; none where its file is gone.
fn shown_object(shared: &Shared, whole: &Whole) -> Option<Vec<u8>> {
    let decided = whole.study.decision.as_ref().map(|it| it.arrival);
    let last = whole.study.decided().last().map(|(arrival, _)| arrival);
    let arrival = decided.or(last)?;
    let objects = shared
        .index
        .read(|session| session.objects_of(whole.row.number))
        .ok()?;
    let file = objects
        .iter()
        .find_map(|it| coordinator::file(it, arrival))?;
    shared.spool.read(&file).ok()
}

/// A picture of a study, drawn when it is asked for.
async fn picture(
    site: Site,
    number: u64,
    draw: fn(&Shared, &[u8]) -> Option<Vec<u8>>,
) -> Result<Response, Failed> {
    let Some(whole) = blocking(&site.shared, move |shared| shared.whole(number)).await? else {
        return Ok(StatusCode::NOT_FOUND.into_response());
    };
    let drawn = spawn_blocking(move || {
        let bytes = shown_object(&site.shared, &whole)?;
        draw(&site.shared, &bytes)
    });
    Ok(match drawn.await.map_err(|_| Failed)? {
        Some(png) => ([(header::CONTENT_TYPE, "image/png")], png).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    })
}

async fn decision_picture(
    State(site): State<Site>,
    Path(number): Path<u64>,
) -> Result<Response, Failed> {
    picture(site, number, |shared, bytes| {
        composer::picture(&shared.screener, bytes).ok()
    })
    .await
}

async fn scan_picture(
    State(site): State<Site>,
    Path(number): Path<u64>,
) -> Result<Response, Failed> {
    picture(site, number, |shared, bytes| {
        composer::whole_body(&shared.screener, bytes)
    })
    .await
}

#[derive(Deserialize)]
struct Acknowledgement {
    reason: String,
}

async fn acknowledge(
    State(site): State<Site>,
    axum::Extension(visitor): Visited,
    Path(number): Path<u64>,
    Form(form): Form<Acknowledgement>,
) -> Result<Response, Failed> {
    if !REASONS.contains(&form.reason.as_str()) {
        return Ok(StatusCode::UNPROCESSABLE_ENTITY.into_response());
    }
    say(
        &site,
        number,
        visitor.name,
        Review::Acknowledged(form.reason),
    )
    .await
}

#[derive(Deserialize)]
struct Grading {
    grade: u8,
}

async fn grade(
    State(site): State<Site>,
    axum::Extension(visitor): Visited,
    Path(number): Path<u64>,
    Form(form): Form<Grading>,
) -> Result<Response, Failed> {
    if visitor.role < Role::Reader {
        return Ok(StatusCode::FORBIDDEN.into_response());
    }
    if form.grade > 3 {
        return Ok(StatusCode::UNPROCESSABLE_ENTITY.into_response());
    }
    say(&site, number, visitor.name, Review::Grade(form.grade)).await
}

/// Writes down what somebody says of a study as it is.
async fn say(site: &Site, number: u64, who: String, review: Review) -> Result<Response, Failed> {
    let said = blocking(&site.shared, move |shared| {
        let event = match review {
            Review::Acknowledged(_) => AuditEvent::Acknowledged,
            Review::Grade(_) => AuditEvent::Verdict,
        };
        shared.journal(&[journal::record(event, Some(number), Some(&who))]);
        shared.index.write(|session| {
            let Some(row) = session.study(number)? else {
                return Ok(false);
            };
            let revision = Shared::study(&row)?.revision;
            let at = clock::now();
            if matches!(review, Review::Acknowledged(_)) {
                shared.stop_escalation(session, number, at)?;
            }
            let study = number;
            session.add_review(&ReviewRow {
                study,
                revision,
                at,
                who,
                review,
            })?;
            Ok(true)
        })
    });
    Ok(back(number, said.await?))
}

async fn resend(
    State(site): State<Site>,
    axum::Extension(visitor): Visited,
    Path(number): Path<u64>,
) -> Result<Response, Failed> {
    if visitor.role < Role::Administrator {
        return Ok(StatusCode::FORBIDDEN.into_response());
    }
    let who = visitor.name;
    blocking(&site.shared, move |shared| {
        resend_study(shared, number, Some(&who))
    })
    .await?;
    site.shared.outbox.notify_waiters();
    Ok(back(number, true))
}

fn back(number: u64, is_there: bool) -> Response {
    if is_there {
        Redirect::to(&format!("/studies/{number}")).into_response()
    } else {
        StatusCode::NOT_FOUND.into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |&(name, value): &(&'static str, &'static str)| {
            (
                header::HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn only_a_form_of_the_page_itself_is_taken() {
        assert!(is_own(&headers(&[("sec-fetch-site", "same-origin")])));
        for site in ["cross-site", "same-site", "none"] {
            assert!(!is_own(&headers(&[("sec-fetch-site", site)])), "{site}");
        }
        let own = [
            ("origin", "http://a.example:8080"),
            ("host", "a.example:8080"),
        ];
        assert!(is_own(&headers(&own)));
        let other = [("origin", "http://b.example"), ("host", "a.example:8080")];
        assert!(!is_own(&headers(&other)));
        assert!(!is_own(&headers(&[("host", "a.example")])));
    }
}
