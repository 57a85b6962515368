//! What programs that know nothing of attrium make of a status, by the conditions Reconciling and Stalled; and
//! what is told of a valid spec.

use std::collections::BTreeMap;

use super::*;
use crate::{ClusterState, Observed, Plan, RunLocation, Summary, TaskSpec, status};
use attrium_api::{OverlapStatus, ProgressStatus, condition};
use attrium_fixtures as fixtures;
use attrium_types::CohortKnowledge;

const NOW: &str = "2026-11-24T10:00:00Z";

/// A resource's status as kstatus reads it, which Flux and Helm wait by: of Kubernetes'
/// cli-utils, `pkg/kstatus/status`, what it does for a kind that it does not know.
#[derive(Debug, PartialEq, Eq)]
enum Kstatus {
    InProgress,
    Current,
    Failed,
}

fn kstatus(status: &Status, generation: i64) -> Kstatus {
    if status
        .observed_generation
        .is_some_and(|it| it != generation)
    {
        return Kstatus::InProgress;
    }
    let holds = |kind| condition(&status.conditions, kind).is_some_and(|it| it.status == True);
    if holds("Reconciling") {
        Kstatus::InProgress
    } else if holds("Stalled") {
        Kstatus::Failed
    } else {
        Kstatus::Current
    }
}

fn run() -> Resource {
    Resource::from_training(fixtures::training_run())
}

fn unfinished(reason: &str) -> ConditionState {
    ConditionState::new(Unknown, reason, format!("It is {reason}"))
}

fn cluster(phase: Phase, accepted: ConditionState, unfinished: ConditionState) -> ClusterState {
    ClusterState {
        generation: Some(3),
        phase,
        accepted,
        pods: ConditionState::new(True, reasons::AS_EXPECTED, ""),
        unfinished,
        jobs: BTreeMap::new(),
    }
}

fn accepted() -> ConditionState {
    ConditionState::new(True, reasons::AS_EXPECTED, "The spec is valid")
}

/// The status of a run at a place, with the failures of its first task.
fn status_at(location: RunLocation<'_>, ending: Option<Ending>) -> Status {
    let resource = run();
    let plan = Plan::new(&resource);
    let first: Vec<&TaskSpec> = plan.tasks().take(1).collect();
    let failure = Failure::new(first[0], TaskExit::BadData, "the labels are empty");
    let failures = match ending {
        Some(Ending::Failed) => vec![failure],
        _ => vec![],
    };
    let inputs = StatusInputs {
        resource: &resource,
        plan: &plan,
        observed: &Observed::default(),
        summaries: &BTreeMap::new(),
        failures: &failures,
        ending,
        broken: None,
        location,
        now: NOW,
    };
    status(&inputs, &Status::default(), ProgressStatus::default())
}

fn on_cluster(cluster: &ClusterState, ending: Option<Ending>) -> Status {
    status_at(RunLocation::Cluster(cluster), ending)
}

#[test]
fn a_run_that_goes_on_is_in_progress_whatever_it_waits_for() {
    for (phase, reason) in [
        (Phase::Running, reasons::RUNNING),
        (Phase::Queued, reasons::QUEUED),
        (Phase::Pending, reasons::POD_PENDING),
    ] {
        let cluster = cluster(phase, accepted(), unfinished(reason));
        let status = on_cluster(&cluster, None);
        assert_eq!(kstatus(&status, 3), Kstatus::InProgress, "{reason}");
        let reconciling = condition(&status.conditions, "Reconciling").expect("it");
        assert_eq!(reconciling.reason, reason);
        assert_eq!(reconciling.observed_generation, Some(3));
    }
    let awaits_model = unfinished(reasons::WAITING_FOR_MODEL);
    let cluster = cluster(Phase::Pending, awaits_model.clone(), awaits_model);
    let status = on_cluster(&cluster, None);
    assert_eq!(kstatus(&status, 3), Kstatus::InProgress);
}

#[test]
fn the_end_of_a_run_is_current_or_failed_as_it_has_succeeded_or_not() {
    let cluster = cluster(Phase::Running, accepted(), unfinished(reasons::RUNNING));
    let table = [
        (Ending::Succeeded, Kstatus::Current),
        (Ending::Withheld(Withheld::GateMissed), Kstatus::Failed),
        (Ending::Failed, Kstatus::Failed),
    ];
    for (ending, expected) in table {
        let places = [RunLocation::ThisProcess, RunLocation::Cluster(&cluster)];
        for (place, generation) in places.into_iter().zip([0, 3]) {
            let status = status_at(place, Some(ending));
            assert_eq!(kstatus(&status, generation), expected, "{ending:?}");
            let succeeded = condition(&status.conditions, "Succeeded").expect("it");
            let stalled = condition(&status.conditions, "Stalled").expect("it");
            if expected == Kstatus::Failed {
                assert_eq!(stalled.reason, succeeded.reason);
                assert_eq!(stalled.message, succeeded.message);
            }
        }
    }
}

#[test]
fn a_run_that_is_not_accepted_has_failed_for_who_waits_although_it_may_go_on() {
    let refused = ConditionState::new(False, reasons::NOT_ALLOWED, "the image is not allowed");
    let unfinished = ConditionState {
        status: Unknown,
        ..refused.clone()
    };
    let cluster = cluster(Phase::Pending, refused, unfinished);
    let status = on_cluster(&cluster, None);
    assert_eq!(kstatus(&status, 3), Kstatus::Failed);
    let stalled = condition(&status.conditions, "Stalled").expect("it");
    assert_eq!(stalled.message, "the image is not allowed");
    let succeeded = condition(&status.conditions, "Succeeded").expect("it");
    assert_eq!(succeeded.status, Unknown);
}

#[test]
fn a_run_that_pauses_as_it_was_told_keeps_nobody_waiting() {
    let suspended = unfinished(reasons::SUSPENDED);
    let cluster = cluster(Phase::Suspended, accepted(), suspended);
    assert_eq!(kstatus(&on_cluster(&cluster, None), 3), Kstatus::Current);
    let stopped = status_at(RunLocation::ThisProcess, Some(Ending::Interrupted));
    assert_eq!(kstatus(&stopped, 0), Kstatus::Current);
}

#[test]
fn a_resource_that_cannot_be_read_has_failed_and_keeps_its_other_conditions() {
    let cluster = cluster(Phase::Running, accepted(), unfinished(reasons::RUNNING));
    let mut status = on_cluster(&cluster, None);
    let before = condition(&status.conditions, "Succeeded").cloned();
    set_malformed(&mut status.conditions, "folds is \"many\"", Some(4), NOW);
    status.observed_generation = Some(4);
    assert_eq!(kstatus(&status, 4), Kstatus::Failed);
    assert_eq!(condition(&status.conditions, "Succeeded").cloned(), before);
    let accepted = condition(&status.conditions, "Accepted").expect("it");
    assert_eq!((accepted.status, &*accepted.reason), (False, "Malformed"));
}

#[test]
fn a_resource_that_nobody_has_looked_at_is_in_progress() {
    let fresh = Status {
        observed_generation: Some(-1),
        ..Status::default()
    };
    assert_eq!(kstatus(&fresh, 1), Kstatus::InProgress);
}

#[test]
fn a_model_by_its_place_alone_is_valid_and_told_of() {
    let mut job = fixtures::screening_job();
    let message = |job: &attrium_api::ScreeningJob| {
        let state = valid_spec(&Resource::from_screening(job.clone()));
        assert_eq!(state.status, True);
        state.message
    };
    let told = message(&job);
    assert!(told.contains("state spec.model.digest"), "{told}");
    job.spec.model.digest = Some(format!("sha256:{}", "0".repeat(64)));
    assert_eq!(message(&job), "The spec is valid");
}

#[test]
fn a_validation_says_beside_its_success_what_nobody_may_overlook() {
    let resource = Resource::ScreeningJob(Box::new(fixtures::screening_job()));
    let plan = Plan::new(&resource);
    let message = |seen, unanswered, ending| {
        let screening = ScreeningStatus {
            unanswered: Some(unanswered),
            unanswered_positive: Some(unanswered),
            overlap: Some(OverlapStatus {
                cohort: CohortKnowledge::Known,
                seen_studies: Some(seen),
                unseen_studies: Some(3),
                ..OverlapStatus::default()
            }),
            ..ScreeningStatus::default()
        };
        let last = plan.tasks().last().expect("a task").id;
        let summary = Summary {
            screening: Some(screening),
            ..Summary::default()
        };
        let inputs = StatusInputs {
            resource: &resource,
            plan: &plan,
            observed: &Observed::default(),
            summaries: &BTreeMap::from([(last, summary)]),
            failures: &[],
            ending: Some(ending),
            broken: None,
            location: RunLocation::ThisProcess,
            now: NOW,
        };
        let status = status(&inputs, &Status::default(), ProgressStatus::default());
        let succeeded = condition(&status.conditions, "Succeeded").expect("it");
        succeeded.message.clone()
    };
    assert_eq!(
        message(2, 7, Ending::Succeeded),
        "All tasks have ended well, but the model was trained on scans or patients of 2 of 5 validated studies, and \
         no figure counts 7 labelled studies without a prediction, 7 of them positive"
    );
    assert_eq!(
        message(0, 7, Ending::Succeeded),
        "All tasks have ended well, but no figure counts 7 labelled studies without a prediction, 7 of them positive"
    );
    assert_eq!(
        message(0, 0, Ending::Succeeded),
        "All tasks have ended well"
    );
    assert!(!message(2, 7, Ending::Interrupted).contains("but"));
}
