//! Who sends, and what is announced.

use std::fmt;
use std::net::IpAddr;

use crate::uid::Hidden;

/// Who is at the other end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Where the connection comes from.
    pub address: IpAddr,
    /// What the peer calls itself (PS3.8, 9.3.2).
    pub calling_ae_title: String,
    /// Whom it calls.
    pub called_ae_title: String,
    /// `sha256:` and the digest of the peer's certificate (DER) in hexadecimal, where it gave one over TLS.
    pub certificate_sha256: Option<String>,
}

/// An association's number, unique within the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AssociationId(pub u64);

/// What a C-STORE request says of its object (PS3.7, 9.3.1.1). Its identifiers are valid: digits and dots.
#[derive(Clone, PartialEq, Eq)]
pub struct ObjectHeader {
    /// Affected SOP Class UID (0000,0002), which is that of the presentation context.
    pub sop_class_uid: String,
    /// Affected SOP Instance UID (0000,1000). Whether the data set says the same is for the receiver to see.
    pub sop_instance_uid: String,
    /// The transfer syntax that was agreed on.
    pub transfer_syntax_uid: String,
}

impl fmt::Debug for ObjectHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectHeader")
            .field("sop_class_uid", &self.sop_class_uid)
            .field("sop_instance_uid", &Hidden)
            .field("transfer_syntax_uid", &self.transfer_syntax_uid)
            .finish()
    }
}
