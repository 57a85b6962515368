//! How far probabilities can be taken at their word: slope, intercept, observed over expected, reliability diagrams,
//! Brier score, ECE.

use attrium_evaluation::{CalibrationBin, Estimate, Metrics, Reliability};
use maud::{Markup, Render, html};

use super::{
    EvaluatedModel, Validation, by_target, caption, estimate_cell, figure, folded, grid, note,
    positive_grades, title,
};
use crate::number;
use crate::plot::{self, Axes, Axis, Mark, Marker, Paint};
use crate::table::Table;

/// Scores and diagrams of every target.
pub(crate) fn section(models: &[EvaluatedModel<'_>], validation: Validation) -> Markup {
    if models.is_empty() {
        return html! {};
    }
    let models: Vec<_> = by_target(models)
        .into_iter()
        .flat_map(|(_, group)| group)
        .collect();
    let with_bins = models
        .iter()
        .filter_map(|model| Some((model, shown(model, validation)?)));
    html! {
        (note(
            "Networks trained with class weights overstate rare classes by design, so that a model is freed of \
             these weights before it is scaled by a temperature and published."
        ))
        (reliabilities(&models, validation))
        (scores(&models, validation))
        (note(
            "Vertical lines through the points are 95 % intervals of the observed share, the dotted diagonal is \
             perfect calibration, and the curve is a local regression over three quarters of the studies."
        ))
        (grid(with_bins.map(|(model, reliability)| reliability_diagram(model, reliability))))
        (folded("Bins as a table", bins(&models, validation)))
    }
}

/// A model's name with its target.
fn name(model: &EvaluatedModel<'_>) -> String {
    format!("{}, {}", model.name, title(model.metrics.target))
}

/// What is drawn: of a training the probabilities as they are published, of a validation as the model gives them.
fn shown<'m>(model: &EvaluatedModel<'m>, validation: Validation) -> Option<&'m Reliability> {
    let given = model.metrics.positive.reliability.as_ref();
    let scaled = model.metrics.temperature_scaling.as_ref();
    let scaled = scaled.and_then(|scaling| scaling.reliability.as_ref());
    match validation {
        Validation::OutOfFold => scaled.or(given),
        Validation::External | Validation::PerhapsSeen => given,
    }
}

fn reliabilities(models: &[EvaluatedModel<'_>], validation: Validation) -> Table {
    let (before, after) = match validation {
        Validation::OutOfFold => (
            "as the network gives it",
            "as a published model gives it, at the prevalence of this cohort",
        ),
        Validation::External | Validation::PerhapsSeen => (
            "as the model gives it, at the prevalence of these studies",
            "with one more temperature, fitted to these labels",
        ),
    };
    let mut table = Table::new(
        caption(
            "The probability of a positive",
            "ECE: mean distance between probability and observed share, best 0. Observed over expected: positives \
             over the sum of probabilities, best 1. Slope: below 1, probabilities are too certain. Intercept: above 0, \
             positives are more frequent than probabilities say.",
        ),
        ["", "ECE", "Observed over expected", "Slope", "Intercept"],
    );
    for model in models {
        table.group(name(model));
        let scaled = model.metrics.temperature_scaling.as_ref();
        let scaled = scaled.and_then(|scaling| scaling.reliability.as_ref());
        let rows = [
            (before, model.metrics.positive.reliability.as_ref()),
            (after, scaled),
        ];
        for (what, reliability) in rows {
            if let Some(reliability) = reliability {
                table.row(what.to_owned(), reliability_cells(reliability));
            }
        }
    }
    table
}

fn reliability_cells(reliability: &Reliability) -> [Markup; 4] {
    [
        number::decimals(reliability.expected_calibration_error, 3).render(),
        estimate_cell(reliability.observed_over_expected),
        estimate_cell(reliability.slope),
        estimate_cell(reliability.intercept),
    ]
}

fn scores(models: &[EvaluatedModel<'_>], validation: Validation) -> Table {
    let scaling = match validation {
        Validation::OutOfFold => {
            "A published model divides its logits by the temperature, fitted to these very \
             predictions: above 1, the network was too certain."
        }
        Validation::External | Validation::PerhapsSeen => {
            "The model’s own temperature is in these probabilities already. The last three columns \
             tell what a further one, fitted to these very labels, would make of them: above 1, \
             the model is too certain here."
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
    for model in models {
        table.row(name(model), score_cells(model.metrics));
    }
    table
}

fn score_cells(m: &Metrics) -> [String; 7] {
    let scaling = m.temperature_scaling.as_ref();
    let scores = [
        m.brier,
        m.expected_calibration_error,
        m.positive.brier,
        m.positive.expected_calibration_error,
        scaling.map(|scaling| scaling.temperature),
        scaling.map(|scaling| scaling.scaled_brier),
        scaling.map(|scaling| scaling.scaled_expected_calibration_error),
    ];
    scores.map(|score| number::optional_decimals(score, 3))
}

fn reliability_diagram(model: &EvaluatedModel<'_>, reliability: &Reliability) -> Markup {
    let grades = positive_grades(model.metrics.target);
    let bins = &reliability.bins;
    let diagonal = Mark::Line(Paint::Reference, vec![(0.0, 0.0), (1.0, 1.0)]);
    let intervals = bins.iter().map(|bin| {
        let interval = (bin.observed_interval.low, bin.observed_interval.high);
        Mark::ErrorBar(Paint::solid(0), bin.mean_probability, interval)
    });
    let points = bins.iter().map(|bin| {
        let at = (bin.mean_probability, bin.observed);
        Mark::Point(Paint::solid(0), Marker::Circle, at)
    });
    let curve = reliability.curve.iter();
    let curve = curve
        .map(|point| (point.probability, point.observed))
        .collect();
    let marks: Vec<Mark> = [diagonal, Mark::Line(Paint::solid(1), curve)]
        .into_iter()
        .chain(intervals)
        .chain(points)
        .collect();
    let alternative = format!(
        "Reliability diagram of {} for {grades}: {} of probabilities, expected calibration error \
         {}. The values are in the table below.",
        name(model),
        number::counted(bins.len() as u64, "bin", "bins"),
        number::decimals(reliability.expected_calibration_error, 3),
    );
    figure(
        caption(name(model), format!("Probability of {grades}")),
        plot::draw(&axes(), &marks, &alternative),
    )
}

fn bins(models: &[EvaluatedModel<'_>], validation: Validation) -> Table {
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
    for model in models {
        table.group(name(model));
        for bin in shown(model, validation).map_or(&[][..], |reliability| &reliability.bins) {
            let edges = [bin.low, bin.high].map(|edge| number::decimals(edge, 1));
            table.row(edges.join(" to "), bin_cells(bin));
        }
    }
    table
}

fn bin_cells(bin: &CalibrationBin) -> [Markup; 3] {
    [
        number::count(bin.studies).render(),
        number::fraction(bin.mean_probability).render(),
        estimate_cell(Some(Estimate {
            value: bin.observed,
            interval: Some(bin.observed_interval),
        })),
    ]
}

fn axes() -> Axes {
    Axes {
        width: 340,
        height: 312,
        x: Axis::fraction("mean probability"),
        y: Axis::fraction("observed share"),
    }
}
