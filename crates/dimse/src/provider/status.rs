//! What a peer is answered, and what became of it.

use dicom_ul::pdu::{
    AssociationRJ, AssociationRJResult, AssociationRJServiceProviderASCEReason,
    AssociationRJServiceProviderPresentationReason, AssociationRJServiceUserReason,
    AssociationRJSource,
};

use crate::violation::Violation;

/// Why an association is rejected (PS3.8, 9.3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// Permanent, 1/1/3: nobody of that name may send.
    UnknownCallingAeTitle,
    /// Permanent, 1/1/7: nobody of that name listens.
    UnknownCalledAeTitle,
    /// Permanent, 1/1/1: the name may send, but not from there, or not with that certificate.
    NotAuthorized,
    /// Permanent, 1/1/2: another application context than DICOM's.
    UnknownApplicationContext,
    /// Permanent, 1/2/2: another version of the protocol.
    UnknownProtocolVersion,
    /// Transient, 2/3/2: as many associations as there may be.
    LimitReached,
    /// Transient, 2/3/1: nothing can be taken at the moment.
    Congested,
}

impl Refusal {
    /// Whether the peer may try again later.
    pub fn is_transient(self) -> bool {
        matches!(self, Self::LimitReached | Self::Congested)
    }

    /// The PDU that says so.
    pub(crate) fn reject(self) -> AssociationRJ {
        use AssociationRJServiceProviderPresentationReason as Presentation;
        use AssociationRJServiceUserReason as User;
        let result = match self.is_transient() {
            true => AssociationRJResult::Transient,
            false => AssociationRJResult::Permanent,
        };
        let user = AssociationRJSource::ServiceUser;
        let presentation = AssociationRJSource::ServiceProviderPresentation;
        let source = match self {
            Self::UnknownCallingAeTitle => user(User::CallingAETitleNotRecognized),
            Self::UnknownCalledAeTitle => user(User::CalledAETitleNotRecognized),
            Self::NotAuthorized => user(User::NoReasonGiven),
            Self::UnknownApplicationContext => user(User::ApplicationContextNameNotSupported),
            Self::UnknownProtocolVersion => AssociationRJSource::ServiceProviderASCE(
                AssociationRJServiceProviderASCEReason::ProtocolVersionNotSupported,
            ),
            Self::LimitReached => presentation(Presentation::LocalLimitExceeded),
            Self::Congested => presentation(Presentation::TemporaryCongestion),
        };
        AssociationRJ { result, source }
    }
}

/// What a C-STORE request is answered (PS3.4, B.2.3 and PS3.7, 9.1.1.1.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StoreStatus {
    /// 0000: kept.
    Success,
    /// A700: there is no room, or it could not be made to last. The sender may try again.
    OutOfResources,
    /// A900: the data set is not what the command says.
    DoesNotMatchClass,
    /// C000: the object cannot be taken as it is.
    CannotUnderstand,
    /// 0124: the sender may not store that.
    Refused,
}

impl StoreStatus {
    /// Status (0000,0900).
    pub fn value(self) -> u16 {
        match self {
            Self::Success => 0x0000,
            Self::OutOfResources => 0xA700,
            Self::DoesNotMatchClass => 0xA900,
            Self::CannotUnderstand => 0xC000,
            Self::Refused => 0x0124,
        }
    }
}

/// How an association ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// The peer released it (PS3.8, 7.2).
    Released,
    /// The peer aborted it.
    Aborted,
    /// The connection was closed or failed.
    Lost,
    /// The peer was silent between messages for too long.
    Idle,
    /// The peer was too slow with a PDU, or with taking one.
    Late,
    /// The peer did what the protocol forbids.
    Violated(Violation),
    /// The listener was shut down.
    ShutDown,
    /// The service failed in a way of its own: its code panicked.
    Failed,
}

/// Why a connection never became an association.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TurnedAway {
    /// There were too many connections; it was closed at once.
    TooManyConnections,
    /// No TLS handshake came about: another protocol, no certificate or a wrong one.
    Tls,
    /// The handshake or the request was not there in time: silence, or a slow drip.
    Late,
    /// The peer closed the connection without a request, as a check of the port does.
    Closed,
    /// What came was no request for an association.
    Noise(Violation),
    /// It was rejected.
    Refused(Refusal),
    /// The listener was shut down before.
    ShutDown,
}

#[cfg(test)]
mod tests {
    use dicom_ul::{Pdu, write_pdu};

    use super::*;

    #[test]
    fn refusals_have_the_numbers_of_the_standard() {
        let numbers = |refusal: Refusal| {
            let mut bytes = Vec::new();
            write_pdu(&mut bytes, &Pdu::AssociationRJ(refusal.reject())).unwrap();
            <[u8; 3]>::try_from(&bytes[7..10]).unwrap()
        };
        assert_eq!(numbers(Refusal::UnknownCallingAeTitle), [1, 1, 3]);
        assert_eq!(numbers(Refusal::UnknownCalledAeTitle), [1, 1, 7]);
        assert_eq!(numbers(Refusal::NotAuthorized), [1, 1, 1]);
        assert_eq!(numbers(Refusal::UnknownApplicationContext), [1, 1, 2]);
        assert_eq!(numbers(Refusal::UnknownProtocolVersion), [1, 2, 2]);
        assert_eq!(numbers(Refusal::LimitReached), [2, 3, 2]);
        assert_eq!(numbers(Refusal::Congested), [2, 3, 1]);
    }
}
