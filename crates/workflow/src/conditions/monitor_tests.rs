//! The condition of a screening beside its model's cohort.

use std::collections::BTreeMap;

use super::*;
use crate::{Observed, Plan, RunLocation, Summary, status};
use attrium_api::{OutsideStatus, ProgressStatus, condition};
use attrium_fixtures as fixtures;

/// The condition once the screening has ended, or while it runs, and whether it has succeeded.
fn within_reference(monitor: Option<MonitorStatus>, ending: Option<Ending>) -> Condition {
    let resource = Resource::ScreeningJob(Box::new(fixtures::screening_job()));
    let plan = Plan::new(&resource);
    let summary = Summary {
        screening: Some(ScreeningStatus {
            monitor,
            ..ScreeningStatus::default()
        }),
        ..Summary::default()
    };
    let last = plan.tasks().last().expect("a task").id;
    let inputs = StatusInputs {
        resource: &resource,
        plan: &plan,
        observed: &Observed::default(),
        summaries: &BTreeMap::from([(last, summary)]),
        failures: &[],
        ending,
        broken: None,
        location: RunLocation::ThisProcess,
        now: "2026-11-24T10:00:00Z",
    };
    let status = status(&inputs, &Status::default(), ProgressStatus::default());
    if ending == Some(Ending::Succeeded) {
        assert_eq!(status.phase, Some(Phase::Succeeded));
    }
    let found = condition(&status.conditions, conditions::WITHIN_REFERENCE);
    found.expect("the condition").clone()
}

fn monitor(state: ReferenceState) -> MonitorStatus {
    MonitorStatus {
        state,
        reference_studies: Some(400),
        ..MonitorStatus::default()
    }
}

#[test]
fn a_screening_says_whether_it_is_as_its_models_cohort_and_succeeds_all_the_same() {
    let ended = |monitor| within_reference(monitor, Some(Ending::Succeeded));
    for (monitor, expected, reason, words) in [
        (
            Some(monitor(ReferenceState::Within)),
            True,
            reasons::AS_EXPECTED,
            "the 400 studies",
        ),
        (
            Some(MonitorStatus {
                outside: vec![OutsideStatus {
                    feature: "counts".to_owned(),
                    direction: "lower".to_owned(),
                    row: 61,
                    ..OutsideStatus::default()
                }],
                ..monitor(ReferenceState::Outside)
            }),
            False,
            reasons::OUTSIDE_REFERENCE,
            "counts lower from row 61",
        ),
        (
            Some(monitor(ReferenceState::TooFew)),
            Unknown,
            reasons::TOO_FEW,
            "too few",
        ),
        (
            Some(monitor(ReferenceState::NoReference)),
            Unknown,
            reasons::NO_REFERENCE,
            "too small",
        ),
        (
            Some(MonitorStatus::default()),
            Unknown,
            reasons::NO_REFERENCE,
            "keeps no reference",
        ),
        (
            None,
            Unknown,
            reasons::NO_REFERENCE,
            "compares with no reference",
        ),
    ] {
        let found = ended(monitor);
        assert_eq!((found.status, found.reason.as_str()), (expected, reason));
        assert!(found.message.contains(words), "{}", found.message);
    }
    let running = within_reference(None, None);
    assert_eq!(
        (running.status, running.reason.as_str()),
        (Unknown, reasons::RUNNING)
    );
}

#[test]
fn a_scanner_that_is_new_to_the_model_is_named_and_changes_nothing() {
    let found = within_reference(
        Some(MonitorStatus {
            new_scanners: vec!["anyscan".to_owned()],
            ..monitor(ReferenceState::Within)
        }),
        Some(Ending::Succeeded),
    );
    assert_eq!(found.status, True);
    assert!(
        found.message.ends_with("; new to the model: anyscan"),
        "{}",
        found.message
    );
}
