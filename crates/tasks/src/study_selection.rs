//! One prediction a study, where several of its objects were screened.
//!
//! The shards' tables carry the columns by which objects are compared, and the digest of the labels
//! that decide the pseudonyms; the joined table has them no more. The result depends neither on the
//! order of objects nor on the number of shards.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::TaskError;
use attrium_dataset::Preference;
use attrium_evaluation::{Prediction, Predictions};

/// Adds an object's prediction to its shard's table, with the labels' digest and what it is compared by.
pub(super) fn add(
    table: &mut Predictions,
    mut covariates: Vec<String>,
    mut prediction: Prediction,
    labels: &str,
    preference: Preference,
) {
    covariates.push(LABELS.to_owned());
    covariates.extend(Preference::COLUMNS.map(str::to_owned));
    prediction.covariates.push(labels.to_owned());
    prediction.covariates.extend(preference.columns());
    table.covariates = covariates;
    table.rows.push(prediction);
}

/// Keeps the best object of each study, sorted by pseudonym.
///
/// # Errors
/// When a row lacks what it is compared by.
pub(super) fn reduce(table: &mut Predictions) -> Result<(), TaskError> {
    let mut best: BTreeMap<u32, (Preference, Prediction)> = BTreeMap::new();
    for row in table.rows.drain(..) {
        let (Some(preference), Ok(study)) = (of(&row), row.study.parse()) else {
            return Err(TaskError::other(
                "a shard's predictions do not say of which objects they are: delete the folder \
                 tasks/ of this job, and run it again",
            ));
        };
        let is_better = best.get(&study).is_none_or(|(kept, other)| {
            let kept = (*kept, other.probabilities.as_slice());
            compare((preference, &row.probabilities), kept).is_lt()
        });
        if is_better {
            best.insert(study, (preference, row));
        }
    }
    table.rows = best.into_values().map(|(_, row)| row).collect();
    Ok(())
}

/// Whether every row was made of the labels of this digest.
pub(super) fn is_of(table: &Predictions, labels: &str) -> bool {
    table
        .rows
        .iter()
        .all(|row| match row.covariates.as_slice() {
            [.., digest, _, _, _] => digest == labels,
            _ => false,
        })
}

/// Takes the columns away that only the shards' tables have.
pub(super) fn strip(table: &mut Predictions) {
    let keep = table.covariates.len().saturating_sub(COLUMNS);
    table.covariates.truncate(keep);
    for row in &mut table.rows {
        row.covariates.truncate(keep);
    }
}

/// The column of the labels' digest.
const LABELS: &str = "labels_sha256";
/// How many columns only the shards' tables have.
const COLUMNS: usize = 1 + Preference::COLUMNS.len();

/// What a row of a shard's table is compared by: its last columns.
fn of(row: &Prediction) -> Option<Preference> {
    let [.., _, acquisition, view_source, counts] = row.covariates.as_slice() else {
        return None;
    };
    Preference::parse([acquisition, view_source, counts])
}

/// The better object first; of equally good ones the one with the lower probabilities.
fn compare(a: (Preference, &[f64]), b: (Preference, &[f64])) -> Ordering {
    let probabilities = || {
        let pairs = a.1.iter().zip(b.1);
        pairs
            .map(|(a, b)| a.total_cmp(b))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    };
    a.0.cmp(&b.0).then_with(probabilities)
}

#[cfg(test)]
mod tests {
    use super::*;
    use attrium_imaging::{Acquisition, ViewSource};

    fn table(objects: &[(u32, Preference, f64)]) -> Predictions {
        let mut table = Predictions {
            classes: 2,
            ..Predictions::default()
        };
        for &(study, preference, positive) in objects {
            let prediction = Prediction {
                study: study.to_string(),
                fold: None,
                label: Some(1),
                probabilities: vec![1.0 - positive, positive],
                covariates: vec!["7".to_owned()],
            };
            add(
                &mut table,
                vec!["patient".to_owned()],
                prediction,
                "a digest",
                preference,
            );
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
                reduce(&mut second).expect("whole rows");
                chosen.rows.extend(second.rows);
                reduce(&mut chosen).expect("whole rows");
                chosen.covariates = second.covariates.max(chosen.covariates);
                strip(&mut chosen);
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
    fn labels_that_have_changed_are_noticed() {
        let preference = Preference::new(Acquisition::Static, ViewSource::ImageId, 1.0);
        let mut table = table(&[(1, preference, 0.5), (2, preference, 0.5)]);
        assert!(is_of(&table, "a digest"));
        table.rows[1].covariates[1] = "another".to_owned();
        assert!(!is_of(&table, "a digest"));
        strip(&mut table);
        assert_eq!(table.rows[1].covariates, ["7"]);
    }

    #[test]
    fn a_row_without_its_columns_is_an_error_rather_than_a_guess() {
        let preference = Preference::new(Acquisition::Static, ViewSource::ImageId, 1.0);
        let mut table = table(&[(1, preference, 0.5)]);
        table.rows[0].covariates.pop();
        assert!(reduce(&mut table).is_err());
    }
}
