use std::sync::Arc;

use kube::Client;
use tokio::sync::Semaphore;

use super::Settings;
use super::index::Index;
use super::kueue::Workloads;
use super::lease::Leadership;
use super::metrics::Metrics;
use super::status::Events;

/// What every look at a resource uses.
pub(super) struct Context {
    pub(super) client: Client,
    pub(super) index: Arc<Index>,
    pub(super) leadership: Leadership,
    pub(super) settings: Settings,
    pub(super) metrics: Arc<Metrics>,
    pub(super) events: Events,
    pub(super) workloads: Workloads,
    /// Keeps lists of events few, however many resources wait.
    pub(super) questions: Arc<Semaphore>,
}
