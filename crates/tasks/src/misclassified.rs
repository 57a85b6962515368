//! What one network of each target got wrong, for the report to show.

use std::collections::HashMap;

use super::TaskError;
use super::combination::Combination;
use super::task_io::TrainingIo;
use super::training_report::{self, Findings};
use attrium_dataset::Cohort;
use attrium_evaluation::{NetworkMetrics, Prediction, positive_probability};
use attrium_report::{Misclassified, MisclassifiedStudies, MisclassifiedStudy};
use attrium_types::Target;

/// The mistakes of each kind that are shown.
const SHOWN: usize = 8;

/// The mistakes of the network that is to be published, and for every other target of that of the highest AUC.
pub(super) fn misclassified(
    io: &TrainingIo<'_>,
    findings: &Findings<'_>,
) -> Result<Vec<Misclassified>, TaskError> {
    let targets = io.spec.tasks.iter();
    let chosen = targets.filter_map(|&target| representative(io, findings, target));
    chosen.map(|it| of_network(findings.cohort, it)).collect()
}

fn representative<'a>(
    io: &TrainingIo<'_>,
    findings: &Findings<'a>,
    target: Target,
) -> Option<&'a Combination> {
    let mut of_target = findings
        .combinations
        .iter()
        .filter(|it| it.target == target);
    let wanted = io.spec.publish.as_ref();
    let published = of_target
        .clone()
        .find(|it| wanted.is_some_and(|wanted| it.is(wanted)));
    let first = of_target.next()?;
    let auc = |combination: &Combination| {
        let results = &findings.document.results;
        let result = NetworkMetrics::find(results, combination.architecture, target)?;
        result.metrics.auc.map(|auc| auc.value)
    };
    let better = |best, other| if auc(other) > auc(best) { other } else { best };
    published.or_else(|| Some(of_target.fold(first, better)))
}

fn of_network(cohort: &Cohort, combination: &Combination) -> Result<Misclassified, TaskError> {
    let target = combination.target;
    let places: HashMap<String, usize> = (0..cohort.len())
        .map(|place| (cohort.records[place].study.to_string(), place))
        .collect();
    let mut missed = mistakes(target, &combination.predictions.rows, true);
    let mut false_alarms = mistakes(target, &combination.predictions.rows, false);
    missed.sort_by(|one, other| one.1.total_cmp(&other.1));
    false_alarms.sort_by(|one, other| other.1.total_cmp(&one.1));
    let shown = |found: Vec<(&str, f64)>| -> Result<MisclassifiedStudies, TaskError> {
        let studies = found.len() as u64;
        let first = found.into_iter().take(SHOWN);
        let shown = first.filter_map(|(study, probability)| {
            let place = *places.get(study)?;
            let example = training_report::example(cohort, place);
            Some(example.map(|example| MisclassifiedStudy {
                example,
                positive_probability: probability,
            }))
        });
        Ok(MisclassifiedStudies {
            studies,
            shown: shown.collect::<Result<_, _>>()?,
        })
    };
    Ok(Misclassified {
        architecture: combination.architecture,
        target,
        missed: shown(missed)?,
        false_alarms: shown(false_alarms)?,
    })
}

/// The studies that are positive, or negative, and were called otherwise by the class of the highest probability, each
/// with the probability of a positive.
fn mistakes(target: Target, rows: &[Prediction], positive: bool) -> Vec<(&str, f64)> {
    let first = target.first_positive_class();
    let wrong = rows.iter().filter(|row| {
        let truth = row.label.map(|label| label >= first);
        truth == Some(positive) && (row.hard_label() >= first) != positive
    });
    wrong
        .map(|row| {
            (
                &*row.study,
                positive_probability(target, &row.probabilities),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(study: &str, label: usize, probabilities: [f64; 4]) -> Prediction {
        Prediction {
            study: study.to_owned(),
            fold: Some(0),
            label: Some(label),
            probabilities: probabilities.to_vec(),
            covariates: Vec::new(),
        }
    }

    #[test]
    fn a_mistake_is_on_the_wrong_side_of_positive_and_another_grade_is_none() {
        let rows = [
            row("right", 3, [0.0, 0.1, 0.8, 0.1]),
            row("missed", 2, [0.1, 0.5, 0.4, 0.0]),
            row("called", 1, [0.1, 0.2, 0.7, 0.0]),
            row("also-right", 0, [0.3, 0.6, 0.1, 0.0]),
        ];
        let found = |positive| mistakes(Target::Perugini, &rows, positive);
        assert_eq!(found(true), [("missed", 0.4)]);
        assert_eq!(found(false), [("called", 0.7)]);
    }
}
