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
        "A study is called positive where the probability of a positive reaches the threshold.",
        match validation {
            Validation::OutOfFold => {
                "Thresholds but 0.50 were chosen on the very studies they are judged on."
            }
            Validation::External => {
                "The threshold of this job was chosen on other studies, so that its row is an \
                 external validation; the others but 0.50 were chosen on the very studies they are \
                 judged on."
            }
            Validation::PerhapsSeen => {
                "The threshold of this job was chosen before, and the model has seen these studies or may have, so \
                 that no row is an external validation."
            }
        },
        "For such a threshold the sensitivity is what it reached on these positives, and beside it \
         stands what it is expected to reach on new ones; the interval is that of its true \
         sensitivity, and may lie below what it reached. It is exact for a threshold of a target \
         sensitivity, and for Youden’s index made by leaving out each patient in turn. Alerts are \
         the scans of 1,000 that are called positive, rightly or not. Their intervals and those of \
         PPV and NPV are conservative.",
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
        table.group(format!("{architecture} as published: {}", scale(scaled)));
        add_rows(&mut table, &scaled.points);
    }
    table
}

/// What the probabilities of a published model have gone through.
fn scale(scaled: &ScaledOperatingPoints) -> String {
    let temperature = number::decimals(scaled.temperature, 3);
    let scale = format!("freed of the classes’ weights, logits divided by {temperature}");
    match scaled.prevalence {
        Some(prevalence) => format!(
            "{scale}, stated for a prevalence of {}\u{a0}%",
            number::decimals(100.0 * prevalence, 1)
        ),
        None => scale,
    }
}

fn headers(models: &[EvaluatedModel<'_>]) -> [String; 10] {
    let stated = models
        .first()
        .map(|model| model.metrics.at_stated.prevalence);
    let percent = number::decimals(100.0 * stated.unwrap_or(f64::NAN), 1);
    let stated = format!("{percent}\u{a0}%");
    [
        "Network and rule".to_owned(),
        "Threshold".to_owned(),
        "Sensitivity".to_owned(),
        "Expected on new positives".to_owned(),
        "Specificity".to_owned(),
        "Found, missed".to_owned(),
        "False alarms".to_owned(),
        format!("Alerts per 1,000 at {stated}"),
        format!("PPV at {stated}"),
        format!("NPV at {stated}"),
    ]
}

/// The calls of 1,000 scans with their interval.
fn alerts_cell(point: &OperatingPoint) -> Markup {
    let [value, interval] = number::estimated_count(point.alerts_per_1000);
    html! { span.estimate { (value) " " span { (interval) } } }
}

/// A row for each point.
fn add_rows(table: &mut Table, points: &[OperatingPoint]) {
    for point in points {
        let found = number::count(point.true_positives);
        let missed = number::count(point.false_negatives);
        let cells = [
            threshold_text(point.threshold).render(),
            estimate_cell(point.sensitivity),
            number::optional(point.expected_sensitivity).render(),
            estimate_cell(point.specificity),
            html! { (found) ", " (missed) },
            number::count(point.false_positives).render(),
            alerts_cell(point),
            estimate_cell(point.at_stated.ppv),
            estimate_cell(point.at_stated.npv),
        ];
        table.row(rule(point), cells);
    }
}
