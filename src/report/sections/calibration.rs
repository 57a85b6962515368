//! How far probabilities can be taken at their word: reliability diagrams, Brier score, ECE.

use super::{Subject, by_task, caption, estimate, figure, grid, heading, note, positive, question};
use crate::api::Task;
use crate::report::markup::{Markup, element};
use crate::report::number;
use crate::report::plot::{self, Axes, Axis, Mark, Role, Shape};
use crate::report::table::{Kind, Table};

/// Scores and diagrams of every task.
pub(in crate::report) fn section(subjects: &[Subject<'_>]) -> Markup {
    let mut content = Markup::none();
    for (task, group) in by_task(subjects) {
        content.push(heading(question(task)));
        content.push(scores(task, &group));
        let diagrams = group
            .iter()
            .filter(|subject| !subject.metrics.positive.calibration.is_empty());
        content.push(grid(diagrams.map(|subject| diagram(task, subject))));
        content.push(bins(task, &group));
    }
    if content.is_empty() {
        return content;
    }
    note(
        "Networks trained with class weights overstate rare classes by design: read their \
         probabilities as scores, not as risks. Uprights are 95 % intervals of the observed share; \
         the dotted diagonal is perfect calibration.",
    )
    .with(content)
}

fn scores(task: Task, group: &[Subject<'_>]) -> Markup {
    let mut table = Table::new(
        caption(
            "Brier score and expected calibration error",
            format!(
                "For all classes together, and for {} alone. Lower is better.",
                positive(task)
            ),
        ),
        [
            "Network",
            "Brier",
            "ECE",
            "Brier, positive",
            "ECE, positive",
        ],
    );
    for subject in group {
        let m = subject.metrics;
        let cells = [
            m.brier,
            m.expected_calibration_error,
            m.positive.brier,
            m.positive.expected_calibration_error,
        ];
        let three = |value: Option<f64>| {
            value.map_or_else(
                || number::UNDEFINED.to_owned(),
                |value| number::decimals(value, 3),
            )
        };
        table.row(Kind::Own, subject.name, cells.map(three));
    }
    table.into()
}

fn diagram(task: Task, subject: &Subject<'_>) -> Markup {
    let bins = &subject.metrics.positive.calibration;
    let ideal = vec![(0.0, 0.0), (1.0, 1.0)];
    let mut marks = vec![Mark::Line(Role::Reference, ideal)];
    marks.extend(bins.iter().map(|bin| {
        let interval = (bin.observed_interval.low, bin.observed_interval.high);
        Mark::Interval(plot::plain(0), bin.mean_probability, interval)
    }));
    let means: Vec<(f64, f64)> = bins
        .iter()
        .map(|bin| (bin.mean_probability, bin.observed))
        .collect();
    marks.push(Mark::Line(plot::plain(0), means.clone()));
    marks.extend(
        means
            .into_iter()
            .map(|at| Mark::Point(plot::plain(0), Shape::Circle, at)),
    );
    let error = subject.metrics.positive.expected_calibration_error;
    let alternative = format!(
        "Reliability diagram of {} for {}: {} of probabilities, expected calibration error {}. \
         The values are in the table below.",
        subject.name,
        positive(task),
        number::things(bins.len() as u64, "bin", "bins"),
        number::optional(error),
    );
    figure(
        caption(subject.name, format!("Probability of {}", positive(task))),
        plot::draw(&axes(), &marks, &alternative),
    )
}

fn bins(task: Task, group: &[Subject<'_>]) -> Markup {
    let mut table = Table::new(
        caption(
            "Bins of the reliability diagrams",
            format!("Probability of {}.", positive(task)),
        ),
        [
            "Network and bin",
            "Studies",
            "Mean probability",
            "Observed share",
        ],
    );
    for subject in group {
        for bin in &subject.metrics.positive.calibration {
            let edges = format!(
                "{}: {} to {}",
                subject.name,
                number::decimals(bin.low, 1),
                number::decimals(bin.high, 1)
            );
            table.row(
                Kind::Own,
                edges,
                [
                    number::count(bin.studies).into(),
                    number::fraction(bin.mean_probability).into(),
                    estimate(Some(bin.observed), Some(bin.observed_interval)),
                ],
            );
        }
    }
    if table.is_empty() {
        return Markup::none();
    }
    let summary = format!("{}: bins as a table", super::title(task));
    element("details")
        .child(element("summary").child(summary))
        .child(table)
        .into()
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
        width: 340,
        height: 312,
        x: axis("mean probability"),
        y: axis("observed share"),
    }
}
