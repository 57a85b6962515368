//! How a run ends, and the failures that decide it.

use super::{TaskExit, TaskRef, TaskSpec, Withheld, Work};

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Every task has ended well, and what was asked for is published.
    Succeeded,
    /// Every task has ended well, and nothing is published.
    Withheld(Withheld),
    /// A task has failed.
    Failed,
    /// It was asked to stop; run again, it goes on.
    Interrupted,
}

impl Ending {
    /// What a process ends with that has run it, given the tasks that failed; none after a success.
    ///
    /// A run fails without a failed task where not one image can be used. Where nothing is published
    /// another try may do, with other seeds or more epochs.
    pub fn exit(self, failures: &[Failure]) -> Option<TaskExit> {
        match self {
            Self::Succeeded => None,
            Self::Withheld(_) => Some(TaskExit::Retry),
            Self::Interrupted => Some(TaskExit::Interrupted),
            Self::Failed => {
                let failure = gravest(failures);
                Some(failure.map_or(TaskExit::BadData, |failure| failure.exit))
            }
        }
    }
}

/// A task that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The task.
    pub task: TaskRef,
    /// What it was to do.
    pub work: Work,
    /// What the failure means.
    pub exit: TaskExit,
    /// The exit code of its process: that of `exit`, unless the process was killed.
    pub exit_code: i32,
    /// What happened, as a sentence that a person can act on.
    pub sentence: String,
}

impl Failure {
    /// The failure of a task.
    pub fn new(task: &TaskSpec, exit: TaskExit, sentence: impl Into<String>) -> Self {
        Self {
            task: task.id,
            work: task.work,
            exit,
            exit_code: exit.exit_code().into(),
            sentence: sentence.into(),
        }
    }

    /// The failure of a task whose process has ended with an exit code.
    pub fn of_process(task: &TaskSpec, exit_code: i32, sentence: impl Into<String>) -> Self {
        Self {
            exit_code,
            ..Self::new(task, TaskExit::from_exit_code(exit_code), sentence)
        }
    }
}

/// The failure that weighs most, as [`TaskExit`] ranks them; of several that weigh the same the first.
pub fn gravest<'a>(failures: impl IntoIterator<Item = &'a Failure>) -> Option<&'a Failure> {
    failures.into_iter().min_by_key(|failure| failure.exit)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;
    use crate::{Observed, Plan, RunLocation, StatusInputs, status};
    use attrium_api::{ProgressStatus, Resource, Status, condition, conditions, reasons};
    use attrium_fixtures as fixtures;

    /// A run of eight shards, read once: a manifest takes its time.
    static RUN: LazyLock<Resource> = LazyLock::new(|| {
        let mut run = fixtures::training_run();
        run.spec.preprocessing.shards = 8;
        Resource::TrainingRun(Box::new(run))
    });

    /// The last status of a run that has failed.
    fn failed(failures: &[Failure]) -> Status {
        let plan = Plan::new(&RUN);
        let mut observed = Observed::default();
        for failure in failures {
            let state = crate::TaskState::Failed;
            observed.tasks.insert(failure.task, state);
        }
        let inputs = StatusInputs {
            resource: &RUN,
            plan: &plan,
            observed: &observed,
            summaries: &BTreeMap::new(),
            failures,
            ending: Some(Ending::Failed),
            broken: None,
            location: RunLocation::ThisProcess,
            now: "2026-01-01T00:00:00Z",
        };
        status(&inputs, &Status::default(), ProgressStatus::default())
    }

    /// The failures of shards, each ending so.
    fn of_shards(exits: &[TaskExit]) -> Vec<Failure> {
        let plan = Plan::new(&RUN);
        let tasks = plan.tasks().zip(exits);
        tasks
            .map(|(task, exit)| Failure::new(task, *exit, format!("{} {exit:?}", task.id)))
            .collect()
    }

    fn reason(status: &Status) -> &str {
        let succeeded = condition(&status.conditions, conditions::SUCCEEDED);
        &succeeded.expect("a condition").reason
    }

    #[test]
    fn a_run_of_which_something_may_be_mended_is_not_told_that_no_try_is_of_use() {
        let failures = of_shards(&[TaskExit::BadData, TaskExit::Retry]);
        let exit = Ending::Failed.exit(&failures).expect("no success");
        assert_eq!(exit.exit_code(), 1);
        assert_eq!(reason(&failed(&failures)), reasons::TASK_FAILED);
    }

    proptest! {
        #[test]
        fn exit_code_reason_and_status_agree(
            places in prop::collection::vec(0..TaskExit::ALL.len(), 1..8),
        ) {
            let exits: Vec<_> = places.iter().map(|place| TaskExit::ALL[*place]).collect();
            let failures = of_shards(&exits);
            let exit = Ending::Failed.exit(&failures).expect("no success");
            let status = failed(&failures);
            prop_assert_eq!(reason(&status), exit.reason());
            let of_stage = status.stages[0].failure.as_ref().expect("a failure");
            prop_assert_eq!(of_stage.exit_code, i32::from(exit.exit_code()));
            let succeeded = condition(&status.conditions, conditions::SUCCEEDED);
            let message = &succeeded.expect("a condition").message;
            prop_assert!(message.ends_with(&of_stage.message), "{}", message);
            let hopeless = exits.iter().all(|exit| *exit == TaskExit::BadData);
            prop_assert_eq!(exit == TaskExit::BadData, hopeless);
        }
    }
}
