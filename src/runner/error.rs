use std::io;

use snafu::Snafu;

use attrium_api::manifest::Violations;
use attrium_storage as storage;
use attrium_tasks::TaskError;
use attrium_workflow::TaskRef;

/// What went wrong outside the tasks.
#[derive(Debug, Snafu)]
#[snafu(visibility(pub(super)))]
pub enum Error {
    /// The output cannot be opened.
    #[snafu(display("the output of {name} cannot be opened"))]
    OpenOutput {
        /// The resource.
        name: String,
        /// The reason.
        source: storage::Error,
    },
    /// What an earlier run has left cannot be read.
    #[snafu(display("what {name} has left before cannot be read"))]
    ReadOutput {
        /// The resource.
        name: String,
        /// The reason.
        source: storage::Error,
    },
    /// The status or the manifest cannot be written.
    #[snafu(display("{file} of {name} cannot be written"))]
    WriteOutput {
        /// The resource.
        name: String,
        /// What was to be written.
        file: &'static str,
        /// The reason.
        source: storage::Error,
    },
    /// The manifest that an earlier run has left is none.
    #[snafu(display(
        "{prefix}manifest.yaml is not what an earlier run of {name} has left: remove that folder, \
         or give the resource another name"
    ))]
    StoredManifest {
        /// The resource.
        name: String,
        /// Where its results are.
        prefix: String,
        /// What is wrong with it.
        source: Violations,
    },
    /// The spec is not what it was.
    #[snafu(display(
        "{fields} of {name} may not change once work has been done: give the resource another \
         name, or remove {prefix}"
    ))]
    Changed {
        /// The resource.
        name: String,
        /// Where its results are.
        prefix: String,
        /// The fields that differ.
        fields: String,
    },
    /// A marker cannot be read.
    #[snafu(display("the marker of task {task} cannot be read"))]
    ReadMarker {
        /// The task.
        task: TaskRef,
        /// The reason.
        source: TaskError,
    },
    /// Threads cannot be started.
    #[snafu(display("a thread cannot be started: close other programs"))]
    Thread {
        /// The reason.
        source: io::Error,
    },
    /// Signals cannot be listened to.
    #[snafu(display("signals cannot be listened to"))]
    Signals {
        /// The reason.
        source: io::Error,
    },
    /// A screening's training run has left no model.
    #[snafu(display(
        "no model of TrainingRun {run} is found below {output}: run it first with publish and the \
         same output, or name the bundle by model.uri"
    ))]
    NoModel {
        /// The training run.
        run: String,
        /// The screening's output.
        output: String,
    },
    /// A training run has not published its model.
    #[snafu(display(
        "TrainingRun {run} has published no model: see its status below {prefix}, or name a bundle \
         by model.uri"
    ))]
    NotPublished {
        /// The training run.
        run: String,
        /// Where its results are.
        prefix: String,
    },
}

impl Error {
    /// The process's exit code: 43 for a bad configuration, 1 for anything else.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Changed { .. } | Self::NoModel { .. } | Self::NotPublished { .. } => 43,
            Self::OpenOutput { .. } | Self::StoredManifest { .. } => 43,
            Self::ReadMarker { source, .. } => source.exit_code(),
            Self::ReadOutput { source, .. } | Self::WriteOutput { source, .. } => {
                if source.is_bad_place() { 43 } else { 1 }
            }
            Self::Thread { .. } | Self::Signals { .. } => 1,
        }
    }
}
