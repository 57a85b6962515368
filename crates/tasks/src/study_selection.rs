//! One prediction a study, where several of its objects were screened.
//!
//! A shard's table has a row for each object, with columns by which the objects of a study are compared and whose
//! it is, and the digest of the labels that decide the pseudonyms; the joined table has none of them. What is
//! chosen depends neither on the order of objects nor on the number of shards.

use std::collections::BTreeMap;

use super::failure::OrFail;
use super::{TaskError, overlap};
use attrium_dataset::{
    LeftOut, Overlap, PatientClue, PatientCounts, PatientGroups, Preference, Salt, SaltedDigests,
    ScanDigests, Standing, select,
};
use attrium_evaluation as evaluation;
use attrium_evaluation::{Prediction, Predictions};
use attrium_types::PreferredAcquisition;

/// Why no study can be used, although objects can.
pub(super) const ALL_AMBIGUOUS: &str = "every labelled study has several usable objects that differ, and nothing \
    tells which of them stands for it: leave the one to use below images, or correct their headers";

/// How many columns only the shards' tables have.
const OWN: usize =
    5 + PatientClue::COLUMNS.len() + Preference::COLUMNS.len() + ScanDigests::COLUMNS.len();
/// Those columns, which come last there.
const COLUMNS: [&str; OWN] = {
    let [names_patient, patient_id] = PatientClue::COLUMNS;
    let [origin, view_source, delay, acquired, acquisition] = Preference::COLUMNS;
    let [study_digest, patient_digest, image_digest] = ScanDigests::COLUMNS;
    [
        "labels_sha256",
        "object",
        "pixels",
        "overlap",
        names_patient,
        patient_id,
        origin,
        view_source,
        delay,
        acquired,
        acquisition,
        study_digest,
        patient_digest,
        image_digest,
        UNCERTAIN,
    ]
};
/// The last of them, which tables from before there were limits lack.
const UNCERTAIN: &str = "uncertain";
/// The column of the patient's pseudonym, which both tables have.
const PATIENT: &str = "patient";

/// The prediction of one object.
#[derive(Clone, Debug)]
pub(super) struct ObjectPrediction {
    /// The study's pseudonym.
    pub study: u32,
    /// What the table of a study says.
    pub prediction: Prediction,
    /// The digest of the labels that the pseudonym is of.
    pub labels: String,
    /// The object's key, sealed.
    pub object: String,
    /// What stands for the pixels of its crop.
    pub pixels: String,
    /// What of it the model was trained on.
    pub overlap: Overlap,
    /// What tells whose it is.
    pub patient: PatientClue,
    /// What it is chosen by among the objects of its study.
    pub preference: Preference,
    /// What tells it again, where the model is to be recalibrated on it.
    pub digests: Option<ScanDigests>,
    /// Whether its decision is uncertain; `None` where nobody can tell.
    pub uncertain: Option<bool>,
}

/// One prediction a study.
#[derive(Debug, Default)]
pub(super) struct StudyPredictions {
    /// The predictions.
    pub predictions: Predictions,
    /// The objects that stand for no study.
    pub left_out: Vec<LeftOut>,
    /// How the patients of the studies are known.
    pub known_patients: PatientCounts,
    /// What of each study the model was trained on, in the order of the predictions.
    pub overlaps: Vec<StudyOverlap>,
    /// What tells the objects of the studies again, where the model is to be recalibrated on them.
    pub digests: Option<SaltedDigests>,
    /// Whether the decision on each study is uncertain, by its pseudonym.
    pub uncertain: BTreeMap<u32, Option<bool>>,
}

/// What of a study the model was trained on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StudyOverlap {
    /// The study's pseudonym.
    pub study: u32,
    /// Its patient's pseudonym.
    pub patient: u32,
    /// What is known of any of its objects, and of its patient's other studies.
    pub overlap: Overlap,
}

/// The predictions of labelled objects.
#[derive(Clone, Debug, Default)]
pub(super) struct ObjectPredictions {
    classes: usize,
    covariates: Vec<String>,
    rows: Vec<ObjectPrediction>,
}

impl ObjectPredictions {
    pub(super) fn new(classes: usize) -> Self {
        Self {
            classes,
            ..Self::default()
        }
    }

    /// Adds an object, whose covariates have these names.
    pub(super) fn push(&mut self, covariates: Vec<String>, row: ObjectPrediction) {
        self.covariates = covariates;
        self.rows.push(row);
    }

    /// Adds the objects of another shard.
    pub(super) fn extend(&mut self, other: Self) {
        if !other.rows.is_empty() {
            self.covariates = other.covariates;
        }
        self.rows.extend(other.rows);
    }

    /// Whether every row was made of the labels of this digest.
    pub(super) fn are_of(&self, labels: &str) -> bool {
        self.rows.iter().all(|row| row.labels == labels)
    }

    /// Keeps the object that stands for each study, sorted by pseudonym, without what objects are compared by. Of a
    /// study of which several might, none is kept.
    pub(super) fn select(mut self, prefer: PreferredAcquisition) -> StudyPredictions {
        self.rows
            .sort_by(|a, b| (a.study, &a.object).cmp(&(b.study, &b.object)));
        let clues = self.rows.iter().map(|row| (row.study, row.patient.clone()));
        let patients = PatientGroups::new(clues);
        let mut selected = StudyPredictions {
            digests: self.rows.first().and_then(ObjectPrediction::no_digests),
            ..StudyPredictions::default()
        };
        let mut studies = Vec::new();
        for objects in self.rows.chunk_by(|a, b| a.study == b.study) {
            let found = objects.iter().map(|object| object.overlap);
            let overlap = found.reduce(Overlap::or).unwrap_or_default();
            let standings = stand(objects, prefer);
            if standings.contains(&Standing::Used) {
                selected.keep(objects, &patients);
            }
            for (object, standing) in objects.iter().zip(standings) {
                if standing == Standing::Used {
                    studies.push(object.study);
                    let patient = patients.of(object.study).unwrap_or(object.patient.patient);
                    let row = object.of_study(&self.covariates, patient);
                    let study = object.study;
                    selected.overlaps.push(StudyOverlap {
                        study,
                        patient,
                        overlap,
                    });
                    selected.uncertain.insert(study, object.uncertain);
                    selected.predictions.rows.push(row);
                } else {
                    selected.left_out.push(object.left_out(standing));
                }
            }
        }
        selected.predictions.classes = self.classes;
        selected.predictions.covariates = self.covariates;
        selected.known_patients = patients.counts(studies);
        selected.overlaps = with_patients_other_studies(selected.overlaps);
        selected
    }

    /// A shard's table. In its column `study` the object's number in the shard follows the pseudonym, since a table
    /// of predictions names nothing twice.
    pub(super) fn to_csv(&self) -> Result<Vec<u8>, evaluation::Error> {
        let mut table = Predictions {
            classes: self.classes,
            covariates: self.covariates.clone(),
            rows: Vec::new(),
        };
        if !self.rows.is_empty() {
            table.covariates.extend(COLUMNS.map(str::to_owned));
        }
        for (number, object) in self.rows.iter().enumerate() {
            let mut row = object.prediction.clone();
            row.study = format!("{}.{number}", object.study);
            row.covariates.extend(object.columns());
            table.rows.push(row);
        }
        table.to_csv()
    }

    /// Reads a shard's table.
    ///
    /// # Errors
    /// It is no table of predictions, or a row lacks what objects are compared by.
    pub(super) fn parse(table: &[u8]) -> Result<Self, TaskError> {
        let mut table = Predictions::parse(table).or_retry()?;
        if table
            .covariates
            .last()
            .is_some_and(|last| last != UNCERTAIN)
        {
            table.covariates.push(UNCERTAIN.to_owned());
            for row in &mut table.rows {
                row.covariates.push(String::new());
            }
        }
        let own = table.covariates.len().saturating_sub(COLUMNS.len());
        let columns = table.covariates.split_off(own);
        let place = table.covariates.iter().position(|name| name == PATIENT);
        let rows = table.rows.into_iter();
        let rows: Option<Vec<_>> = rows
            .map(|row| ObjectPrediction::read(row, own, place))
            .collect();
        match rows {
            Some(rows) if rows.is_empty() || columns == COLUMNS => Ok(Self {
                classes: table.classes,
                covariates: table.covariates,
                rows,
            }),
            _ => Err(TaskError::retry(
                "a shard's predictions do not say of which objects they are: delete the folder \
                 tasks/ of this job, and run it again",
            )),
        }
    }
}

impl StudyPredictions {
    /// Keeps what tells the objects of a study again, where anything does.
    fn keep(&mut self, objects: &[ObjectPrediction], patients: &PatientGroups) {
        let Some(kept) = &mut self.digests else {
            return;
        };
        for object in objects {
            let id = object.patient.id.as_ref();
            let has_patient = id.is_some_and(|id| patients.is_of_one(id));
            if let Some(digests) = &object.digests {
                kept.add(digests, has_patient);
            }
        }
    }
}

/// A model that was trained on a study of a patient has seen the patient of that one's other studies, too, whatever
/// their own objects tell.
fn with_patients_other_studies(mut studies: Vec<StudyOverlap>) -> Vec<StudyOverlap> {
    let mut of_patient: BTreeMap<u32, Vec<StudyOverlap>> = BTreeMap::new();
    for study in &studies {
        of_patient.entry(study.patient).or_default().push(*study);
    }
    for study in &mut studies {
        let all = of_patient.get(&study.patient).into_iter().flatten();
        let mut others = all.filter(|it| it.study != study.study);
        let overlap = &mut study.overlap;
        overlap.patient |= others.clone().any(|it| it.overlap.is_certain());
        overlap.patient_id |= !overlap.patient && others.any(|it| it.overlap.is_any());
    }
    studies
}

/// What becomes of each object of a study.
fn stand(objects: &[ObjectPrediction], prefer: PreferredAcquisition) -> Vec<Standing> {
    let preferences: Vec<_> = objects.iter().map(|object| object.preference).collect();
    let same = |a: usize, b: usize| objects[a].pixels == objects[b].pixels;
    select(&preferences, same, prefer)
}

impl ObjectPrediction {
    /// Takes what only a shard's table has from a row, whose own covariates are so many and name the patient at
    /// this place.
    fn read(mut prediction: Prediction, own: usize, patient: Option<usize>) -> Option<Self> {
        let columns = prediction.covariates.get(own..)?.to_vec();
        prediction.covariates.truncate(own);
        let [
            labels,
            object,
            pixels,
            overlap,
            names_patient,
            patient_id,
            more @ ..,
            uncertain,
        ] = columns.as_slice()
        else {
            return None;
        };
        let more: Vec<&str> = more.iter().map(String::as_str).collect();
        let (preference, digests) = more.split_at_checked(Preference::COLUMNS.len())?;
        let (study, _) = prediction.study.split_once('.')?;
        Some(Self {
            study: study.parse().ok()?,
            labels: labels.clone(),
            object: object.clone(),
            pixels: pixels.clone(),
            overlap: Overlap::parse(overlap)?,
            patient: PatientClue::parse(
                prediction.covariates.get(patient?)?.parse().ok()?,
                [names_patient, patient_id],
            )?,
            preference: Preference::parse(preference.try_into().ok()?)?,
            digests: match digests.first() {
                Some(&"") => None,
                _ => Some(ScanDigests::parse(digests.try_into().ok()?).ok()?),
            },
            uncertain: match uncertain.as_str() {
                "" => None,
                text => Some(text.parse().ok()?),
            },
            prediction,
        })
    }

    /// The values of [`COLUMNS`].
    fn columns(&self) -> impl Iterator<Item = String> {
        let first = [
            self.labels.clone(),
            self.object.clone(),
            self.pixels.clone(),
            overlap::words(Some(self.overlap)),
        ];
        let columns = first.into_iter().chain(self.patient.columns());
        let digests = self.digests.as_ref().map(ScanDigests::columns);
        let uncertain = self.uncertain.map_or(String::new(), |it| it.to_string());
        columns
            .chain(self.preference.columns())
            .chain(digests.unwrap_or_default())
            .chain([uncertain])
    }

    /// No digests yet under the salt that its own are under, where it has some.
    fn no_digests(&self) -> Option<SaltedDigests> {
        let salt = Salt::of_labels(&self.labels);
        self.digests.map(|_| SaltedDigests::new(salt))
    }

    /// The prediction of the study that it stands for, with the patient's pseudonym.
    fn of_study(&self, covariates: &[String], patient: u32) -> Prediction {
        let mut prediction = self.prediction.clone();
        prediction.study = self.study.to_string();
        let place = covariates.iter().position(|name| name == PATIENT);
        if let Some(value) = place.and_then(|place| prediction.covariates.get_mut(place)) {
            *value = patient.to_string();
        }
        prediction
    }

    fn left_out(&self, standing: Standing) -> LeftOut {
        LeftOut {
            object: self.object.clone(),
            standing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use attrium_dataset::Delay;
    use attrium_imaging::{Acquisition, Origin, ViewSource};
    use attrium_types::CohortKnowledge;

    const WHOLE: Preference = Preference {
        origin: Origin::Original,
        view_source: ViewSource::ViewCode,
        delay: Delay::Usual,
        acquired: Some(7),
        acquisition: Acquisition::WholeBody,
    };
    const FIXED: Preference = Preference {
        acquisition: Acquisition::Static,
        ..WHOLE
    };

    /// Objects of these studies, keys and preferences, whose crops are as their probabilities.
    fn table(objects: &[(u32, &str, Preference, f64)]) -> ObjectPredictions {
        let mut table = ObjectPredictions::new(2);
        for &(study, object, preference, positive) in objects {
            let prediction = Prediction {
                study: study.to_string(),
                fold: None,
                label: Some(1),
                probabilities: vec![1.0 - positive, positive],
                covariates: vec![(10 + study).to_string()],
            };
            let object = ObjectPrediction {
                study,
                prediction,
                labels: "a digest".to_owned(),
                object: object.to_owned(),
                pixels: positive.to_string(),
                overlap: Overlap {
                    cohort: CohortKnowledge::Known,
                    image: positive == 0.9,
                    ..Overlap::UNKNOWN
                },
                patient: PatientClue {
                    patient: 10 + study,
                    is_named: false,
                    id: (study < 3).then(|| "a patient".to_owned()),
                },
                preference,
                digests: None,
                uncertain: Some(positive == 0.5),
            };
            table.push(vec!["patient".to_owned()], object);
        }
        table
    }

    #[test]
    fn the_object_that_counts_depends_on_no_order_and_no_number_of_shards() {
        let derived = Preference {
            origin: Origin::Derived,
            ..WHOLE
        };
        let mut objects = [
            (2, "a", FIXED, 0.9),
            (2, "b", derived, 0.25),
            (2, "c", WHOLE, 0.5),
            (1, "d", WHOLE, 0.75),
            (1, "e", WHOLE, 0.75),
            (3, "f", WHOLE, 0.125),
            (3, "g", WHOLE, 0.25),
            (4, "h", FIXED, 0.5),
        ];
        for _ in 0..objects.len() {
            objects.rotate_left(1);
            for split in 0..objects.len() {
                let (first, second) = objects.split_at(split);
                let mut joined = table(second);
                joined.extend(table(first));
                let chosen = joined.select(PreferredAcquisition::WholeBody);
                let rows = chosen.predictions.rows.iter();
                let rows: Vec<_> = rows
                    .map(|row| {
                        (
                            row.study.as_str(),
                            row.probabilities[1],
                            row.covariates[0].as_str(),
                        )
                    })
                    .collect();
                assert_eq!(
                    rows,
                    [("1", 0.75, "11"), ("2", 0.5, "11"), ("4", 0.5, "14")]
                );
                assert_eq!(chosen.predictions.covariates, ["patient"]);
                let left_out: Vec<_> = chosen
                    .left_out
                    .iter()
                    .map(|it| (it.object.as_str(), it.standing.reason().unwrap_or_default()))
                    .collect();
                let expected = [
                    ("e", "duplicate"),
                    ("a", "superseded"),
                    ("b", "superseded"),
                    ("f", "ambiguous"),
                    ("g", "ambiguous"),
                ];
                assert_eq!(left_out, expected);
                let seen: Vec<_> = chosen
                    .overlaps
                    .iter()
                    .map(|it| (it.study, it.patient, it.overlap.words().join(" ")))
                    .collect();
                let words = [(1, "patient"), (2, "image"), (4, "none")];
                let patients = [11, 11, 14].into_iter();
                let expected: Vec<_> = words
                    .into_iter()
                    .zip(patients)
                    .map(|((study, words), patient)| (study, patient, words.to_owned()))
                    .collect();
                assert_eq!(
                    seen, expected,
                    "an object that gave way was seen, and so is the patient of study 1"
                );
                let known = chosen.known_patients;
                assert_eq!((known.named, known.by_id, known.unknown), (0, 2, 1));
            }
        }
    }

    #[test]
    fn a_shards_table_from_before_there_were_limits_is_read_without_what_is_uncertain() {
        let table = table(&[(1, "sealed", FIXED, 0.5), (2, "too", WHOLE, 0.6)]);
        let written = String::from_utf8(table.to_csv().expect("a table")).expect("text");
        let cut = |line: &str| line.rsplit_once(',').expect("columns").0.to_owned() + "\n";
        let earlier: String = written.lines().map(cut).collect();
        let read = ObjectPredictions::parse(earlier.as_bytes()).expect("an earlier table");
        let selected = read.select(PreferredAcquisition::default());
        assert_eq!(selected.uncertain, BTreeMap::from([(1, None), (2, None)]));
        let selected = table.select(PreferredAcquisition::default());
        let expected = BTreeMap::from([(1, Some(true)), (2, Some(false))]);
        assert_eq!(selected.uncertain, expected);
    }

    #[test]
    fn a_shards_table_has_what_objects_are_compared_by_in_its_last_columns() {
        let mut table = table(&[(1, "sealed", FIXED, 0.5), (1, "too", WHOLE, 0.5)]);
        let digests = ["0011223344556677", "", "0123456789abcdef"];
        table.rows[0].digests = ScanDigests::parse(digests).ok();
        let written = table.to_csv().expect("a table");
        let expected = "study,fold,label,p_0,p_1,patient,labels_sha256,object,pixels,overlap,names_patient,patient_id,\
                        origin,view_source,delay,acquired,acquisition,study_digest,patient_digest,image_digest,uncertain\n\
                        1.0,,1,0.5,0.5,11,a digest,sealed,0.5,none,no,a patient,Original,ViewCode,Usual,7,Static,\
                        0011223344556677,,0123456789abcdef,true\n\
                        1.1,,1,0.5,0.5,11,a digest,too,0.5,none,no,a patient,Original,ViewCode,Usual,7,WholeBody,,,,true\n";
        assert_eq!(String::from_utf8_lossy(&written), expected);
        let read = ObjectPredictions::parse(&written).expect("its own table");
        assert_eq!(read.to_csv().expect("a table"), written);
        let empty = ObjectPredictions::new(2).to_csv().expect("a table");
        assert_eq!(
            String::from_utf8_lossy(&empty),
            "study,fold,label,p_0,p_1\n"
        );
        let read = ObjectPredictions::parse(&empty).expect("its own table");
        assert!(read.rows.is_empty());
    }

    #[test]
    fn labels_that_have_changed_are_noticed() {
        let mut table = table(&[(1, "a", WHOLE, 0.5), (2, "b", WHOLE, 0.5)]);
        assert!(table.are_of("a digest"));
        table.rows[1].labels = "another".to_owned();
        assert!(!table.are_of("a digest"));
    }

    #[test]
    fn a_row_without_its_columns_is_an_error_rather_than_a_guess() {
        let sound = table(&[(1, "a", WHOLE, 0.5)]).to_csv().expect("a table");
        let sound = String::from_utf8(sound).expect("text");
        for (from, to) in [
            (",Usual", ",late"),
            (",7,", ",noon,"),
            (",no,", ",maybe,"),
            ("1.0,,", "1,,"),
            ("1.0,,", "one.0,,"),
            (",11,", ",eleven,"),
            (",delay", ",phase"),
            (",none,", ",nothing,"),
        ] {
            let changed = sound.replace(from, to);
            assert_ne!(changed, sound);
            assert!(
                ObjectPredictions::parse(changed.as_bytes()).is_err(),
                "{changed}"
            );
        }
        let bare = "study,fold,label,p_0,p_1,patient\n1,,1,0.5,0.5,7\n";
        assert!(ObjectPredictions::parse(bare.as_bytes()).is_err());
    }
}
