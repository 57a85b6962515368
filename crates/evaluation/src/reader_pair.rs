//! The agreement of each pair of several readers.

use serde::{Deserialize, Serialize};

use super::console::{GAP, estimate, words};
use super::metrics::ReaderAgreement;
use attrium_types::text::table;

/// How well two readers agree on Perugini grades.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReaderPair {
    /// One reader.
    pub a: String,
    /// The other one.
    pub b: String,
    /// Their agreement, over the studies that both have graded.
    #[serde(flatten)]
    pub agreement: ReaderAgreement,
}

/// Pairs of readers as a table for a terminal, ending in a line feed.
pub fn reader_pairs_text(pairs: &[ReaderPair]) -> String {
    let header = ["A", "B", "STUDIES", "KAPPA", "QUADRATIC", "GRADE >= 2"];
    let rows = pairs.iter().map(|ReaderPair { a, b, agreement }| {
        vec![
            a.clone(),
            b.clone(),
            agreement.studies.to_string(),
            estimate(agreement.kappa),
            estimate(agreement.quadratic_kappa),
            estimate(agreement.positive_kappa),
        ]
    });
    let rows: Vec<_> = std::iter::once(words(&header)).chain(rows).collect();
    format!(
        "Cohen's kappa of four grades, with quadratic weights, and of grade >= 2 (95 % \
         interval)\n\n{}",
        table(&rows, GAP)
    )
}
