//! The parts of a page, one subject a file; each turns values into markup and computes no metric.

mod agreement;
mod baseline;
pub(super) mod calibration;
pub(super) mod confusion;
pub(super) mod data;
pub(super) mod deviations;
pub(super) mod gates;
pub(super) mod images;
pub(super) mod learning;
pub(super) mod misclassified;
pub(super) mod monitor;
pub(super) mod net_benefit;
pub(super) mod operating_points;
pub(super) mod overlap;
pub(super) mod participants;
pub(super) mod provenance;
pub(super) mod results;
pub(super) mod roc;
pub(super) mod screened;
pub(super) mod study;
pub(super) mod subgroups;
pub(super) mod summary;
pub(super) mod uncertain;

use attrium_evaluation::{BaselineDifference, Estimate, Metrics};
use attrium_types::{InitialWeights, Target};
use maud::{Markup, Render, html};

use super::number;

/// A model that was evaluated: a network of a run, or a bundle on outside data.
#[derive(Clone, Copy)]
pub(super) struct EvaluatedModel<'a> {
    /// The network's name, by which the paper's results are found too.
    pub name: &'a str,
    /// What its training began from.
    pub initial_weights: &'a InitialWeights,
    pub metrics: &'a Metrics,
    /// How much more it reaches than a score without a network.
    pub baseline_difference: Option<&'a BaselineDifference>,
}

/// On which studies models were evaluated.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Validation {
    /// On those of the run, each by the network that has not seen it.
    OutOfFold,
    /// On studies of a job's own labels that the model has not seen.
    External,
    /// On studies of a job's own labels that the model has seen, or may have.
    PerhapsSeen,
}

/// The models of each target, targets in order of first appearance.
pub(super) fn by_target<'a>(
    models: &[EvaluatedModel<'a>],
) -> Vec<(Target, Vec<EvaluatedModel<'a>>)> {
    let mut groups: Vec<(Target, Vec<EvaluatedModel<'a>>)> = Vec::new();
    for model in models {
        let target = model.metrics.target;
        match groups.iter_mut().find(|(known, _)| *known == target) {
            Some((_, group)) => group.push(*model),
            None => groups.push((target, vec![*model])),
        }
    }
    groups
}

/// A target as a short title.
pub(super) const fn title(target: Target) -> &'static str {
    match target {
        Target::Perugini => "Perugini grades",
        Target::Positive => "Positive",
        Target::HighGrade => "High grade",
    }
}

/// A target as the question that it asks.
pub(super) const fn question(target: Target) -> &'static str {
    match target {
        Target::Perugini => "Perugini grades: 0, 1, 2 or 3",
        Target::Positive => "Positive: grade 2 or 3 against 0 or 1",
        Target::HighGrade => "High grade: grade 3 against 0 to 2",
    }
}

/// The grades that count as positive in a target's sensitivity.
pub(super) const fn positive_grades(target: Target) -> &'static str {
    match target {
        Target::Perugini | Target::Positive => "grade 2 or 3",
        Target::HighGrade => "grade 3",
    }
}

/// An estimate with its interval as a table's cell shows it.
pub(super) fn estimate_cell(estimate: Option<Estimate>) -> Markup {
    html! {
        span.estimate {
            (number::optional(estimate.map(|estimate| estimate.value)))
            @if let Some(interval) = estimate.and_then(|estimate| estimate.interval) {
                " " span { (number::interval(interval)) }
            }
        }
    }
}

/// The list of caveats that stands on the first screen of every page.
pub(super) fn read_this_first(caveats: impl IntoIterator<Item = impl Render>) -> Markup {
    html! {
        h2.first { "Read this first" }
        ul.caveats { @for caveat in caveats { li { (caveat) } } }
    }
}

/// A tile of the first screen: its question, its value, and a line of small print for each detail.
pub(super) fn tile(
    class: Option<&str>,
    question: &str,
    value: impl Render,
    details: impl IntoIterator<Item = String>,
) -> Markup {
    html! {
        li class=[class] {
            p.question { (question) }
            p.value { (value) }
            @for detail in details { p.detail { (detail) } }
        }
    }
}

/// A paragraph in small print.
pub(super) fn note(text: impl Render) -> Markup {
    html! { p.note { (text) } }
}

/// A figure with its caption above.
pub(super) fn figure(caption: impl Render, content: impl Render) -> Markup {
    html! {
        figure {
            figcaption { (caption) }
            (content)
        }
    }
}

/// A name in bold and a second line in small print, for captions and rows.
pub(super) fn caption(name: impl Render, small: impl Render) -> Markup {
    html! { (name) small { (small) } }
}

/// Figures side by side where the page is wide enough.
pub(super) fn grid(figures: impl IntoIterator<Item = Markup>) -> Markup {
    html! { div.grid { @for figure in figures { (figure) } } }
}

/// Content that is folded away below its summary.
pub(super) fn folded(summary: impl Render, content: impl Render) -> Markup {
    html! {
        details {
            summary { (summary) }
            (content)
        }
    }
}
