//! One task, run in a pool of threads of its own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use rayon::ThreadPoolBuilder;
use snafu::ResultExt;

use super::error::{Error, ReadMarkerSnafu};
use attrium_api::{ModelPlace, Resource};
use attrium_tasks::{
    Execute, Interrupt, NoProgress, Progress, ProgressSink, Summary, TaskContext, TaskError,
};
use attrium_workflow::{Plan, TaskRef, TaskSpec};

/// What a task tells while it runs.
pub(super) enum TaskEvent {
    Progressed(TaskRef, Progress),
    Ended(TaskRef, Box<Result<Summary, TaskError>>),
}

/// What all tasks of a run share.
pub(super) struct RunContext<'a> {
    pub(super) resource: &'a Resource,
    pub(super) plan: &'a Plan,
    pub(super) prefix: &'a str,
    pub(super) model: Option<ModelPlace<'a>>,
    pub(super) execute: &'a dyn Execute,
    /// Asks the tasks of this run to stop.
    pub(super) stop: Interrupt,
}

impl RunContext<'_> {
    /// What a task that has ended well before has left.
    pub(super) fn finished(&self, task: &TaskSpec) -> Result<Option<Summary>, Error> {
        let context = self.context(&NoProgress, 1);
        self.execute
            .finished(task, &context)
            .context(ReadMarkerSnafu { task: task.id })
    }

    /// Runs a task on a number of threads and tells how it ended.
    pub(super) fn run(&self, task: &TaskSpec, threads: usize, events: &Sender<TaskEvent>) {
        let sink = Sink {
            task: task.id,
            events,
            told: Mutex::default(),
        };
        let context = self.context(&sink, threads);
        let ended = in_pool(threads, || self.execute.run(task, &context));
        // The loop that listens outlives its tasks, unless it has failed itself.
        let _ = events.send(TaskEvent::Ended(task.id, Box::new(ended)));
    }

    fn context<'c>(&'c self, progress: &'c dyn ProgressSink, threads: usize) -> TaskContext<'c> {
        TaskContext {
            resource: self.resource,
            plan: self.plan,
            prefix: self.prefix,
            model: self.model,
            interrupt: &self.stop,
            progress,
            threads,
        }
    }
}

/// Does a task's work in a rayon pool of its own.
///
/// # Errors
/// The work's own. A panic is a defect of one task's code: it is an error of the task, so that
/// other tasks' work is kept.
pub(crate) fn in_pool(
    threads: usize,
    work: impl FnOnce() -> Result<Summary, TaskError> + Send,
) -> Result<Summary, TaskError> {
    let pool = ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(TaskError::retry)?;
    let defect = "the task broke off: this is a defect of attrium";
    catch_unwind(AssertUnwindSafe(|| pool.install(work)))
        .unwrap_or_else(|_| Err(TaskError::retry(defect)))
}

/// The least time between two events about a task's progress.
const OFTEN: Duration = Duration::from_millis(100);

struct Sink<'a> {
    task: TaskRef,
    events: &'a Sender<TaskEvent>,
    told: Mutex<Option<Instant>>,
}

impl ProgressSink for Sink<'_> {
    fn update(&self, progress: Progress) {
        let Ok(mut told) = self.told.lock() else {
            return;
        };
        let now = Instant::now();
        if told.is_none_or(|told| now.duration_since(told) >= OFTEN) {
            *told = Some(now);
            let _ = self.events.send(TaskEvent::Progressed(self.task, progress));
        }
    }
}
