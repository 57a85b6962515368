//! Tasks that do what a test says.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use super::super::Execute;
use attrium_storage::Storage;
use attrium_tasks::{Summary, TaskContext, TaskError};
use attrium_workflow::{StageKind, TaskRef, TaskSpec};

/// What a scripted task does; one that is not named ends well at once.
#[derive(Clone)]
pub(super) enum Act {
    Succeed(Box<Summary>),
    BadData,
    BadConfiguration,
    DiskFull,
    Panic,
    /// Runs until it is asked to stop.
    WaitForInterrupt,
    /// Does what a test wants, and runs until it is asked to stop.
    Stop(Arc<dyn Fn() + Send + Sync>),
    /// Does what a test wants while the task runs, and ends well.
    Do(Arc<dyn Fn(&TaskContext<'_>) + Send + Sync>),
    /// Puts a folder where the status is to be written.
    Occupy(PathBuf),
    /// Removes it.
    Free(PathBuf),
}

impl Act {
    pub(super) fn new(work: impl Fn(&TaskContext<'_>) + Send + Sync + 'static) -> Self {
        Self::Do(Arc::new(work))
    }
}

/// A number of things that have to happen before others go on.
#[derive(Clone)]
pub(super) struct Latch(Arc<(Mutex<usize>, Condvar)>);

impl Latch {
    pub(super) fn new(count: usize) -> Self {
        Self(Arc::new((Mutex::new(count), Condvar::new())))
    }

    /// One of them has happened.
    pub(super) fn count_down(&self) {
        let mut left = self.0.0.lock().unwrap();
        *left = left.saturating_sub(1);
        self.0.1.notify_all();
    }

    /// Waits until all of them have.
    pub(super) fn wait(&self) {
        let left = self.0.0.lock().unwrap();
        drop(self.0.1.wait_while(left, |left| *left > 0).unwrap());
    }
}

/// Tasks that do as they are told and keep account of it.
pub(super) struct Script {
    pub store: Storage,
    acts: BTreeMap<TaskRef, Act>,
    ran: Mutex<Vec<(TaskRef, usize)>>,
}

impl Script {
    pub(super) fn new(store: &Storage, acts: impl IntoIterator<Item = (TaskRef, Act)>) -> Self {
        Self {
            store: store.clone(),
            acts: acts.into_iter().collect(),
            ran: Mutex::default(),
        }
    }

    pub(super) fn ran(&self) -> Vec<TaskRef> {
        let mut ran: Vec<_> = self.ran.lock().unwrap().iter().map(|(id, _)| *id).collect();
        ran.sort();
        ran
    }

    /// How many threads each task of a stage has had, in the order of their beginnings.
    pub(super) fn threads(&self, stage: StageKind) -> Vec<usize> {
        let ran = self.ran.lock().unwrap();
        let of_stage = ran.iter().filter(|(id, _)| id.stage == stage);
        of_stage.map(|(_, threads)| *threads).collect()
    }

    fn act(&self, id: TaskRef, context: &TaskContext<'_>) -> Result<Summary, TaskError> {
        match self.acts.get(&id) {
            None => Ok(Summary::default()),
            Some(Act::Succeed(summary)) => Ok(summary.as_ref().clone()),
            Some(Act::BadData) => Err(TaskError::bad_data("the loss is NaN at step 3")),
            Some(Act::BadConfiguration) => Err(TaskError::bad_configuration("no labels there")),
            Some(Act::DiskFull) => Err(TaskError::retry("no space is left")),
            Some(Act::Panic) => panic!("a defect"),
            Some(Act::WaitForInterrupt) => wait_for_interrupt(context),
            Some(Act::Stop(before)) => {
                before();
                wait_for_interrupt(context)
            }
            Some(Act::Do(work)) => {
                work(context);
                Ok(Summary::default())
            }
            Some(Act::Occupy(place)) => {
                // The runner may be writing the status at this very moment.
                while !place.is_dir() {
                    drop(fs::remove_file(place));
                    drop(fs::create_dir(place));
                }
                Ok(Summary::default())
            }
            Some(Act::Free(place)) => {
                fs::remove_dir(place).map_err(TaskError::retry)?;
                Ok(Summary::default())
            }
        }
    }
}

fn wait_for_interrupt(context: &TaskContext<'_>) -> Result<Summary, TaskError> {
    loop {
        context.interrupt.check()?;
        thread::yield_now();
    }
}

impl Execute for Script {
    fn run(&self, task: &TaskSpec, context: &TaskContext<'_>) -> Result<Summary, TaskError> {
        self.ran
            .lock()
            .unwrap()
            .push((task.id, rayon::current_num_threads()));
        let summary = self.act(task.id, context)?;
        let marker = serde_json::to_vec(&summary).map_err(TaskError::retry)?;
        self.store
            .put(&task.marker, marker)
            .map_err(TaskError::retry)?;
        Ok(summary)
    }

    fn finished(&self, task: &TaskSpec, _: &TaskContext<'_>) -> Result<Option<Summary>, TaskError> {
        let marker = self
            .store
            .try_get(&task.marker, 1 << 20)
            .map_err(TaskError::retry)?;
        marker
            .map(|marker| serde_json::from_slice(&marker).map_err(TaskError::retry))
            .transpose()
    }
}
