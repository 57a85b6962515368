//! Gates, and what was published.

use attrium_evaluation::{EarlierRuns, GateResult};
use maud::{Markup, display, html};

use super::title;
use crate::input::{Gate, Publication};
use crate::number;
use crate::table::{Table, facts};

/// The gates' outcomes, and what became of the model.
pub(crate) fn section(
    gates: &[Gate],
    earlier: Option<EarlierRuns>,
    publication: &Publication,
) -> Markup {
    html! {
        @if gates.is_empty() {
            p { "The manifest sets no gates." }
        } @else {
            (gate_table(gates))
        }
        p { (repetitions(earlier)) }
        (model(publication))
    }
}

/// How often these labels were evaluated on before.
fn repetitions(earlier: Option<EarlierRuns>) -> String {
    match earlier {
        None => {
            "How many runs were evaluated on these labels before is not known: the store did not \
                 let this one look."
                .to_owned()
        }
        Some(EarlierRuns { runs: 0, .. }) => {
            "No other run in this place was evaluated on these labels before.".to_owned()
        }
        Some(EarlierRuns { runs, gate_missed }) => format!(
            "{} evaluated on these labels in this place before, {} of them with a missed gate. The best of many \
             tries flatters itself: what it is worth, only scans show that no run has seen.",
            number::counted(runs, "other run was", "other runs were"),
            number::count(gate_missed)
        ),
    }
}

fn gate_table(gates: &[Gate]) -> Table {
    let mut table = Table::new(
        "Gates: a miss keeps the model from being published",
        ["Gate", "Minimum", "Found", "Outcome", "In words"],
    );
    for gate in gates {
        let outcome = &gate.outcome;
        table.row_of_cells(
            format!(
                "{}, {}: {}",
                gate.architecture,
                title(gate.target),
                outcome.metric
            ),
            cells(outcome),
        );
    }
    table
}

fn cells(outcome: &GateResult) -> Markup {
    html! {
        td { (number::decimals(outcome.minimum, 3)) }
        td { (number::optional_decimals(outcome.value, 3)) }
        td {
            @if outcome.passed {
                span.pass { "✓ passed" }
            } @else {
                span.miss { "✗ missed" }
            }
        }
        td.wide { (outcome.message) }
    }
}

fn model(publication: &Publication) -> Markup {
    match publication {
        Publication::NotAsked => html! {
            p { "No model was published: the manifest asks for none." }
        },
        Publication::GateMissed => html! {
            p { "No model was published, because a gate was missed." }
        },
        Publication::Later {
            architecture,
            target,
        } => html! {
            p {
                "The model, " (display(architecture)) " for " (title(*target))
                ", is trained on all studies after this report is written; \
                 the run's status then names its bundle."
            }
        },
        Publication::NothingLearned { reason } => html! {
            p {
                "No model was published, because nothing shows that it has learned anything: " (reason)
                ". The field publish.force of the manifest publishes it all the same."
            }
        },
        Publication::Impossible { reason } => html! {
            p { "No model was published: " (reason) "." }
        },
        Publication::Published(model) => facts([
            (
                "Published model",
                html! { (display(model.architecture)) ", " (title(model.target)) },
            ),
            ("Method", html! { (model.method) }),
            ("Bundle", html! { code { (model.uri) } }),
            ("SHA-256 of the bundle", html! { code { (model.digest) } }),
        ]),
    }
}
