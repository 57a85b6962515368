//! Operating points: what a threshold on the probability of a positive would have meant.

use super::{Judged, Subject, by_task, caption, estimate, heading, note, positive, question};
use crate::input::ScaledPoints;
use crate::markup::Markup;
use crate::number;
use crate::table::{Kind, Table};
use attrium_evaluation::{OperatingPoint, OperatingPointKind, threshold_text};
use attrium_types::{Architecture, Target};

/// A published model's network and task with its operating points.
pub(crate) type Published<'a> = ((Architecture, Target), &'a ScaledPoints);

/// The tables of every task.
pub(crate) fn section(
    subjects: &[Subject<'_>],
    judged: Judged,
    published: Option<Published<'_>>,
) -> Markup {
    let mut content = Markup::none();
    for (task, group) in by_task(subjects) {
        if group
            .iter()
            .any(|subject| !subject.metrics.positive.operating_points.is_empty())
        {
            let published = published.filter(|((_, of), _)| *of == task);
            content.push(heading(question(task)));
            content.push(table(task, &group, published));
        }
    }
    if content.is_empty() {
        return content;
    }
    let mut text = vec![
        "A study is called positive where the probability of a positive reaches the threshold. PPV \
         and NPV are stated twice: at this cohort’s prevalence and at another.",
        match judged {
            Judged::OutOfFold => {
                "Thresholds were chosen on the very studies they are judged on, so expect somewhat \
                 less on new ones."
            }
            Judged::Externally => {
                "The threshold of this job was chosen on other studies, so that its row is an \
                 external validation; the others were chosen on the very studies they are judged on."
            }
        },
    ];
    if published.is_some() {
        text.push(
            "Those of the published model are on the scale of its probabilities: state these to \
             screen with it. They were judged on networks that each saw a part of the studies; \
             the model itself has seen them all, and only an external validation tells how it does.",
        );
    }
    note(text.join(" ")).with(content)
}

/// An operating point in a few words.
pub(crate) fn kind_name(point: &OperatingPoint) -> String {
    match point.kind {
        OperatingPointKind::Chosen => "this job’s threshold".to_owned(),
        OperatingPointKind::Sensitivity { target } => {
            format!("sensitivity ≥ {}", number::fraction(target))
        }
        OperatingPointKind::Youden => "Youden’s index".to_owned(),
        OperatingPointKind::Threshold => format!("threshold {}", number::fraction(point.threshold)),
    }
}

fn table(task: Target, group: &[Subject<'_>], published: Option<Published<'_>>) -> Markup {
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
        add(&mut table, &subject.metrics.positive.operating_points);
    }
    if let Some(((architecture, _), scaled)) = published {
        table.group(format!(
            "{architecture} as published: logits divided by {}",
            number::decimals(scaled.temperature, 3)
        ));
        add(&mut table, &scaled.points);
    }
    table.into()
}

/// A row for each point.
fn add(table: &mut Table, points: &[OperatingPoint]) {
    for point in points {
        table.row(
            Kind::Own,
            kind_name(point),
            [
                threshold_text(point.threshold).into(),
                estimate(point.sensitivity),
                estimate(point.specificity),
                format!(
                    "{}, {}",
                    number::count(point.true_positives),
                    number::count(point.false_negatives)
                )
                .into(),
                number::count(point.false_positives).into(),
                estimate(point.at_cohort.ppv),
                estimate(point.at_cohort.npv),
                estimate(point.at_stated.ppv),
                estimate(point.at_stated.npv),
            ],
        );
    }
}
