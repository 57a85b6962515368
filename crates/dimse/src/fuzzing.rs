//! A door for the fuzzer: a command, a report, and all that a peer says on a connection.
#![doc(hidden)]

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex, split};
use tokio::runtime::Builder;
use tokio::sync::watch;

use crate::command::{CommandSet, element, field};
use crate::commitment::{self, CommitmentReport};
use crate::file::StoredFile;
use crate::fragment::{Fragments, P_DATA, PDU_HEADER};
use crate::provider::{
    AssociationId, ListenerOptions, ObjectHeader, Peer, Receiving, Refusal, StorageClass,
    StorageService, StoreStatus, TurnedAway,
};
use crate::provider::{Caller, Phase, Shared, host};
use crate::uid::is_uid;
use crate::{EXPLICIT_LITTLE_ENDIAN, IMPLICIT_LITTLE_ENDIAN};

/// Whether this is a command, which is then the same when it is written and read again.
pub fn command(bytes: &[u8]) -> bool {
    let Ok(command) = CommandSet::parse(bytes) else {
        return false;
    };
    let again = CommandSet::parse(&command.encode());
    assert!(again.is_ok_and(|again| again == command));
    let response = CommandSet::response(&command, 0);
    for uids in [Some(&command), response.as_ref()].into_iter().flatten() {
        let uids = [uids.sop_class(), uids.sop_instance()];
        assert!(uids.into_iter().flatten().all(is_uid));
    }
    true
}

/// Whether this is a report of storage commitment, whose instances can then be asked for. The first byte is the event
/// and the encoding.
pub fn report(bytes: &[u8]) -> bool {
    let Some((&first, bytes)) = bytes.split_first() else {
        return false;
    };
    let is_explicit = first & 0x80 != 0;
    let event = u16::from(first & 0x7F);
    let Some(report) = CommitmentReport::parse(event, bytes, is_explicit) else {
        return false;
    };
    let instances = report.committed.iter();
    let instances: Vec<_> = instances.map(|(c, i)| (c.as_str(), i.as_str())).collect();
    let asked = commitment::request(&report.transaction_uid, &instances, is_explicit);
    let again = CommitmentReport::parse(1, &asked, is_explicit);
    assert!(again.is_some_and(|again| again.committed == report.committed));
    true
}

/// Whether a peer that says all this, and then nothing more, had an association.
///
/// No more objects are answered with success than were finished.
pub fn association(bytes: &[u8]) -> bool {
    let mut builder = Builder::new_current_thread();
    let runtime = builder.enable_time().start_paused(true).build();
    runtime.is_ok_and(|runtime| runtime.block_on(converse(bytes)))
}

/// Says everything to a provider, and looks at what it answers.
async fn converse(bytes: &[u8]) -> bool {
    let (near, far) = duplex(1 << 16);
    let judge = Arc::new(Judge::default());
    let service: Arc<dyn StorageService> = Arc::<Judge>::clone(&judge);
    let shared = Shared::new(options(), service);
    let (_phases, phase) = watch::channel(Phase::Open);
    let caller = Caller {
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        certificate_sha256: None,
    };
    let (mut hear, mut say) = split(far);
    let say = async {
        let _ = say.write_all(bytes).await;
        let _ = say.shutdown().await;
    };
    let hear = async {
        let mut answers = Vec::new();
        let _ = hear.read_to_end(&mut answers).await;
        answers
    };
    let (answers, (), ()) = tokio::join!(hear, say, host(near, caller, &shared, phase));
    let finished = judge.finished.load(Ordering::Relaxed);
    assert!(successes(&answers) <= finished);
    let opened = judge.opened.load(Ordering::Relaxed);
    assert_eq!(opened, judge.closed.load(Ordering::Relaxed));
    opened > 0
}

/// How many objects were answered with success, in PDUs that hold a response each. What was said is whole PDUs.
fn successes(mut answers: &[u8]) -> usize {
    let mut count = 0;
    while let Some((header, rest)) = answers.split_first_chunk::<PDU_HEADER>() {
        let [kind, _, l0, l1, l2, l3] = *header;
        let length = usize::try_from(u32::from_be_bytes([l0, l1, l2, l3])).unwrap_or(usize::MAX);
        // A connection that ends while it is written to ends within a PDU.
        let Some((contents, rest)) = rest.split_at_checked(length) else {
            break;
        };
        answers = rest;
        for fragment in Fragments(contents).flatten().filter(|_| kind == P_DATA) {
            let Ok(command) = CommandSet::parse(fragment.bytes) else {
                continue;
            };
            let is_store = command.field() == Some(field::C_STORE | field::RESPONSE);
            let is_success = command.number(element::STATUS) == Some(0);
            count += usize::from(is_store && is_success);
        }
    }
    count
}

/// What the provider accepts.
fn options() -> ListenerOptions {
    let mut options = ListenerOptions::new("ATTRIUM");
    options.commitment_reports = true;
    options.max_object_bytes = 1_024;
    options.storage.push(StorageClass {
        sop_class_uid: "1.2.840.10008.5.1.4.1.1.20".to_owned(),
        transfer_syntax_uids: [EXPLICIT_LITTLE_ENDIAN, IMPLICIT_LITTLE_ENDIAN]
            .map(str::to_owned)
            .to_vec(),
    });
    options
}

/// A station that sees whether it is given what it was promised.
#[derive(Default)]
struct Judge {
    opened: AtomicUsize,
    closed: AtomicUsize,
    finished: Arc<AtomicUsize>,
}

/// An object on its way.
struct Taken {
    file: Vec<u8>,
    object: ObjectHeader,
    finished: Arc<AtomicUsize>,
}

#[async_trait]
impl StorageService for Judge {
    fn admit(&self, peer: &Peer) -> Result<(), Refusal> {
        let titles = [&peer.calling_ae_title, &peer.called_ae_title];
        assert!(titles.iter().all(|title| (1..=16).contains(&title.len())));
        Ok(())
    }

    async fn begin(
        &self,
        _: &Peer,
        _: AssociationId,
        object: &ObjectHeader,
    ) -> Result<Box<dyn Receiving>, StoreStatus> {
        assert!(is_uid(&object.sop_class_uid) && is_uid(&object.sop_instance_uid));
        Ok(Box::new(Taken {
            file: Vec::new(),
            object: object.clone(),
            finished: Arc::clone(&self.finished),
        }))
    }

    fn opened(&self, _: AssociationId, _: &Peer) {
        self.opened.fetch_add(1, Ordering::Relaxed);
    }

    fn closed(&self, _: AssociationId, _: crate::Closed) {
        self.closed.fetch_add(1, Ordering::Relaxed);
    }

    fn turned_away(&self, _: IpAddr, _: TurnedAway) {}
}

#[async_trait]
impl Receiving for Taken {
    async fn write(&mut self, bytes: &[u8]) -> Result<(), StoreStatus> {
        self.file.extend_from_slice(bytes);
        Ok(())
    }

    async fn finish(self: Box<Self>) -> StoreStatus {
        // An object without a byte is a head alone, and that is for the station to refuse.
        match StoredFile::read(&self.file) {
            Ok(file) => {
                assert_eq!(file.sop_instance_uid, self.object.sop_instance_uid);
                assert!(self.file.len() - file.data_set_offset <= 1_024);
                self.finished.fetch_add(1, Ordering::Relaxed);
                StoreStatus::Success
            }
            Err(_) => StoreStatus::CannotUnderstand,
        }
    }
}
