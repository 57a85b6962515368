//! The local runner: a plan executed in this process, on this machine's cores.
//!
//! It asks [`attrium_workflow`] what to start, starts it, and keeps `status.yaml` beside the
//! results, in the shape of the resource's status on a cluster. What a task does it does not know:
//! that is [`Execute`]'s. Run again, a run goes on where it stopped, since every task that has
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

pub use display::Display;
pub use error::Error;
pub use ignored::ignored_fields;
pub use run_store::{find_model, keep_manifest};
pub use signals::stop_on_signals;
pub use table::{screening_table, training_table};
pub use task::in_pool;

use attrium_api::{Resource, Status};
use attrium_tasks::{Execute, Interrupt};
use attrium_workflow::Plan;
pub use attrium_workflow::{Ending, Failure};
use run_store::Record;
use scheduler::Driver;
use task::Shared;

/// How runs are run.
#[derive(Clone)]
pub struct Settings {
    /// How many threads tasks may keep busy, all together: the machine's cores.
    pub threads: usize,
    /// Where progress is shown.
    pub display: Arc<Display>,
    /// Set when everything has to stop after a checkpoint.
    pub interrupt: Interrupt,
    /// Certificates to trust beside the system's when a store is reached, as PEM.
    pub ca_bundle: Option<Vec<u8>>,
}

/// A run that has ended, well or not.
#[derive(Clone, Debug)]
pub struct Finished {
    /// The resource with its uid and its status.
    pub resource: Resource,
    /// The URI of everything that it has left, with a `/` at its end.
    pub prefix: String,
    /// How it ended.
    pub ending: Ending,
    /// Whether there was nothing left to do from the start.
    pub was_done: bool,
    /// The tasks that failed, in the order of their failures.
    pub failures: Vec<Failure>,
}

impl Finished {
    /// The run's status.
    pub fn status(&self) -> Status {
        self.resource.status().cloned().unwrap_or_default()
    }

    /// The exit code of a process that has run it.
    pub fn exit_code(&self) -> u8 {
        match self.ending {
            Ending::Succeeded => 0,
            Ending::GateMissed => 1,
            Ending::Interrupted => 130,
            // No task has failed, and no image can be used.
            Ending::Failed if self.failures.is_empty() => 42,
            Ending::Failed => {
                let code = |wanted: u8| {
                    let mut failures = self.failures.iter();
                    failures.any(|it| it.exit_code == i32::from(wanted))
                };
                [43, 1, 42]
                    .into_iter()
                    .find(|wanted| code(*wanted))
                    .unwrap_or(1)
            }
        }
    }
}

/// Runs a resource to its end, or until it is asked to stop.
///
/// `model` is the bundle that a screening uses (see [`find_model`]).
///
/// # Errors
/// [`Error`]: what has nothing to do with a task, such as a spec that has changed since the run
/// was started, or a store that cannot be written to. A task's failure is no error of the runner.
pub fn run(
    resource: &Resource,
    execute: &dyn Execute,
    model: Option<&str>,
    settings: &Settings,
) -> Result<Finished, Error> {
    let record = Record::open(resource, settings.ca_bundle.as_deref())?;
    run_on(record, resource, execute, model, settings)
}

fn run_on(
    record: Record,
    resource: &Resource,
    execute: &dyn Execute,
    model: Option<&str>,
    settings: &Settings,
) -> Result<Finished, Error> {
    let status = record.begin(resource)?;
    let plan = Plan::new(resource);
    let shared = Shared {
        resource,
        plan: &plan,
        prefix: record.prefix(),
        model,
        execute,
        stop: Interrupt::default(),
    };
    let mut driver = Driver::new(&shared, &record, settings, status);
    driver.resume()?;
    let was_done = driver.is_done();
    driver.drive()?;
    let (status, ending, failures) = driver.end()?;
    Ok(Finished {
        resource: record.with_status(resource, status),
        prefix: record.prefix().to_owned(),
        ending,
        was_done,
        failures,
    })
}

#[cfg(test)]
mod tests;
