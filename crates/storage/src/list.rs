//! Listing a prefix, a page at a time.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use futures::{StreamExt, stream::BoxStream};
use object_store::ListResult;
use object_store::list::{PaginatedListOptions, PaginatedListStore};

use super::answer::ImpossibleKeys;
use super::walk::Walk;
use super::{Error, Storage, key, runtime};

/// An object of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectMeta {
    /// Its key below the listed prefix.
    pub key: String,
    /// Its size in bytes.
    pub size: u64,
    /// The tag of its content, where the store gives one.
    pub e_tag: Option<String>,
}

/// What a listing has found.
#[derive(Debug)]
pub enum Listed {
    /// An object.
    Object(ObjectMeta),
    /// Something that is there and cannot be had.
    Unreadable(UnreadableObject),
}

impl Listed {
    /// Its key below the listed prefix, or what stands for one.
    pub fn name(&self) -> &str {
        match self {
            Self::Object(object) => &object.key,
            Self::Unreadable(object) => &object.name,
        }
    }
}

/// Something below a prefix that is there and cannot be had.
#[derive(Debug)]
pub struct UnreadableObject {
    /// Its name below the prefix; bytes that are not UTF-8 are written as `\xF6`.
    pub name: String,
    /// Why: [`Error::of_one_object`] has a word for it.
    pub error: Error,
}

/// What is below a prefix, in no particular order; at most a page (about a thousand objects) of it
/// is in memory.
///
/// Hidden objects (a part of the key begins with a dot), what stands for a folder in a bucket, and
/// what an interrupted put left behind are left out. What has a name that is no key (one with an empty,
/// `.` or `..` part, a control character, or not in UTF-8) and a link to nothing or in a circle are
/// [`Listed::Unreadable`], and the list goes on. An error ends it.
pub struct List {
    storage: Storage,
    /// The rest of the list; `None` once it has ended.
    rest: Option<Rest>,
}

enum Rest {
    Folder(Box<Walk>),
    Bucket(Pages),
    /// A store in memory.
    Stream(BoxStream<'static, object_store::Result<object_store::ObjectMeta>>),
}

/// The pages of a bucket.
struct Pages {
    store: Arc<dyn PaginatedListStore>,
    /// What is left of the last page that was read.
    listed: VecDeque<Listed>,
    /// The token of the next page; `None` of the last one.
    next: Option<Option<String>>,
}

impl List {
    pub(super) fn new(storage: Storage) -> Self {
        let rest = if storage.is_folder() {
            Rest::Folder(Box::new(Walk::new(storage.clone())))
        } else if let Some(store) = &storage.pages {
            Rest::Bucket(Pages {
                store: Arc::clone(store),
                listed: VecDeque::new(),
                next: Some(None),
            })
        } else {
            Rest::Stream(storage.store.list(Some(&storage.prefix)))
        };
        Self {
            storage,
            rest: Some(rest),
        }
    }
}

impl Pages {
    fn next(&mut self, storage: &Storage) -> Option<Result<Listed, Error>> {
        loop {
            if let Some(listed) = self.listed.pop_front() {
                return Some(Ok(listed));
            }
            let token = self.next.take()?;
            if let Err(error) = self.turn(storage, token) {
                return Some(Err(error));
            }
        }
    }

    /// Reads a page.
    fn turn(&mut self, storage: &Storage, token: Option<String>) -> Result<(), Error> {
        let prefix = storage.key_prefix();
        let page = storage.ask(|| {
            let options = PaginatedListOptions {
                page_token: token.clone(),
                ..PaginatedListOptions::default()
            };
            let page = self.store.list_paginated(prefix.as_deref(), options);
            async {
                page.await
                    .map_err(|error| storage.named(storage.uri(), error))
            }
        })?;
        self.next = page.page_token.filter(|token| !token.is_empty()).map(Some);
        self.take(storage, &page.result, prefix.as_deref().unwrap_or_default());
        Ok(())
    }

    fn take(&mut self, storage: &Storage, page: &ListResult, prefix: &str) {
        let objects = page.objects.iter();
        let objects = objects.filter_map(|object| object_of(storage, object));
        self.listed.extend(objects.map(Listed::Object));
        let ImpossibleKeys(keys) = page.extensions.get().cloned().unwrap_or_default();
        let names = keys.iter().filter_map(|key| key.strip_prefix(prefix));
        let unreadable = names.filter(|name| !key::is_hidden(name)).map(|name| {
            Listed::Unreadable(UnreadableObject {
                name: name.to_owned(),
                error: Error::InvalidKey { uri: storage.uri() },
            })
        });
        self.listed.extend(unreadable);
    }
}

fn object_of(storage: &Storage, object: &object_store::ObjectMeta) -> Option<ObjectMeta> {
    let key = key::below(&storage.prefix, &object.location)?;
    (!key::is_hidden(key)).then(|| ObjectMeta {
        key: key.to_owned(),
        size: object.size,
        e_tag: object.e_tag.clone(),
    })
}

impl Iterator for List {
    type Item = Result<Listed, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = loop {
            match self.rest.as_mut()? {
                Rest::Folder(walk) => break walk.next(),
                Rest::Bucket(pages) => break pages.next(&self.storage),
                Rest::Stream(objects) => match runtime::block_on(objects.next()) {
                    Ok(None) => break None,
                    Ok(Some(Ok(object))) => {
                        if let Some(object) = object_of(&self.storage, &object) {
                            break Some(Ok(Listed::Object(object)));
                        }
                    }
                    Ok(Some(Err(error))) => {
                        break Some(Err(self.storage.named(self.storage.uri(), error)));
                    }
                    Err(error) => break Some(Err(error)),
                },
            }
        };
        if !matches!(next, Some(Ok(_))) {
            self.rest = None;
        }
        next
    }
}

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("List")
            .field("uri", &self.storage.uri())
            .finish_non_exhaustive()
    }
}
