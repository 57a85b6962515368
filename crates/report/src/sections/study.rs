//! What people have stated of the study, and what they have not.

use maud::{Markup, html};

use super::note;
use crate::input::StudyFacts;
use crate::table::facts;

/// Their words, and one line of what is missing.
pub(crate) fn section(study: &StudyFacts) -> Markup {
    html! {
        @if !study.stated.is_empty() {
            p { "As stated in the manifest’s " code { "study" } "; nothing of it was checked." }
            (facts(study.stated.iter().map(|fact| (&fact.name, &fact.value))))
        }
        @if !study.not_stated.is_empty() {
            (note(format!("Not stated: {}.", study.not_stated.join(", "))))
        }
    }
}
