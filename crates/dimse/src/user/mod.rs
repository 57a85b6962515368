//! The storage user: sends objects, and asks for storage commitment.

mod association;
mod commitment;
mod connect;
mod destination;
mod error;
mod store;

pub use association::Association;
pub use destination::{Destination, DestinationDeadlines};
pub use error::Error;
pub use store::ObjectToStore;
