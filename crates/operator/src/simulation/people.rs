//! People, and programs of others: what they ask for, change and delete.

use attrium_types::random::{ChaCha8Rng, below};
use serde_json::{Value, json};

use super::checks::{is_end, succeeded};
use super::cluster::{Cluster, Key, Type, is_going, text};
use super::job_controller::has_ended;
use crate::fixtures::{screening_job, training_run};
use crate::names;
use attrium_api::RETRY_ANNOTATION;

/// The namespaces in which there are resources.
pub(super) const NAMESPACES: [&str; 2] = ["clinic", "hospital"];
/// The most resources that there are at a time.
const MAX_RESOURCES: usize = 5;

/// Manifests of which resources are made.
pub(super) struct Manifests(Vec<(Type, Value)>);

impl Manifests {
    pub(super) fn new() -> Self {
        let small = "  preprocessing: {shards: 2}\n  crossValidation: {folds: 2}";
        let training = [
            small.to_owned(),
            format!("{small}\n  queueName: gpu"),
            format!("{small}\n  ttlSecondsAfterFinished: 60"),
            format!("{small}\n  activeDeadlineSeconds: 300"),
        ];
        let screening = [
            "  model: {uri: \"s3://models/m/\"}",
            "  model: {trainingRun: run-1}",
            "  model: {trainingRun: run-2}",
        ];
        let training = training
            .iter()
            .map(|it| (Type::TrainingRun, json!(*training_run(it))));
        let screening = screening
            .iter()
            .map(|it| (Type::ScreeningJob, json!(*screening_job(it))));
        Self(training.chain(screening).collect())
    }
}

fn pick<T: Clone>(random: &mut ChaCha8Rng, items: &[T]) -> Option<T> {
    let chosen = below(random, items.len());
    items.get(chosen).cloned()
}

impl Cluster {
    fn resources(&self) -> Vec<Key> {
        Type::RESOURCES
            .into_iter()
            .flat_map(|it| self.keys(it))
            .collect()
    }

    /// Somebody asks for a new resource. What they did.
    pub(super) fn ask(&mut self, manifests: &Manifests, random: &mut ChaCha8Rng) -> String {
        let namespace = NAMESPACES[below(random, NAMESPACES.len())].to_owned();
        let is_full = self.resources().len() >= MAX_RESOURCES;
        if is_full || self.terminating.contains(&namespace) {
            return "nobody asks".to_owned();
        }
        let (of, manifest) = &manifests.0[below(random, manifests.0.len())];
        let key = (*of, namespace, format!("run-{}", below(random, 4)));
        if self.get(&key).is_none() {
            let mut manifest = manifest.clone();
            manifest["metadata"] = json!({});
            self.create(&key, manifest);
        }
        format!("{key:?} is asked for")
    }

    /// Somebody does something that they may do. What they did.
    pub(super) fn meddle(&mut self, random: &mut ChaCha8Rng) -> String {
        match below(random, 13) {
            0 | 1 => self.change_spec(random),
            2 => self.delete_resource(random),
            3 | 4 => self.retry(random),
            5 => self.delete_job(random),
            6 => self.suspend_job(random),
            7 => self.take_away(random, Type::ConfigMap),
            8 => self.take_away(random, Type::Pod),
            9 => self.take_name(random),
            10 => self.refuse(random),
            11 => self.end_namespace(random),
            _ => self.double_pod(random),
        }
    }

    fn change_spec(&mut self, random: &mut ChaCha8Rng) -> String {
        let Some(key) = pick(random, &self.resources()) else {
            return "nothing is changed".to_owned();
        };
        let change = below(random, 5);
        self.update(&key, |it| {
            let spec = &mut it["spec"];
            match change {
                0 | 1 => spec["suspend"] = json!(spec["suspend"] != true),
                2 => spec["compute"]["parallelism"] = json!(1),
                3 => spec["compute"]["parallelism"] = json!(2),
                _ => spec["activeDeadlineSeconds"] = json!(900),
            }
        });
        format!("the spec of {key:?} is changed ({change})")
    }

    fn delete_resource(&mut self, random: &mut ChaCha8Rng) -> String {
        let key = pick(random, &self.resources());
        if let Some(key) = &key {
            self.remove(key);
        }
        format!("{key:?} is deleted")
    }

    fn retry(&mut self, random: &mut ChaCha8Rng) -> String {
        let failed: Vec<Key> = self.resources();
        let has_failed = |it: &Key| {
            let status = self
                .get(it)
                .map(|it| succeeded(&it["status"])["status"].clone());
            status == Some(json!("False"))
        };
        let failed: Vec<Key> = failed.into_iter().filter(has_failed).collect();
        let key = pick(random, &failed);
        if let Some(key) = &key {
            let asked = self.time();
            self.update(key, |it| {
                it["metadata"]["annotations"] = json!({ RETRY_ANNOTATION: asked })
            });
        }
        format!("{key:?} is asked to start again")
    }

    fn delete_job(&mut self, random: &mut ChaCha8Rng) -> String {
        let key = pick(random, &self.keys(Type::Job));
        if let Some(key) = &key {
            if below(random, 2) == 0 {
                self.remove(key);
            } else {
                let time = self.time();
                self.update(key, |it| it["metadata"]["deletionTimestamp"] = json!(time));
            }
        }
        format!("{key:?} is deleted by hand")
    }

    fn suspend_job(&mut self, random: &mut ChaCha8Rng) -> String {
        let key = pick(random, &self.keys(Type::Job));
        if let Some(key) = &key {
            self.update(key, |it| {
                it["spec"]["suspend"] = json!(it["spec"]["suspend"] != true)
            });
        }
        format!("{key:?} is suspended, or goes on, by hand")
    }

    fn take_away(&mut self, random: &mut ChaCha8Rng, of: Type) -> String {
        let key = pick(random, &self.keys(of));
        match &key {
            Some(key) if of == Type::Pod => self.delete_pod(key),
            Some(key) => self.remove(key),
            None => {}
        }
        format!("{key:?} is taken away")
    }

    /// Somebody else makes an object with the name, and the labels, of one that was attrium's: in its place, or
    /// in another namespace, from which it refers to the resource.
    fn take_name(&mut self, random: &mut ChaCha8Rng) -> String {
        let of = [Type::Job, Type::ConfigMap][below(random, 2)];
        let Some(key) = pick(random, &self.keys(of)) else {
            return "no name is taken".to_owned();
        };
        if below(random, 2) == 0 {
            self.replace(&key);
            return format!("the name {key:?} is taken");
        }
        let mut forged = self.forged(&key);
        forged["metadata"]["annotations"] = json!({ FOREIGN: "yes" });
        let mut others = NAMESPACES.into_iter().filter(|it| *it != key.1);
        let place = (of, others.next().expect("another").to_owned(), key.2);
        if self.get(&place).is_none() && !self.terminating.contains(&place.1) {
            self.create(&place, forged);
        }
        format!("{place:?} refers to a resource of another namespace")
    }

    fn forged(&self, key: &Key) -> Value {
        let mut forged = Value::clone(self.get(key).expect("should be there"));
        forged["status"] = Value::Null;
        if key.0 == Type::Job {
            forged["spec"]["suspend"] = json!(true);
        }
        forged
    }

    /// Another object has the name of one that goes: a resource as it was asked for, or what somebody else has
    /// made.
    pub(super) fn replace(&mut self, key: &Key) {
        let mut other = self.forged(key);
        let metadata = &mut other["metadata"];
        if Type::RESOURCES.contains(&key.0) {
            *metadata = json!({});
            other.as_object_mut().expect("an object").remove("status");
        } else {
            metadata["ownerReferences"] = Value::Null;
            metadata["annotations"] = json!({ FOREIGN: "yes" });
        }
        self.remove(key);
        if !self.terminating.contains(&key.1) {
            self.create(key, other);
        }
    }

    fn refuse(&mut self, random: &mut ChaCha8Rng) -> String {
        self.refusal = [None, None, None, Some(403), Some(422), Some(400)][below(random, 6)];
        format!("Jobs are refused with {:?}", self.refusal)
    }

    fn end_namespace(&mut self, random: &mut ChaCha8Rng) -> String {
        let namespace = NAMESPACES[below(random, NAMESPACES.len())];
        if below(random, 4) == 0 {
            self.terminating.insert(namespace.to_owned());
        }
        format!("the namespace {namespace} may end: {:?}", self.terminating)
    }

    fn double_pod(&mut self, random: &mut ChaCha8Rng) -> String {
        let key = pick(random, &self.keys(Type::Pod));
        if let Some(key) = &key {
            self.double(key);
        }
        format!("{key:?} is doubled")
    }

    /// A namespace that ends loses an object, and is there again once it is empty.
    pub(super) fn empty(&mut self, random: &mut ChaCha8Rng) {
        let Some(namespace) = self.terminating.first().cloned() else {
            return;
        };
        let types = [
            Type::TrainingRun,
            Type::ScreeningJob,
            Type::Job,
            Type::Pod,
            Type::ConfigMap,
        ];
        let all: Vec<Key> = types.into_iter().flat_map(|it| self.keys(it)).collect();
        let within: Vec<Key> = all.into_iter().filter(|it| it.1 == namespace).collect();
        match pick(random, &within) {
            Some(key) => self.remove(&key),
            None => {
                self.terminating.remove(&namespace);
            }
        }
    }

    /// Kueue admits a Job that waits in a queue.
    pub(super) fn admit(&mut self, key: &Key) {
        let Some(job) = self.get(key) else {
            return;
        };
        let is_queued = job["metadata"]["labels"][names::QUEUE].is_string();
        let is_held = job["spec"]["suspend"] == true && !has_ended(job) && !is_going(job);
        if is_queued && is_held && job["metadata"]["annotations"][FOREIGN].is_null() {
            self.update(key, |it| it["spec"]["suspend"] = json!(false));
        }
    }

    /// Nobody is in the way any more: what others hold is let go, and what they have made is gone.
    pub(super) fn leave_alone(&mut self) {
        self.refusal = None;
        for of in [Type::Job, Type::ConfigMap] {
            for key in self.keys(of) {
                let object = self.get(&key).cloned().expect("should be there");
                let is_own = object["metadata"]["annotations"][names::SUSPENDED].is_string();
                if object["metadata"]["annotations"][FOREIGN].is_string() {
                    self.remove(&key);
                } else if of == Type::Job && object["spec"]["suspend"] == true && !is_own {
                    self.update(&key, |it| it["spec"]["suspend"] = json!(false));
                }
            }
        }
        for key in self.resources() {
            self.update(&key, |it| it["spec"]["suspend"] = json!(false));
        }
    }

    /// What is left to be done that should be done by now, if anything is.
    pub(super) fn unfinished(&self) -> Option<String> {
        for key in self.resources() {
            let resource = self.get(&key).expect("should be there");
            let waits = resource["status"]["conditions"][0]["reason"] == "WaitingForModel";
            if !is_end(&resource["status"]) && !waits {
                return Some(format!("{key:?} has not ended: {}", resource["status"]));
            }
            for job in self.controlled(Type::Job, text(resource, "/metadata/uid")) {
                let open = self.get(&job).filter(|it| !has_ended(it) && job.1 == key.1);
                if open.is_some() && !waits {
                    return Some(format!("{key:?} has ended, and the Job {} has not", job.2));
                }
            }
        }
        None
    }
}

/// The annotation of what others have made.
pub(super) const FOREIGN: &str = "example/foreign";
