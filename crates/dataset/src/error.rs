//! Why a data set cannot be read or written.

use snafu::Snafu;

use super::spreadsheet::NotUtf8;

/// Why a data set cannot be read or written.
///
/// No message holds a study's, a patient's or an object's name; lines and columns say where to
/// look.
#[derive(Debug, Snafu)]
#[snafu(visibility(pub(super)))]
pub enum Error {
    /// `labels.csv` has no header or no row.
    #[snafu(display("labels.csv is empty: give a header with study and grade, and a row a study"))]
    NoLabels,
    /// `labels.csv` is not UTF-8.
    #[snafu(display("labels.csv, line {line}: not UTF-8: save the table as \"CSV UTF-8\""))]
    Encoding {
        /// The line, from 1.
        line: u64,
    },
    /// A column that must be there is not.
    #[snafu(display(
        "labels.csv, line {line}: the column {column:?} is missing: the first line names the \
         columns, and study and grade must be among them"
    ))]
    MissingColumn {
        /// The line, from 1.
        line: u64,
        /// The column.
        column: &'static str,
    },
    /// Two columns have one name.
    #[snafu(display("labels.csv, line {line}: the column {column:?} is there twice: keep one"))]
    DuplicateColumn {
        /// The line, from 1.
        line: u64,
        /// The column.
        column: &'static str,
    },
    /// A row is longer or shorter than the header.
    #[snafu(display(
        "labels.csv, line {line}: {found} values where the header has {expected}: put quotes \
         around a value that holds the separator"
    ))]
    RowLength {
        /// The line, from 1.
        line: u64,
        /// The row's values.
        found: usize,
        /// The header's columns.
        expected: usize,
    },
    /// A value is not one of its column's.
    #[snafu(display("labels.csv, line {line}, column {column}: expected {expected}"))]
    Value {
        /// The line, from 1.
        line: u64,
        /// The column.
        column: &'static str,
        /// What the column takes.
        expected: &'static str,
    },
    /// A study is labelled twice.
    #[snafu(display(
        "labels.csv, line {line}, column study: the study of line {first} again: keep one of them"
    ))]
    DuplicateStudy {
        /// The second line, from 1.
        line: u64,
        /// The first line, from 1.
        first: u64,
    },
    /// A shard's two files do not belong together, or one was changed.
    #[snafu(display("shard {shard}: {problem}: delete both of its files and preprocess again"))]
    Shard {
        /// The shard's number.
        shard: u32,
        /// What is wrong.
        problem: &'static str,
    },
    /// A row of a shard's table cannot be read.
    #[snafu(display(
        "shard {shard}, row {row}, column {column}: not what was written: preprocess again"
    ))]
    Row {
        /// The shard's number.
        shard: u32,
        /// The row, from 1 below the header.
        row: usize,
        /// The column.
        column: &'static str,
    },
    /// A crop is not of a crop's size.
    #[snafu(display("a crop has {found} pixels where {expected} are expected"))]
    CropSize {
        /// Its pixels.
        found: usize,
        /// A crop's pixels.
        expected: usize,
    },
    /// A table cannot be written.
    #[snafu(display("a table of the data set cannot be written"))]
    Table {
        /// What the writer says.
        source: csv::Error,
    },
    /// An object's key was sealed with other labels.
    #[snafu(display(
        "labels.csv has changed since its studies were looked at: restore it, or run under another name"
    ))]
    Sealed,
    /// `quarantine.csv` cannot be read back.
    #[snafu(display("the quarantine table, row {row}: not what was written: preprocess again"))]
    Quarantine {
        /// The row, from 1 below the header.
        row: usize,
    },
}

impl From<NotUtf8> for Error {
    fn from(error: NotUtf8) -> Self {
        let NotUtf8 { line } = error;
        Self::Encoding { line }
    }
}
