//! What a message asks for, while its data set arrives.

use super::{Receiving, StoreStatus};
use crate::command::CommandSet;
use crate::commitment::LONGEST_REPORT;

/// Status (0000,0900) of a report that was not taken (PS3.7, annex C): processing failure, and resource limitation.
pub(crate) const PROCESSING_FAILURE: u16 = 0x0110;
pub(crate) const RESOURCE_LIMITATION: u16 = 0x0213;

/// A request, and what is done with its data set.
pub(crate) struct Task {
    pub context: u8,
    pub request: CommandSet,
    pub work: Work,
}

/// What is done with a data set.
pub(crate) enum Work {
    /// It is dropped, and this is answered.
    Answer(u16),
    /// It is an object: this takes it, and that many bytes of it may still come.
    Store(Box<dyn Receiving>, u64),
    /// It is a report of storage commitment.
    Report(Vec<u8>),
}

impl Work {
    /// Takes more of the data set.
    ///
    /// A failure decides what will be answered. The rest is read all the same: the peer listens only when it has sent
    /// everything.
    pub(crate) async fn take(&mut self, bytes: &[u8]) {
        let failed = match self {
            Self::Answer(_) => None,
            Self::Store(receiving, room) => {
                match room.checked_sub(u64::try_from(bytes.len()).unwrap_or(u64::MAX)) {
                    None => Some(StoreStatus::CannotUnderstand.value()),
                    Some(rest) => {
                        *room = rest;
                        receiving.write(bytes).await.err().map(StoreStatus::value)
                    }
                }
            }
            Self::Report(report) if report.len() + bytes.len() > LONGEST_REPORT => {
                Some(RESOURCE_LIMITATION)
            }
            Self::Report(report) => {
                report.extend_from_slice(bytes);
                None
            }
        };
        if let Some(status) = failed {
            *self = Self::Answer(status);
        }
    }
}
