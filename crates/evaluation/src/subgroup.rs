//! The metrics of parts of the cohort: one subgroup for each value of each covariate.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::estimate_fields;
use super::interval::{Estimate, difference};
use super::labelled_predictions::LabelledPredictions;
use super::predictions::{Prediction, Predictions};
use super::reader_agreement::SECOND_READER;
use attrium_types::Target;

/// The covariate that says which studies are of one patient.
pub(super) const PATIENT: &str = "patient";

/// The covariate that holds the reader's grade: it decides the class, so that a class is absent from
/// each of its subgroups by nature.
const GRADE: &str = "grade";

/// The value of a study whose covariate is empty.
const UNKNOWN: &str = "unknown";

/// A covariate with more values than this makes no subgroups: it is a number or a free text.
pub const MAX_SUBGROUPS: usize = 20;

/// The bands of the covariate `age`, each from this age in years on.
const AGE_BANDS: [(f64, &str); 4] = [
    (0.0, "under 65"),
    (65.0, "65-74"),
    (75.0, "75-84"),
    (85.0, "85 and over"),
];

/// The studies that share one value of one covariate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SubgroupMetrics {
    /// The covariate: `metastases`, `protocol`, `scanner`, `sex`, `indication`, `age`, ...
    pub column: String,
    /// Its value; `unknown` where the column is empty; for `age` one of the bands `under 65`,
    /// `65-74`, `75-84`, `85 and over`.
    pub value: String,
    /// The number of labelled studies.
    pub studies: u64,
    /// How many of them are positive.
    pub positives: u64,
    /// The target's AUC, as [`super::Metrics::auc`].
    #[serde(flatten, with = "estimate_fields::auc")]
    pub auc: Option<Estimate>,
    /// The AUC of the probability of a positive; for a binary target the same as `auc`.
    #[serde(flatten, with = "estimate_fields::positive_auc")]
    pub positive_auc: Option<Estimate>,
    /// The share of studies whose class was predicted correctly, with Wilson's interval.
    #[serde(flatten, with = "estimate_fields::accuracy")]
    pub accuracy: Option<Estimate>,
    /// The share of positives that are called positive, by the hard label, with Wilson's interval.
    #[serde(flatten, with = "estimate_fields::sensitivity")]
    pub sensitivity: Option<Estimate>,
    /// The share of negatives that are called negative, by the hard label, with Wilson's interval.
    #[serde(flatten, with = "estimate_fields::specificity")]
    pub specificity: Option<Estimate>,
    /// `positive_auc` less that of the studies with another known value; `None` for `unknown`, and
    /// where either is not defined. The interval is made as if no patient had studies on both sides.
    #[serde(flatten, with = "estimate_fields::positive_auc_difference")]
    pub positive_auc_difference: Option<Estimate>,
    /// `accuracy` less that of the studies with another known value, with an interval as above.
    #[serde(flatten, with = "estimate_fields::accuracy_difference")]
    pub accuracy_difference: Option<Estimate>,
}

/// The studies of each subgroup by one covariate, in the order of their rows.
type Groups<'a> = BTreeMap<(usize, &'a str), Vec<&'a Prediction>>;

/// The subgroups of every covariate that makes any, and warnings about those that do not.
///
/// Values are in alphabetical order, age bands by age, `unknown` last. A column that is empty
/// throughout is passed over.
pub(super) fn subgroups(
    target: Target,
    predictions: &Predictions,
    patient: Option<usize>,
    warnings: &mut Vec<String>,
) -> Vec<SubgroupMetrics> {
    let mut subgroups = Vec::new();
    for (index, column) in predictions.covariates.iter().enumerate() {
        if [PATIENT, SECOND_READER].contains(&column.as_str()) {
            continue;
        }
        let groups = groups(predictions, index, column);
        if groups.len() > MAX_SUBGROUPS {
            warnings.push(format!(
                "the column {column} has {} values and makes no subgroups: at most {MAX_SUBGROUPS} \
                 are compared",
                groups.len()
            ));
            continue;
        }
        if groups.keys().all(|&(_, value)| value == UNKNOWN) {
            continue;
        }
        let labelled = |studies: Vec<_>| LabelledPredictions::new(target, studies, patient);
        let of_column = groups.iter().map(|(&group, studies)| {
            let others = labelled(others(&groups, group));
            subgroup(column, group.1, &labelled(studies.clone()), &others)
        });
        let of_column: Vec<SubgroupMetrics> = of_column.collect();
        let undefined = of_column.iter().filter(|group| group.auc.is_none()).count();
        if undefined > 0 && column != GRADE {
            warnings.push(format!(
                "a class is absent from {undefined} of the {} subgroups by {column}, whose AUC is \
                 not defined",
                of_column.len()
            ));
        }
        subgroups.extend(of_column);
    }
    subgroups
}

/// The labelled studies by the value of the covariate `column`, which is at `index`.
fn groups<'a>(predictions: &'a Predictions, index: usize, column: &str) -> Groups<'a> {
    let mut groups = Groups::new();
    for row in predictions.rows.iter().filter(|row| row.label.is_some()) {
        let value = row.covariates.get(index).map_or("", String::as_str);
        groups.entry(group(column, value)).or_default().push(row);
    }
    groups
}

/// The subgroup of a covariate's value: where it comes in the order of groups, and its name.
fn group<'a>(column: &str, value: &'a str) -> (usize, &'a str) {
    let value = value.trim();
    let unknown = (usize::MAX, UNKNOWN);
    if value.is_empty() {
        return unknown;
    }
    if !column.eq_ignore_ascii_case("age") {
        return (0, value);
    }
    let age: f64 = value.parse().unwrap_or(f64::NAN);
    let band = AGE_BANDS.iter().rposition(|&(from, _)| age >= from);
    band.map_or(unknown, |band| (band, AGE_BANDS[band].1))
}

/// The studies of the other groups whose value is known; none for those whose own is not.
fn others<'a>(groups: &Groups<'a>, group: (usize, &str)) -> Vec<&'a Prediction> {
    if group.1 == UNKNOWN {
        return Vec::new();
    }
    let others = groups.iter();
    others
        .filter(|(other, _)| **other != group && other.1 != UNKNOWN)
        .flat_map(|(_, members)| members.iter().copied())
        .collect()
}

fn subgroup(
    column: &str,
    value: &str,
    labelled: &LabelledPredictions<'_>,
    others: &LabelledPredictions<'_>,
) -> SubgroupMetrics {
    let calls = labelled.calls();
    let from_others = |of: fn(&LabelledPredictions<'_>) -> Option<Estimate>| {
        let pair = of(labelled).zip(of(others));
        pair.map(|(own, others)| difference(own, others))
    };
    SubgroupMetrics {
        column: column.to_owned(),
        value: value.to_owned(),
        studies: labelled.studies(),
        positives: labelled.positives(),
        auc: labelled.auc(),
        positive_auc: labelled.positive_auc(),
        accuracy: labelled.accuracy(),
        sensitivity: calls.sensitivity(),
        specificity: calls.specificity(),
        positive_auc_difference: from_others(|of| of.positive_auc()),
        accuracy_difference: from_others(|of| of.accuracy()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(columns: &str, rows: &[&str]) -> Predictions {
        let header = format!("study,fold,label,p_0,p_1,{columns}\n");
        let rows = rows.iter().enumerate();
        let rows: String = rows
            .map(|(study, row)| format!("{study},0,{row}\n"))
            .collect();
        Predictions::parse((header + &rows).as_bytes()).expect("a right table")
    }

    fn value(estimate: Option<Estimate>) -> Option<f64> {
        estimate.map(|estimate| estimate.value)
    }

    fn found(table: &Predictions) -> (Vec<SubgroupMetrics>, Vec<String>) {
        let mut warnings = Vec::new();
        let rows = subgroups(Target::Positive, table, None, &mut warnings);
        (rows, warnings)
    }

    #[test]
    fn ages_fall_into_bands_in_the_order_of_age_and_what_is_no_age_is_unknown() {
        let table = table(
            "age",
            &[
                "0,1,0,85",
                "0,1,0,64.9",
                "1,0,1,75",
                "0,1,0,",
                "1,0,1,old",
                "0,1,0,74",
            ],
        );
        let (rows, _) = found(&table);
        let values: Vec<_> = rows
            .iter()
            .map(|row| (row.value.as_str(), row.studies))
            .collect();
        let expected = [
            ("under 65", 1),
            ("65-74", 1),
            ("75-84", 1),
            ("85 and over", 1),
            ("unknown", 2),
        ];
        assert_eq!(values, expected);
    }

    #[test]
    fn a_class_absent_from_a_subgroup_gives_a_warning_that_names_no_value() {
        let table = table("scanner", &["0,0.9,0.1,A", "1,0.2,0.8,A", "0,0.9,0.1,B"]);
        let (rows, warnings) = found(&table);
        assert_eq!(value(rows[0].auc), Some(1.0));
        assert_eq!((rows[1].auc, rows[1].sensitivity), (None, None));
        assert_eq!(value(rows[1].specificity), Some(1.0));
        let expected = "a class is absent from 1 of the 2 subgroups by scanner, whose AUC is not \
                        defined";
        assert_eq!(warnings, [expected]);
    }

    #[test]
    fn neither_free_text_nor_patients_nor_an_empty_column_make_subgroups() {
        let rows: Vec<String> = (0..21).map(|n| format!("0,1,0,note {n},{n},")).collect();
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        let (rows, warnings) = found(&table("note,patient,sex", &rows));
        assert!(rows.is_empty());
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].starts_with("the column note has 21 values"));
    }

    #[test]
    fn a_subgroup_differs_from_all_others_whose_value_is_known() {
        let rows = [
            "0,1,0,A", "1,1,0,A", "0,1,0,B", "1,0,1,C", "0,0,1,", "1,0,1,",
        ];
        let (rows, _) = found(&table("scanner", &rows));
        let differences: Vec<_> = rows
            .iter()
            .map(|row| (row.value.as_str(), value(row.accuracy_difference)))
            .collect();
        let third = 1.0 - 2.0 / 3.0;
        let expected = [
            ("A", Some(-0.5)),
            ("B", Some(third)),
            ("C", Some(third)),
            ("unknown", None),
        ];
        assert_eq!(differences, expected);
        assert_eq!(value(rows[0].positive_auc_difference), Some(-0.5));
        assert_eq!(rows[1].positive_auc_difference, None);
        let alone = table("sex", &["0,1,0,F", "1,0,1,F"]);
        assert_eq!(found(&alone).0[0].accuracy_difference, None);
    }

    #[test]
    fn subgroups_by_grade_lack_a_class_without_a_warning() {
        let (rows, warnings) = found(&table("grade", &["0,1,0,1", "1,0,1,2", "1,0.9,0.1,3"]));
        let values = rows.iter();
        let values = values.map(|row| (value(row.auc), value(row.sensitivity)));
        let values: Vec<_> = values.collect();
        assert_eq!(values, [(None, None), (None, Some(1.0)), (None, Some(0.0))]);
        assert!(warnings.is_empty());
    }

    #[test]
    fn a_study_without_a_label_is_in_no_subgroup() {
        let (rows, _) = found(&table("sex", &["0,1,0,F", ",1,0,F", ",1,0,M"]));
        assert_eq!(rows.len(), 1);
        assert_eq!((rows[0].value.as_str(), rows[0].studies), ("F", 1));
    }
}
