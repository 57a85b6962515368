//! What is known of the cluster: resources, their Jobs, their pods, and what tasks have told.
//!
//! No IO. A resource that has ended is a few words, without Jobs and pods, so that thousands of
//! them cost little; a whole resource is kept only as long as there is something to do for it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::decide::Model;
use super::resource_entry::{Dossier, Key, Kind, Known, Malformed, Memo, known};
use super::snapshot::{Ended, JobSeen, PodSeen, PodState};
use super::versioned_store::Shelf;
use attrium_api::{Phase, Resource};
use attrium_workflow::{Progress, StageKind, TaskRef};

type Uid = Arc<str>;

/// What is known of the cluster.
#[derive(Debug, Default)]
pub(crate) struct Index(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    trainings: Shelf<Arc<str>, Known>,
    screenings: Shelf<Arc<str>, Known>,
    jobs: Shelf<Uid, JobSeen>,
    pods: Shelf<Uid, PodSeen>,
    keys: HashMap<Uid, Key>,
    memos: HashMap<Uid, Memo>,
    /// The screenings that wait for a training run.
    waiting: HashMap<Key, BTreeSet<Key>>,
    /// The malformed resources that were reported, with their generation.
    reported: HashMap<Uid, Option<i64>>,
}

/// What a watch tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Subject {
    /// Resources of a kind.
    Resources(Kind),
    /// Jobs.
    Jobs,
    /// Pods.
    Pods,
}

impl Index {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Nothing that is done under the lock can leave it half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A watch begins to tell everything there is.
    pub(crate) fn begin(&self, subject: Subject, namespace: Option<&str>) {
        let mut inner = self.inner();
        match subject {
            Subject::Resources(kind) => inner.shelf_mut(kind).begin(namespace),
            Subject::Jobs => inner.jobs.begin(namespace),
            Subject::Pods => inner.pods.begin(namespace),
        }
    }

    /// A watch has told everything there is: what it has not told is gone. Returns whom that
    /// concerns.
    pub(crate) fn finish(&self, subject: Subject, namespace: Option<&str>) -> Vec<Key> {
        let mut inner = self.inner();
        match subject {
            Subject::Resources(kind) => {
                let gone = inner.shelf_mut(kind).finish(namespace);
                for (_, known) in gone {
                    inner.forget(known.uid());
                }
                Vec::new()
            }
            Subject::Jobs => {
                let gone = inner.jobs.finish(namespace);
                inner.keys_of(gone.into_iter().map(|(uid, _)| uid))
            }
            Subject::Pods => {
                let gone = inner.pods.finish(namespace);
                inner.keys_of(gone.into_iter().map(|(uid, _)| uid))
            }
        }
    }

    /// Learns of a resource by a watch. Returns whom that concerns.
    pub(crate) fn put_resource(&self, resource: Resource) -> Vec<Key> {
        let key = Key::of(&resource);
        if !self.put_written(resource) {
            return Vec::new();
        }
        let mut keys: Vec<_> = self
            .inner()
            .waiting
            .remove(&key)
            .into_iter()
            .flatten()
            .collect();
        keys.push(key);
        keys
    }

    /// Learns of a resource that this process has written itself; the watch will tell of it too,
    /// and whom it concerns. Whether it is news.
    pub(crate) fn put_written(&self, resource: Resource) -> bool {
        let key = Key::of(&resource);
        let uid: Uid = resource.uid().unwrap_or_default().into();
        let metadata = resource.metadata();
        let version = metadata.resource_version.clone().unwrap_or_default();
        let known = known(resource);
        let mut inner = self.inner();
        let is_over = matches!(known, Known::Over(_));
        let is_news = inner.put(&key, &version, known);
        if is_news && is_over {
            inner.settle(&uid);
        }
        if is_news {
            inner.keys.insert(uid, key);
        }
        is_news
    }

    /// Learns of a resource that cannot be read.
    pub(crate) fn put_malformed(&self, key: Key, version: &str, malformed: Malformed) -> Vec<Key> {
        let uid: Uid = malformed.uid.as_str().into();
        let mut inner = self.inner();
        if !inner.put(&key, version, Known::Malformed(Arc::new(malformed))) {
            return Vec::new();
        }
        inner.keys.insert(uid, key.clone());
        vec![key]
    }

    /// Learns that a resource is gone.
    pub(crate) fn remove_resource(&self, key: &Key) -> Vec<Key> {
        let mut inner = self.inner();
        if let Some(known) = inner.shelf_mut(key.kind).remove(&key.namespace, &key.name) {
            inner.forget(known.uid());
        }
        inner.waiting.remove(key).into_iter().flatten().collect()
    }

    /// Learns of a Job. Returns whom that concerns.
    pub(crate) fn put_job(&self, namespace: &str, job: JobSeen) -> Option<Key> {
        let mut inner = self.inner();
        let uid: Uid = job.origin.uid.as_str().into();
        if inner.is_over(&uid) && job.end.is_some() {
            inner.jobs.remove(&uid, &job.name);
            return None;
        }
        let (name, version) = (job.name.clone(), job.version.clone());
        let place = (namespace, name.as_str());
        let is_news = inner.jobs.put(uid.clone(), place, &version, job);
        is_news.then(|| inner.keys.get(&uid).cloned()).flatten()
    }

    /// Learns that a Job is gone.
    pub(crate) fn remove_job(&self, job: &JobSeen) -> Option<Key> {
        let mut inner = self.inner();
        let uid: Uid = job.origin.uid.as_str().into();
        // A Job of the same name may have been made since.
        let is_it = inner
            .jobs
            .get(&uid, &job.name)
            .is_some_and(|it| it.uid == job.uid);
        if is_it {
            inner.jobs.remove(&uid, &job.name);
        }
        inner.keys.get(&uid).cloned()
    }

    /// Learns of a pod, and how it has ended if it has.
    pub(crate) fn put_pod(
        &self,
        namespace: &str,
        pod: PodSeen,
        ended: Option<&Ended>,
    ) -> Option<Key> {
        let mut inner = self.inner();
        let uid: Uid = pod.origin.uid.as_str().into();
        if inner.is_over(&uid) {
            return None;
        }
        if let (Some(ended), true) = (ended, inner.keys.contains_key(&uid)) {
            let memo = inner.memos.entry(uid.clone()).or_default();
            memo.heard.hear(&pod, ended);
        }
        let (name, version) = (pod.name.clone(), pod.version.clone());
        let place = (namespace, name.as_str());
        let is_news = inner.pods.put(uid.clone(), place, &version, pod);
        is_news.then(|| inner.keys.get(&uid).cloned()).flatten()
    }

    /// Learns that a pod is gone.
    pub(crate) fn remove_pod(&self, pod: &PodSeen) -> Option<Key> {
        let mut inner = self.inner();
        let uid: Uid = pod.origin.uid.as_str().into();
        inner.pods.remove(&uid, &pod.name);
        inner.keys.get(&uid).cloned()
    }

    /// Learns how far tasks of a resource are.
    pub(crate) fn put_progress(&self, uid: &str, task: TaskRef, progress: Progress) -> Option<Key> {
        let mut inner = self.inner();
        let key = inner.keys.get(uid).cloned()?;
        let memo = inner.memos.entry(uid.into()).or_default();
        memo.heard.progress.insert(task, progress);
        Some(key)
    }

    /// Changes what is kept of a live resource.
    pub(crate) fn note(&self, uid: &str, change: impl FnOnce(&mut Memo)) {
        let mut inner = self.inner();
        if inner.keys.contains_key(uid) && !inner.is_over(uid) {
            change(inner.memos.entry(uid.into()).or_default());
        }
    }

    /// Whether a malformed resource was reported as it is.
    pub(crate) fn is_reported(&self, malformed: &Malformed) -> bool {
        let reported = &self.inner().reported;
        reported.get(malformed.uid.as_str()) == Some(&malformed.generation)
    }

    /// Notes that a malformed resource was reported as it is.
    pub(crate) fn note_reported(&self, malformed: &Malformed) {
        let uid = malformed.uid.as_str().into();
        self.inner().reported.insert(uid, malformed.generation);
    }

    /// The resources that a new leader has to look at: all but those that have ended and of which
    /// nothing is left.
    pub(crate) fn unsettled(&self) -> Vec<Key> {
        let inner = self.inner();
        let is_unsettled = |(uid, key): &(&Uid, &Key)| match inner
            .shelf(key.kind)
            .get(&key.namespace, &key.name)
        {
            Some(Known::Over(over)) => over.ttl.is_some() || inner.jobs.of(*uid).next().is_some(),
            known => known.is_some(),
        };
        let unsettled = inner.keys.iter().filter(is_unsettled);
        unsettled.map(|(_, key)| key.clone()).collect()
    }

    /// A resource.
    pub(crate) fn get(&self, key: &Key) -> Option<Known> {
        let inner = self.inner();
        inner
            .shelf(key.kind)
            .get(&key.namespace, &key.name)
            .cloned()
    }

    /// The Jobs of a resource that has ended and which have not.
    pub(crate) fn leftovers(&self, uid: &str) -> Vec<JobSeen> {
        self.inner().jobs.of(&uid.into()).cloned().collect()
    }

    /// Everything that is known of a live resource.
    pub(crate) fn dossier(&self, key: &Key, resource: Arc<Resource>) -> Dossier {
        let mut inner = self.inner();
        let uid: Uid = resource.uid().unwrap_or_default().into();
        let model = inner.model(key, &resource);
        let mut jobs: BTreeMap<StageKind, JobSeen> = BTreeMap::new();
        for job in inner.jobs.of(&uid) {
            let latest = jobs.entry(job.origin.stage).or_insert_with(|| job.clone());
            if latest.origin.attempt < job.origin.attempt {
                *latest = job.clone();
            }
        }
        let attempt = |pod: &PodSeen| jobs.get(&pod.origin.stage).map(|it| it.origin.attempt);
        let is_latest = |pod: &&PodSeen| attempt(pod) == Some(pod.origin.attempt);
        let pods = inner.pods.of(&uid).filter(is_latest).cloned().collect();
        let memo = inner.memos.get(&uid).cloned().unwrap_or_default();
        Dossier {
            resource,
            jobs,
            pods,
            memo,
            model,
        }
    }

    /// Pods that run, with the resource's uid and its namespace: at most one for each resource and
    /// stage, and those first whose progress has not been heard.
    pub(crate) fn running(&self) -> Vec<(Arc<str>, Key, PodSeen)> {
        let inner = self.inner();
        let mut running = Vec::new();
        for (uid, key) in &inner.keys {
            let progress = inner.memos.get(uid).map(|memo| &memo.heard.progress);
            let is_heard = |pod: &PodSeen| {
                let told = progress.and_then(|it| it.get(&pod.task()));
                told.map(|it| it.done)
            };
            let pods = inner.pods.of(uid);
            let pods = pods.filter(|pod| matches!(pod.state, PodState::Running { .. }));
            if let Some(pod) = pods.min_by_key(|pod| is_heard(pod)) {
                running.push((uid.clone(), key.clone(), pod.clone()));
            }
        }
        running
    }

    /// How many resources of a kind are in a phase; a malformed one has none.
    pub(crate) fn phases(&self) -> BTreeMap<(Kind, Option<Phase>), i64> {
        let inner = self.inner();
        let mut phases = BTreeMap::new();
        for kind in [Kind::TrainingRun, Kind::ScreeningJob] {
            for (_, _, known) in inner.shelf(kind).all() {
                let phase = match known {
                    Known::Live(resource) => {
                        let phase = resource.status().and_then(|status| status.phase);
                        Some(phase.unwrap_or(Phase::Pending))
                    }
                    Known::Over(over) => Some(over.phase),
                    Known::Malformed(_) => None,
                };
                *phases.entry((kind, phase)).or_default() += 1;
            }
        }
        phases
    }
}

impl Inner {
    const fn shelf(&self, kind: Kind) -> &Shelf<Arc<str>, Known> {
        match kind {
            Kind::TrainingRun => &self.trainings,
            Kind::ScreeningJob => &self.screenings,
        }
    }

    const fn shelf_mut(&mut self, kind: Kind) -> &mut Shelf<Arc<str>, Known> {
        match kind {
            Kind::TrainingRun => &mut self.trainings,
            Kind::ScreeningJob => &mut self.screenings,
        }
    }

    fn put(&mut self, key: &Key, version: &str, known: Known) -> bool {
        let uid = known.uid().to_owned();
        let shelf = self.shelf_mut(key.kind);
        let before = shelf.get(&key.namespace, &key.name);
        let before = before.map(|known| known.uid().to_owned());
        let place = (&*key.namespace, &*key.name);
        let is_put = shelf.put(key.namespace.clone(), place, version, known);
        // A name that is used again at once may be told of without its end in between.
        if let (true, Some(before)) = (is_put, before)
            && before != uid
        {
            self.forget(&before);
        }
        is_put
    }

    fn keys_of(&self, uids: impl Iterator<Item = Uid>) -> Vec<Key> {
        let uids: BTreeSet<Uid> = uids.collect();
        uids.iter()
            .filter_map(|uid| self.keys.get(uid).cloned())
            .collect()
    }

    fn forget(&mut self, uid: &str) {
        self.keys.remove(uid);
        self.memos.remove(uid);
        self.reported.remove(uid);
    }

    /// Drops what a resource that has ended does not need.
    fn settle(&mut self, uid: &Uid) {
        self.memos.remove(uid);
        self.pods.retain(uid, |_| false);
        self.jobs.retain(uid, |job| job.end.is_none());
    }

    fn is_over(&self, uid: &str) -> bool {
        let key = self.keys.get(uid);
        let known = key.and_then(|key| self.shelf(key.kind).get(&key.namespace, &key.name));
        matches!(known, Some(Known::Over(_)))
    }

    /// Where the model of a screening is; it is looked at again when its training run changes.
    fn model(&mut self, key: &Key, resource: &Resource) -> Model {
        let Resource::ScreeningJob(job) = resource else {
            return Model::Given;
        };
        let Some(name) = &job.spec.model.training_run else {
            return Model::Given;
        };
        if let Some(model) = job.status.as_ref().and_then(|status| status.model.clone()) {
            return Model::Found(model);
        }
        let run = Key::new(Kind::TrainingRun, &key.namespace, name);
        let model = match self.trainings.get(&run.namespace, &run.name) {
            None => Model::Waiting(format!(
                "There is no TrainingRun {name} in this namespace yet"
            )),
            Some(Known::Live(_)) => Model::Waiting(format!(
                "The TrainingRun {name} has not published its model yet"
            )),
            Some(Known::Malformed(_)) => {
                Model::Waiting(format!("The TrainingRun {name} cannot be read"))
            }
            Some(Known::Over(over)) => match &over.model {
                Some(model) => Model::Found((**model).clone()),
                None => Model::Missing(format!(
                    "The TrainingRun {name} has ended without a published model: name one that \
                     has published"
                )),
            },
        };
        if let Model::Waiting(_) = model {
            self.waiting.entry(run).or_default().insert(key.clone());
        }
        model
    }
}

#[cfg(test)]
mod tests;
