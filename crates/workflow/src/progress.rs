//! How much of a plan is done.

use super::{Observed, Plan, Progress, StageKind, TaskRef, TaskState};
use attrium_api::ProgressStatus;
use attrium_types::Decimal;

/// How far a run is, in a status.
///
/// `share` is from 0 to 1; `epochs` is the task whose epochs and losses stand for all, `running` are
/// the tasks whose rates are added up, `eta` is when it is expected to end.
pub fn progress_status<'a>(
    share: f64,
    epochs: Option<&Progress>,
    running: impl Iterator<Item = &'a Progress>,
    eta: Option<String>,
) -> ProgressStatus {
    let decimal = |value: Option<f64>| value.and_then(|value| Decimal::rounded(value, 4));
    let rates = running.filter_map(|it| it.images_per_second);
    let rate = rates.reduce(|sum, rate| sum + rate);
    ProgressStatus {
        percent: (share * 100.0) as u32,
        epoch: epochs.and_then(|it| it.epoch),
        epochs: epochs.and_then(|it| it.epochs),
        loss: decimal(epochs.and_then(|it| it.loss)),
        validation_loss: decimal(epochs.and_then(|it| it.validation_loss)),
        images_per_second: rate.and_then(|rate| Decimal::rounded(rate, 1)),
        eta,
    }
}

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
        if observed.withheld.is_some() && task.id.stage == StageKind::Refit {
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
