//! One connection: from its first byte to the last.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use dicom_ul::Pdu;
use dicom_ul::pdu::{AbortRQServiceProviderReason, AbortRQSource, AssociationRQ};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use super::negotiation::{Agreement, negotiate, screen};
use super::seats::{Seat, Seats};
use super::session::Session;
use super::{AssociationId, Closed, ListenerOptions, Peer, Refusal, StorageService, TurnedAway};
use crate::message::Assembler;
use crate::violation::Violation;
use crate::wire::{Broken, Received, Wire};

/// What all connections of a listener share.
pub(crate) struct Shared {
    pub options: ListenerOptions,
    pub service: Arc<dyn StorageService>,
    pub seats: Arc<Seats>,
}

/// How far a listener's shutdown is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub(crate) enum Phase {
    /// It listens.
    Open,
    /// What is under way may end.
    Closing,
    /// Nothing may be under way any longer.
    Over,
}

impl Phase {
    /// Waits until the shutdown is that far.
    pub(crate) async fn reached(self, phase: &mut watch::Receiver<Self>) {
        // It fails where the listener is gone, and that is as far as it gets.
        let _ = phase.wait_for(|phase| *phase >= self).await;
    }
}

/// What is known of a peer before it says anything.
pub(crate) struct Caller {
    pub address: IpAddr,
    pub certificate_sha256: Option<String>,
}

impl Shared {
    pub(crate) fn new(options: ListenerOptions, service: Arc<dyn StorageService>) -> Self {
        let most_of_one = options.max_associations_per_sender;
        let seats = Arc::new(Seats::new(options.max_associations, most_of_one));
        Self {
            options,
            service,
            seats,
        }
    }
}

/// Negotiates an association on a stream, and serves it until it ends.
pub(crate) async fn host<S>(
    stream: S,
    caller: Caller,
    shared: &Shared,
    mut phase: watch::Receiver<Phase>,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let service = &shared.service;
    let mut wire = Wire::new(stream);
    let request = match request(&mut wire, shared, &mut phase).await {
        Ok(request) => request,
        Err(why) => {
            service.turned_away(caller.address, why);
            return dismiss(wire, why).await;
        }
    };
    let peer = Peer {
        address: caller.address,
        calling_ae_title: request.calling_ae_title.clone(),
        called_ae_title: request.called_ae_title.clone(),
        certificate_sha256: caller.certificate_sha256,
    };
    let (seat, agreement) = match accept(&peer, request, shared) {
        Ok(accepted) => accepted,
        Err(why) => {
            service.turned_away(peer.address, why);
            return dismiss(wire, why).await;
        }
    };
    converse(wire, &peer, agreement, shared, seat, phase).await;
}

/// Receives the request for an association.
async fn request<S: AsyncRead + AsyncWrite + Unpin>(
    wire: &mut Wire<S>,
    shared: &Shared,
    phase: &mut watch::Receiver<Phase>,
) -> Result<AssociationRQ, TurnedAway> {
    let mut buffer = Vec::new();
    let within = shared.options.deadlines.handshake;
    let received = tokio::select! {
        biased;
        // A connection is given up where the first PDU is one of data: nothing was agreed on.
        received = wire.receive(&mut buffer, 0, within) => received,
        () = Phase::Closing.reached(phase) => return Err(TurnedAway::ShutDown),
    };
    match received {
        Ok(Received::Pdu(Pdu::AssociationRQ(request))) => Ok(request),
        Ok(_) => Err(TurnedAway::Noise(Violation::UnexpectedPdu)),
        Err(Broken::Late) => Err(TurnedAway::Late),
        Err(Broken::Closed | Broken::Lost(_)) => Err(TurnedAway::Closed),
        Err(Broken::Violation(violation)) => Err(TurnedAway::Noise(violation)),
    }
}

/// Whether the peer may have an association, and which.
///
/// Whoever may never have one is told so before limits are looked at, which are for now.
fn accept(
    peer: &Peer,
    request: AssociationRQ,
    shared: &Shared,
) -> Result<(Seat, Agreement), TurnedAway> {
    screen(&request).map_err(TurnedAway::Refused)?;
    let admitted = shared.service.admit(peer);
    admitted.map_err(TurnedAway::Refused)?;
    if peer.called_ae_title != shared.options.ae_title.trim() {
        return Err(TurnedAway::Refused(Refusal::UnknownCalledAeTitle));
    }
    let agreement = negotiate(request, &shared.options).map_err(TurnedAway::Noise)?;
    let seat = shared.seats.take(&peer.calling_ae_title);
    Ok((seat.map_err(TurnedAway::Refused)?, agreement))
}

/// Tells a peer why it has no association, where it can be told.
async fn dismiss<S: AsyncRead + AsyncWrite + Unpin>(wire: Wire<S>, why: TurnedAway) {
    match why {
        TurnedAway::Refused(refusal) => wire.reject(refusal.reject()).await,
        TurnedAway::Noise(violation) => wire.abort(violation.abort()).await,
        TurnedAway::ShutDown => wire.reject(Refusal::Congested.reject()).await,
        _ => {}
    }
}

/// Accepts the association, serves it, and takes leave as its end demands.
async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    wire: Wire<S>,
    peer: &Peer,
    agreement: Agreement,
    shared: &Shared,
    seat: Seat,
    mut phase: watch::Receiver<Phase>,
) {
    let mut session = Session {
        wire,
        shared,
        peer,
        id: next_id(),
        contexts: agreement.contexts,
        room: agreement.room,
        assembler: Assembler::default(),
        task: None,
    };
    let mut open = Open::new(session.id, peer, shared);
    let within = shared.options.deadlines.pdu;
    let answer = Pdu::AssociationAC(agreement.answer);
    let mut until_over = phase.clone();
    open.how = match session.wire.send(&answer, within).await {
        Err(_) => Closed::Lost,
        Ok(()) => tokio::select! {
            biased;
            how = session.run(&mut phase) => how,
            () = Phase::Over.reached(&mut until_over) => Closed::ShutDown,
        },
    };
    let Session { wire, task, .. } = session;
    // What takes an object that did not arrive goes before the association counts as ended.
    drop(task);
    let how = open.how;
    drop((open, seat));
    leave(wire, how).await;
}

/// Ends the connection of an association.
async fn leave<S: AsyncRead + AsyncWrite + Unpin>(wire: Wire<S>, how: Closed) {
    match how {
        Closed::Released | Closed::Aborted => wire.close().await,
        Closed::Violated(violation) => wire.abort(violation.abort()).await,
        Closed::Idle | Closed::Late | Closed::ShutDown => {
            let reason = AbortRQServiceProviderReason::ReasonNotSpecified;
            wire.abort(AbortRQSource::ServiceProvider(reason)).await;
        }
        Closed::Lost | Closed::Failed => {}
    }
}

/// The number of the next association.
fn next_id() -> AssociationId {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    AssociationId(NEXT.fetch_add(1, Ordering::Relaxed))
}

/// An association that the service knows of; its end is told however it comes.
struct Open<'a> {
    id: AssociationId,
    shared: &'a Shared,
    how: Closed,
}

impl<'a> Open<'a> {
    fn new(id: AssociationId, peer: &Peer, shared: &'a Shared) -> Self {
        shared.service.opened(id, peer);
        Self {
            id,
            shared,
            how: Closed::Failed,
        }
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.shared.service.closed(self.id, self.how);
    }
}
