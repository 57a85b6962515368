//! What is to be done next: a plan and the states of its tasks decide it.

use std::collections::BTreeMap;

use super::{Plan, Stage, StageKind, TaskRef, Withheld, Work};

/// What is known of a task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TaskState {
    /// It has not been started, or has to be started again.
    #[default]
    Pending,
    /// It runs.
    Running,
    /// Its marker is there.
    Succeeded,
    /// It failed, and is not tried again.
    Failed,
}

/// What is known of a plan's tasks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// The states of tasks; one that is not named is pending.
    pub tasks: BTreeMap<TaskRef, TaskState>,
    /// Why nothing is published, as the evaluation found it.
    pub withheld: Option<Withheld>,
}

/// What is to be done now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextSteps {
    /// Tasks to start, in order.
    pub start: Vec<TaskRef>,
    /// The end, once nothing runs and nothing can be started.
    pub outcome: Option<PlanOutcome>,
}

/// How a plan ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlanOutcome {
    /// Every task has ended well.
    Succeeded,
    /// Every task that was needed has ended well, and nothing is published.
    Withheld(Withheld),
    /// Some have not; what could be done without them has been done.
    Failed {
        /// The tasks that failed, in order.
        tasks: Vec<TaskRef>,
    },
}

/// Decides what to start, given how tasks stand.
///
/// A stage begins when every task of the one before is over. A failed task costs only itself
/// where the next stage can do without it: a fold of one network and target leaves the other
/// networks and targets to be evaluated, and a screened shard leaves the others to be summed up. A
/// failed shard of a training run's data ends the run, since the networks would quietly be
/// trained on less than was asked for. Where nothing is to be published no network is trained for it.
pub fn next(plan: &Plan, observed: &Observed) -> NextSteps {
    let state = |id: TaskRef| observed.tasks.get(&id).copied().unwrap_or_default();
    for stage in &plan.stages {
        if observed.withheld.is_some() && stage.kind == StageKind::Refit {
            break;
        }
        let with = |wanted: TaskState| {
            stage
                .tasks
                .iter()
                .map(|task| task.id)
                .filter(move |id| state(*id) == wanted)
        };
        let running = with(TaskState::Running).count();
        if running > 0 || with(TaskState::Pending).next().is_some() {
            let most = plan.max_parallel.map_or(usize::MAX, |most| most as usize);
            let room = most.saturating_sub(running);
            return NextSteps {
                start: with(TaskState::Pending).take(room).collect(),
                outcome: None,
            };
        }
        if !can_follow(stage, &state) {
            break;
        }
    }
    NextSteps {
        start: Vec::new(),
        outcome: Some(outcome(plan, observed)),
    }
}

/// How a plan ends of which nothing runs and nothing can be started.
fn outcome(plan: &Plan, observed: &Observed) -> PlanOutcome {
    let is_failed = |id: &TaskRef| observed.tasks.get(id) == Some(&TaskState::Failed);
    let tasks = plan.tasks().map(|task| task.id);
    let tasks: Vec<_> = tasks.filter(is_failed).collect();
    match (tasks.is_empty(), observed.withheld) {
        (true, None) => PlanOutcome::Succeeded,
        (true, Some(withheld)) => PlanOutcome::Withheld(withheld),
        (false, _) => PlanOutcome::Failed { tasks },
    }
}

/// Whether the stage after a finished one has enough to work on.
fn can_follow(stage: &Stage, state: &impl Fn(TaskRef) -> TaskState) -> bool {
    let mut groups = BTreeMap::new();
    for task in &stage.tasks {
        let complete = groups.entry(group(stage.kind, task.work)).or_insert(true);
        *complete &= state(task.id) == TaskState::Succeeded;
    }
    groups.values().any(|complete| *complete)
}

/// Tasks that are of use only together have the same group.
fn group(stage: StageKind, work: Work) -> String {
    match (stage, work) {
        (
            StageKind::Train,
            Work::Train {
                architecture,
                target,
                ..
            },
        ) => {
            format!("{architecture} {target}")
        }
        (StageKind::Screen, Work::Screen { shard, .. }) => shard.to_string(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use attrium_api::{Publish, PublishMethod};
    use attrium_fixtures as fixtures;
    use attrium_types::{Architecture, Target};

    fn task(stage: StageKind, index: u32) -> TaskRef {
        TaskRef { stage, index }
    }

    /// Two shards, Linear and Residual, Positive, two folds: 2 + 4 + 1 tasks.
    fn plan() -> Plan {
        Plan::for_training(&fixtures::training_run().spec)
    }

    fn all(plan: &Plan, stage: StageKind, state: TaskState) -> Observed {
        let tasks = plan.tasks().filter(|task| task.id.stage == stage);
        let tasks = tasks.map(|task| (task.id, state)).collect();
        Observed {
            tasks,
            withheld: None,
        }
    }

    #[test]
    fn the_first_stage_starts_at_once_and_no_other() {
        let next = next(&plan(), &Observed::default());
        let expected = [
            task(StageKind::Preprocess, 0),
            task(StageKind::Preprocess, 1),
        ];
        assert_eq!(
            next,
            NextSteps {
                start: expected.to_vec(),
                outcome: None
            }
        );
    }

    #[test]
    fn a_stage_waits_for_the_last_task_of_the_one_before() {
        let mut observed = Observed::default();
        observed
            .tasks
            .insert(task(StageKind::Preprocess, 0), TaskState::Succeeded);
        observed
            .tasks
            .insert(task(StageKind::Preprocess, 1), TaskState::Running);
        assert_eq!(
            next(&plan(), &observed),
            NextSteps {
                start: vec![],
                outcome: None
            }
        );
        observed
            .tasks
            .insert(task(StageKind::Preprocess, 1), TaskState::Succeeded);
        let expected: Vec<_> = (0..4).map(|index| task(StageKind::Train, index)).collect();
        assert_eq!(next(&plan(), &observed).start, expected);
    }

    #[test]
    fn no_more_tasks_run_than_may() {
        let mut plan = plan();
        plan.max_parallel = Some(3);
        let mut observed = all(&plan, StageKind::Preprocess, TaskState::Succeeded);
        assert_eq!(next(&plan, &observed).start.len(), 3);
        observed
            .tasks
            .insert(task(StageKind::Train, 0), TaskState::Running);
        observed
            .tasks
            .insert(task(StageKind::Train, 2), TaskState::Running);
        assert_eq!(next(&plan, &observed).start, [task(StageKind::Train, 1)]);
    }

    #[test]
    fn a_failed_shard_of_the_data_ends_a_run() {
        let mut observed = all(&plan(), StageKind::Preprocess, TaskState::Succeeded);
        let failed = task(StageKind::Preprocess, 1);
        observed.tasks.insert(failed, TaskState::Failed);
        let outcome = Some(PlanOutcome::Failed {
            tasks: vec![failed],
        });
        assert_eq!(
            next(&plan(), &observed),
            NextSteps {
                start: vec![],
                outcome
            }
        );
    }

    #[test]
    fn a_failed_fold_leaves_the_other_network_to_be_evaluated() {
        let mut observed = all(&plan(), StageKind::Preprocess, TaskState::Succeeded);
        observed
            .tasks
            .extend(all(&plan(), StageKind::Train, TaskState::Succeeded).tasks);
        let failed = task(StageKind::Train, 3);
        observed.tasks.insert(failed, TaskState::Failed);
        let evaluate = task(StageKind::Evaluate, 0);
        assert_eq!(next(&plan(), &observed).start, [evaluate]);
        observed.tasks.insert(evaluate, TaskState::Succeeded);
        let outcome = Some(PlanOutcome::Failed {
            tasks: vec![failed],
        });
        assert_eq!(
            next(&plan(), &observed),
            NextSteps {
                start: vec![],
                outcome
            }
        );
    }

    #[test]
    fn with_a_failed_fold_of_every_network_nothing_is_left_to_evaluate() {
        let mut observed = all(&plan(), StageKind::Preprocess, TaskState::Succeeded);
        observed
            .tasks
            .extend(all(&plan(), StageKind::Train, TaskState::Succeeded).tasks);
        let failed = [task(StageKind::Train, 0), task(StageKind::Train, 3)];
        observed
            .tasks
            .extend(failed.map(|id| (id, TaskState::Failed)));
        let outcome = Some(PlanOutcome::Failed {
            tasks: failed.to_vec(),
        });
        assert_eq!(
            next(&plan(), &observed),
            NextSteps {
                start: vec![],
                outcome
            }
        );
    }

    #[test]
    fn a_failed_shard_of_a_screening_leaves_the_others_to_be_summed_up() {
        let plan = Plan::for_screening(&fixtures::screening_job().spec);
        let mut observed = all(&plan, StageKind::Screen, TaskState::Succeeded);
        let failed = task(StageKind::Screen, 0);
        observed.tasks.insert(failed, TaskState::Failed);
        assert_eq!(
            next(&plan, &observed).start,
            [task(StageKind::Summarize, 0)]
        );
    }

    fn all_done(plan: &Plan) -> Observed {
        let tasks = plan
            .tasks()
            .map(|task| (task.id, TaskState::Succeeded))
            .collect();
        Observed {
            tasks,
            withheld: None,
        }
    }

    #[test]
    fn a_plan_whose_tasks_have_all_ended_well_has_succeeded() {
        let plan = plan();
        let outcome = Some(PlanOutcome::Succeeded);
        assert_eq!(
            next(&plan, &all_done(&plan)),
            NextSteps {
                start: vec![],
                outcome
            }
        );
    }

    #[test]
    fn after_a_missed_gate_nothing_is_trained_for_publishing() {
        let mut spec = fixtures::training_run().spec;
        spec.publish = Some(Publish {
            architecture: Architecture::Linear,
            task: Target::Positive,
            method: PublishMethod::Refit,
            force: false,
        });
        let plan = Plan::for_training(&spec);
        let mut observed = all_done(&plan);
        observed.tasks.remove(&task(StageKind::Refit, 0));
        assert_eq!(next(&plan, &observed).start, [task(StageKind::Refit, 0)]);
        observed.withheld = Some(Withheld::GateMissed);
        let outcome = Some(PlanOutcome::Withheld(Withheld::GateMissed));
        assert_eq!(
            next(&plan, &observed),
            NextSteps {
                start: vec![],
                outcome
            }
        );
    }
}
