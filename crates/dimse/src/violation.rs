//! What a peer may do against the protocol.

use dicom_ul::pdu::{AbortRQServiceProviderReason, AbortRQSource};
use snafu::Snafu;

/// What a peer did against the protocol. The association ends by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Snafu)]
#[snafu(visibility(pub(crate)))]
#[non_exhaustive]
pub enum Violation {
    /// A protocol data unit of a type that there is not (PS3.8, 9.3.1): other protocols start so.
    #[snafu(display("the peer does not speak DICOM"))]
    UnknownPdu,
    /// A protocol data unit that claims more than is taken.
    #[snafu(display("a PDU of the peer claims {length} bytes, and at most {limit} are taken"))]
    LongPdu {
        /// What it claims.
        length: u32,
        /// What was agreed on.
        limit: u32,
    },
    /// A protocol data unit whose inside does not add up.
    #[snafu(display("a PDU of the peer is malformed"))]
    MalformedPdu,
    /// A protocol data unit that has no place there (PS3.8, 9.2).
    #[snafu(display("the peer sent a PDU out of turn"))]
    UnexpectedPdu,
    /// A presentation context that was not accepted.
    #[snafu(display("the peer used a presentation context that was not accepted"))]
    UnknownContext,
    /// A fragment in another presentation context than the rest of its message.
    #[snafu(display("the peer changed the presentation context within a message"))]
    OtherContext,
    /// A fragment of a data set that no command announced.
    #[snafu(display("the peer sent data without a command"))]
    DataBeforeCommand,
    /// A command where a data set was announced.
    #[snafu(display("the peer sent a command before the data of the last one"))]
    CommandWithinData,
    /// A command that goes on and on.
    #[snafu(display("a command of the peer is too long"))]
    LongCommand,
    /// A command whose elements do not add up (PS3.7, 6.3), or that lacks what it needs.
    #[snafu(display("a command of the peer is malformed"))]
    MalformedCommand,
    /// A data set that goes on and on, where one of a few kilobytes is usual.
    #[snafu(display("a data set of the peer is too long"))]
    LongDataSet,
    /// A message that nothing can be answered to.
    #[snafu(display("the peer sent the message {field:#06x} out of turn"))]
    UnexpectedMessage {
        /// Command Field (0000,0100).
        field: u16,
    },
}

impl Violation {
    /// What the peer is told of it (PS3.8, 9.3.8).
    pub(crate) fn abort(self) -> AbortRQSource {
        use AbortRQServiceProviderReason as Reason;
        AbortRQSource::ServiceProvider(match self {
            Self::UnknownPdu => Reason::UnrecognizedPdu,
            Self::UnexpectedPdu => Reason::UnexpectedPdu,
            Self::LongPdu { .. } | Self::MalformedPdu => Reason::InvalidPduParameter,
            Self::UnknownContext | Self::OtherContext => Reason::InvalidPduParameter,
            Self::DataBeforeCommand | Self::CommandWithinData => Reason::UnexpectedPduParameter,
            _ => Reason::ReasonNotSpecified,
        })
    }
}
