//! The storage provider: listens, negotiates, and hands on what arrives.

mod association;
mod listener;
mod negotiation;
mod options;
mod peer;
mod seats;
mod service;
mod session;
mod status;
mod task;

pub(crate) use association::{Caller, Phase, Shared, host};
pub use listener::serve;
pub use options::{ListenerDeadlines, ListenerOptions, StorageClass};
pub use peer::{AssociationId, ObjectHeader, Peer};
pub use service::{Receiving, StorageService};
pub use status::{Closed, Refusal, StoreStatus, TurnedAway};
