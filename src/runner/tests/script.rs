//! Tasks that do what a test says.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use super::super::Execute;
use attrium_storage::Storage;
use attrium_tasks::{Progress, Summary, TaskContext, TaskError};
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
    /// Takes some time.
    Work(Duration),
    /// Puts a folder where the status is to be written.
    Occupy(PathBuf),
    /// Removes it.
    Free(PathBuf),
}

/// Tasks that do as they are told and keep account of it.
pub(super) struct Script {
    pub store: Storage,
    acts: BTreeMap<TaskRef, Act>,
    ran: Mutex<Vec<(TaskRef, usize)>>,
    running: AtomicUsize,
    pub most: AtomicUsize,
}

impl Script {
    pub(super) fn new(store: &Storage, acts: impl IntoIterator<Item = (TaskRef, Act)>) -> Self {
        Self {
            store: store.clone(),
            acts: acts.into_iter().collect(),
            ran: Mutex::default(),
            running: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
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
            Some(Act::BadData) => Err(TaskError::data("the loss is NaN at step 3")),
            Some(Act::BadConfiguration) => Err(TaskError::configuration("no labels there")),
            Some(Act::DiskFull) => Err(TaskError::other("no space is left")),
            Some(Act::Panic) => panic!("a defect"),
            Some(Act::WaitForInterrupt) => loop {
                context.interrupt.check()?;
                thread::sleep(Duration::from_millis(1));
            },
            Some(Act::Work(time)) => {
                for done in 0..5 {
                    context.progress.update(Progress {
                        done,
                        total: 5,
                        ..Progress::default()
                    });
                    thread::sleep(*time / 5);
                }
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
                fs::remove_dir(place).map_err(TaskError::other)?;
                Ok(Summary::default())
            }
        }
    }
}

impl Execute for Script {
    fn run(&self, task: &TaskSpec, context: &TaskContext<'_>) -> Result<Summary, TaskError> {
        self.ran
            .lock()
            .unwrap()
            .push((task.id, rayon::current_num_threads()));
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(running, Ordering::SeqCst);
        let result = self.act(task.id, context);
        self.running.fetch_sub(1, Ordering::SeqCst);
        let summary = result?;
        let marker = serde_json::to_vec(&summary).map_err(TaskError::other)?;
        self.store
            .put(&task.marker, marker)
            .map_err(TaskError::other)?;
        Ok(summary)
    }

    fn finished(&self, task: &TaskSpec, _: &TaskContext<'_>) -> Result<Option<Summary>, TaskError> {
        let marker = self
            .store
            .try_get(&task.marker, 1 << 20)
            .map_err(TaskError::other)?;
        marker
            .map(|marker| serde_json::from_slice(&marker).map_err(TaskError::other))
            .transpose()
    }
}
