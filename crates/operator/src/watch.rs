//! Watches: what the API server tells goes into the index, and whom it concerns into the queue.
//!
//! A watch never ends: after an error it is tried again, soon and then every few seconds.

use std::fmt::Debug;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use kube::api::Api;
use kube::core::{DeserializeGuard, NamespaceResourceScope};
use kube::runtime::WatchStreamExt;
use kube::runtime::utils::Backoff;
use kube::runtime::watcher::{Config, DefaultBackoff, Error, Event, watcher};
use kube::{Client, ResourceExt};
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use super::index::{Index, Subject};
use super::names::{ATTRIUM, MANAGED_BY};
use super::queue::Requests;
use super::resource_entry::{Key, Kind, Malformed};
use super::snapshot::{JobSeen, PodSeen, ended};
use attrium_api::Resource;

/// How many objects are listed at a time; a page of them is in memory at once.
const PAGE: u32 = 100;

/// What all watches share.
#[derive(Clone)]
pub(super) struct Watches {
    pub(super) client: Client,
    /// The namespaces that are watched; all of them where there is none.
    pub(super) namespaces: Vec<String>,
    pub(super) index: Arc<Index>,
    pub(super) requests: Requests,
}

/// Whether the caches have been filled once.
pub(super) type Synced = watch::Receiver<bool>;

impl Watches {
    /// Starts every watch: of resources first, since what is kept of Jobs and pods depends on
    /// them.
    pub(super) fn start(self) -> Synced {
        let (sender, synced) = watch::channel(false);
        tokio::spawn(async move {
            let trainings = self.of_kind(Kind::TrainingRun, Resource::from_training);
            let screenings = self.of_kind(Kind::ScreeningJob, Resource::from_screening);
            all_ready(trainings.into_iter().chain(screenings)).await;
            all_ready(self.jobs()).await;
            all_ready(self.pods()).await;
            tracing::info!("The caches are filled");
            sender.send_replace(true);
            // Whoever waits may come later; the channel lives as long as the process.
            sender.closed().await;
        });
        synced
    }

    fn scopes(&self) -> Vec<Option<String>> {
        if self.namespaces.is_empty() {
            vec![None]
        } else {
            self.namespaces.iter().cloned().map(Some).collect()
        }
    }

    fn api<K>(&self, scope: Option<&str>) -> Api<K>
    where
        K: kube::Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    {
        match scope {
            Some(namespace) => Api::namespaced(self.client.clone(), namespace),
            None => Api::all(self.client.clone()),
        }
    }

    fn of_kind<K>(&self, kind: Kind, wrap: fn(K) -> Resource) -> Vec<Synced>
    where
        K: kube::Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
        K: Clone + Debug + DeserializeOwned + Send + Sync + 'static,
    {
        let subject = Subject::Resources(kind);
        self.watch(subject, Config::default(), move |index, event| {
            resource_event(index, kind, wrap, event)
        })
    }

    fn jobs(&self) -> Vec<Synced> {
        let config = Config::default().labels(&format!("{MANAGED_BY}={ATTRIUM}"));
        self.watch(Subject::Jobs, config, job_event)
    }

    fn pods(&self) -> Vec<Synced> {
        let config = Config::default().labels(&format!("{MANAGED_BY}={ATTRIUM}"));
        self.watch(Subject::Pods, config, pod_event)
    }

    /// Watches one type of object in every scope.
    fn watch<K>(
        &self,
        subject: Subject,
        config: Config,
        tell: impl Fn(&Index, Event<K>) -> Vec<Key> + Clone + Send + 'static,
    ) -> Vec<Synced>
    where
        K: kube::Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
        K: Clone + Debug + DeserializeOwned + Send + Sync + 'static,
    {
        let config = config.page_size(PAGE);
        let follow = |scope: Option<String>| {
            let (sender, synced) = watch::channel(false);
            let api = self.api::<K>(scope.as_deref());
            let follower = Follower {
                subject,
                scope,
                index: self.index.clone(),
                requests: self.requests.clone(),
                synced: sender,
                is_failing: false,
            };
            tokio::spawn(follower.follow(api, config.clone(), tell.clone()));
            synced
        };
        self.scopes().into_iter().map(follow).collect()
    }
}

async fn all_ready(watches: impl IntoIterator<Item = Synced>) {
    for mut synced in watches {
        // A watch never ends, so that its sender stays.
        let _ = synced.wait_for(|synced| *synced).await;
    }
}

/// One watch as it goes.
struct Follower {
    subject: Subject,
    scope: Option<String>,
    index: Arc<Index>,
    requests: Requests,
    synced: watch::Sender<bool>,
    is_failing: bool,
}

impl Follower {
    async fn follow<K>(
        mut self,
        api: Api<K>,
        config: Config,
        tell: impl Fn(&Index, Event<K>) -> Vec<Key>,
    ) where
        K: kube::Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + 'static,
    {
        let mut events = pin!(watcher(api, config).backoff(Pauses::default()));
        while let Some(event) = events.next().await {
            match event {
                Ok(event) => self.tell(event, &tell),
                Err(error) => self.fail(&error),
            }
        }
    }

    fn tell<K>(&mut self, event: Event<K>, tell: &impl Fn(&Index, Event<K>) -> Vec<Key>) {
        // A watch that begins anew may fail again at its first page.
        if self.is_failing && !matches!(event, Event::Init) {
            self.is_failing = false;
            tracing::info!(subject = ?self.subject, "The watch goes on");
        }
        let scope = self.scope.as_deref();
        let keys = match event {
            Event::Init => {
                self.index.begin(self.subject, scope);
                Vec::new()
            }
            Event::InitDone => {
                let keys = self.index.finish(self.subject, scope);
                self.synced.send_replace(true);
                keys
            }
            event => tell(&self.index, event),
        };
        for key in keys {
            self.requests.now(key);
        }
    }

    /// Says once what is wrong; it is tried again by itself.
    fn fail(&mut self, error: &Error) {
        let subject = self.subject;
        if self.is_failing {
            tracing::debug!(?subject, %error, "The watch fails still");
            return;
        }
        self.is_failing = true;
        let missing = matches!(code(error), Some(404));
        let remedy = match (missing, subject) {
            (true, Subject::Resources(_)) => {
                "the custom resources are not installed: install the chart, or apply what `attrium \
                 crds` prints; until then the operator waits"
            }
            _ => "it is tried again until it goes",
        };
        tracing::warn!(?subject, %error, remedy, "The watch fails");
    }
}

/// The HTTP status of an error, if the API server gave one.
fn code(error: &Error) -> Option<u16> {
    match error {
        Error::InitialListFailed(kube::Error::Api(status))
        | Error::WatchStartFailed(kube::Error::Api(status))
        | Error::WatchFailed(kube::Error::Api(status)) => Some(status.code),
        Error::WatchError(status) => Some(status.code),
        _ => None,
    }
}

/// kube's pauses after errors, but never a long one: whoever brings an API server back wants to see
/// things go on.
#[derive(Default)]
struct Pauses(DefaultBackoff);

/// The longest pause.
const PAUSE: Duration = Duration::from_secs(5);

impl Iterator for Pauses {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.0.next().map(|pause| pause.min(PAUSE))
    }
}

impl Backoff for Pauses {
    fn reset(&mut self) {
        self.0.reset();
    }
}

fn resource_event<K>(
    index: &Index,
    kind: Kind,
    wrap: fn(K) -> Resource,
    event: Event<DeserializeGuard<K>>,
) -> Vec<Key>
where
    K: kube::Resource<DynamicType = ()>,
{
    match event {
        Event::Apply(guard) | Event::InitApply(guard) => match guard.0 {
            Ok(resource) => index.put_resource(wrap(resource)),
            Err(invalid) => {
                let metadata = invalid.metadata;
                let namespace = metadata.namespace.unwrap_or_default();
                let key = Key::new(kind, &namespace, &metadata.name.unwrap_or_default());
                let malformed = Malformed {
                    uid: metadata.uid.unwrap_or_default(),
                    generation: metadata.generation,
                    error: invalid.error,
                };
                let version = metadata.resource_version.unwrap_or_default();
                index.put_malformed(key, &version, malformed)
            }
        },
        Event::Delete(guard) => {
            let namespace = guard.namespace().unwrap_or_default();
            index.remove_resource(&Key::new(kind, &namespace, &guard.name_any()))
        }
        Event::Init | Event::InitDone => Vec::new(),
    }
}

fn job_event(index: &Index, event: Event<Job>) -> Vec<Key> {
    let key = match event {
        Event::Apply(job) | Event::InitApply(job) => {
            let namespace = job.namespace().unwrap_or_default();
            JobSeen::of(&job).and_then(|job| index.put_job(&namespace, job))
        }
        Event::Delete(job) => JobSeen::of(&job).and_then(|job| index.remove_job(&job)),
        Event::Init | Event::InitDone => None,
    };
    key.into_iter().collect()
}

fn pod_event(index: &Index, event: Event<Pod>) -> Vec<Key> {
    let key = match event {
        Event::Apply(pod) | Event::InitApply(pod) => {
            let namespace = pod.namespace().unwrap_or_default();
            let ended = ended(&pod, false);
            PodSeen::of(&pod).and_then(|pod| index.put_pod(&namespace, pod, ended.as_ref()))
        }
        // A pod may go together with its end.
        Event::Delete(pod) => {
            let namespace = pod.namespace().unwrap_or_default();
            let ended = ended(&pod, true);
            PodSeen::of(&pod).and_then(|pod| {
                index.put_pod(&namespace, pod.clone(), ended.as_ref());
                index.remove_pod(&pod)
            })
        }
        Event::Init | Event::InitDone => None,
    };
    key.into_iter().collect()
}
