//! What an error of another module costs a task.

use std::error::Error;

use super::{Cause, TaskError};
use attrium_storage as storage;

/// Says what a failure means for the task: `?` then turns any error into a [`TaskError`].
pub(super) trait OrFail<T> {
    /// The task's data is bad.
    fn or_bad_data(self) -> Result<T, TaskError>;
    /// The configuration is bad, for every task of the run.
    fn or_bad_configuration(self) -> Result<T, TaskError>;
    /// Another try may do.
    fn or_retry(self) -> Result<T, TaskError>;
}

impl<T, E: Into<Cause>> OrFail<T> for Result<T, E> {
    fn or_bad_data(self) -> Result<T, TaskError> {
        self.map_err(TaskError::bad_data)
    }

    fn or_bad_configuration(self) -> Result<T, TaskError> {
        self.map_err(TaskError::bad_configuration)
    }

    fn or_retry(self) -> Result<T, TaskError> {
        self.map_err(TaskError::retry)
    }
}

/// Says what a failure of the store means for a task that reads its input.
pub(super) trait OrBadPlace<T> {
    /// A place that is not there, is of the wrong kind or may not be read is a mistake in the
    /// manifest; a store that does not answer, or refuses what it has given before, may answer later.
    fn or_bad_place(self) -> Result<T, TaskError>;
}

impl<T> OrBadPlace<T> for Result<T, storage::Error> {
    fn or_bad_place(self) -> Result<T, TaskError> {
        self.map_err(|error| {
            if error.is_bad_place() {
                TaskError::bad_configuration(error)
            } else {
                TaskError::retry(error)
            }
        })
    }
}

/// Whether a failure comes of a refusal of credentials.
pub(super) fn is_refusal(error: &(dyn Error + 'static)) -> bool {
    match (error.downcast_ref::<storage::Error>(), error.source()) {
        (Some(error), _) => error.is_refusal(),
        (None, Some(source)) => is_refusal(source),
        (None, None) => false,
    }
}
