//! What a screening found: positives, scores, objects that could not be used, the model.

use super::provenance::list;
use super::{caption, data, figure, in_words, limits, note, tile, title};
use crate::input::{ScreenedObject, ScreeningReport};
use crate::markup::{Markup, element};
use crate::number;
use crate::plot::{self, Axes, Axis, Mark, Role};
use crate::raster::data_uri;
use crate::table::{Kind, Table, facts};
use attrium_evaluation::{Metrics, threshold_text};

/// The first screen: counts and caveats.
pub(crate) fn summary(report: &ScreeningReport) -> Markup {
    let unusable = report.unusable.iter().map(|reason| reason.count).sum();
    let lead = format!(
        "{} found and {} of them screened. {} of those ({}) are called positive, at a probability of \
         {} or more. {} no anterior view, and {} could not be used.",
        number::things(report.objects, "object was", "objects were"),
        number::count(report.screened),
        number::count(report.positive),
        number::share(report.positive, report.screened),
        threshold_text(report.threshold),
        number::things(report.other_views, "shows", "show"),
        number::count(unusable),
    );
    let mut tiles = vec![
        tile(
            "Screened",
            number::count(report.screened),
            "objects with an anterior view".to_owned(),
        ),
        tile(
            "Called positive",
            number::count(report.positive),
            "objects that a physician should look at".to_owned(),
        ),
        tile(
            "Not usable",
            number::count(unusable),
            "objects, listed with reasons below".to_owned(),
        ),
    ];
    let validation = report.validation.as_ref();
    if let Some(point) = validation.and_then(|metrics| metrics.positive.chosen()) {
        let positives = point.true_positives + point.false_negatives;
        let negatives = point.true_negatives + point.false_positives;
        for (question, estimate, of) in [
            (
                "Sensitivity at this threshold",
                point.sensitivity,
                number::things(positives, "labelled positive", "labelled positives"),
            ),
            (
                "Specificity at this threshold",
                point.specificity,
                number::things(negatives, "labelled negative", "labelled negatives"),
            ),
        ] {
            let range = limits(estimate)
                .map_or_else(String::new, |limits| format!("{} ", number::range(limits)));
            tiles.push(tile(
                question,
                number::optional(estimate.map(|of| of.value)),
                format!("{range}on {of}"),
            ));
        }
    }
    let caveats = [
        "A call is a hint to look, not a finding: a physician confirms every positive, and a \
         negative call does not rule anything out.",
        "The model was trained on one cohort. On other scanners, tracers or acquisition times its \
         probabilities may be off; an external validation on own labels tells how far.",
        "Object keys are listed so that someone can find the patient: treat this page like the \
         images.",
    ];
    let mut content: Markup = element("p").class("lead").child(lead).into();
    content.push(element("ul").class("tiles").children(tiles));
    content.push(element("h2").class("first").child("Read this first"));
    let items = caveats.map(|text| element("li").child(text));
    content.push(element("ul").class("caveats").children(items));
    content
}

/// What the job's threshold came to on its labels; the rest is at the class of the highest
/// probability.
pub(crate) fn validation(metrics: &Metrics) -> Markup {
    let Some(point) = metrics.positive.chosen() else {
        return Markup::none();
    };
    let sentence = format!(
        "At this job’s threshold of {}, chosen on other studies: sensitivity {}, specificity {}.",
        threshold_text(point.threshold),
        in_words(point.sensitivity),
        in_words(point.specificity),
    );
    element("p").child(sentence).into()
}

/// The positives, most probable first.
pub(crate) fn positives(report: &ScreeningReport) -> Markup {
    if report.positives.is_empty() {
        return element("p").child("No object was called positive.").into();
    }
    let mut content = shortened(
        report.positives.len(),
        report.positive,
        "positive",
        "positives",
    );
    content.push(table_of_positives(report));
    let images: Vec<Markup> = report.positives.iter().filter_map(picture).collect();
    if !images.is_empty() {
        content.push(note(
            "From the left: the crop (white is no count, black the 99.5th percentile); where the \
             model finds what speaks for a positive (Grad-CAM, the mean of its networks); the \
             maximum activation map of each block of its first network. Each map has its own scale, \
             from its least value in dark violet to its greatest in yellow. A map shows where a \
             network responds, not why it decided.",
        ));
        content.push(element("div").class("grid").children(images));
    }
    content
}

fn table_of_positives(report: &ScreeningReport) -> Markup {
    let classes = report.model.task.classes();
    let headers = ["Object", "Row", "Probability of a positive"]
        .into_iter()
        .map(str::to_owned)
        .chain(classes.iter().map(|class| format!("p({class})")))
        .chain(["Decision".to_owned(), "Warnings".to_owned()]);
    let mut table = Table::new(
        caption(
            "Objects called positive",
            "Most probable first; row: that of the results table.",
        ),
        headers,
    );
    for study in &report.positives {
        let decision = if study.positive_probability >= report.threshold {
            "positive"
        } else {
            "negative"
        };
        let probabilities = (0..classes.len())
            .map(|class| number::optional(study.probabilities.get(class).copied()));
        let cells = [
            number::count(study.row),
            number::fraction(study.positive_probability),
        ]
        .into_iter()
        .chain(probabilities)
        .chain([decision.to_owned()])
        .map(|text| element("td").child(text))
        .chain([element("td").class("wide").child(study.warnings.join("; "))]);
        table.cells(Kind::Own, element("code").child(&study.object), cells);
    }
    element("div").class("keys").child(table).into()
}

/// The crop and the activation maps of a positive.
fn picture(study: &ScreenedObject) -> Option<Markup> {
    let picture = study.picture.as_ref()?;
    let small = format!(
        "probability of a positive {}",
        number::fraction(study.positive_probability)
    );
    let alternative = format!(
        "Row {}: the crop, its Grad-CAM for a positive, then the maximum activation map of each \
         block",
        study.row
    );
    let image = element("img")
        .class("strip")
        .attribute("src", data_uri(picture))
        .attribute("alt", alternative);
    Some(figure(caption(format!("Row {}", study.row), small), image))
}

/// The distribution of scores.
pub(crate) fn scores(report: &ScreeningReport) -> Markup {
    let bins = report.scores.len();
    if bins == 0 {
        return Markup::none();
    }
    // Counts of studies and of bins are far below 2^53.
    #[allow(clippy::cast_precision_loss)]
    let (width, heights) = (
        1.0 / bins as f64,
        report
            .scores
            .iter()
            .map(|count| (1.0 + *count as f64).log10())
            .collect::<Vec<_>>(),
    );
    #[allow(clippy::cast_precision_loss)]
    let bars = heights
        .iter()
        .enumerate()
        .filter(|(_, height)| **height > 0.0)
        .map(|(bin, height)| {
            let left = bin as f64 * width;
            Mark::Bar(
                plot::plain(0),
                (left + 0.1 * width, 0.0),
                (left + 0.9 * width, *height),
            )
        });
    let top = heights.iter().copied().fold(1.0, f64::max).ceil();
    let line = vec![(report.threshold, 0.0), (report.threshold, top)];
    let marks: Vec<Mark> = bars.chain([Mark::Line(Role::Reference, line)]).collect();
    let alternative =
        "Histogram of the probability of a positive. The values are in the table below.";
    let axes = Axes {
        width: 440,
        height: 290,
        x: Axis {
            from: 0.0,
            to: 1.0,
            title: "probability of a positive",
            ticks: 6,
            text: |value| number::decimals(value, 1),
        },
        y: Axis {
            from: 0.0,
            to: top,
            title: "objects + 1, logarithmic",
            ticks: 5,
            text: |power| {
                if power.fract() == 0.0 {
                    number::decimals(10_f64.powf(power), 0)
                } else {
                    String::new()
                }
            },
        },
    };
    let small = format!(
        "Dotted line: the threshold of {}",
        threshold_text(report.threshold)
    );
    figure(
        caption("Scores", small),
        plot::draw(&axes, &marks, alternative),
    )
    .with(score_table(report))
}

fn score_table(report: &ScreeningReport) -> Markup {
    let mut table = Table::new(
        "Objects by probability of a positive",
        ["Probability", "Objects"],
    );
    #[allow(clippy::cast_precision_loss)]
    let edge = |bin: usize| number::fraction(bin as f64 / report.scores.len() as f64);
    for (bin, count) in report
        .scores
        .iter()
        .enumerate()
        .filter(|(_, count)| **count > 0)
    {
        let edges = format!("{} to {}", edge(bin), edge(bin + 1));
        table.row(Kind::Own, edges, [number::count(*count)]);
    }
    element("details")
        .child(element("summary").child("Scores as a table"))
        .child(table)
        .into()
}

/// What could not be used, counted and listed.
pub(crate) fn unusable(report: &ScreeningReport) -> Markup {
    let mut content = Markup::none();
    if !report.unusable.is_empty() {
        let mut counts = Table::new("Reasons", ["Reason", "Objects"]);
        for reason in &report.unusable {
            counts.row(Kind::Own, &reason.what, [number::count(reason.count)]);
        }
        content.push(counts);
    }
    if !report.unusable_objects.is_empty() {
        let total = report.unusable.iter().map(|reason| reason.count).sum();
        content.push(shortened(
            report.unusable_objects.len(),
            total,
            "object",
            "objects",
        ));
        let mut table = Table::new("Objects that could not be used", ["Object", "Reason"]);
        for object in &report.unusable_objects {
            let reason = element("td").class("wide").child(&object.reason);
            table.cells(Kind::Own, element("code").child(&object.object), [reason]);
        }
        content.push(element("div").class("keys").child(table));
    }
    content.push(data::warnings(&report.warnings, "Objects"));
    content
}

/// Says so where a list is shorter than what it lists.
fn shortened(listed: usize, total: u64, one: &str, many: &str) -> Markup {
    if listed as u64 >= total {
        return Markup::none();
    }
    note(format!(
        "The first {} of {} are listed; the table of results has all of them.",
        number::count(listed as u64),
        number::things(total, one, many),
    ))
}

/// What is known of the model.
pub(crate) fn model(report: &ScreeningReport) -> Markup {
    let model = &report.model;
    let code = |text: &str| Markup::from(element("code").child(text));
    let operating = format!(
        "positive from {} on: {}",
        threshold_text(report.threshold),
        report.operating_point
    );
    facts([
        (
            "Network and task",
            format!("{}, {}", model.architecture, title(model.task)).into(),
        ),
        ("Pretrained", model.pretrained.to_string().into()),
        ("Operating point", operating.into()),
        ("Bundle", code(&model.uri)),
        ("SHA-256 of the bundle", code(&model.digest)),
    ])
    .with(list("From the model card", &model.facts, false))
}
