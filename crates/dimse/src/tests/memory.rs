//! A station that keeps objects in memory, and tells what happened to it.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use attrium_dimse::{
    AssociationId, Closed, CommitmentReport, Destination, DestinationDeadlines, ListenerDeadlines,
    ListenerOptions, ObjectHeader, Peer, Receiving, Refusal, StorageClass, StorageService,
    StoreStatus, TurnedAway, serve,
};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(crate) const NM: &str = "1.2.840.10008.5.1.4.1.1.20";
pub(crate) const SC: &str = "1.2.840.10008.5.1.4.1.1.7";
pub(crate) const IMPLICIT: &str = "1.2.840.10008.1.2";
pub(crate) const EXPLICIT: &str = "1.2.840.10008.1.2.1";

/// An object that was finished.
#[derive(Clone)]
pub(crate) struct Kept {
    pub peer: Peer,
    pub object: ObjectHeader,
    pub file: Vec<u8>,
}

/// What happened.
#[derive(Default)]
pub(crate) struct Log {
    pub kept: Vec<Kept>,
    pub dropped: usize,
    pub opened: Vec<Peer>,
    pub closed: Vec<Closed>,
    pub turned_away: Vec<TurnedAway>,
    pub reports: Vec<CommitmentReport>,
}

/// How the station behaves.
#[derive(Clone, Copy, Default)]
pub(crate) struct Behaviour {
    pub begin: Option<StoreStatus>,
    pub write: Option<StoreStatus>,
    pub finish: Option<StoreStatus>,
    pub finish_after: Duration,
    pub takes_reports: bool,
    pub panics: bool,
}

#[derive(Default)]
pub(crate) struct Memory {
    log: Mutex<Log>,
    behaviour: Mutex<Behaviour>,
}

impl Memory {
    pub(crate) fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().expect("the log")
    }

    pub(crate) fn behave(&self, behaviour: Behaviour) {
        *self.behaviour.lock().expect("the behaviour") = behaviour;
    }

    fn behaviour(&self) -> Behaviour {
        *self.behaviour.lock().expect("the behaviour")
    }

    /// Waits until the log says so.
    pub(crate) async fn until(&self, what: &str, is_so: impl Fn(&Log) -> bool) {
        let within = tokio::time::Instant::now() + Duration::from_secs(20);
        while !is_so(&self.log()) {
            assert!(tokio::time::Instant::now() < within, "never came: {what}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

struct Taking {
    memory: Arc<Memory>,
    kept: Option<Kept>,
}

impl Drop for Taking {
    fn drop(&mut self) {
        if self.kept.is_some() {
            self.memory.log().dropped += 1;
        }
    }
}

#[async_trait]
impl Receiving for Taking {
    async fn write(&mut self, bytes: &[u8]) -> Result<(), StoreStatus> {
        if let Some(status) = self.memory.behaviour().write {
            return Err(status);
        }
        self.kept
            .as_mut()
            .expect("not finished")
            .file
            .extend_from_slice(bytes);
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> StoreStatus {
        let behaviour = self.memory.behaviour();
        tokio::time::sleep(behaviour.finish_after).await;
        let status = behaviour.finish.unwrap_or(StoreStatus::Success);
        let kept = self.kept.take().expect("not finished");
        if status == StoreStatus::Success {
            self.memory.log().kept.push(kept);
        }
        status
    }
}

/// A newtype, since the service needs a handle to itself.
pub(crate) struct Service(pub Arc<Memory>);

#[async_trait]
impl StorageService for Service {
    fn admit(&self, peer: &Peer) -> Result<(), Refusal> {
        match peer.calling_ae_title.as_str() {
            "STRANGER" => Err(Refusal::UnknownCallingAeTitle),
            "ELSEWHERE" => Err(Refusal::NotAuthorized),
            "BUSY" => Err(Refusal::Congested),
            _ => Ok(()),
        }
    }

    async fn begin(
        &self,
        peer: &Peer,
        _: AssociationId,
        object: &ObjectHeader,
    ) -> Result<Box<dyn Receiving>, StoreStatus> {
        let behaviour = self.0.behaviour();
        assert!(!behaviour.panics, "as it was told");
        if let Some(status) = behaviour.begin {
            return Err(status);
        }
        let kept = Some(Kept {
            peer: peer.clone(),
            object: object.clone(),
            file: Vec::new(),
        });
        let memory = Arc::clone(&self.0);
        Ok(Box::new(Taking { memory, kept }))
    }

    fn opened(&self, _: AssociationId, peer: &Peer) {
        self.0.log().opened.push(peer.clone());
    }

    fn closed(&self, _: AssociationId, how: Closed) {
        self.0.log().closed.push(how);
    }

    fn turned_away(&self, _: IpAddr, why: TurnedAway) {
        self.0.log().turned_away.push(why);
    }

    async fn committed(&self, _: &Peer, report: CommitmentReport) -> bool {
        self.0.log().reports.push(report);
        self.0.behaviour().takes_reports
    }
}

/// A listener that runs.
pub(crate) struct Station {
    pub memory: Arc<Memory>,
    pub address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Station {
    pub(crate) async fn start(options: ListenerOptions) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let memory = Arc::new(Memory::default());
        let (stop, stopped) = oneshot::channel::<()>();
        let service = Arc::new(Service(Arc::clone(&memory)));
        let shutdown = async {
            let _ = stopped.await;
        };
        let task = tokio::spawn(serve(listener, options, service, shutdown));
        Self {
            memory,
            address,
            stop: Some(stop),
            task,
        }
    }

    /// Asks the listener to end; what comes back is true when it has.
    pub(crate) fn stop(mut self) -> (Arc<Memory>, impl Future<Output = ()>) {
        drop(self.stop.take());
        let task = self.task;
        (self.memory, async { task.await.expect("the listener") })
    }

    pub(crate) fn destination(&self, calling: &str) -> Destination {
        Destination {
            host: self.address.ip().to_string(),
            port: self.address.port(),
            called_ae_title: "ATTRIUM".into(),
            calling_ae_title: calling.into(),
            tls: None,
            deadlines: DestinationDeadlines {
                connect: Duration::from_secs(10),
                pdu: Duration::from_secs(10),
                response: Duration::from_secs(10),
            },
        }
    }
}

/// What tests accept: bone scans and pictures, and short deadlines for who is silent.
pub(crate) fn options() -> ListenerOptions {
    let class = |uid: &str| StorageClass {
        sop_class_uid: uid.into(),
        transfer_syntax_uids: vec![EXPLICIT.into(), IMPLICIT.into()],
    };
    let mut options = ListenerOptions::new("ATTRIUM");
    options.storage = vec![class(NM), class(SC)];
    options.max_associations_per_sender = 128;
    options.deadlines = ListenerDeadlines {
        handshake: Duration::from_secs(10),
        pdu: Duration::from_secs(10),
        idle: Duration::from_secs(20),
        shutdown: Duration::from_secs(5),
    };
    options
}
