//! A model's probabilities, brought to the scans of a site by an intercept and a slope of the log odds of a positive
//! (Cox, 1958; Steyerberg, "Clinical Prediction Models", on updating).
//!
//! The slope is fitted with a prior: its logarithm is normal about 0 with a deviation of [`PRIOR_DEVIATION`]. Ten
//! positives tell of it hardly more than that prior, and classes without an overlap nothing that has an end; thousands
//! of scans outweigh it. The intercept has none, so that the probabilities of the site's own scans sum up to the number
//! of its positives. `examples/recalibration.rs` simulates what that does to scans which it was not fitted to.

use snafu::{Snafu, ensure};

use super::labelled_predictions::LabelledPredictions;
use super::logistic::{self, Studies};
use super::predictions::{Prediction, Predictions, positive_probability};
use super::reliability::log_odds;
use super::root::bisect;
use attrium_types::Target;

/// The standard deviation of the natural logarithm of the slope, before any scan is seen.
pub const PRIOR_DEVIATION: f64 = 0.5;
/// So many positives, and so many negatives, a model is recalibrated on at least.
pub const LEAST_RECALIBRATED: u64 = 5;
/// The logarithm of the slope is looked for as far from 0 as this: ten deviations.
const FARTHEST: f64 = 10.0 * PRIOR_DEVIATION;

/// What the log odds of a positive become at a site: `intercept + slope * log odds`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recalibration {
    /// In natural logarithms of odds.
    pub intercept: f64,
    /// Above 0, so that no order changes: below 1 the probabilities were too certain.
    pub slope: f64,
}

/// Scans that say too little of a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Snafu)]
#[snafu(display(
    "{positives} positive and {negatives} negative scans are too few to recalibrate a model on: give at least \
     {LEAST_RECALIBRATED} of each"
))]
pub struct TooFewScans {
    positives: u64,
    negatives: u64,
}

impl Recalibration {
    /// The one that changes nothing.
    pub const NONE: Self = Self {
        intercept: 0.0,
        slope: 1.0,
    };

    /// What brings predictions to the labelled scans among them, and to the share of positives there.
    ///
    /// # Errors
    /// [`TooFewScans`] of fewer than [`LEAST_RECALIBRATED`] positives or negatives.
    pub fn fit(target: Target, predictions: &Predictions) -> Result<Self, TooFewScans> {
        let labelled = LabelledPredictions::new(target, &predictions.rows, None);
        let positives = labelled.positives();
        let negatives = labelled.studies() - positives;
        ensure!(
            positives.min(negatives) >= LEAST_RECALIBRATED,
            TooFewScansSnafu {
                positives,
                negatives
            }
        );
        let log_odds: Vec<f64> = labelled.scores.iter().map(|&p| log_odds(p)).collect();
        let scans = Scans {
            log_odds: &log_odds,
            positive: &labelled.positive,
            patients: &labelled.patients,
        };
        let logarithm = bisect(&|logarithm| scans.gradient(logarithm), FARTHEST, -FARTHEST);
        let slope = logarithm.exp();
        Ok(Self {
            intercept: scans.intercept(slope),
            slope,
        })
    }

    /// The probabilities of a scan after it; positives keep their ratios among themselves, and so do negatives.
    pub fn apply(self, target: Target, probabilities: &[f64]) -> Vec<f64> {
        let positive = positive_probability(target, probabilities);
        let negative = probabilities.iter().sum::<f64>() - positive;
        if positive <= 0.0 || negative <= 0.0 {
            return probabilities.to_vec();
        }
        let odds = (self.intercept + self.slope * (positive / negative).ln()).exp();
        let factors = [
            1.0 / (1.0 + odds) / negative,
            odds / (1.0 + odds) / positive,
        ];
        let first = target.first_positive_class();
        let classes = probabilities.iter().enumerate();
        classes
            .map(|(class, probability)| probability * factors[usize::from(class >= first)])
            .collect()
    }

    /// Every prediction after it.
    pub fn apply_to(self, target: Target, predictions: &Predictions) -> Predictions {
        let after = |row: &Prediction| Prediction {
            probabilities: self.apply(target, &row.probabilities),
            ..row.clone()
        };
        Predictions {
            rows: predictions.rows.iter().map(after).collect(),
            ..predictions.clone()
        }
    }

    /// One that does what `earlier` does, and then what this does.
    pub fn after(self, earlier: Self) -> Self {
        Self {
            intercept: self.intercept + self.slope * earlier.intercept,
            slope: self.slope * earlier.slope,
        }
    }
}

/// What is fitted to.
struct Scans<'a> {
    log_odds: &'a [f64],
    positive: &'a [bool],
    patients: &'a [usize],
}

impl Scans<'_> {
    /// The intercept of the greatest likelihood for a slope.
    fn intercept(&self, slope: f64) -> f64 {
        let scaled: Vec<f64> = self.log_odds.iter().map(|it| slope * it).collect();
        let studies = Studies {
            covariate: &scaled,
            positive: self.positive,
            patients: self.patients,
        };
        // There is one wherever there are positives and negatives.
        logistic::intercept(&studies).map_or(0.0, |it| it.value)
    }

    /// How the negative logarithm of the posterior grows with the logarithm of the slope.
    fn gradient(&self, logarithm: f64) -> f64 {
        let slope = logarithm.exp();
        let intercept = self.intercept(slope);
        let scans = self.log_odds.iter().zip(self.positive);
        let of_scan = |(&log_odds, &positive): (&f64, &bool)| {
            let expected = (1.0 + (-(intercept + slope * log_odds)).exp()).recip();
            (expected - f64::from(u8::from(positive))) * slope * log_odds
        };
        scans.map(of_scan).sum::<f64>() + logarithm / PRIOR_DEVIATION.powi(2)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{EvaluationOptions, evaluate};

    /// A table of scans, each with its label and its probability of a positive.
    fn table(scans: impl IntoIterator<Item = (usize, f64)>) -> Predictions {
        let mut table = String::from("study,fold,label,p_0,p_1\n");
        for (study, (label, p)) in scans.into_iter().enumerate() {
            table += &format!("{study},,{label},{:?},{p:?}\n", 1.0 - p);
        }
        Predictions::parse(table.as_bytes()).unwrap()
    }

    /// Scans of which as many are positive as `p` says, with probabilities whose log odds are those of `p` after a change.
    fn misjudged(scans: u32, change: impl Fn(f64) -> f64) -> Predictions {
        table((1..20).flat_map(|twentieth| {
            let p = f64::from(twentieth) / 20.0;
            let stated = 1.0 / (1.0 + (-change((p / (1.0 - p)).ln())).exp());
            let positives = scans * twentieth;
            (0..20 * scans).map(move |scan| (usize::from(scan < positives), stated))
        }))
    }

    #[test]
    fn many_scans_take_back_what_was_done_to_calibrated_probabilities() {
        let found = Recalibration::fit(
            Target::Positive,
            &misjudged(200, |log_odds| 2.0 * log_odds + 1.0),
        )
        .unwrap();
        assert!((found.slope - 0.5).abs() < 1e-3, "{found:?}");
        assert!((found.intercept + 0.5).abs() < 1e-3, "{found:?}");
    }

    #[test]
    fn few_scans_are_believed_about_the_slope_a_part_of_what_they_say() {
        let few = misjudged(1, |log_odds| 2.0 * log_odds);
        let few = Predictions {
            rows: few.rows.into_iter().step_by(19).collect(),
            ..few
        };
        let found = Recalibration::fit(Target::Positive, &few).unwrap();
        assert!(found.slope > 0.51 && found.slope < 0.9, "{found:?}");
    }

    #[test]
    fn scans_without_an_overlap_have_a_slope_all_the_same() {
        let apart = table((0..40).map(|scan| {
            let label = usize::from(scan >= 30);
            (label, if label == 1 { 0.6 } else { 0.4 })
        }));
        let found = Recalibration::fit(Target::Positive, &apart).unwrap();
        assert!(
            found.slope > 1.0 && found.slope < FARTHEST.exp() / 2.0,
            "{found:?}"
        );
    }

    #[test]
    fn scans_that_are_ranked_the_wrong_way_keep_their_order() {
        let wrong = misjudged(20, |log_odds| -log_odds);
        let found = Recalibration::fit(Target::Positive, &wrong).unwrap();
        assert!(found.slope > 0.0 && found.slope < 0.3, "{found:?}");
    }

    #[test]
    fn fewer_than_five_positives_or_negatives_are_refused_by_their_numbers() {
        let with = |positives: usize, negatives: usize| {
            let labels = std::iter::repeat_n(1, positives).chain(std::iter::repeat_n(0, negatives));
            let scans = labels
                .enumerate()
                .map(|(scan, label)| (label, scan as f64 / 100.0));
            Recalibration::fit(Target::Positive, &table(scans))
        };
        assert!(with(5, 5).is_ok());
        let refused = with(4, 50).unwrap_err();
        assert!(
            refused
                .to_string()
                .starts_with("4 positive and 50 negative")
        );
        assert!(with(50, 4).is_err());
        assert!(with(0, 0).is_err());
    }

    #[test]
    fn grades_keep_their_ratios_on_either_side() {
        let change = Recalibration {
            intercept: 1.0,
            slope: 0.5,
        };
        let before = [0.4, 0.2, 0.1, 0.3];
        let after = change.apply(Target::Perugini, &before);
        assert!((after.iter().sum::<f64>() - 1.0).abs() < 1e-15);
        assert!((after[0] / after[1] - 2.0).abs() < 1e-12);
        assert!((after[3] / after[2] - 3.0).abs() < 1e-12);
        let odds = (after[2] + after[3]) / (after[0] + after[1]);
        assert!((odds.ln() - (1.0 + 0.5 * (0.4_f64 / 0.6).ln())).abs() < 1e-12);
        let certain = [1.0, 0.0, 0.0, 0.0];
        assert_eq!(change.apply(Target::Perugini, &certain), certain);
    }

    proptest! {
        #[test]
        fn the_probabilities_of_the_sites_own_scans_sum_up_to_its_positives(
            scans in prop::collection::vec((prop::bool::weighted(0.3), 1e-6f64..0.999), 40..120),
        ) {
            let table = table(scans.iter().map(|&(positive, p)| (usize::from(positive), p)));
            if let Ok(found) = Recalibration::fit(Target::Positive, &table) {
                let after = found.apply_to(Target::Positive, &table);
                let expected: f64 = after.rows.iter().map(|row| row.probabilities[1]).sum();
                let positives = scans.iter().filter(|(positive, _)| *positive).count() as f64;
                prop_assert!((expected - positives).abs() < 1e-6, "{} {}", expected, positives);
                prop_assert!(found.slope > 0.0 && found.slope.is_finite());
                let metrics = |table| {
                    evaluate(Target::Positive, table, &EvaluationOptions::default()).unwrap()
                };
                let auc = |table| metrics(table).positive.auc.unwrap().value;
                prop_assert!((auc(&after) - auc(&table)).abs() < 1e-9);
            }
        }

        #[test]
        fn two_one_after_the_other_are_one(
            p in 1e-6f64..0.999_999,
            first in (-3.0f64..3.0, 0.2f64..3.0), then in (-3.0f64..3.0, 0.2f64..3.0),
        ) {
            let of = |(intercept, slope)| Recalibration { intercept, slope };
            let (first, then) = (of(first), of(then));
            let row = [1.0 - p, p];
            let steps = then.apply(Target::Positive, &first.apply(Target::Positive, &row));
            let once = then.after(first).apply(Target::Positive, &row);
            prop_assert!((steps[1] - once[1]).abs() < 1e-9, "{:?} {:?}", steps, once);
        }
    }
}
