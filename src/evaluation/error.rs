//! What can be wrong with a predictions table.

use snafu::Snafu;

/// A predictions table that cannot be read or evaluated; no variant quotes a study or a covariate.
#[derive(Debug, Snafu)]
#[snafu(visibility(pub(super)))]
pub enum Error {
    /// No study has a label.
    #[snafu(display(
        "the predictions table has no labelled study: fill the column `label` with class numbers"
    ))]
    NoLabels,
}
