//! A place for what a watch tells: by group and name, the newest version of each.
//!
//! Pure. A watch that starts anew tells everything there is; what it does not tell any more is
//! taken away then, but for what this process has put there itself in the meantime.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

/// Things by group and name.
#[derive(Debug)]
pub(super) struct Shelf<G, T> {
    groups: HashMap<G, BTreeMap<String, Slot<T>>>,
    /// How often the watch of a namespace, or of all, has begun anew.
    rounds: HashMap<Option<String>, u64>,
    round: u64,
}

#[derive(Debug)]
struct Slot<T> {
    namespace: Box<str>,
    version: u64,
    round: u64,
    item: T,
}

impl<G, T> Default for Shelf<G, T> {
    fn default() -> Self {
        Self {
            groups: HashMap::new(),
            rounds: HashMap::new(),
            round: 0,
        }
    }
}

impl<G: Clone + Eq + Hash, T> Shelf<G, T> {
    /// Puts a thing in its place, unless a newer version of it is there. Whether it was put.
    pub(super) fn put(
        &mut self,
        group: G,
        (namespace, name): (&str, &str),
        version: &str,
        item: T,
    ) -> bool {
        // The versions of objects of one type are numbers that grow.
        let version = version.parse().unwrap_or(u64::MAX);
        let round = self.round;
        let slots = self.groups.entry(group).or_default();
        if let Some(slot) = slots.get_mut(name) {
            slot.round = round;
            if version < slot.version {
                return false;
            }
        }
        let namespace = namespace.into();
        let slot = Slot {
            namespace,
            version,
            round,
            item,
        };
        slots.insert(name.to_owned(), slot);
        true
    }

    /// Takes a thing away.
    pub(super) fn remove(&mut self, group: &G, name: &str) -> Option<T> {
        let slots = self.groups.get_mut(group)?;
        let slot = slots.remove(name)?;
        if slots.is_empty() {
            self.groups.remove(group);
        }
        Some(slot.item)
    }

    /// Takes away what of a group does not meet a condition.
    pub(super) fn retain(&mut self, group: &G, keep: impl Fn(&T) -> bool) {
        if let Some(slots) = self.groups.get_mut(group) {
            slots.retain(|_, slot| keep(&slot.item));
            if slots.is_empty() {
                self.groups.remove(group);
            }
        }
    }

    /// A watch begins to tell everything there is.
    pub(super) fn begin(&mut self, namespace: Option<&str>) {
        self.round += 1;
        self.rounds.insert(namespace.map(str::to_owned), self.round);
    }

    /// A watch has told everything there is: takes away, and returns, what it has not told.
    pub(super) fn finish(&mut self, namespace: Option<&str>) -> Vec<(G, T)> {
        let round = self.rounds.remove(&namespace.map(str::to_owned));
        let round = round.unwrap_or_default();
        let mut gone = Vec::new();
        for (group, slots) in &mut self.groups {
            let is_gone = |slot: &Slot<T>| {
                slot.round < round && namespace.is_none_or(|it| *it == *slot.namespace)
            };
            let told = slots.extract_if(.., |_, slot| is_gone(slot));
            gone.extend(told.map(|(_, slot)| (group.clone(), slot.item)));
        }
        self.groups.retain(|_, slots| !slots.is_empty());
        gone
    }

    /// One thing.
    pub(super) fn get(&self, group: &G, name: &str) -> Option<&T> {
        self.groups.get(group)?.get(name).map(|slot| &slot.item)
    }

    /// The things of a group, by name.
    pub(super) fn of(&self, group: &G) -> impl Iterator<Item = &T> {
        let slots = self.groups.get(group);
        slots
            .into_iter()
            .flat_map(|it| it.values())
            .map(|slot| &slot.item)
    }

    /// Everything.
    pub(super) fn all(&self) -> impl Iterator<Item = (&G, &str, &T)> {
        let groups = self.groups.iter();
        groups.flat_map(|(group, slots)| {
            let slots = slots.iter();
            slots.map(move |(name, slot)| (group, name.as_str(), &slot.item))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(shelf: &Shelf<u8, u8>) -> Vec<(String, u8)> {
        let mut all: Vec<_> = shelf
            .all()
            .map(|(_, name, item)| (name.to_owned(), *item))
            .collect();
        all.sort_unstable();
        all
    }

    #[test]
    fn an_older_version_never_takes_the_place_of_a_newer_one() {
        let mut shelf = Shelf::default();
        assert!(shelf.put(0, ("n", "a"), "10", 1));
        assert!(!shelf.put(0, ("n", "a"), "9", 2));
        assert_eq!(shelf.get(&0, "a"), Some(&1));
        assert!(shelf.put(0, ("n", "a"), "11", 3));
        assert_eq!(shelf.get(&0, "a"), Some(&3));
    }

    #[test]
    fn what_a_watch_that_starts_anew_does_not_tell_is_gone() {
        let mut shelf = Shelf::default();
        shelf.put(0, ("n", "a"), "1", 1);
        shelf.put(0, ("n", "b"), "2", 2);
        shelf.begin(None);
        shelf.put(0, ("n", "b"), "2", 2);
        assert_eq!(shelf.finish(None), [(0, 1)]);
        assert_eq!(names(&shelf), [("b".to_owned(), 2)]);
    }

    #[test]
    fn what_was_put_while_a_watch_starts_anew_stays() {
        let mut shelf = Shelf::default();
        shelf.begin(None);
        shelf.put(0, ("n", "own"), "7", 7);
        assert_eq!(shelf.finish(None), []);
        assert_eq!(names(&shelf), [("own".to_owned(), 7)]);
    }

    #[test]
    fn a_watch_of_one_namespace_leaves_the_others_alone() {
        let mut shelf = Shelf::default();
        shelf.put(0, ("n", "a"), "1", 1);
        shelf.put(1, ("m", "a"), "1", 2);
        shelf.begin(Some("m"));
        assert_eq!(shelf.finish(Some("m")), [(1, 2)]);
        assert_eq!(names(&shelf), [("a".to_owned(), 1)]);
    }

    #[test]
    fn an_emptied_group_is_gone() {
        let mut shelf = Shelf::default();
        shelf.put(0, ("n", "a"), "1", 1);
        assert_eq!(shelf.remove(&0, "a"), Some(1));
        assert_eq!(shelf.remove(&0, "a"), None);
        assert!(shelf.groups.is_empty());
        shelf.put(0, ("n", "a"), "1", 1);
        shelf.retain(&0, |_| false);
        assert!(shelf.groups.is_empty());
    }
}
