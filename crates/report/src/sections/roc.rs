//! ROC curves: all networks of a target in one plot, with their operating points.

use attrium_evaluation::RocCurve;
use attrium_types::Target;
use maud::{Markup, html};

use super::operating_points::rule;
use super::{
    EvaluatedModel, by_target, caption, figure, grid, note, positive_grades, question, title,
};
use crate::number;
use crate::plot::{self, Axes, Axis, LegendEntry, Mark, Marker, Paint};

/// The curves of every target.
pub(crate) fn section(models: &[EvaluatedModel<'_>]) -> Markup {
    let groups = by_target(models);
    let of_positives: Vec<Markup> = groups
        .iter()
        .filter_map(|(target, group)| curves_of_positives(*target, group))
        .collect();
    if of_positives.is_empty() {
        return html! {};
    }
    let of_grades: Vec<Markup> = groups
        .iter()
        .filter(|(target, _)| *target == Target::Perugini)
        .flat_map(|(_, group)| group)
        .filter_map(curves_of_classes)
        .collect();
    html! {
        (note(
            "Dotted diagonal: chance. Marks on the curves: the operating points of the next \
             section."
        ))
        (grid(of_positives))
        @if !of_grades.is_empty() {
            h3 { (question(Target::Perugini)) }
            (grid(of_grades))
        }
    }
}

/// Every network's curve for positive against negative; `None` where there is none.
fn curves_of_positives(target: Target, models: &[EvaluatedModel<'_>]) -> Option<Markup> {
    let mut marks = vec![chance()];
    let mut entries = Vec::new();
    let mut words = Vec::new();
    for (index, model) in models.iter().enumerate() {
        let positive = &model.metrics.positive;
        let Some(curve) = &positive.roc else { continue };
        let paint = Paint::dashed(index);
        marks.push(Mark::Line(paint, points(curve)));
        let auc = number::estimate(positive.auc);
        words.push(format!("{} has an AUC of {auc}", model.name));
        entries.push(LegendEntry {
            paint,
            marker: None,
            label: format!("{}: AUC {auc}", model.name),
        });
    }
    if entries.is_empty() {
        return None;
    }
    let (points, rules) = operating_points(models);
    marks.extend(points);
    entries.extend(rules);
    let grades = positive_grades(target);
    let alternative = format!("ROC curves for {grades}: {}.", words.join("; "));
    Some(figure(
        caption(title(target), format!("Probability of {grades}")),
        html! { (plot::draw(&axes(), &marks, &alternative)) (plot::legend(entries)) },
    ))
}

/// The operating points on the curves, and the rules that they follow as entries of the legend.
fn operating_points(models: &[EvaluatedModel<'_>]) -> (Vec<Mark>, Vec<LegendEntry>) {
    let mut marks = Vec::new();
    let mut rules: Vec<String> = Vec::new();
    for (index, model) in models.iter().enumerate() {
        for point in &model.metrics.positive.operating_points {
            let (Some(sensitivity), Some(specificity)) = (point.sensitivity, point.specificity)
            else {
                continue;
            };
            let rule = rule(point);
            let known = rules.iter().position(|known| *known == rule);
            let place = known.unwrap_or_else(|| {
                rules.push(rule);
                rules.len() - 1
            });
            let at = (1.0 - specificity.value, sensitivity.value);
            marks.push(Mark::Point(Paint::solid(index), Marker::of(place), at));
        }
    }
    let entries = rules.into_iter().enumerate();
    let entries = entries.map(|(place, label)| LegendEntry {
        paint: Paint::Ink,
        marker: Some(Marker::of(place)),
        label,
    });
    (marks, entries.collect())
}

/// One network's curves of each class against the rest.
fn curves_of_classes(model: &EvaluatedModel<'_>) -> Option<Markup> {
    let curves = &model.metrics.roc;
    if curves.is_empty() {
        return None;
    }
    let lines = curves
        .iter()
        .enumerate()
        .map(|(index, curve)| Mark::Line(Paint::dashed(index), points(curve)));
    let marks: Vec<Mark> = std::iter::once(chance()).chain(lines).collect();
    let entries = curves.iter().enumerate().map(|(index, curve)| LegendEntry {
        paint: Paint::dashed(index),
        marker: None,
        label: format!("{}: AUC {}", curve.name, number::fraction(curve.auc)),
    });
    let words: Vec<String> = curves
        .iter()
        .map(|curve| format!("{} {}", curve.name, number::fraction(curve.auc)))
        .collect();
    let alternative = format!(
        "ROC curves of {}, one class against the rest, by AUC: {}.",
        model.name,
        words.join(", ")
    );
    Some(figure(
        caption(model.name, "Each class against the rest"),
        html! { (plot::draw(&axes(), &marks, &alternative)) (plot::legend(entries)) },
    ))
}

fn points(curve: &RocCurve) -> Vec<(f64, f64)> {
    curve
        .points
        .iter()
        .map(|point| (point.false_positive_rate, point.true_positive_rate))
        .collect()
}

fn chance() -> Mark {
    Mark::Line(Paint::Reference, vec![(0.0, 0.0), (1.0, 1.0)])
}

fn axes() -> Axes {
    Axes {
        width: 400,
        height: 372,
        x: Axis::fraction("1 − specificity"),
        y: Axis::fraction("sensitivity"),
    }
}
