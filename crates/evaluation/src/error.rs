//! What can be wrong with a predictions table.

use snafu::Snafu;

use attrium_types::Target;

/// A predictions table that cannot be read or evaluated; no variant quotes a study or a covariate.
#[derive(Debug, Snafu)]
#[snafu(visibility(pub(super)))]
pub enum Error {
    /// The file is not text.
    #[snafu(display(
        "the predictions table is not UTF-8 text at line {line}: save it as a CSV file in UTF-8"
    ))]
    NotText {
        /// The line of the first foreign byte.
        line: usize,
    },
    /// The header lacks a column.
    #[snafu(display(
        "column {position} of the predictions table's header must be `{expected}`: a table starts \
         with study,fold,label,p_0,p_1 and one more p_ column for each further class"
    ))]
    Header {
        /// The column's place, from 1.
        position: usize,
        /// Its name.
        expected: String,
    },
    /// Two columns have one name, or one has none.
    #[snafu(display(
        "column {position} of the predictions table's header has no name of its own: name each \
         covariate once"
    ))]
    ColumnName {
        /// The column's place, from 1.
        position: usize,
    },
    /// A row has another number of fields than the header.
    #[snafu(display(
        "line {line} of the predictions table has {found} fields where the header has {expected}: \
         give it as many, and put a field that holds a comma in quotation marks"
    ))]
    Fields {
        /// The row's line, from 1.
        line: u64,
        /// The header's fields.
        expected: u64,
        /// The row's fields.
        found: u64,
    },
    /// The CSV reader failed for another reason.
    #[snafu(display("the predictions table cannot be read as CSV"))]
    Csv {
        /// What the CSV reader says.
        source: csv::Error,
    },
    /// A field's value is not what its column holds.
    #[snafu(display("line {line}, column `{column}` of the predictions table: {problem}"))]
    Value {
        /// The row's line, from 1.
        line: u64,
        /// The column's name.
        column: String,
        /// What is wrong and what is expected.
        problem: String,
    },
    /// A row's probabilities do not sum to 1.
    #[snafu(display(
        "line {line} of the predictions table: the probabilities sum to {sum} where 1 is \
         expected (within {tolerance})"
    ))]
    Sum {
        /// The row's line, from 1.
        line: u64,
        /// The sum found.
        sum: f64,
        /// How far it may be from 1.
        tolerance: f64,
    },
    /// A study stands in two rows.
    #[snafu(display(
        "line {line} of the predictions table names the study of line {first} again: each study \
         has one row"
    ))]
    Duplicate {
        /// The second row's line, from 1.
        line: u64,
        /// The first row's line.
        first: u64,
    },
    /// The table is of another target.
    #[snafu(display(
        "the predictions table has {found} classes where the task {target} has {expected}: state \
         the task that the table belongs to"
    ))]
    Classes {
        /// The target.
        target: Target,
        /// The target's classes.
        expected: usize,
        /// The table's classes.
        found: usize,
    },
    /// No study has a label.
    #[snafu(display(
        "the predictions table has no labelled study: fill its column `label` with class numbers"
    ))]
    NoLabels,
    /// A prevalence outside (0, 1).
    #[snafu(display(
        "a prevalence lies between 0 and 1, both excluded, and {prevalence} does not: state the \
         share of positives, such as 0.035"
    ))]
    Prevalence {
        /// The prevalence that was stated.
        prevalence: f64,
    },
    /// A threshold that is not a probability.
    #[snafu(display(
        "a threshold lies from 0 to 1, and {threshold} does not: state the probability of a positive \
         from which on a study is called positive, such as 0.5"
    ))]
    Threshold {
        /// The threshold that was stated.
        threshold: f64,
    },
}
