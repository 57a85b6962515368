//! Asks a peer to keep what it was sent, and hears what it says of it (PS3.4, annex J).

use std::time::Duration;

use dicom_dictionary_std::uids::STORAGE_COMMITMENT_PUSH_MODEL_INSTANCE;
use snafu::{OptionExt, ensure};
use tokio::time::Instant;

use super::Association;
use super::association::Message;
use super::error::{Error, NoContextSnafu, NotSendableSnafu};
use crate::command::{CommandSet, element, field};
use crate::commitment::{self, CommitmentReport};
use crate::fragment::Part;
use crate::uid::is_uid;
use crate::violation::Violation;
use crate::{EXPLICIT_LITTLE_ENDIAN, STORAGE_COMMITMENT};

/// Action Type ID (0000,1008) of a request for storage commitment (PS3.4, J.3.2.1).
const REQUEST_COMMITMENT: u16 = 1;

/// Status (0000,0900) of a report that cannot be read: processing failure (PS3.7, C.5.22).
const PROCESSING_FAILURE: u16 = 0x0110;

impl Association {
    /// Requests storage commitment for objects (N-ACTION, PS3.4 J.3.2); gives the status that the peer answers, by
    /// which it has taken the request and no more.
    ///
    /// What becomes of it is reported on this association, by [`receive_commitment`](Self::receive_commitment), or on
    /// one that the peer requests later.
    ///
    /// # Errors
    /// [`Error::NoContext`] where [`STORAGE_COMMITMENT`] was not proposed or not accepted, [`Error::NotSendable`]
    /// where something has no valid identifier, and what becomes of connections.
    pub async fn request_commitment(
        &mut self,
        transaction_uid: &str,
        instances: &[(&str, &str)],
    ) -> Result<u16, Error> {
        let are_uids = instances.iter().all(|(c, i)| is_uid(c) && is_uid(i));
        let reason = "a request for storage commitment needs instances with valid identifiers";
        let is_valid = is_uid(transaction_uid) && are_uids && !instances.is_empty();
        ensure!(is_valid, NotSendableSnafu { reason });
        let mut contexts = self.contexts.iter();
        let context = contexts.find(|context| context.abstract_syntax == STORAGE_COMMITMENT);
        let context = context.context(NoContextSnafu)?.clone();
        let is_explicit = context.transfer_syntax == EXPLICIT_LITTLE_ENDIAN;
        let data = commitment::request(transaction_uid, instances, is_explicit);
        let instance = STORAGE_COMMITMENT_PUSH_MODEL_INSTANCE;
        let request = CommandSet::new(field::N_ACTION)
            .with_text(element::REQUESTED_SOP_CLASS_UID, STORAGE_COMMITMENT)
            .with_text(element::REQUESTED_SOP_INSTANCE_UID, instance)
            .with_number(element::ACTION_TYPE_ID, REQUEST_COMMITMENT);
        self.call(context.id, request, Some(&data)).await
    }

    /// Waits for a report of storage commitment on this association, and answers it (PS3.4, J.3.3); none where there
    /// is none in that time, or the peer releases or leaves the association first: then it reports on another.
    ///
    /// # Errors
    /// What becomes of connections.
    pub async fn receive_commitment(
        &mut self,
        within: Duration,
    ) -> Result<Option<CommitmentReport>, Error> {
        let until = Instant::now() + within;
        loop {
            if let Some(report) = self.reports.pop_front() {
                return Ok(Some(report));
            }
            if !self.is_next_by(until).await? {
                return Ok(None);
            }
            let until = Instant::now() + self.deadlines.response;
            let message = self.next(until, "to send a report").await?;
            let field = message.command.field().unwrap_or_default();
            if field != field::N_EVENT_REPORT {
                return Err(Violation::UnexpectedMessage { field }.into());
            }
            self.take_report(&message).await?;
        }
    }

    /// Keeps a report for whoever asks for it, and answers it.
    pub(super) async fn take_report(&mut self, message: &Message) -> Result<(), Error> {
        let context = self.contexts.iter().find(|c| c.id == message.context);
        let context = context.ok_or(Violation::UnknownContext)?;
        let is_explicit = context.transfer_syntax == EXPLICIT_LITTLE_ENDIAN;
        let event = message.command.number(element::EVENT_TYPE_ID);
        let report = event
            .filter(|_| context.abstract_syntax == STORAGE_COMMITMENT)
            .and_then(|event| CommitmentReport::parse(event, &message.data, is_explicit));
        let status = if report.is_some() {
            0
        } else {
            PROCESSING_FAILURE
        };
        self.reports.extend(report);
        let response = CommandSet::response(&message.command, status);
        let response = response.ok_or(Violation::MalformedCommand)?.encode();
        self.send(message.context, Part::Command, &response).await
    }
}
