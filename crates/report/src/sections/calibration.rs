//! How far probabilities can be taken at their word: reliability diagrams, Brier score, ECE.

use super::{Judged, Subject, by_task, caption, estimate, figure, grid, note, positive, title};
use crate::markup::{Markup, element};
use crate::number;
use crate::plot::{self, Axes, Axis, Mark, Role, Shape};
use crate::table::{Kind, Table};
use attrium_evaluation::Estimate;

/// Scores and diagrams of every task.
pub(crate) fn section(subjects: &[Subject<'_>], judged: Judged) -> Markup {
    if subjects.is_empty() {
        return Markup::none();
    }
    let groups = by_task(subjects);
    let ordered = || groups.iter().flat_map(|(_, group)| group);
    let mut content = note(
        "Networks trained with class weights overstate rare classes by design: read their \
         probabilities as scores, not as risks. Uprights through the points are 95 % intervals of the observed share; \
         the dotted diagonal is perfect calibration.",
    );
    content.push(scores(ordered(), judged));
    let diagrams = ordered().filter(|subject| !subject.metrics.positive.calibration.is_empty());
    content.push(grid(diagrams.map(diagram)));
    content.push(bins(ordered()));
    content
}

/// A subject with its task.
fn name(subject: &Subject<'_>) -> String {
    format!("{}, {}", subject.name, title(subject.metrics.target))
}

fn scores<'a>(subjects: impl Iterator<Item = &'a Subject<'a>>, judged: Judged) -> Markup {
    let scaling = match judged {
        Judged::OutOfFold => {
            "A published model divides its logits by the temperature, fitted to these very \
             predictions: above 1, the network was too certain."
        }
        Judged::Externally => {
            "The model’s own temperature is in these probabilities already. The last three columns \
             tell what a further one, fitted to these very labels, would make of them: above 1, the \
             model is too certain here."
        }
    };
    let about = format!(
        "Of all classes together, and of the probability of a positive alone. Lower is better. \
         {scaling}"
    );
    let mut table = Table::new(
        caption("Brier score and expected calibration error (ECE)", about),
        [
            "Network and task",
            "Brier",
            "ECE",
            "Brier, positive",
            "ECE, positive",
            "Temperature",
            "Brier, scaled",
            "ECE, scaled",
        ],
    );
    for subject in subjects {
        let m = subject.metrics;
        let scaling = m.temperature_scaling;
        let cells = [
            m.brier,
            m.expected_calibration_error,
            m.positive.brier,
            m.positive.expected_calibration_error,
            scaling.map(|scaling| scaling.temperature),
            scaling.map(|scaling| scaling.scaled_brier),
            scaling.map(|scaling| scaling.scaled_expected_calibration_error),
        ];
        let three = |value: Option<f64>| {
            value.map_or_else(
                || number::UNDEFINED.to_owned(),
                |value| number::decimals(value, 3),
            )
        };
        table.row(Kind::Own, name(subject), cells.map(three));
    }
    table.into()
}

fn diagram(subject: &Subject<'_>) -> Markup {
    let task = subject.metrics.target;
    let bins = &subject.metrics.positive.calibration;
    let ideal = vec![(0.0, 0.0), (1.0, 1.0)];
    let mut marks = vec![Mark::Line(Role::Reference, ideal)];
    marks.extend(bins.iter().map(|bin| {
        let interval = (bin.observed_interval.low, bin.observed_interval.high);
        Mark::Interval(plot::plain(0), bin.mean_probability, interval)
    }));
    marks.extend(bins.iter().map(|bin| {
        Mark::Point(
            plot::plain(0),
            Shape::Circle,
            (bin.mean_probability, bin.observed),
        )
    }));
    let error = subject.metrics.positive.expected_calibration_error;
    let alternative = format!(
        "Reliability diagram of {} for {}: {} of probabilities, expected calibration error {}. \
         The values are in the table below.",
        name(subject),
        positive(task),
        number::things(bins.len() as u64, "bin", "bins"),
        number::optional(error),
    );
    figure(
        caption(name(subject), format!("Probability of {}", positive(task))),
        plot::draw(&axes(), &marks, &alternative),
    )
}

fn bins<'a>(subjects: impl Iterator<Item = &'a Subject<'a>>) -> Markup {
    let mut table = Table::new(
        caption(
            "Bins of the reliability diagrams",
            "Empty bins are left out.",
        ),
        [
            "Probability of a positive",
            "Studies",
            "Mean probability",
            "Observed share",
        ],
    );
    for subject in subjects {
        table.group(name(subject));
        for bin in &subject.metrics.positive.calibration {
            let edges = format!(
                "{} to {}",
                number::decimals(bin.low, 1),
                number::decimals(bin.high, 1)
            );
            table.row(
                Kind::Own,
                edges,
                [
                    number::count(bin.studies).into(),
                    number::fraction(bin.mean_probability).into(),
                    estimate(Some(Estimate {
                        value: bin.observed,
                        interval: Some(bin.observed_interval),
                    })),
                ],
            );
        }
    }
    element("details")
        .child(element("summary").child("Bins as a table"))
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
