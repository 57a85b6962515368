//! Why nothing can be made of an object: it shows another view, or it cannot be used.

use std::error::Error;

use super::TaskError;
use attrium_imaging as imaging;
use attrium_storage as storage;

/// Why an object gives no crop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// It shows no anterior view.
    OtherView,
    /// It cannot be used.
    Unusable {
        /// A short stable word.
        reason: &'static str,
        /// Why, in one sentence.
        sentence: String,
    },
}

impl Rejection {
    /// Its bytes cannot be read.
    pub fn unreadable(error: &dyn Error) -> Self {
        Self::unusable("unreadable", error)
    }

    /// A store does not have it, in the word for why; [`unreadable`](Self::unreadable) where that is not
    /// about the object alone.
    pub(super) fn missing(error: &storage::Error) -> Self {
        Self::unusable(error.of_one_object().unwrap_or("unreadable"), error)
    }

    fn unusable(reason: &'static str, error: &dyn Error) -> Self {
        Self::Unusable {
            reason,
            sentence: TaskError::sentence_of(error),
        }
    }
}

impl From<imaging::Error> for Rejection {
    fn from(error: imaging::Error) -> Self {
        match error {
            imaging::Error::NoAnterior => Self::OtherView,
            error => Self::unusable(error.reason(), &error),
        }
    }
}
