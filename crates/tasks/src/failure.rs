//! What an error of another module costs a task.

use super::{Cause, TaskError};
use attrium_storage as storage;

/// Says what a failure means for the task: `?` then turns any error into a [`TaskError`].
pub(super) trait OrFail<T> {
    /// The task's data is bad: exit code 42.
    fn or_bad_data(self) -> Result<T, TaskError>;
    /// The configuration is bad, for every task of the run: exit code 43.
    fn or_bad_configuration(self) -> Result<T, TaskError>;
    /// Another try may do: exit code 1.
    fn or_retry(self) -> Result<T, TaskError>;
}

impl<T, E: Into<Cause>> OrFail<T> for Result<T, E> {
    fn or_bad_data(self) -> Result<T, TaskError> {
        self.map_err(TaskError::data)
    }

    fn or_bad_configuration(self) -> Result<T, TaskError> {
        self.map_err(TaskError::configuration)
    }

    fn or_retry(self) -> Result<T, TaskError> {
        self.map_err(TaskError::other)
    }
}

/// Says what a failure of the store means for a task that reads its input.
pub(super) trait OrMissing<T> {
    /// A place that is not there, is of the wrong kind or may not be read is a mistake in the
    /// manifest; a store that does not answer may answer later.
    fn or_bad_place(self) -> Result<T, TaskError>;
}

impl<T> OrMissing<T> for Result<T, storage::Error> {
    fn or_bad_place(self) -> Result<T, TaskError> {
        self.map_err(|error| {
            if error.is_bad_place() {
                TaskError::configuration(error)
            } else {
                TaskError::other(error)
            }
        })
    }
}
