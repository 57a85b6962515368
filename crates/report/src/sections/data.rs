//! From objects to the studies that were used, and what was dropped on the way.

use maud::{Markup, Render, html};

use super::{caption, note};
use crate::input::{Count, DataFlow};
use crate::number;
use crate::table::Table;

/// The paper's studies by grade (paper, "Data").
const PAPER_GRADES: [u64; 4] = [991, 296, 23, 24];

/// The flow, the grades and the warnings.
pub(crate) fn section(data: &DataFlow) -> Markup {
    html! {
        ol.flow {
            (step(data.objects, "objects found", &data.dropped_objects))
            (step(data.studies, "studies with a usable image", &data.dropped_studies))
            (used(data))
        }
        @if data.missing_images > 0 {
            (note(format!(
                "{} in labels.csv without a usable image.",
                number::counted(data.missing_images, "study", "studies")
            )))
        }
        (grades(data))
        (warnings(&data.warnings, "Studies"))
    }
}

/// One box of the flow: what there is, and what is dropped before the next.
fn step(count: u64, what: &str, dropped: &[Count]) -> Markup {
    html! {
        li {
            span.number { (number::count(count)) }
            (what)
            ul {
                @if dropped.is_empty() { li { "none dropped" } }
                @for reason in dropped {
                    li { "−" (number::count(reason.count)) " " (reason.what) }
                }
            }
        }
    }
}

fn used(data: &DataFlow) -> Markup {
    html! {
        li {
            span.number { (number::count(data.used)) }
            "studies used"
            @if let Some(patients) = data.patients {
                ul { li { "of " (number::counted(patients, "patient", "patients")) } }
            }
        }
    }
}

fn grades(data: &DataFlow) -> Table {
    let mut table = Table::new(
        caption("Studies used, by Perugini grade", "Positive: grade 2 or 3."),
        [
            "Source", "Grade 0", "Grade 1", "Grade 2", "Grade 3", "Positive",
        ],
    );
    let cells = |counts: [u64; 4]| {
        let total = counts.iter().sum();
        let positive = counts[2] + counts[3];
        let columns = counts.into_iter().chain([positive]);
        columns.map(move |count| {
            let percentage = number::percentage(count, total);
            format!("{} ({percentage})", number::count(count))
        })
    };
    table.row("This run", cells(data.by_grade));
    table.reference_row("Paper", cells(PAPER_GRADES));
    table
}

/// How often each warning was given; nothing without any.
pub(super) fn warnings(warnings: &[Count], unit: &str) -> Markup {
    if warnings.is_empty() {
        return html! {};
    }
    let mut table = Table::new(
        caption("Warnings", "Images that were used all the same."),
        ["Warning", unit],
    );
    for warning in warnings {
        table.row(&warning.what, [number::count(warning.count)]);
    }
    table.render()
}
