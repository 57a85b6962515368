//! Whether anything can come of the images that were looked at.

use std::collections::BTreeMap;

use super::status::data;
use super::{ConditionState, Failure, Plan, StageKind, Summary, TaskExit, TaskRef, gravest};
use attrium_api::{ConditionStatus, reasons};

/// Why nothing can come of a resource: not one of its objects can be used. The condition
/// Succeeded, once the tasks that look at the objects have told; a failure that another try may mend
/// says more.
pub fn nothing_usable(
    plan: &Plan,
    summaries: &BTreeMap<TaskRef, Summary>,
    failures: &[Failure],
) -> Option<ConditionState> {
    if gravest(failures).is_some_and(|failure| failure.exit != TaskExit::BadData) {
        return None;
    }
    let message = no_image(plan, summaries).or_else(|| no_decision(summaries))?;
    let (status, reason) = (ConditionStatus::False, reasons::NO_USABLE_IMAGES);
    Some(ConditionState::new(status, reason, message))
}

/// Every object of a training has been looked at and not one can be used.
fn no_image(plan: &Plan, summaries: &BTreeMap<TaskRef, Summary>) -> Option<String> {
    let first = plan.stages.first()?;
    if first.kind != StageKind::Preprocess {
        return None;
    }
    let told = first.tasks.iter().map(|task| summaries.get(&task.id));
    let told: Vec<_> = told.collect::<Option<_>>()?;
    let sum = data(told.into_iter())?;
    if sum.objects == 0 {
        return Some("there is no object below images: check the prefix".to_owned());
    }
    let unusable = sum.other_views + sum.quarantined + sum.unlabelled;
    let advice = match sum.unlabelled {
        0 => "",
        _ => "; check that labels.csv has the studies of these images",
    };
    (sum.objects <= unusable).then(|| {
        format!(
            "no object below images can be used (of {}, {} are in quarantine, {} show another \
             view, {} have no row in the labels): dataset/quarantine-*.csv below the run's prefix \
             has the reasons{advice}",
            sum.objects, sum.quarantined, sum.other_views, sum.unlabelled
        )
    })
}

/// A screening has been summed up and not one object was given a decision.
fn no_decision(summaries: &BTreeMap<TaskRef, Summary>) -> Option<String> {
    let counts = summaries
        .iter()
        .filter(|(id, _)| id.stage == StageKind::Summarize)
        .find_map(|(_, summary)| summary.screening.as_ref())?;
    (counts.screened == 0).then(|| {
        format!(
            "no object below images could be screened (of {}, {} are unusable, {} show another \
             view): screening.csv has the reasons",
            counts.objects, counts.unusable, counts.other_views
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use attrium_api::{DataStatus, ScreeningStatus};
    use attrium_fixtures as fixtures;

    fn told(plan: &Plan, summary: &Summary) -> BTreeMap<TaskRef, Summary> {
        let tasks = plan.tasks();
        tasks.map(|task| (task.id, summary.clone())).collect()
    }

    #[test]
    fn a_training_without_a_usable_object_is_told_why() {
        let plan = Plan::for_training(&fixtures::training_run().spec);
        let quarantined = DataStatus {
            objects: 3,
            quarantined: 2,
            other_views: 1,
            ..DataStatus::default()
        };
        let summary = |data| Summary {
            data: Some(data),
            ..Summary::default()
        };
        let state = nothing_usable(&plan, &told(&plan, &summary(quarantined.clone())), &[]);
        let message = state.expect("a state").message;
        assert!(message.contains("of 6, 4 are in quarantine"), "{message}");
        let empty = nothing_usable(&plan, &told(&plan, &summary(DataStatus::default())), &[]);
        let message = empty.expect("a state").message;
        assert!(message.contains("no object below images"), "{message}");
        let one = DataStatus {
            objects: 4,
            ..quarantined
        };
        assert_eq!(
            nothing_usable(&plan, &told(&plan, &summary(one)), &[]),
            None
        );
        assert_eq!(nothing_usable(&plan, &BTreeMap::new(), &[]), None);
    }

    #[test]
    fn a_screening_without_a_decision_is_told_why() {
        let plan = Plan::for_screening(&fixtures::screening_job().spec);
        let summary = |screened| Summary {
            screening: Some(ScreeningStatus {
                objects: 2,
                screened,
                ..ScreeningStatus::default()
            }),
            ..Summary::default()
        };
        let state = nothing_usable(&plan, &told(&plan, &summary(0)), &[]);
        assert_eq!(state.expect("a state").reason, reasons::NO_USABLE_IMAGES);
        assert_eq!(nothing_usable(&plan, &told(&plan, &summary(1)), &[]), None);
    }

    #[test]
    fn a_shard_that_may_be_screened_by_another_try_is_told_rather_than_images_of_no_use() {
        let plan = Plan::for_screening(&fixtures::screening_job().spec);
        let counts = ScreeningStatus::default();
        let summary = Summary {
            screening: Some(counts),
            ..Summary::default()
        };
        let told = told(&plan, &summary);
        let failed = |exit| Failure::new(&plan.stages[0].tasks[0], exit, "x");
        let state = |exit| nothing_usable(&plan, &told, &[failed(exit)]);
        assert_eq!(state(TaskExit::Retry), None);
        assert!(state(TaskExit::BadData).is_some());
    }
}
