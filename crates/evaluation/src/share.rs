//! Shares of studies, of which some may be of the same patient.
//!
//! Two studies of one patient tell less than one study each of two. How much less is the design effect of a ratio
//! (Rao and Scott, Biometrics 1992; 48:577): the variance of the share with patients as clusters, over the variance
//! that as many independent studies would have. The number of studies divided by it, the effective number, takes the
//! place of the number of studies in Wilson's interval. The design effect is taken for 1 where it is less. Where a
//! share is 0 or 1, or all studies are of one patient, nothing tells it: then patients are counted, as if each
//! patient's studies said one thing. `examples/clusters.rs` simulates how often the truth is within.

use std::collections::BTreeMap;

use super::interval::{Estimate, wilson};

/// For how many of some studies an event came true, and how many independent studies they are worth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Share {
    pub(super) part: u64,
    pub(super) whole: u64,
    /// The effective number of studies, at most `whole`.
    pub(super) effective: f64,
}

impl Share {
    /// Counts studies: the number of each one's patient, and whether the event came true.
    pub(super) fn new(studies: impl IntoIterator<Item = (usize, bool)>) -> Self {
        let mut of_patients: BTreeMap<usize, (u64, u64)> = BTreeMap::new();
        for (patient, event) in studies {
            let (part, whole) = of_patients.entry(patient).or_default();
            *part += u64::from(event);
            *whole += 1;
        }
        let of_patients: Vec<(u64, u64)> = of_patients.into_values().collect();
        let part = of_patients.iter().map(|(part, _)| part).sum();
        let whole = of_patients.iter().map(|(_, whole)| whole).sum();
        Self {
            part,
            whole,
            effective: effective(part, whole, &of_patients),
        }
    }

    /// The share with Wilson's interval of the effective number of studies; `None` of no studies.
    pub(super) fn estimate(&self) -> Option<Estimate> {
        let value = self.part as f64 / self.whole as f64;
        (self.whole > 0).then(|| Estimate {
            value,
            interval: Some(wilson(value, self.effective)),
        })
    }

    /// A number of these studies as a number of effective ones.
    pub(super) fn scaled(&self, studies: u64) -> f64 {
        if self.effective == self.whole as f64 {
            studies as f64
        } else {
            studies as f64 * (self.effective / self.whole as f64)
        }
    }
}

/// The share of studies for which an event came true, with an interval that takes the studies of one patient together;
/// `None` of no studies.
///
/// A study is the number of its patient and whether the event came true. Where each patient has one study, the interval
/// is Wilson's, as that of [`proportion`](super::proportion).
pub fn clustered_proportion(studies: impl IntoIterator<Item = (usize, bool)>) -> Option<Estimate> {
    Share::new(studies).estimate()
}

/// The effective number of studies, from the part and the whole of each patient.
fn effective(part: u64, whole: u64, of_patients: &[(u64, u64)]) -> f64 {
    let patients = of_patients.len() as f64;
    let studies = whole as f64;
    if patients == studies {
        return studies;
    }
    if part == 0 || part == whole || patients < 2.0 {
        return patients;
    }
    // A patient's part less what the share of all would make it, times the number of all studies, so that it is whole.
    let residual = |&(own, of): &(u64, u64)| {
        i128::from(own) * i128::from(whole) - i128::from(of) * i128::from(part)
    };
    let squares: i128 = of_patients.iter().map(|of| residual(of).pow(2)).sum();
    let independent = studies * part as f64 * (whole - part) as f64;
    let design_effect = patients / (patients - 1.0) * squares as f64 / independent;
    studies / design_effect.max(1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::proportion;

    #[test]
    fn two_studies_of_each_patient_that_always_agree_are_worth_one() {
        let agreeing = [(0, true), (1, true), (2, false), (3, true)];
        let twice = Share::new(agreeing.iter().chain(&agreeing).copied());
        // 8 studies; the variance of 4 patients has the factor 4 / 3.
        assert_eq!((twice.part, twice.whole), (6, 8));
        assert!((twice.effective - 3.0).abs() < 1e-12, "{twice:?}");
        assert_eq!(twice.scaled(6), 6.0 * (twice.effective / 8.0));
    }

    #[test]
    fn studies_of_a_patient_that_differ_more_than_chance_are_worth_no_more_than_themselves() {
        let differing = (0..5).flat_map(|patient| [(patient, true), (patient, false)]);
        assert_eq!(Share::new(differing).effective, 10.0);
    }

    #[test]
    fn where_every_call_is_right_patients_are_counted() {
        let right = (0..12).flat_map(|patient| [(patient, true); 2]);
        let estimate = clustered_proportion(right).unwrap();
        assert_eq!(estimate.interval, proportion(12, 12).unwrap().interval);
        let one_patient = clustered_proportion([(7, true), (7, true), (7, false)]).unwrap();
        assert_eq!(one_patient.value, 2.0 / 3.0);
        let interval = one_patient.interval.unwrap();
        assert!(interval.low < 0.2 && interval.high > 0.9, "{interval:?}");
    }

    #[test]
    fn a_share_of_nothing_is_undefined() {
        assert_eq!(clustered_proportion([]), None);
    }

    proptest! {
        #[test]
        fn one_study_of_each_patient_has_wilsons_interval_to_the_last_bit(
            events in prop::collection::vec(any::<bool>(), 1..300),
        ) {
            let found = clustered_proportion(events.iter().copied().enumerate());
            let part = events.iter().filter(|&&event| event).count();
            prop_assert_eq!(found, proportion(part as u64, events.len() as u64));
        }

        #[test]
        fn patients_seen_again_never_narrow_the_interval_below_that_of_studies(
            studies in prop::collection::vec((0usize..30, any::<bool>()), 1..120),
        ) {
            let share = Share::new(studies.iter().copied());
            let own = share.estimate().unwrap();
            let plain = proportion(share.part, share.whole).unwrap();
            prop_assert_eq!(own.value, plain.value);
            let (own, plain) = (own.interval.unwrap(), plain.interval.unwrap());
            prop_assert!(share.effective > 0.0 && share.effective <= share.whole as f64);
            prop_assert!(own.low >= 0.0 && own.high <= 1.0);
            prop_assert!(own.high - own.low >= plain.high - plain.low - 1e-12);
        }
    }
}
