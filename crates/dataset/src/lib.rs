//! The data set of a run: `labels.csv`, pseudonyms, shards of crops, the quarantine table.
//!
//! It turns what identifies a study into a pseudonym and knows nothing of DICOM or of networks;
//! no type that leaves it holds an
//! identifier but [`Labels`], [`Readings`], [`Pseudonyms`] and [`Quarantine`].

mod blinding;
mod cohort;
mod cohort_digests;
mod covariates;
mod error;
#[cfg(test)]
mod fixtures;
mod keyed_digest;
mod labels;
mod overlap;
mod patients;
mod preference;
mod pseudonyms;
mod quarantine;
mod readings;
mod record;
mod scan_digests;
mod selection;
mod shard;
mod spreadsheet;

pub use cohort::{Cohort, LeftOut};
pub use cohort_digests::{CohortDigests, CohortFileError, SaltedDigests};
pub use covariates::Covariates;
pub use error::Error;
pub use labels::Labels;
pub use overlap::Overlap;
pub use patients::{PatientClue, PatientCounts, PatientGroups};
pub use preference::{Delay, Preference};
pub use pseudonyms::{LabelledStudy, Pseudonyms};
pub use quarantine::{Quarantine, QuarantineEntry};
pub use readings::{ReaderGrades, Readings, ReadingsError};
pub use record::Record;
pub use scan_digests::{NotADigest, PatientDigest, Salt, ScanDigests, ScanIdentity, ShortDigest};
pub use selection::{Better, Standing, select};
pub use shard::{Shard, ShardFiles, ShardWriter, shard_of};
