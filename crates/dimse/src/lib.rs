//! DICOM messages (PS3.7) over associations (PS3.8): a storage provider, and a storage user.
//!
//! - [`serve`] listens, negotiates, and gives objects to a [`StorageService`] as their bytes arrive.
//! - [`Association`] sends objects to a [`Destination`], and asks it for storage commitment.
//! - [`tls`] makes the configurations of both for secure transport (BCP 195, PS3.15 annex B).
//! - [`StoredFile`] finds in a file what has to be known to send it as it is.
//!
//! PDUs are dicom-ul's; messages, deadlines and limits are this crate's. A response of success is sent after
//! [`Receiving::finish`] has said so, and never before.
//!
//! Never: what an object means, a disk, or a log or an error that holds an identifier or a value of a data set.
//! No bytes of a peer make it panic, no peer takes more memory than a PDU and a command, and every wait for a peer
//! has a deadline.

mod command;
mod commitment;
mod file;
mod fragment;
pub mod fuzzing;
mod message;
mod provider;
#[cfg(test)]
mod tests;
pub mod tls;
mod uid;
mod user;
mod violation;
mod wire;

// Tests have one station for both sides of this crate's door.
#[cfg(test)]
extern crate self as attrium_dimse;

pub use commitment::{CommitmentReport, FailedInstance};
pub use file::{NotSendable, StoredFile};
pub use provider::{
    AssociationId, Closed, ListenerDeadlines, ListenerOptions, ObjectHeader, Peer, Receiving,
    Refusal, StorageClass, StorageService, StoreStatus, TurnedAway, serve,
};
pub use user::{Association, Destination, DestinationDeadlines, Error, ObjectToStore};
pub use violation::Violation;

/// Verification SOP Class (PS3.4, annex A).
pub const VERIFICATION: &str = dicom_dictionary_std::uids::VERIFICATION;

/// Storage Commitment Push Model SOP Class (PS3.4, J.3).
pub const STORAGE_COMMITMENT: &str = dicom_dictionary_std::uids::STORAGE_COMMITMENT_PUSH_MODEL;

/// DICOM Application Context Name (PS3.7, A.2.1).
const APPLICATION_CONTEXT: &str = dicom_dictionary_std::uids::DICOM_APPLICATION_CONTEXT;

/// Implementation Class UID of this implementation (PS3.7, D.3.3.2).
const IMPLEMENTATION_CLASS: &str = "2.25.332475403207309665617548917070343170565";

/// Implementation Version Name of this implementation (PS3.7, D.3.3.2): at most 16 characters.
const IMPLEMENTATION_VERSION: &str = concat!("ATTRIUM_", env!("CARGO_PKG_VERSION"));

/// Implicit VR Little Endian and Explicit VR Little Endian (PS3.5, A.1 and A.2).
const IMPLICIT_LITTLE_ENDIAN: &str = dicom_dictionary_std::uids::IMPLICIT_VR_LITTLE_ENDIAN;
const EXPLICIT_LITTLE_ENDIAN: &str = dicom_dictionary_std::uids::EXPLICIT_VR_LITTLE_ENDIAN;
