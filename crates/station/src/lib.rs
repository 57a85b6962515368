//! The live path: from received scans to decisions, deliveries and alerts.
//!
//! ```text
//! scanner ──▶ intake ──▶ spool ──▶ coordinator ──▶ index ──▶ couriers ──▶ archives, people
//!             onto disk,           screens, asks   one        one for each
//!             then answered        what a study    transaction
//!                                  has become
//! ```
//!
//! [`study`], [`delivery`] and [`admission`] are pure and decide; everything else does what they say. Intake waits for the
//! disk alone, and no receiver for another. Nothing here is what an archive relies on: the station takes copies, and
//! commits to nothing.
//!
//! Never: a Kubernetes client; an identifier in a log, the index, a message or a file's name.

pub mod admission;
mod archive;
mod check;
mod clock;
mod composer;
mod coordinator;
pub mod delivery;
mod email;
mod intake;
mod janitor;
mod journal;
mod labels;
mod outbox;
mod overview;
mod screening;
mod secrets;
mod sending;
mod shared;
mod station;
pub mod study;
mod trial;
mod web;
mod webhook;

pub use check::{Check, check};
pub use labels::{LabelRow, Labels};
pub use overview::{DeliveryView, ObjectView, Overview, ReviewView, StudyView};
pub use secrets::{SecretError, Secrets};
pub use sending::{SendError, send};
pub use station::{Station, StationError};
pub use trial::{Share, Trial};
pub use web::{Control, ControlError, Role, UserLine, WebError, user_line};
pub use webhook::{IDEMPOTENCY_KEY, SIGNATURE};
