//! Gates, and what was published.

use super::title;
use crate::input::{Gate, Publication};
use crate::markup::{Markup, element};
use crate::number;
use crate::table::{Kind, Table, facts};

/// The gates' outcomes, and what became of the model.
pub(crate) fn section(gates: &[Gate], publication: &Publication) -> Markup {
    let mut content = Markup::none();
    if gates.is_empty() {
        content.push(element("p").child("The manifest sets no gates."));
    } else {
        content.push(table(gates));
    }
    content.push(model(publication));
    content
}

fn table(gates: &[Gate]) -> Markup {
    let headers = ["Gate", "Minimum", "Found", "Outcome", "In words"];
    let mut table = Table::new(
        "Gates: a miss keeps the model from being published",
        headers,
    );
    for gate in gates {
        let outcome = &gate.outcome;
        let verdict = if outcome.passed {
            element("span").class("pass").child("✓ passed")
        } else {
            element("span").class("miss").child("✗ missed")
        };
        table.cells(
            Kind::Own,
            format!(
                "{}, {}: {}",
                gate.architecture,
                title(gate.task),
                outcome.metric
            ),
            [
                element("td").child(number::decimals(outcome.minimum, 3)),
                element("td").child(outcome.value.map_or_else(
                    || number::UNDEFINED.to_owned(),
                    |value| number::decimals(value, 3),
                )),
                element("td").child(verdict),
                element("td").class("wide").child(&outcome.message),
            ],
        );
    }
    table.into()
}

fn model(publication: &Publication) -> Markup {
    let sentence = |text: String| element("p").child(text).into();
    match publication {
        Publication::NotAsked => {
            sentence("No model was published: the manifest asks for none.".to_owned())
        }
        Publication::GateMissed => {
            sentence("No model was published, because a gate was missed.".to_owned())
        }
        Publication::Later { architecture, task } => sentence(format!(
            "The model, {architecture} for {}, is trained on all studies after this report is written; \
             the run's status then names its bundle.",
            title(*task)
        )),
        Publication::Impossible { reason } => {
            sentence(format!("No model was published: {reason}."))
        }
        Publication::Published(model) => facts([
            (
                "Published model",
                format!("{}, {}", model.architecture, title(model.task)).into(),
            ),
            ("Method", Markup::from(&model.method)),
            ("Bundle", element("code").child(&model.uri).into()),
            (
                "SHA-256 of the bundle",
                element("code").child(&model.digest).into(),
            ),
        ]),
    }
}
