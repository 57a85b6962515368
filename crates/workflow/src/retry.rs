//! A resource that has failed is started again, because somebody asks for it.
//!
//! What is done stays done: the stages that ended well stay in the status, and the tasks of the others
//! find their markers.

use super::conditions::{self, started_again};
use super::{Plan, StageKind, complete};
use attrium_api::{Phase, ProgressStatus, RetryStatus, StageStatus, Status};

/// The status of a resource that has failed and is started again, as `asked` says.
pub fn retry(
    status: &Status,
    plan: &Plan,
    asked: &str,
    generation: Option<i64>,
    now: &str,
) -> Status {
    let mut next = status.clone();
    next.observed_generation = generation;
    next.phase = Some(Phase::Pending);
    next.progress = Some(ProgressStatus::default());
    next.retry = Some(RetryStatus {
        asked: asked.to_owned(),
        count: status.retry.as_ref().map_or(0, |it| it.count) + 1,
        time: now.to_owned(),
    });
    next.stages = well_ended(status, plan);
    forget_lost(&mut next, plan);
    conditions::put(&mut next.conditions, started_again(), generation, now);
    next
}

/// Takes away what the stages that are done anew had told.
fn forget_lost(status: &mut Status, plan: &Plan) {
    let has = |kind: StageKind| status.stages.iter().any(|it| it.name == kind.name());
    let (has_data, has_screening) = (has(StageKind::Preprocess), has(StageKind::Screen));
    let (has_results, has_summary) = (has(StageKind::Evaluate), has(StageKind::Summarize));
    let is_screening = plan.stages.iter().any(|it| it.kind == StageKind::Screen);
    if !has_data && !has_screening {
        status.data = None;
    }
    if !has_screening {
        status.screening = None;
    }
    if !has_results && !has_summary {
        status.results.clear();
        status.gates.clear();
        status.best_auc = None;
        status.report = None;
        // A screening goes on with the model that it began with.
        if !is_screening {
            status.model = None;
        }
    }
}

/// The first stages, up to one that has not ended or in which a task has failed.
fn well_ended(status: &Status, plan: &Plan) -> Vec<StageStatus> {
    let stages = plan.stages.iter();
    let well_ended = stages.map_while(|stage| {
        complete(status, stage.kind).filter(|it| it.failed == 0 && it.failure.is_none())
    });
    well_ended.cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use attrium_api::{Condition, ConditionStatus, Resource, condition, reasons};

    const NOW: &str = "2026-11-24T10:00:00Z";

    fn stage(name: &str, failed: u32) -> StageStatus {
        StageStatus {
            name: name.to_owned(),
            failed,
            completion_time: Some(NOW.to_owned()),
            ..StageStatus::default()
        }
    }

    fn failed(stages: Vec<StageStatus>) -> Status {
        let kind = attrium_api::conditions::SUCCEEDED;
        let reason = reasons::BAD_CONFIGURATION;
        Status {
            phase: Some(Phase::Failed),
            conditions: vec![Condition::new(
                kind,
                ConditionStatus::False,
                reason,
                "",
                NOW,
            )],
            stages,
            report: Some("s3://r".to_owned()),
            ..Status::default()
        }
    }

    fn again(status: &Status, asked: &str) -> Status {
        let run = Resource::from_training(attrium_fixtures::training_run());
        retry(status, &Plan::new(&run), asked, Some(1), NOW)
    }

    #[test]
    fn stages_that_ended_well_stay_and_what_follows_on_a_failure_is_done_anew() {
        let stages = vec![
            stage("preprocess", 0),
            stage("train", 1),
            stage("evaluate", 0),
        ];
        let next = again(&failed(stages), "yes");
        let names: Vec<_> = next.stages.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["preprocess"]);
        assert_eq!((next.phase, next.report), (Some(Phase::Pending), None));
        let succeeded = condition(&next.conditions, "Succeeded").expect("a condition");
        assert_eq!(succeeded.status, ConditionStatus::Unknown);
    }

    #[test]
    fn what_a_stage_that_stays_has_told_stays_with_it() {
        let stages = vec![
            stage("preprocess", 0),
            stage("train", 0),
            stage("evaluate", 0),
            stage("refit", 1),
        ];
        let next = again(&failed(stages), "yes");
        assert_eq!(next.stages.len(), 3);
        assert_eq!(next.report.as_deref(), Some("s3://r"));
    }

    #[test]
    fn each_retry_is_counted_and_knows_what_was_asked() {
        let first = again(&failed(Vec::new()), "monday");
        let second = again(&first, "tuesday");
        let retry = second.retry.expect("a retry");
        assert_eq!((retry.asked.as_str(), retry.count), ("tuesday", 2));
    }
}
