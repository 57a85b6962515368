//! One prediction a study, where several of its objects were screened.
//!
//! A shard's table has a row for each object, with columns by which the objects of a study are compared
//! and the digest of the labels that decide the pseudonyms; the joined table has neither. What is chosen
//! depends neither on the order of objects nor on the number of shards.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::TaskError;
use super::failure::OrFail;
use attrium_dataset::Preference;
use attrium_evaluation as evaluation;
use attrium_evaluation::{Prediction, Predictions};

/// The columns that only the shards' tables have, and that come last there.
const COLUMNS: [&str; 4] = {
    let [acquisition, view_source, counts] = Preference::COLUMNS;
    ["labels_sha256", acquisition, view_source, counts]
};

/// The prediction of one object.
#[derive(Clone, Debug)]
pub(super) struct ObjectPrediction {
    /// The study's pseudonym.
    pub study: u32,
    /// What the table of a study says.
    pub prediction: Prediction,
    /// The digest of the labels that the pseudonym is of.
    pub labels: String,
    /// How well the object stands for its study.
    pub preference: Preference,
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

    /// Keeps the best object of each study, sorted by pseudonym.
    pub(super) fn select(&mut self) {
        let mut best: BTreeMap<u32, ObjectPrediction> = BTreeMap::new();
        for row in self.rows.drain(..) {
            let kept = best.get(&row.study);
            if kept.is_none_or(|kept| row.compare(kept).is_lt()) {
                best.insert(row.study, row);
            }
        }
        self.rows = best.into_values().collect();
    }

    /// Whether every row was made of the labels of this digest.
    pub(super) fn are_of(&self, labels: &str) -> bool {
        self.rows.iter().all(|row| row.labels == labels)
    }

    /// The predictions without what objects are compared by.
    pub(super) fn into_predictions(self) -> Predictions {
        let rows = self.rows.into_iter();
        Predictions {
            classes: self.classes,
            covariates: self.covariates,
            rows: rows.map(|row| row.prediction).collect(),
        }
    }

    /// A shard's table.
    pub(super) fn to_csv(&self) -> Result<Vec<u8>, evaluation::Error> {
        let mut table = self.clone().into_predictions();
        if !self.rows.is_empty() {
            table.covariates.extend(COLUMNS.map(str::to_owned));
        }
        for (row, object) in table.rows.iter_mut().zip(&self.rows) {
            row.covariates.push(object.labels.clone());
            row.covariates.extend(object.preference.columns());
        }
        table.to_csv()
    }

    /// Reads a shard's table.
    ///
    /// # Errors
    /// It is no table of predictions, or a row lacks what objects are compared by.
    pub(super) fn parse(table: &[u8]) -> Result<Self, TaskError> {
        let mut table = Predictions::parse(table).or_retry()?;
        let own = table.covariates.len().saturating_sub(COLUMNS.len());
        let columns = table.covariates.split_off(own);
        let rows = table.rows.into_iter();
        let rows: Option<Vec<_>> = rows.map(|row| ObjectPrediction::read(row, own)).collect();
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

impl ObjectPrediction {
    /// Takes what only a shard's table has from a row, whose own covariates are so many.
    fn read(mut prediction: Prediction, own: usize) -> Option<Self> {
        let columns = prediction.covariates.get(own..)?.to_vec();
        prediction.covariates.truncate(own);
        let [labels, acquisition, view_source, counts] = columns.as_slice() else {
            return None;
        };
        Some(Self {
            study: prediction.study.parse().ok()?,
            prediction,
            labels: labels.clone(),
            preference: Preference::parse([acquisition, view_source, counts])?,
        })
    }

    /// The better object first; of equally good ones the one with the lower probabilities.
    fn compare(&self, other: &Self) -> Ordering {
        let probabilities = || {
            let others = &other.prediction.probabilities;
            let mut pairs = self.prediction.probabilities.iter().zip(others);
            pairs
                .find_map(|(a, b)| Some(a.total_cmp(b)).filter(|order| order.is_ne()))
                .unwrap_or(Ordering::Equal)
        };
        let preference = self.preference.cmp(&other.preference);
        preference.then_with(probabilities)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use attrium_imaging::{Acquisition, ViewSource};

    fn table(objects: &[(u32, Preference, f64)]) -> ObjectPredictions {
        let mut table = ObjectPredictions::new(2);
        for &(study, preference, positive) in objects {
            let prediction = Prediction {
                study: study.to_string(),
                fold: None,
                label: Some(1),
                probabilities: vec![1.0 - positive, positive],
                covariates: vec!["7".to_owned()],
            };
            let object = ObjectPrediction {
                study,
                prediction,
                labels: "a digest".to_owned(),
                preference,
            };
            table.push(vec!["patient".to_owned()], object);
        }
        table
    }

    #[test]
    fn the_object_that_counts_depends_on_no_order() {
        let whole = |counts| Preference::new(Acquisition::WholeBody, ViewSource::ViewCode, counts);
        let fixed = Preference::new(Acquisition::Static, ViewSource::ViewCode, 9.0);
        let mut objects = [
            (2, fixed, 0.9),
            (2, whole(5.0), 0.25),
            (2, whole(6.0), 0.5),
            (1, whole(1.0), 0.75),
            (1, whole(1.0), 0.125),
        ];
        for _ in 0..objects.len() {
            objects.rotate_left(1);
            for split in 0..objects.len() {
                let (first, second) = objects.split_at(split);
                let (mut chosen, mut second) = (table(second), table(first));
                second.select();
                chosen.extend(second);
                chosen.select();
                let chosen = chosen.into_predictions();
                let rows: Vec<_> = chosen
                    .rows
                    .iter()
                    .map(|row| (row.study.as_str(), row.probabilities[1]))
                    .collect();
                assert_eq!(rows, [("1", 0.75), ("2", 0.5)]);
                assert_eq!(chosen.covariates, ["patient"]);
                assert_eq!(chosen.rows[0].covariates, ["7"]);
            }
        }
    }

    #[test]
    fn a_shards_table_has_what_objects_are_compared_by_in_its_last_columns() {
        let preference = Preference::new(Acquisition::Static, ViewSource::ImageId, 1.5);
        let table = table(&[(1, preference, 0.5)]);
        let written = table.to_csv().expect("a table");
        let expected = "study,fold,label,p_0,p_1,patient,labels_sha256,acquisition,view_source,counts\n\
                        1,,1,0.5,0.5,7,a digest,Static,ImageId,1.5\n";
        assert_eq!(String::from_utf8_lossy(&written), expected);
        let read = ObjectPredictions::parse(&written).expect("its own table");
        assert_eq!(read.to_csv().expect("a table"), written);
        let empty = ObjectPredictions::new(2).to_csv().expect("a table");
        assert_eq!(
            String::from_utf8_lossy(&empty),
            "study,fold,label,p_0,p_1\n"
        );
        let read = ObjectPredictions::parse(&empty).expect("its own table");
        assert!(read.into_predictions().rows.is_empty());
    }

    #[test]
    fn labels_that_have_changed_are_noticed() {
        let preference = Preference::new(Acquisition::Static, ViewSource::ImageId, 1.0);
        let mut table = table(&[(1, preference, 0.5), (2, preference, 0.5)]);
        assert!(table.are_of("a digest"));
        table.rows[1].labels = "another".to_owned();
        assert!(!table.are_of("a digest"));
        assert_eq!(table.into_predictions().rows[1].covariates, ["7"]);
    }

    #[test]
    fn a_row_without_its_columns_is_an_error_rather_than_a_guess() {
        for table in [
            "study,fold,label,p_0,p_1,patient\n1,,1,0.5,0.5,7\n",
            "study,fold,label,p_0,p_1,labels_sha256,acquisition,view_source,counts\n\
             1,,1,0.5,0.5,a digest,Static,ImageId,many\n",
            "study,fold,label,p_0,p_1,labels_sha256,acquisition,view_source,counts\n\
             one,,1,0.5,0.5,a digest,Static,ImageId,1.0\n",
        ] {
            assert!(
                ObjectPredictions::parse(table.as_bytes()).is_err(),
                "{table}"
            );
        }
    }
}
