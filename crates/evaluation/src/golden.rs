//! The evaluation of whole tables against scikit-learn and SciPy: `tests/golden/evaluation/`.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::{
    AssumedPrior, Baseline, BaselineStudy, EvaluationOptions, FeatureDistribution, Metrics,
    ModelDemand, Predictions, Recalibration, ShareDemand, WeightedChance, beta, chance_of_error,
    error_limit, evaluate, positive_probability, scans_for,
};
use attrium_types::Target;

const TOLERANCE: f64 = 1e-12;
/// Of what the reference looks for by steps of its own, or fits to that.
const SEARCHED: f64 = 1e-6;

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/golden/evaluation")
        .join(name)
}

fn evaluated(name: &str, target: Target) -> Metrics {
    evaluate(target, &table(name), &EvaluationOptions::default()).expect("the table is of the task")
}

fn table(name: &str) -> Predictions {
    let bytes = fs::read(path(&format!("{name}.csv"))).expect("the table is there");
    Predictions::parse(&bytes).expect("the table is right")
}

/// Compares all that is expected with what was found, and returns how many numbers that were.
fn compare(place: &str, expected: &Value, found: &Value) -> usize {
    near(place, expected, found, TOLERANCE)
}

/// The same within a tolerance.
fn near(place: &str, expected: &Value, found: &Value, tolerance: f64) -> usize {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => expected
            .iter()
            .map(|(key, value)| {
                let own = found
                    .get(key)
                    .unwrap_or_else(|| panic!("{place}.{key} is missing"));
                near(&format!("{place}.{key}"), value, own, tolerance)
            })
            .sum(),
        (Value::Array(expected), Value::Array(found)) => {
            assert_eq!(expected.len(), found.len(), "length of {place}");
            let pairs = expected.iter().zip(found).enumerate();
            pairs
                .map(|(index, (expected, found))| {
                    near(&format!("{place}[{index}]"), expected, found, tolerance)
                })
                .sum()
        }
        (Value::Number(expected), Value::Number(found)) => {
            let (expected, found) = (expected.as_f64(), found.as_f64());
            let difference = expected.zip(found).map(|(a, b)| (a - b).abs());
            let close = difference.is_some_and(|difference| difference <= tolerance);
            assert!(close, "{place}: {expected:?} expected, {found:?} found");
            1
        }
        _ => {
            assert_eq!(expected, found, "{place}");
            usize::from(expected.is_null())
        }
    }
}

fn check(name: &str, target: Target) -> Metrics {
    let text = fs::read_to_string(path(&format!("{name}.json"))).expect("the metrics are there");
    let expected: Value = serde_json::from_str(&text).expect("they are JSON");
    let metrics = evaluated(name, target);
    let found = serde_json::to_value(&metrics).expect("metrics have only finite numbers");
    assert!(compare(name, &expected, &found) > 80);
    metrics
}

#[test]
fn four_grades_with_covariates_and_patients_seen_twice() {
    let metrics = check("grades", Target::Perugini);
    assert!(
        metrics
            .patients
            .is_some_and(|patients| patients < metrics.studies)
    );
}

#[test]
fn patients_of_several_studies_in_a_binary_task() {
    let metrics = check("clustered", Target::Positive);
    assert!(
        metrics
            .patients
            .is_some_and(|patients| patients < metrics.studies)
    );
}

#[test]
fn a_binary_task() {
    assert_eq!(check("binary", Target::Positive).warnings, [""; 0]);
}

#[test]
fn ties_in_a_binary_task() {
    check("ties", Target::HighGrade);
}

#[test]
fn ties_in_four_grades_without_folds() {
    assert!(check("grade-ties", Target::Perugini).folds.is_empty());
}

#[test]
fn a_grade_that_no_study_is_of() {
    let metrics = check("absent", Target::Perugini);
    assert_eq!(metrics.auc, None);
    assert!(metrics.positive.auc.is_some());
    assert!(metrics.warnings[0].contains("grade 3"));
}

#[test]
fn negatives_alone() {
    let metrics = check("single", Target::Positive);
    assert_eq!((metrics.auc, metrics.sensitivity), (None, None));
    assert_eq!(metrics.positive.decision_curve, None);
    assert_eq!(metrics.kappa.map(|kappa| kappa.value), Some(0.0));
    assert!(
        metrics
            .warnings
            .iter()
            .any(|warning| warning.starts_with("fold 0 has no study"))
    );
}

#[test]
fn three_studies() {
    check("tiny", Target::Positive);
}

#[test]
fn perfect_separation_has_an_interval_below_1() {
    let metrics = check("separated", Target::Positive);
    let auc = metrics.auc.expect("both classes are there");
    assert_eq!(auc.value, 1.0);
    assert!(auc.interval.is_some_and(|interval| interval.low < 0.95));
}

fn baseline_study(study: &Value) -> BaselineStudy {
    let whole = |key: &str| study[key].as_u64().expect("a whole number");
    let probabilities = study["probabilities"].as_array();
    BaselineStudy {
        study: study["study"].as_str().expect("a name").to_owned(),
        patient: whole("patient") as u32,
        label: whole("label") as usize,
        score: study["score"].as_f64().expect("a number"),
        probabilities: probabilities.map(|of| of.iter().filter_map(Value::as_f64).collect()),
    }
}

#[test]
fn a_score_without_a_network_and_how_much_more_a_network_does() {
    let text = fs::read_to_string(path("baseline.json")).expect("the baselines are there");
    let cases: Value = serde_json::from_str(&text).expect("they are JSON");
    let cases = cases.as_object().expect("one for each table");
    assert_eq!(cases.len(), 7);
    for (name, case) in cases {
        let target = serde_json::from_value(case["task"].clone()).expect("a task");
        let studies = case["studies"].as_array().expect("a list");
        let baseline = Baseline {
            name: "ratio".to_owned(),
            target,
            studies: studies.iter().map(baseline_study).collect(),
        };
        let difference = baseline
            .difference(&table(name))
            .expect("a table of the task");
        let difference = serde_json::to_value(difference).expect("only finite numbers");
        let metrics = serde_json::to_value(baseline.metrics()).expect("only finite numbers");
        let compared = compare(&format!("{name}.baseline"), &case["baseline"], &metrics)
            + compare(
                &format!("{name}.difference"),
                &case["difference"],
                &difference,
            );
        assert!(compared >= 9, "{name}");
    }
}

#[test]
fn what_probabilities_take_for_a_prior_is_taken_out_and_their_reliability_is_that_of_statsmodels() {
    let text = fs::read_to_string(path("calibration.json")).expect("the cases are there");
    let cases: Vec<Value> = serde_json::from_str(&text).expect("they are JSON");
    assert_eq!(cases.len(), 5);
    for case in cases {
        let name = case["table"].as_str().expect("a name");
        let target = serde_json::from_value(case["task"].clone()).expect("a task");
        let options = EvaluationOptions {
            prior: match case["prior"].as_str() {
                Some("Balanced") => AssumedPrior::Balanced,
                Some("SquareRoot") => AssumedPrior::SquareRoot,
                Some("Prevalence") => {
                    AssumedPrior::Prevalence(case["stated"].as_f64().expect("a share"))
                }
                _ => AssumedPrior::Cohort,
            },
            ..EvaluationOptions::default()
        };
        let metrics = evaluate(target, &table(name), &options).expect("of the task");
        let found = serde_json::to_value(&metrics).expect("only finite numbers");
        let key = "reliability";
        let compared = near(name, &case[key], &found["positive"][key], SEARCHED)
            + near(
                name,
                &case["temperatureScaling"],
                &found["temperatureScaling"],
                SEARCHED,
            );
        assert!(compared > 150, "{name}: {compared}");
    }
}

#[test]
fn a_recalibration_is_the_one_that_scipy_finds() {
    let text = fs::read_to_string(path("recalibration.json")).expect("the cases are there");
    let cases: Vec<Value> = serde_json::from_str(&text).expect("they are JSON");
    assert_eq!(cases.len(), 5);
    for case in cases {
        let name = case["table"].as_str().expect("a name");
        let target: Target = serde_json::from_value(case["task"].clone()).expect("a task");
        let table = table(name);
        let labelled = Predictions {
            rows: table
                .rows
                .iter()
                .filter(|row| row.label.is_some())
                .cloned()
                .collect(),
            ..table
        };
        let found = Recalibration::fit(target, &labelled).expect("enough of each");
        let after = found.apply_to(target, &labelled).rows;
        let after = after
            .iter()
            .map(|row| positive_probability(target, &row.probabilities));
        let found = serde_json::json!({
            "table": name,
            "task": target,
            "intercept": found.intercept,
            "slope": found.slope,
            "positive": after.collect::<Vec<_>>(),
        });
        assert!(near(name, &case, &found, SEARCHED) > 20, "{name}");
    }
}

#[test]
fn sizes_of_studies_are_those_of_trying_every_one_and_of_adaptive_integration() {
    let text = fs::read_to_string(path("sample-size.json")).expect("the cases are there");
    let cases: Value = serde_json::from_str(&text).expect("they are JSON");
    let list = |name: &str| cases[name].as_array().expect("a list").clone();
    let number = |case: &Value, key: &str| case[key].as_f64().expect("a number");
    for case in list("shares") {
        let demand = ShareDemand {
            expected: number(&case, "expected"),
            lower: number(&case, "lower"),
        };
        let found = demand.size(number(&case, "assurance")).expect("in range");
        assert_eq!(case["asExpected"], found.as_expected, "{case}");
        assert_eq!(case["assured"], found.assured, "{case}");
    }
    for case in list("scans") {
        let positives = case["positives"].as_u64().expect("a whole number");
        let found = scans_for(
            positives,
            number(&case, "prevalence"),
            number(&case, "assurance"),
        );
        assert_eq!(case["scans"], serde_json::json!(found), "{case}");
    }
    for case in list("models") {
        let demand = ModelDemand {
            auc: number(&case, "auc"),
            prevalence: number(&case, "prevalence"),
        };
        let parameters = number(&case, "parameters") as u32;
        let found = serde_json::json!({
            "development": demand.development(parameters).expect("in range"),
            "validation": demand.validation().expect("in range"),
        });
        assert_eq!(case["development"], found["development"], "{case}");
        assert_eq!(case["validation"], found["validation"], "{case}");
    }
}

#[test]
fn quantiles_of_the_beta_distribution() {
    let text = fs::read_to_string(path("beta.json")).expect("the quantiles are there");
    let rows: Vec<[f64; 4]> = serde_json::from_str(&text).expect("they are rows of four numbers");
    assert!(rows.len() > 60);
    for [probability, a, b, expected] in rows {
        let found = beta::quantile(probability, a, b);
        let close = (found - expected).abs() <= TOLERANCE;
        assert!(
            close,
            "{probability} of {a}, {b}: {expected} expected, {found} found"
        );
    }
}

#[test]
fn metrics_survive_json() {
    for (name, target) in [("grades", Target::Perugini), ("single", Target::Positive)] {
        let metrics = evaluated(name, target);
        let json = serde_json::to_string(&metrics).expect("metrics are JSON");
        assert!(!json.contains("NaN") && !json.contains("inf"));
        let back: Metrics = serde_json::from_str(&json).expect("JSON reads back");
        let (one, other) = (serde_json::to_value(&metrics), serde_json::to_value(&back));
        compare(name, &one.expect("JSON"), &other.expect("JSON"));
    }
}

#[test]
fn doubts_are_those_of_scipy() {
    let golden: Value =
        serde_json::from_slice(&fs::read(path("doubts.json")).expect("a file")).expect("JSON");
    let numbers =
        |value: &Value| -> Vec<f64> { serde_json::from_value(value.clone()).expect("numbers") };
    let expected = &golden["distribution"];
    let folds: Vec<usize> = serde_json::from_value(expected["folds"].clone()).expect("folds");
    let rows = expected["rows"]
        .as_array()
        .expect("rows")
        .iter()
        .map(numbers);
    let scans: Vec<_> = rows.zip(folds).collect();
    let found = FeatureDistribution::new(&scans).expect("a distribution");
    let close =
        |found: f64, expected: f64| (found - expected).abs() < 1e-9 * expected.abs().max(1.0);
    let all_close = |found: &[f64], expected: &Value| {
        let expected = numbers(expected);
        found.len() == expected.len() && found.iter().zip(&expected).all(|(a, b)| close(*a, *b))
    };
    assert!(all_close(&found.mean, &expected["mean"]));
    assert!(all_close(&found.covariance, &expected["covariance"]));
    assert!(all_close(
        &[found.limit],
        &serde_json::json!([expected["limit"]])
    ));
    let surroundings = found.surroundings(5).expect("a covariance");
    let probes = expected["probes"].as_array().expect("probes").iter();
    let distances: Vec<_> = probes
        .map(|probe| surroundings.distance(&numbers(probe)))
        .collect();
    assert!(
        all_close(&distances, &expected["distances"]),
        "{distances:?}"
    );
    for expected in golden["limits"].as_array().expect("limits") {
        let threshold = expected["threshold"].as_f64().expect("a threshold");
        let chances = numbers(&expected["scores"]);
        let chances: Vec<_> = chances
            .into_iter()
            .map(|it| chance_of_error(it, it >= threshold))
            .collect();
        assert!(all_close(&chances, &expected["chances"]));
        let weights = numbers(&expected["weights"]);
        let decisions = chances.into_iter().zip(weights);
        let decisions: Vec<_> = decisions
            .map(|(chance, weight)| WeightedChance { chance, weight })
            .collect();
        let limit = error_limit(&decisions, expected["share"].as_f64().expect("a share"));
        let same = limit
            .zip(expected["limit"].as_f64())
            .map(|(a, b)| close(a, b));
        assert!(same.unwrap_or(limit.is_none()), "{limit:?}");
    }
}
