//! Why nothing is published, though every task has ended well.

use super::Summary;
use attrium_api::{Resource, ResultStatus, ScreeningStatus};

/// Why nothing is published, though every task has ended well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withheld {
    /// A gate was missed.
    GateMissed,
    /// Nothing shows that the network has learned anything, and `publish.force` is not set.
    NothingLearned,
    /// The scans of a screening are not enough to recalibrate its model on, or it does not tell them apart.
    NotCalibrated,
}

impl Withheld {
    /// What the tasks of a run have told of it; `None` where its model may be published.
    pub fn of<'a>(
        resource: &Resource,
        summaries: impl IntoIterator<Item = &'a Summary>,
    ) -> Option<Self> {
        let mut withheld = None;
        for summary in summaries {
            if summary.gates.iter().any(|gate| !gate.passed) {
                return Some(Self::GateMissed);
            }
            if nothing_learned(resource, &summary.results).is_some() {
                withheld = Some(Self::NothingLearned);
            }
            if not_calibrated(summary.screening.as_ref()).is_some() {
                withheld = Some(Self::NotCalibrated);
            }
        }
        withheld
    }
}

/// What speaks against the network that is to be published having learned anything; `None` where nothing does,
/// where it is published all the same, or where it is not evaluated.
pub fn nothing_learned<'a>(resource: &Resource, results: &'a [ResultStatus]) -> Option<&'a str> {
    let Resource::TrainingRun(run) = resource else {
        return None;
    };
    let publish = run.spec.publish.as_ref().filter(|publish| !publish.force)?;
    let is_wanted = |result: &&ResultStatus| {
        result.architecture == publish.architecture && result.task == publish.task
    };
    results.iter().find(is_wanted)?.nothing_learned.as_deref()
}

/// Why the model of a screening was not recalibrated, where it was to be.
pub fn not_calibrated(screening: Option<&ScreeningStatus>) -> Option<&str> {
    screening?.calibration.as_ref()?.refusal.as_deref()
}

#[cfg(test)]
mod tests {
    use super::*;
    use attrium_api::{CalibrationStatus, GateOutcome, Publish, PublishMethod, TrainingRun};
    use attrium_fixtures as fixtures;
    use attrium_types::{Architecture, Decimal, Metric, Target};

    /// A run that publishes a network, and what its evaluation tells: that it may be chance.
    fn chance(force: bool) -> (TrainingRun, Publish, Summary) {
        let mut run = fixtures::training_run();
        let publish = Publish {
            architecture: Architecture::Linear,
            task: Target::Positive,
            method: PublishMethod::Ensemble,
            force,
        };
        run.spec.publish = Some(publish.clone());
        let result = serde_json::json!({
            "architecture": publish.architecture,
            "task": publish.task,
            "nothingLearned": "its AUC may be chance",
        });
        let results = vec![serde_json::from_value(result).expect("needs no more")];
        let summary = Summary {
            results,
            ..Summary::default()
        };
        (run, publish, summary)
    }

    fn withheld<const N: usize>(run: TrainingRun, summaries: [&Summary; N]) -> Option<Withheld> {
        Withheld::of(&Resource::TrainingRun(Box::new(run)), summaries)
    }

    #[test]
    fn a_network_that_may_have_learned_nothing_is_withheld_unless_it_is_forced() {
        let (run, _, summary) = chance(false);
        let untold = Summary::default();
        let found = withheld(run.clone(), [&untold, &summary]);
        assert_eq!(found, Some(Withheld::NothingLearned));
        assert_eq!(withheld(run, [&untold]), None);
        let (forced, _, summary) = chance(true);
        assert_eq!(withheld(forced, [&summary]), None);
    }

    #[test]
    fn a_missed_gate_is_told_before_it_and_force_does_not_open_it() {
        for force in [false, true] {
            let (run, publish, mut summary) = chance(force);
            summary.gates = vec![GateOutcome {
                architecture: publish.architecture,
                task: publish.task,
                metric: Metric::Auc,
                min: Decimal::literal("0.9"),
                value: None,
                passed: false,
            }];
            assert_eq!(withheld(run, [&summary]), Some(Withheld::GateMissed));
        }
    }

    #[test]
    fn a_model_that_was_not_recalibrated_is_withheld_and_one_that_was_is_not() {
        let job = Resource::from_screening(fixtures::screening_job());
        let of = |refusal: Option<&str>| {
            let calibration = CalibrationStatus {
                refusal: refusal.map(str::to_owned),
                ..CalibrationStatus::default()
            };
            let screening = ScreeningStatus {
                calibration: Some(calibration),
                ..ScreeningStatus::default()
            };
            let summary = Summary {
                screening: Some(screening),
                ..Summary::default()
            };
            Withheld::of(&job, [&summary])
        };
        assert_eq!(of(Some("too few")), Some(Withheld::NotCalibrated));
        assert_eq!(of(None), None);
    }

    #[test]
    fn what_another_network_has_not_learned_withholds_nothing() {
        let (mut run, publish, summary) = chance(false);
        let task = Target::HighGrade;
        assert_ne!(publish.task, task);
        run.spec.publish = Some(Publish { task, ..publish });
        assert_eq!(withheld(run.clone(), [&summary]), None);
        run.spec.publish = None;
        assert_eq!(withheld(run, [&summary]), None);
    }
}
