//! What a run says of an item, one subject a file. Several lists ask the same, so that items share these functions; each
//! is pure, and says nothing that neither the run nor a person has said.

pub(super) mod data;
pub(super) mod groups;
pub(super) mod model;
pub(super) mod paper;
pub(super) mod participants;
pub(super) mod results;
pub(super) mod standard;

use super::Answer;
use super::facts::Facts;
use attrium_evaluation::{Estimate, Interval};
use attrium_types::Target;

/// The network that the answers are about, where there are several.
pub(super) fn about(facts: &Facts) -> Option<String> {
    let reported = facts.reported()?;
    let name = format!(
        "{} for {}",
        reported.network.architecture, reported.metrics.target
    );
    let which = if facts.model.is_some() {
        ", as it was published"
    } else {
        ""
    };
    let others = match facts.others() {
        0 => String::new(),
        1 => "; metrics.json has another network or task".to_owned(),
        others => format!("; metrics.json has {others} more networks and tasks"),
    };
    Some(format!("Figures are of {name}{which}{others}."))
}

/// What a validation cannot say of a model's development.
fn of_the_development(what: &str) -> Answer {
    Answer::default().ask(format!(
        "{what}? A screening does not know: run the checklist on the training run that published the model"
    ))
}

/// The grades that count as positive.
const fn positive_grades(target: Target) -> &'static str {
    match target {
        Target::Perugini | Target::Positive => "grade 2 or 3",
        Target::HighGrade => "grade 3",
    }
}

/// A figure with its interval; `None` where it is not defined.
fn estimate(estimate: Option<Estimate>) -> Option<String> {
    let estimate = estimate?;
    Some(match estimate.interval {
        Some(Interval { low, high }) => format!("{:.3} ({low:.3} to {high:.3})", estimate.value),
        None => format!("{:.3}", estimate.value),
    })
}

/// A figure with its interval, or that it is not defined.
fn estimate_or_undefined(value: Option<Estimate>) -> String {
    estimate(value).unwrap_or_else(|| "not defined".to_owned())
}

/// A number of things, with its noun.
fn counted(count: u64, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

/// Names with commas and a word before the last.
fn listed<T: ToString>(names: impl IntoIterator<Item = T>, before_last: &str) -> String {
    let names: Vec<String> = names.into_iter().map(|name| name.to_string()).collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} {before_last} {last}", first.join(", ")),
    }
}
