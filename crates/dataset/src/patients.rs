//! Which studies are of one patient: by `labels.csv`, and where that does not say, by Patient ID.

use std::collections::{BTreeMap, BTreeSet};

use super::covariates::yes_or_no;

/// More studies than these are of no one patient: bone scans are months apart.
const MOST: usize = 10;
/// Up to so many studies a Patient ID may be that of more than half of a cohort.
const FEW: usize = 2;

/// What tells whose an object is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatientClue {
    /// The patient's pseudonym by `labels.csv`; of the study alone where that names no patient.
    pub patient: u32,
    /// Whether `labels.csv` names the patient.
    pub is_named: bool,
    /// The object's Patient ID, blinded, where it tells patients apart.
    pub id: Option<String>,
}

impl PatientClue {
    /// The columns of a table that keeps it, beside the patient's pseudonym.
    pub const COLUMNS: [&'static str; 2] = ["names_patient", "patient_id"];

    /// The values of [`Self::COLUMNS`].
    pub fn columns(&self) -> [String; 2] {
        let id = self.id.clone().unwrap_or_default();
        [yes_or_no(self.is_named).to_owned(), id]
    }

    /// Reads the values of [`Self::COLUMNS`]; `None` where they are not as [`Self::columns`] wrote them.
    pub fn parse(patient: u32, [names_patient, id]: [&str; 2]) -> Option<Self> {
        Some(Self {
            patient,
            is_named: match names_patient {
                "yes" => true,
                "no" => false,
                _ => return None,
            },
            id: parse_id(id),
        })
    }
}

/// The column `patient_id`, which is empty where nothing is stated.
pub(super) fn parse_id(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// How the patients of some studies are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PatientCounts {
    /// Studies whose patient `labels.csv` names.
    pub named: usize,
    /// Studies whose patient a Patient ID tells.
    pub by_id: usize,
    /// Studies whose patient neither tells, so that each counts as a patient.
    pub unknown: usize,
    /// Patient IDs whose studies `labels.csv` gives to several patients; it is followed.
    pub conflicts: usize,
}

impl PatientCounts {
    /// What a reader should know: a sentence for each kind of doubt.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.unknown > 0 {
            warnings.push(format!(
                "the patients of {} studies are not known, so that two studies of one may be on both sides of a split: \
                 give labels.csv a column patient, or images their Patient ID",
                self.unknown
            ));
        }
        if self.conflicts > 0 {
            warnings.push(format!(
                "labels.csv gives the studies of {} Patient IDs to several patients each: check its column patient, which \
                 is followed",
                self.conflicts
            ));
        }
        warnings
    }
}

/// The patient of each study.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PatientGroups {
    by_study: BTreeMap<u32, Known>,
    /// The blinded IDs that are one patient's.
    ids: BTreeSet<String>,
    conflicts: usize,
}

/// A study's patient and how he is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Known {
    patient: u32,
    is_named: bool,
    has_id: bool,
}

impl PatientGroups {
    /// Groups studies by what their objects tell, one entry an object, in any order.
    ///
    /// Where `labels.csv` names the patient it is followed. Other studies are of one patient where a Patient ID is
    /// on objects of both, and of a named patient where it is on his. A group has the least of its pseudonyms. An ID
    /// that more than 10 studies share, or more than half of them where these are more than 2, is no patient's: some
    /// exporters write one for all.
    pub fn new(objects: impl IntoIterator<Item = (u32, PatientClue)>) -> Self {
        let mut groups = Self::default();
        let mut studies_of: BTreeMap<String, BTreeSet<u32>> = BTreeMap::new();
        for (study, clue) in objects {
            groups.by_study.entry(study).or_insert(Known {
                patient: clue.patient,
                is_named: clue.is_named,
                has_id: false,
            });
            if let Some(id) = clue.id {
                studies_of.entry(id).or_default().insert(study);
            }
        }
        let identified: BTreeSet<u32> = studies_of.values().flatten().copied().collect();
        studies_of.retain(|_, studies| is_of_one(studies.len(), identified.len()));
        groups.ids = studies_of.keys().cloned().collect();
        groups.join(studies_of.into_values().collect());
        groups
    }

    /// Gives the studies that have a Patient ID in common one patient: the named one, where there is one.
    fn join(&mut self, sets: Vec<BTreeSet<u32>>) {
        let mut groups = Vec::new();
        for studies in sets {
            let named = self.named_patients(&studies);
            self.conflicts += usize::from(named.len() > 1);
            let is_unnamed = |study: &u32| !self.by_study[study].is_named;
            let unnamed = studies.into_iter().filter(is_unnamed).collect();
            groups.push(Group { unnamed, named });
        }
        for Group { unnamed, named } in disjoint(groups) {
            let own = unnamed.iter().map(|study| self.by_study[study].patient);
            let Some(patient) = named.first().copied().or_else(|| own.min()) else {
                continue;
            };
            for study in unnamed {
                self.by_study.entry(study).and_modify(|known| {
                    known.patient = patient;
                    known.has_id = true;
                });
            }
        }
    }

    fn named_patients(&self, studies: &BTreeSet<u32>) -> BTreeSet<u32> {
        let known = studies.iter().map(|study| self.by_study[study]);
        let named = known.filter(|known| known.is_named);
        named.map(|known| known.patient).collect()
    }

    /// The pseudonym of a study's patient; `None` where no object is of the study.
    pub fn of(&self, study: u32) -> Option<u32> {
        self.by_study.get(&study).map(|known| known.patient)
    }

    /// Whether a blinded Patient ID is one patient's, and not what an exporter writes for all.
    pub fn is_of_one(&self, id: &str) -> bool {
        self.ids.contains(id)
    }

    /// How the patients of these studies are known.
    pub fn counts(&self, studies: impl IntoIterator<Item = u32>) -> PatientCounts {
        let mut counts = PatientCounts {
            conflicts: self.conflicts,
            ..PatientCounts::default()
        };
        for study in studies {
            match self.by_study.get(&study) {
                Some(known) if known.is_named => counts.named += 1,
                Some(known) if known.has_id => counts.by_id += 1,
                _ => counts.unknown += 1,
            }
        }
        counts
    }
}

/// Whether so many studies may be of one patient, of so many that have a Patient ID.
fn is_of_one(studies: usize, identified: usize) -> bool {
    studies <= MOST && (studies <= FEW || 2 * studies <= identified)
}

/// Studies that Patient IDs make one patient's.
#[derive(Debug)]
struct Group {
    /// Those that `labels.csv` names no patient of.
    unnamed: BTreeSet<u32>,
    /// The named patients who have one of the IDs.
    named: BTreeSet<u32>,
}

/// The groups that remain when those that share an unnamed study are made one.
fn disjoint(groups: Vec<Group>) -> Vec<Group> {
    let mut apart: Vec<Group> = Vec::new();
    let mut place_of: BTreeMap<u32, usize> = BTreeMap::new();
    for mut group in groups {
        let places = group.unnamed.iter().filter_map(|it| place_of.get(it));
        let met: BTreeSet<usize> = places.copied().collect();
        for place in met {
            group.unnamed.append(&mut apart[place].unnamed);
            group.named.append(&mut apart[place].named);
        }
        place_of.extend(group.unnamed.iter().map(|&study| (study, apart.len())));
        apart.push(group);
    }
    apart
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn clue(patient: u32, is_named: bool, id: &str) -> PatientClue {
        PatientClue {
            patient,
            is_named,
            id: Some(id.to_owned()).filter(|id| !id.is_empty()),
        }
    }

    /// Studies that labels.csv names no patient of: each is its own.
    fn unnamed(ids: &[(u32, &str)]) -> PatientGroups {
        let objects = ids
            .iter()
            .map(|&(study, id)| (study, clue(100 + study, false, id)));
        PatientGroups::new(objects)
    }

    #[test]
    fn studies_of_one_patient_id_are_of_one_patient() {
        let groups = unnamed(&[(1, "a"), (2, "b"), (3, "a"), (4, "c"), (5, "")]);
        assert_eq!(groups.of(1), groups.of(3));
        let patients: BTreeSet<_> = [1, 2, 4, 5].map(|study| groups.of(study)).into();
        assert_eq!(patients.len(), 4);
        let counts = groups.counts(1..=5);
        assert_eq!((counts.named, counts.by_id, counts.unknown), (0, 4, 1));
        let warnings = counts.warnings();
        assert!(
            warnings[0].contains("of 1 studies are not known"),
            "{warnings:?}"
        );
    }

    #[test]
    fn the_column_patient_is_followed_and_what_contradicts_it_is_counted() {
        let groups = PatientGroups::new([
            (1, clue(7, true, "a")),
            (2, clue(8, true, "a")),
            (3, clue(8, true, "b")),
            (4, clue(9, false, "b")),
            (5, clue(10, true, "c")),
            (6, clue(11, true, "d")),
            (7, clue(12, true, "e")),
        ]);
        let patients = [1, 2, 3, 4].map(|study| groups.of(study));
        assert_eq!(
            patients,
            [7, 8, 8, 8].map(Some),
            "a study without a name joins the named one"
        );
        let counts = groups.counts(1..=7);
        assert_eq!(
            (counts.named, counts.by_id, counts.unknown, counts.conflicts),
            (6, 1, 0, 1)
        );
        assert!(counts.warnings()[0].contains("of 1 Patient IDs"));
    }

    #[test]
    fn a_study_without_a_name_is_never_given_to_a_patient_who_has_none_of_its_identifiers() {
        let groups = PatientGroups::new([
            (1, clue(7, true, "a")),
            (2, clue(8, true, "a")),
            (2, clue(8, true, "b")),
            (3, clue(9, false, "b")),
            (4, clue(10, false, "c")),
        ]);
        assert_eq!((groups.of(3), groups.of(4)), (Some(8), Some(10)));
    }

    #[test]
    fn an_identifier_of_too_many_studies_is_no_patients() {
        let many: Vec<(u32, &str)> = (0..40)
            .map(|study| (study, if study < 11 { "x" } else { "" }))
            .collect();
        assert_eq!(unnamed(&many).counts(0..40).unknown, 40);
        assert!(!unnamed(&many).is_of_one("x") && unnamed(&many[..2]).is_of_one("x"));
        let all: Vec<(u32, &str)> = (0..4).map(|study| (study, "x")).collect();
        assert_eq!(unnamed(&all).counts(0..4).unknown, 4);
        let names: Vec<String> = (0..40).map(|study| (study / 10).to_string()).collect();
        let tens: Vec<(u32, &str)> = (0..40).zip(names.iter().map(String::as_str)).collect();
        assert_eq!(unnamed(&tens).counts(0..40).by_id, 40);
        let two = unnamed(&[(1, "x"), (2, "x")]);
        assert_eq!(two.of(1), two.of(2));
    }

    #[test]
    fn objects_of_one_study_under_two_identifiers_join_both_patients() {
        let groups = unnamed(&[
            (1, "a"),
            (1, "b"),
            (2, "b"),
            (3, "a"),
            (4, "c"),
            (5, "d"),
            (6, "e"),
        ]);
        assert_eq!(groups.of(2), groups.of(3));
        assert_eq!(groups.of(1), groups.of(3));
        assert_ne!(groups.of(1), groups.of(4));
    }

    proptest! {
        #[test]
        fn no_order_of_the_objects_changes_a_patient(
            objects in prop::collection::vec((0_u32..12, 0_u8..8, any::<bool>()), 1..30),
            turn in 0_usize..30,
        ) {
            let named = |study: u32| study.is_multiple_of(3);
            let clues: Vec<_> = objects
                .iter()
                .map(|&(study, id, has)| {
                    let id = if has { id.to_string() } else { String::new() };
                    let patient = if named(study) { study / 6 } else { 100 + study };
                    (study, clue(patient, named(study), &id))
                })
                .collect();
            let mut turned = clues.clone();
            turned.rotate_left(turn % clues.len());
            prop_assert_eq!(PatientGroups::new(clues), PatientGroups::new(turned));
        }
    }
}
