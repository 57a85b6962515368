//! The index of the cluster: resources, their Jobs, their pods, and what tasks have reported.
//!
//! No IO. A resource that has ended is a few words, without Jobs and pods, so that thousands of
//! them cost little; a whole resource is kept only as long as there is something to do for it.

mod inner;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::created_resource::CreatedResource;
use super::owner::Owner;
use super::resource_entry::{MalformedResource, ResourceEntry, ResourceKey};
use super::resource_snapshot::{ControllerState, ResourceSnapshot};
use super::snapshot::{JobSnapshot, PodSnapshot, PodState, Termination};
use super::versioned_store::Delivery;
use attrium_api::{Kind, MonitorStatus, Phase, Uid};
use attrium_workflow::{Progress, StageKind, TaskRef};

use inner::{IndexedPod, Inner};

/// What is known of the cluster.
#[derive(Debug, Default)]
pub(crate) struct Index(Mutex<Inner>);

/// What a watch is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Watched {
    /// Resources of a kind.
    Resources(Kind),
    Jobs,
    Pods,
}

impl Watched {
    /// Everything that is watched.
    pub(crate) const ALL: [Self; 4] = [
        Self::Resources(Kind::TrainingRun),
        Self::Resources(Kind::ScreeningJob),
        Self::Jobs,
        Self::Pods,
    ];
}

impl Index {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Nothing that is done under the lock can leave it half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A watch begins to list every object.
    pub(crate) fn begin_relist(&self, watched: Watched, namespace: Option<&str>) {
        let mut inner = self.inner();
        match watched {
            Watched::Resources(kind) => inner.resources_mut(kind).begin_relist(namespace),
            Watched::Jobs => inner.jobs.begin_relist(namespace),
            Watched::Pods => inner.pods.begin_relist(namespace),
        }
    }

    /// A watch has listed every object: those that the list lacked are gone. Returns the resources to
    /// be reconciled.
    pub(crate) fn end_relist(&self, watched: Watched, namespace: Option<&str>) -> Vec<ResourceKey> {
        let mut inner = self.inner();
        let scope = (watched, namespace.map(str::to_owned));
        inner.listed.insert(scope);
        match watched {
            Watched::Resources(kind) => {
                for (_, entry) in inner.resources_mut(kind).end_relist(namespace) {
                    inner.forget(entry.uid());
                }
                Vec::new()
            }
            Watched::Jobs => {
                let gone = inner.jobs.end_relist(namespace);
                inner.keys_of(gone.into_iter().map(|(owner, _)| owner))
            }
            Watched::Pods => {
                let gone = inner.pods.end_relist(namespace);
                inner.keys_of(gone.into_iter().map(|(owner, _)| owner))
            }
        }
    }

    /// A watch has been told that it may not read a namespace: what is known of it is no longer true.
    pub(crate) fn lose(&self, watched: Watched, namespace: Option<&str>) {
        let scope = (watched, namespace.map(str::to_owned));
        self.inner().listed.remove(&scope);
    }

    /// Whether everything of a namespace that a decision needs has been listed.
    pub(crate) fn is_listed(&self, namespace: &str) -> bool {
        let inner = self.inner();
        let is_listed = |watched: Watched| {
            let scopes = [None, Some(namespace.to_owned())];
            scopes
                .into_iter()
                .any(|it| inner.listed.contains(&(watched, it)))
        };
        Watched::ALL.into_iter().all(is_listed)
    }

    /// Takes in a resource that a watch delivers. Returns the resources to be reconciled.
    pub(crate) fn apply_resource(
        &self,
        resource: CreatedResource,
        delivery: Delivery,
    ) -> Vec<ResourceKey> {
        let key = ResourceKey::of(&resource);
        if !self.put_resource(resource, delivery) {
            return Vec::new();
        }
        let waiting = self.inner().waiting.remove(&key);
        let mut keys: Vec<_> = waiting.into_iter().flatten().collect();
        keys.push(key);
        keys
    }

    /// Takes in a resource that this process has written itself; the watch delivers it too, and has it
    /// reconciled. Whether it is news.
    pub(crate) fn apply_written(&self, resource: CreatedResource) -> bool {
        self.put_resource(resource, Delivery::Changed)
    }

    fn put_resource(&self, resource: CreatedResource, delivery: Delivery) -> bool {
        let key = ResourceKey::of(&resource);
        let owner = Owner {
            namespace: key.namespace.clone(),
            uid: resource.uid().clone(),
        };
        let version = resource.metadata().resource_version.clone();
        let entry = ResourceEntry::new(resource);
        let mut inner = self.inner();
        let has_ended = matches!(entry, ResourceEntry::Ended(_));
        let is_news = inner.put(&key, &version.unwrap_or_default(), delivery, entry);
        if !is_news {
            return false;
        }
        inner.keys.insert(owner.uid.clone(), key);
        if has_ended {
            inner.drop_ended(&owner);
        } else {
            inner.record(&owner);
        }
        true
    }

    /// Takes in a resource that cannot be read. Returns the resources to be reconciled.
    pub(crate) fn apply_malformed(
        &self,
        key: ResourceKey,
        version: &str,
        malformed: MalformedResource,
        delivery: Delivery,
    ) -> Vec<ResourceKey> {
        let uid = malformed.uid.clone();
        let mut inner = self.inner();
        if !inner.put(
            &key,
            version,
            delivery,
            ResourceEntry::Malformed(Arc::new(malformed)),
        ) {
            return Vec::new();
        }
        inner.keys.insert(uid, key.clone());
        vec![key]
    }

    /// Drops a resource that was deleted. Returns the resources to be reconciled.
    pub(crate) fn delete_resource(&self, key: &ResourceKey) -> Vec<ResourceKey> {
        let mut inner = self.inner();
        let resources = inner.resources_mut(key.kind);
        if let Some(entry) = resources.remove(&key.namespace, &key.name) {
            inner.forget(entry.uid());
        }
        inner.waiting.remove(key).into_iter().flatten().collect()
    }

    /// Takes in a Job. Returns the resource to be reconciled.
    pub(crate) fn apply_job(&self, job: JobSnapshot, delivery: Delivery) -> Option<ResourceKey> {
        let mut inner = self.inner();
        let owner = job.owner.clone();
        if inner.has_ended(&owner) && job.end.is_some() {
            inner.jobs.remove(&owner, &job.name);
            return None;
        }
        let (name, version) = (job.name.clone(), job.resource_version.clone());
        let is_news = inner.jobs.put(
            owner.clone(),
            (&owner.namespace, &name),
            &version,
            delivery,
            job,
        );
        if !is_news {
            return None;
        }
        inner.record(&owner);
        inner.key_of(&owner)
    }

    /// Drops a Job that was deleted. Returns the resource to be reconciled.
    pub(crate) fn delete_job(&self, job: &JobSnapshot) -> Option<ResourceKey> {
        let mut inner = self.inner();
        let owner = &job.owner;
        // A Job of the same name may have been created since.
        let present = inner.jobs.get(owner, &job.name);
        if present.is_some_and(|it| it.uid == job.uid) {
            inner.jobs.remove(owner, &job.name);
        }
        inner.key_of(owner)
    }

    /// Takes in a pod, and how it has ended if it has. Returns the resource to be reconciled.
    ///
    /// What it reports counts once the Job that controls it is there, which its own list may bring later.
    pub(crate) fn apply_pod(
        &self,
        pod: PodSnapshot,
        unrecorded: Option<Termination>,
        delivery: Delivery,
    ) -> Option<ResourceKey> {
        let mut inner = self.inner();
        let owner = pod.owner.clone();
        if inner.has_ended(&owner) {
            return None;
        }
        let (name, version) = (pod.name.clone(), pod.resource_version.clone());
        let pod = IndexedPod { pod, unrecorded };
        let is_news = inner.pods.put(
            owner.clone(),
            (&owner.namespace, &name),
            &version,
            delivery,
            pod,
        );
        if !is_news {
            return None;
        }
        inner.record(&owner);
        inner.key_of(&owner)
    }

    /// Drops a pod that was deleted. Returns the resource to be reconciled.
    pub(crate) fn delete_pod(&self, pod: &PodSnapshot) -> Option<ResourceKey> {
        let mut inner = self.inner();
        inner.pods.remove(&pod.owner, &pod.name);
        inner.key_of(&pod.owner)
    }

    /// Takes in a task's progress. Returns the resource to be reconciled.
    pub(crate) fn apply_progress(
        &self,
        owner: &Uid,
        task: TaskRef,
        progress: Progress,
    ) -> Option<ResourceKey> {
        let mut inner = self.inner();
        let key = inner.keys.get(owner).cloned()?;
        let state = inner.states.entry(owner.clone()).or_default();
        state.reports.progress.insert(task, progress);
        Some(key)
    }

    /// Changes what is kept of a live resource.
    pub(crate) fn update_state(&self, uid: &Uid, change: impl FnOnce(&mut ControllerState)) {
        let mut inner = self.inner();
        let owner = inner.owner(uid);
        if owner.is_some_and(|owner| !inner.has_ended(&owner)) {
            change(inner.states.entry(uid.clone()).or_default());
        }
    }

    /// Whether a malformed resource was reported as it is.
    pub(crate) fn is_reported(&self, malformed: &MalformedResource) -> bool {
        let reported = &self.inner().reported;
        reported.get(&malformed.uid) == Some(&malformed.generation)
    }

    /// Notes that a malformed resource was reported as it is.
    pub(crate) fn mark_reported(&self, malformed: &MalformedResource) {
        let uid = malformed.uid.clone();
        self.inner().reported.insert(uid, malformed.generation);
    }

    /// The resources that a new leader reconciles: all but those that have ended and of which nothing is
    /// left.
    pub(crate) fn unfinished(&self) -> Vec<ResourceKey> {
        let inner = self.inner();
        let is_unfinished = |(uid, key): &(&Uid, &ResourceKey)| match inner.get(key) {
            Some(ResourceEntry::Ended(ended)) => {
                let is_due = ended.ttl.is_some() || ended.unobserved.is_some();
                is_due || inner.jobs_of(uid).next().is_some()
            }
            entry => entry.is_some(),
        };
        let unfinished = inner.keys.iter().filter(is_unfinished);
        unfinished.map(|(_, key)| key.clone()).collect()
    }

    pub(crate) fn get(&self, key: &ResourceKey) -> Option<ResourceEntry> {
        self.inner().get(key).cloned()
    }

    /// The Jobs of a resource that has ended, of which those that have ended are not kept.
    pub(crate) fn remaining_jobs(&self, owner: &Uid) -> Vec<JobSnapshot> {
        self.inner().jobs_of(owner).cloned().collect()
    }

    /// The snapshot of a live resource.
    pub(crate) fn snapshot(
        &self,
        key: &ResourceKey,
        resource: Arc<CreatedResource>,
    ) -> ResourceSnapshot {
        let mut inner = self.inner();
        let uid = resource.uid();
        let model = inner.model(key, &resource);
        let mut jobs: BTreeMap<StageKind, JobSnapshot> = BTreeMap::new();
        let first = resource.first_attempt();
        let all = inner.jobs_of(uid);
        let (since, before): (Vec<_>, Vec<_>) = all.partition(|job| job.origin.attempt >= first);
        let superseded = before.into_iter().filter(|job| job.is_open()).cloned();
        let superseded = superseded.collect();
        for job in since {
            let latest = jobs.entry(job.origin.stage).or_insert_with(|| job.clone());
            if latest.origin.attempt < job.origin.attempt {
                *latest = job.clone();
            }
        }
        let job = |pod: &PodSnapshot| jobs.get(&pod.origin.stage);
        let is_latest = |pod: &&PodSnapshot| job(pod).is_some_and(|job| pod.is_of(job));
        let pods = inner.pods_of(uid).filter(is_latest).cloned().collect();
        let state = inner.states.get(uid).cloned().unwrap_or_default();
        ResourceSnapshot {
            resource,
            jobs,
            superseded,
            pods,
            model,
            state,
        }
    }

    /// Pods that run, with the uid and the key of their resource: at most one for each resource, and
    /// one without progress before the others.
    pub(crate) fn running_pods(&self) -> Vec<(Uid, ResourceKey, PodSnapshot)> {
        let inner = self.inner();
        let mut running = Vec::new();
        for (uid, key) in &inner.keys {
            let progress = inner.states.get(uid).map(|state| &state.reports.progress);
            let done = |pod: &PodSnapshot| {
                let reported = progress.and_then(|it| it.get(&pod.task()));
                reported.map(|it| it.done)
            };
            let pods = inner.pods_of(uid);
            let pods = pods.filter(|pod| matches!(pod.state, PodState::Running { .. }));
            if let Some(pod) = pods.min_by_key(|pod| done(pod)) {
                running.push((uid.clone(), key.clone(), pod.clone()));
            }
        }
        running
    }

    /// The screenings that have ended, with how their scans stand to the cohorts of their models, by namespace and name.
    pub(crate) fn monitored(&self) -> BTreeMap<(Arc<str>, Arc<str>), MonitorStatus> {
        let inner = self.inner();
        let jobs = inner.resources(Kind::ScreeningJob).all();
        let monitored = jobs.filter_map(|(namespace, name, entry)| match entry {
            ResourceEntry::Ended(ended) => {
                let monitor = ended.monitor.as_deref()?.clone();
                Some(((namespace.clone(), name.into()), monitor))
            }
            ResourceEntry::Live(_) | ResourceEntry::Malformed(_) => None,
        });
        monitored.collect()
    }

    /// How many resources of a kind are in a phase; a malformed one has none.
    pub(crate) fn phases(&self) -> BTreeMap<(Kind, Option<Phase>), i64> {
        let inner = self.inner();
        let mut phases = BTreeMap::new();
        for kind in Kind::ALL {
            for (_, _, entry) in inner.resources(kind).all() {
                let phase = match entry {
                    ResourceEntry::Live(resource) => {
                        let phase = resource.status().and_then(|status| status.phase);
                        Some(phase.unwrap_or(Phase::Pending))
                    }
                    ResourceEntry::Ended(ended) => Some(ended.phase),
                    ResourceEntry::Malformed(_) => None,
                };
                *phases.entry((kind, phase)).or_default() += 1;
            }
        }
        phases
    }
}

#[cfg(test)]
mod tests;
