//! What a listener accepts, and for how long it waits.

use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;

use crate::wire::LONGEST_PDU;

/// What a listener accepts.
#[derive(Clone, Debug)]
pub struct ListenerOptions {
    /// The AE title that has to be called.
    pub ae_title: String,
    /// What may be stored. Verification is accepted always.
    pub storage: Vec<StorageClass>,
    /// Whether reports of storage commitment are accepted (PS3.4, J.3.3). Requests for it never are.
    pub commitment_reports: bool,
    /// How many associations there may be at a time.
    pub max_associations: usize,
    /// How many of them one calling AE title may have.
    pub max_associations_per_sender: usize,
    /// The longest data set of an object, in bytes.
    pub max_object_bytes: u64,
    /// The longest PDU that peers may send (PS3.8, D.1), which is what an association holds in memory.
    pub max_pdu_length: u32,
    /// For how long is waited.
    pub deadlines: ListenerDeadlines,
    /// Whether and how connections are secured; see [`tls`](crate::tls).
    pub tls: Option<Arc<ServerConfig>>,
}

/// A SOP class that may be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageClass {
    /// Its UID, which a peer proposes as abstract syntax.
    pub sop_class_uid: String,
    /// The UIDs of the transfer syntaxes that are accepted, the preferred first.
    pub transfer_syntax_uids: Vec<String>,
}

/// For how long a listener waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenerDeadlines {
    /// For the TLS handshake, and then as long for the request.
    pub handshake: Duration,
    /// For a PDU of a message to arrive, or to be taken by the peer.
    pub pdu: Duration,
    /// For the next message.
    pub idle: Duration,
    /// For what is under way when the listener is shut down.
    pub shutdown: Duration,
}

impl Default for ListenerDeadlines {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            pdu: Duration::from_secs(30),
            idle: Duration::from_secs(120),
            shutdown: Duration::from_secs(10),
        }
    }
}

impl ListenerOptions {
    /// Options by which nothing can be stored yet, with the limits of a department.
    pub fn new(ae_title: impl Into<String>) -> Self {
        Self {
            ae_title: ae_title.into(),
            storage: Vec::new(),
            commitment_reports: false,
            max_associations: 128,
            max_associations_per_sender: 16,
            max_object_bytes: 64 << 20,
            max_pdu_length: 131_072,
            deadlines: ListenerDeadlines::default(),
            tls: None,
        }
    }

    /// The longest PDU within what is possible; no scanner takes less than 4 KiB.
    pub(crate) fn pdu_limit(&self) -> u32 {
        self.max_pdu_length.clamp(4_096, LONGEST_PDU)
    }
}
