//! Whether anything good can come of the images that were looked at.

use std::collections::BTreeMap;

use super::status::data;
use super::{ConditionState, Failure, Plan, StageKind, Summary, TaskExit, TaskRef, gravest};
use attrium_api::{ConditionStatus, DataStatus, ScreeningStatus, reasons};

/// Why nothing good can come of a resource: not one of its objects can be used, or more of them cannot
/// than its spec allows. The condition Succeeded, once all tasks that look at the objects have told; a
/// failure that another try may mend says more.
pub fn nothing_usable(
    plan: &Plan,
    summaries: &BTreeMap<TaskRef, Summary>,
    failures: &[Failure],
) -> Option<ConditionState> {
    if gravest(failures).is_some_and(|failure| failure.exit != TaskExit::BadData) {
        return None;
    }
    let preprocessed = preprocessed(plan, summaries);
    let screened = screened(summaries);
    let none = preprocessed.as_ref().and_then(no_image);
    let none = none.or_else(|| screened.and_then(no_decision));
    if let Some(message) = none {
        return Some(failed(reasons::NO_USABLE_IMAGES, message));
    }
    let unusable = preprocessed.as_ref().map(Unusable::of_training);
    let unusable = unusable.or_else(|| screened.map(Unusable::of_screening))?;
    let message = unusable.too_many(plan.max_unusable.value())?;
    Some(failed(reasons::TOO_MANY_UNUSABLE, message))
}

fn failed(reason: &str, message: String) -> ConditionState {
    ConditionState::new(ConditionStatus::False, reason, message)
}

/// What became of a training's objects, once every shard has told.
fn preprocessed(plan: &Plan, summaries: &BTreeMap<TaskRef, Summary>) -> Option<DataStatus> {
    let first = plan.stages.first()?;
    if first.kind != StageKind::Preprocess {
        return None;
    }
    let told = first.tasks.iter().map(|task| summaries.get(&task.id));
    let told: Vec<_> = told.collect::<Option<_>>()?;
    data(told.into_iter())
}

/// The counts of a screening that has been summed up.
fn screened(summaries: &BTreeMap<TaskRef, Summary>) -> Option<&ScreeningStatus> {
    summaries
        .iter()
        .filter(|(id, _)| id.stage == StageKind::Summarize)
        .find_map(|(_, summary)| summary.screening.as_ref())
}

/// How many reasons are named: the table has them all.
const NAMED: usize = 3;

/// The objects that cannot be used, among those that should be.
struct Unusable<'a> {
    unusable: u64,
    all: u64,
    /// What all of them are.
    objects: &'static str,
    by_reason: &'a BTreeMap<String, u64>,
    table: &'static str,
}

impl<'a> Unusable<'a> {
    fn of_training(data: &'a DataStatus) -> Self {
        // What is in quarantine and not counted as unusable belongs to a study without a label.
        let left_out = data.quarantined.saturating_sub(data.unusable);
        let others = data.other_views + data.unlabelled + left_out;
        Self {
            unusable: data.unusable,
            all: data.objects.saturating_sub(others),
            objects: "labelled objects",
            by_reason: &data.unusable_by_reason,
            table: "dataset/quarantine-*.csv below the run's prefix",
        }
    }

    fn of_screening(counts: &'a ScreeningStatus) -> Self {
        Self {
            unusable: counts.unusable,
            all: counts.objects,
            objects: "objects",
            by_reason: &counts.unusable_by_reason,
            table: "screening.csv",
        }
    }

    /// A sentence where the share of what cannot be used is above the greatest one.
    fn too_many(&self, most: f64) -> Option<String> {
        // Counts are far below 2^53, so that both products are exact but for the share's own digits.
        if self.unusable as f64 <= most * self.all as f64 {
            return None;
        }
        let Self {
            unusable,
            all,
            objects,
            table,
            ..
        } = self;
        Some(format!(
            "{unusable} of {all} {objects} cannot be used, more than the share of {most} that \
             maxUnusable allows{}: {table} has the reasons; mend the objects, or raise maxUnusable",
            self.reasons()
        ))
    }

    /// The most common reasons, the first of them first.
    fn reasons(&self) -> String {
        let mut reasons: Vec<_> = self.by_reason.iter().collect();
        reasons.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let named = reasons.iter().take(NAMED);
        let named: Vec<_> = named
            .map(|(word, count)| format!("{count} {word}"))
            .collect();
        match (named.is_empty(), reasons.len() > NAMED) {
            (true, _) => String::new(),
            (false, false) => format!(" ({})", named.join(", ")),
            (false, true) => format!(" ({} and others)", named.join(", ")),
        }
    }
}

/// Every object of a training has been looked at and not one can be used.
fn no_image(sum: &DataStatus) -> Option<String> {
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
fn no_decision(counts: &ScreeningStatus) -> Option<String> {
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

    fn reasons_of(counts: &[(&str, u64)]) -> BTreeMap<String, u64> {
        let counts = counts.iter();
        counts
            .map(|(word, count)| ((*word).to_owned(), *count))
            .collect()
    }

    /// A shard of two, of 100 objects: 20 of another view, 10 unlabelled, 8 in quarantine of which 3 are
    /// of studies without a label.
    fn shard() -> DataStatus {
        DataStatus {
            objects: 100,
            other_views: 20,
            unlabelled: 10,
            quarantined: 8,
            unusable: 5,
            unusable_by_reason: reasons_of(&[("truncated", 4), ("lossy", 1)]),
            ..DataStatus::default()
        }
    }

    /// What becomes of a training whose two shards have told, if this share may be unusable.
    fn trained(share: &str, shards: [DataStatus; 2]) -> Option<ConditionState> {
        let mut plan = Plan::for_training(&fixtures::training_run().spec);
        plan.max_unusable = share.parse().expect("a decimal");
        let tasks = plan.stages[0].tasks.iter().zip(shards);
        let summary = |data| Summary {
            data: Some(data),
            ..Summary::default()
        };
        let told = tasks.map(|(task, data)| (task.id, summary(data))).collect();
        nothing_usable(&plan, &told, &[])
    }

    #[test]
    fn a_training_of_which_too_much_is_unusable_is_told_how_much_and_why() {
        // 10 of 2 * (100 - 20 - 10 - 3) = 134.
        assert_eq!(trained("0.075", [shard(), shard()]), None);
        let state = trained("0.07", [shard(), shard()]).expect("a state");
        assert_eq!(state.reason, "TooManyUnusable");
        let message = state.message;
        for part in [
            "10 of 134",
            "share of 0.07",
            "8 truncated, 2 lossy",
            "quarantine-*.csv",
        ] {
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn the_share_is_the_runs_and_not_a_shards() {
        let sound = DataStatus {
            objects: 67,
            ..DataStatus::default()
        };
        assert_eq!(trained("0.05", [shard(), sound.clone()]), None);
        assert!(trained("0.03", [shard(), sound]).is_some());
    }

    #[test]
    fn what_is_left_out_by_right_counts_as_nothing() {
        let left_out = DataStatus {
            objects: 100,
            other_views: 40,
            unlabelled: 40,
            quarantined: 19,
            ..DataStatus::default()
        };
        assert_eq!(trained("0", [left_out.clone(), left_out]), None);
    }

    #[test]
    fn a_shard_that_has_not_told_may_mend_the_share() {
        let plan = Plan::for_training(&fixtures::training_run().spec);
        let summary = Summary {
            data: Some(DataStatus {
                objects: 4,
                quarantined: 2,
                unusable: 2,
                ..DataStatus::default()
            }),
            ..Summary::default()
        };
        let mut told = BTreeMap::from([(plan.stages[0].tasks[0].id, summary.clone())]);
        assert_eq!(nothing_usable(&plan, &told, &[]), None);
        told.insert(plan.stages[0].tasks[1].id, summary);
        assert!(nothing_usable(&plan, &told, &[]).is_some());
    }

    #[test]
    fn a_screening_of_which_too_much_is_unusable_is_told_how_much_and_why() {
        let mut plan = Plan::for_screening(&fixtures::screening_job().spec);
        let counts = ScreeningStatus {
            objects: 46,
            screened: 10,
            unusable: 36,
            unusable_by_reason: reasons_of(&[("a", 1), ("b", 2), ("c", 30), ("d", 3)]),
            ..ScreeningStatus::default()
        };
        let told = told(
            &plan,
            &Summary {
                screening: Some(counts),
                ..Summary::default()
            },
        );
        let state = nothing_usable(&plan, &told, &[]).expect("a state");
        assert_eq!(state.reason, reasons::TOO_MANY_UNUSABLE);
        let message = state.message;
        assert!(message.contains("36 of 46 objects"), "{message}");
        assert!(message.contains("(30 c, 3 d, 2 b and others)"), "{message}");
        plan.max_unusable = "0.8".parse().expect("a decimal");
        assert_eq!(nothing_usable(&plan, &told, &[]), None);
    }
}
