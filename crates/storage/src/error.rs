//! Storage errors by what the caller can do about them.

use std::{fmt, io};

use snafu::Snafu;

use super::cause::{ErrorKind, RootCause};

/// What went wrong in a store, with the place and the remedy.
///
/// `uri` never holds a credential. It names an object by its key where the caller gave the key;
/// of a [`Storage`](super::Storage) that hides its keys it names the prefix alone.
#[derive(Debug, Snafu)]
#[snafu(visibility(pub(super)))]
pub enum Error {
    /// The object or the folder is not there.
    #[snafu(display("{uri} does not exist: check the name"))]
    NotFound {
        /// The place.
        uri: String,
    },
    /// The bucket itself is not there.
    #[snafu(display("the bucket of {uri} does not exist: check its name and the endpoint"))]
    NoBucket {
        /// The place.
        uri: String,
        /// Whether the same place has given an answer to this process before.
        answered: bool,
    },
    /// The credentials are missing, wrong or do not allow it; or a folder's permissions do not.
    #[snafu(display("access to {uri} is denied: check its permissions and the credentials"))]
    Denied {
        /// The place.
        uri: String,
        /// Whether the same place has given an answer to this process before.
        answered: bool,
        /// What the store said.
        source: RootCause,
    },
    /// The credentials were good once.
    #[snafu(display("the credentials for {uri} have expired: renew them, then run again"))]
    Expired {
        /// The place.
        uri: String,
        /// What the store said.
        source: RootCause,
    },
    /// The store's clock and this machine's are too far apart for a signature.
    #[snafu(display(
        "{uri} refuses requests of this machine's time: set its clock, then run again"
    ))]
    Skewed {
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
    /// The store asks for fewer requests, until the retries were used up.
    #[snafu(display("{uri} is asked too often: run fewer tasks at a time, or run again later"))]
    Throttled {
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
    /// The store, or something in between, answered with success and with something else than what was
    /// asked for.
    #[snafu(display(
        "the answer for {uri} is not what was asked for ({problem}): check what stands between this machine \
         and the store, and that nothing is written there now, then run again"
    ))]
    WrongAnswer {
        /// The place.
        uri: String,
        /// How it shows.
        problem: AnswerProblem,
    },
    /// The store does not know what it was asked to do.
    #[snafu(display(
        "{uri} is in a store that cannot do what is asked of it, such as writing an object only where none \
         is: use a newer version of the store, or another one"
    ))]
    Unsupported {
        /// The place.
        uri: String,
        /// What the store said.
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
         control character, and do not end in '/', nor in a folder that is written to in '#' and digits"
    ))]
    InvalidKey {
        /// The prefix.
        uri: String,
    },
    /// A symbolic link to nothing.
    #[snafu(display("a link below {uri} leads nowhere: restore what it points to, or remove it"))]
    BrokenLink {
        /// The prefix.
        uri: String,
    },
    /// A symbolic link that leads back to itself or to a folder that it is in.
    #[snafu(display("a link below {uri} leads in a circle: remove it"))]
    LinkLoop {
        /// The prefix.
        uri: String,
    },
    /// A URI that names no store.
    #[snafu(display(
        "{uri:?} is not a place to keep files: use a path, file:///, s3://BUCKET/, gs://BUCKET/ or \
         az://CONTAINER/, and a bucket of letters, digits, '.', '-' and '_', without a tenant"
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

/// How it shows that an answer is not what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnswerProblem {
    /// It has another length than the listing, or its own header, says.
    Length {
        /// The bytes that it should have.
        expected: u64,
        /// The bytes that it has.
        found: u64,
    },
    /// It has another length and another tag than the listing says.
    Changed {
        /// The bytes that the listing says.
        listed: u64,
        /// The bytes that it has.
        found: u64,
    },
    /// It broke off.
    BrokeOff,
    /// It is a page for people.
    Page,
    /// It has not the form of what a store says.
    Form {
        /// What is wrong with it.
        what: String,
    },
}

impl fmt::Display for AnswerProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { expected, found } => write!(f, "{found} bytes instead of {expected}"),
            Self::Changed { listed, found } => {
                write!(f, "{found} bytes instead of {listed}, since it has changed")
            }
            Self::BrokeOff => f.write_str("it broke off"),
            Self::Page => f.write_str("a page for people"),
            Self::Form { what } => f.write_str(what),
        }
    }
}

impl Error {
    /// Whether an object is another than the listing has named.
    pub(super) const fn is_changed(&self) -> bool {
        matches!(
            self,
            Self::WrongAnswer {
                problem: AnswerProblem::Changed { .. },
                ..
            }
        )
    }

    /// Whether trying again later may help.
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::Throttled { .. }
            | Self::WrongAnswer { .. }
            | Self::Expired { .. }
            | Self::Skewed { .. } => true,
            Self::Denied { answered, .. } | Self::NoBucket { answered, .. } => *answered,
            _ => false,
        }
    }

    /// Whether the place is wrong or closed to the caller, so that another try would not help. A place
    /// that has answered before is neither: what it refuses now is no mistake in a manifest.
    pub const fn is_bad_place(&self) -> bool {
        match self {
            Self::Denied { answered, .. } | Self::NoBucket { answered, .. } => !*answered,
            Self::NotFound { .. }
            | Self::WrongKind { .. }
            | Self::InvalidKey { .. }
            | Self::BrokenLink { .. }
            | Self::LinkLoop { .. }
            | Self::InvalidUri { .. }
            | Self::Configuration { .. }
            | Self::Unsupported { .. }
            | Self::TooLarge { .. } => true,
            Self::Expired { .. }
            | Self::Skewed { .. }
            | Self::Full { .. }
            | Self::Throttled { .. }
            | Self::Unreachable { .. }
            | Self::WrongAnswer { .. }
            | Self::AlreadyExists { .. }
            | Self::Abandoned { .. }
            | Self::Other { .. } => false,
        }
    }

    /// Whether the store has refused the credentials without saying that they were ever good.
    pub const fn is_refusal(&self) -> bool {
        matches!(self, Self::Denied { .. })
    }

    /// Why an object that was listed cannot be had, in one stable word, where the failure is about
    /// that object alone. Of any other failure nothing is known of the object: it is the store's.
    pub const fn of_one_object(&self) -> Option<&'static str> {
        match self {
            Self::NotFound { .. } => Some("gone"),
            Self::TooLarge { .. } => Some("too-large"),
            Self::InvalidKey { .. } => Some("impossible-key"),
            Self::BrokenLink { .. } => Some("broken-link"),
            Self::LinkLoop { .. } => Some("link-loop"),
            _ => None,
        }
    }

    /// Every word of [`of_one_object`](Self::of_one_object).
    pub const WORDS_OF_ONE_OBJECT: [&str; 5] = [
        "gone",
        "too-large",
        "impossible-key",
        "broken-link",
        "link-loop",
    ];

    /// Names the error of an operation at a place.
    pub(super) fn at(uri: String, error: object_store::Error) -> Self {
        use object_store::Error as Store;
        let source = RootCause::of(&error);
        match &error {
            // The name of an object and that of its bucket are missed with the same status.
            Store::NotFound { .. } if source.kind != ErrorKind::NoBucket => Self::NotFound { uri },
            Store::AlreadyExists { .. } | Store::Precondition { .. } => Self::AlreadyExists { uri },
            Store::InvalidPath { .. } => Self::InvalidKey { uri },
            Store::NotSupported { .. } | Store::UnknownConfigurationKey { .. } => {
                Self::Configuration { uri, source }
            }
            Store::PermissionDenied { .. } | Store::Unauthenticated { .. }
                if source.kind == ErrorKind::Other =>
            {
                Self::by_kind(ErrorKind::Denied, uri, source)
            }
            _ => Self::by_kind(source.kind, uri, source),
        }
    }

    /// Names a failed call of the operating system at a place.
    pub(super) fn io(uri: String, error: &io::Error) -> Self {
        let source = RootCause::of(error);
        Self::by_kind(source.kind, uri, source)
    }

    /// Notes whether the place has answered before, where that makes a difference.
    pub(super) fn after(mut self, has_answered: bool) -> Self {
        if let Self::Denied { answered, .. } | Self::NoBucket { answered, .. } = &mut self {
            *answered = has_answered;
        }
        self
    }

    fn by_kind(kind: ErrorKind, uri: String, source: RootCause) -> Self {
        match kind {
            ErrorKind::NotFound => Self::NotFound { uri },
            ErrorKind::NoBucket => Self::NoBucket {
                uri,
                answered: false,
            },
            ErrorKind::Folder => Self::WrongKind {
                uri,
                found: "a folder",
                expected: "a file",
            },
            ErrorKind::Denied => Self::Denied {
                uri,
                answered: false,
                source,
            },
            ErrorKind::Expired => Self::Expired { uri, source },
            ErrorKind::Skewed => Self::Skewed { uri, source },
            ErrorKind::Full => Self::Full { uri, source },
            ErrorKind::Throttled => Self::Throttled { uri, source },
            ErrorKind::Unreachable => Self::Unreachable { uri, source },
            ErrorKind::WrongAnswer => Self::WrongAnswer {
                uri,
                problem: AnswerProblem::Form {
                    what: source.to_string(),
                },
            },
            ErrorKind::Unsupported => Self::Unsupported { uri, source },
            ErrorKind::Configuration => Self::Configuration { uri, source },
            ErrorKind::Other => Self::Other { uri, source },
        }
    }
}
