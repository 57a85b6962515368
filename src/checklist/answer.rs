//! What is known of an item, what a person has to say of it, and where either is from or goes.

use serde::Serialize;

use super::Facts;
use attrium_api::StudyField;

/// How much of an item a run answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    /// All of it.
    Known,
    /// A part: what is missing is asked for.
    Partly,
    /// Nothing.
    Open,
}

impl State {
    /// The state as a word.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::Partly => "partly",
            Self::Open => "open",
        }
    }
}

/// Something that is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Statement {
    /// What, as a sentence or a few.
    pub text: String,
    /// The artefact, document or field of the manifest that says so.
    pub from: &'static str,
}

/// Something that a person has to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Question {
    /// The question.
    pub text: String,
    /// The field of the manifest, or the column of the labels, that takes the answer; `None` where only the
    /// manuscript does.
    pub field: Option<&'static str>,
}

/// What is known of an item and what is not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    pub known: Vec<Statement>,
    pub open: Vec<Question>,
}

impl Answer {
    /// How much that is.
    pub(crate) fn state(&self) -> State {
        match (self.known.is_empty(), self.open.is_empty()) {
            (true, _) => State::Open,
            (false, false) => State::Partly,
            (false, true) => State::Known,
        }
    }

    /// Adds what is known.
    pub(super) fn know(mut self, from: &'static str, text: impl Into<String>) -> Self {
        let text = text.into();
        self.known.push(Statement { text, from });
        self
    }

    /// Adds what may be known; where it is not, the question for it, which no field of the manifest takes.
    pub(super) fn know_or(self, from: &'static str, text: Option<String>, question: &str) -> Self {
        match text {
            Some(text) => self.know(from, text),
            None => self.ask(question),
        }
    }

    /// Adds what a person has stated in a field, or the question that the field answers.
    pub(super) fn stated(self, facts: &Facts, field: StudyField, question: &str) -> Self {
        match facts.stated(field) {
            Some(text) => self.know(field.path(), text),
            None => self.ask_for(field.path(), question),
        }
    }

    /// Adds a question that the manuscript alone answers.
    pub(super) fn ask(mut self, question: impl Into<String>) -> Self {
        let text = question.into();
        self.open.push(Question { text, field: None });
        self
    }

    /// Adds a question that a field answers.
    pub(super) fn ask_for(mut self, field: &'static str, question: impl Into<String>) -> Self {
        self.open.push(Question {
            text: question.into(),
            field: Some(field),
        });
        self
    }

    /// Adds another answer to this one.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.known.extend(other.known);
        self.open.extend(other.open);
        self
    }
}
