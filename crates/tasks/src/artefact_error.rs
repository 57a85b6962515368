//! Why an artefact of the run cannot be used, with what to do about it.

use snafu::Snafu;

use super::TaskError;
use attrium_storage as storage;
use attrium_workflow::TaskExit;

/// Why a marker, or what it vouches for, cannot be used.
#[derive(Debug, Snafu)]
#[snafu(visibility(pub(super)))]
pub enum ArtefactError {
    /// The store does not give it.
    #[snafu(transparent)]
    Store {
        /// Why.
        source: storage::Error,
    },
    /// Its end was not read.
    #[snafu(display("an artefact cannot be read to its end"))]
    Broken {
        /// Why.
        source: std::io::Error,
    },
    /// A marker from before files were vouched for.
    #[snafu(display(
        "{marker} is of an earlier attrium, which kept no checksums: delete the folder tasks/ of the run and \
         run it again, or run it under another name"
    ))]
    Earlier {
        /// The marker's place.
        marker: String,
    },
    /// A file in a marker's place that is none.
    #[snafu(display("{marker} is no marker of its task: delete it and run again"))]
    NotAMarker {
        /// The marker's place.
        marker: String,
    },
    /// The task that makes it has not ended well.
    #[snafu(display("{name} is not there yet: see what became of the task that makes it"))]
    NotMade {
        /// The artefact's name.
        name: String,
    },
    /// It is not among the files of its task's marker.
    #[snafu(display("{marker} does not vouch for {name}: delete that marker and run again"))]
    NotNamed {
        /// The marker's place.
        marker: String,
        /// The artefact's name.
        name: String,
    },
    /// It is gone.
    #[snafu(display("{uri} is gone: delete {marker} and run again"))]
    Gone {
        /// The file's place.
        uri: String,
        /// The place of the marker that vouches for it.
        marker: String,
    },
    /// Its bytes are not those that were written.
    #[snafu(display("{uri} has changed since it was written: delete {marker} and run again"))]
    Changed {
        /// The file's place.
        uri: String,
        /// The place of the marker that vouches for it.
        marker: String,
    },
    /// Its task has read a marker in whose place there is another by now, or none.
    #[snafu(display("{marker} was made before {input} was: delete {marker} and run again"))]
    Outdated {
        /// The marker's place.
        marker: String,
        /// The name of the marker that it was made of.
        input: String,
    },
}

impl ArtefactError {
    /// What it costs: a store may answer later; what has changed stays so until its task is done again.
    pub const fn exit(&self) -> TaskExit {
        match self {
            Self::Store { .. } | Self::Broken { .. } | Self::NotMade { .. } => TaskExit::Retry,
            Self::Earlier { .. } => TaskExit::BadConfiguration,
            Self::NotAMarker { .. }
            | Self::NotNamed { .. }
            | Self::Gone { .. }
            | Self::Changed { .. }
            | Self::Outdated { .. } => TaskExit::BadData,
        }
    }
}

impl From<ArtefactError> for TaskError {
    fn from(error: ArtefactError) -> Self {
        match error.exit() {
            TaskExit::BadConfiguration => Self::bad_configuration(error),
            TaskExit::BadData => Self::bad_data(error),
            _ => Self::retry(error),
        }
    }
}
