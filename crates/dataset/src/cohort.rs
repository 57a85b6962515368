//! The studies of a run, one record each.

use std::cmp::Ordering;

use super::{Record, Shard};
use attrium_imaging::CROP_PIXELS;
use attrium_types::Target;

/// One record a study, sorted by pseudonym, with the crops.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cohort {
    /// The records.
    pub records: Vec<Record>,
    /// Raw counts: `records.len()` crops of [`CROP_PIXELS`], row-major.
    pub crops: Vec<f32>,
    /// How many objects were left out because their study has a better one.
    pub superseded: usize,
}

impl Cohort {
    /// Joins the shards of a run.
    ///
    /// Of a study's objects one is kept: a whole-body scan before a static one, then the surer way of
    /// knowing the view, then more counts, and of equals the one whose crop comes first pixel by pixel.
    /// Neither the order of the shards nor their number changes the result.
    pub fn assemble(shards: Vec<Shard>) -> Self {
        let mut places: Vec<(usize, usize)> = Vec::new();
        for (shard, content) in shards.iter().enumerate() {
            places.extend((0..content.records.len()).map(|row| (shard, row)));
        }
        let objects = places.len();
        places.sort_by(|&a, &b| compare(&shards, a, b));
        places.dedup_by_key(|&mut (shard, row)| shards[shard].records[row].study);
        let mut cohort = Self {
            records: Vec::with_capacity(places.len()),
            crops: Vec::with_capacity(places.len() * CROP_PIXELS),
            superseded: objects - places.len(),
        };
        for (shard, row) in places {
            cohort.records.push(shards[shard].records[row].clone());
            cohort.crops.extend_from_slice(shards[shard].crop(row));
        }
        cohort
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

/// Orders objects by study, and those of one study from the best.
fn compare(shards: &[Shard], a: (usize, usize), b: (usize, usize)) -> Ordering {
    let record = |(shard, row): (usize, usize)| &shards[shard].records[row];
    let key = |place| (record(place).study, record(place).preference());
    let pixels = || {
        let (a, b) = (shards[a.0].crop(a.1), shards[b.0].crop(b.1));
        let differ = a.iter().zip(b).find(|(a, b)| a != b);
        differ.map_or(Ordering::Equal, |(a, b)| a.total_cmp(b))
    };
    key(a).cmp(&key(b)).then_with(pixels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{crop, record};
    use attrium_imaging::{Acquisition, ViewSource};

    fn shard(entries: Vec<(Record, f32)>) -> Shard {
        let mut shard = Shard::default();
        for (record, count) in entries {
            shard.records.push(record);
            shard.crops.extend(crop(count));
        }
        shard
    }

    fn with(study: u32, change: impl Fn(&mut Record)) -> Record {
        let mut record = record(study);
        change(&mut record);
        record
    }

    #[test]
    fn the_better_object_of_a_study_is_kept() {
        let static_one = |record: &mut Record| record.acquisition = Acquisition::Static;
        let by_name = |record: &mut Record| record.view_source = ViewSource::SeriesDescription;
        let more = |record: &mut Record| record.counts += 100.0;
        let shards = vec![
            shard(vec![
                (with(4, static_one), 1.0),
                (record(2), 2.0),
                (record(1), 3.0),
            ]),
            shard(vec![
                (with(1, more), 4.0),
                (with(2, by_name), 5.0),
                (with(4, by_name), 6.0),
            ]),
            shard(vec![
                (with(2, |record| (by_name(record), more(record)).0), 7.0),
                (record(3), 9.0),
            ]),
            shard(vec![(record(3), 8.0)]),
        ];
        let mut turned = shards.clone();
        turned.reverse();
        let cohort = Cohort::assemble(shards);
        assert_eq!(
            cohort
                .records
                .iter()
                .map(|record| record.study)
                .collect::<Vec<_>>(),
            [1, 2, 3, 4]
        );
        let kept: Vec<f32> = (0..4).map(|study| cohort.crop(study)[0]).collect();
        assert_eq!(kept, [4.0, 2.0, 8.0, 6.0]);
        assert_eq!(cohort.superseded, 5);
        assert_eq!(Cohort::assemble(turned), cohort);
    }

    #[test]
    fn a_cohort_knows_its_classes_and_patients() {
        let entries = (0..8).map(|study| (record(study), 0.0)).collect();
        let cohort = Cohort::assemble(vec![shard(entries)]);
        assert_eq!(cohort.len(), 8);
        assert_eq!(cohort.classes(Target::Positive), [0, 0, 1, 1, 0, 0, 1, 1]);
        assert_eq!(cohort.classes(Target::Perugini), [0, 1, 2, 3, 0, 1, 2, 3]);
        assert_eq!(cohort.patients(), [0, 0, 1, 1, 2, 2, 3, 3]);
        assert_eq!(cohort.by_grade(), [2, 2, 2, 2]);
        assert!(cohort.is_synthetic());
        assert_eq!(cohort.synthetic(), cohort.len());
        assert!(Cohort::assemble(vec![]).is_empty());
    }
}
