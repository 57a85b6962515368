//! Gates, and what was published.

use super::title;
use crate::report::input::{Gate, Published};
use crate::report::markup::{Markup, element};
use crate::report::number;
use crate::report::table::{Kind, Table, facts};

/// The gates' outcomes and the published model.
pub(in crate::report) fn section(gates: &[Gate], published: Option<&Published>) -> Markup {
    let mut content = Markup::none();
    if gates.is_empty() {
        content.push(element("p").child("The manifest sets no gates."));
    } else {
        content.push(table(gates));
    }
    match published {
        Some(model) => content.push(facts([
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
        ])),
        None => content.push(element("p").child(unpublished(gates))),
    }
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

fn unpublished(gates: &[Gate]) -> &'static str {
    if gates.iter().all(|gate| gate.outcome.passed) {
        "No model was published: the manifest asks for none."
    } else {
        "No model was published, because a gate was missed."
    }
}
