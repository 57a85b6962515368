//! What goes wrong outside the tasks.

use std::io;

use snafu::Snafu;

use attrium_api::manifest::Violations;
use attrium_storage as storage;
use attrium_tasks::TaskError;
use attrium_workflow::{TaskExit, TaskRef};

/// What went wrong outside the tasks.
#[derive(Debug, Snafu)]
#[snafu(visibility(pub(super)))]
pub(crate) enum Error {
    #[snafu(display("the output of {name} cannot be opened"))]
    OpenOutput {
        name: String,
        source: storage::Error,
    },
    #[snafu(display("what {name} has left before cannot be read"))]
    ReadOutput {
        name: String,
        source: storage::Error,
    },
    #[snafu(display("{file} of {name} cannot be written"))]
    WriteOutput {
        name: String,
        file: &'static str,
        source: storage::Error,
    },
    #[snafu(display(
        "{prefix}manifest.yaml is not what an earlier run of {name} has left: remove that folder, \
         or give the resource another name"
    ))]
    StoredManifest {
        name: String,
        prefix: String,
        source: Violations,
    },
    #[snafu(display(
        "{fields} of {name} may not change once work has been done: give the resource another \
         name, or remove {prefix}"
    ))]
    Changed {
        name: String,
        prefix: String,
        fields: String,
    },
    #[snafu(display("the marker of task {task} cannot be read"))]
    ReadMarker { task: TaskRef, source: TaskError },
    #[snafu(display("a thread cannot be started: close other programs"))]
    Thread { source: io::Error },
    #[snafu(display("signals cannot be listened to"))]
    Signals { source: io::Error },
    #[snafu(display(
        "no model of TrainingRun {run} is found below {output}: run it first with publish and the \
         same output, or name the bundle by its uri"
    ))]
    NoModel { run: String, output: String },
    #[snafu(display(
        "TrainingRun {run} has published no model: see its status below {prefix}, or name a bundle \
         by its uri"
    ))]
    NotPublished { run: String, prefix: String },
}

impl Error {
    /// What the process ends with.
    pub(crate) fn exit(&self) -> TaskExit {
        match self {
            Self::Changed { .. }
            | Self::NoModel { .. }
            | Self::NotPublished { .. }
            | Self::OpenOutput { .. }
            | Self::StoredManifest { .. } => TaskExit::BadConfiguration,
            Self::ReadMarker { source, .. } => source.exit(),
            Self::ReadOutput { source, .. } | Self::WriteOutput { source, .. } => {
                if source.is_bad_place() {
                    TaskExit::BadConfiguration
                } else {
                    TaskExit::Retry
                }
            }
            Self::Thread { .. } | Self::Signals { .. } => TaskExit::Retry,
        }
    }
}
