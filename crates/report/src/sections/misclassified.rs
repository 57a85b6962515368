//! What a network got wrong, to be looked at: positives that it missed, and negatives that it called.

use maud::{Markup, display, html};

use super::images::scan;
use super::{note, title};
use crate::input::{Misclassified, MisclassifiedStudies};
use crate::number;

/// The crops of what one network of each target got wrong.
pub(crate) fn section(figures: &[Misclassified]) -> Markup {
    if figures.is_empty() {
        return html! {};
    }
    html! {
        (note(
            "By the class of the highest probability, out of fold; the most certain mistakes first. A reader’s grade \
             may be the mistake."
        ))
        @for figure in figures {
            h3 { (display(figure.architecture)) ", " (title(figure.target)) }
            div.grid.pairs {
                (studies("Positives that it missed", &figure.missed))
                (studies("Negatives that it called positive", &figure.false_alarms))
            }
        }
    }
}

fn studies(what: &str, found: &MisclassifiedStudies) -> Markup {
    let shown = found.shown.len() as u64;
    html! {
        div {
            h4 { (what) ": " (number::count(found.studies)) }
            @if shown < found.studies {
                (note(format!("{} of them are shown.", number::count(shown))))
            }
            ul.images {
                @for study in &found.shown {
                    li {
                        (scan(&study.example))
                        p {
                            "study " (study.example.study) ", grade " (display(study.example.grade))
                            br;
                            "p(positive) " (number::fraction(study.positive_probability))
                        }
                    }
                }
            }
        }
    }
}
