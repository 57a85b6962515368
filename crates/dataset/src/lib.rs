//! The data set of a run: `labels.csv`, pseudonyms, shards of crops, the quarantine table.
//!
//! It turns what identifies a study into a pseudonym and knows nothing of DICOM or of networks;
//! no type that leaves it holds an
//! identifier but [`Labels`], [`Readings`], [`Pseudonyms`] and [`Quarantine`].

mod cohort;
mod covariates;
mod error;
#[cfg(test)]
mod fixtures;
mod labels;
mod preference;
mod pseudonyms;
mod quarantine;
mod readings;
mod record;
mod shard;
mod spreadsheet;

pub use cohort::Cohort;
pub use covariates::Covariates;
pub use error::Error;
pub use labels::Labels;
pub use preference::Preference;
pub use pseudonyms::{LabelledStudy, Pseudonyms};
pub use quarantine::{Quarantine, QuarantineEntry};
pub use readings::{ReaderGrades, Readings, ReadingsError};
pub use record::Record;
pub use shard::{Shard, ShardFiles, ShardWriter, shard_of};
