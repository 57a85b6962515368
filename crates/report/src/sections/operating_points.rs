//! Operating points: what a threshold on the probability of a positive would have meant.

use attrium_evaluation::{OperatingPoint, OperatingPointKind, threshold_text};
use attrium_types::{Architecture, Target};
use maud::{Markup, Render, html};

use super::{
    EvaluatedModel, Validation, by_target, caption, estimate_cell, note, positive_grades, question,
};
use crate::input::ScaledOperatingPoints;
use crate::number;
use crate::table::Table;

/// A published model's network and target with its operating points.
pub(crate) type Published<'a> = ((Architecture, Target), &'a ScaledOperatingPoints);

/// The tables of every target.
pub(crate) fn section(
    models: &[EvaluatedModel<'_>],
    validation: Validation,
    published: Option<Published<'_>>,
) -> Markup {
    let mut groups = by_target(models);
    groups.retain(|(_, group)| {
        let mut points = group
            .iter()
            .map(|model| &model.metrics.positive.operating_points);
        points.any(|points| !points.is_empty())
    });
    if groups.is_empty() {
        return html! {};
    }
    html! {
        (note(explanation(validation, published.is_some())))
        @for (target, group) in &groups {
            h3 { (question(*target)) }
            (table(*target, group, published.filter(|((_, of), _)| of == target)))
        }
    }
}

fn explanation(validation: Validation, published: bool) -> String {
    let mut text = vec![
        "A study is called positive where the probability of a positive reaches the threshold. PPV \
         and NPV are stated twice: at this cohort’s prevalence and at another.",
        match validation {
            Validation::OutOfFold => {
                "Thresholds were chosen on the very studies they are judged on, so expect somewhat \
                 less on new ones."
            }
            Validation::External => {
                "The threshold of this job was chosen on other studies, so that its row is an \
                 external validation; the others were chosen on the very studies they are judged \
                 on."
            }
            Validation::PerhapsSeen => {
                "The threshold of this job was chosen before, and the model has seen these studies or may have, so \
                 that no row is an external validation."
            }
        },
    ];
    if published {
        text.push(
            "Those of the published model are on the scale of its probabilities: state these to \
             screen with it. They were judged on networks that each saw a part of the studies; the \
             model itself has seen them all, and only an external validation tells how it does.",
        );
    }
    text.join(" ")
}

/// An operating point in a few words.
pub(crate) fn rule(point: &OperatingPoint) -> String {
    match point.kind {
        OperatingPointKind::Chosen => "this job’s threshold".to_owned(),
        OperatingPointKind::Sensitivity { target } => {
            format!("sensitivity ≥ {}", number::fraction(target))
        }
        OperatingPointKind::Youden => "Youden’s index".to_owned(),
        OperatingPointKind::Threshold => format!("threshold {}", number::fraction(point.threshold)),
    }
}

fn table(target: Target, models: &[EvaluatedModel<'_>], published: Option<Published<'_>>) -> Table {
    let about = format!("Positive: {}.", positive_grades(target));
    let caption = caption("Operating points", about);
    let mut table = Table::new(caption, headers(models)).class("stacked");
    for model in models {
        table.group(model.name);
        add_rows(&mut table, &model.metrics.positive.operating_points);
    }
    if let Some(((architecture, _), scaled)) = published {
        table.group(format!(
            "{architecture} as published: logits divided by {}",
            number::decimals(scaled.temperature, 3)
        ));
        add_rows(&mut table, &scaled.points);
    }
    table
}

fn headers(models: &[EvaluatedModel<'_>]) -> [String; 10] {
    let prevalence = |of: fn(&EvaluatedModel<'_>) -> f64| {
        let percent = models.first().map_or(f64::NAN, |model| 100.0 * of(model));
        format!("{}\u{a0}%", number::decimals(percent, 1))
    };
    let cohort = prevalence(|model| model.metrics.at_cohort.prevalence);
    let stated = prevalence(|model| model.metrics.at_stated.prevalence);
    [
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
    ]
}

/// A row for each point.
fn add_rows(table: &mut Table, points: &[OperatingPoint]) {
    for point in points {
        let found = number::count(point.true_positives);
        let missed = number::count(point.false_negatives);
        let cells = [
            threshold_text(point.threshold).render(),
            estimate_cell(point.sensitivity),
            estimate_cell(point.specificity),
            html! { (found) ", " (missed) },
            number::count(point.false_positives).render(),
            estimate_cell(point.at_cohort.ppv),
            estimate_cell(point.at_cohort.npv),
            estimate_cell(point.at_stated.ppv),
            estimate_cell(point.at_stated.npv),
        ];
        table.row(rule(point), cells);
    }
}
