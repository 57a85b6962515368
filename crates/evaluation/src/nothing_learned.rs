//! Whether a network's figures show that it has learned anything.

use super::metrics::Metrics;
use super::temperature::TEMPERATURE_RANGE;

/// The area below the ROC curve of a score that knows nothing.
const CHANCE: f64 = 0.5;

/// What speaks against a network having learned anything, as a part of a sentence; `None` where nothing does.
///
/// It is asked of the area for a positive, since that is what a screening decides by: one whose 95 % interval
/// holds 0.5 may be chance, and one without an interval shows nothing. Where no temperature in
/// [`TEMPERATURE_RANGE`] is great enough, constant probabilities are as good as those of the network.
pub fn nothing_learned(metrics: &Metrics) -> Option<String> {
    let Some(auc) = metrics.positive.auc else {
        return Some(
            "the AUC of a positive is not defined, for want of positives or of negatives"
                .to_owned(),
        );
    };
    let Some(interval) = auc.interval else {
        return Some(format!(
            "the AUC of a positive, {:.3}, has no interval",
            auc.value
        ));
    };
    if interval.low <= CHANCE {
        return Some(format!(
            "the AUC of a positive, {:.3} [{:.3}, {:.3}], may be chance",
            auc.value, interval.low, interval.high
        ));
    }
    let [_, hottest] = TEMPERATURE_RANGE;
    let scaling = metrics.temperature_scaling.as_ref()?;
    (scaling.temperature >= hottest).then(|| {
        format!("constant probabilities are as good as its own, even at a temperature of {hottest}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Estimate, EvaluationOptions, Interval, Predictions, evaluate};
    use attrium_types::Target;

    /// The metrics of studies, each with its label and the probability of a positive.
    fn metrics(studies: impl IntoIterator<Item = (usize, f64)>) -> Metrics {
        let mut table = String::from("study,fold,label,p_0,p_1\n");
        for (study, (label, p)) in studies.into_iter().enumerate() {
            table += &format!("{study},0,{label},{},{p}\n", 1.0 - p);
        }
        let predictions = Predictions::parse(table.as_bytes()).unwrap();
        evaluate(
            Target::Positive,
            &predictions,
            &EvaluationOptions::default(),
        )
        .unwrap()
    }

    fn graded(sign: f64) -> Metrics {
        let score = |study: usize| 0.5 + sign * (study as f64 - 20.0) / 50.0;
        metrics((0..40).map(|study| (usize::from(study % 5 == 0 || study > 25), score(study))))
    }

    #[test]
    fn a_score_that_ranks_positives_higher_has_learned_something() {
        assert_eq!(nothing_learned(&graded(1.0)), None);
    }

    #[test]
    fn an_area_that_may_be_chance_or_is_the_wrong_way_round_shows_nothing() {
        let alternating = metrics((0..40).map(|study| (study % 2, study as f64 / 40.0)));
        let told = nothing_learned(&alternating).unwrap();
        assert!(told.starts_with("the AUC of a positive, 0.525 ["), "{told}");
        assert!(
            nothing_learned(&graded(-1.0))
                .unwrap()
                .ends_with("may be chance")
        );
    }

    #[test]
    fn an_area_that_is_not_defined_shows_nothing() {
        let negatives = metrics((0..10).map(|study| (0, study as f64 / 10.0)));
        assert!(nothing_learned(&negatives).unwrap().contains("not defined"));
        let mut metrics = graded(1.0);
        metrics.positive.auc = Some(Estimate {
            value: 0.9,
            interval: None,
        });
        assert!(nothing_learned(&metrics).unwrap().contains("no interval"));
    }

    #[test]
    fn probabilities_that_constant_ones_are_as_good_as_show_nothing() {
        let mut metrics = graded(1.0);
        let interval = Interval {
            low: 0.51,
            high: 0.99,
        };
        metrics.positive.auc = Some(Estimate {
            value: 0.9,
            interval: Some(interval),
        });
        assert_eq!(nothing_learned(&metrics), None);
        metrics.temperature_scaling.as_mut().unwrap().temperature = TEMPERATURE_RANGE[1];
        assert!(nothing_learned(&metrics).unwrap().contains("constant"));
    }
}
