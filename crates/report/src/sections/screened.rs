//! What a screening found: positives, scores, objects that could not be used, the model.

use attrium_evaluation::{Metrics, OperatingPoint, Unanswered, ValidationOverlap, threshold_text};
use maud::{Markup, display, html};

use super::provenance::fact_list;
use super::{
    Validation, caption, data, figure, folded, grid, monitor, note, overlap, read_this_first, tile,
    title, uncertain,
};
use crate::input::{ScreenedObject, ScreeningReport};
use crate::number;
use crate::plot::{self, Axes, Axis, Mark, Paint};
use crate::raster::data_uri;
use crate::scores;
use crate::table::{Table, facts};

/// What a reader of a screening's page has to know before anything else.
const CAVEATS: [&str; 3] = [
    "A call is a hint to look, not a finding: a physician confirms every positive, and a negative \
     call does not rule anything out.",
    "The model was trained on one cohort. On other scanners, tracers or acquisition times its \
     probabilities may be off; an external validation on your own labels tells by how much.",
    "Object keys are listed so that someone can find the patient: treat this page like the images.",
];

/// The first screen: counts and caveats.
pub(crate) fn summary(report: &ScreeningReport) -> Markup {
    let unusable = report.unusable.iter().map(|reason| reason.count).sum();
    let validation = report.validation.as_ref();
    let chosen = validation.and_then(|metrics| metrics.positive.chosen());
    html! {
        p.lead {
            (number::counted(report.objects, "object was", "objects were")) " found and "
            (number::count(report.screened)) " of them screened. "
            (number::count(report.positive)) " of those ("
            (number::percentage(report.positive, report.screened))
            ") are called positive, at a probability of " (threshold_text(report.threshold))
            " or more. " (number::counted(report.other_views, "shows", "show"))
            " no anterior view, and " (number::count(unusable)) " could not be used."
            (uncertain::of_objects(report))
            (overlap::of_objects(report))
        }
        (overlap::notice(report.overlap.as_ref()))
        (monitor::notice(report.monitoring.as_ref()))
        ul.tiles {
            (count_tile("Screened", report.screened, "objects with an anterior view"))
            (count_tile(
                "Called positive",
                report.positive,
                "objects that a physician should look at",
            ))
            (count_tile("Not usable", unusable, "objects, listed with reasons below"))
            @if let Some(uncertain) = report.uncertain {
                (count_tile(
                    "Uncertain",
                    uncertain,
                    "decisions to be looked at whatever they say",
                ))
            }
            @if let Some(point) = chosen { (rate_tiles(point, report.overlap.as_ref())) }
        }
        (read_this_first(report.calibration.as_deref().into_iter().chain(CAVEATS)))
    }
}

fn count_tile(question: &str, count: u64, detail: &str) -> Markup {
    tile(None, question, number::count(count), [detail.to_owned()])
}

/// What the job's threshold came to on its labels.
fn rate_tiles(point: &OperatingPoint, overlap: Option<&ValidationOverlap>) -> Markup {
    let qualification = overlap::qualification(overlap);
    let positives = point.true_positives + point.false_negatives;
    let negatives = point.true_negatives + point.false_positives;
    let rates = [
        (
            "Sensitivity at this threshold",
            point.sensitivity,
            number::counted(positives, "labelled positive", "labelled positives"),
        ),
        (
            "Specificity at this threshold",
            point.specificity,
            number::counted(negatives, "labelled negative", "labelled negatives"),
        ),
    ];
    html! {
        @for (question, rate, studies) in rates {
            @let interval = rate.and_then(|rate| rate.interval).map(number::interval);
            @let detail = match interval {
                Some(interval) => format!("{interval} on {studies}{qualification}"),
                None => format!("on {studies}{qualification}"),
            };
            (tile(None, question, number::optional(rate.map(|rate| rate.value)), [detail]))
        }
    }
}

/// What the job's threshold came to on its labels; the rest is at the class of the highest
/// probability.
pub(crate) fn validation(report: &ScreeningReport, metrics: &Metrics) -> Markup {
    let overlap = report.overlap.as_ref();
    let validated = overlap.map_or(metrics.studies, |overlap| overlap.studies);
    let chosen_on = match overlap::validation(overlap) {
        Validation::External | Validation::OutOfFold => "chosen on other studies",
        Validation::PerhapsSeen => "chosen before",
    };
    html! {
        @if let Some(overlap) = overlap {
            (overlap::of_validation(metrics, overlap))
        }
        @if let Some(unanswered) = &report.unanswered {
            (without_prediction(validated, unanswered))
        }
        @if let Some(point) = metrics.positive.chosen() {
            p {
                "At this job’s threshold of " (threshold_text(point.threshold))
                ", " (chosen_on) ": sensitivity " (number::estimate(point.sensitivity))
                ", specificity " (number::estimate(point.specificity)) ". Of 1,000 scans at a prevalence of "
                (number::decimals(100.0 * point.at_stated.prevalence, 1)) "\u{a0}% it calls "
                (number::estimated_count(point.alerts_per_1000).join(" ").trim_end()) "."
            }
        }
        @if let Some(flagged) = &report.flagged {
            (uncertain::of_validation(flagged))
        }
    }
}

/// The labelled studies that no figure below counts, and what they may hide.
fn without_prediction(validated: u64, unanswered: &Unanswered) -> Markup {
    let Unanswered {
        studies, positives, ..
    } = unanswered;
    if *studies == 0 {
        return html! { p { "Every labelled study has a prediction." } };
    }
    html! {
        p {
            strong {
                (studies) " of " (validated + studies) " labelled studies have no prediction, " (positives)
                " of them positive"
            }
            ": there is no object of theirs, or none that could be used (unanswered.csv). No figure below counts them. \
             Were all of these positives missed and all of the others called, this job’s threshold would have a \
             sensitivity of " (number::estimate(unanswered.sensitivity)) " and a specificity of "
            (number::estimate(unanswered.specificity)) "."
        }
    }
}

/// The positives, most probable first.
pub(crate) fn positives(report: &ScreeningReport) -> Markup {
    if report.positives.is_empty() {
        return html! { p { "No object was called positive." } };
    }
    let montages: Vec<Markup> = report.positives.iter().filter_map(montage).collect();
    html! {
        (shortened(report.positives.len(), report.positive, "positive", "positives"))
        div.keys { (table_of_positives(report)) }
        @if !montages.is_empty() {
            (note(
                "From the left: the crop (white is no count, black the 99.5th percentile) with the \
                 heart’s region in red and what that is compared with in blue; where the model \
                 finds what speaks for a positive (Grad-CAM, of Heart HiResCAM; the mean of its networks); the maximum \
                 activation map of each block of its first network. Each map has its own scale, \
                 from its least value in dark violet to its greatest in yellow. A map shows where a network responds, not why it decided."
            ))
            (grid(montages))
        }
    }
}

fn table_of_positives(report: &ScreeningReport) -> Table {
    let classes = report.model.target.classes();
    let headers = ["Object", "Row", "Probability of a positive"]
        .into_iter()
        .map(str::to_owned)
        .chain(classes.iter().map(|class| format!("p({class})")))
        .chain(["H/CL", "H/rib", "Decision", "Warnings"].map(str::to_owned));
    let mut table = Table::new(
        caption(
            "Objects called positive",
            "Most probable first; row: that of the results table. H/CL: mean count over the heart, as a network \
             finds it, by that over its mirror image in the right chest; H/rib: by that of the right ribs.",
        ),
        headers,
    );
    for object in &report.positives {
        let decision = if object.positive_probability >= report.threshold {
            "positive"
        } else {
            "negative"
        };
        let cells = html! {
            td { (number::count(object.row)) }
            td { (number::fraction(object.positive_probability)) }
            @for class in 0..classes.len() {
                td { (number::optional(object.probabilities.get(class).copied())) }
            }
            td { (number::optional(object.contralateral_ratio)) }
            td { (number::optional(object.rib_ratio)) }
            td { (decision) }
            td.wide { (object.warnings.join("; ")) }
        };
        table.row_of_cells(html! { code { (object.object) } }, cells);
    }
    table
}

/// The crop and the activation maps of a positive.
fn montage(object: &ScreenedObject) -> Option<Markup> {
    let png = object.montage.as_ref()?;
    let row = format!("Row {}", object.row);
    let small = format!(
        "probability of a positive {}",
        number::fraction(object.positive_probability)
    );
    let image = html! {
        img.strip src=(data_uri(png)) alt={
            (row) ": the crop, its map for a positive, then the maximum activation map of \
                   each block"
        };
    };
    Some(figure(caption(row, small), image))
}

/// The distribution of scores.
pub(crate) fn scores(report: &ScreeningReport) -> Markup {
    if report.scores.iter().all(|&count| count == 0) {
        return html! {};
    }
    let threshold = threshold_text(report.threshold);
    html! {
        (figure(
            caption("Scores", format!("Dotted line: the threshold of {threshold}")),
            histogram(report),
        ))
        (folded("Scores as a table", score_table(report)))
    }
}

fn histogram(report: &ScreeningReport) -> Markup {
    let counts = report.scores.iter();
    let heights: Vec<f64> = counts.map(|count| (1.0 + *count as f64).log10()).collect();
    let filled = heights
        .iter()
        .enumerate()
        .filter(|(_, height)| **height > 0.0);
    let bars = filled.map(|(bin, height)| {
        let (left, right) = (scores::edge(bin), scores::edge(bin + 1));
        let gap = 0.1 * (right - left);
        Mark::Bar(Paint::solid(0), (left + gap, 0.0), (right - gap, *height))
    });
    let top = heights.iter().copied().fold(1.0, f64::max).ceil();
    let threshold = scores::log_odds(report.threshold);
    let threshold = vec![(threshold, 0.0), (threshold, top)];
    let marks: Vec<Mark> = bars
        .chain([Mark::Line(Paint::Reference, threshold)])
        .collect();
    let axes = Axes {
        width: 440,
        height: 290,
        x: Axis {
            from: scores::LEAST,
            to: scores::GREATEST,
            title: "probability of a positive in percent, by its log odds",
            ticks: 6,
            tick_label: scores::percentage,
        },
        y: logarithmic_axis(top),
    };
    let alternative =
        "Histogram of the probability of a positive. The values are in the table below.";
    plot::draw(&axes, &marks, alternative)
}

/// The axis of numbers of objects, from 1 to a power of ten.
fn logarithmic_axis(power: f64) -> Axis {
    Axis {
        from: 0.0,
        to: power,
        title: "objects + 1, logarithmic",
        ticks: 5,
        tick_label: |power| {
            if power.fract() == 0.0 {
                number::decimals(10_f64.powf(power), 0)
            } else {
                String::new()
            }
        },
    }
}

fn score_table(report: &ScreeningReport) -> Table {
    let mut table = Table::new(
        "Objects by probability of a positive",
        ["Probability in percent", "Objects"],
    );
    let edge = |bin: usize| scores::percentage(scores::edge(bin));
    for (bin, count) in report
        .scores
        .iter()
        .enumerate()
        .filter(|(_, count)| **count > 0)
    {
        let edges = format!("{} to {}", edge(bin), edge(bin + 1));
        table.row(edges, [number::count(*count)]);
    }
    table
}

/// What could not be used, counted and listed.
pub(crate) fn unusable(report: &ScreeningReport) -> Markup {
    html! {
        @if !report.unusable.is_empty() { (reasons(report)) }
        @if !report.unusable_objects.is_empty() {
            @let total = report.unusable.iter().map(|reason| reason.count).sum();
            (shortened(report.unusable_objects.len(), total, "object", "objects"))
            div.keys { (table_of_unusable(report)) }
        }
        (data::warnings(&report.warnings, "Objects"))
    }
}

fn reasons(report: &ScreeningReport) -> Table {
    let mut table = Table::new("Reasons", ["Reason", "Objects"]);
    for reason in &report.unusable {
        table.row(&reason.what, [number::count(reason.count)]);
    }
    table
}

fn table_of_unusable(report: &ScreeningReport) -> Table {
    let mut table = Table::new("Objects that could not be used", ["Object", "Reason"]);
    for object in &report.unusable_objects {
        let reason = html! { td.wide { (object.reason) } };
        table.row_of_cells(html! { code { (object.object) } }, reason);
    }
    table
}

/// Says so where a list is shorter than what it lists.
pub(super) fn shortened(listed: usize, total: u64, one: &str, many: &str) -> Markup {
    let listed = listed as u64;
    html! {
        @if listed < total {
            (note(format!(
                "The first {} of {} are listed; the table of results has all of them.",
                number::count(listed),
                number::counted(total, one, many),
            )))
        }
    }
}

/// What is known of the model.
pub(crate) fn model(report: &ScreeningReport) -> Markup {
    let model = &report.model;
    let operating_point = format!(
        "positive from {} on: {}",
        threshold_text(report.threshold),
        report.operating_point
    );
    html! {
        (facts([
            (
                "Network and task",
                html! { (display(model.architecture)) ", " (title(model.target)) },
            ),
            (
                "Trained from",
                html! { (model.initial_weights.to_string()) },
            ),
            ("Operating point", html! { (operating_point) }),
            ("Bundle", html! { code { (model.uri) } }),
            ("SHA-256 of the bundle", html! { code { (model.digest) } }),
        ]))
        (fact_list("From the model card", &model.facts))
    }
}
