use std::error::Error as StdError;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use snafu::Snafu;

use attrium_api::Resource;
use attrium_workflow::{Plan, Progress, Summary, TaskSpec};

/// Does the work of tasks: what a pod does on a cluster and the local runner in its own process.
///
/// A task is idempotent: it writes its results and last of all its marker (`task.marker`, the
/// [`Summary`] as JSON). Started again it goes on from what it finds.
pub trait Execute: Sync {
    /// Does a task and writes its marker.
    ///
    /// # Errors
    /// [`TaskError`], whose kind decides what the failure costs.
    fn run(&self, task: &TaskSpec, context: &TaskContext<'_>) -> Result<Summary, TaskError>;

    /// The summary of a task that has ended well before, read from its marker.
    ///
    /// # Errors
    /// The store cannot be read, or the marker is none.
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
    /// Where a screening finds its model: the URI of the bundle's folder, with a `/` at its end.
    pub model: Option<&'a str>,
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
    Data {
        /// The reason.
        source: Cause,
    },
    /// The configuration is bad: no task of this run can do better.
    #[snafu(display("the configuration is bad"))]
    Configuration {
        /// The reason.
        source: Cause,
    },
    /// It was asked to stop and has kept what it had.
    #[snafu(display("interrupted"))]
    Interrupted,
    /// Anything else: another try may do.
    #[snafu(display("the task failed"))]
    Other {
        /// The reason.
        source: Cause,
    },
}

impl TaskError {
    /// Exit code 42, from an error or a sentence.
    pub fn data(cause: impl Into<Cause>) -> Self {
        Self::Data {
            source: cause.into(),
        }
    }

    /// Exit code 43, from an error or a sentence.
    pub fn configuration(cause: impl Into<Cause>) -> Self {
        Self::Configuration {
            source: cause.into(),
        }
    }

    /// Exit code 1, from an error or a sentence.
    pub fn other(cause: impl Into<Cause>) -> Self {
        Self::Other {
            source: cause.into(),
        }
    }

    /// The exit code of a process whose task failed so.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Data { .. } => 42,
            Self::Configuration { .. } => 43,
            Self::Interrupted => 130,
            Self::Other { .. } => 1,
        }
    }

    /// The causes joined to one sentence: the termination message, at most 4096 bytes.
    pub fn sentence(&self) -> String {
        match self {
            Self::Data { source } | Self::Configuration { source } | Self::Other { source } => {
                Self::sentence_of(source.as_ref())
            }
            Self::Interrupted => self.to_string(),
        }
    }

    /// An error and its causes joined to one sentence of at most 4096 bytes.
    pub fn sentence_of(error: &dyn StdError) -> String {
        let mut chain = Vec::new();
        let mut next = Some(error);
        while let Some(error) = next {
            chain.push(error.to_string());
            next = error.source();
        }
        let mut sentence = chain.join(": ");
        sentence.truncate(sentence.floor_char_boundary(4096));
        sentence
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_joins_the_causes_and_stays_within_a_termination_message() {
        let inner = std::io::Error::other("disk full");
        let error = TaskError::other(inner);
        assert_eq!(error.sentence(), "disk full");
        let long = TaskError::data("ä".repeat(5000));
        assert_eq!(long.sentence().len(), 4096);
        assert_eq!(TaskError::Interrupted.sentence(), "interrupted");
    }

    #[test]
    fn the_kind_of_a_failure_is_its_exit_code() {
        assert_eq!(TaskError::data("no usable image").exit_code(), 42);
        assert_eq!(TaskError::configuration("no such prefix").exit_code(), 43);
        assert_eq!(TaskError::other("disk full").exit_code(), 1);
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
