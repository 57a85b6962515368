//! Which decisions of a screening are uncertain, why, and how many of the wrong ones these were in a validation.

use attrium_evaluation::{Doubt, FlaggedDecisions, threshold_text};
use maud::{Markup, html};

use super::screened::shortened;
use super::{caption, note};
use crate::input::ScreeningReport;
use crate::number;
use crate::table::Table;

/// How many decisions are uncertain, as a sentence of the first screen.
pub(crate) fn of_objects(report: &ScreeningReport) -> String {
    match report.uncertain {
        Some(uncertain) => format!(
            " {} uncertain.",
            number::counted(uncertain, "decision is", "decisions are")
        ),
        None => String::new(),
    }
}

/// The uncertain decisions with their reasons.
pub(crate) fn section(report: &ScreeningReport) -> Markup {
    let Some(uncertain) = report.uncertain else {
        return html! {
            p {
                "It is not known which decisions are uncertain: the model’s bundle keeps no limits for it. Publish the \
                 model anew to have them."
            }
        };
    };
    if uncertain == 0 {
        return html! { p { "No decision is uncertain, which does not mean that none is wrong." } };
    }
    html! {
        p {
            strong { "A physician should look at these, whatever the decision says." }
            " Of the decisions on " (number::counted(report.screened, "object", "objects")) ", "
            (number::count(uncertain)) " (" (number::percentage(uncertain, report.screened)) ") "
            @if uncertain == 1 { "is" } @else { "are" } " uncertain."
        }
        (shortened(report.uncertain_objects.len(), uncertain, "uncertain decision", "uncertain decisions"))
        div.keys { (table(report)) }
        (note(
            "The others may be wrong too. How near to the threshold, and how far from the images of the training, is \
             uncertain was decided when the model was published, by studies that its networks had not seen."
        ))
    }
}

fn table(report: &ScreeningReport) -> Table {
    let small =
        "In the order of the results table, whose columns uncertain and doubts have all of them.";
    let headers = [
        "Object",
        "Row",
        "Decision",
        "Probability of a positive",
        "Why it is uncertain",
    ];
    let mut table = Table::new(caption("Uncertain decisions", small), headers);
    for object in &report.uncertain_objects {
        let decision = if object.positive {
            "positive"
        } else {
            "negative"
        };
        let doubts: Vec<_> = object
            .doubts
            .iter()
            .map(|doubt| Doubt::sentence(*doubt))
            .collect();
        let cells = html! {
            td { (number::count(object.row)) }
            td { (decision) }
            td { (threshold_text(object.positive_probability)) }
            td.wide { (doubts.join("; ")) }
        };
        table.row_of_cells(html! { code { (object.object) } }, cells);
    }
    table
}

/// What share of the wrong and of the right decisions of a validation was flagged.
pub(crate) fn of_validation(flagged: &FlaggedDecisions) -> Markup {
    let FlaggedDecisions {
        decisions,
        wrong,
        wrong_flagged,
        right_flagged,
        ..
    } = *flagged;
    let right = decisions - wrong;
    html! {
        p {
            (number::count(wrong_flagged + right_flagged)) " of the " (number::counted(decisions, "decision", "decisions"))
            " at this threshold were flagged as uncertain, a share of " (number::estimate(flagged.share)) ": "
            @if wrong == 0 {
                "none was wrong."
            } @else {
                (number::count(wrong_flagged)) " of " (number::count(wrong)) " wrong ones ("
                (number::estimate(flagged.wrong_share)) ") and " (number::count(right_flagged)) " of "
                (number::count(right)) " right ones (" (number::estimate(flagged.right_share)) ")."
            }
        }
    }
}
