//! Pseudonyms: a study's UID becomes a number, and whoever holds `labels.csv` finds the way back.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
};

use sha2::{Digest, Sha256};

use super::blinding::Blinding;
use super::patients::PatientClue;
use super::{Covariates, Labels, Preference, Salt};
use attrium_imaging::Provenance;
use attrium_types::{Grade, random};

/// What is known of a labelled study, without its name.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelledStudy {
    /// The study's pseudonym, from 1 to the number of studies.
    pub study: u32,
    /// The patient's pseudonym, from 1 to the number of patients.
    pub patient: u32,
    /// Whether `labels.csv` names the patient; else the pseudonym is of this study alone.
    pub names_patient: bool,
    /// The reader's grade.
    pub grade: Grade,
    /// What else `labels.csv` says.
    pub covariates: Covariates,
}

/// The pseudonyms of all labelled studies under one seed.
///
/// `Debug` shows the number of studies alone.
#[derive(Clone, PartialEq)]
pub struct Pseudonyms {
    by_study: HashMap<String, LabelledStudy>,
    digest: String,
    blinding: Blinding,
}

impl Labels {
    /// Gives every study and every patient a number.
    ///
    /// The Study Instance UIDs are sorted and shuffled (Fisher and Yates, from a ChaCha8 stream);
    /// a study's pseudonym is its place, from 1. The stream is named by the seed and by the
    /// SHA-256 of the sorted UIDs, so that the seed alone, which a manifest shows, does not undo
    /// the shuffle: that takes all studies of `labels.csv`. The order of the rows and the
    /// other columns do not change a pseudonym.
    ///
    /// Patients are numbered likewise; a study without a patient's identifier is its own patient.
    pub fn pseudonymise(&self, seed: u64) -> Pseudonyms {
        let studies = numbers(
            seed,
            b"studies ",
            self.rows.iter().map(|row| Identifier::Study(&row.study)),
        );
        let patients = numbers(seed, b"patients", self.rows.iter().map(|row| row.patient()));
        let by_study = self.rows.iter().map(|row| {
            let labelled = LabelledStudy {
                study: studies[&Identifier::Study(&row.study)],
                patient: patients[&row.patient()],
                names_patient: row.patient.is_some(),
                grade: row.grade,
                covariates: row.covariates.clone(),
            };
            (row.study.clone(), labelled)
        });
        Pseudonyms {
            by_study: by_study.collect(),
            digest: hex::encode(self.digest(seed, b"")),
            blinding: Blinding::new(self.digest(seed, b"a secret of the run")),
        }
    }

    /// The SHA-256 of what it is for, of the seed and of every row, sorted by study.
    fn digest(&self, seed: u64, purpose: &[u8]) -> [u8; 32] {
        let mut rows: Vec<_> = self.rows.iter().collect();
        rows.sort_by(|a, b| a.study.cmp(&b.study));
        let mut digest = Sha256::new();
        digest.update(purpose);
        digest.update(seed.to_le_bytes());
        for row in rows {
            let patient = row.patient.clone().unwrap_or_default();
            let columns = row.covariates.columns().map(|(_, value)| value);
            let first = [row.study.clone(), patient, row.grade.to_string()];
            for value in first.into_iter().chain(columns) {
                digest.update((value.len() as u64).to_le_bytes());
                digest.update(value);
            }
        }
        digest.finalize().into()
    }
}

impl super::labels::Label {
    fn patient(&self) -> Identifier<'_> {
        match &self.patient {
            Some(patient) => Identifier::Patient(patient),
            None => Identifier::Study(&self.study),
        }
    }
}

/// What gets a pseudonym; a patient's identifier is never mistaken for a study's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Identifier<'a> {
    Patient(&'a str),
    Study(&'a str),
}

fn numbers<'a>(
    seed: u64,
    purpose: &[u8; 8],
    names: impl Iterator<Item = Identifier<'a>>,
) -> HashMap<Identifier<'a>, u32> {
    let names: BTreeSet<Identifier<'_>> = names.collect();
    let mut digest = Sha256::new();
    for name in &names {
        let (kind, text) = match name {
            Identifier::Patient(text) => (b'p', text),
            Identifier::Study(text) => (b's', text),
        };
        digest.update([kind]);
        digest.update((text.len() as u64).to_le_bytes());
        digest.update(text);
    }
    let digest = digest.finalize();
    let (words, _) = digest.as_chunks::<8>();
    let mut random = random::stream(
        seed,
        purpose,
        u64::from_le_bytes(words[0]),
        u64::from_le_bytes(words[1]),
    );
    let mut shuffled: Vec<Identifier<'_>> = names.into_iter().collect();
    random::shuffle(&mut random, &mut shuffled);
    shuffled.into_iter().zip(1..).collect()
}

impl Pseudonyms {
    /// What is known of a study; `None` where `labels.csv` does not have it.
    ///
    /// `uid` is the Study Instance UID as the object has it, padding included.
    pub fn of(&self, uid: &str) -> Option<&LabelledStudy> {
        self.by_study
            .get(uid.trim_matches(|c: char| c.is_whitespace() || c == '\0'))
    }

    /// What is known of each labelled study, in no order.
    pub fn studies(&self) -> impl Iterator<Item = &LabelledStudy> {
        self.by_study.values()
    }

    /// The Study Instance UID behind each pseudonym: the way back.
    pub fn link(&self) -> HashMap<u32, &str> {
        self.by_study
            .iter()
            .map(|(uid, labelled)| (labelled.study, uid.as_str()))
            .collect()
    }

    /// What stands for the labels: other studies, patients, grades or covariates have another digest.
    ///
    /// As with the shuffle, nobody can tell the labels by it who does not hold all of them.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The salt of the digests by which the scans of a training on these labels are known again.
    pub fn salt(&self) -> Salt {
        Salt::of_labels(&self.digest)
    }

    /// The preference of an object of a study, with its time on a clock of the study's own.
    pub fn dated(&self, study: u32, preference: Preference, provenance: &Provenance) -> Preference {
        let acquired = provenance.acquired;
        Preference {
            acquired: acquired.map(|minutes| self.blinding.minutes(study, minutes)),
            ..preference
        }
    }

    /// What tells whose an object of a study is.
    pub fn patient_clue(&self, labelled: &LabelledStudy, provenance: &Provenance) -> PatientClue {
        let id = provenance.patient.as_ref();
        PatientClue {
            patient: labelled.patient,
            is_named: labelled.names_patient,
            id: id.map(|id| self.blinding.patient(id.as_str())),
        }
    }

    /// Whether a run of these labels may have given a study this patient: the one that they name, else one whom
    /// Patient IDs tell, which is another named one or the first of those that nobody names
    /// ([`PatientGroups`](super::PatientGroups)).
    pub fn may_be_of(&self, labelled: &LabelledStudy, patient: u32) -> bool {
        let is_named = || {
            let mut studies = self.by_study.values();
            studies.any(|study| study.names_patient && study.patient == patient)
        };
        if labelled.names_patient {
            labelled.patient == patient
        } else {
            patient <= labelled.patient || is_named()
        }
    }

    /// What stands for the pixels of a crop, so that copies are known by it.
    pub fn blinded_pixels(&self, counts: &[f32]) -> String {
        self.blinding.pixels(counts)
    }

    /// An object's key, as it may stand in a table of pseudonyms.
    pub fn seal(&self, key: &str) -> String {
        self.blinding.seal(key)
    }

    /// The key of an object that was sealed with these labels; `None` where it was not.
    pub fn open(&self, sealed: &str) -> Option<String> {
        self.blinding.open(sealed)
    }

    /// How many studies there are.
    pub fn len(&self) -> usize {
        self.by_study.len()
    }

    /// Whether there is no study.
    pub fn is_empty(&self) -> bool {
        self.by_study.is_empty()
    }
}

impl fmt::Debug for Pseudonyms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pseudonyms")
            .field("studies", &self.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn labels(rows: &[(u32, &str)]) -> Labels {
        let mut table = "study,grade,patient\n".to_owned();
        for (study, patient) in rows {
            writeln!(table, "1.2.{study},{},{patient}", study % 4).unwrap();
        }
        Labels::parse(table.as_bytes()).unwrap()
    }

    fn many() -> Vec<(u32, &'static str)> {
        (0..100)
            .map(|study| (study, ["", "a", "b"][study as usize % 3]))
            .collect()
    }

    #[test]
    fn pseudonyms_number_all_studies_and_lead_back() {
        let pseudonyms = labels(&many()).pseudonymise(1);
        let link = pseudonyms.link();
        assert_eq!((pseudonyms.len(), link.len()), (100, 100));
        for number in 1..=100 {
            let study = link[&number];
            let labelled = pseudonyms.of(&format!("{study}\0")).unwrap();
            assert_eq!(labelled.study, number);
            let last: u32 = study.rsplit('.').next().unwrap().parse().unwrap();
            assert_eq!(u32::from(labelled.grade.value()), last % 4);
        }
        assert_eq!(pseudonyms.of("1.2.100"), None);
    }

    #[test]
    fn patients_have_numbers_of_their_own() {
        let pseudonyms =
            labels(&[(1, "a"), (2, "a"), (3, "1.2.4"), (4, ""), (5, "")]).pseudonymise(1);
        let patient = |study: u32| pseudonyms.of(&format!("1.2.{study}")).unwrap().patient;
        assert_eq!(patient(1), patient(2));
        let mut patients = [1, 3, 4, 5].map(patient);
        patients.sort_unstable();
        assert_eq!(
            patients,
            [1, 2, 3, 4],
            "a patient named like a study is another's"
        );
    }

    #[test]
    fn a_patient_whom_labels_name_is_the_only_one_that_a_study_may_be_of() {
        let pseudonyms = labels(&[(1, "a"), (2, "b"), (3, ""), (4, "")]).pseudonymise(1);
        let of = |study: u32| pseudonyms.of(&format!("1.2.{study}")).unwrap();
        let may = |study: u32, patient: u32| pseudonyms.may_be_of(of(study), patient);
        assert!(may(1, of(1).patient) && !may(1, of(2).patient) && !may(1, of(3).patient));
        assert!(may(3, of(3).patient) && may(3, of(1).patient) && may(3, of(2).patient));
        assert_ne!(may(3, of(4).patient), may(4, of(3).patient));
    }

    #[test]
    fn what_is_blinded_is_of_the_run_and_not_of_the_digest_that_it_shows() {
        let patient = |seed| {
            let pseudonyms = labels(&many()).pseudonymise(seed);
            let sealed = pseudonyms.seal("2014/a.dcm");
            assert_eq!(pseudonyms.open(&sealed).as_deref(), Some("2014/a.dcm"));
            assert_eq!(labels(&many()[1..]).pseudonymise(seed).open(&sealed), None);
            let digest = hex::decode(pseudonyms.digest()).unwrap();
            let guessed = Blinding::new(digest.try_into().unwrap());
            assert_eq!(guessed.open(&sealed), None);
            pseudonyms.blinded_pixels(&[1.0])
        };
        assert_ne!(patient(1), patient(2));
    }

    #[test]
    fn the_order_of_the_rows_does_not_matter() {
        let mut turned = many();
        turned.reverse();
        assert!(labels(&many()).pseudonymise(7) == labels(&turned).pseudonymise(7));
    }

    #[test]
    fn the_digest_tells_other_labels_and_not_another_order_or_a_column_that_is_not_used() {
        let digest = |table: &str| {
            let labels = Labels::parse(table.as_bytes()).unwrap();
            labels.pseudonymise(7).digest().to_owned()
        };
        let table = "study,grade,patient,age\n1.2.1,0,a,70\n1.2.2,3,b,80\n";
        let same = "grade,ward,study,patient,age\n3,7,1.2.2,b,80\n0,7,1.2.1,a,70.0\n";
        assert_eq!(digest(table), digest(same));
        for (from, to) in [
            ("1.2.1", "1.2.3"),
            ("a,70", "b,70"),
            ("2,3", "2,2"),
            ("80", "81"),
        ] {
            assert_ne!(digest(table), digest(&table.replace(from, to)), "{from}");
        }
        assert_ne!(digest(table), digest(&(table.to_owned() + "1.2.4,1,,\n")));
        let labels = Labels::parse(table.as_bytes()).unwrap();
        assert_ne!(labels.pseudonymise(8).digest(), digest(table));
    }

    #[test]
    fn the_seed_alone_does_not_undo_the_shuffle() {
        let order = |rows: &[(u32, &str)], seed| {
            let pseudonyms = labels(rows).pseudonymise(seed);
            (0..50)
                .map(|study| pseudonyms.of(&format!("1.2.{study}")).unwrap().study)
                .collect::<Vec<_>>()
        };
        let fifty = &many()[..50];
        let mut other = fifty.to_vec();
        other.push((400, ""));
        let (first, second) = (order(fifty, 1), order(&other, 1));
        let moved = first.iter().zip(&second).filter(|(a, b)| a != b).count();
        assert!(
            moved > 40,
            "one more study should move nearly all, not {moved}"
        );
        assert_ne!(first, order(fifty, 2));
    }
}
