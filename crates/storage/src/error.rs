//! Storage errors by what the caller can do about them.

use std::{fmt, io};

use object_store::client::{HttpError, HttpErrorKind};
use snafu::Snafu;

/// What went wrong in a store, with the place and the remedy.
///
/// `uri` never holds a credential. It names an object by its key where the caller gave the key;
/// of a [`Storage`](super::Storage) that hides its keys it names the prefix alone.
#[derive(Debug, Snafu)]
#[snafu(visibility(pub(super)))]
pub enum Error {
    /// The object, the folder or the bucket is not there.
    #[snafu(display("{uri} does not exist: check the name"))]
    NotFound {
        /// The place.
        uri: String,
    },
    /// The credentials are missing, wrong or do not allow it; or a folder's permissions do not.
    #[snafu(display("access to {uri} is denied: check its permissions and the credentials"))]
    Denied {
        /// The place.
        uri: String,
        /// What the store said.
        source: RootCause,
    },
    /// The disk, the quota or the store is full.
    #[snafu(display("no space is left for {uri}: free some, then run again, and it goes on"))]
    Full {
        /// The place.
        uri: String,
        /// What the store said.
        source: RootCause,
    },
    /// The store did not respond, or not with success, until the retries were used up.
    #[snafu(display(
        "{uri} cannot be reached: check the endpoint, the network, the CA bundle, and that credentials \
         are set"
    ))]
    Unreachable {
        /// The place.
        uri: String,
        /// What happened last.
        source: RootCause,
    },
    /// `put_if_absent` found the object there.
    #[snafu(display("{uri} exists already"))]
    AlreadyExists {
        /// The place.
        uri: String,
    },
    /// The object is larger than the caller takes.
    #[snafu(display("{uri} has {size} bytes, more than the {limit} that are read"))]
    TooLarge {
        /// The place.
        uri: String,
        /// Its size in bytes.
        size: u64,
        /// The caller's limit in bytes.
        limit: u64,
    },
    /// The object is not of the kind asked for: a folder for a file, or a file for a folder.
    #[snafu(display("{uri} is {found}, not {expected}: name {expected}"))]
    WrongKind {
        /// The place.
        uri: String,
        /// What is there.
        found: &'static str,
        /// What was asked for.
        expected: &'static str,
    },
    /// A key that no store takes, or that leads out of its prefix.
    #[snafu(display(
        "a key below {uri} cannot be used: keys are UTF-8 with no empty, '.' or '..' part and no \
         control character, and do not end in '#' and digits"
    ))]
    InvalidKey {
        /// The prefix.
        uri: String,
    },
    /// A key in a bucket that ends the listing: the objects after it are not known.
    #[snafu(display(
        "the objects below {uri} cannot be listed: a key there has an empty, '.' or '..' part or a \
         control character: rename or remove that object"
    ))]
    UnlistableKey {
        /// The prefix.
        uri: String,
    },
    /// A URI that names no store.
    #[snafu(display(
        "{uri:?} is not a place to keep files: use a path, file:///, s3://BUCKET/, gs://BUCKET/ or \
         az://CONTAINER/"
    ))]
    InvalidUri {
        /// The URI as given, or its scheme where it may hold a credential.
        uri: String,
    },
    /// Options or environment variables that the store does not take.
    #[snafu(display("{uri} cannot be opened: check the storage options and the environment"))]
    Configuration {
        /// The place.
        uri: String,
        /// What is wrong with them.
        source: RootCause,
    },
    /// The caller abandoned an object while it was written; nothing of it was kept.
    #[snafu(display("{uri} was not written completely"))]
    Abandoned {
        /// The place.
        uri: String,
        /// Why the caller abandoned it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Anything else.
    #[snafu(display(
        "{uri} cannot be used: check the place, its options and the store's own log, then run again"
    ))]
    Other {
        /// The place.
        uri: String,
        /// What happened.
        source: RootCause,
    },
}

impl Error {
    /// Whether trying again later may help: the store was unreachable.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }

    /// Whether the place is wrong or closed to the caller, so that another try would not help.
    pub const fn is_bad_place(&self) -> bool {
        match self {
            Self::NotFound { .. }
            | Self::Denied { .. }
            | Self::WrongKind { .. }
            | Self::InvalidKey { .. }
            | Self::UnlistableKey { .. }
            | Self::InvalidUri { .. }
            | Self::Configuration { .. }
            | Self::TooLarge { .. } => true,
            Self::Full { .. }
            | Self::Unreachable { .. }
            | Self::AlreadyExists { .. }
            | Self::Abandoned { .. }
            | Self::Other { .. } => false,
        }
    }

    /// Names the error of an operation at a place.
    pub(super) fn at(uri: String, error: object_store::Error) -> Self {
        use object_store::Error as Store;
        match &error {
            Store::NotFound { .. } => return Self::NotFound { uri },
            Store::AlreadyExists { .. } | Store::Precondition { .. } => {
                return Self::AlreadyExists { uri };
            }
            Store::InvalidPath { .. } => return Self::InvalidKey { uri },
            _ => {}
        }
        let source = RootCause::of(&error);
        match &error {
            Store::PermissionDenied { .. } | Store::Unauthenticated { .. } => {
                Self::Denied { uri, source }
            }
            Store::NotSupported { .. } | Store::UnknownConfigurationKey { .. } => {
                Self::Configuration { uri, source }
            }
            _ => Self::by_cause(uri, source),
        }
    }

    /// Names a failed call of the operating system at a place.
    pub(super) fn io(uri: String, error: &io::Error) -> Self {
        Self::by_cause(uri, RootCause::of(error))
    }

    fn by_cause(uri: String, source: RootCause) -> Self {
        match source.kind {
            ErrorKind::NotFound => Self::NotFound { uri },
            ErrorKind::Folder => Self::WrongKind {
                uri,
                found: "a folder",
                expected: "a file",
            },
            ErrorKind::Denied => Self::Denied { uri, source },
            ErrorKind::Full => Self::Full { uri, source },
            ErrorKind::Unreachable => Self::Unreachable { uri, source },
            ErrorKind::Other => Self::Other { uri, source },
        }
    }
}

/// The root cause of a failure in the store's own words, without URLs and keys.
#[derive(Debug)]
pub struct RootCause {
    kind: ErrorKind,
    text: String,
}

/// What a root cause means to the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ErrorKind {
    NotFound,
    Folder,
    Denied,
    Full,
    Unreachable,
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
    fn of(error: &(dyn std::error::Error + 'static)) -> Self {
        let mut network = None;
        let mut last = error;
        loop {
            if let Some(error) = last.downcast_ref::<HttpError>() {
                network = Some(error.kind());
            } else if let Some(response) = ServerResponse::parse(&last.to_string()) {
                return response.root_cause();
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
        Self {
            kind,
            text: last.to_string(),
        }
    }
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
        let kind = match self.status {
            _ if code.ends_with("StorageFull") || code.contains("QuotaExceeded") => ErrorKind::Full,
            507 => ErrorKind::Full,
            401 | 403 => ErrorKind::Denied,
            400 if matches!(code, "ExpiredToken" | "InvalidToken") => ErrorKind::Denied,
            404 | 410 => ErrorKind::NotFound,
            0 | 408 | 425 | 429 | 500.. => ErrorKind::Unreachable,
            _ => ErrorKind::Other,
        };
        let text = match (self.status, code) {
            (0, "") => "the store answered with an error".to_owned(),
            (0, code) => format!("the store answered {code}"),
            (status, "") => format!("the store answered with HTTP status {status}"),
            (status, code) => format!("the store answered {code} with HTTP status {status}"),
        };
        RootCause { kind, text }
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
