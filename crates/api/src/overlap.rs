//! What the model of a screening was trained on among what it screens.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::status::add;
use attrium_types::CohortKnowledge;

/// What the model of a screening was trained on among what it screened. An object that is known in several ways counts
/// in each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct OverlapStatus {
    /// Known where the bundle tells what it was trained on, PartlyKnown where it started from one that does not, Unknown
    /// where it keeps nothing of it: then there are no counts.
    pub cohort: CohortKnowledge,
    /// Objects that were given a decision and of which the model has seen the study, the image or the patient, or may
    /// have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub objects: Option<u64>,
    /// Those of a study that it was trained on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub studies: Option<u64>,
    /// Those with the very image that it was trained on, under whatever identifiers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub images: Option<u64>,
    /// Those of a patient whose scan it was trained on, by Patient ID and date of birth.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patients: Option<u64>,
    /// Those whose Patient ID it was trained on with another date of birth, or none that is stated: another hospital
    /// may have given the number to somebody else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patient_ids: Option<u64>,
    /// With labels: validated studies of which the model has seen something, or may have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen_studies: Option<u64>,
    /// Of these, the ones that are known by a Patient ID alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doubtful_studies: Option<u64>,
    /// With labels: the other validated studies, which the figures of an external validation are of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unseen_studies: Option<u64>,
}

impl OverlapStatus {
    /// What the model has seen, in words, of so many screened objects or of the validated studies; `None` where that is
    /// nothing, and where it is not known and there is no validation.
    pub(super) fn words(&self, screened: u64, is_validated: bool) -> Option<String> {
        let found = match (self.seen_studies, self.unseen_studies, self.objects) {
            (Some(seen @ 1..), Some(0), _) => Some(format!(
                "this is no external validation, since {} all {seen} validated studies",
                self.has_seen()
            )),
            (Some(seen @ 1..), Some(unseen), _) => Some(format!(
                "{} {seen} of {} validated studies",
                self.has_seen(),
                seen + unseen
            )),
            (None, None, Some(objects @ 1..)) => Some(format!(
                "{} {objects} of {screened} screened objects",
                self.has_seen()
            )),
            _ => None,
        };
        let is_known = self.cohort == CohortKnowledge::Known;
        match found {
            Some(found) if is_known => Some(found),
            Some(found) => Some(format!(
                "{found}, and what else it was trained on is not known"
            )),
            None if is_known || !is_validated => None,
            None => Some(
                "whether the model was trained on the validated studies is not known".to_owned(),
            ),
        }
    }

    /// That it has seen something, or may have.
    fn has_seen(&self) -> &'static str {
        let is_doubtful = match self.seen_studies {
            Some(seen) => self.doubtful_studies == Some(seen),
            None => self.patient_ids == self.objects,
        };
        if is_doubtful {
            "by their Patient IDs the model may have been trained on patients of"
        } else {
            "the model was trained on scans or patients of"
        }
    }

    /// Adds what another shard has counted.
    pub(super) fn add(&mut self, other: &Self) {
        self.cohort = other.cohort;
        add(&mut self.objects, other.objects);
        add(&mut self.studies, other.studies);
        add(&mut self.images, other.images);
        add(&mut self.patients, other.patients);
        add(&mut self.patient_ids, other.patient_ids);
        add(&mut self.seen_studies, other.seen_studies);
        add(&mut self.doubtful_studies, other.doubtful_studies);
        add(&mut self.unseen_studies, other.unseen_studies);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Validated studies that were seen, by a Patient ID alone, and not seen.
    fn validated(seen: u64, doubtful: u64, unseen: u64) -> OverlapStatus {
        OverlapStatus {
            cohort: CohortKnowledge::Known,
            objects: Some(seen),
            seen_studies: Some(seen),
            doubtful_studies: Some(doubtful),
            unseen_studies: Some(unseen),
            ..OverlapStatus::default()
        }
    }

    #[test]
    fn what_a_model_has_seen_of_a_validation_is_said_and_so_is_what_nobody_knows() {
        let partly = |overlap| OverlapStatus {
            cohort: CohortKnowledge::PartlyKnown,
            ..overlap
        };
        for (overlap, expected) in [
            (validated(0, 0, 16), None),
            (
                validated(5, 1, 11),
                Some("the model was trained on scans or patients of 5 of 16 validated studies"),
            ),
            (
                validated(5, 5, 11),
                Some(
                    "by their Patient IDs the model may have been trained on patients of 5 of 16 validated \
                     studies",
                ),
            ),
            (
                validated(16, 0, 0),
                Some(
                    "this is no external validation, since the model was trained on scans or patients of all 16 \
                     validated studies",
                ),
            ),
            (
                partly(validated(5, 1, 11)),
                Some(
                    "the model was trained on scans or patients of 5 of 16 validated studies, and what else it was \
                     trained on is not known",
                ),
            ),
            (
                partly(validated(0, 0, 16)),
                Some("whether the model was trained on the validated studies is not known"),
            ),
            (
                OverlapStatus::default(),
                Some("whether the model was trained on the validated studies is not known"),
            ),
        ] {
            assert_eq!(overlap.words(20, true).as_deref(), expected);
        }
    }

    #[test]
    fn without_labels_it_is_said_of_objects_and_what_is_not_known_is_no_news() {
        let screened = |objects, patient_ids| OverlapStatus {
            cohort: CohortKnowledge::Known,
            objects: Some(objects),
            patient_ids: Some(patient_ids),
            ..OverlapStatus::default()
        };
        let words = |overlap: OverlapStatus| overlap.words(20, false);
        assert_eq!(words(screened(0, 0)), None);
        assert_eq!(words(OverlapStatus::default()), None);
        assert_eq!(
            words(screened(5, 1)).as_deref(),
            Some("the model was trained on scans or patients of 5 of 20 screened objects")
        );
        assert!(words(screened(5, 5)).is_some_and(|words| words.contains("may have been")));
    }

    #[test]
    fn counts_of_shards_are_added_and_unknown_ones_stay_unknown() {
        let mut sum = validated(5, 1, 11);
        sum.add(&validated(1, 1, 2));
        assert_eq!(
            sum,
            OverlapStatus {
                objects: Some(6),
                ..validated(6, 2, 13)
            }
        );
        let mut unknown = OverlapStatus::default();
        unknown.add(&OverlapStatus::default());
        assert_eq!(unknown.objects, None);
        let json = serde_json::to_string(&unknown).expect("JSON");
        assert_eq!(json, r#"{"cohort":"Unknown"}"#);
    }
}
