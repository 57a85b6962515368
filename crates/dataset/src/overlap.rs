//! What of a scan a model was trained on, as far as that is known.

use attrium_types::CohortKnowledge;

/// What of a scan a model was trained on: the study, the very image, the patient.
///
/// Without a finding only [`CohortKnowledge::Known`] means that the model has not seen it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overlap {
    /// Whether it is known what the model was trained on.
    pub cohort: CohortKnowledge,
    /// A scan of the study, by its Study Instance UID.
    pub study: bool,
    /// The image, count by count, under whatever identifiers.
    pub image: bool,
    /// A scan of the patient, by Patient ID and date of birth; or one whose patient is this one's otherwise.
    pub patient: bool,
    /// A scan of somebody with the Patient ID, whose date of birth is another or not stated: another hospital may have
    /// given the number to somebody else.
    pub patient_id: bool,
}

/// The word for an image whose model is known, and has not seen it.
const NONE: &str = "none";
/// The word where nobody knows what the model was trained on.
const UNKNOWN: &str = "unknown";
/// The word that stands behind the others where that is known in part.
const PARTLY_KNOWN: &str = "partly-known";

impl Overlap {
    /// That of a scan whose model does not tell what it was trained on.
    pub const UNKNOWN: Self = Self {
        cohort: CohortKnowledge::Unknown,
        study: false,
        image: false,
        patient: false,
        patient_id: false,
    };

    /// Whether the model has seen something of it, or may have.
    pub fn is_any(self) -> bool {
        self.is_certain() || self.patient_id
    }

    /// Whether the model has surely seen something of it.
    pub fn is_certain(self) -> bool {
        self.study || self.image || self.patient
    }

    /// What is found of either.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            cohort: self.cohort.max(other.cohort),
            study: self.study || other.study,
            image: self.image || other.image,
            patient: self.patient || other.patient,
            patient_id: self.patient_id || other.patient_id,
        }
    }

    /// What is found, in the words of a table, at least one.
    pub fn words(self) -> Vec<&'static str> {
        let found = [
            (self.study, "study"),
            (self.image, "image"),
            (self.patient, "patient"),
            (self.patient_id, "patient-id"),
        ];
        let found = found.iter().filter(|(is_found, _)| *is_found);
        let mut words: Vec<_> = found.map(|(_, word)| *word).collect();
        match self.cohort {
            CohortKnowledge::Unknown => return vec![UNKNOWN],
            CohortKnowledge::Known | CohortKnowledge::PartlyKnown if words.is_empty() => {
                words.push(NONE)
            }
            CohortKnowledge::Known | CohortKnowledge::PartlyKnown => {}
        }
        words.extend((self.cohort == CohortKnowledge::PartlyKnown).then_some(PARTLY_KNOWN));
        words
    }

    /// Reads [`Self::words`], parted by blanks.
    pub fn parse(text: &str) -> Option<Self> {
        let mut overlap = Self {
            cohort: CohortKnowledge::Known,
            ..Self::UNKNOWN
        };
        for word in text.split(' ') {
            match word {
                "study" => overlap.study = true,
                "image" => overlap.image = true,
                "patient" => overlap.patient = true,
                "patient-id" => overlap.patient_id = true,
                PARTLY_KNOWN => overlap.cohort = CohortKnowledge::PartlyKnown,
                UNKNOWN => overlap.cohort = CohortKnowledge::Unknown,
                NONE => {}
                _ => return None,
            }
        }
        (overlap.words().join(" ") == text).then_some(overlap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_found_is_none_only_where_the_cohort_is_known() {
        let of = |cohort| Overlap {
            cohort,
            ..Overlap::UNKNOWN
        };
        let words = |cohort| of(cohort).words().join(" ");
        assert_eq!(words(CohortKnowledge::Known), "none");
        assert_eq!(words(CohortKnowledge::PartlyKnown), "none partly-known");
        assert_eq!(words(CohortKnowledge::Unknown), "unknown");
        assert!(!Overlap::UNKNOWN.is_any());
    }

    #[test]
    fn a_number_that_another_hospital_may_have_given_is_no_certainty() {
        let by_number = Overlap {
            patient_id: true,
            ..Overlap::UNKNOWN
        };
        assert!(by_number.is_any() && !by_number.is_certain());
        let by_image = Overlap {
            image: true,
            ..Overlap::UNKNOWN
        };
        assert!(by_number.or(by_image).is_certain());
    }

    proptest! {
        #[test]
        fn words_read_back_as_they_were_written(found in any::<[bool; 4]>(), partly in any::<bool>()) {
            let [study, image, patient, patient_id] = found;
            let cohort = if partly { CohortKnowledge::PartlyKnown } else { CohortKnowledge::Known };
            let overlap = Overlap { cohort, study, image, patient, patient_id };
            prop_assert_eq!(Overlap::parse(&overlap.words().join(" ")), Some(overlap));
        }

        #[test]
        fn no_other_text_is_read(text in "(study|image|none|unknown|partly-known| |,){0,5}") {
            if let Some(overlap) = Overlap::parse(&text) {
                prop_assert_eq!(overlap.words().join(" "), text);
            }
        }
    }
}
