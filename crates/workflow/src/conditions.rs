//! The conditions of a status: one function for each.

use super::{Ending, Failure, View, Word, gravest};
use attrium_api::{
    Condition, ConditionStatus, Resource, Status, conditions, reasons, set_condition,
};

use ConditionStatus::{False, True, Unknown};

/// Sets every condition of a status whose results are in place.
pub(super) fn set(view: &View<'_>, status: &mut Status) {
    let words = [
        (conditions::ACCEPTED, accepted(view)),
        (conditions::PODS_HEALTHY, pods_healthy(view)),
        (conditions::GATES_PASSED, gates_passed(view, status)),
        (conditions::PUBLISHED, published(view, status)),
        (conditions::SUCCEEDED, succeeded(view)),
    ];
    for (kind, word) in words {
        let mut condition = Condition::new(kind, word.status, &word.reason, word.message, view.now);
        condition.observed_generation = view.generation();
        set_condition(&mut status.conditions, condition);
    }
}

fn accepted(view: &View<'_>) -> Word {
    match view.cluster() {
        Some(cluster) => cluster.accepted.clone(),
        None => Word::new(True, reasons::AS_EXPECTED, "The spec is valid"),
    }
}

fn pods_healthy(view: &View<'_>) -> Word {
    match view.cluster() {
        Some(cluster) => cluster.pods.clone(),
        None => {
            let message = "Tasks run in one process, without pods";
            Word::new(True, reasons::AS_EXPECTED, message)
        }
    }
}

fn gates_passed(view: &View<'_>, status: &Status) -> Word {
    let asked = match view.resource {
        Resource::TrainingRun(run) => run.spec.gates.len(),
        Resource::ScreeningJob(_) => 0,
    };
    if asked == 0 {
        return Word::new(True, reasons::NOT_ASKED, "The spec names no gates");
    }
    if status.gates.is_empty() {
        let message = "The networks are not evaluated yet";
        return Word::new(Unknown, unfinished(view), message);
    }
    let missed: Vec<_> = status
        .gates
        .iter()
        .filter(|gate| !gate.passed)
        .map(|gate| {
            let value = gate
                .value
                .as_ref()
                .map_or("undefined".to_owned(), ToString::to_string);
            let (architecture, task, metric) = (gate.architecture, gate.task, gate.metric);
            format!(
                "{architecture} {task} {metric} is {value}, below {}",
                gate.min
            )
        })
        .collect();
    if missed.is_empty() {
        Word::new(True, reasons::AS_EXPECTED, "Every gate has passed")
    } else {
        Word::new(False, reasons::GATE_MISSED, missed.join("; "))
    }
}

fn published(view: &View<'_>, status: &Status) -> Word {
    let asked = match view.resource {
        Resource::TrainingRun(run) => run.spec.publish.is_some(),
        Resource::ScreeningJob(_) => false,
    };
    let mut summaries = view.summaries.values();
    let shortfall = summaries.find_map(|summary| summary.shortfall.as_deref());
    if !asked {
        let message = "The spec names no model to publish";
        Word::new(False, reasons::NOT_ASKED, message)
    } else if status.model.is_some() {
        Word::new(True, reasons::AS_EXPECTED, "The bundle is in the store")
    } else if let Some(shortfall) = shortfall {
        Word::new(False, reasons::TASK_FAILED, shortfall)
    } else if view.observed.gate_missed {
        Word::new(False, reasons::GATE_MISSED, "A gate was missed")
    } else if let Some(Ending::Failed) = view.ending {
        Word::new(False, reasons::TASK_FAILED, "The run failed before")
    } else {
        Word::new(Unknown, unfinished(view), "The bundle is not there yet")
    }
}

fn succeeded(view: &View<'_>) -> Word {
    match view.ending {
        None => match view.cluster() {
            Some(cluster) => cluster.unfinished.clone(),
            None => Word::new(Unknown, reasons::RUNNING, "Tasks run"),
        },
        Some(Ending::Interrupted) => {
            let message = "It was stopped; run again, it goes on";
            Word::new(Unknown, reasons::INTERRUPTED, message)
        }
        Some(Ending::Succeeded) => Word::new(True, reasons::COMPLETED, "All tasks have ended well"),
        Some(Ending::GateMissed) => {
            let message = "A gate was missed; nothing is published";
            Word::new(False, reasons::GATE_MISSED, message)
        }
        Some(Ending::Failed) => match view.broken {
            Some(word) => word.clone(),
            None => failed(view.failures),
        },
    }
}

/// The reason and the sentence of the failure that weighs most.
fn failed(failures: &[Failure]) -> Word {
    let failure = gravest(failures);
    let reason = match failure.map(|failure| failure.exit_code) {
        Some(43) => reasons::BAD_CONFIGURATION,
        Some(42) => reasons::BAD_DATA,
        _ => reasons::TASK_FAILED,
    };
    let message = failure.map(|failure| format!("{}: {}", failure.work, failure.sentence));
    let message = message.unwrap_or_else(|| "A task failed".to_owned());
    Word::new(False, reason, message)
}

fn unfinished<'v>(view: &'v View<'_>) -> &'v str {
    match view.ending {
        Some(Ending::Interrupted) => reasons::INTERRUPTED,
        Some(Ending::Failed) => reasons::TASK_FAILED,
        _ => match view.cluster() {
            Some(cluster) => &cluster.unfinished.reason,
            None => reasons::RUNNING,
        },
    }
}
