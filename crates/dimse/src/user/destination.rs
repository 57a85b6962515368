//! Where objects are sent to.

use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;

/// A peer that takes objects.
#[derive(Clone, Debug)]
pub struct Destination {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// What it is called (PS3.8, 9.3.2).
    pub called_ae_title: String,
    /// What the caller calls itself.
    pub calling_ae_title: String,
    /// Whether and how the connection is secured; see [`tls`](crate::tls).
    pub tls: Option<Arc<ClientConfig>>,
    /// For how long is waited.
    pub deadlines: DestinationDeadlines,
}

/// For how long a storage user waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DestinationDeadlines {
    /// For the connection, for the TLS handshake, and for the answer to the request of an association: each.
    pub connect: Duration,
    /// For a PDU to be taken.
    pub pdu: Duration,
    /// For the response to a message.
    pub response: Duration,
}

impl Default for DestinationDeadlines {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            pdu: Duration::from_secs(30),
            response: Duration::from_secs(60),
        }
    }
}
