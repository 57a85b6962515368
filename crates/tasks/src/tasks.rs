//! From a task's address to the code that does it, and its marker.

use std::time::Instant;

use super::failure::{self, OrBadPlace};
use super::inputs::{self, StoredMarker};
use super::task_io::{self, TaskFiles, TaskIo};
use super::{Alerts, Execute, Summary, TaskContext, TaskError};
use super::{evaluate, preprocess, publication, refit, screen, summarize, train};
use attrium_api::{Resource, ScreeningJob, TrainingRun};
use attrium_bundle::SignaturePolicy;
use attrium_storage::{Session, Storage, StorageOptions};
use attrium_workflow::{TaskSpec, Work};

/// The tasks themselves, as a pod and the local runner do them.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    /// Certificates to trust beside the system's when a store or a webhook is reached, as PEM.
    pub ca_bundle: Option<Vec<u8>>,
    /// Sends the alert of a screening with positives; none is sent where absent.
    pub alerts: Option<Alerts>,
    /// Whose signatures are demanded of the model that a screening uses or a training starts from.
    pub signatures: SignaturePolicy,
    /// What the stores of all tasks have in common.
    pub session: Session,
}

impl Execute for Tasks {
    fn run(&self, task: &TaskSpec, context: &TaskContext<'_>) -> Result<Summary, TaskError> {
        self.run_on(&open(self, context)?, task, context)
    }

    fn finished(
        &self,
        task: &TaskSpec,
        context: &TaskContext<'_>,
    ) -> Result<Option<Summary>, TaskError> {
        let store = open(self, context)?;
        match inputs::read_marker(&store, task)? {
            Some(found) => self.still_finished(&store, task, context, found),
            None => Ok(None),
        }
    }
}

/// The run's prefix.
fn open(tasks: &Tasks, context: &TaskContext<'_>) -> Result<Storage, TaskError> {
    Storage::open(context.prefix, &tasks.options(context)).or_bad_place()
}

impl Tasks {
    /// Does a task at a run's prefix, unless its marker says that it is done.
    ///
    /// A marker that tells of a shortfall, or was made of what is not there any more, gives its place to the
    /// one of this attempt.
    pub(crate) fn run_on(
        &self,
        store: &Storage,
        task: &TaskSpec,
        context: &TaskContext<'_>,
    ) -> Result<Summary, TaskError> {
        let found = inputs::read_marker(store, task)?;
        let replaces = found.as_ref().map(|found| found.version.clone());
        if let Some(found) = found
            && found.marker.summary.shortfall.is_none()
            && let Some(summary) = self.still_finished(store, task, context, found)?
        {
            return Ok(summary);
        }
        let files = TaskFiles::new(store.clone(), context.plan, task, replaces);
        self.attempt(&files, context)
    }

    /// Does a task, puts its marker, and publishes what the marker says that counts: this attempt's files, or
    /// those of another that has ended first.
    pub(crate) fn attempt(
        &self,
        files: &TaskFiles<'_>,
        context: &TaskContext<'_>,
    ) -> Result<Summary, TaskError> {
        let start = Instant::now();
        let done = match context.resource {
            Resource::TrainingRun(resource) => self.train(resource, files, context),
            Resource::ScreeningJob(resource) => self.screen(resource, files, context),
        };
        match done {
            Ok(mut summary) => {
                summary.seconds = start.elapsed().as_secs_f64();
                files.put_marker(summary)?;
            }
            Err(TaskError::Superseded) => {}
            Err(error) => {
                files.attempt.discard();
                return Err(doubt(error, files, context));
            }
        }
        let Some(counts) = publication::publish(&files.store, files.task)? else {
            return Err(TaskError::retry(
                "the marker of this task was taken away: run again",
            ));
        };
        if counts.marker.attempt != files.attempt.id() {
            tracing::info!("Another attempt of this task has ended first: its results count");
            files.attempt.discard_all();
        }
        Ok(counts.summary())
    }

    /// The summary of a marker, unless the task was done with what is not there any more; then what it has
    /// published is there, too.
    fn still_finished(
        &self,
        store: &Storage,
        task: &TaskSpec,
        context: &TaskContext<'_>,
        found: StoredMarker,
    ) -> Result<Option<Summary>, TaskError> {
        let files = TaskFiles::new(store.clone(), context.plan, task, None);
        if files.inputs.outdated(&found.marker)?.is_some() {
            return Ok(None);
        }
        if let Resource::TrainingRun(resource) = context.resource
            && let Work::Preprocess { .. } = task.work
        {
            self.io(&resource.spec, &files, context)
                .notice_other_labels()?;
        }
        let published = publication::publish(store, task)?;
        Ok(published.map(|published| published.summary()))
    }

    fn options(&self, context: &TaskContext<'_>) -> StorageOptions {
        let options = task_io::store_options(context.resource.storage(), self.ca_bundle.as_deref());
        let session = self.session.clone();
        StorageOptions { session, ..options }
    }

    fn io<'a, Spec>(
        &self,
        spec: &'a Spec,
        files: &'a TaskFiles<'a>,
        context: &'a TaskContext<'a>,
    ) -> TaskIo<'a, Spec> {
        TaskIo {
            spec,
            context,
            options: self.options(context),
            files,
        }
    }

    fn train(
        &self,
        resource: &TrainingRun,
        files: &TaskFiles<'_>,
        context: &TaskContext<'_>,
    ) -> Result<Summary, TaskError> {
        let io = self.io(&resource.spec, files, context);
        match files.task.work {
            Work::Preprocess { shard, .. } => preprocess::run(&io, shard),
            Work::Train {
                architecture,
                target,
                fold,
            } => train::run(&io, &self.signatures, architecture, target, fold),
            Work::Evaluate => evaluate::run(&io),
            Work::Refit {
                architecture,
                target,
            } => refit::run(&io, &self.signatures, architecture, target),
            Work::Screen { .. } | Work::Summarize => foreign(files.task, context),
        }
    }

    fn screen(
        &self,
        resource: &ScreeningJob,
        files: &TaskFiles<'_>,
        context: &TaskContext<'_>,
    ) -> Result<Summary, TaskError> {
        let io = self.io(&resource.spec, files, context);
        match files.task.work {
            Work::Screen { shard, .. } => screen::run(&io, &self.signatures, shard),
            Work::Summarize => {
                let mut summary = summarize::run(&io, &self.signatures)?;
                if let Some(alerts) = &self.alerts {
                    files.attempt.look()?;
                    let ca_bundle = self.ca_bundle.as_deref();
                    let untold = alerts.send(resource, &summary, ca_bundle, context.interrupt)?;
                    summary.shortfall = summary.shortfall.or(untold);
                }
                Ok(summary)
            }
            _ => foreign(files.task, context),
        }
    }
}

/// A refusal is no mistake in the manifest where the run has got somewhere with the same credentials:
/// they have been revoked since, or are about to be renewed.
fn doubt(error: TaskError, files: &TaskFiles<'_>, context: &TaskContext<'_>) -> TaskError {
    match error {
        TaskError::BadConfiguration { source }
            if failure::is_refusal(source.as_ref()) && has_begun(files, context) =>
        {
            TaskError::Retry { source }
        }
        error => error,
    }
}

/// Whether any task of the run has ended well, as far as can be seen.
fn has_begun(files: &TaskFiles<'_>, context: &TaskContext<'_>) -> bool {
    let first = context.plan.stages.first();
    if first.is_some_and(|stage| stage.kind != files.task.id.stage) {
        return true;
    }
    let tasks = context.plan.tasks();
    let mut found = tasks.map(|task| inputs::read_marker(&files.store, task));
    // A store that refuses once is not asked for every other task.
    let told = found.find(|marker| !matches!(marker, Ok(None)));
    matches!(told, Some(Ok(Some(_))))
}

fn foreign(task: &TaskSpec, context: &TaskContext<'_>) -> Result<Summary, TaskError> {
    let (id, kind) = (task.id, context.resource.kind());
    Err(TaskError::bad_configuration(format!(
        "a {kind} has no task {id}: give the manifest that the plan was made of"
    )))
}
