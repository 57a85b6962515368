//! Reporting checklists: what a list asks of a paper, and how much of it a finished run answers by itself.
//!
//! A list is a table of items, each with a function from [`Facts`] to an [`Answer`]. Numbers are those of the
//! published lists; what an item asks for is in our own few words, and the lists themselves have the last one. Pure:
//! facts are read once by the caller. An answer is never guessed: what nobody has stated is a question.

mod answer;
mod answers;
mod claim;
mod facts;
mod stard_ai;
mod text;
mod tripod_ai;

#[cfg(test)]
mod tests;

use serde::Serialize;

use answer::{Answer, Question, State, Statement};
pub(crate) use facts::{Facts, PublishedModel};
pub(crate) use text::to_text;

/// A published list.
pub(crate) struct List {
    /// Its name.
    pub name: &'static str,
    /// Where it was published.
    pub source: &'static str,
    /// Its items, in its order.
    pub items: &'static [Item],
}

/// An item of a list.
pub(crate) struct Item {
    /// Its number there.
    pub number: &'static str,
    /// The section of a paper that it belongs to.
    pub section: &'static str,
    /// What it asks for, in our own words.
    pub asks: &'static str,
    /// What a run says of it.
    answer: fn(&Facts) -> Answer,
}

/// A row of a list.
const fn item(
    number: &'static str,
    section: &'static str,
    asks: &'static str,
    answer: fn(&Facts) -> Answer,
) -> Item {
    Item {
        number,
        section,
        asks,
        answer,
    }
}

/// TRIPOD+AI, for prediction models.
pub(crate) const TRIPOD_AI: List = tripod_ai::LIST;
/// CLAIM, for medical imaging.
pub(crate) const CLAIM: List = claim::LIST;
/// STARD-AI, for diagnostic accuracy.
pub(crate) const STARD_AI: List = stard_ai::LIST;

/// A list as far as a run answers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Checklist {
    /// The list's name.
    pub list: &'static str,
    /// Where the list was published.
    pub source: &'static str,
    /// The run's kind.
    pub kind: String,
    /// The run's namespace.
    pub namespace: String,
    /// The run's name.
    pub name: String,
    /// Whether any image, or the model, is of phantoms: nothing below is about patients then.
    pub synthetic: bool,
    /// The network that the answers are about, of how many.
    pub about: Option<String>,
    /// The items, in the list's order.
    pub items: Vec<Row>,
    /// How many items are in each state.
    pub counts: Counts,
}

/// An item with its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Row {
    /// The item's number.
    pub number: &'static str,
    /// The section of a paper that it belongs to.
    pub section: &'static str,
    /// What it asks for.
    pub asks: &'static str,
    /// How much of it is known.
    pub state: State,
    /// What is known.
    pub known: Vec<Statement>,
    /// What a person has to say.
    pub open: Vec<Question>,
}

/// How many items are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Counts {
    /// All of the item is answered.
    pub known: usize,
    /// A part of it is.
    pub partly: usize,
    /// Nothing of it is.
    pub open: usize,
}

/// Answers a list as far as a run does.
pub(crate) fn answer(list: &List, facts: &Facts) -> Checklist {
    let items: Vec<Row> = list.items.iter().map(|item| row(item, facts)).collect();
    let count = |state| items.iter().filter(|row| row.state == state).count();
    let counts = Counts {
        known: count(State::Known),
        partly: count(State::Partly),
        open: count(State::Open),
    };
    Checklist {
        list: list.name,
        source: list.source,
        kind: facts.resource.kind().to_string(),
        namespace: facts.resource.namespace().to_owned(),
        name: facts.resource.name().to_owned(),
        synthetic: facts.is_synthetic(),
        about: answers::about(facts),
        items,
        counts,
    }
}

fn row(item: &Item, facts: &Facts) -> Row {
    let answer = (item.answer)(facts);
    Row {
        number: item.number,
        section: item.section,
        asks: item.asks,
        state: answer.state(),
        known: answer.known,
        open: answer.open,
    }
}
