//! A network's agreement with the reader beside that of two readers of the same studies.

use attrium_types::Target;
use maud::{Markup, Render, html};

use super::{EvaluatedModel, caption, estimate_cell, positive_grades};
use crate::number;
use crate::paper;
use crate::table::Table;

/// A row for each network and one for the readers; nothing where no second reader is known.
pub(super) fn table(target: Target, models: &[EvaluatedModel<'_>]) -> Markup {
    let mut agreements = models
        .iter()
        .filter_map(|model| model.metrics.second_reader);
    let Some(readers) = agreements.next() else {
        return html! {};
    };
    let mut about = format!(
        "Cohen’s kappa of a network’s hard labels and the first reader, and of both readers on the \
         {} that both have graded.",
        number::counted(readers.studies, "study", "studies"),
    );
    let mut headers = vec!["Who", "Kappa"];
    // Of two classes all three are the same.
    if target == Target::Perugini {
        about.push_str(&format!(" Positive: {}.", positive_grades(target)));
        headers.extend(["Quadratic kappa", "Kappa, positive"]);
    }
    let columns = headers.len() - 1;
    let mut table = Table::new(caption("Agreement with the reader", about), headers);
    for model in models {
        let m = model.metrics;
        let kappas = [m.kappa, m.quadratic_kappa, m.positive.kappa];
        let cells = kappas.into_iter().take(columns).map(estimate_cell);
        table.row(model.name, cells);
    }
    let kappas = [
        readers.kappa,
        readers.quadratic_kappa,
        readers.positive_kappa,
    ];
    let cells = kappas.into_iter().take(columns).map(estimate_cell);
    table.reference_row("Two readers, these studies", cells);
    if let Some(kappa) = paper::reader_kappa(target) {
        table.reference_row("Two readers, paper", [number::fraction(kappa)]);
    }
    table.render()
}
