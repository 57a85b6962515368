//! ROC curves: all networks of a task in one plot, with their operating points.

use super::operating_points::kind_name;
use super::{Subject, by_task, caption, figure, grid, heading, in_words, note, positive, question};
use crate::markup::Markup;
use crate::number;
use crate::plot::{self, Axes, Axis, Entry, Mark, Role, Shape};
use attrium_evaluation::RocCurve;
use attrium_types::Target;

/// The curves of every task.
pub(crate) fn section(subjects: &[Subject<'_>]) -> Markup {
    let groups = by_task(subjects);
    let mut positives: Vec<Markup> = groups
        .iter()
        .map(|(task, group)| of_positives(*task, group))
        .collect();
    positives.retain(|figure| !figure.is_empty());
    if positives.is_empty() {
        return Markup::none();
    }
    let mut content = note(
        "Dotted diagonal: chance. Marks on the curves: the operating points of the next section.",
    );
    content.push(grid(positives));
    let grades = groups.iter().filter(|(task, _)| *task == Target::Perugini);
    let classes: Vec<Markup> = grades
        .flat_map(|(_, group)| group)
        .filter_map(of_classes)
        .collect();
    if !classes.is_empty() {
        content.push(heading(question(Target::Perugini)));
        content.push(grid(classes));
    }
    content
}

/// Every network's curve for positive against negative.
fn of_positives(task: Target, group: &[Subject<'_>]) -> Markup {
    let mut marks = vec![chance()];
    let mut entries = Vec::new();
    let mut words = Vec::new();
    let mut kinds: Vec<String> = Vec::new();
    for (index, subject) in group.iter().enumerate() {
        let positive = &subject.metrics.positive;
        let Some(curve) = &positive.roc else { continue };
        marks.push(Mark::Line(plot::series(index), points(curve)));
        let area = in_words(positive.auc);
        words.push(format!("{} has an AUC of {area}", subject.name));
        entries.push(Entry {
            role: plot::series(index),
            shape: None,
            text: format!("{}: AUC {area}", subject.name).into(),
        });
    }
    if entries.is_empty() {
        return Markup::none();
    }
    for (index, subject) in group.iter().enumerate() {
        for point in &subject.metrics.positive.operating_points {
            let (Some(sensitivity), Some(specificity)) = (point.sensitivity, point.specificity)
            else {
                continue;
            };
            let name = kind_name(point);
            let place = kinds
                .iter()
                .position(|kind| *kind == name)
                .unwrap_or_else(|| {
                    kinds.push(name);
                    kinds.len() - 1
                });
            let at = (1.0 - specificity.value, sensitivity.value);
            marks.push(Mark::Point(plot::plain(index), Shape::of(place), at));
        }
    }
    entries.extend(kinds.into_iter().enumerate().map(|(place, kind)| Entry {
        role: Role::Ink,
        shape: Some(Shape::of(place)),
        text: kind.into(),
    }));
    let alternative = format!("ROC curves for {}: {}.", positive(task), words.join("; "));
    figure(
        caption(
            super::title(task),
            format!("Probability of {}", positive(task)),
        ),
        plot::draw(&axes(), &marks, &alternative).with(plot::legend(entries)),
    )
}

/// One network's curves of each class against the rest.
fn of_classes(subject: &Subject<'_>) -> Option<Markup> {
    let curves = &subject.metrics.roc;
    if curves.is_empty() {
        return None;
    }
    let lines = curves
        .iter()
        .enumerate()
        .map(|(index, curve)| Mark::Line(plot::series(index), points(curve)));
    let marks: Vec<Mark> = std::iter::once(chance()).chain(lines).collect();
    let entries = curves.iter().enumerate().map(|(index, curve)| Entry {
        role: plot::series(index),
        shape: None,
        text: format!("{}: AUC {}", curve.name, number::fraction(curve.auc)).into(),
    });
    let words: Vec<String> = curves
        .iter()
        .map(|curve| format!("{} {}", curve.name, number::fraction(curve.auc)))
        .collect();
    let alternative = format!(
        "ROC curves of {}, one class against the rest, by AUC: {}.",
        subject.name,
        words.join(", ")
    );
    Some(figure(
        caption(subject.name, "Each class against the rest"),
        plot::draw(&axes(), &marks, &alternative).with(plot::legend(entries)),
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
    Mark::Line(Role::Reference, vec![(0.0, 0.0), (1.0, 1.0)])
}

fn axes() -> Axes {
    let axis = |title| Axis {
        from: 0.0,
        to: 1.0,
        title,
        ticks: 6,
        text: |value| number::decimals(value, 1),
    };
    Axes {
        width: 400,
        height: 372,
        x: axis("1 − specificity"),
        y: axis("sensitivity"),
    }
}
