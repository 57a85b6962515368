//! From a task's address to the code that does it, and its marker.

use std::time::Instant;

use super::failure::{self, OrFail};
use super::task_io::{self, TaskIo};
use super::{Alerts, Execute, Summary, TaskContext, TaskError};
use super::{evaluate, preprocess, refit, screen, summarize, train};
use attrium_api::{Resource, ScreeningJob, TrainingRun};
use attrium_storage::{Session, StorageOptions};
use attrium_workflow::{TaskSpec, Work};

/// The tasks themselves, as a pod and the local runner do them.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    /// Certificates to trust beside the system's when a store or a webhook is reached, as PEM.
    pub ca_bundle: Option<Vec<u8>>,
    /// Sends the alert of a screening with positives; none is sent where absent.
    pub alerts: Option<Alerts>,
    /// What the stores of all tasks have in common.
    pub session: Session,
}

impl Execute for Tasks {
    fn run(&self, task: &TaskSpec, context: &TaskContext<'_>) -> Result<Summary, TaskError> {
        if let Some(summary) = self.finished(task, context)?
            && summary.shortfall.is_none()
        {
            return Ok(summary);
        }
        let start = Instant::now();
        let done = match context.resource {
            Resource::TrainingRun(resource) => self.train(resource, task, context),
            Resource::ScreeningJob(resource) => self.screen(resource, task, context),
        };
        let mut summary = done.map_err(|error| self.doubt(error, task, context))?;
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
        let session = self.session.clone();
        TaskIo::open(spec, context, StorageOptions { session, ..options })
    }

    /// A refusal is no mistake in the manifest where the run has got somewhere with the same credentials:
    /// they have been revoked since, or are about to be renewed.
    fn doubt(&self, error: TaskError, task: &TaskSpec, context: &TaskContext<'_>) -> TaskError {
        match error {
            TaskError::BadConfiguration { source }
                if failure::is_refusal(source.as_ref()) && self.has_begun(task, context) =>
            {
                TaskError::Retry { source }
            }
            error => error,
        }
    }

    /// Whether any task of the run has ended well, as far as can be seen.
    fn has_begun(&self, task: &TaskSpec, context: &TaskContext<'_>) -> bool {
        let first = context.plan.stages.first();
        if first.is_some_and(|stage| stage.kind != task.id.stage) {
            return true;
        }
        let Ok(io) = self.open(&(), context) else {
            return false;
        };
        let mut found = context.plan.tasks().map(|task| io.summary(task));
        // A store that refuses once is not asked for every other task.
        let told = found.find(|summary| !matches!(summary, Ok(None)));
        matches!(told, Some(Ok(Some(_))))
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
            Work::Screen { shard, .. } => screen::run(&io, shard),
            Work::Summarize => {
                let mut summary = summarize::run(&io)?;
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
