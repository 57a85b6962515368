//! `cohort.json` of a bundle: digests of what a model was trained on, by which its scans are known again.
//!
//! A model that started from another has seen that one's scans, too: their digests stay under their own salt.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use snafu::{OptionExt, ResultExt, Snafu, ensure};

use super::Overlap;
use super::scan_digests::{PatientDigest, Salt, ScanDigests, ScanIdentity, ShortDigest};
use attrium_types::CohortKnowledge;

/// The version of the file that is written and read here.
const VERSION: u32 = 1;
/// The most cohorts that a file has: so many times a model may have started from another.
const MOST_COHORTS: usize = 64;

/// The digests of one cohort.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaltedDigests {
    salt: Salt,
    studies: BTreeSet<ShortDigest>,
    patients: BTreeSet<PatientDigest>,
    images: BTreeSet<ShortDigest>,
}

impl SaltedDigests {
    /// No scan yet.
    pub fn new(salt: Salt) -> Self {
        Self {
            salt,
            studies: BTreeSet::new(),
            patients: BTreeSet::new(),
            images: BTreeSet::new(),
        }
    }

    /// Adds a scan; `has_patient` says whether its Patient ID is one patient's.
    pub fn add(&mut self, scan: &ScanDigests, has_patient: bool) {
        self.studies.insert(scan.study);
        self.images.insert(scan.image);
        self.patients.extend(scan.patient.filter(|_| has_patient));
    }

    /// How many studies there are.
    pub fn studies(&self) -> usize {
        self.studies.len()
    }

    /// How many patients there are, by their Patient IDs; of none of the others is anything kept.
    pub fn patients(&self) -> usize {
        let ids = self.patients.iter().map(|patient| patient.id);
        ids.collect::<BTreeSet<_>>().len()
    }

    /// How many images there are.
    pub fn images(&self) -> usize {
        self.images.len()
    }

    fn overlap(&self, scan: &ScanIdentity) -> Overlap {
        let scan = scan.under(self.salt);
        let (patient, patient_id) = match scan.patient {
            Some(patient) => self.find(patient),
            None => (false, false),
        };
        Overlap {
            cohort: CohortKnowledge::Known,
            study: self.studies.contains(&scan.study),
            image: self.images.contains(&scan.image),
            patient,
            patient_id,
        }
    }

    /// Whether a patient is there by ID and date of birth, else whether by the ID alone.
    fn find(&self, patient: PatientDigest) -> (bool, bool) {
        let id = patient.id;
        let (first, last) = (None, Some(u8::MAX));
        let of_birth = |birth| PatientDigest { id, birth };
        let mut known = self
            .patients
            .range(of_birth(first)..=of_birth(last))
            .peekable();
        let is_known = known.peek().is_some();
        let is_same = known.any(|known| known.birth.is_some() && known.birth == patient.birth);
        (is_same, is_known && !is_same)
    }
}

/// The digests of all that a model has seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CohortDigests {
    /// Its own cohort, then that of the model that it started from, and so on.
    cohorts: Vec<SaltedDigests>,
    /// The digests of the bundles among them that keep nothing of theirs.
    unknown: BTreeSet<String>,
    /// Whether it was recalibrated on scans of which nothing is kept.
    is_recalibrated_on_others: bool,
}

impl CohortDigests {
    /// Of a model that started from none.
    pub fn new(own: SaltedDigests) -> Self {
        Self {
            cohorts: vec![own],
            unknown: BTreeSet::new(),
            is_recalibrated_on_others: false,
        }
    }

    /// Adds what the bundle of this digest has seen, from which the model started; `None` where that does not tell.
    pub fn started_from(mut self, bundle: &str, seen: Option<Self>) -> Self {
        let Some(seen) = seen else {
            self.unknown.insert(bundle.to_owned());
            return self;
        };
        for cohort in seen.cohorts {
            if !self.cohorts.contains(&cohort) {
                self.cohorts.push(cohort);
            }
        }
        self.unknown.extend(seen.unknown);
        self.is_recalibrated_on_others |= seen.is_recalibrated_on_others;
        self
    }

    /// Adds scans that it was recalibrated on, of which nothing is kept.
    pub fn recalibrated_on_others(self) -> Self {
        Self {
            is_recalibrated_on_others: true,
            ..self
        }
    }

    /// The model's own cohort.
    pub fn own(&self) -> Option<&SaltedDigests> {
        self.cohorts.first()
    }

    /// The cohorts of the models that it started from, the last one first.
    pub fn earlier(&self) -> &[SaltedDigests] {
        self.cohorts.get(1..).unwrap_or_default()
    }

    /// Whether every bundle that it started from keeps what it was trained on.
    pub fn tells_all_before(&self) -> bool {
        self.unknown.is_empty()
    }

    /// Whether it was recalibrated on scans of which nothing is kept.
    pub fn is_recalibrated_on_others(&self) -> bool {
        self.is_recalibrated_on_others
    }

    /// Whether that is all that the model has seen.
    pub fn knowledge(&self) -> CohortKnowledge {
        if self.unknown.is_empty() && !self.is_recalibrated_on_others {
            CohortKnowledge::Known
        } else {
            CohortKnowledge::PartlyKnown
        }
    }

    /// Whether the model has seen a scan, its study or its patient.
    pub fn overlap(&self, scan: &ScanIdentity) -> Overlap {
        let found = self.cohorts.iter().map(|cohort| cohort.overlap(scan));
        let mut overlap = found.fold(Overlap::default(), Overlap::or);
        overlap.cohort = self.knowledge();
        overlap
    }

    /// The file's content, the same for the same digests.
    ///
    /// # Errors
    /// When there are more cohorts than [`Self::from_json`] reads, and when the writer fails.
    pub fn to_json(&self) -> Result<Vec<u8>, CohortFileError> {
        let are_few = self.cohorts.len() <= MOST_COHORTS;
        ensure!(are_few, ListsSnafu { list: "cohorts" });
        let file = File {
            format_version: VERSION,
            cohorts: self.cohorts.iter().map(Lists::of).collect(),
            unknown: self.unknown.iter().cloned().collect(),
            recalibrated_on_others: self.is_recalibrated_on_others,
        };
        let mut json = serde_json::to_vec(&file).context(JsonSnafu)?;
        json.push(b'\n');
        Ok(json)
    }

    /// Reads what [`Self::to_json`] wrote.
    ///
    /// # Errors
    /// [`CohortFileError`], for a file of another version, and for lists that are not of digests, or not each once and in
    /// order.
    pub fn from_json(json: &[u8]) -> Result<Self, CohortFileError> {
        let Versioned { format_version } = serde_json::from_slice(json).context(JsonSnafu)?;
        ensure!(
            format_version == u64::from(VERSION),
            VersionSnafu {
                found: format_version
            }
        );
        let file: File = serde_json::from_slice(json).context(JsonSnafu)?;
        let is_of_one = (1..=MOST_COHORTS).contains(&file.cohorts.len());
        ensure!(is_of_one, ListsSnafu { list: "cohorts" });
        let cohorts = file
            .cohorts
            .iter()
            .map(Lists::read)
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            cohorts,
            unknown: Some(&file.unknown)
                .filter(|bundles| bundles.iter().all(|bundle| is_bundles(bundle)))
                .and_then(|bundles| each_once(bundles))
                .context(ListsSnafu { list: "unknown" })?,
            is_recalibrated_on_others: file.recalibrated_on_others,
        })
    }
}

/// Why a file of digests cannot be used.
#[derive(Debug, Snafu)]
pub enum CohortFileError {
    /// It is no such JSON.
    #[snafu(display("its JSON cannot be read"))]
    Json {
        /// What is wrong, and where.
        source: serde_json::Error,
    },
    /// It is of another version.
    #[snafu(display("it is of version {found}, which this attrium does not read"))]
    Version {
        /// The version.
        found: u64,
    },
    /// A list has other than digests, or not each once and in order.
    #[snafu(display("its list {list} is not as it has to be: digests, each once and in order"))]
    Lists {
        /// The list.
        list: &'static str,
    },
}

/// The file.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    format_version: u32,
    cohorts: Vec<Lists>,
    #[serde(default)]
    unknown: Vec<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    recalibrated_on_others: bool,
}

/// What a file of any version has.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Versioned {
    format_version: u64,
}

/// A cohort in the file.
#[derive(Serialize, Deserialize)]
struct Lists {
    salt: String,
    studies: Vec<String>,
    patients: Vec<String>,
    images: Vec<String>,
}

impl Lists {
    fn of(cohort: &SaltedDigests) -> Self {
        Self {
            salt: cohort.salt.to_string(),
            studies: texts(&cohort.studies),
            patients: texts(&cohort.patients),
            images: texts(&cohort.images),
        }
    }

    fn read(&self) -> Result<SaltedDigests, CohortFileError> {
        Ok(SaltedDigests {
            salt: self
                .salt
                .parse()
                .ok()
                .context(ListsSnafu { list: "salt" })?,
            studies: each_once(&self.studies).context(ListsSnafu { list: "studies" })?,
            patients: each_once(&self.patients).context(ListsSnafu { list: "patients" })?,
            images: each_once(&self.images).context(ListsSnafu { list: "images" })?,
        })
    }
}

fn texts<T: Display>(digests: &BTreeSet<T>) -> Vec<String> {
    digests.iter().map(T::to_string).collect()
}

/// Whether a text is the digest of a bundle.
fn is_bundles(text: &str) -> bool {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let digits = text.strip_prefix("sha256:");
    digits.is_some_and(|digits| digits.len() == 64 && digits.bytes().all(is_digit))
}

/// Texts as what they stand for; `None` where one stands for nothing, or does not come after the last.
fn each_once<T: FromStr + Ord>(texts: &[String]) -> Option<BTreeSet<T>> {
    let parsed: Option<Vec<T>> = texts.iter().map(|text| text.parse().ok()).collect();
    let parsed = parsed?;
    let is_in_order = parsed.is_sorted_by(|a, b| a < b);
    is_in_order.then(|| parsed.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan_digests::tests::identity;
    use proptest::prelude::*;

    fn salted(labels: &str, scans: &[ScanIdentity]) -> SaltedDigests {
        let salt = Salt::of_labels(labels);
        let mut digests = SaltedDigests::new(salt);
        for scan in scans {
            digests.add(&scan.under(salt), true);
        }
        digests
    }

    fn scan(number: u32) -> ScanIdentity {
        let (study, patient) = (format!("1.2.{number}"), format!("PAT-{number}"));
        identity(&study, &patient, Some(number.into()), number as f32)
    }

    fn seen() -> CohortDigests {
        CohortDigests::new(salted("a", &[scan(1), scan(2), scan(3)]))
    }

    fn bundle(number: u32) -> String {
        format!("sha256:{number:064x}")
    }

    fn words(overlap: Overlap) -> String {
        overlap.words().join(" ")
    }

    #[test]
    fn a_scan_is_known_again_by_study_by_patient_and_by_image() {
        let seen = seen();
        for (study, patient, born, count, expected) in [
            ("1.2.1", "PAT-1", Some(1), 1.0, "study image patient"),
            ("9.9.9", "PAT-1", Some(1), 9.0, "patient"),
            ("9.9.9", "pat -1", Some(1), 9.0, "patient"),
            ("9.9.9", "PAT-1", None, 9.0, "patient-id"),
            ("9.9.9", "PAT-1", Some(900), 9.0, "patient-id"),
            ("9.9.9", "X-9", Some(1), 1.0, "image"),
            ("1.2.1", "X-9", None, 9.0, "study"),
            ("9.9.9", "X-9", Some(1), 9.0, "none"),
            ("9.9.9", "anonymous", None, 9.0, "none"),
        ] {
            let found = seen.overlap(&identity(study, patient, born, count));
            assert_eq!(words(found), expected, "{study} {patient} {born:?} {count}");
        }
    }

    #[test]
    fn a_patient_id_that_is_no_patients_is_not_kept() {
        let salt = Salt::of_labels("a");
        let mut digests = SaltedDigests::new(salt);
        digests.add(&scan(1).under(salt), false);
        assert_eq!(
            (digests.studies(), digests.patients(), digests.images()),
            (1, 0, 1)
        );
        let same_patient = identity("9.9.9", "PAT-1", Some(1), 9.0);
        assert_eq!(
            words(CohortDigests::new(digests).overlap(&same_patient)),
            "none"
        );
    }

    #[test]
    fn a_model_has_seen_what_the_one_has_that_it_started_from() {
        let child = CohortDigests::new(salted("b", &[scan(7)]));
        assert_eq!(words(child.overlap(&scan(2))), "none");
        let child = child.started_from(&bundle(1), Some(seen()));
        assert_eq!(
            (child.earlier().len(), child.knowledge()),
            (1, CohortKnowledge::Known)
        );
        for known in [2, 7] {
            assert_eq!(words(child.overlap(&scan(known))), "study image patient");
        }
        assert_eq!(words(child.overlap(&scan(8))), "none");
        let again =
            CohortDigests::new(salted("b", &[scan(7)])).started_from(&bundle(2), Some(child));
        assert_eq!(again.earlier().len(), 1, "a cohort is there once");
    }

    #[test]
    fn more_cohorts_than_are_read_are_not_written() {
        let own = |number: usize| CohortDigests::new(salted(&number.to_string(), &[]));
        let seen = (1..MOST_COHORTS).fold(own(0), |seen, number| {
            own(number).started_from(&bundle(1), Some(seen))
        });
        let json = seen.to_json().unwrap();
        assert_eq!(CohortDigests::from_json(&json).unwrap(), seen);
        let more = own(MOST_COHORTS).started_from(&bundle(1), Some(seen));
        assert!(more.to_json().is_err());
    }

    #[test]
    fn a_model_that_started_from_one_that_does_not_tell_has_seen_what_nobody_knows() {
        let child = seen().started_from(&bundle(1), None);
        assert_eq!(child.knowledge(), CohortKnowledge::PartlyKnown);
        assert_eq!(words(child.overlap(&scan(8))), "none partly-known");
        assert_eq!(
            words(child.overlap(&scan(1))),
            "study image patient partly-known"
        );
        let grandchild =
            CohortDigests::new(salted("b", &[scan(7)])).started_from(&bundle(2), Some(child));
        assert_eq!(grandchild.knowledge(), CohortKnowledge::PartlyKnown);
        let read = CohortDigests::from_json(&grandchild.to_json().unwrap()).unwrap();
        assert_eq!(read, grandchild);
    }

    #[test]
    fn a_model_that_was_recalibrated_on_scans_that_nobody_kept_knows_a_part() {
        let child = seen().recalibrated_on_others();
        assert_eq!(words(child.overlap(&scan(8))), "none partly-known");
        let read = CohortDigests::from_json(&child.to_json().unwrap()).unwrap();
        assert_eq!(read, child);
        let own = CohortDigests::new(salted("b", &[scan(7)]));
        let grandchild = own.started_from(&bundle(1), Some(child));
        assert_eq!(grandchild.knowledge(), CohortKnowledge::PartlyKnown);
    }

    #[test]
    fn the_file_depends_on_no_order_and_holds_no_identifier() {
        let turned = CohortDigests::new(salted("a", &[scan(3), scan(1), scan(2), scan(1)]));
        let json = seen().to_json().unwrap();
        assert_eq!(turned.to_json().unwrap(), json);
        assert_eq!(CohortDigests::from_json(&json).unwrap(), seen());
        let text = String::from_utf8(json).unwrap();
        for identifier in ["1.2.1", "PAT-", "pat-"] {
            assert!(!text.contains(identifier), "{text}");
        }
    }

    #[test]
    fn ten_thousand_studies_take_less_than_a_megabyte() {
        let salt = Salt::of_labels("a");
        let mut digests = SaltedDigests::new(salt);
        let one = scan(1).under(salt);
        let digest = |number: u64| format!("{number:016x}").parse::<ShortDigest>().unwrap();
        for number in 0..10_000 {
            let study = digest(number);
            let patient = one.patient.map(|patient| PatientDigest {
                id: study,
                ..patient
            });
            digests.add(
                &ScanDigests {
                    study,
                    patient,
                    image: study,
                },
                true,
            );
        }
        let json = CohortDigests::new(digests).to_json().unwrap();
        assert!((500_000..1_000_000).contains(&json.len()), "{}", json.len());
    }

    #[test]
    fn a_file_that_is_not_as_it_has_to_be_is_refused_by_what_is_wrong() {
        let json = String::from_utf8(seen().to_json().unwrap()).unwrap();
        let first = json.split('"').nth(11).unwrap().to_owned();
        assert_eq!(first.len(), 16);
        for (from, to, words) in [
            (
                "\"formatVersion\":1",
                "\"formatVersion\":2".to_owned(),
                "version 2",
            ),
            ("\"formatVersion\":1,", String::new(), "JSON"),
            (first.as_str(), "zz".to_owned(), "studies"),
            (first.as_str(), first.to_uppercase() + "00", "studies"),
            (first.as_str(), "f".repeat(16), "studies"),
            (
                "\"cohorts\":[{",
                "\"cohorts\":[],\"other\":[{".to_owned(),
                "cohorts",
            ),
            (
                "\"unknown\":[]",
                format!("\"unknown\":[\"{}\",\"{}\"]", bundle(2), bundle(1)),
                "unknown",
            ),
            (
                "\"unknown\":[]",
                "\"unknown\":[\"PAT-17\"]".to_owned(),
                "unknown",
            ),
            ("\"images\"", "\"pictures\"".to_owned(), "JSON"),
        ] {
            let changed = json.replacen(from, &to, 1);
            assert_ne!(changed, json, "{from}");
            let error = CohortDigests::from_json(changed.as_bytes()).unwrap_err();
            assert!(error.to_string().contains(words), "{words}: {error}");
        }
    }

    proptest! {
        #[test]
        fn every_planted_scan_is_found_and_no_other_is_claimed(
            cohort in prop::collection::btree_set(0_u32..200, 1..12),
            screened in prop::collection::vec(0_u32..200, 1..8),
        ) {
            let scans: Vec<_> = cohort.iter().map(|&number| scan(number)).collect();
            let seen = CohortDigests::new(salted("a", &scans));
            let read = CohortDigests::from_json(&seen.to_json().unwrap()).unwrap();
            for number in screened {
                let (study, patient) = (format!("1.2.{number}"), format!("PAT-{number}"));
                let planted = [
                    (scan(number), "study image patient"),
                    (identity("9.9", &patient, Some(number.into()), 999.0), "patient"),
                    (identity("9.9", "X-9", None, number as f32), "image"),
                    (identity(&study, "X-9", None, 999.0), "study"),
                ];
                for (planted, expected) in planted {
                    let found = words(read.overlap(&planted));
                    prop_assert_eq!(found, if cohort.contains(&number) { expected } else { "none" });
                }
            }
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = CohortDigests::from_json(&bytes);
        }
    }
}
