//! How much of a plan is done.

use super::{Observed, Plan, StageKind, TaskRef, TaskState};

/// The share of a plan that is done, from 0 to 1.
///
/// A failed task counts as `failed`, one that runs as `running` says; a task of a network weighs
/// twenty others.
pub fn share(
    plan: &Plan,
    observed: &Observed,
    running: impl Fn(TaskRef) -> f64,
    failed: f64,
) -> f64 {
    let (mut done, mut all) = (0.0, 0.0);
    for task in plan.tasks() {
        if observed.gate_missed && task.id.stage == StageKind::Refit {
            continue;
        }
        let weight = weight(task.id.stage);
        let share = match observed.tasks.get(&task.id) {
            Some(TaskState::Succeeded) => 1.0,
            Some(TaskState::Failed) => failed,
            _ => running(task.id),
        };
        done += weight * share;
        all += weight;
    }
    done / all
}

const fn weight(stage: StageKind) -> f64 {
    match stage {
        StageKind::Train | StageKind::Refit => 20.0,
        StageKind::Screen => 10.0,
        StageKind::Preprocess | StageKind::Evaluate | StageKind::Summarize => 1.0,
    }
}
