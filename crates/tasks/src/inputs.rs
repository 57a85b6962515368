//! What a task reads of its run: markers, and the files that they vouch for, whose digests are compared.
//!
//! A marker is read once, so that all that a task reads of another is of one attempt. No byte is given to a
//! task before the whole file has been compared, but for the head of a shard.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};
use snafu::{OptionExt, ensure};

use super::Summary;
use super::artefact_error::{
    ArtefactError, ChangedSnafu, EarlierSnafu, GoneSnafu, NotAMarkerSnafu, NotMadeSnafu,
    NotNamedSnafu, OutdatedSnafu,
};
use attrium_storage as storage;
use attrium_storage::{ObjectReader, Storage, Version};
use attrium_workflow::{MarkedFile, Marker, Plan, StageKind, TaskRef, TaskSpec, artefacts};

/// The largest marker that is read, in bytes: that of a screened shard names each activation map.
pub(super) const LARGEST_MARKER: u64 = 256 << 20;

/// A marker as it was read.
#[derive(Debug)]
pub(super) struct StoredMarker {
    pub marker: Marker,
    pub sha256: String,
    /// Which writing of the marker it was.
    pub version: Version,
}

impl StoredMarker {
    /// What the task has told, with the digest of its marker.
    pub(crate) fn summary(&self) -> Summary {
        Summary {
            marker: Some(self.sha256.clone()),
            ..self.marker.summary.clone()
        }
    }
}

/// A file and the marker that vouches for it.
#[derive(Clone, Debug)]
pub(super) struct Vouched {
    pub file: MarkedFile,
    /// The marker's place.
    pub marker: String,
}

/// Markers, and what they vouch for, as one task sees them.
pub(super) struct Inputs<'a> {
    store: Storage,
    plan: &'a Plan,
    /// The stage of the task; none where a finished run is read.
    stage: Option<StageKind>,
    markers: Mutex<BTreeMap<TaskRef, Option<Arc<StoredMarker>>>>,
}

impl<'a> Inputs<'a> {
    /// What a task may read, at the run's prefix.
    pub(crate) fn new(store: Storage, plan: &'a Plan, stage: Option<StageKind>) -> Self {
        Self {
            store,
            plan,
            stage,
            markers: Mutex::default(),
        }
    }

    /// The marker of a task that has ended well.
    ///
    /// # Errors
    /// The store's; it is no marker; another task that it was made of has been done anew since.
    pub(crate) fn marker(
        &self,
        task: &TaskSpec,
    ) -> Result<Option<Arc<StoredMarker>>, ArtefactError> {
        let markers = || self.markers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(read) = markers().get(&task.id) {
            return Ok(read.clone());
        }
        let read = read_marker(&self.store, task)?.map(Arc::new);
        if let Some(read) = &read
            && let Some(input) = self.outdated(&read.marker)?
        {
            let marker = place(&self.store, &task.marker)?;
            return OutdatedSnafu { marker, input }.fail();
        }
        markers().insert(task.id, read.clone());
        Ok(read)
    }

    /// The name of a marker that a marker was made of and that is not there any more as it was.
    pub(crate) fn outdated(&self, marker: &Marker) -> Result<Option<String>, ArtefactError> {
        for (input, sha256) in &marker.inputs {
            let task = self.plan.tasks().find(|task| task.marker == *input);
            let now = match task.map(|task| self.marker(task)) {
                None | Some(Err(ArtefactError::Outdated { .. })) => None,
                Some(now) => now?,
            };
            if now.is_none_or(|now| now.sha256 != *sha256) {
                return Ok(Some(input.clone()));
            }
        }
        Ok(None)
    }

    /// The digests of the markers of earlier stages that were read, by the markers' names.
    pub(crate) fn digests(&self) -> BTreeMap<String, String> {
        let markers = self.markers.lock().unwrap_or_else(PoisonError::into_inner);
        let read = markers.iter().filter_map(|(id, read)| {
            let task = self.plan.task(*id).filter(|task| self.is_earlier(task));
            Some((task?.marker.clone(), read.as_ref()?.sha256.clone()))
        });
        read.collect()
    }

    /// Reads an artefact of an earlier task.
    pub(crate) fn get(&self, name: &str, limit: u64) -> Result<Vec<u8>, ArtefactError> {
        let vouched = self.find(name)?.context(NotMadeSnafu { name })?;
        get(&self.store, &vouched, limit)
    }

    /// As [`Self::get`], but `None` where the task that makes it has not ended well.
    pub(crate) fn try_get(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, ArtefactError> {
        let vouched = self.find(name)?;
        vouched
            .map(|vouched| get(&self.store, &vouched, limit))
            .transpose()
    }

    /// Opens an artefact that may be too large to hold, after all of it has been compared.
    pub(crate) fn read(&self, name: &str) -> Result<ObjectReader, ArtefactError> {
        let vouched = self.find(name)?.context(NotMadeSnafu { name })?;
        until_sound(&self.store, || {
            let found = digest(open(&self.store, &vouched)?)?;
            ensure_same(&self.store, &vouched, &found)
        })?;
        open(&self.store, &vouched)
    }

    /// The first bytes of an artefact, not compared with anything; `None` where it is not there.
    pub(crate) fn head(&self, name: &str, bytes: u64) -> Result<Option<Vec<u8>>, ArtefactError> {
        let Some(vouched) = self.find(name)? else {
            return Ok(None);
        };
        let mut head = Vec::new();
        let whole = open(&self.store, &vouched)?;
        whole.take(bytes).read_to_end(&mut head).map_err(unread)?;
        Ok(Some(head))
    }

    /// The place of the marker that vouches for an artefact, for a message.
    pub(crate) fn marker_of(&self, name: &str) -> Result<String, ArtefactError> {
        let vouched = self.find(name)?.context(NotMadeSnafu { name })?;
        Ok(vouched.marker)
    }

    /// Finds an artefact by its name: in the marker of the task whose plan says that it writes it, or, of
    /// what only a task knows, in any marker of an earlier stage.
    fn find(&self, name: &str) -> Result<Option<Vouched>, ArtefactError> {
        let writes = |written: &String| {
            written == name || (written.ends_with('/') && name.starts_with(written))
        };
        let writer = self
            .plan
            .tasks()
            .find(|task| task.writes.iter().any(writes));
        if let Some(writer) = writer {
            let Some(read) = self.marker(writer)? else {
                return Ok(None);
            };
            let marker = place(&self.store, &writer.marker)?;
            let file = read.marker.file(name);
            let file = file.context(NotNamedSnafu {
                marker: &marker,
                name,
            })?;
            let file = file.clone();
            return Ok(Some(Vouched { file, marker }));
        }
        for task in self.plan.tasks().filter(|task| self.is_earlier(task)) {
            let read = self.marker(task)?;
            if let Some(file) = read.as_ref().and_then(|read| read.marker.file(name)) {
                let marker = place(&self.store, &task.marker)?;
                let file = file.clone();
                return Ok(Some(Vouched { file, marker }));
            }
        }
        Ok(None)
    }

    fn is_earlier(&self, task: &TaskSpec) -> bool {
        self.stage.is_none_or(|own| task.id.stage < own)
    }
}

/// Reads an artefact of a run that has ended; `None` where the task that makes it has not, or has made do
/// without it.
///
/// # Errors
/// The store's; a marker, or the artefact, is not as it was written.
pub fn read_artefact(
    store: &Storage,
    plan: &Plan,
    name: &str,
    limit: u64,
) -> Result<Option<Vec<u8>>, ArtefactError> {
    match Inputs::new(store.clone(), plan, None).try_get(name, limit) {
        Err(ArtefactError::NotNamed { .. }) => Ok(None),
        read => read,
    }
}

/// What the tasks of a stage of a run have told that have ended well.
///
/// # Errors
/// The store's; a marker is not as it was written.
pub fn read_summaries(
    store: &Storage,
    plan: &Plan,
    stage: StageKind,
) -> Result<Vec<Summary>, ArtefactError> {
    let inputs = Inputs::new(store.clone(), plan, None);
    let tasks = plan.tasks().filter(|task| task.id.stage == stage);
    let read = tasks.map(|task| Ok(inputs.marker(task)?.map(|marker| marker.summary())));
    read.filter_map(Result::transpose).collect()
}

/// Reads a marker and makes sure that all of its files are of the attempt that it names.
///
/// # Errors
/// The store's; it is no marker, or one of an earlier attrium.
pub(super) fn read_marker(
    store: &Storage,
    task: &TaskSpec,
) -> Result<Option<StoredMarker>, ArtefactError> {
    until_sound(store, || read_marker_once(store, task))
}

fn read_marker_once(
    store: &Storage,
    task: &TaskSpec,
) -> Result<Option<StoredMarker>, ArtefactError> {
    let (bytes, version) = match store.get_version(&task.marker, LARGEST_MARKER) {
        Err(storage::Error::NotFound { .. }) => return Ok(None),
        read => read?,
    };
    let place = place(store, &task.marker)?;
    let Ok(marker) = serde_json::from_slice::<Marker>(&bytes) else {
        let is_earlier = serde_json::from_slice::<Summary>(&bytes).is_ok();
        ensure!(!is_earlier, EarlierSnafu { marker: place });
        return NotAMarkerSnafu { marker: place }.fail();
    };
    let folder = artefacts::attempt(task.id, &marker.attempt);
    let is_own = |file: &MarkedFile| file.path.strip_prefix(&folder) == Some(file.name.as_str());
    let sound = !marker.attempt.contains('/') && marker.files.iter().all(is_own);
    ensure!(sound, NotAMarkerSnafu { marker: place });
    Ok(Some(StoredMarker {
        marker,
        sha256: hex::encode(Sha256::digest(&bytes)),
        version,
    }))
}

/// The bytes of a file, if they are those that its marker vouches for.
pub(super) fn get(
    store: &Storage,
    vouched: &Vouched,
    limit: u64,
) -> Result<Vec<u8>, ArtefactError> {
    until_sound(store, || get_once(store, vouched, limit))
}

/// Reads a few times before it says that something is not as it was written: an answer that was cut short
/// on its way may be taken for that.
pub(super) fn until_sound<T>(
    store: &Storage,
    read: impl FnMut() -> Result<T, ArtefactError>,
) -> Result<T, ArtefactError> {
    store.read_until_believed(read, |error| {
        matches!(
            error,
            ArtefactError::NotAMarker { .. } | ArtefactError::Changed { .. }
        )
    })
}

fn get_once(store: &Storage, vouched: &Vouched, limit: u64) -> Result<Vec<u8>, ArtefactError> {
    let bytes = match store.get(&vouched.file.path, limit) {
        Err(storage::Error::NotFound { uri }) => return gone(uri, vouched),
        bytes => bytes?,
    };
    ensure_same(store, vouched, &hex::encode(Sha256::digest(&bytes)))?;
    Ok(bytes)
}

/// Opens a file that a marker vouches for; its bytes are not compared.
pub(super) fn open(store: &Storage, vouched: &Vouched) -> Result<ObjectReader, ArtefactError> {
    match store.read(&vouched.file.path) {
        Err(storage::Error::NotFound { uri }) => gone(uri, vouched),
        opened => Ok(opened?),
    }
}

fn gone<T>(uri: String, vouched: &Vouched) -> Result<T, ArtefactError> {
    let marker = &vouched.marker;
    GoneSnafu { uri, marker }.fail()
}

/// Refuses a file of another digest than its marker has.
pub(super) fn ensure_same(
    store: &Storage,
    vouched: &Vouched,
    sha256: &str,
) -> Result<(), ArtefactError> {
    let Vouched { file, marker } = vouched;
    let uri = place(store, &file.path)?;
    ensure!(file.sha256 == sha256, ChangedSnafu { uri, marker });
    Ok(())
}

/// The digest of an object, of which a few megabytes are in memory at a time.
pub(super) fn digest(mut object: impl Read) -> Result<String, ArtefactError> {
    let mut digest = Sha256::new();
    let mut piece = vec![0; 1 << 16];
    loop {
        match object.read(&mut piece).map_err(unread)? {
            0 => return Ok(hex::encode(digest.finalize())),
            read => digest.update(&piece[..read]),
        }
    }
}

/// What a store says in the middle of an object, which comes as an error of input.
pub(super) fn unread(error: std::io::Error) -> ArtefactError {
    let told = error.downcast::<storage::Error>();
    match told {
        Ok(source) => ArtefactError::Store { source },
        Err(error) => ArtefactError::Broken { source: error },
    }
}

/// The place of a key, for a message.
pub(super) fn place(store: &Storage, key: &str) -> Result<String, ArtefactError> {
    Ok(store.uri_of(key)?)
}
