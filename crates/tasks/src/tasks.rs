//! From a task's address to the code that does it, and its marker.

use std::time::Instant;

use super::failure::OrFail;
use super::task_io::{self, TaskIo};
use super::{Alerts, Execute, Summary, TaskContext, TaskError};
use super::{evaluate, preprocess, refit, screen, summarize, train};
use attrium_api::{Resource, ScreeningJob, TrainingRun};
use attrium_bundle::SignaturePolicy;
use attrium_workflow::{TaskSpec, Work};

/// The tasks themselves, as a pod and the local runner do them.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    /// Certificates to trust beside the system's when a store or a webhook is reached, as PEM.
    pub ca_bundle: Option<Vec<u8>>,
    /// Sends the alert of a screening with positives; none is sent where absent.
    pub alerts: Option<Alerts>,
    /// Whose signatures a screening demands of its model.
    pub signatures: SignaturePolicy,
}

impl Execute for Tasks {
    fn run(&self, task: &TaskSpec, context: &TaskContext<'_>) -> Result<Summary, TaskError> {
        if let Some(summary) = self.finished(task, context)?
            && summary.shortfall.is_none()
        {
            return Ok(summary);
        }
        let start = Instant::now();
        let mut summary = match context.resource {
            Resource::TrainingRun(resource) => self.train(resource, task, context),
            Resource::ScreeningJob(resource) => self.screen(resource, task, context),
        }?;
        summary.seconds = start.elapsed().as_secs_f64();
        let marker = serde_json::to_vec(&summary).or_retry()?;
        let store = self.open(&(), context)?.store;
        store.put(&task.marker, marker).or_retry()?;
        Ok(summary)
    }

    fn finished(
        &self,
        task: &TaskSpec,
        context: &TaskContext<'_>,
    ) -> Result<Option<Summary>, TaskError> {
        let summary = self.open(&(), context)?.summary(task)?;
        if let Resource::TrainingRun(resource) = context.resource
            && let Work::Preprocess { .. } = task.work
            && summary.is_some()
        {
            self.open(&resource.spec, context)?.notice_other_labels()?;
        }
        Ok(summary)
    }
}

impl Tasks {
    fn open<'a, Spec>(
        &self,
        spec: &'a Spec,
        context: &'a TaskContext<'a>,
    ) -> Result<TaskIo<'a, Spec>, TaskError> {
        let options = task_io::store_options(context.resource.storage(), self.ca_bundle.as_deref());
        TaskIo::open(spec, context, options)
    }

    fn train(
        &self,
        resource: &TrainingRun,
        task: &TaskSpec,
        context: &TaskContext<'_>,
    ) -> Result<Summary, TaskError> {
        let io = self.open(&resource.spec, context)?;
        match task.work {
            Work::Preprocess { shard, .. } => preprocess::run(&io, shard),
            Work::Train {
                architecture,
                target,
                fold,
            } => train::run(&io, architecture, target, fold),
            Work::Evaluate => evaluate::run(&io),
            Work::Refit {
                architecture,
                target,
            } => refit::run(&io, architecture, target),
            Work::Screen { .. } | Work::Summarize => foreign(task, context),
        }
    }

    fn screen(
        &self,
        resource: &ScreeningJob,
        task: &TaskSpec,
        context: &TaskContext<'_>,
    ) -> Result<Summary, TaskError> {
        let io = self.open(&resource.spec, context)?;
        match task.work {
            Work::Screen { shard, .. } => screen::run(&io, &self.signatures, shard),
            Work::Summarize => {
                let mut summary = summarize::run(&io, &self.signatures)?;
                if let Some(alerts) = &self.alerts {
                    let ca_bundle = self.ca_bundle.as_deref();
                    let untold = alerts.send(resource, &summary, ca_bundle, context.interrupt)?;
                    summary.shortfall = summary.shortfall.or(untold);
                }
                Ok(summary)
            }
            _ => foreign(task, context),
        }
    }
}

fn foreign(task: &TaskSpec, context: &TaskContext<'_>) -> Result<Summary, TaskError> {
    let (id, kind) = (task.id, context.resource.kind());
    Err(TaskError::bad_configuration(format!(
        "a {kind} has no task {id}: give the manifest that the plan was made of"
    )))
}
