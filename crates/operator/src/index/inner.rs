//! What the index holds, behind its lock.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::decide::{Awaited, Model, Publisher};
use crate::resource_entry::{ResourceEntry, ResourceKey};
use crate::resource_snapshot::ControllerState;
use crate::snapshot::{JobSnapshot, PodSnapshot};
use crate::versioned_store::VersionedStore;
use attrium_api::{Kind, Resource, Uid};

#[derive(Debug, Default)]
pub(super) struct Inner {
    pub(super) training_runs: VersionedStore<Arc<str>, ResourceEntry>,
    pub(super) screening_jobs: VersionedStore<Arc<str>, ResourceEntry>,
    pub(super) jobs: VersionedStore<Uid, JobSnapshot>,
    pub(super) pods: VersionedStore<Uid, PodSnapshot>,
    pub(super) keys: HashMap<Uid, ResourceKey>,
    pub(super) states: HashMap<Uid, ControllerState>,
    /// The screenings that wait for a training run.
    pub(super) waiting: HashMap<ResourceKey, BTreeSet<ResourceKey>>,
    /// The generation of the malformed resources that were reported.
    pub(super) reported: HashMap<Uid, Option<i64>>,
}

impl Inner {
    pub(super) const fn resources(&self, kind: Kind) -> &VersionedStore<Arc<str>, ResourceEntry> {
        match kind {
            Kind::TrainingRun => &self.training_runs,
            Kind::ScreeningJob => &self.screening_jobs,
        }
    }

    pub(super) const fn resources_mut(
        &mut self,
        kind: Kind,
    ) -> &mut VersionedStore<Arc<str>, ResourceEntry> {
        match kind {
            Kind::TrainingRun => &mut self.training_runs,
            Kind::ScreeningJob => &mut self.screening_jobs,
        }
    }

    pub(super) fn get(&self, key: &ResourceKey) -> Option<&ResourceEntry> {
        self.resources(key.kind).get(&key.namespace, &key.name)
    }

    pub(super) fn put(&mut self, key: &ResourceKey, version: &str, entry: ResourceEntry) -> bool {
        let uid = entry.uid().clone();
        let before = self.get(key).map(|entry| entry.uid().clone());
        let name = (&*key.namespace, &*key.name);
        let resources = self.resources_mut(key.kind);
        let is_put = resources.put(key.namespace.clone(), name, version, entry);
        // A name that is used again at once may be delivered without its deletion in between.
        if let (true, Some(before)) = (is_put, before)
            && before != uid
        {
            self.forget(&before);
        }
        is_put
    }

    pub(super) fn keys_of(&self, uids: impl Iterator<Item = Uid>) -> Vec<ResourceKey> {
        let uids: BTreeSet<Uid> = uids.collect();
        uids.iter()
            .filter_map(|uid| self.keys.get(uid).cloned())
            .collect()
    }

    pub(super) fn forget(&mut self, uid: &Uid) {
        self.keys.remove(uid);
        self.states.remove(uid);
        self.reported.remove(uid);
    }

    /// Drops what a resource that has ended does not need.
    pub(super) fn drop_ended(&mut self, uid: &Uid) {
        self.states.remove(uid);
        self.pods.retain(uid, |_| false);
        self.jobs.retain(uid, |job| job.end.is_none());
    }

    pub(super) fn has_ended(&self, uid: &Uid) -> bool {
        let entry = self.keys.get(uid).and_then(|key| self.get(key));
        matches!(entry, Some(ResourceEntry::Ended(_)))
    }

    /// Where the model of a screening is. One that waits for it is reconciled when its training run
    /// changes.
    pub(super) fn model(&mut self, key: &ResourceKey, resource: &Resource) -> Model {
        let Resource::ScreeningJob(job) = resource else {
            return Model::Given;
        };
        let Some(name) = &job.spec.model.training_run else {
            return Model::Given;
        };
        if let Some(model) = job.status.as_ref().and_then(|status| status.model.clone()) {
            return Model::Published(model);
        }
        let run = ResourceKey::new(Kind::TrainingRun, &key.namespace, name);
        let publisher = match self.get(&run) {
            None => Publisher::Absent,
            Some(ResourceEntry::Live(_)) => Publisher::Live,
            Some(ResourceEntry::Malformed(_)) => Publisher::Malformed,
            Some(ResourceEntry::Ended(ended)) => {
                return match &ended.model {
                    Some(model) => Model::Published((**model).clone()),
                    None => Model::Missing(name.clone()),
                };
            }
        };
        self.waiting.entry(run).or_default().insert(key.clone());
        Model::Awaited(Awaited {
            run: name.clone(),
            publisher,
        })
    }
}
