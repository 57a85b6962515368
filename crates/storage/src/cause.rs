//! The root cause of a failure, in the store's own words and without the keys that it repeats.

use std::{fmt, io};

use object_store::client::{HttpError, HttpErrorKind};

use super::answer::NotTheStores;

/// The root cause of a failure in the store's own words, without URLs and keys.
#[derive(Debug)]
pub struct RootCause {
    pub(super) kind: ErrorKind,
    text: String,
}

/// What a root cause means to the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ErrorKind {
    NotFound,
    NoBucket,
    Folder,
    Denied,
    Expired,
    Skewed,
    Full,
    Throttled,
    Unreachable,
    WrongAnswer,
    Unsupported,
    Configuration,
    Other,
}

impl fmt::Display for RootCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for RootCause {}

impl RootCause {
    /// Follows a chain of sources and keeps only its end: the links before that quote request URLs
    /// and paths, and so keys.
    pub(super) fn of(error: &(dyn std::error::Error + 'static)) -> Self {
        let mut network = None;
        let mut last = error;
        loop {
            let text = last.to_string();
            if let Some(wrong) = last.downcast_ref::<NotTheStores>() {
                return Self::new(ErrorKind::WrongAnswer, wrong.to_string());
            } else if let Some(error) = last.downcast_ref::<HttpError>() {
                network = Some(error.kind());
            } else if let Some(response) = ServerResponse::parse(&text) {
                return response.root_cause();
            } else if let Some(cause) = by_text(&text) {
                return cause;
            }
            match last.source() {
                Some(source) => last = source,
                None => break,
            }
        }
        let kind = last
            .downcast_ref::<io::Error>()
            .map_or(ErrorKind::Other, |error| of_io(error.kind()));
        let kind = match network {
            None | Some(HttpErrorKind::Decode) => kind,
            Some(_) => ErrorKind::Unreachable,
        };
        Self::new(kind, last.to_string())
    }

    pub(super) fn new(kind: ErrorKind, text: impl Into<String>) -> Self {
        Self {
            kind,
            text: text.into(),
        }
    }
}

/// Errors of `object_store` whose types are private, by their texts.
fn by_text(text: &str) -> Option<RootCause> {
    let (kind, text) = match text {
        // A page of something in between has none of a store's headers.
        "ETag Header missing from response" | "Content-Length Header missing from response" => (
            ErrorKind::WrongAnswer,
            "the answer has not the headers of a store's",
        ),
        _ if text.starts_with("Received redirect without LOCATION") => (
            ErrorKind::Configuration,
            "the store answered that the bucket is elsewhere: check the region and the endpoint",
        ),
        _ => return None,
    };
    Some(RootCause::new(kind, text))
}

/// The response of a bucket's server, without its body, which repeats keys.
struct ServerResponse {
    /// The HTTP status; 0 where it was 200 and the body an error.
    status: u16,
    /// The error code that S3, Azure and Google's XML API give.
    code: String,
}

impl ServerResponse {
    /// Parses the text of object_store's error for a response, whose type is private.
    fn parse(text: &str) -> Option<Self> {
        let (status, body) = match text.strip_prefix("Server returned non-2xx status code: ") {
            Some(rest) => (rest.get(..3)?.parse().ok()?, rest),
            None => (0, text.strip_prefix("Server returned error response: ")?),
        };
        let code = body
            .split_once("<Code>")
            .and_then(|(_, rest)| rest.split_once("</Code>"))
            .map_or("", |(code, _)| code);
        let sound = code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
        Some(Self {
            status,
            code: if sound {
                code.to_owned()
            } else {
                String::new()
            },
        })
    }

    fn root_cause(self) -> RootCause {
        let code = self.code.as_str();
        let kind = of_code(code).unwrap_or_else(|| of_status(self.status));
        let text = match (self.status, code) {
            (0, "") => "the store answered with an error".to_owned(),
            (0, code) => format!("the store answered {code}"),
            (status, "") => format!("the store answered with HTTP status {status}"),
            (status, code) => format!("the store answered {code} with HTTP status {status}"),
        };
        RootCause { kind, text }
    }
}

/// What an error code means; nothing where the status says it all.
fn of_code(code: &str) -> Option<ErrorKind> {
    match code {
        _ if code.ends_with("StorageFull") || code.contains("QuotaExceeded") => {
            Some(ErrorKind::Full)
        }
        "NoSuchBucket" | "ContainerNotFound" => Some(ErrorKind::NoBucket),
        "ExpiredToken" | "TokenRefreshRequired" => Some(ErrorKind::Expired),
        "RequestTimeTooSkewed" | "RequestExpired" => Some(ErrorKind::Skewed),
        "InvalidToken" | "InvalidTokenId" => Some(ErrorKind::Denied),
        "SlowDown"
        | "ServerBusy"
        | "RequestLimitExceeded"
        | "TooManyRequests"
        | "Throttling"
        | "ThrottlingException" => Some(ErrorKind::Throttled),
        "NotImplemented" => Some(ErrorKind::Unsupported),
        "PermanentRedirect" => Some(ErrorKind::Configuration),
        _ => None,
    }
}

const fn of_status(status: u16) -> ErrorKind {
    match status {
        507 => ErrorKind::Full,
        501 => ErrorKind::Unsupported,
        401 | 403 => ErrorKind::Denied,
        404 | 410 => ErrorKind::NotFound,
        429 => ErrorKind::Throttled,
        0 | 408 | 425 | 500.. => ErrorKind::Unreachable,
        _ => ErrorKind::Other,
    }
}

/// What an error of the operating system means to the caller.
fn of_io(kind: io::ErrorKind) -> ErrorKind {
    use io::ErrorKind as Io;
    match kind {
        Io::NotFound | Io::NotADirectory => ErrorKind::NotFound,
        Io::IsADirectory => ErrorKind::Folder,
        Io::PermissionDenied | Io::ReadOnlyFilesystem => ErrorKind::Denied,
        Io::StorageFull | Io::QuotaExceeded | Io::FileTooLarge => ErrorKind::Full,
        Io::ConnectionRefused
        | Io::ConnectionReset
        | Io::ConnectionAborted
        | Io::HostUnreachable
        | Io::NetworkUnreachable
        | Io::NetworkDown
        | Io::NotConnected
        | Io::TimedOut
        | Io::UnexpectedEof
        | Io::BrokenPipe
        | Io::StaleNetworkFileHandle => ErrorKind::Unreachable,
        _ => ErrorKind::Other,
    }
}
