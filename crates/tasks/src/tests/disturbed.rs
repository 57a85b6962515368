//! A store that pauses, or fails from then on, at its n-th write.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures::stream::{BoxStream, StreamExt};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

type Act = Box<dyn FnOnce() + Send>;

/// What happens at a write.
struct Disturbance {
    writes: AtomicUsize,
    at: usize,
    act: Mutex<Option<Act>>,
    kills: bool,
    dead: AtomicBool,
}

/// A store in memory, disturbed for one of those who use it.
#[derive(Clone)]
pub(super) struct Disturbed {
    store: Arc<InMemory>,
    disturbance: Arc<Disturbance>,
}

impl Disturbed {
    /// Does something before the n-th write, from 1, which waits for it.
    pub(super) fn paused(
        store: Arc<InMemory>,
        at: usize,
        act: impl FnOnce() + Send + 'static,
    ) -> Self {
        Self::new(store, at, Box::new(act), false)
    }

    /// Fails from the n-th write on.
    pub(super) fn killed(store: Arc<InMemory>, at: usize) -> Self {
        Self::new(store, at, Box::new(|| {}), true)
    }

    fn new(store: Arc<InMemory>, at: usize, act: Act, kills: bool) -> Self {
        let disturbance = Disturbance {
            writes: AtomicUsize::new(0),
            at,
            act: Mutex::new(Some(act)),
            kills,
            dead: AtomicBool::new(false),
        };
        Self {
            store,
            disturbance: Arc::new(disturbance),
        }
    }

    /// Whether the n-th write was reached.
    pub(super) fn was_disturbed(&self) -> bool {
        self.disturbance.writes.load(Ordering::SeqCst) >= self.disturbance.at
    }

    fn write(&self) -> Result<()> {
        let Disturbance {
            writes,
            at,
            act,
            kills,
            dead,
        } = &*self.disturbance;
        if writes.fetch_add(1, Ordering::SeqCst) + 1 == *at {
            let act = act.lock().unwrap().take().unwrap();
            // On a thread of its own, since this one drives a store already.
            std::thread::spawn(act).join().unwrap();
            dead.store(*kills, Ordering::SeqCst);
        }
        if dead.load(Ordering::SeqCst) {
            return Err(Error::Generic {
                store: "disturbed",
                source: "killed".into(),
            });
        }
        Ok(())
    }
}

impl fmt::Debug for Disturbed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Disturbed")
    }
}

impl fmt::Display for Disturbed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Disturbed")
    }
}

#[async_trait::async_trait]
impl ObjectStore for Disturbed {
    async fn put_opts(&self, at: &Path, bytes: PutPayload, how: PutOptions) -> Result<PutResult> {
        self.write()?;
        self.store.put_opts(at, bytes, how).await
    }

    async fn put_multipart_opts(
        &self,
        at: &Path,
        how: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.write()?;
        self.store.put_multipart_opts(at, how).await
    }

    async fn get_opts(&self, at: &Path, how: GetOptions) -> Result<GetResult> {
        self.store.get_opts(at, how).await
    }

    fn delete_stream(
        &self,
        at: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        match self.write() {
            Ok(()) => self.store.delete_stream(at),
            Err(error) => futures::stream::iter([Err(error)]).boxed(),
        }
    }

    fn list(&self, below: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.store.list(below)
    }

    async fn list_with_delimiter(&self, below: Option<&Path>) -> Result<ListResult> {
        self.store.list_with_delimiter(below).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, how: CopyOptions) -> Result<()> {
        self.write()?;
        self.store.copy_opts(from, to, how).await
    }
}
