//! What every reconciliation uses.

use std::sync::Arc;

use kube::Client;
use tokio::sync::Semaphore;

use super::Settings;
use super::clock::ServerClock;
use super::error::Error;
use super::events::EventQueue;
use super::index::Index;
use super::kueue::Workloads;
use super::lease::Leadership;
use super::metrics::Metrics;

/// What every reconciliation uses.
pub(super) struct Context {
    pub(super) client: Client,
    pub(super) clock: ServerClock,
    pub(super) index: Arc<Index>,
    pub(super) leadership: Leadership,
    pub(super) settings: Settings,
    pub(super) metrics: Arc<Metrics>,
    pub(super) events: EventQueue,
    pub(super) workloads: Workloads,
    /// Keeps lists of events few, however many resources wait.
    pub(super) event_queries: Arc<Semaphore>,
}

impl Context {
    /// Asked before each thing that is written.
    pub(super) fn ensure_leader(&self) -> Result<(), Error> {
        if self.leadership.is_leader() {
            Ok(())
        } else {
            Err(Error::NotLeading)
        }
    }
}
