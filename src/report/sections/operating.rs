//! Operating points: what a threshold on the probability of a positive would have meant.

use super::{Subject, by_task, caption, estimate, heading, note, positive, question};
use crate::api::Task;
use crate::evaluation::{OperatingPoint, OperatingPointKind};
use crate::report::markup::Markup;
use crate::report::number;
use crate::report::table::{Kind, Table};

/// The tables of every task.
pub(in crate::report) fn section(subjects: &[Subject<'_>]) -> Markup {
    let mut content = Markup::none();
    for (task, group) in by_task(subjects) {
        if group
            .iter()
            .any(|subject| !subject.metrics.positive.operating_points.is_empty())
        {
            content.push(heading(question(task)));
            content.push(table(task, &group));
        }
    }
    if content.is_empty() {
        return content;
    }
    note(
        "A study is called positive where the probability of a positive reaches the threshold. \
         Thresholds were chosen on the very studies they are judged on, so expect somewhat less \
         on new ones. PPV and NPV are stated twice: at this cohort’s prevalence and at another.",
    )
    .with(content)
}

/// An operating point in a few words.
pub(in crate::report) fn kind_name(point: &OperatingPoint) -> String {
    match point.kind {
        OperatingPointKind::Sensitivity { target } => {
            format!("sensitivity ≥ {}", number::fraction(target))
        }
        OperatingPointKind::Youden => "Youden’s index".to_owned(),
        OperatingPointKind::Threshold => format!("threshold {}", number::fraction(point.threshold)),
    }
}

fn table(task: Task, group: &[Subject<'_>]) -> Markup {
    let prevalence = |pick: fn(&Subject<'_>) -> f64| {
        let percent = group
            .first()
            .map_or(f64::NAN, |subject| 100.0 * pick(subject));
        format!("{}\u{a0}%", number::decimals(percent, 1))
    };
    let cohort = prevalence(|subject| subject.metrics.at_cohort.prevalence);
    let stated = prevalence(|subject| subject.metrics.at_stated.prevalence);
    let headers = [
        "Network and rule".to_owned(),
        "Threshold".to_owned(),
        "Sensitivity".to_owned(),
        "Specificity".to_owned(),
        "Found, missed".to_owned(),
        "False alarms".to_owned(),
        format!("PPV at {cohort}"),
        format!("NPV at {cohort}"),
        format!("PPV at {stated}"),
        format!("NPV at {stated}"),
    ];
    let about = format!("Positive: {}.", positive(task));
    let mut table = Table::new(caption("Operating points", about), headers).class("stacked");
    for subject in group {
        table.group(subject.name);
        for point in &subject.metrics.positive.operating_points {
            table.row(
                Kind::Own,
                kind_name(point),
                [
                    number::decimals(point.threshold, 3).into(),
                    estimate(point.sensitivity, point.sensitivity_interval),
                    estimate(point.specificity, point.specificity_interval),
                    format!(
                        "{}, {}",
                        number::count(point.true_positives),
                        number::count(point.false_negatives)
                    )
                    .into(),
                    number::count(point.false_positives).into(),
                    estimate(point.at_cohort.ppv, point.at_cohort.ppv_interval),
                    estimate(point.at_cohort.npv, point.at_cohort.npv_interval),
                    estimate(point.at_stated.ppv, point.at_stated.ppv_interval),
                    estimate(point.at_stated.npv, point.at_stated.npv_interval),
                ],
            );
        }
    }
    table.into()
}
