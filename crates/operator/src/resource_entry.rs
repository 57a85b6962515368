//! What the index keeps of resources, and their keys.
//!
//! Pure. A resource that has ended is a few words; a whole one is kept only as long as there is
//! something to do for it.

use std::fmt;
use std::sync::Arc;

use k8s_openapi::jiff::Timestamp;

use super::created_resource::CreatedResource;
use super::decide;
use attrium_api::{Kind, ModelReference, MonitorStatus, Phase, Resource, Status, Uid};

/// The kind, namespace and name of a resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ResourceKey {
    pub(crate) kind: Kind,
    pub(crate) namespace: Arc<str>,
    pub(crate) name: Arc<str>,
}

impl ResourceKey {
    pub(crate) fn new(kind: Kind, namespace: &str, name: &str) -> Self {
        Self {
            kind,
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    pub(crate) fn of(resource: &Resource) -> Self {
        Self::new(resource.kind(), resource.namespace(), resource.name())
    }
}

impl fmt::Display for ResourceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.kind, self.namespace, self.name)
    }
}

/// A resource in the index.
#[derive(Clone, Debug)]
pub(crate) enum ResourceEntry {
    /// It has not ended.
    Live(Arc<CreatedResource>),
    /// It has ended.
    Ended(EndedResource),
    /// It cannot be read.
    Malformed(Arc<MalformedResource>),
}

/// What is kept of a resource that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EndedResource {
    pub(crate) uid: Uid,
    pub(crate) phase: Phase,
    /// When it ended.
    pub(crate) ended: Option<Timestamp>,
    /// How long after that it is deleted, in seconds.
    pub(crate) ttl: Option<u32>,
    /// The model that it has published.
    pub(crate) model: Option<Box<ModelReference>>,
    /// How the scans of a screening stand to the cohort of its model.
    pub(crate) monitor: Option<Box<MonitorStatus>>,
    pub(crate) is_being_deleted: bool,
    /// The generation of its spec, where its status is about another.
    pub(crate) unobserved: Option<i64>,
}

/// What is kept of a resource that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MalformedResource {
    pub(crate) uid: Uid,
    pub(crate) generation: Option<i64>,
    /// What is wrong with it.
    pub(crate) error: String,
}

impl ResourceEntry {
    /// What is kept of a resource that can be read.
    pub(crate) fn new(resource: CreatedResource) -> Self {
        let resource = resource.trimmed();
        let ended = resource.status().and_then(decide::ended);
        // One that is to be started again has not ended.
        let ended = ended.filter(|_| resource.retry_asked().is_none());
        let (Some(ended), Some(status)) = (ended, resource.status()) else {
            return Self::Live(Arc::new(resource));
        };
        let screening = status.screening.as_ref();
        let monitor = screening.and_then(|counts| counts.monitor.clone());
        Self::Ended(EndedResource {
            uid: resource.uid().clone(),
            phase: status.phase.unwrap_or(Phase::Failed),
            ended,
            ttl: resource.ttl_seconds_after_finished(),
            model: status.model.clone().map(Box::new),
            monitor: monitor.map(Box::new),
            is_being_deleted: resource.metadata().deletion_timestamp.is_some(),
            unobserved: unobserved(&resource, status),
        })
    }

    pub(crate) fn uid(&self) -> &Uid {
        match self {
            Self::Live(resource) => resource.uid(),
            Self::Ended(ended) => &ended.uid,
            Self::Malformed(malformed) => &malformed.uid,
        }
    }
}

/// The generation of a resource's spec, where its status states another one.
fn unobserved(resource: &Resource, status: &Status) -> Option<i64> {
    let (generation, observed) = (resource.metadata().generation, status.observed_generation);
    generation.filter(|generation| observed.is_some_and(|it| it != *generation))
}
