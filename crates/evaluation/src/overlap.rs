//! What of an external validation the model was trained on.

use serde::{Deserialize, Serialize};

use super::metrics::Metrics;
use attrium_types::CohortKnowledge;

/// What of a validation's studies the model was trained on. A study that is known in several ways counts in each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ValidationOverlap {
    /// Whether it is known what the model was trained on.
    pub cohort: CohortKnowledge,
    /// The validated studies, those that the model has seen among them.
    pub studies: u64,
    /// Those of which it has seen something, or may have; `None` where nothing is known.
    pub seen: Option<u64>,
    /// Of these, the ones that are known by a Patient ID alone, so that they may be somebody else's.
    pub doubtful: Option<u64>,
    /// Those that it was trained on by their Study Instance UID.
    pub by_study: Option<u64>,
    /// Those with an image that it was trained on.
    pub by_image: Option<u64>,
    /// Those of a patient of whom it was trained on a scan.
    pub by_patient: Option<u64>,
    /// Those whose Patient ID it was trained on, with another date of birth or none that is stated.
    pub by_patient_id: Option<u64>,
    /// What came of all validated studies; only where the network's own metrics are of some of them, those that it has
    /// not seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all: Option<Box<Metrics>>,
}

/// What a validation is worth as an external one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Independence {
    /// The model has seen none of its studies.
    External,
    /// Nobody knows whether it has.
    Unknown,
    /// It may have seen some or all, by their Patient IDs, and has surely seen none.
    MayOverlap,
    /// It has seen some.
    Overlaps,
    /// It has seen all, or may have.
    Seen,
}

impl ValidationOverlap {
    /// Validated studies of which the model has seen nothing that is known.
    pub fn unseen(&self) -> u64 {
        self.studies.saturating_sub(self.seen.unwrap_or_default())
    }

    /// What the validation is worth as an external one.
    pub fn independence(&self) -> Independence {
        match (self.seen.unwrap_or_default(), self.doubtful) {
            (0, _) if self.cohort == CohortKnowledge::Known => Independence::External,
            (0, _) => Independence::Unknown,
            (seen, Some(doubtful)) if doubtful == seen => Independence::MayOverlap,
            _ if self.unseen() == 0 => Independence::Seen,
            _ => Independence::Overlaps,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overlap(
        cohort: CohortKnowledge,
        seen: Option<u64>,
        doubtful: Option<u64>,
    ) -> ValidationOverlap {
        ValidationOverlap {
            cohort,
            studies: 16,
            seen,
            doubtful,
            by_study: seen,
            by_image: seen,
            by_patient: seen,
            by_patient_id: doubtful,
            all: None,
        }
    }

    #[test]
    fn a_validation_is_external_only_where_it_is_known_that_nothing_was_seen() {
        use CohortKnowledge::{Known, PartlyKnown, Unknown};
        for (cohort, seen, doubtful, expected) in [
            (Known, Some(0), Some(0), Independence::External),
            (PartlyKnown, Some(0), Some(0), Independence::Unknown),
            (Unknown, None, None, Independence::Unknown),
            (Known, Some(5), Some(4), Independence::Overlaps),
            (PartlyKnown, Some(5), Some(0), Independence::Overlaps),
            (Known, Some(5), Some(5), Independence::MayOverlap),
            (Known, Some(16), Some(16), Independence::MayOverlap),
            (Known, Some(16), Some(15), Independence::Seen),
        ] {
            let found = overlap(cohort, seen, doubtful);
            assert_eq!(found.independence(), expected, "{found:?}");
        }
        assert_eq!(overlap(Known, Some(5), Some(0)).unseen(), 11);
    }
}
