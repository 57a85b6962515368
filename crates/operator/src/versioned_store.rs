//! A store of what a watch delivers: by group and name, the newest version of each object.
//!
//! Pure. A watch that starts anew lists every object; what the list lacks is removed at its end, but
//! for what this process has put there itself in the meantime.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

/// How an object was learnt of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// By the list that a watch begins with.
    Listed,
    /// By a change that a watch has told of, or that this process has made.
    Changed,
}

/// Objects by group and name.
#[derive(Debug)]
pub(super) struct VersionedStore<G, T> {
    groups: HashMap<G, BTreeMap<String, Entry<T>>>,
    /// The lists that have begun and not ended: of a namespace, or of all.
    relists: HashMap<Option<String>, u64>,
    /// The number of the latest list.
    relist: u64,
}

#[derive(Debug)]
struct Entry<T> {
    namespace: Box<str>,
    resource_version: u64,
    /// The latest list when it was put.
    relist: u64,
    object: T,
}

impl<G, T> Default for VersionedStore<G, T> {
    fn default() -> Self {
        Self {
            groups: HashMap::new(),
            relists: HashMap::new(),
            relist: 0,
        }
    }
}

impl<G: Clone + Eq + Hash, T> VersionedStore<G, T> {
    /// Puts an object in its place, unless a newer version of it is there. Whether it was put.
    ///
    /// What a list says is believed against what was there before the list began: a cluster that was
    /// restored from a backup has older versions than those that were seen.
    pub(super) fn put(
        &mut self,
        group: G,
        (namespace, name): (&str, &str),
        resource_version: &str,
        delivery: Delivery,
        object: T,
    ) -> bool {
        // The versions of objects of one type are numbers that grow.
        let resource_version = resource_version.parse().unwrap_or(u64::MAX);
        let relist = self.relist;
        let began = self.relists.get(&Some(namespace.to_owned()));
        let began = began.or(self.relists.get(&None)).copied();
        let entries = self.groups.entry(group).or_default();
        if let Some(entry) = entries.get_mut(name) {
            let is_from_before = began.is_some_and(|began| entry.relist < began);
            entry.relist = relist;
            let is_believed = delivery == Delivery::Listed && is_from_before;
            if resource_version < entry.resource_version && !is_believed {
                return false;
            }
        }
        let namespace = namespace.into();
        let entry = Entry {
            namespace,
            resource_version,
            relist,
            object,
        };
        entries.insert(name.to_owned(), entry);
        true
    }

    /// Removes an object.
    pub(super) fn remove(&mut self, group: &G, name: &str) -> Option<T> {
        let entries = self.groups.get_mut(group)?;
        let entry = entries.remove(name)?;
        if entries.is_empty() {
            self.groups.remove(group);
        }
        Some(entry.object)
    }

    /// Removes the objects of a group that do not meet a condition.
    pub(super) fn retain(&mut self, group: &G, keep: impl Fn(&T) -> bool) {
        if let Some(entries) = self.groups.get_mut(group) {
            entries.retain(|_, entry| keep(&entry.object));
            if entries.is_empty() {
                self.groups.remove(group);
            }
        }
    }

    /// A watch begins to list every object.
    pub(super) fn begin_relist(&mut self, namespace: Option<&str>) {
        self.relist += 1;
        let namespace = namespace.map(str::to_owned);
        self.relists.insert(namespace, self.relist);
    }

    /// A watch has listed every object: removes, and returns, those that the list lacked.
    pub(super) fn end_relist(&mut self, namespace: Option<&str>) -> Vec<(G, T)> {
        let relist = self.relists.remove(&namespace.map(str::to_owned));
        let relist = relist.unwrap_or_default();
        let mut gone = Vec::new();
        for (group, entries) in &mut self.groups {
            let is_gone = |entry: &Entry<T>| {
                entry.relist < relist && namespace.is_none_or(|it| *it == *entry.namespace)
            };
            let removed = entries.extract_if(.., |_, entry| is_gone(entry));
            gone.extend(removed.map(|(_, entry)| (group.clone(), entry.object)));
        }
        self.groups.retain(|_, entries| !entries.is_empty());
        gone
    }

    /// One object.
    pub(super) fn get(&self, group: &G, name: &str) -> Option<&T> {
        self.groups.get(group)?.get(name).map(|entry| &entry.object)
    }

    /// The objects of a group, by name.
    pub(super) fn of(&self, group: &G) -> impl Iterator<Item = &T> + use<'_, G, T> {
        let entries = self.groups.get(group);
        entries
            .into_iter()
            .flat_map(|it| it.values())
            .map(|entry| &entry.object)
    }

    /// The objects of a group, to be changed.
    pub(super) fn of_mut(&mut self, group: &G) -> impl Iterator<Item = &mut T> + use<'_, G, T> {
        let entries = self.groups.get_mut(group);
        entries
            .into_iter()
            .flat_map(|it| it.values_mut())
            .map(|entry| &mut entry.object)
    }

    /// Every object.
    pub(super) fn all(&self) -> impl Iterator<Item = (&G, &str, &T)> {
        let groups = self.groups.iter();
        groups.flat_map(|(group, entries)| {
            let entries = entries.iter();
            entries.map(move |(name, entry)| (group, name.as_str(), &entry.object))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Delivery::{Changed, Listed};
    use super::*;

    fn names(store: &VersionedStore<u8, u8>) -> Vec<(String, u8)> {
        let mut all: Vec<_> = store
            .all()
            .map(|(_, name, object)| (name.to_owned(), *object))
            .collect();
        all.sort_unstable();
        all
    }

    #[test]
    fn an_older_version_never_takes_the_place_of_a_newer_one() {
        let mut store = VersionedStore::default();
        assert!(store.put(0, ("n", "a"), "10", Changed, 1));
        assert!(!store.put(0, ("n", "a"), "9", Changed, 2));
        assert_eq!(store.get(&0, "a"), Some(&1));
        assert!(store.put(0, ("n", "a"), "11", Changed, 3));
        assert_eq!(store.get(&0, "a"), Some(&3));
    }

    #[test]
    fn a_list_is_believed_against_newer_versions_from_before_it_and_not_since() {
        let mut store = VersionedStore::default();
        store.put(0, ("n", "a"), "900", Changed, 1);
        store.begin_relist(None);
        assert!(store.put(0, ("n", "a"), "10", Listed, 2));
        assert!(store.put(0, ("n", "a"), "12", Changed, 3));
        assert!(!store.put(0, ("n", "a"), "11", Listed, 4));
        store.end_relist(None);
        assert_eq!(store.get(&0, "a"), Some(&3));
        // The version counts of which the list told.
        assert!(store.put(0, ("n", "a"), "13", Changed, 5));
    }

    #[test]
    fn what_a_new_list_lacks_is_removed() {
        let mut store = VersionedStore::default();
        store.put(0, ("n", "a"), "1", Changed, 1);
        store.put(0, ("n", "b"), "2", Changed, 2);
        store.begin_relist(None);
        store.put(0, ("n", "b"), "2", Changed, 2);
        assert_eq!(store.end_relist(None), [(0, 1)]);
        assert_eq!(names(&store), [("b".to_owned(), 2)]);
    }

    #[test]
    fn what_was_put_while_a_list_is_under_way_stays() {
        let mut store = VersionedStore::default();
        store.begin_relist(None);
        store.put(0, ("n", "own"), "7", Changed, 7);
        assert_eq!(store.end_relist(None), []);
        assert_eq!(names(&store), [("own".to_owned(), 7)]);
    }

    #[test]
    fn a_list_of_one_namespace_leaves_the_others_alone() {
        let mut store = VersionedStore::default();
        store.put(0, ("n", "a"), "1", Changed, 1);
        store.put(1, ("m", "a"), "1", Changed, 2);
        store.begin_relist(Some("m"));
        assert_eq!(store.end_relist(Some("m")), [(1, 2)]);
        assert_eq!(names(&store), [("a".to_owned(), 1)]);
    }

    #[test]
    fn an_emptied_group_is_removed() {
        let mut store = VersionedStore::default();
        store.put(0, ("n", "a"), "1", Changed, 1);
        assert_eq!(store.remove(&0, "a"), Some(1));
        assert_eq!(store.remove(&0, "a"), None);
        assert!(store.groups.is_empty());
        store.put(0, ("n", "a"), "1", Changed, 1);
        store.retain(&0, |_| false);
        assert!(store.groups.is_empty());
    }
}
