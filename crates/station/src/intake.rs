//! What arrives: who may send, and objects onto the disk before they are acknowledged.
//!
//! Never: screening, the index, or anything else that a sender would wait for.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use tokio::sync::mpsc::Sender;
use tokio::task::spawn_blocking;

use crate::admission::{Caller, Senders, Stranger};
use crate::clock;
use crate::shared::{Counters, Shared};
use attrium_api::OtherObjects;
use attrium_dimse::{
    AssociationId, Closed, ObjectHeader, Peer, Receiving, Refusal, StorageService, StoreStatus,
    TurnedAway,
};
use attrium_spool::{Incoming, ObjectFile};
use attrium_types::text::causes;

/// An object that was kept.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    /// Its file.
    pub file: ObjectFile,
    /// Who sent it; none of an object that was found when the station started.
    pub sender: Option<String>,
    /// What it came by.
    pub association: Option<AssociationId>,
}

/// What a scanner speaks to.
pub(crate) struct Intake {
    pub shared: Arc<Shared>,
    pub senders: Senders,
    pub kept: Sender<Kept>,
}

#[async_trait]
impl StorageService for Intake {
    fn admit(&self, peer: &Peer) -> Result<(), Refusal> {
        let caller = Caller {
            ae_title: &peer.calling_ae_title,
            address: peer.address,
            certificate: peer.certificate_sha256.as_deref(),
        };
        if let Err(stranger) = self.senders.admit(&caller) {
            Counters::add(&self.shared.counters.strangers);
            tracing::warn!("{}", stranger.sentence(&caller));
            self.remember(&caller, stranger.word());
            return Err(match stranger {
                Stranger::AeTitle => Refusal::UnknownCallingAeTitle,
                Stranger::Address | Stranger::Certificate => Refusal::NotAuthorized,
            });
        }
        self.shared.spool.accepts().map_err(|error| {
            tracing::error!("Nothing is taken in: {}", causes(&error));
            Refusal::Congested
        })
    }

    async fn begin(
        &self,
        peer: &Peer,
        association: AssociationId,
        object: &ObjectHeader,
    ) -> Result<Box<dyn Receiving>, StoreStatus> {
        if !is_nuclear_medicine(&object.sop_class_uid) {
            return match self.shared.manifest.spec.listener.other_objects {
                OtherObjects::Discard => Ok(Box::new(Discarded(self.shared.clone()))),
                OtherObjects::Refuse => Err(StoreStatus::Refused),
            };
        }
        let spool = self.shared.spool.clone();
        let receive = move || spool.accepts().and_then(|()| spool.receive());
        let incoming = match spawn_blocking(receive).await {
            Ok(Ok(incoming)) => incoming,
            Ok(Err(error)) => {
                tracing::error!("Nothing is taken in: {}", causes(&error));
                Counters::add(&self.shared.counters.refused);
                return Err(StoreStatus::OutOfResources);
            }
            Err(_) => return Err(StoreStatus::OutOfResources),
        };
        Ok(Box::new(Arriving {
            shared: self.shared.clone(),
            kept: self.kept.clone(),
            incoming: Some(incoming),
            head: Vec::new(),
            header: object.clone(),
            sender: peer.calling_ae_title.clone(),
            association,
        }))
    }

    fn opened(&self, association: AssociationId, _: &Peer) {
        self.shared.associations.open(association);
    }

    fn closed(&self, association: AssociationId, _: Closed) {
        self.shared.associations.close(association);
    }

    fn turned_away(&self, _: IpAddr, _: TurnedAway) {
        Counters::add(&self.shared.counters.noise);
    }
}

impl Intake {
    /// Keeps who called for the page; the caller does not wait for that.
    fn remember(&self, caller: &Caller<'_>, reason: &'static str) {
        let shared = self.shared.clone();
        let ae_title: String = caller.ae_title.chars().take(16).collect();
        let address = caller.address.to_string();
        spawn_blocking(move || {
            let at = clock::now();
            let written = shared
                .index
                .write(|session| session.add_stranger(&ae_title, &address, reason, at));
            if let Err(error) = written {
                tracing::error!("A stranger is not written down: {}", causes(&error));
            }
        });
    }
}

/// Nuclear Medicine Image Storage, and the retired class before it (PS3.4, B.5; PS3.6, A).
pub(crate) const NUCLEAR_MEDICINE: [&str; 2] =
    ["1.2.840.10008.5.1.4.1.1.20", "1.2.840.10008.5.1.4.1.1.5"];

fn is_nuclear_medicine(class: &str) -> bool {
    NUCLEAR_MEDICINE.contains(&class)
}

/// An object that is acknowledged and not kept.
struct Discarded(Arc<Shared>);

#[async_trait]
impl Receiving for Discarded {
    async fn write(&mut self, _: &[u8]) -> Result<(), StoreStatus> {
        Ok(())
    }

    async fn finish(self: Box<Self>) -> StoreStatus {
        Counters::add(&self.0.counters.discarded);
        StoreStatus::Success
    }
}

/// How much of an object's beginning is looked at before it is acknowledged: file meta information, and the data set
/// up to its SOP Instance UID.
const HEAD: usize = 16 << 10;

/// An object while it arrives.
struct Arriving {
    shared: Arc<Shared>,
    kept: Sender<Kept>,
    incoming: Option<Incoming>,
    head: Vec<u8>,
    header: ObjectHeader,
    sender: String,
    association: AssociationId,
}

#[async_trait]
impl Receiving for Arriving {
    async fn write(&mut self, bytes: &[u8]) -> Result<(), StoreStatus> {
        let wanted = HEAD.saturating_sub(self.head.len()).min(bytes.len());
        self.head.extend_from_slice(&bytes[..wanted]);
        let Some(incoming) = &mut self.incoming else {
            return Err(StoreStatus::OutOfResources);
        };
        incoming.write(bytes).map_err(|error| {
            tracing::error!("An object is not taken in: {}", causes(&error));
            Counters::add(&self.shared.counters.refused);
            StoreStatus::OutOfResources
        })
    }

    async fn finish(mut self: Box<Self>) -> StoreStatus {
        if !says_the_same(&self.head, &self.header) {
            Counters::add(&self.shared.counters.refused);
            return StoreStatus::DoesNotMatchClass;
        }
        let Some(incoming) = self.incoming.take() else {
            return StoreStatus::OutOfResources;
        };
        match spawn_blocking(move || incoming.keep()).await {
            Ok(Ok(file)) => {
                self.announce(file);
                StoreStatus::Success
            }
            Ok(Err(error)) => {
                tracing::error!(
                    "An object is not kept, and was not acknowledged: {}",
                    causes(&error)
                );
                Counters::add(&self.shared.counters.refused);
                StoreStatus::OutOfResources
            }
            Err(_) => StoreStatus::OutOfResources,
        }
    }
}

impl Arriving {
    /// Tells whoever screens; where they lag far behind, they look for themselves.
    fn announce(&self, file: ObjectFile) {
        let counters = &self.shared.counters;
        Counters::add(&counters.kept);
        let now = u64::try_from(clock::now()).unwrap_or_default();
        counters.last_object.store(now, Ordering::Relaxed);
        let kept = Kept {
            file,
            sender: Some(self.sender.clone()),
            association: Some(self.association),
        };
        if self.kept.try_send(kept).is_err() {
            counters.rescan.store(true, Ordering::SeqCst);
        }
    }
}

/// Whether a data set has the class and the instance that its command has said; one that begins otherwise than with
/// them, or lacks them, does not.
fn says_the_same(head: &[u8], header: &ObjectHeader) -> bool {
    let Some(said) = attrium_evidence::instance_of(head) else {
        return false;
    };
    said.sop_class_uid == header.sop_class_uid && said.sop_instance_uid == header.sop_instance_uid
}
