//! Listing a prefix, a page at a time.

use std::fmt;

use futures::{StreamExt, stream::BoxStream};
use object_store::{ObjectStore, path::Path};

use super::{Error, key, runtime};

/// An object of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectMeta {
    /// Its key below the listed prefix.
    pub key: String,
    /// Its size in bytes.
    pub size: u64,
}

/// The objects below a prefix, in no particular order; at most a page (about a thousand) of them
/// is in memory.
///
/// Hidden objects (a part of the key begins with a dot), what an interrupted put left behind, and
/// the empty object that stands for the prefix itself in some buckets are left out. A file whose
/// name is not a key (it is not UTF-8, for example) is an [`Error::InvalidKey`], after which the list
/// goes on. Any other error ends it, such as [`Error::UnlistableKey`] of a bucket, whose objects come
/// in pages: one such key costs its page, and with it the place where the next page begins.
pub struct List {
    prefix: Path,
    uri: String,
    is_folder: bool,
    /// The rest of the list; `None` once it has ended.
    objects: Option<BoxStream<'static, object_store::Result<object_store::ObjectMeta>>>,
}

impl List {
    pub(super) fn new(store: &dyn ObjectStore, prefix: Path, uri: String, is_folder: bool) -> Self {
        // Not in the context of a runtime, in which a local store's walk would end at the first error.
        let objects = store.list(Some(&prefix));
        Self {
            prefix,
            uri,
            is_folder,
            objects: Some(objects),
        }
    }

    fn meta(&self, object: &object_store::ObjectMeta) -> Option<ObjectMeta> {
        let key = key::below(&self.prefix, &object.location)?;
        (!key::is_hidden(key)).then(|| ObjectMeta {
            key: key.to_owned(),
            size: object.size,
        })
    }
}

impl Iterator for List {
    type Item = Result<ObjectMeta, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let next = runtime::block_on(self.objects.as_mut()?.next());
            let error = match next {
                Ok(Some(Ok(object))) => match self.meta(&object) {
                    Some(meta) => return Some(Ok(meta)),
                    None => continue,
                },
                Ok(None) => None,
                Ok(Some(Err(error))) => match Error::at(self.uri.clone(), error) {
                    error @ Error::InvalidKey { .. } if self.is_folder => return Some(Err(error)),
                    Error::InvalidKey { uri } => Some(Error::UnlistableKey { uri }),
                    error => Some(error),
                },
                Err(error) => Some(error),
            };
            self.objects = None;
            return error.map(Err);
        }
    }
}

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("List")
            .field("uri", &self.uri)
            .finish_non_exhaustive()
    }
}
