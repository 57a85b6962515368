//! The conditions of a status: one function for each.

use super::{
    ConditionState, Ending, Failure, StatusInputs, TaskExit, Withheld, gravest, not_calibrated,
    nothing_learned,
};
use attrium_api::{
    Condition, ConditionStatus, ModelReference, MonitorStatus, Phase, ReferenceState, Resource,
    ScreeningStatus, Status, conditions, reasons, set_condition,
};

use ConditionStatus::{False, True, Unknown};

/// Sets every condition of a status whose results are in place.
pub(super) fn set(inputs: &StatusInputs<'_>, status: &mut Status) {
    let states = [
        (conditions::ACCEPTED, accepted(inputs)),
        (conditions::PODS_HEALTHY, pods_healthy(inputs)),
        (conditions::GATES_PASSED, gates_passed(inputs, status)),
        (conditions::PUBLISHED, published(inputs, status)),
        (
            conditions::SUCCEEDED,
            told(succeeded(inputs, status), inputs, status),
        ),
        (conditions::RECONCILING, reconciling(inputs, status)),
        (conditions::STALLED, stalled(inputs, status)),
    ];
    let within_reference = within_reference(inputs, status);
    let monitored = within_reference.map(|state| (conditions::WITHIN_REFERENCE, state));
    let states = states.into_iter().chain(monitored);
    let conditions = &mut status.conditions;
    put(conditions, states, inputs.generation(), inputs.now);
}

/// Whether the scans of a screening are as those of its model's cohort; `None` of a training. Nothing depends on it.
fn within_reference(inputs: &StatusInputs<'_>, status: &Status) -> Option<ConditionState> {
    if !matches!(inputs.resource, Resource::ScreeningJob(_)) {
        return None;
    }
    let counts = status.screening.as_ref();
    let Some(monitor) = counts.and_then(|counts| counts.monitor.as_ref()) else {
        return Some(match inputs.ending {
            Some(Ending::Succeeded) => {
                let message = "It was screened by a version that compares with no reference";
                ConditionState::new(Unknown, reasons::NO_REFERENCE, message)
            }
            _ => {
                let message = "Its scans are not compared with the model's cohort yet";
                ConditionState::new(Unknown, unfinished(inputs), message)
            }
        });
    };
    Some(monitored(monitor))
}

fn monitored(monitor: &MonitorStatus) -> ConditionState {
    let studies = monitor.reference_studies.unwrap_or_default();
    let new = match monitor.new_scanners.as_slice() {
        [] => String::new(),
        scanners => format!("; new to the model: {}", scanners.join(", ")),
    };
    let (status, reason, message) = match monitor.state {
        ReferenceState::Within => (
            True,
            reasons::AS_EXPECTED,
            format!("No control chart tells its scans from the {studies} studies of the model's cohort{new}"),
        ),
        ReferenceState::Outside => (
            False,
            reasons::OUTSIDE_REFERENCE,
            format!("Its scans are {}{new}", monitor.words().unwrap_or_default()),
        ),
        ReferenceState::TooFew => (
            Unknown,
            reasons::TOO_FEW,
            format!("It has too few scans to be compared with the model's cohort{new}"),
        ),
        ReferenceState::NoReference if monitor.reference_studies.is_some() => (
            Unknown,
            reasons::NO_REFERENCE,
            format!("The model's cohort of {studies} studies is too small to compare with"),
        ),
        ReferenceState::NoReference => (
            Unknown,
            reasons::NO_REFERENCE,
            "The model's bundle keeps no reference: publish the model again to have its site watched".to_owned(),
        ),
    };
    ConditionState::new(status, reason, message)
}

/// Sets what is to be said of a resource that cannot be read: nothing is done for it before it is
/// changed. Its other conditions stay.
pub fn set_malformed(
    conditions: &mut Vec<Condition>,
    message: &str,
    generation: Option<i64>,
    now: &str,
) {
    let state = |status| ConditionState::new(status, reasons::MALFORMED, message);
    let states = [
        (conditions::ACCEPTED, state(False)),
        (conditions::RECONCILING, awaits_change(reasons::MALFORMED)),
        (conditions::STALLED, state(True)),
    ];
    put(conditions, states, generation, now);
}

/// What is to be said of a resource that has failed and is started again.
pub(super) fn started_again() -> impl IntoIterator<Item = (&'static str, ConditionState)> {
    let message = "It is started again, as the annotation attrium.dev/retry asks";
    let state = |status| ConditionState::new(status, reasons::RETRYING, message);
    [
        (conditions::SUCCEEDED, state(Unknown)),
        (conditions::PUBLISHED, state(Unknown)),
        (conditions::RECONCILING, state(True)),
        (conditions::STALLED, state(False)),
    ]
}

pub(super) fn put(
    conditions: &mut Vec<Condition>,
    states: impl IntoIterator<Item = (&'static str, ConditionState)>,
    generation: Option<i64>,
    now: &str,
) {
    for (kind, state) in states {
        let mut condition = Condition::new(kind, state.status, &state.reason, state.message, now);
        condition.observed_generation = generation;
        set_condition(conditions, condition);
    }
}

fn accepted(inputs: &StatusInputs<'_>) -> ConditionState {
    match inputs.cluster() {
        Some(cluster) => cluster.accepted.clone(),
        None => valid_spec(inputs.resource),
    }
}

/// The condition Accepted of a spec that is valid, with what should be mended all the same.
pub fn valid_spec(resource: &Resource) -> ConditionState {
    let message = match resource.model_warning() {
        Some(warning) => format!("The spec is valid, but {warning}"),
        None => "The spec is valid".to_owned(),
    };
    ConditionState::new(True, reasons::AS_EXPECTED, message)
}

fn pods_healthy(inputs: &StatusInputs<'_>) -> ConditionState {
    match inputs.cluster() {
        Some(cluster) => cluster.pods.clone(),
        None => {
            let message = "Tasks run in one process, without pods";
            ConditionState::new(True, reasons::AS_EXPECTED, message)
        }
    }
}

fn gates_passed(inputs: &StatusInputs<'_>, status: &Status) -> ConditionState {
    let asked = match inputs.resource {
        Resource::TrainingRun(run) => run.spec.gates.len(),
        Resource::ScreeningJob(_) => 0,
    };
    if asked == 0 {
        return ConditionState::new(True, reasons::NOT_ASKED, "The spec names no gates");
    }
    if status.gates.is_empty() {
        let message = "The networks are not evaluated yet";
        return ConditionState::new(Unknown, unfinished(inputs), message);
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
            let (architecture, target, metric) = (gate.architecture, gate.task, gate.metric);
            format!(
                "{architecture} {target} {metric} is {value}, below {}",
                gate.min
            )
        })
        .collect();
    if missed.is_empty() {
        ConditionState::new(True, reasons::AS_EXPECTED, "Every gate has passed")
    } else {
        ConditionState::new(False, reasons::GATE_MISSED, missed.join("; "))
    }
}

fn published(inputs: &StatusInputs<'_>, status: &Status) -> ConditionState {
    let asked = match inputs.resource {
        Resource::TrainingRun(run) => run.spec.publish.is_some(),
        Resource::ScreeningJob(job) => job.spec.publish_calibrated.is_some(),
    };
    let mut summaries = inputs.summaries.values();
    let shortfall = summaries.find_map(|summary| summary.shortfall.as_deref());
    if !asked {
        let message = "The spec names no model to publish";
        ConditionState::new(False, reasons::NOT_ASKED, message)
    } else if published_model(inputs, status).is_some() {
        ConditionState::new(True, reasons::AS_EXPECTED, "The bundle is in the store")
    } else if let Some(shortfall) = shortfall {
        ConditionState::new(False, reasons::TASK_FAILED, shortfall)
    } else if let Some(why) = inputs.observed.withheld {
        withheld(inputs, status, why)
    } else if let Some(Ending::Failed) = inputs.ending {
        ConditionState::new(False, reasons::TASK_FAILED, "The run failed before")
    } else {
        ConditionState::new(Unknown, unfinished(inputs), "The bundle is not there yet")
    }
}

/// The bundle that was asked for, once it is there; that of a screening's own model is another.
fn published_model<'s>(
    inputs: &StatusInputs<'_>,
    status: &'s Status,
) -> Option<&'s ModelReference> {
    match inputs.resource {
        Resource::TrainingRun(_) => status.model.as_ref(),
        Resource::ScreeningJob(_) => {
            let calibration = status.screening.as_ref()?.calibration.as_ref();
            calibration?.model.as_ref()
        }
    }
}

/// What is said of a run that publishes nothing although every task has ended well.
fn withheld(inputs: &StatusInputs<'_>, status: &Status, why: Withheld) -> ConditionState {
    let (reason, message) = match why {
        Withheld::GateMissed => {
            let message = "A gate was missed; nothing is published";
            (reasons::GATE_MISSED, message.to_owned())
        }
        Withheld::NothingLearned => {
            let evidence = nothing_learned(inputs.resource, &status.results);
            let message = format!(
                "Nothing is published, since nothing shows that the network has learned anything: {}. Train on \
                 more studies or for longer, or publish it all the same, in a run of another name, with \
                 publish.force",
                evidence.unwrap_or_default()
            );
            (reasons::NOTHING_LEARNED, message)
        }
        Withheld::NotCalibrated => {
            let refusal = not_calibrated(status.screening.as_ref()).unwrap_or_default();
            let message =
                format!("The scans are screened, but the model is not recalibrated: {refusal}");
            (reasons::NOT_CALIBRATED, message)
        }
    };
    ConditionState::new(False, reason, message)
}

fn succeeded(inputs: &StatusInputs<'_>, status: &Status) -> ConditionState {
    match inputs.ending {
        None => match inputs.cluster() {
            Some(cluster) => cluster.unfinished.clone(),
            None => ConditionState::new(Unknown, reasons::RUNNING, "Tasks run"),
        },
        Some(Ending::Interrupted) => {
            let message = "It was stopped; run again, it goes on";
            ConditionState::new(Unknown, reasons::INTERRUPTED, message)
        }
        Some(Ending::Succeeded) => {
            ConditionState::new(True, reasons::COMPLETED, "All tasks have ended well")
        }
        Some(Ending::Withheld(why)) => withheld(inputs, status, why),
        Some(Ending::Failed) => match inputs.broken {
            Some(state) => state.clone(),
            None => failed(inputs.failures),
        },
    }
}

/// The condition Succeeded of what has, with what nobody may overlook who reads its figures.
fn told(state: ConditionState, inputs: &StatusInputs<'_>, status: &Status) -> ConditionState {
    let warnings = |screening: &ScreeningStatus| {
        let unanswered = screening.unanswered_words();
        let unanswered = unanswered.map(|words| format!("no figure counts {words}"));
        let words = [screening.overlap_words(), unanswered];
        words.into_iter().flatten().collect::<Vec<_>>()
    };
    let warnings = status.screening.as_ref().map(warnings).unwrap_or_default();
    if inputs.ending != Some(Ending::Succeeded) || warnings.is_empty() {
        return state;
    }
    ConditionState {
        message: format!("{}, but {}", state.message, warnings.join(", and ")),
        ..state
    }
}

/// Whether it goes on, or waits for what may come without a change of it.
fn reconciling(inputs: &StatusInputs<'_>, status: &Status) -> ConditionState {
    let ConditionState {
        reason, message, ..
    } = succeeded(inputs, status);
    if inputs.ending.is_some() {
        let message = "Nothing more is done for it";
        return ConditionState::new(False, &reason, message);
    }
    match inputs.cluster() {
        Some(cluster) if cluster.accepted.status == False => {
            awaits_change(&cluster.accepted.reason)
        }
        Some(cluster) if cluster.phase == Phase::Suspended => {
            ConditionState::new(False, &reason, message)
        }
        _ => ConditionState::new(True, &reason, message),
    }
}

/// The condition Reconciling of a resource that goes on once somebody changes something.
fn awaits_change(reason: &str) -> ConditionState {
    ConditionState::new(False, reason, "It waits for a change: see Stalled")
}

/// Whether it has failed, or goes on only once somebody changes something.
fn stalled(inputs: &StatusInputs<'_>, status: &Status) -> ConditionState {
    let accepted = inputs.cluster().map(|cluster| &cluster.accepted);
    let cause = match inputs.ending {
        Some(Ending::Failed | Ending::Withheld(_)) => Some(succeeded(inputs, status)),
        Some(Ending::Succeeded | Ending::Interrupted) => None,
        None => accepted.filter(|it| it.status == False).cloned(),
    };
    match cause {
        Some(cause) => ConditionState {
            status: True,
            ..cause
        },
        None => ConditionState::new(False, reasons::AS_EXPECTED, "Nothing has to be changed"),
    }
}

/// The reason and the sentence of the failure that weighs most.
fn failed(failures: &[Failure]) -> ConditionState {
    let failure = gravest(failures);
    let exit = failure.map_or(TaskExit::Retry, |failure| failure.exit);
    let message = failure.map(|failure| format!("{}: {}", failure.work, failure.sentence));
    let message = message.unwrap_or_else(|| "A task failed".to_owned());
    ConditionState::new(False, exit.reason(), message)
}

fn unfinished<'i>(inputs: &'i StatusInputs<'_>) -> &'i str {
    match inputs.ending {
        Some(Ending::Interrupted) => reasons::INTERRUPTED,
        Some(Ending::Failed) => reasons::TASK_FAILED,
        _ => match inputs.cluster() {
            Some(cluster) => &cluster.unfinished.reason,
            None => reasons::RUNNING,
        },
    }
}

#[cfg(test)]
mod kstatus_tests;
#[cfg(test)]
mod monitor_tests;
