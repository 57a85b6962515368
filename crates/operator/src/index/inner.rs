//! What the index holds, behind its lock.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::Watched;
use crate::decide::{Awaited, Model, Publisher};
use crate::owner::Owner;
use crate::resource_entry::{ResourceEntry, ResourceKey};
use crate::resource_snapshot::ControllerState;
use crate::snapshot::{JobSnapshot, PodSnapshot, Termination};
use crate::versioned_store::{Delivery, VersionedStore};
use attrium_api::{Kind, Resource, Uid};

#[derive(Debug, Default)]
pub(super) struct Inner {
    pub(super) training_runs: VersionedStore<Arc<str>, ResourceEntry>,
    pub(super) screening_jobs: VersionedStore<Arc<str>, ResourceEntry>,
    /// Jobs by the resource that controls them.
    pub(super) jobs: VersionedStore<Owner, JobSnapshot>,
    /// Pods by the resource that they say they are of, which their Job has to prove.
    pub(super) pods: VersionedStore<Owner, IndexedPod>,
    pub(super) keys: HashMap<Uid, ResourceKey>,
    pub(super) states: HashMap<Uid, ControllerState>,
    /// What has been listed: of a namespace, or of all.
    pub(super) listed: HashSet<(Watched, Option<String>)>,
    /// The screenings that wait for a training run.
    pub(super) waiting: HashMap<ResourceKey, BTreeSet<ResourceKey>>,
    /// The generation of the malformed resources that were reported.
    pub(super) reported: HashMap<Uid, Option<i64>>,
}

/// A pod as it is kept.
#[derive(Debug)]
pub(super) struct IndexedPod {
    pub(super) pod: PodSnapshot,
    /// How it has ended, until its Job is there and what it reports counts.
    pub(super) unrecorded: Option<Termination>,
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

    pub(super) fn put(
        &mut self,
        key: &ResourceKey,
        version: &str,
        delivery: Delivery,
        entry: ResourceEntry,
    ) -> bool {
        let uid = entry.uid().clone();
        let before = self.get(key).map(|entry| entry.uid().clone());
        let name = (&*key.namespace, &*key.name);
        let resources = self.resources_mut(key.kind);
        let is_put = resources.put(key.namespace.clone(), name, version, delivery, entry);
        // A name that is used again at once may be delivered without its deletion in between.
        if let (true, Some(before)) = (is_put, before)
            && before != uid
        {
            self.forget(&before);
        }
        is_put
    }

    /// The resource that an object belongs to, if it is there, and in the object's namespace.
    pub(super) fn key_of(&self, owner: &Owner) -> Option<ResourceKey> {
        let key = self.keys.get(&owner.uid)?;
        (key.namespace == owner.namespace).then(|| key.clone())
    }

    pub(super) fn keys_of(&self, owners: impl Iterator<Item = Owner>) -> Vec<ResourceKey> {
        let owners: BTreeSet<Owner> = owners.collect();
        owners.iter().filter_map(|it| self.key_of(it)).collect()
    }

    /// What the objects of a resource name as their owner.
    pub(super) fn owner(&self, uid: &Uid) -> Option<Owner> {
        let key = self.keys.get(uid)?;
        Some(Owner {
            namespace: key.namespace.clone(),
            uid: uid.clone(),
        })
    }

    /// The Jobs of a resource.
    pub(super) fn jobs_of(&self, uid: &Uid) -> impl Iterator<Item = &JobSnapshot> {
        let owner = self.owner(uid);
        owner.into_iter().flat_map(|owner| self.jobs.of(&owner))
    }

    /// The pods of a resource: those of its Jobs.
    pub(super) fn pods_of(&self, uid: &Uid) -> impl Iterator<Item = &PodSnapshot> {
        let owner = self.owner(uid);
        let pods = owner.into_iter().flat_map(|owner| self.pods.of(&owner));
        pods.map(|it| &it.pod).filter(|pod| self.is_proven(pod))
    }

    /// Whether the Job that controls a pod is there, and of the resource that the pod names.
    fn is_proven(&self, pod: &PodSnapshot) -> bool {
        self.jobs.of(&pod.owner).any(|job| pod.is_of(job))
    }

    /// Records what pods of a resource have reported, once their Job is there.
    pub(super) fn record(&mut self, owner: &Owner) {
        let key = self.key_of(owner);
        if key.is_none() {
            return;
        }
        let first = match key.and_then(|key| self.get(&key)) {
            Some(ResourceEntry::Live(resource)) => resource.first_attempt(),
            _ => 0,
        };
        let jobs = self
            .jobs
            .of(owner)
            .filter(|job| job.origin.attempt >= first);
        let jobs: Vec<_> = jobs.cloned().collect();
        for IndexedPod { pod, unrecorded } in self.pods.of_mut(owner) {
            if jobs.iter().any(|job| pod.is_of(job))
                && let Some(termination) = unrecorded.take()
            {
                let state = self.states.entry(owner.uid.clone()).or_default();
                state.reports.record(pod, &termination);
            }
        }
    }

    pub(super) fn forget(&mut self, uid: &Uid) {
        self.keys.remove(uid);
        self.states.remove(uid);
        self.reported.remove(uid);
    }

    /// Drops what a resource that has ended does not need.
    pub(super) fn drop_ended(&mut self, owner: &Owner) {
        self.states.remove(&owner.uid);
        self.pods.retain(owner, |_| false);
        self.jobs.retain(owner, |job| job.end.is_none());
    }

    pub(super) fn has_ended(&self, owner: &Owner) -> bool {
        let entry = self.key_of(owner);
        let entry = entry.as_ref().and_then(|key| self.get(key));
        matches!(entry, Some(ResourceEntry::Ended(_)))
    }

    /// Where the model is that a resource needs of a training run. One that waits for it is reconciled when
    /// that run changes.
    pub(super) fn model(&mut self, key: &ResourceKey, resource: &Resource) -> Model {
        let Some(name) = resource.publisher() else {
            return Model::Given;
        };
        if let Some(model) = resource.begun_with() {
            return Model::Published(model.clone());
        }
        let run = ResourceKey::new(Kind::TrainingRun, &key.namespace, name);
        let publisher = match self.get(&run) {
            None => Publisher::Absent,
            Some(ResourceEntry::Live(_)) => Publisher::Live,
            Some(ResourceEntry::Malformed(_)) => Publisher::Malformed,
            Some(ResourceEntry::Ended(ended)) => {
                return match &ended.model {
                    Some(model) => Model::Published((**model).clone()),
                    None => Model::Missing(name.to_owned()),
                };
            }
        };
        self.waiting.entry(run).or_default().insert(key.clone());
        Model::Awaited(Awaited {
            run: name.to_owned(),
            publisher,
        })
    }
}
