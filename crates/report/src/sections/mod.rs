//! The parts of a page, one subject a file; each turns values into markup and computes no metric.

mod agreement;
mod baseline;
pub(super) mod calibration;
pub(super) mod confusion;
pub(super) mod data;
pub(super) mod gates;
pub(super) mod images;
pub(super) mod learning;
pub(super) mod operating;
pub(super) mod provenance;
pub(super) mod results;
pub(super) mod roc;
pub(super) mod screened;
pub(super) mod subgroups;
pub(super) mod summary;

use super::markup::{Element, Markup, element};
use super::number;
use attrium_evaluation::{BaselineDifference, Estimate, Metrics};
use attrium_types::Target;

/// The metrics of something that has a name: a network of a run, a model on outside data.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    /// The name, by which the paper's row is found too.
    pub name: &'a str,
    /// Whether it started from weights of ImageNet.
    pub pretrained: bool,
    /// What it reached.
    pub metrics: &'a Metrics,
    /// How much more that is than a score without a network reaches.
    pub difference: Option<&'a BaselineDifference>,
}

/// On which studies something was judged.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Judged {
    /// On those of the run, each by the network that has not seen it.
    OutOfFold,
    /// On studies of a job's own labels.
    Externally,
}

/// The subjects of each task, tasks in order of first appearance.
pub(super) fn by_task<'a>(subjects: &[Subject<'a>]) -> Vec<(Target, Vec<Subject<'a>>)> {
    let mut groups: Vec<(Target, Vec<Subject<'a>>)> = Vec::new();
    for subject in subjects {
        let task = subject.metrics.target;
        match groups.iter_mut().find(|(known, _)| *known == task) {
            Some((_, group)) => group.push(*subject),
            None => groups.push((task, vec![*subject])),
        }
    }
    groups
}

/// A task as a short title.
pub(super) const fn title(task: Target) -> &'static str {
    match task {
        Target::Perugini => "Perugini grades",
        Target::Positive => "Positive",
        Target::HighGrade => "High grade",
    }
}

/// A task as the question that it asks.
pub(super) const fn question(task: Target) -> &'static str {
    match task {
        Target::Perugini => "Perugini grades: 0, 1, 2 or 3",
        Target::Positive => "Positive: grade 2 or 3 against 0 or 1",
        Target::HighGrade => "High grade: grade 3 against 0 to 2",
    }
}

/// What counts as positive in a task's sensitivity.
pub(super) const fn positive(task: Target) -> &'static str {
    match task {
        Target::Perugini | Target::Positive => "grade 2 or 3",
        Target::HighGrade => "grade 3",
    }
}

/// An estimate with its interval as a table's cell shows it.
pub(super) fn estimate(estimate: Option<Estimate>) -> Markup {
    let mut text = element("span")
        .class("estimate")
        .child(number::optional(estimate.map(|of| of.value)));
    if let Some(interval) = estimate.and_then(|of| of.interval) {
        text = text
            .child(" ")
            .child(element("span").child(number::range((interval.low, interval.high))));
    }
    text.into()
}

/// The same in a sentence.
pub(super) fn in_words(estimate: Option<Estimate>) -> String {
    number::estimate(estimate.map(|of| of.value), limits(estimate))
}

/// The limits of an estimate's interval.
pub(super) fn limits(estimate: Option<Estimate>) -> Option<(f64, f64)> {
    let interval = estimate?.interval?;
    Some((interval.low, interval.high))
}

/// A tile's question, value and first detail; it may take more.
pub(super) fn tile(question: &'static str, value: impl Into<Markup>, detail: String) -> Element {
    element("li")
        .child(element("p").class("question").child(question))
        .child(element("p").class("value").child(value))
        .child(self::detail(detail))
}

/// A line below a tile's value.
pub(super) fn detail(text: String) -> Element {
    element("p").class("detail").child(text)
}

/// A paragraph in small print.
pub(super) fn note(text: impl Into<Markup>) -> Markup {
    element("p").class("note").child(text).into()
}

/// A heading within a section.
pub(super) fn heading(text: impl Into<Markup>) -> Markup {
    element("h3").child(text).into()
}

/// A figure with its caption above.
pub(super) fn figure(caption: impl Into<Markup>, content: impl Into<Markup>) -> Markup {
    element("figure")
        .child(element("figcaption").child(caption))
        .child(content)
        .into()
}

/// A name in bold and a second line in small print, for captions and rows.
pub(super) fn caption(name: impl Into<Markup>, small: impl Into<Markup>) -> Markup {
    name.into().with(element("small").child(small))
}

/// Figures side by side where the page is wide enough.
pub(super) fn grid(figures: impl IntoIterator<Item = Markup>) -> Markup {
    element("div").class("grid").children(figures).into()
}
