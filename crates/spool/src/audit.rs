//! Who did what, in a chain of lines that cannot be changed unseen.
//!
//! Each line of `audit/YYYY-MM.jsonl` is a record as JSON with the SHA-256 of the line before it, over the
//! ends of months too. Whoever changes, removes or adds a line breaks the chain there, for
//! [`verify`] to find. What a chain cannot show is that lines are missing at its end, or that all of it was
//! written anew: for that, somebody else has to keep a digest of it.
//!
//! A record is on the device when [`Audit::append`] returns. What a crash leaves of records that were being
//! appended is cut off by [`Audit::open`], which says so.
//!
//! It never holds an identifier of a patient, a study or an object: what a record can say is numbers,
//! digests, words of the program's own, and names from the configuration.

mod chain;
mod record;
mod write;

pub use chain::{Unverified, Verified, verify};
pub use record::{AuditEvent, AuditRecord, Fact, Name, NoName};
pub use write::{Audit, AuditError, Cut};
