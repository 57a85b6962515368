//! The data set of a run: `labels.csv`, pseudonyms, shards of crops, the quarantine table.
//!
//! It turns what identifies a study into a pseudonym and knows nothing of DICOM or of networks;
//! no type that leaves it holds an
//! identifier but [`Labels`], [`Readings`], [`Pseudonyms`] and [`Quarantine`].

mod blinding;
mod cohort;
mod covariates;
mod error;
#[cfg(test)]
mod fixtures;
mod labels;
mod patients;
mod preference;
mod pseudonyms;
mod quarantine;
mod readings;
mod record;
mod selection;
mod shard;
mod spreadsheet;

pub use cohort::{Cohort, LeftOut};
pub use covariates::Covariates;
pub use error::Error;
pub use labels::Labels;
pub use patients::{PatientClue, PatientCounts, PatientGroups};
pub use preference::{Delay, Preference};
pub use pseudonyms::{LabelledStudy, Pseudonyms};
pub use quarantine::{Quarantine, QuarantineEntry};
pub use readings::{ReaderGrades, Readings, ReadingsError};
pub use record::Record;
pub use selection::{Better, Standing, select};
pub use shard::{Shard, ShardFiles, ShardWriter, shard_of};
