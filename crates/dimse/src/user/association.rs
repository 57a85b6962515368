//! An association with a destination: its request, its messages and its release.

use std::collections::VecDeque;
use std::fmt;

use dicom_ul::Pdu;
use dicom_ul::pdu::{
    AbortRQSource, AssociationAC, AssociationRQ, PresentationContextProposed,
    PresentationContextResultReason, UserVariableItem,
};
use snafu::{OptionExt, ensure};
use tokio::time::{Instant, timeout_at};

use super::Destination;
use super::connect::{Stream, connect};
use super::destination::DestinationDeadlines;
use super::error::{
    AbortedSnafu, Error, LateSnafu, NoContextSnafu, NotSendableSnafu, UnusableSnafu,
};
use crate::command::{CommandSet, element, field};
use crate::commitment::{CommitmentReport, LONGEST_REPORT};
use crate::fragment::{Fragments, P_DATA, PDU_HEADER, Part, room};
use crate::message::{Assembler, Event};
use crate::uid::{is_uid, trimmed};
use crate::violation::Violation;
use crate::wire::{Broken, Received, Wire};
use crate::{APPLICATION_CONTEXT, IMPLEMENTATION_CLASS, IMPLEMENTATION_VERSION, VERIFICATION};

/// The longest PDU that the peer may send: it sends responses and reports.
const MAX_PDU_LENGTH: u32 = 65_536;

/// How many presentation contexts an association has (PS3.8, 9.3.2.2): odd numbers of one byte.
const MOST_CONTEXTS: usize = 128;

/// A presentation context that the peer accepted.
#[derive(Clone)]
pub(super) struct Context {
    pub id: u8,
    pub abstract_syntax: String,
    pub transfer_syntax: String,
}

/// An association with a destination.
///
/// After an error that is not [of an object](Error::is_of_object) it cannot be used any longer. Whoever drops it
/// without [`release`](Self::release) resets the connection.
pub struct Association {
    wire: Wire<Box<dyn Stream>>,
    pub(super) deadlines: DestinationDeadlines,
    pub(super) contexts: Vec<Context>,
    room: usize,
    assembler: Assembler,
    buffer: Vec<u8>,
    last_message: u16,
    /// The message whose data set is arriving.
    arriving: Option<Message>,
    /// Messages that have arrived, and were not yet looked at.
    arrived: VecDeque<Message>,
    /// Reports that came while something else was waited for.
    pub(super) reports: VecDeque<CommitmentReport>,
}

/// A message of the peer.
pub(super) struct Message {
    pub context: u8,
    pub command: CommandSet,
    pub data: Vec<u8>,
}

impl fmt::Debug for Association {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Association")
            .field("contexts", &self.contexts.len())
            .finish_non_exhaustive()
    }
}

impl Association {
    /// Connects to a destination and requests an association for SOP classes in transfer syntaxes (PS3.8, 7.1).
    ///
    /// Each pair has a context of its own, so that an object goes in the transfer syntax that it has.
    ///
    /// # Errors
    /// [`Error::PermanentReject`], [`Error::TransientReject`], and what becomes of connections.
    pub async fn request(
        destination: &Destination,
        contexts: &[(&str, &[&str])],
    ) -> Result<Self, Error> {
        let proposed = propose(contexts)?;
        let request = ask(destination, proposed.clone())?;
        let mut wire = Wire::new(connect(destination).await?);
        let deadlines = destination.deadlines;
        let to = "to answer the request of an association";
        let broken = |broken| Error::of(broken, to);
        let request = Pdu::AssociationRQ(request);
        let sent = wire.send(&request, deadlines.pdu);
        sent.await.map_err(broken)?;
        let mut buffer = Vec::new();
        let answer = wire.receive(&mut buffer, 0, deadlines.connect);
        let answer = match answer.await.map_err(broken)? {
            Received::Pdu(Pdu::AssociationAC(answer)) => answer,
            Received::Pdu(Pdu::AssociationRJ(reject)) => return Err(Error::of_reject(&reject)),
            Received::Pdu(Pdu::AbortRQ { .. }) => return AbortedSnafu.fail(),
            _ => return Err(Violation::UnexpectedPdu.into()),
        };
        Ok(Self {
            wire,
            deadlines,
            contexts: accepted(&answer, &proposed),
            room: room(&answer.user_variables),
            assembler: Assembler::default(),
            buffer,
            last_message: 0,
            arriving: None,
            arrived: VecDeque::new(),
            reports: VecDeque::new(),
        })
    }

    /// Whether the peer accepted a SOP class in a transfer syntax.
    pub fn accepts(&self, sop_class: &str, transfer_syntax: &str) -> bool {
        let mut contexts = self.contexts.iter();
        contexts.any(|c| c.abstract_syntax == sop_class && c.transfer_syntax == transfer_syntax)
    }

    /// Asks whether the peer is there (C-ECHO, PS3.7 9.3.5); gives the status that it answers.
    ///
    /// # Errors
    /// [`Error::NoContext`] where [`VERIFICATION`] was not proposed or not accepted, and what becomes of connections.
    pub async fn echo(&mut self) -> Result<u16, Error> {
        let mut contexts = self.contexts.iter();
        let context = contexts.find(|context| context.abstract_syntax == VERIFICATION);
        let context = context.context(NoContextSnafu)?.id;
        let request =
            CommandSet::new(field::C_ECHO).with_text(element::AFFECTED_SOP_CLASS_UID, VERIFICATION);
        self.call(context, request, None).await
    }

    /// Ends the association as it should be (PS3.8, 7.2).
    ///
    /// # Errors
    /// What becomes of connections. What was answered before stays answered.
    pub async fn release(mut self) -> Result<(), Error> {
        let to = "to release the association";
        let broken = |broken| Error::of(broken, to);
        let sent = self.wire.send(&Pdu::ReleaseRQ, self.deadlines.pdu);
        sent.await.map_err(broken)?;
        let until = Instant::now() + self.deadlines.response;
        let released = timeout_at(until, async {
            loop {
                let wait = self.deadlines.response;
                let received = self.wire.receive(&mut self.buffer, MAX_PDU_LENGTH, wait);
                match received.await.map_err(broken)? {
                    Received::Pdu(Pdu::ReleaseRP) => return Ok(()),
                    Received::Pdu(Pdu::AbortRQ { .. }) => return AbortedSnafu.fail(),
                    // Both may ask at once (PS3.8, 7.2.2), and a report may be on its way.
                    Received::Pdu(Pdu::ReleaseRQ) => {
                        let sent = self.wire.send(&Pdu::ReleaseRP, self.deadlines.pdu);
                        sent.await.map_err(broken)?;
                    }
                    Received::Data => {}
                    Received::Pdu(_) => return Err(Violation::UnexpectedPdu.into()),
                }
            }
        });
        released.await.ok().context(LateSnafu { to })??;
        self.wire.close().await;
        Ok(())
    }

    /// Ends the association at once (PS3.8, 7.3).
    pub async fn abort(self) {
        self.wire.abort(AbortRQSource::ServiceUser).await;
    }

    /// Sends a request and waits for its response; gives the response's status.
    pub(super) async fn call(
        &mut self,
        context: u8,
        request: CommandSet,
        data: Option<&[u8]>,
    ) -> Result<u16, Error> {
        self.last_message = self.last_message.wrapping_add(1);
        let id = self.last_message;
        let expected = request.field().map(|field| field | field::RESPONSE);
        let request = request.with_number(element::MESSAGE_ID, id);
        match data {
            Some(data) => {
                self.send(context, Part::Command, &request.with_data_set().encode())
                    .await?;
                self.send(context, Part::Data, data).await?;
            }
            None => self.send(context, Part::Command, &request.encode()).await?,
        }
        let until = Instant::now() + self.deadlines.response;
        loop {
            let to = "to answer a message";
            let message = self.next(until, to).await?;
            let command = &message.command;
            if command.field() == Some(field::N_EVENT_REPORT) {
                self.take_report(&message).await?;
                continue;
            }
            let answered = command.number(element::MESSAGE_ID_BEING_RESPONDED_TO);
            if command.field() != expected || answered != Some(id) {
                let field = command.field().unwrap_or_default();
                return Err(Violation::UnexpectedMessage { field }.into());
            }
            let status = command.number(element::STATUS);
            return status.ok_or_else(|| Violation::MalformedCommand.into());
        }
    }

    /// Sends a part of a message.
    pub(super) async fn send(
        &mut self,
        context: u8,
        part: Part,
        bytes: &[u8],
    ) -> Result<(), Error> {
        let within = self.deadlines.pdu;
        let sent = self
            .wire
            .send_part((context, part), bytes, self.room, within);
        sent.await
            .map_err(|broken| Error::of(broken, "to take a message"))
    }

    /// The next message of the peer, complete with its data set.
    pub(super) async fn next(
        &mut self,
        until: Instant,
        to: &'static str,
    ) -> Result<Message, Error> {
        loop {
            if let Some(message) = self.arrived.pop_front() {
                return Ok(message);
            }
            let within = until.saturating_duration_since(Instant::now());
            let received = self.wire.receive(&mut self.buffer, MAX_PDU_LENGTH, within);
            match received.await.map_err(|broken| Error::of(broken, to))? {
                Received::Data => self.gather()?,
                Received::Pdu(Pdu::AbortRQ { .. }) => return AbortedSnafu.fail(),
                Received::Pdu(_) => return Err(Violation::UnexpectedPdu.into()),
            }
        }
    }

    /// Whether the peer says something by then, which is no release and no end of the connection.
    pub(super) async fn is_next_by(&mut self, until: Instant) -> Result<bool, Error> {
        if !self.arrived.is_empty() {
            return Ok(true);
        }
        match timeout_at(until, self.wire.peek()).await {
            Err(_) | Ok(Err(Broken::Closed)) => Ok(false),
            Ok(Ok(kind)) => Ok(kind == P_DATA),
            Ok(Err(broken)) => Err(Error::of(broken, "to send a report")),
        }
    }

    /// Puts the fragments of the PDU in the buffer to the messages that they are of.
    fn gather(&mut self) -> Result<(), Violation> {
        for fragment in Fragments(&self.buffer[PDU_HEADER..]) {
            let is_last = match self.assembler.take(fragment?)? {
                None => false,
                Some(Event::Command { context, command }) => {
                    let is_last = !command.announces_data()?;
                    let data = Vec::new();
                    self.arriving = Some(Message {
                        context,
                        command,
                        data,
                    });
                    is_last
                }
                Some(Event::Data { bytes, is_last }) => {
                    if let Some(message) = &mut self.arriving {
                        if message.data.len() + bytes.len() > LONGEST_REPORT {
                            return Err(Violation::LongDataSet);
                        }
                        message.data.extend_from_slice(bytes);
                    }
                    is_last
                }
            };
            if is_last {
                self.arrived.extend(self.arriving.take());
            }
        }
        Ok(())
    }
}

/// A context for each pair of a SOP class and a transfer syntax (PS3.8, 9.3.2.2).
fn propose(contexts: &[(&str, &[&str])]) -> Result<Vec<PresentationContextProposed>, Error> {
    let pairs = contexts
        .iter()
        .flat_map(|(class, syntaxes)| syntaxes.iter().map(move |syntax| (*class, *syntax)));
    let pairs: Vec<_> = pairs.collect();
    let reason = "an association has between 1 and 128 presentation contexts";
    let fits = (1..=MOST_CONTEXTS).contains(&pairs.len());
    ensure!(fits, NotSendableSnafu { reason });
    let reason = "a SOP class or transfer syntax is no valid identifier";
    let are_uids = pairs.iter().all(|(c, s)| is_uid(c) && is_uid(s));
    ensure!(are_uids, NotSendableSnafu { reason });
    let ids = (1..=u8::MAX).step_by(2);
    let proposed = ids
        .zip(pairs)
        .map(|(id, (class, syntax))| PresentationContextProposed {
            id,
            abstract_syntax: class.to_owned(),
            transfer_syntaxes: vec![syntax.to_owned()],
        });
    Ok(proposed.collect())
}

/// The request of an association.
fn ask(
    destination: &Destination,
    presentation_contexts: Vec<PresentationContextProposed>,
) -> Result<AssociationRQ, Error> {
    let is_title = |title: &str| {
        let is_printable = |byte| matches!(byte, b' '..=b'~') && byte != b'\\';
        !title.trim().is_empty() && title.len() <= 16 && title.bytes().all(is_printable)
    };
    let (calling, called) = (
        destination.calling_ae_title.as_str(),
        destination.called_ae_title.as_str(),
    );
    let reason = "an AE title has 1 to 16 printable characters";
    ensure!(
        is_title(calling) && is_title(called),
        UnusableSnafu { reason }
    );
    Ok(AssociationRQ {
        protocol_version: 1,
        calling_ae_title: calling.to_owned(),
        called_ae_title: called.to_owned(),
        application_context_name: APPLICATION_CONTEXT.to_owned(),
        presentation_contexts,
        user_variables: vec![
            UserVariableItem::MaxLength(MAX_PDU_LENGTH),
            UserVariableItem::ImplementationClassUID(IMPLEMENTATION_CLASS.to_owned()),
            UserVariableItem::ImplementationVersionName(IMPLEMENTATION_VERSION.to_owned()),
        ],
    })
}

/// The contexts that were proposed and accepted, in the transfer syntax that was proposed.
fn accepted(answer: &AssociationAC, proposed: &[PresentationContextProposed]) -> Vec<Context> {
    let accepted = answer.presentation_contexts.iter().filter_map(|result| {
        let proposed = proposed.iter().find(|proposed| proposed.id == result.id)?;
        let syntax = trimmed(&result.transfer_syntax);
        let is_accepted = result.reason == PresentationContextResultReason::Acceptance
            && proposed.transfer_syntaxes.iter().any(|own| own == syntax);
        is_accepted.then(|| Context {
            id: result.id,
            abstract_syntax: proposed.abstract_syntax.clone(),
            transfer_syntax: syntax.to_owned(),
        })
    });
    accepted.collect()
}
