//! The studies of a run, one record each.

use super::{PatientCounts, PatientGroups, Record, Salt, SaltedDigests, Shard, Standing, select};
use attrium_imaging::CROP_PIXELS;
use attrium_types::{PreferredAcquisition, Target};

/// One record a study, sorted by pseudonym, with the crops.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cohort {
    /// The records; their patients are told by `labels.csv` and by Patient ID together.
    pub records: Vec<Record>,
    /// Raw counts: `records.len()` crops of [`CROP_PIXELS`], row-major.
    pub crops: Vec<f32>,
    /// Usable objects that do not stand for their study, sorted by study and object.
    pub left_out: Vec<LeftOut>,
    /// How the patients of the studies are known.
    pub known_patients: PatientCounts,
    /// What tells its scans again, those of its studies that are not used too; none where a shard is from before
    /// there was any.
    pub digests: Option<SaltedDigests>,
}

/// A usable object that does not stand for its study.
#[derive(Clone, Debug, PartialEq)]
pub struct LeftOut {
    /// Its key, sealed.
    pub object: String,
    /// Why not.
    pub standing: Standing,
}

impl LeftOut {
    /// How many of these are of studies of which several might be used.
    pub fn ambiguous(left_out: &[Self]) -> usize {
        let is_ambiguous = |it: &&Self| matches!(it.standing, Standing::Ambiguous(_));
        left_out.iter().filter(is_ambiguous).count()
    }
}

impl Cohort {
    /// Joins the shards of a run.
    ///
    /// Of a study's objects one is kept, as [`select`] tells; a study of which several might be has none. Studies
    /// whose patient `labels.csv` does not name are of one patient where their Patient ID is the same
    /// ([`PatientGroups`]). Neither the order of the shards nor their number changes the result.
    pub fn assemble(shards: &[Shard], prefer: PreferredAcquisition) -> Self {
        let objects = objects(shards);
        let clues = objects
            .iter()
            .map(|it| (it.record.study, it.record.patient_clue()));
        let patients = PatientGroups::new(clues);
        let mut cohort = Self::default();
        for study in objects.chunk_by(|a, b| a.record.study == b.record.study) {
            cohort.add(study, &patients, prefer);
        }
        let studies = cohort.records.iter().map(|record| record.study);
        cohort.known_patients = patients.counts(studies);
        let labels = shards.iter().map(|shard| shard.labels.as_str()).max();
        cohort.digests = labels.and_then(|labels| cohort.digests_of(labels, &objects, &patients));
        cohort
    }

    /// The digests of every object of the studies that are used, if each has some.
    fn digests_of(
        &self,
        labels: &str,
        objects: &[Object<'_>],
        patients: &PatientGroups,
    ) -> Option<SaltedDigests> {
        let mut digests = SaltedDigests::new(Salt::of_labels(labels));
        let is_used = |study: u32| {
            let found = self.records.binary_search_by_key(&study, |it| it.study);
            found.is_ok()
        };
        for object in objects.iter().filter(|it| is_used(it.record.study)) {
            let id = object.record.patient_id.as_ref();
            let has_patient = id.is_some_and(|id| patients.is_of_one(id));
            digests.add(object.record.digests.as_ref()?, has_patient);
        }
        Some(digests)
    }

    /// Adds a study by its objects.
    fn add(
        &mut self,
        objects: &[Object<'_>],
        patients: &PatientGroups,
        prefer: PreferredAcquisition,
    ) {
        let preferences: Vec<_> = objects.iter().map(|it| it.record.preference).collect();
        let same = |a: usize, b: usize| objects[a].crop == objects[b].crop;
        for (object, standing) in objects.iter().zip(select(&preferences, same, prefer)) {
            if standing == Standing::Used {
                let mut record = object.record.clone();
                record.patient = patients.of(record.study).unwrap_or(record.patient);
                record.patient_id = None;
                record.digests = None;
                self.records.push(record);
                self.crops.extend_from_slice(object.crop);
            } else {
                self.left_out.push(LeftOut {
                    object: object.record.object.clone(),
                    standing,
                });
            }
        }
    }

    /// How many studies there are.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there is no study.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The crop of a study: [`CROP_PIXELS`] counts.
    pub fn crop(&self, study: usize) -> &[f32] {
        &self.crops[study * CROP_PIXELS..][..CROP_PIXELS]
    }

    /// The class of each study in a task.
    pub fn classes(&self, task: Target) -> Vec<usize> {
        self.records
            .iter()
            .map(|record| task.class_of(record.grade))
            .collect()
    }

    /// The patient's pseudonym of each study.
    pub fn patients(&self) -> Vec<u32> {
        self.records.iter().map(|record| record.patient).collect()
    }

    /// How many studies have each grade.
    pub fn by_grade(&self) -> [usize; 4] {
        let mut counts = [0; 4];
        for record in &self.records {
            counts[usize::from(record.grade.value())] += 1;
        }
        counts
    }

    /// How many studies are of phantoms.
    pub fn synthetic(&self) -> usize {
        let phantoms = self.records.iter().filter(|record| record.synthetic);
        phantoms.count()
    }

    /// Whether any study is a phantom's.
    pub fn is_synthetic(&self) -> bool {
        self.synthetic() > 0
    }
}

/// A usable object of a study.
struct Object<'a> {
    record: &'a Record,
    crop: &'a [f32],
}

/// The objects of all shards, by study, in an order that follows from the objects alone.
fn objects(shards: &[Shard]) -> Vec<Object<'_>> {
    let mut objects = Vec::new();
    for shard in shards {
        objects.extend(
            shard
                .records
                .iter()
                .enumerate()
                .map(|(row, record)| Object {
                    record,
                    crop: shard.crop(row),
                }),
        );
    }
    objects.sort_by(|a, b| {
        (a.record.study, &a.record.object).cmp(&(b.record.study, &b.record.object))
    });
    objects
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ScanDigests;
    use crate::fixtures::{crop, record};
    use attrium_imaging::{Acquisition, Origin, ViewSource};

    fn shard(entries: Vec<(Record, f32)>) -> Shard {
        let mut shard = Shard::default();
        for (record, count) in entries {
            shard.records.push(record);
            shard.crops.extend(crop(count));
        }
        shard
    }

    fn object(study: u32, object: &str, change: impl Fn(&mut Record)) -> Record {
        let mut record = record(study);
        record.object = object.to_owned();
        change(&mut record);
        record
    }

    fn assemble(shards: &[Shard]) -> Cohort {
        Cohort::assemble(shards, PreferredAcquisition::WholeBody)
    }

    #[test]
    fn the_better_object_of_a_study_is_kept_and_the_others_are_told_of() {
        let fixed = |record: &mut Record| record.preference.acquisition = Acquisition::Static;
        let guessed = |record: &mut Record| record.preference.view_source = ViewSource::Image;
        let more = |record: &mut Record| record.counts += 1e6;
        let derived = |record: &mut Record| {
            record.preference.origin = Origin::Derived;
            record.counts *= 30.0;
        };
        let shards = vec![
            shard(vec![
                (object(4, "a", fixed), 1.0),
                (object(2, "b", |_| ()), 2.0),
                (object(1, "c", |_| ()), 3.0),
            ]),
            shard(vec![
                (object(1, "d", derived), 4.0),
                (object(2, "e", guessed), 5.0),
                (object(4, "f", |_| ()), 6.0),
            ]),
            shard(vec![
                (
                    object(2, "g", |record| (guessed(record), more(record)).0),
                    7.0,
                ),
                (object(3, "h", more), 9.0),
                (object(5, "j", more), 10.0),
            ]),
            shard(vec![
                (object(3, "i", |_| ()), 8.0),
                (object(5, "k", |_| ()), 10.0),
            ]),
        ];
        let mut turned = shards.clone();
        turned.reverse();
        let cohort = assemble(&shards);
        let studies: Vec<_> = cohort.records.iter().map(|record| record.study).collect();
        assert_eq!(
            studies,
            [1, 2, 4, 5],
            "nothing tells which object stands for study 3"
        );
        let kept: Vec<f32> = (0..4).map(|study| cohort.crop(study)[0]).collect();
        assert_eq!(kept, [3.0, 2.0, 6.0, 10.0]);
        let left_out: Vec<_> = cohort
            .left_out
            .iter()
            .map(|it| it.object.as_str())
            .collect();
        assert_eq!(left_out, ["d", "e", "g", "h", "i", "a", "k"]);
        let reasons = cohort.left_out.iter().filter_map(|it| it.standing.reason());
        let expected = [
            "superseded",
            "superseded",
            "superseded",
            "ambiguous",
            "ambiguous",
            "superseded",
            "duplicate",
        ];
        assert_eq!(reasons.collect::<Vec<_>>(), expected);
        assert_eq!(LeftOut::ambiguous(&cohort.left_out), 2);
        assert_eq!(assemble(&turned), cohort);
    }

    #[test]
    fn studies_of_one_patient_id_are_of_one_patient_where_no_column_names_him() {
        let of = |study: u32, id: &str| {
            let record = object(study, "", |record| {
                record.patient = 100 + study;
                record.names_patient = false;
                record.patient_id = Some(id.to_owned()).filter(|id| !id.is_empty());
            });
            (record, study as f32)
        };
        let shards = [
            shard(vec![of(1, "a"), of(2, "b"), of(5, "d")]),
            shard(vec![of(3, "a"), of(4, "c"), of(6, "")]),
        ];
        let cohort = assemble(&shards);
        assert_eq!(cohort.patients(), [101, 102, 101, 104, 105, 106]);
        let known = cohort.known_patients;
        assert_eq!((known.named, known.by_id, known.unknown), (0, 5, 1));
        assert!(
            cohort
                .records
                .iter()
                .all(|record| record.patient_id.is_none())
        );
    }

    #[test]
    fn the_scans_of_the_studies_that_are_used_are_known_again_and_no_others() {
        let of = |study: u32, count: f32, id: &str| {
            let record = object(study, &count.to_string(), |record| {
                record.patient_id = Some(id.to_owned());
                let digest = format!("{:016x}", count as u32);
                let patient = format!("{:016x}", u32::from(id.as_bytes()[0]));
                record.digests = ScanDigests::parse([&digest, &patient, &digest]).ok();
                if count == 3.0 {
                    record.preference.origin = Origin::Derived;
                }
            });
            (record, count)
        };
        let common = (10..22).map(|study| of(study, study as f32, "c"));
        let ambiguous = [of(2, 4.0, "b"), of(2, 5.0, "b")];
        let mut entries = vec![of(1, 1.0, "a"), of(1, 3.0, "a")];
        entries.extend(common.chain(ambiguous));
        let digests = assemble(&[shard(entries.clone())])
            .digests
            .expect("digests");
        assert_eq!(
            (digests.studies(), digests.images()),
            (14, 14),
            "the one that gave way is of a study that is used"
        );
        assert_eq!(
            digests.patients(),
            1,
            "what 12 studies share is no patient's ID"
        );
        entries[0].0.digests = None;
        assert_eq!(assemble(&[shard(entries)]).digests, None);
        assert_eq!(assemble(&[]).digests, None);
    }

    #[test]
    fn a_cohort_knows_its_classes_and_patients() {
        let entries = (0..8).map(|study| (record(study), 0.0)).collect();
        let cohort = assemble(&[shard(entries)]);
        assert_eq!(cohort.len(), 8);
        assert_eq!(cohort.classes(Target::Positive), [0, 0, 1, 1, 0, 0, 1, 1]);
        assert_eq!(cohort.classes(Target::Perugini), [0, 1, 2, 3, 0, 1, 2, 3]);
        assert_eq!(cohort.patients(), [0, 0, 1, 1, 2, 2, 3, 3]);
        assert_eq!(cohort.by_grade(), [2, 2, 2, 2]);
        assert!(cohort.is_synthetic());
        assert_eq!(cohort.synthetic(), cohort.len());
        assert!(assemble(&[]).is_empty());
    }
}
