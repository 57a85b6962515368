//! The objects of a cluster as its API server keeps them, with every change that a watch could tell of.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use super::job_controller::JobRecord;
use crate::names::{ATTRIUM, MANAGED_BY};
use attrium_workflow::TaskRef;

/// The types of objects that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Type {
    TrainingRun,
    ScreeningJob,
    Job,
    Pod,
    ConfigMap,
    Lease,
}

impl Type {
    pub(super) const RESOURCES: [Self; 2] = [Self::TrainingRun, Self::ScreeningJob];

    /// Type, API version and kind of the types by the name in their URIs.
    pub(super) fn of_plural(plural: &str) -> Option<Self> {
        Some(match plural {
            "trainingruns" => Self::TrainingRun,
            "screeningjobs" => Self::ScreeningJob,
            "jobs" => Self::Job,
            "pods" => Self::Pod,
            "configmaps" => Self::ConfigMap,
            "leases" => Self::Lease,
            _ => return None,
        })
    }
}

/// Where an object is: its type, namespace and name.
pub(super) type Key = (Type, String, String);

/// A change of an object.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) is_deleted: bool,
    pub(super) object: Arc<Value>,
}

/// What a backup of etcd holds.
#[derive(Clone, Debug, Default)]
struct Stored {
    objects: BTreeMap<Key, Arc<Value>>,
    version: u64,
    records: BTreeMap<String, JobRecord>,
}

/// The cluster: objects, and what its controllers remember of them.
#[derive(Debug)]
pub(super) struct Cluster {
    stored: Stored,
    backups: Vec<Stored>,
    log: BTreeMap<Type, Vec<Change>>,
    uids: u64,
    pub(super) now: Timestamp,
    /// Namespaces in which nothing is created any more.
    pub(super) terminating: BTreeSet<String>,
    /// The code with which Jobs are refused now, by a quota or a policy.
    pub(super) refusal: Option<u16>,
    /// The tasks whose results are in the store, by the uid of their resource.
    pub(super) markers: BTreeSet<(String, TaskRef)>,
}

impl Cluster {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            stored: Stored::default(),
            backups: Vec::new(),
            log: BTreeMap::new(),
            uids: 0,
            now,
            terminating: BTreeSet::new(),
            refusal: None,
            markers: BTreeSet::new(),
        }
    }

    pub(super) fn get(&self, key: &Key) -> Option<&Arc<Value>> {
        self.stored.objects.get(key)
    }

    /// The objects of a type.
    pub(super) fn of(&self, of: Type) -> impl Iterator<Item = (&Key, &Arc<Value>)> {
        let first = (of, String::new(), String::new());
        let objects = self.stored.objects.range(first..);
        objects.take_while(move |(key, _)| key.0 == of)
    }

    /// The keys of the objects of a type.
    pub(super) fn keys(&self, of: Type) -> Vec<Key> {
        self.of(of).map(|(key, _)| key.clone()).collect()
    }

    /// The object of a type that has a uid.
    pub(super) fn by_uid(&self, of: Type, uid: &str) -> Option<(&Key, &Arc<Value>)> {
        self.of(of).find(|(_, it)| it["metadata"]["uid"] == uid)
    }

    /// The objects of a type that an object controls.
    pub(super) fn controlled(&self, of: Type, uid: &str) -> Vec<Key> {
        let of = self.of(of);
        let controlled = of.filter(|(_, it)| controller(it) == Some(uid));
        controlled.map(|(key, _)| key.clone()).collect()
    }

    /// What the Job controller remembers of a Job.
    pub(super) fn record(&mut self, uid: &str) -> &mut JobRecord {
        self.stored.records.entry(uid.to_owned()).or_default()
    }

    pub(super) fn record_of(&self, uid: &str) -> Option<&JobRecord> {
        self.stored.records.get(uid)
    }

    /// Creates an object: what an API server sets is set.
    pub(super) fn create(&mut self, key: &Key, mut object: Value) -> Arc<Value> {
        self.uids += 1;
        let metadata = &mut object["metadata"];
        metadata["namespace"] = json!(key.1);
        metadata["name"] = json!(key.2);
        metadata["uid"] = json!(format!("uid-{}", self.uids));
        metadata["generation"] = json!(1);
        metadata["creationTimestamp"] = json!(self.time());
        self.put(key, object)
    }

    /// Changes an object that is there. Whether its spec has changed is told by its generation.
    pub(super) fn update(&mut self, key: &Key, change: impl FnOnce(&mut Value)) -> Arc<Value> {
        let before = self.get(key).expect("should be there").clone();
        let mut object = Value::clone(&before);
        change(&mut object);
        if object == *before {
            return before;
        }
        if object["spec"] != before["spec"] {
            let generation = before["metadata"]["generation"].as_i64();
            object["metadata"]["generation"] = json!(generation.unwrap_or_default() + 1);
        }
        self.put(key, object)
    }

    fn put(&mut self, key: &Key, mut object: Value) -> Arc<Value> {
        self.stored.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.stored.version.to_string());
        let object = Arc::new(object);
        self.stored.objects.insert(key.clone(), object.clone());
        self.tell(key.0, false, object.clone());
        object
    }

    /// Takes an object away.
    pub(super) fn remove(&mut self, key: &Key) {
        if let Some(object) = self.stored.objects.remove(key) {
            self.stored.version += 1;
            let mut last = Value::clone(&object);
            last["metadata"]["resourceVersion"] = json!(self.stored.version.to_string());
            self.tell(key.0, true, Arc::new(last));
        }
    }

    fn tell(&mut self, of: Type, is_deleted: bool, object: Arc<Value>) {
        let change = Change { is_deleted, object };
        self.log.entry(of).or_default().push(change);
    }

    /// How many changes there have been of a type.
    pub(super) fn changes(&self, of: Type) -> usize {
        self.log.get(&of).map_or(0, Vec::len)
    }

    /// A change of a type, by its number.
    pub(super) fn change(&self, of: Type, number: usize) -> Option<Change> {
        self.log.get(&of)?.get(number).cloned()
    }

    /// Now, as objects have it.
    pub(super) fn time(&self) -> String {
        let second = Timestamp::from_second(self.now.as_second());
        second.expect("a time").to_string()
    }

    /// Keeps a copy of everything, to be restored later.
    pub(super) fn back_up(&mut self) {
        self.backups.push(self.stored.clone());
    }

    /// Everything is as it was when a copy was kept; what is in stores of images and artefacts stays. False
    /// without a copy.
    pub(super) fn restore(&mut self) -> bool {
        let Some(backup) = self.backups.pop() else {
            return false;
        };
        self.backups.clear();
        self.stored = backup;
        // No watch tells of what followed on the backup.
        self.log.clear();
        true
    }
}

/// The uid of what controls an object.
pub(super) fn controller(object: &Value) -> Option<&str> {
    let references = object["metadata"]["ownerReferences"].as_array()?;
    let controller = references.iter().find(|it| it["controller"] == true)?;
    controller["uid"].as_str()
}

/// The text at a place of an object, empty where there is none.
pub(super) fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    let found = object.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_default()
}

/// Whether watches of Jobs and pods tell of an object.
pub(super) fn is_labelled(object: &Value) -> bool {
    object["metadata"]["labels"][MANAGED_BY] == ATTRIUM
}

/// Whether an object is being deleted.
pub(super) fn is_going(object: &Value) -> bool {
    !object["metadata"]["deletionTimestamp"].is_null()
}

/// Merges a JSON merge patch (RFC 7396) into a value.
pub(super) fn merge(value: &mut Value, patch: &Value) {
    let Value::Object(fields) = patch else {
        *value = patch.clone();
        return;
    };
    if !value.is_object() {
        *value = json!({});
    }
    for (field, patch) in fields {
        if patch.is_null() {
            value.as_object_mut().expect("an object").remove(field);
        } else {
            merge(&mut value[field], patch);
        }
    }
}
