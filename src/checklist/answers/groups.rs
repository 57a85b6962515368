//! How well the network does in groups of people, and from one scanner to another.

use super::super::Answer;
use super::super::facts::{Facts, METRICS};
use super::estimate;
use attrium_evaluation::{Estimate, SubgroupMetrics};
use attrium_types::Target;

/// Covariates that make clusters rather than groups of people.
const CLUSTERS: [&str; 2] = ["scanner", "protocol"];

/// A covariate's rows, each with its AUC where that is defined.
fn group_in_words(column: &str, rows: &[&SubgroupMetrics]) -> String {
    let rows: Vec<_> = rows
        .iter()
        .map(|row| {
            let auc = |auc: Option<Estimate>| {
                estimate(auc)
                    .map_or_else(|| "AUC not defined".to_owned(), |auc| format!("AUC {auc}"))
            };
            format!("{} ({}): {}", row.value, row.studies, auc(row.positive_auc))
        })
        .collect();
    format!("By {column}, with studies: {}", rows.join("; "))
}

/// How well it does in groups of people.
pub(crate) fn groups(facts: &Facts) -> Answer {
    let people = [
        ("age", "labels.csv: age", "How well does it do by age?"),
        ("sex", "labels.csv: sex", "How well does it do by sex?"),
    ];
    people
        .into_iter()
        .fold(Answer::default(), |answer, (column, field, question)| {
            answer.and(by(facts, column, field, question))
        })
}

fn by(facts: &Facts, column: &str, field: &'static str, question: &str) -> Answer {
    let rows = facts.subgroups(column);
    match rows.iter().all(|row| row.value == "unknown") {
        true => Answer::default().ask_for(field, question),
        false => Answer::default().know(METRICS, group_in_words(column, &rows)),
    }
}

/// What was done about fairness.
pub(crate) fn fairness(facts: &Facts) -> Answer {
    groups(facts).ask("Which other groups matter, and what was done so that none is served worse?")
}

/// Whether it does differently from one scanner or protocol to another.
pub(crate) fn clusters(facts: &Facts) -> Answer {
    let known: Vec<_> = CLUSTERS
        .into_iter()
        .filter_map(|column| {
            let rows = facts.subgroups(column);
            let is_known = rows.iter().any(|row| row.value != "unknown");
            is_known.then(|| group_in_words(column, &rows))
        })
        .collect();
    let answer = match known.is_empty() {
        true => Answer::default().ask_for(
            "labels.csv: scanner",
            "Does it do differently from one scanner or protocol to another?",
        ),
        false => Answer::default().know(METRICS, known.join(". ")),
    };
    let metrics = facts.reported().map(|reported| &reported.network.metrics);
    let folds = metrics.and_then(|metrics| metrics.fold_auc);
    let over_grades = match metrics.map(|metrics| metrics.target) {
        Some(Target::Perugini) => " over the four grades",
        _ => "",
    };
    let answer = match folds.filter(|_| facts.training().is_some()) {
        Some(folds) => answer.know(
            METRICS,
            format!(
                "Over {} folds the AUC{} is {:.3} in the mean, from {:.3} to {:.3}",
                folds.folds, over_grades, folds.mean, folds.min, folds.max
            ),
        ),
        None => answer,
    };
    answer.ask("Does it do differently from one hospital to another?")
}

/// Analyses of variability and robustness.
pub(crate) fn robustness(facts: &Facts) -> Answer {
    clusters(facts).ask("Which other analyses, such as another seed or noisier scans, were made?")
}
