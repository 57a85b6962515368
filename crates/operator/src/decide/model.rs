//! Where the model is that a screening uses or a training starts from, and what the status says while it is not there.

use std::fmt;

use attrium_api::{ModelPlace, ModelReference, Resource};

/// The model that a screening uses, or a training starts from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Model {
    /// The resource needs none, or names it itself.
    Given,
    /// A training run has published it.
    Published(ModelReference),
    /// A training run has yet to publish it.
    Awaited(Awaited),
    /// The training run of this name has ended and not published one.
    Missing(String),
}

impl Model {
    /// Where the tasks of a resource find their model, if it is known.
    pub(crate) fn place<'m>(&'m self, resource: &'m Resource) -> Option<ModelPlace<'m>> {
        match self {
            Self::Published(model) => Some(model.place()),
            Self::Given | Self::Awaited(_) | Self::Missing(_) => resource.model(),
        }
    }
}

/// What a resource waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Awaited {
    /// The training run that is to publish the model.
    pub(crate) run: String,
    pub(crate) publisher: Publisher,
}

/// A training run that has not published a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Publisher {
    /// There is none of this name.
    Absent,
    /// It has not ended.
    Live,
    /// It cannot be read.
    Malformed,
}

impl fmt::Display for Awaited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let run = &self.run;
        match self.publisher {
            Publisher::Absent => write!(f, "There is no TrainingRun {run} in this namespace yet"),
            Publisher::Live => write!(f, "The TrainingRun {run} has not published its model yet"),
            Publisher::Malformed => write!(f, "The TrainingRun {run} cannot be read"),
        }
    }
}

/// The sentence of a model that will never be there.
pub(super) fn missing(run: &str) -> String {
    format!(
        "The TrainingRun {run} has ended without a published model: name one that has published"
    )
}
