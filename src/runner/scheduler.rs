//! The loop that starts tasks and hears of them.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{Builder, Scope, scope};
use std::time::{Duration, Instant};

use rayon::iter::{IntoParallelIterator, ParallelIterator};
use snafu::ResultExt;

use super::error::{Error, ThreadSnafu};
use super::rate::Rate;
use super::run_store::RunStore;
use super::task::{RunContext, TaskEvent};
use super::{Ending, Failure, Settings, clock};
use attrium_api::{ProgressStatus, Status};
use attrium_tasks::{Progress, Summary, TaskError};
use attrium_workflow as workflow;
use attrium_workflow::{
    ConditionState, Observed, Plan, PlanOutcome, RunLocation, StageKind, StatusInputs, TaskExit,
    TaskRef, TaskSpec, TaskState, Withheld, Work, gravest, next,
};

/// How often signals are looked for and bars are redrawn.
const TICK: Duration = Duration::from_millis(100);

/// Starts the tasks of a run, hears of them, and keeps the status.
pub(super) struct Scheduler<'a> {
    context: &'a RunContext<'a>,
    /// The plan, kept within this machine's cores.
    plan: Plan,
    store: &'a RunStore,
    settings: &'a Settings,
    observed: Observed,
    summaries: BTreeMap<TaskRef, Summary>,
    failures: Vec<Failure>,
    /// Why it has failed, if no task has.
    broken: Option<ConditionState>,
    running: BTreeMap<TaskRef, Rate>,
    status: Status,
    /// Whether the last status on the way could not be written, as has been said.
    unwritten: bool,
    began: Instant,
    /// The share of the run that was done when it began.
    first_share: f64,
}

impl<'a> Scheduler<'a> {
    /// A run that goes on from a status.
    pub(super) fn new(
        context: &'a RunContext<'a>,
        store: &'a RunStore,
        settings: &'a Settings,
        status: Status,
    ) -> Self {
        let cores = u32::try_from(settings.threads).unwrap_or(u32::MAX).max(1);
        let mut plan = context.plan.clone();
        plan.max_parallel = Some(plan.max_parallel.map_or(cores, |most| most.min(cores)));
        Self {
            context,
            plan,
            store,
            settings,
            observed: Observed::default(),
            summaries: BTreeMap::new(),
            failures: Vec::new(),
            broken: None,
            running: BTreeMap::new(),
            status,
            unwritten: false,
            began: Instant::now(),
            first_share: 0.0,
        }
    }

    /// Finds what earlier runs have done.
    ///
    /// A stage after one that is not complete is done anew, since it may have made do with less,
    /// and so is a task that could not do all that was asked, or a run without a usable image.
    pub(super) fn resume(&mut self) -> Result<(), Error> {
        let mut complete = true;
        for stage in &self.context.plan.stages {
            let tasks = stage.tasks.as_slice().into_par_iter();
            let found: Vec<_> = tasks
                .map(|task| self.context.finished(task).map(|summary| (task, summary)))
                .collect::<Result<_, _>>()?;
            let before = complete;
            let is_whole = |summary: &Summary| summary.shortfall.is_none();
            complete &= found
                .iter()
                .all(|(_, summary)| summary.as_ref().is_some_and(is_whole));
            for (task, summary) in found {
                match summary {
                    Some(summary) if before && is_whole(&summary) => self.note(task, summary),
                    Some(_) => self.store.forget(task)?,
                    None => {}
                }
            }
        }
        if workflow::nothing_usable(&self.plan, &self.summaries, &self.failures).is_some() {
            self.start_over()?;
        }
        self.first_share = self.share(1.0);
        Ok(())
    }

    /// Forgets what was done: there may be images by now.
    fn start_over(&mut self) -> Result<(), Error> {
        for task in self.context.plan.tasks() {
            self.store.forget(task)?;
        }
        self.observed = Observed::default();
        self.summaries.clear();
        self.failures.clear();
        self.broken = None;
        Ok(())
    }

    pub(super) fn is_done(&self) -> bool {
        next(&self.plan, &self.observed).outcome.is_some()
    }

    /// Runs tasks until nothing can be started any more and none runs.
    pub(super) fn run(&mut self) -> Result<(), Error> {
        let (sender, receiver) = channel();
        let scheduled = scope(|threads| {
            let scheduled = self.schedule(threads, &sender, &receiver);
            if scheduled.is_err() {
                self.context.stop.set();
            }
            scheduled
        });
        self.settings.display.clear();
        scheduled
    }

    fn schedule<'scope>(
        &mut self,
        threads: &'scope Scope<'scope, '_>,
        sender: &Sender<TaskEvent>,
        receiver: &Receiver<TaskEvent>,
    ) -> Result<(), Error>
    where
        'a: 'scope,
    {
        loop {
            if self.settings.interrupt.is_set() && !self.context.stop.is_set() {
                self.settings
                    .display
                    .say("Stopping after a checkpoint; once more stops at once");
                self.context.stop.set();
            }
            if self.context.stop.is_set() {
                if self.running.is_empty() {
                    return Ok(());
                }
            } else {
                let next = next(&self.plan, &self.observed);
                if self.broken.is_some() || next.outcome.is_some() {
                    return Ok(());
                }
                for id in &next.start {
                    self.start(threads, *id, sender)?;
                }
                if !next.start.is_empty() {
                    self.keep_status_on_the_way();
                }
            }
            self.listen(receiver);
            self.settings
                .display
                .overall(self.share(0.0), self.remaining());
        }
    }

    /// Waits for what a task tells next, but not for long.
    fn listen(&mut self, receiver: &Receiver<TaskEvent>) {
        match receiver.recv_timeout(TICK) {
            Ok(TaskEvent::Progressed(id, progress)) => self.progressed(id, progress),
            Ok(TaskEvent::Ended(id, result)) => self.ended(id, *result),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
        }
    }

    fn start<'scope>(
        &mut self,
        threads: &'scope Scope<'scope, '_>,
        id: TaskRef,
        sender: &Sender<TaskEvent>,
    ) -> Result<(), Error>
    where
        'a: 'scope,
    {
        let context = self.context;
        let Some(task) = context.plan.task(id) else {
            return Ok(());
        };
        let share_of_cores = self.threads_for(id.stage);
        let sender = sender.clone();
        Builder::new()
            .name(id.to_string())
            .spawn_scoped(threads, move || context.run(task, share_of_cores, &sender))
            .context(ThreadSnafu)?;
        self.observed.tasks.insert(id, TaskState::Running);
        self.running.insert(id, Rate::new(Instant::now()));
        self.settings.display.started(task);
        Ok(())
    }

    /// How many threads a task of a stage gets: the cores, shared with the tasks that will run beside
    /// it for long. Those are the ones that have not begun, as many as may, and the ones that are not yet
    /// half done: else the last task of a stage would be left with one core.
    fn threads_for(&self, kind: StageKind) -> usize {
        let state = |id| self.observed.tasks.get(&id).copied().unwrap_or_default();
        let pending = self
            .plan
            .tasks()
            .filter(|task| task.id.stage == kind && state(task.id) == TaskState::Pending);
        let running = self
            .running
            .iter()
            .filter(|(id, rate)| id.stage == kind && rate.share() < 0.5);
        let most = self
            .plan
            .max_parallel
            .map_or(usize::MAX, |most| most as usize);
        let beside = (pending.count() + running.count()).min(most).max(1);
        (self.settings.threads / beside).max(1)
    }

    fn progressed(&mut self, id: TaskRef, progress: Progress) {
        let now = Instant::now();
        if let (Some(rate), Some(task)) = (self.running.get_mut(&id), self.context.plan.task(id)) {
            rate.update(progress);
            self.settings.display.progressed(task, rate, now);
        }
    }

    fn ended(&mut self, id: TaskRef, result: Result<Summary, TaskError>) {
        let rate = self.running.remove(&id);
        let elapsed = rate
            .map(|rate| rate.elapsed(Instant::now()))
            .unwrap_or_default();
        let Some(task) = self.context.plan.task(id) else {
            return;
        };
        let how = match result {
            Ok(summary) => {
                let message = summary.message.clone();
                self.note(task, summary);
                message
            }
            Err(TaskError::Interrupted) => {
                self.observed.tasks.insert(id, TaskState::Pending);
                stopped(task.work).to_owned()
            }
            Err(error) => self.failed(task, &error),
        };
        self.settings.display.ended(task, elapsed, &how);
        self.keep_status_on_the_way();
    }

    /// Notes a task that has written its results; a shortfall is a failure all the same.
    fn note(&mut self, task: &TaskSpec, summary: Summary) {
        self.observed.tasks.insert(task.id, TaskState::Succeeded);
        if let Some(shortfall) = &summary.shortfall {
            self.failed(task, &TaskError::shortfall(task.id.stage, shortfall));
        }
        self.summaries.insert(task.id, summary);
        self.observed.withheld = Withheld::of(self.context.resource, self.summaries.values());
        self.broken = workflow::nothing_usable(&self.plan, &self.summaries, &self.failures);
    }

    fn failed(&mut self, task: &TaskSpec, error: &TaskError) -> String {
        let (exit, sentence) = (error.exit(), error.sentence());
        let known = self.failures.iter().any(|it| it.sentence == sentence);
        let told = if known {
            "failed for the same reason".to_owned()
        } else {
            format!("failed: {sentence}")
        };
        self.observed.tasks.insert(task.id, TaskState::Failed);
        self.failures.push(Failure::new(task, exit, sentence));
        if exit == TaskExit::BadConfiguration {
            self.context.stop.set();
        }
        told
    }

    /// Ends the run: its last status, how it ended, and what failed.
    pub(super) fn end(mut self) -> Result<(Status, Ending, Vec<Failure>), Error> {
        let gravest = gravest(&self.failures).map(|failure| failure.exit);
        let is_misconfigured = gravest == Some(TaskExit::BadConfiguration);
        let ending = match next(&self.plan, &self.observed).outcome {
            _ if self.broken.is_some() => Ending::Failed,
            _ if is_misconfigured => Ending::Failed,
            Some(PlanOutcome::Succeeded) => Ending::Succeeded,
            Some(PlanOutcome::Withheld(withheld)) => Ending::Withheld(withheld),
            Some(PlanOutcome::Failed { .. }) => Ending::Failed,
            None => Ending::Interrupted,
        };
        self.keep_status(Some(ending))?;
        Ok((self.status, ending, self.failures))
    }

    /// Writes a status while tasks run. One that cannot be written, because a task has filled the disk,
    /// costs no task: the next one says the same and more, and only the last one has to be written.
    fn keep_status_on_the_way(&mut self) {
        let kept = self.keep_status(None);
        if let Err(error) = &kept
            && !self.unwritten
        {
            self.settings.display.say(&TaskError::sentence_of(error));
        }
        self.unwritten = kept.is_err();
    }

    fn keep_status(&mut self, ending: Option<Ending>) -> Result<(), Error> {
        let now = clock::now();
        let inputs = StatusInputs {
            resource: self.context.resource,
            plan: self.context.plan,
            observed: &self.observed,
            summaries: &self.summaries,
            failures: &self.failures,
            ending,
            broken: self.broken.as_ref(),
            location: RunLocation::ThisProcess,
            now: &now,
        };
        self.status = workflow::status(&inputs, &self.status, self.progress(ending));
        self.store.write_status(&self.status)
    }

    fn progress(&self, ending: Option<Ending>) -> ProgressStatus {
        let running = || self.running.values().map(|rate| &rate.progress);
        let epochs = running().find(|it| it.epoch.is_some());
        let eta = match ending {
            None => self.remaining().map(clock::after),
            Some(_) => None,
        };
        workflow::progress_status(self.share(0.0), epochs, running(), eta)
    }

    /// The share of the whole run that is done, where a failed task counts as `failed`, from 0 to 1.
    fn share(&self, failed: f64) -> f64 {
        let running = |id| self.running.get(&id).map_or(0.0, Rate::share);
        workflow::share(&self.plan, &self.observed, running, failed)
    }

    fn remaining(&self) -> Option<Duration> {
        // Nothing is left to be done of a failed task.
        let share = self.share(1.0);
        let since = share - self.first_share;
        let seconds = self.began.elapsed().as_secs_f64() * (1.0 - share) / since;
        (since > 0.01)
            .then(|| Duration::try_from_secs_f64(seconds).ok())
            .flatten()
    }
}

/// What is said of a task that was asked to stop.
const fn stopped(work: Work) -> &'static str {
    match work {
        Work::Train { .. } | Work::Refit { .. } => "stopped after a checkpoint",
        Work::Preprocess { .. } | Work::Evaluate | Work::Screen { .. } | Work::Summarize => {
            "stopped; it is done from its beginning next time"
        }
    }
}
