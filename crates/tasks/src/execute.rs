//! The contract between a task and whoever runs it.

use std::error::Error as StdError;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use snafu::Snafu;

use attrium_api::{ModelPlace, Resource};
use attrium_types::text::{causes, truncate};
use attrium_workflow::{LONGEST_MESSAGE, Plan, Progress, StageKind, Summary, TaskExit, TaskSpec};

/// Does the work of tasks: what a pod does on a cluster and the local runner in its own process.
///
/// A task is idempotent: it writes its results and last of all its marker (`task.marker`, with the
/// [`Summary`]). Started again it goes on from what it finds; done twice at once, the marker that is put first
/// decides whose results count.
pub trait Execute: Sync {
    /// Does a task and writes its marker; of two attempts both tell what the marker says.
    ///
    /// # Errors
    /// [`TaskError`], whose kind decides what the failure costs.
    fn run(&self, task: &TaskSpec, context: &TaskContext<'_>) -> Result<Summary, TaskError>;

    /// The summary of a task that has ended well before, read from its marker; none where what the task
    /// was made of has been made anew. What the task has published is there again afterwards.
    ///
    /// # Errors
    /// The store or the marker cannot be read.
    fn finished(
        &self,
        task: &TaskSpec,
        context: &TaskContext<'_>,
    ) -> Result<Option<Summary>, TaskError>;
}

/// What a task is given beside its own description.
#[derive(Clone, Copy)]
pub struct TaskContext<'a> {
    /// The resource, validated, with its defaults in place.
    pub resource: &'a Resource,
    /// The plan that the task is part of.
    pub plan: &'a Plan,
    /// The URI of the run's prefix, with a `/` at its end: artefacts' names follow it.
    pub prefix: &'a str,
    /// Where a screening finds its model, or a training the one of a training run that it starts from, and
    /// which one has to be there.
    pub model: Option<ModelPlace<'a>>,
    /// Set when the task has to write a checkpoint and return [`TaskError::Interrupted`].
    pub interrupt: &'a Interrupt,
    /// Where the task tells how far it is.
    pub progress: &'a dyn ProgressSink,
    /// How many threads the task may keep busy; it runs inside a rayon pool of that size.
    pub threads: usize,
}

/// A flag that asks tasks to stop soon; clones share it, and it is never taken back.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Asks every task to stop.
    pub fn set(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether tasks have to stop.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// An error once the flag is set, for `?` in a task's loop.
    ///
    /// # Errors
    /// [`TaskError::Interrupted`].
    pub fn check(&self) -> Result<(), TaskError> {
        if self.is_set() {
            Err(TaskError::Interrupted)
        } else {
            Ok(())
        }
    }
}

/// Receives a task's progress; a task may call it as often as it likes.
pub trait ProgressSink: Sync {
    /// Replaces what was last told.
    fn update(&self, progress: Progress);
}

/// Drops every progress.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProgress;

impl ProgressSink for NoProgress {
    fn update(&self, _: Progress) {}
}

/// An error of any kind, as the cause of a task's failure.
pub type Cause = Box<dyn StdError + Send + Sync>;

/// Why a task has not ended well.
#[derive(Debug, Snafu)]
#[snafu(visibility(pub))]
pub enum TaskError {
    /// The task's data is bad: trying again is of no use, and other tasks may go on.
    #[snafu(display("the data is bad"))]
    BadData {
        /// The reason.
        source: Cause,
    },
    /// The configuration is bad: no task of this run can do better.
    #[snafu(display("the configuration is bad"))]
    BadConfiguration {
        /// The reason.
        source: Cause,
    },
    /// Its results are there, and something that was asked for beside them was not done.
    #[snafu(display("the task is incomplete"))]
    Incomplete {
        /// The reason.
        source: Cause,
    },
    /// It was asked to stop and has kept what it had.
    #[snafu(display("interrupted"))]
    Interrupted,
    /// Another attempt of the task has ended first: it is done.
    #[snafu(display("another attempt of the task has ended first: run again, and it is done"))]
    Superseded,
    /// Anything else: another try may do.
    #[snafu(display("the task failed"))]
    Retry {
        /// The reason.
        source: Cause,
    },
}

impl TaskError {
    /// The data is bad, as an error or a sentence says.
    pub fn bad_data(cause: impl Into<Cause>) -> Self {
        Self::BadData {
            source: cause.into(),
        }
    }

    /// The configuration is bad, as an error or a sentence says.
    pub fn bad_configuration(cause: impl Into<Cause>) -> Self {
        Self::BadConfiguration {
            source: cause.into(),
        }
    }

    /// Another try may do, as an error or a sentence says.
    pub fn retry(cause: impl Into<Cause>) -> Self {
        Self::Retry {
            source: cause.into(),
        }
    }

    /// What a task of a stage could not do of what was asked, though its results are there.
    pub fn shortfall(stage: StageKind, sentence: &str) -> Self {
        match TaskExit::of_shortfall(stage) {
            TaskExit::BadData => Self::bad_data(sentence),
            _ => Self::Incomplete {
                source: sentence.into(),
            },
        }
    }

    /// What the failure means for the run, and what a process ends with whose task failed so.
    pub const fn exit(&self) -> TaskExit {
        match self {
            Self::BadData { .. } => TaskExit::BadData,
            Self::BadConfiguration { .. } => TaskExit::BadConfiguration,
            Self::Incomplete { .. } => TaskExit::Incomplete,
            Self::Interrupted => TaskExit::Interrupted,
            Self::Retry { .. } | Self::Superseded => TaskExit::Retry,
        }
    }

    /// The causes joined to one sentence: the termination message of a pod.
    pub fn sentence(&self) -> String {
        match self {
            Self::BadData { source }
            | Self::BadConfiguration { source }
            | Self::Incomplete { source }
            | Self::Retry { source } => Self::sentence_of(source.as_ref()),
            Self::Interrupted | Self::Superseded => self.to_string(),
        }
    }

    /// An error and its causes joined to one sentence that fits into a termination message.
    pub fn sentence_of(error: &dyn StdError) -> String {
        truncate(causes(error), LONGEST_MESSAGE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_joins_the_causes_and_stays_within_a_termination_message() {
        let inner = std::io::Error::other("disk full");
        let error = TaskError::retry(inner);
        assert_eq!(error.sentence(), "disk full");
        let long = TaskError::bad_data("ä".repeat(5000));
        assert_eq!(long.sentence().len(), 4096);
        assert_eq!(TaskError::Interrupted.sentence(), "interrupted");
    }

    #[test]
    fn the_kind_of_a_failure_is_its_exit_code() {
        let code = |error: TaskError| error.exit().exit_code();
        assert_eq!(code(TaskError::bad_data("no usable image")), 42);
        assert_eq!(code(TaskError::bad_configuration("no such prefix")), 43);
        assert_eq!(code(TaskError::retry("disk full")), 1);
    }

    #[test]
    fn an_alert_that_was_not_sent_is_no_bad_data() {
        let error = TaskError::shortfall(StageKind::Summarize, "no alert was sent");
        assert_eq!(error.exit(), TaskExit::Incomplete);
        assert_eq!(error.exit().exit_code(), 1);
        assert_eq!(error.sentence(), "no alert was sent");
        let error = TaskError::shortfall(StageKind::Evaluate, "a fold has failed");
        assert_eq!(error.exit(), TaskExit::BadData);
    }

    #[test]
    fn a_set_interrupt_is_seen_by_every_clone() {
        let flag = Interrupt::default();
        let clone = flag.clone();
        assert!(clone.check().is_ok());
        flag.set();
        assert!(matches!(clone.check(), Err(TaskError::Interrupted)));
    }
}
