//! A network's agreement with the reader beside that of two readers of the same studies.

use super::{Subject, caption, estimate, positive};
use crate::markup::Markup;
use crate::number;
use crate::paper;
use crate::table::{Kind, Table};
use attrium_types::Target;

/// A row for each network and one for the readers; nothing where no second reader is known.
pub(super) fn table(task: Target, group: &[Subject<'_>]) -> Markup {
    let mut seconds = group
        .iter()
        .filter_map(|subject| subject.metrics.second_reader);
    let Some(readers) = seconds.next() else {
        return Markup::none();
    };
    let mut about = format!(
        "Cohen’s kappa of a network’s hard labels and the first reader, and of both readers on the \
         {} that both have graded.",
        number::things(readers.studies, "study", "studies"),
    );
    let mut headers = vec!["Who", "Kappa"];
    // Of two classes all three are the same.
    if task == Target::Perugini {
        about.push_str(&format!(" Positive: {}.", positive(task)));
        headers.extend(["Quadratic kappa", "Kappa, positive"]);
    }
    let columns = headers.len() - 1;
    let mut table = Table::new(caption("Agreement with the reader", about), headers);
    for subject in group {
        let m = subject.metrics;
        let cells = [
            estimate(m.kappa),
            estimate(m.quadratic_kappa),
            estimate(m.positive.kappa),
        ];
        table.row(Kind::Own, subject.name, cells.into_iter().take(columns));
    }
    let cells = [
        estimate(readers.kappa),
        estimate(readers.quadratic_kappa),
        estimate(readers.positive_kappa),
    ];
    let cells = cells.into_iter().take(columns);
    table.row(Kind::Reference, "Two readers, these studies", cells);
    if let Some(kappa) = paper::reader_kappa(task) {
        let cells = [number::fraction(kappa)];
        table.row(Kind::Reference, "Two readers, paper", cells);
    }
    table.into()
}
