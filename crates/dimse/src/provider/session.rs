//! The messages of an association that was accepted, one after the other.

use std::time::Duration;

use dicom_ul::Pdu;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::timeout;

use super::association::{Phase, Shared};
use super::negotiation::Context;
use super::task::{PROCESSING_FAILURE, Task, Work};
use super::{AssociationId, Closed, ObjectHeader, Peer, StoreStatus};
use crate::command::{CommandSet, element, field};
use crate::commitment::CommitmentReport;
use crate::file;
use crate::fragment::{Fragments, PDU_HEADER, Part};
use crate::message::{Assembler, Event};
use crate::violation::Violation;
use crate::wire::{Broken, Received, Wire};
use crate::{EXPLICIT_LITTLE_ENDIAN, STORAGE_COMMITMENT, VERIFICATION};

/// Status (0000,0900) of an operation that is not provided (PS3.7, C.5.21).
const UNRECOGNIZED_OPERATION: u16 = 0x0211;

/// How long a peer may be silent between messages once the listener shuts down.
const GRACE: Duration = Duration::from_secs(1);

/// An association that was accepted.
pub(crate) struct Session<'a, S> {
    pub wire: Wire<S>,
    pub shared: &'a Shared,
    pub peer: &'a Peer,
    pub id: AssociationId,
    pub contexts: Vec<Context>,
    /// How much of a message a PDU to the peer holds.
    pub room: usize,
    pub assembler: Assembler,
    pub task: Option<Task>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<'_, S> {
    /// Answers messages until the association ends, and says how it did.
    pub(crate) async fn run(&mut self, phase: &mut watch::Receiver<Phase>) -> Closed {
        let mut buffer = Vec::new();
        loop {
            let step = match self.wait(phase).await {
                Ok(()) => self.step(&mut buffer).await,
                Err(closed) => return closed,
            };
            match step {
                Ok(None) => {}
                Ok(Some(closed)) => return closed,
                Err(Broken::Closed | Broken::Lost(_)) => return Closed::Lost,
                Err(Broken::Late) => return Closed::Late,
                Err(Broken::Violation(violation)) => return Closed::Violated(violation),
            }
        }
    }

    /// Waits for the next message; within one, the deadline of its PDU counts.
    async fn wait(&mut self, phase: &mut watch::Receiver<Phase>) -> Result<(), Closed> {
        if !self.assembler.is_between() {
            return Ok(());
        }
        let idle = self.shared.options.deadlines.idle;
        let first = tokio::select! {
            biased;
            first = timeout(idle, self.wire.peek()) => first.map_err(|_| Closed::Idle)?,
            () = Phase::Closing.reached(phase) => {
                let grace = timeout(GRACE.min(idle), self.wire.peek());
                grace.await.map_err(|_| Closed::ShutDown)?
            }
        };
        first.map(|_| ()).map_err(|_| Closed::Lost)
    }

    /// Receives a PDU and does what it says; gives how the association ended, where it did.
    async fn step(&mut self, buffer: &mut Vec<u8>) -> Result<Option<Closed>, Broken> {
        let options = &self.shared.options;
        let within = options.deadlines.pdu;
        let received = self.wire.receive(buffer, options.pdu_limit(), within);
        match received.await? {
            Received::Data => self.take(&buffer[PDU_HEADER..]).await?,
            Received::Pdu(Pdu::ReleaseRQ) if self.assembler.is_between() => {
                self.wire.send(&Pdu::ReleaseRP, within).await?;
                return Ok(Some(Closed::Released));
            }
            Received::Pdu(Pdu::AbortRQ { .. }) => return Ok(Some(Closed::Aborted)),
            Received::Pdu(_) => return Err(Violation::UnexpectedPdu.into()),
        }
        Ok(None)
    }

    /// Takes the fragments of a PDU.
    async fn take(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        for fragment in Fragments(bytes) {
            let is_last = match self.assembler.take(fragment?)? {
                None => false,
                Some(Event::Command { context, command }) => {
                    let is_last = !command.announces_data()?;
                    self.task = Some(self.begin(context, command).await?);
                    is_last
                }
                Some(Event::Data { bytes, is_last }) => {
                    if let Some(task) = &mut self.task {
                        task.work.take(bytes).await;
                    }
                    is_last
                }
            };
            if is_last && let Some(task) = self.task.take() {
                self.finish(task).await?;
            }
        }
        Ok(())
    }

    /// Sees what a command asks for.
    async fn begin(&mut self, context: u8, request: CommandSet) -> Result<Task, Violation> {
        let mut contexts = self.contexts.iter();
        let accepted = contexts.find(|accepted| accepted.id == context);
        let accepted = accepted.ok_or(Violation::UnknownContext)?;
        let field = request.field().ok_or(Violation::MalformedCommand)?;
        let class = accepted.abstract_syntax.as_str();
        let work = match field {
            field::C_ECHO if class == VERIFICATION => Work::Answer(0),
            field::N_EVENT_REPORT if class == STORAGE_COMMITMENT => Work::Report(Vec::new()),
            field::C_STORE if class != VERIFICATION && class != STORAGE_COMMITMENT => {
                match store(self.shared, self.peer, self.id, accepted, &request).await {
                    Ok(work) => work,
                    Err(status) => Work::Answer(status.value()),
                }
            }
            field::C_CANCEL => Work::Answer(0),
            field::C_ECHO | field::C_STORE | field::N_EVENT_REPORT | field::N_ACTION => {
                Work::Answer(UNRECOGNIZED_OPERATION)
            }
            field if field::OTHERS.contains(&field) => Work::Answer(UNRECOGNIZED_OPERATION),
            field => return Err(Violation::UnexpectedMessage { field }),
        };
        if field != field::C_CANCEL && request.number(element::MESSAGE_ID).is_none() {
            return Err(Violation::MalformedCommand);
        }
        Ok(Task {
            context,
            request,
            work,
        })
    }

    /// A message is complete: does what it asks for, and answers.
    async fn finish(&mut self, task: Task) -> Result<(), Broken> {
        if task.request.field() == Some(field::C_CANCEL) {
            return Ok(());
        }
        let status = match task.work {
            Work::Answer(status) => status,
            Work::Store(receiving, _) => receiving.finish().await.value(),
            Work::Report(bytes) => {
                let is_explicit = self.contexts.iter().any(|known| {
                    known.id == task.context && known.transfer_syntax == EXPLICIT_LITTLE_ENDIAN
                });
                report(self.shared, self.peer, is_explicit, &task.request, &bytes).await
            }
        };
        let response = CommandSet::response(&task.request, status);
        let response = response.ok_or(Violation::MalformedCommand)?.encode();
        let place = (task.context, Part::Command);
        let within = self.shared.options.deadlines.pdu;
        let sent = self.wire.send_part(place, &response, self.room, within);
        sent.await
    }
}

/// Begins to receive an object (PS3.7, 9.3.1): the head of its file is written before its data set comes.
async fn store(
    shared: &Shared,
    peer: &Peer,
    id: AssociationId,
    context: &Context,
    request: &CommandSet,
) -> Result<Work, StoreStatus> {
    let has_data = request.announces_data() == Ok(true);
    let instance = request.uid(element::AFFECTED_SOP_INSTANCE_UID);
    let class = request.uid(element::AFFECTED_SOP_CLASS_UID);
    let (Some(class), Some(instance), true) = (class, instance, has_data) else {
        return Err(StoreStatus::CannotUnderstand);
    };
    if class != context.abstract_syntax {
        return Err(StoreStatus::DoesNotMatchClass);
    }
    let object = ObjectHeader {
        sop_class_uid: class.to_owned(),
        sop_instance_uid: instance.to_owned(),
        transfer_syntax_uid: context.transfer_syntax.clone(),
    };
    let mut receiving = shared.service.begin(peer, id, &object).await?;
    let head = file::head(&object, &peer.calling_ae_title);
    receiving.write(&head).await?;
    Ok(Work::Store(receiving, shared.options.max_object_bytes))
}

/// Hands on a report of storage commitment; gives the status to answer.
async fn report(
    shared: &Shared,
    peer: &Peer,
    is_explicit: bool,
    request: &CommandSet,
    bytes: &[u8],
) -> u16 {
    let event = request.number(element::EVENT_TYPE_ID);
    let report = event.and_then(|event| CommitmentReport::parse(event, bytes, is_explicit));
    let is_taken = match report {
        Some(report) => shared.service.committed(peer, report).await,
        None => false,
    };
    if is_taken { 0 } else { PROCESSING_FAILURE }
}
