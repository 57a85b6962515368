//! What is remembered of resources, and their addresses.
//!
//! Pure. A resource that has ended is a few words; a whole one is kept only as long as there is
//! something to do for it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use k8s_openapi::jiff::Timestamp;

use super::decide::{self, Model, Words};
use super::snapshot::{JobSeen, PodSeen};
use super::task_reports::Heard;
use attrium_api::{ModelReference, Phase, Resource};
use attrium_workflow::StageKind;

/// A kind of resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    /// A training.
    TrainingRun,
    /// A screening.
    ScreeningJob,
}

impl Kind {
    /// The kind, as a manifest names it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::TrainingRun => "TrainingRun",
            Self::ScreeningJob => "ScreeningJob",
        }
    }

    const fn of(resource: &Resource) -> Self {
        match resource {
            Resource::TrainingRun(_) => Self::TrainingRun,
            Resource::ScreeningJob(_) => Self::ScreeningJob,
        }
    }
}

/// A resource's address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
}

impl Key {
    /// An address.
    pub(crate) fn new(kind: Kind, namespace: &str, name: &str) -> Self {
        Self {
            kind,
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    /// The address of a resource.
    pub(crate) fn of(resource: &Resource) -> Self {
        Self::new(Kind::of(resource), resource.namespace(), resource.name())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.kind.name(), self.namespace, self.name)
    }
}

/// A resource as it is known.
#[derive(Clone, Debug)]
pub(crate) enum Known {
    /// There is something to do for it.
    Live(Arc<Resource>),
    /// It has ended.
    Over(Over),
    /// It cannot be read.
    Malformed(Arc<Malformed>),
}

/// A resource that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Over {
    /// Its uid.
    pub uid: Arc<str>,
    /// How it ended.
    pub phase: Phase,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// How long after that it is deleted, in seconds.
    pub ttl: Option<u32>,
    /// The model that it has published.
    pub model: Option<Box<ModelReference>>,
    /// Whether it is being deleted.
    pub deleted: bool,
}

/// A resource that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    /// Its uid.
    pub uid: String,
    /// Its generation.
    pub generation: Option<i64>,
    /// What is wrong with it.
    pub error: String,
}

/// What is kept of a live resource beside what the cluster says of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memo {
    /// What its tasks have told.
    pub heard: Heard,
    /// The last ConfigMap of its manifest that this process has made.
    pub manifest: Option<String>,
    /// Why the API server refused what was to be made.
    pub refused: Option<String>,
    /// Why the API server does not let be made now what may be made later.
    pub held: Option<String>,
    /// What events said when they were last asked for.
    pub words: Words,
    /// When that was.
    pub asked: Option<Instant>,
}

/// Everything that is known of a live resource.
#[derive(Clone, Debug)]
pub(crate) struct Dossier {
    /// The resource.
    pub resource: Arc<Resource>,
    /// The latest Job of each stage.
    pub jobs: BTreeMap<StageKind, JobSeen>,
    /// The pods of those Jobs.
    pub pods: Vec<PodSeen>,
    /// Whatever else is kept of it.
    pub memo: Memo,
    /// The model of a screening.
    pub model: Model,
}

impl Known {
    /// Its uid.
    pub(super) fn uid(&self) -> &str {
        match self {
            Self::Live(resource) => resource.uid().unwrap_or_default(),
            Self::Over(over) => &over.uid,
            Self::Malformed(malformed) => &malformed.uid,
        }
    }
}

/// Drops what nothing here needs: it may be most of a resource.
fn trim(resource: &mut Resource) {
    let metadata = resource.metadata_mut();
    metadata.managed_fields = None;
    metadata.annotations = None;
    metadata.labels = None;
}

/// What is remembered of a resource.
pub(super) fn known(mut resource: Resource) -> Known {
    trim(&mut resource);
    let ended = resource.status().and_then(decide::ended);
    let (Some(ended), Some(status)) = (ended, resource.status()) else {
        return Known::Live(Arc::new(resource));
    };
    Known::Over(Over {
        uid: resource.uid().unwrap_or_default().into(),
        phase: status.phase.unwrap_or(Phase::Failed),
        ended,
        ttl: resource.ttl_seconds_after_finished(),
        model: status.model.clone().map(Box::new),
        deleted: resource.metadata().deletion_timestamp.is_some(),
    })
}
