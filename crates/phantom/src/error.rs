//! Why a cohort could not be described or written.

use std::path::PathBuf;

use snafu::Snafu;

/// Why a cohort could not be described or written.
#[derive(Debug, Snafu)]
#[snafu(visibility(pub(super)))]
pub enum Error {
    /// Grade shares that are negative, not finite or all zero.
    #[snafu(display(
        "the grade shares {shares:?} are unusable: give four numbers of 0 or more, not all 0"
    ))]
    Shares {
        /// What was given.
        shares: [f64; 4],
    },
    /// A share outside [0, 1].
    #[snafu(display("the {what} is {share}: give a number from 0 to 1"))]
    Share {
        /// Which share.
        what: &'static str,
        /// What was given.
        share: f64,
    },
    /// The folder already holds something.
    #[snafu(display("the folder {} is not empty: name a new one", path.display()))]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// A file or folder could not be written.
    #[snafu(display("cannot write {}: check the folder's rights and the space left", path.display()))]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The table of labels could not be written.
    #[snafu(display("cannot write the table of labels: check the space left"))]
    Table {
        /// Why.
        source: csv::Error,
    },
    /// A DICOM object could not be encoded.
    #[snafu(display("cannot encode the object {}", path.display()))]
    Encode {
        /// The file that it was meant for.
        path: PathBuf,
        /// Why.
        source: Box<dicom_object::WriteError>,
    },
}

impl Error {
    /// Whether what was asked for makes no sense, so that asking again would not help.
    pub fn is_configuration(&self) -> bool {
        matches!(
            self,
            Self::Shares { .. } | Self::Share { .. } | Self::NotEmpty { .. }
        )
    }
}
