//! How well probabilities are calibrated: bins, Brier score and expected calibration error.

use serde::{Deserialize, Serialize};

use super::interval::Interval;
use super::share::Share;

/// The number of bins of equal width between 0 and 1: [0, 0.1], (0.1, 0.2], ..., (0.9, 1].
pub const CALIBRATION_BINS: usize = 10;

/// The studies whose probability falls into one bin.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CalibrationBin {
    /// The lower edge, which belongs to the bin before (0 belongs to the first).
    pub low: f64,
    /// The upper edge, which belongs to the bin.
    pub high: f64,
    /// The number of studies; at least 1.
    pub studies: u64,
    /// The mean of their probabilities.
    pub mean_probability: f64,
    /// The share of them for which the event came true.
    pub observed: f64,
    /// Wilson's interval of that share, of the effective number of studies where patients have several.
    pub observed_interval: Interval,
}

/// The bins that hold a study, in order of probability (scikit-learn's `calibration_curve`).
///
/// `probabilities` lie in [0, 1]; `events` says for each whether it came true, `patients` numbers its patient.
pub(super) fn bins(
    probabilities: &[f64],
    events: &[bool],
    patients: &[usize],
) -> Vec<CalibrationBin> {
    let edge = |bin: usize| bin as f64 / CALIBRATION_BINS as f64;
    // Multiples of the width, rounded up in places as numpy's are: 0.1 + 0.2 is then in (0.2, 0.3].
    let inner_edge = |bin: usize| bin as f64 * edge(1);
    let mut members: [(Vec<(usize, bool)>, f64); CALIBRATION_BINS] = Default::default();
    for ((&probability, &event), &patient) in probabilities.iter().zip(events).zip(patients) {
        let bin = (1..CALIBRATION_BINS)
            .filter(|&bin| inner_edge(bin) < probability)
            .count();
        let (studies, sum) = &mut members[bin];
        studies.push((patient, event));
        *sum += probability;
    }
    members
        .into_iter()
        .enumerate()
        .filter_map(|(bin, (studies, sum))| {
            let share = Share::new(studies);
            let observed = share.estimate()?;
            Some(CalibrationBin {
                low: edge(bin),
                high: edge(bin + 1),
                studies: share.whole,
                mean_probability: sum / share.whole as f64,
                observed: observed.value,
                observed_interval: observed.interval?,
            })
        })
        .collect()
}

/// The mean distance between probability and observed share, weighted by studies; `None` for no bins.
pub(super) fn expected_error(bins: &[CalibrationBin]) -> Option<f64> {
    let total: u64 = bins.iter().map(|bin| bin.studies).sum();
    let distance = |bin: &CalibrationBin| (bin.mean_probability - bin.observed).abs();
    let sum: f64 = bins
        .iter()
        .map(|bin| distance(bin) * bin.studies as f64)
        .sum();
    (total > 0).then(|| sum / total as f64)
}

/// The Brier score of a binary event: the mean of (p - event)^2, in [0, 1]; `None` for no studies.
pub(super) fn brier(probabilities: &[f64], events: &[bool]) -> Option<f64> {
    let truth = |&event: &bool| f64::from(u8::from(event));
    let sum: f64 = probabilities
        .iter()
        .zip(events)
        .map(|(probability, event)| (probability - truth(event)).powi(2))
        .sum();
    (!events.is_empty()).then(|| sum / events.len() as f64)
}

/// The Brier score of three or more classes as Brier defined it (1950): the mean over studies of
/// the sum over classes of (p_k - truth_k)^2, in [0, 2]; `None` for no studies.
pub(super) fn multiclass_brier(rows: &[&[f64]], labels: &[usize]) -> Option<f64> {
    let truth = |class: usize, label: usize| f64::from(u8::from(class == label));
    let study = |row: &[f64], label: usize| -> f64 {
        let squares = row.iter().enumerate();
        squares
            .map(|(class, p)| (p - truth(class, label)).powi(2))
            .sum()
    };
    let sum: f64 = rows
        .iter()
        .zip(labels)
        .map(|(row, &label)| study(row, label))
        .sum();
    (!labels.is_empty()).then(|| sum / labels.len() as f64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The bins of studies that are each of a patient of its own.
    fn bins(probabilities: &[f64], events: &[bool]) -> Vec<CalibrationBin> {
        let patients: Vec<usize> = (0..events.len()).collect();
        super::bins(probabilities, events, &patients)
    }

    #[test]
    fn an_edge_belongs_to_the_bin_below_it_and_0_to_the_first() {
        let bins = bins(
            &[0.0, 0.1, 0.3, 0.30001, 1.0],
            &[false, true, false, true, true],
        );
        let found: Vec<_> = bins
            .iter()
            .map(|bin| (bin.low, bin.high, bin.studies))
            .collect();
        assert_eq!(
            found,
            [(0.0, 0.1, 2), (0.2, 0.3, 1), (0.3, 0.4, 1), (0.9, 1.0, 1)]
        );
    }

    #[test]
    fn probabilities_that_come_true_as_often_as_they_say_have_no_error() {
        let probabilities = [0.25; 8];
        let events = [true, false, false, false, true, false, false, false];
        assert_eq!(expected_error(&bins(&probabilities, &events)), Some(0.0));
        assert_eq!(brier(&probabilities, &events), Some(0.1875));
    }

    #[test]
    fn certain_and_wrong_is_the_worst_score() {
        assert_eq!(brier(&[1.0, 0.0], &[false, true]), Some(1.0));
        let row: &[f64] = &[1.0, 0.0, 0.0];
        assert_eq!(multiclass_brier(&[row], &[2]), Some(2.0));
    }

    #[test]
    fn no_studies_leave_the_scores_undefined() {
        assert_eq!(brier(&[], &[]), None);
        assert_eq!(multiclass_brier(&[], &[]), None);
        assert_eq!(expected_error(&[]), None);
    }

    proptest! {
        #[test]
        fn every_study_is_in_one_bin_that_holds_its_probability(
            studies in prop::collection::vec((0.0f64..=1.0, any::<bool>()), 1..80),
        ) {
            let (probabilities, events): (Vec<_>, Vec<_>) = studies.into_iter().unzip();
            let bins = bins(&probabilities, &events);
            let total: u64 = bins.iter().map(|bin| bin.studies).sum();
            prop_assert_eq!(total, events.len() as u64);
            for bin in &bins {
                prop_assert!(bin.low <= bin.mean_probability + 1e-12);
                prop_assert!(bin.mean_probability <= bin.high + 1e-12);
            }
            let error = expected_error(&bins).expect("there are studies");
            prop_assert!((0.0..=1.0).contains(&error));
        }
    }
}
