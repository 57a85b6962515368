//! Watches: what the API server delivers goes into the index, and the resources that it concerns into
//! the work queue.
//!
//! A watch never ends: after an error it is started anew, soon and then every few seconds; in a namespace
//! that may not be read, or is gone, every few minutes, while the others are served. A resource without a
//! uid gets no further than this.

use std::fmt::Debug;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::StreamExt;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use kube::api::Api;
use kube::core::error_boundary::InvalidObject;
use kube::core::{DeserializeGuard, NamespaceResourceScope};
use kube::runtime::WatchStreamExt;
use kube::runtime::utils::Backoff;
use kube::runtime::watcher::{Config, DefaultBackoff, Error, Event, InitialListStrategy, watcher};
use kube::{Client, ResourceExt};
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use super::created_resource::CreatedResource;
use super::index::{Index, Watched};
use super::names::{ATTRIUM, MANAGED_BY};
use super::queue::WorkQueue;
use super::resource_entry::{MalformedResource, ResourceKey};
use super::snapshot::{JobSnapshot, PodSnapshot, termination};
use super::versioned_store::Delivery;
use attrium_api::{Kind, Resource, Uid};

/// How many objects are listed at a time where the API server does not stream lists; a page of them is in
/// memory at once, and an object may have a megabyte.
const PAGE: u32 = 16;

/// What all watches share.
#[derive(Clone)]
pub(super) struct Watches {
    pub(super) client: Client,
    /// The namespaces that are watched; all of them where there is none.
    pub(super) namespaces: Vec<String>,
    pub(super) index: Arc<Index>,
    pub(super) queue: WorkQueue,
}

/// Whether the caches have been filled once, but for those of namespaces that may not be read.
pub(super) type Synced = watch::Receiver<bool>;

/// What has become of a watch's first list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FirstList {
    /// It is awaited.
    Awaited,
    /// It is in the index.
    Indexed,
    /// It is not to be had: nobody waits for it.
    Forbidden,
}

type FirstListed = watch::Receiver<FirstList>;

impl Watches {
    /// Starts every watch: of resources first, since what is kept of Jobs and pods depends on
    /// them.
    pub(super) fn start(self) -> Synced {
        let (sender, synced) = watch::channel(false);
        tokio::spawn(async move {
            let training_runs = self.of_kind(Kind::TrainingRun, Resource::from_training);
            let screening_jobs = self.of_kind(Kind::ScreeningJob, Resource::from_screening);
            all_listed(training_runs.into_iter().chain(screening_jobs)).await;
            all_listed(self.jobs()).await;
            all_listed(self.pods()).await;
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

    fn of_kind<K>(&self, kind: Kind, wrap: fn(K) -> Resource) -> Vec<FirstListed>
    where
        K: kube::Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
        K: Clone + Debug + DeserializeOwned + Send + Sync + 'static,
    {
        let watched = Watched::Resources(kind);
        self.watch(watched, Config::default(), move |index, event| {
            resource_event(index, kind, wrap, event)
        })
    }

    fn jobs(&self) -> Vec<FirstListed> {
        let config = Config::default().labels(&format!("{MANAGED_BY}={ATTRIUM}"));
        self.watch(Watched::Jobs, config, job_event)
    }

    fn pods(&self) -> Vec<FirstListed> {
        let config = Config::default().labels(&format!("{MANAGED_BY}={ATTRIUM}"));
        self.watch(Watched::Pods, config, pod_event)
    }

    /// Watches one type of object in every scope.
    fn watch<K>(
        &self,
        watched: Watched,
        config: Config,
        apply: impl Fn(&Index, Event<K>) -> Vec<ResourceKey> + Clone + Send + 'static,
    ) -> Vec<FirstListed>
    where
        K: kube::Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
        K: Clone + Debug + DeserializeOwned + Send + Sync + 'static,
    {
        // Streamed, a list costs the memory of one object.
        let config = config.page_size(PAGE).streaming_lists();
        let follow = |scope: Option<String>| {
            let (sender, first_listed) = watch::channel(FirstList::Awaited);
            let api = self.api::<K>(scope.as_deref());
            let follower = Follower {
                watched,
                scope,
                index: self.index.clone(),
                queue: self.queue.clone(),
                first_list: sender,
                is_failing: false,
                is_forbidden: Arc::default(),
            };
            tokio::spawn(follower.follow(api, config.clone(), apply.clone()));
            first_listed
        };
        self.scopes().into_iter().map(follow).collect()
    }
}

async fn all_listed(watches: impl IntoIterator<Item = FirstListed>) {
    for mut first_list in watches {
        // A watch never ends, so that its sender stays.
        let _ = first_list.wait_for(|it| *it != FirstList::Awaited).await;
    }
}

/// One watch as it goes.
struct Follower {
    watched: Watched,
    scope: Option<String>,
    index: Arc<Index>,
    queue: WorkQueue,
    first_list: watch::Sender<FirstList>,
    is_failing: bool,
    /// Whether its namespace may not be read.
    is_forbidden: Arc<AtomicBool>,
}

impl Follower {
    async fn follow<K>(
        mut self,
        api: Api<K>,
        mut config: Config,
        apply: impl Fn(&Index, Event<K>) -> Vec<ResourceKey>,
    ) where
        K: kube::Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + 'static,
    {
        loop {
            let pauses = Pauses {
                is_forbidden: self.is_forbidden.clone(),
                ..Pauses::default()
            };
            let mut events = pin!(watcher(api.clone(), config.clone()).backoff(pauses));
            while let Some(event) = events.next().await {
                match event {
                    Ok(event) => self.handle(event, &apply),
                    Err(error) if cannot_stream(&error) => break,
                    Err(error) => self.fail(&error),
                }
            }
            config.initial_list_strategy = InitialListStrategy::ListWatch;
        }
    }

    fn handle<K>(
        &mut self,
        event: Event<K>,
        apply: &impl Fn(&Index, Event<K>) -> Vec<ResourceKey>,
    ) {
        // A watch that starts anew may fail again at its first page.
        if self.is_failing && !matches!(event, Event::Init) {
            self.is_failing = false;
            self.is_forbidden.store(false, Ordering::Relaxed);
            tracing::info!(watched = ?self.watched, namespace = self.scope, "The watch goes on");
        }
        let scope = self.scope.as_deref();
        let keys = match event {
            Event::Init => {
                self.index.begin_relist(self.watched, scope);
                Vec::new()
            }
            Event::InitDone => {
                let keys = self.index.end_relist(self.watched, scope);
                self.first_list.send_replace(FirstList::Indexed);
                keys
            }
            event => apply(&self.index, event),
        };
        for key in keys {
            self.queue.add(key);
        }
    }

    /// Says once what is wrong; the watch is retried by itself.
    fn fail(&mut self, error: &Error) {
        let (watched, namespace) = (self.watched, self.scope.as_deref());
        let code = code(error);
        if namespace.is_some() && code == Some(403) {
            self.is_forbidden.store(true, Ordering::Relaxed);
            self.index.lose(watched, namespace);
            self.first_list.send_if_modified(|it| {
                let is_awaited = *it == FirstList::Awaited;
                if is_awaited {
                    *it = FirstList::Forbidden;
                }
                is_awaited
            });
        }
        if self.is_failing {
            tracing::debug!(?watched, namespace, %error, "The watch still fails");
            return;
        }
        self.is_failing = true;
        let remedy = match (code, watched) {
            (Some(404), Watched::Resources(_)) => {
                "the custom resources are not installed: install the chart, or apply what `attrium \
                 crds` prints; until then the operator waits"
            }
            (Some(403), _) if namespace.is_some() => {
                "the namespace is gone, or the operator may not read it: the others are served; give \
                 the operator its role there, or take the namespace from those that it watches"
            }
            _ => "it is retried until it succeeds",
        };
        tracing::warn!(?watched, namespace, %error, remedy, "The watch fails");
    }
}

/// Whether the API server does not stream lists: its feature WatchList may be off.
fn cannot_stream(error: &Error) -> bool {
    let refused = match error {
        Error::WatchStartFailed(kube::Error::Api(status)) => &**status,
        Error::WatchError(status) => &**status,
        _ => return false,
    };
    refused.code == 422 && refused.message.contains("sendInitialEvents")
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

/// Pauses after errors that double. Never a long one, so that work goes on as soon as the API server is
/// back, but where a namespace may not be read.
#[derive(Default)]
struct Pauses {
    pauses: DefaultBackoff,
    failures: u32,
    is_forbidden: Arc<AtomicBool>,
}

/// The longest pause.
const PAUSE: Duration = Duration::from_secs(5);
/// The longest pause of a watch that is forbidden.
const FORBIDDEN_PAUSE: Duration = Duration::from_secs(120);

impl Iterator for Pauses {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.failures = (self.failures + 1).min(16);
        let pause = self.pauses.next()?;
        if self.is_forbidden.load(Ordering::Relaxed) {
            let doubled = Duration::from_secs(1) * (1 << self.failures);
            Some(pause.max(doubled).min(FORBIDDEN_PAUSE))
        } else {
            Some(pause.min(PAUSE))
        }
    }
}

impl Backoff for Pauses {
    fn reset(&mut self) {
        self.pauses.reset();
        self.failures = 0;
    }
}

fn delivery<K>(event: &Event<K>) -> Delivery {
    match event {
        Event::InitApply(_) => Delivery::Listed,
        _ => Delivery::Changed,
    }
}

pub(super) fn resource_event<K>(
    index: &Index,
    kind: Kind,
    wrap: fn(K) -> Resource,
    event: Event<DeserializeGuard<K>>,
) -> Vec<ResourceKey>
where
    K: kube::Resource<DynamicType = ()>,
{
    let delivery = delivery(&event);
    match event {
        Event::Apply(guard) | Event::InitApply(guard) => match guard.0 {
            Ok(resource) => CreatedResource::new(wrap(resource))
                .map(|resource| index.apply_resource(resource, delivery))
                .unwrap_or_default(),
            Err(invalid) => malformed_event(index, kind, invalid, delivery),
        },
        Event::Delete(guard) => {
            let namespace = guard.namespace().unwrap_or_default();
            index.delete_resource(&ResourceKey::new(kind, &namespace, &guard.name_any()))
        }
        Event::Init | Event::InitDone => Vec::new(),
    }
}

fn malformed_event(
    index: &Index,
    kind: Kind,
    invalid: InvalidObject,
    delivery: Delivery,
) -> Vec<ResourceKey> {
    let metadata = invalid.metadata;
    let Some(uid) = metadata.uid.and_then(Uid::new) else {
        return Vec::new();
    };
    let namespace = metadata.namespace.unwrap_or_default();
    let key = ResourceKey::new(kind, &namespace, &metadata.name.unwrap_or_default());
    let malformed = MalformedResource {
        uid,
        generation: metadata.generation,
        error: invalid.error,
    };
    let version = metadata.resource_version.unwrap_or_default();
    index.apply_malformed(key, &version, malformed, delivery)
}

pub(super) fn job_event(index: &Index, event: Event<Job>) -> Vec<ResourceKey> {
    let delivery = delivery(&event);
    let key = match event {
        Event::Apply(job) | Event::InitApply(job) => {
            JobSnapshot::of(&job).and_then(|job| index.apply_job(job, delivery))
        }
        Event::Delete(job) => JobSnapshot::of(&job).and_then(|job| index.delete_job(&job)),
        Event::Init | Event::InitDone => None,
    };
    key.into_iter().collect()
}

pub(super) fn pod_event(index: &Index, event: Event<Pod>) -> Vec<ResourceKey> {
    let delivery = delivery(&event);
    let key = match event {
        Event::Apply(pod) | Event::InitApply(pod) => {
            let termination = termination(&pod, false);
            PodSnapshot::of(&pod).and_then(|pod| index.apply_pod(pod, termination, delivery))
        }
        // A pod may be deleted together with its end.
        Event::Delete(pod) => {
            let termination = termination(&pod, true);
            PodSnapshot::of(&pod).and_then(|pod| {
                index.apply_pod(pod.clone(), termination, delivery);
                index.delete_pod(&pod)
            })
        }
        Event::Init | Event::InitDone => None,
    };
    key.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use attrium_api::TrainingRun;

    use super::*;
    use crate::fixtures::{Answer, UID, server};
    use crate::queue::work_queue;

    fn applied(index: &Index, run: TrainingRun) -> Vec<ResourceKey> {
        let event = Event::Apply(DeserializeGuard(Ok(run)));
        resource_event(index, Kind::TrainingRun, Resource::from_training, event)
    }

    #[test]
    fn a_watch_that_is_forbidden_pauses_for_minutes_and_any_other_for_seconds() {
        let is_forbidden = Arc::<AtomicBool>::default();
        let mut pauses = Pauses {
            is_forbidden: is_forbidden.clone(),
            ..Pauses::default()
        };
        let longest = |pauses: &mut Pauses| pauses.take(20).max().expect("pauses");
        assert!(longest(&mut pauses) <= PAUSE);
        is_forbidden.store(true, Ordering::Relaxed);
        assert_eq!(longest(&mut pauses), FORBIDDEN_PAUSE);
        pauses.reset();
        assert!(pauses.next().expect("a pause") <= PAUSE);
    }

    /// A follower of the Jobs of a namespace, and what tells of its first list.
    fn follower(index: &Arc<Index>, namespace: Option<&str>) -> (Follower, FirstListed) {
        let (first_list, first_listed) = watch::channel(FirstList::Awaited);
        let follower = Follower {
            watched: Watched::Jobs,
            scope: namespace.map(str::to_owned),
            index: index.clone(),
            queue: work_queue().0,
            first_list,
            is_failing: false,
            is_forbidden: Arc::default(),
        };
        (follower, first_listed)
    }

    fn refusal(code: u16) -> Error {
        let status = kube::core::Status::failure("no", "Forbidden").with_code(code);
        Error::InitialListFailed(kube::Error::Api(status.boxed()))
    }

    #[test]
    fn a_namespace_that_is_gone_is_not_waited_for_and_any_other_failure_is() {
        let index = Arc::new(Index::default());
        let after = |namespace, code| {
            let (mut follower, first_listed) = follower(&index, namespace);
            follower.fail(&refusal(code));
            *first_listed.borrow()
        };
        assert_eq!(after(Some("gone"), 403), FirstList::Forbidden);
        assert_eq!(after(Some("slow"), 503), FirstList::Awaited);
        assert_eq!(after(None, 403), FirstList::Awaited);
        assert_eq!(after(None, 404), FirstList::Awaited);
    }

    #[test]
    fn a_namespace_that_may_be_read_again_is_served_again() {
        let index = Arc::new(Index::default());
        let (mut follower, first_listed) = follower(&index, Some("hospital"));
        follower.fail(&refusal(403));
        follower.handle(Event::Init, &job_event);
        follower.handle(Event::InitDone, &job_event);
        assert_eq!(*first_listed.borrow(), FirstList::Indexed);
        assert!(!follower.is_forbidden.load(Ordering::Relaxed));
    }

    #[tokio::test]
    async fn an_api_server_that_does_not_stream_lists_is_asked_for_pages() {
        let words =
            "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled";
        let list = serde_json::json!({
            "apiVersion": "batch/v1", "kind": "JobList",
            "metadata": {"resourceVersion": "7"}, "items": [],
        });
        let (client, server) = server(vec![
            Answer::deny("/apis/batch/v1/jobs", 422, words).asked("GET"),
            Answer::get("/apis/batch/v1/jobs", &list),
        ]);
        let index = Arc::new(Index::default());
        let (follower, mut first_listed) = follower(&index, None);
        let config = Config::default().page_size(PAGE).streaming_lists();
        let following = tokio::spawn(follower.follow(Api::all(client), config, job_event));
        let listed = first_listed.wait_for(|it| *it == FirstList::Indexed);
        tokio::time::timeout(Duration::from_secs(5), listed)
            .await
            .expect("should be listed")
            .expect("should be followed");
        following.abort();
        server.done_so_far();
    }

    #[test]
    fn a_resource_without_a_uid_gets_no_further_than_the_watch() {
        let index = Index::default();
        let mut run = attrium_fixtures::training_run();
        run.metadata.uid = None;
        assert_eq!(applied(&index, run.clone()), []);
        run.metadata.uid = Some(UID.to_owned());
        assert_eq!(applied(&index, run).len(), 1);
    }
}
