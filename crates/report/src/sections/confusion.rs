//! Confusion matrices as tables.

use super::{Subject, by_task, caption, note, title};
use crate::markup::{Markup, element};
use crate::number;
use crate::table::{Kind, Table};

/// The matrices of every task, one for each network.
pub(crate) fn section(subjects: &[Subject<'_>]) -> Markup {
    let matrices: Vec<Markup> = by_task(subjects)
        .iter()
        .flat_map(|(_, group)| group)
        .map(matrix)
        .collect();
    if matrices.is_empty() {
        return Markup::none();
    }
    note(
        "Rows: the reader’s grade; columns: what the network called it, by the highest \
         probability. Percentages are of the row; outlined cells are right.",
    )
    .with(element("div").class("grid matrix").children(matrices))
}

fn matrix(subject: &Subject<'_>) -> Markup {
    let classes = subject.metrics.target.classes();
    let headers = ["Reader \\ network"]
        .into_iter()
        .chain(classes.iter().copied());
    let name = format!("{}, {}", subject.name, title(subject.metrics.target));
    let studies = number::things(subject.metrics.studies, "study", "studies");
    let mut table = Table::new(caption(name, studies), headers);
    for (truth, class) in classes.iter().enumerate() {
        let row = &subject.metrics.confusion.counts()[truth];
        let total: u64 = row.iter().sum();
        let cells = row.iter().enumerate().map(|(called, count)| {
            element("td")
                .class(if called == truth {
                    "cell right"
                } else {
                    "cell"
                })
                .attribute("style", format!("--share:{}", part(*count, total)))
                .child(number::count(*count))
                .child(element("span").child(number::share(*count, total)))
        });
        table.cells(Kind::Own, *class, cells);
    }
    table.into()
}

/// The part of a whole from 0 to 1, as the style sheet takes it.
fn part(count: u64, total: u64) -> String {
    // Counts of studies are far below 2^53.
    #[allow(clippy::cast_precision_loss)]
    let part = count as f64 / total.max(1) as f64;
    format!("{part:.3}")
}
