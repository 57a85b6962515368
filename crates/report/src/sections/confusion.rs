//! Confusion matrices as tables.

use maud::{Markup, html};

use super::{EvaluatedModel, by_target, caption, note, title};
use crate::number;
use crate::table::Table;

/// The matrices of every target, one for each network.
pub(crate) fn section(models: &[EvaluatedModel<'_>]) -> Markup {
    if models.is_empty() {
        return html! {};
    }
    html! {
        (note(
            "Rows: the reader’s grade; columns: what the network called it, by the highest \
             probability. Percentages are of the row; outlined cells are right."
        ))
        div.grid.matrix {
            @for (_, group) in by_target(models) {
                @for model in &group { (matrix(model)) }
            }
        }
    }
}

fn matrix(model: &EvaluatedModel<'_>) -> Table {
    let classes = model.metrics.target.classes();
    let headers = ["Reader \\ network"]
        .into_iter()
        .chain(classes.iter().copied());
    let name = format!("{}, {}", model.name, title(model.metrics.target));
    let studies = number::counted(model.metrics.studies, "study", "studies");
    let mut table = Table::new(caption(name, studies), headers);
    for (truth, class) in classes.iter().enumerate() {
        let row = &model.metrics.confusion.counts()[truth];
        let total: u64 = row.iter().sum();
        let cells = html! {
            @for (called, count) in row.iter().enumerate() {
                td.cell.right[called == truth] style={ "--share:" (part(*count, total)) } {
                    (number::count(*count))
                    span { (number::percentage(*count, total)) }
                }
            }
        };
        table.row_of_cells(class, cells);
    }
    table
}

/// The part of a whole from 0 to 1, as the style sheet takes it.
fn part(count: u64, total: u64) -> String {
    let part = count as f64 / total.max(1) as f64;
    format!("{part:.3}")
}
