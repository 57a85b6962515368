//! From objects to the studies that were used, and what was dropped on the way.

use super::{caption, note};
use crate::input::{Count, DataFlow};
use crate::markup::{Element, Markup, element};
use crate::number;
use crate::table::{Kind, Table};

/// The paper's studies by grade (paper, "Data").
const PAPER_GRADES: [u64; 4] = [991, 296, 23, 24];

/// The flow, the grades and the warnings.
pub(crate) fn section(data: &DataFlow) -> Markup {
    let steps = [
        step(data.objects, "objects found", &data.dropped_objects),
        step(
            data.studies,
            "studies with a usable image",
            &data.dropped_studies,
        ),
        used(data),
    ];
    let mut content: Markup = element("ol").class("flow").children(steps).into();
    if data.missing_images > 0 {
        content.push(note(format!(
            "{} in labels.csv without a usable image.",
            number::things(data.missing_images, "study", "studies")
        )));
    }
    content.push(grades(data));
    content.push(warnings(&data.warnings, "Studies"));
    content
}

/// One box of the flow: what there is, and what is dropped before the next.
fn step(count: u64, what: &str, dropped: &[Count]) -> Element {
    let item = element("li")
        .child(element("span").class("number").child(number::count(count)))
        .child(what);
    if dropped.is_empty() {
        return item.child(element("ul").child(element("li").child("none dropped")));
    }
    let reasons = dropped.iter().map(|reason| {
        element("li").child(format!("−{} {}", number::count(reason.count), reason.what))
    });
    item.child(element("ul").children(reasons))
}

fn used(data: &DataFlow) -> Element {
    let item = element("li")
        .child(
            element("span")
                .class("number")
                .child(number::count(data.used)),
        )
        .child("studies used");
    match data.patients {
        Some(patients) => {
            let text = format!("of {}", number::things(patients, "patient", "patients"));
            item.child(element("ul").child(element("li").child(text)))
        }
        None => item,
    }
}

fn grades(data: &DataFlow) -> Markup {
    let mut table = Table::new(
        caption("Studies used, by Perugini grade", "Positive: grade 2 or 3."),
        [
            "Source", "Grade 0", "Grade 1", "Grade 2", "Grade 3", "Positive",
        ],
    );
    let rows = [
        (Kind::Own, "This run", data.by_grade),
        (Kind::Reference, "Paper", PAPER_GRADES),
    ];
    for (kind, name, counts) in rows {
        let total = counts.iter().sum();
        let positive = counts[2] + counts[3];
        let cells = counts
            .into_iter()
            .chain([positive])
            .map(|count| format!("{} ({})", number::count(count), number::share(count, total)));
        table.row(kind, name, cells);
    }
    table.into()
}

/// How often each warning was given; nothing without any.
pub(super) fn warnings(warnings: &[Count], unit: &'static str) -> Markup {
    if warnings.is_empty() {
        return Markup::none();
    }
    let mut table = Table::new(
        caption("Warnings", "Images that were used all the same."),
        ["Warning", unit],
    );
    for warning in warnings {
        table.row(Kind::Own, &warning.what, [number::count(warning.count)]);
    }
    table.into()
}
