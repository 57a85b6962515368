//! The local runner: a plan executed in this process, on this machine's cores.
//!
//! It asks [`attrium_workflow`] what to start, starts it, and keeps `status.yaml` beside the
//! results, in the shape of the resource's status on a cluster. It does not know what a task does:
//! that is behind [`Execute`]. Run again, a run goes on where it stopped, since every task that has
//! ended well has left its marker. It never writes to standard output and names no patient.

mod clock;
mod display;
mod error;
mod ignored;
mod rate;
mod run_store;
mod scheduler;
mod signals;
mod table;
mod task;

use std::sync::Arc;

pub(crate) use display::Display;
pub(crate) use error::Error;
pub(crate) use ignored::ignored_fields;
pub(crate) use run_store::{FoundModel, find_model, full_name, keep_manifest};
pub(crate) use signals::stop_on_signals;
pub(crate) use table::{screening_table, training_table};
pub(crate) use task::in_pool;

use attrium_api::{Kind, ModelPlace, ModelReference, Resource, Status};
use attrium_tasks::{Execute, Interrupt};
pub(crate) use attrium_workflow::{Ending, Failure};
use attrium_workflow::{Plan, TaskExit};
use run_store::RunStore;
use scheduler::Scheduler;
use task::RunContext;

/// How this machine runs resources.
#[derive(Clone)]
pub(crate) struct Settings {
    /// How many threads tasks may keep busy, all together: the machine's cores.
    pub threads: usize,
    pub display: Arc<Display>,
    /// Set when everything has to stop after a checkpoint.
    pub interrupt: Interrupt,
    /// Certificates to trust beside the system's when a store is reached, as PEM.
    pub ca_bundle: Option<Vec<u8>>,
}

/// A run that has ended, well or not.
#[derive(Clone, Debug)]
pub(crate) struct Finished {
    /// The resource with its uid and its status.
    pub resource: Resource,
    /// The URI of everything that it has left, with a `/` at its end.
    pub prefix: String,
    pub ending: Ending,
    /// Whether there was nothing left to do from the start.
    pub was_done: bool,
    /// The tasks that failed, in the order of their failures.
    pub failures: Vec<Failure>,
}

impl Finished {
    pub(crate) fn status(&self) -> Status {
        self.resource.status().cloned().unwrap_or_default()
    }

    /// What a process ends with that has run it; none where it has succeeded.
    pub(crate) fn exit(&self) -> Option<TaskExit> {
        self.ending.exit(&self.failures)
    }
}

/// Runs a resource to its end, or until it is asked to stop.
///
/// `model` is the bundle that a screening uses, or a training starts from (see [`find_model`]).
///
/// # Errors
/// [`Error`]: what has nothing to do with a task, such as a spec that has changed since the run
/// was started, or a store that cannot be written to. A task's failure is no error of the runner.
pub(crate) fn run(
    resource: &Resource,
    execute: &dyn Execute,
    model: Option<ModelPlace<'_>>,
    settings: &Settings,
) -> Result<Finished, Error> {
    let store = RunStore::open(resource, settings.ca_bundle.as_deref())?;
    run_on(store, resource, execute, model, settings)
}

fn run_on(
    store: RunStore,
    resource: &Resource,
    execute: &dyn Execute,
    model: Option<ModelPlace<'_>>,
    settings: &Settings,
) -> Result<Finished, Error> {
    let mut status = store.begin(resource)?;
    if resource.kind() == Kind::TrainingRun && status.started_from.is_none() {
        status.started_from = model.and_then(ModelReference::of);
    }
    // A training goes on from the model that it began with, whatever has been published since.
    let started_from = status.started_from.clone();
    let model = started_from.as_ref().map(ModelReference::place).or(model);
    let plan = Plan::new(resource);
    let context = RunContext {
        resource,
        plan: &plan,
        prefix: store.prefix(),
        model,
        execute,
        stop: Interrupt::default(),
    };
    let mut scheduler = Scheduler::new(&context, &store, settings, status);
    scheduler.resume()?;
    let was_done = scheduler.is_done();
    scheduler.run()?;
    let (status, ending, failures) = scheduler.end()?;
    Ok(Finished {
        resource: store.with_status(resource, status),
        prefix: store.prefix().to_owned(),
        ending,
        was_done,
        failures,
    })
}

#[cfg(test)]
mod tests;
