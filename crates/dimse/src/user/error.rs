//! What went wrong with a destination, by what can be done about it.

use std::io;

use dicom_ul::pdu::{AssociationRJ, AssociationRJResult, AssociationRJSource};
use snafu::Snafu;

use crate::violation::Violation;
use crate::wire::Broken;

/// What went wrong with a destination, or with one object.
///
/// It never holds an identifier, or a value of a data set.
#[derive(Debug, Snafu)]
#[snafu(visibility(pub(super)))]
#[non_exhaustive]
pub enum Error {
    /// There is no connection.
    #[snafu(display("{host}:{port} cannot be reached"))]
    Unreachable {
        /// Its name or address.
        host: String,
        /// Its port.
        port: u16,
        /// What the network said.
        source: io::Error,
    },
    /// There is no secure connection: no TLS there, or a certificate that one of the two does not take.
    #[snafu(display("{host}:{port} and this side did not agree on TLS"))]
    Tls {
        /// Its name or address.
        host: String,
        /// Its port.
        port: u16,
        /// What TLS said.
        source: io::Error,
    },
    /// The destination cannot be asked for at all.
    #[snafu(display("the destination cannot be used: {reason}"))]
    Unusable {
        /// Why.
        reason: &'static str,
    },
    /// The association was rejected for good (PS3.8, 9.3.4): asking again is of no use until somebody acts.
    #[snafu(display("the peer rejects the association for good: {reason}"))]
    PermanentReject {
        /// What it said.
        reason: String,
    },
    /// The association was rejected for now.
    #[snafu(display("the peer rejects the association for now: {reason}"))]
    TransientReject {
        /// What it said.
        reason: String,
    },
    /// The peer accepted no presentation context for an object, or for what was asked.
    #[snafu(display("the peer takes no such object in that transfer syntax"))]
    NoContext,
    /// An object, or a request, cannot be sent to anyone.
    #[snafu(display("it cannot be sent: {reason}"))]
    NotSendable {
        /// Why.
        reason: &'static str,
    },
    /// The peer aborted the association.
    #[snafu(display("the peer aborted the association"))]
    Aborted,
    /// The connection was closed or failed.
    #[snafu(display("the connection to the peer was lost"))]
    Lost {
        /// What the network said; none where the peer closed it.
        source: io::Error,
    },
    /// A deadline passed.
    #[snafu(display("the peer took too long {to}"))]
    Late {
        /// To do what.
        to: &'static str,
    },
    /// The peer did what the protocol forbids.
    #[snafu(display("the peer does not keep to the protocol"))]
    Protocol {
        /// What it did.
        source: Violation,
    },
}

impl From<Violation> for Error {
    fn from(source: Violation) -> Self {
        Self::Protocol { source }
    }
}

impl Error {
    /// Whether the same may succeed later, without anybody acting.
    pub fn is_transient(&self) -> bool {
        !self.stops_destination() && !self.is_of_object()
    }

    /// Whether nothing can be sent to the destination until somebody acts.
    pub fn stops_destination(&self) -> bool {
        matches!(self, Self::Unusable { .. } | Self::PermanentReject { .. })
    }

    /// Whether it is only this object, or this request, that will never be taken.
    pub fn is_of_object(&self) -> bool {
        matches!(self, Self::NoContext | Self::NotSendable { .. })
    }

    /// What a wire's failure is while waiting for something.
    pub(super) fn of(broken: Broken, to: &'static str) -> Self {
        match broken {
            Broken::Closed => Self::Lost {
                source: io::ErrorKind::UnexpectedEof.into(),
            },
            Broken::Lost(source) => Self::Lost { source },
            Broken::Late => Self::Late { to },
            Broken::Violation(source) => Self::Protocol { source },
        }
    }

    /// What a rejection is.
    pub(super) fn of_reject(reject: &AssociationRJ) -> Self {
        let by = match reject.source {
            AssociationRJSource::ServiceUser(_) => "its application",
            AssociationRJSource::ServiceProviderASCE(_) => "its protocol",
            AssociationRJSource::ServiceProviderPresentation(_) => "its presentation layer",
        };
        let reason = format!("{} ({by})", reject.source);
        match reject.result {
            AssociationRJResult::Permanent => Self::PermanentReject { reason },
            AssociationRJResult::Transient => Self::TransientReject { reason },
        }
    }
}
