//! The API server: what it answers to the requests of attrium's processes.

use serde_json::{Value, json};

use super::checks::Checks;
use super::cluster::{Cluster, Key, Type, merge, text};
use super::network::OnItsWay;
use super::rules;

type Reply = (u16, Value);

/// What a URI is of.
#[derive(Debug)]
struct Target {
    of: Type,
    namespace: String,
    name: Option<String>,
    is_status: bool,
}

impl Target {
    fn of(path: &str) -> Option<Self> {
        let (_, rest) = path.split_once("/namespaces/")?;
        let mut parts = rest.split('/');
        let namespace = parts.next()?.to_owned();
        let of = Type::of_plural(parts.next()?)?;
        let name = parts.next().map(str::to_owned);
        let is_status = parts.next() == Some("status");
        Some(Self {
            of,
            namespace,
            name,
            is_status,
        })
    }

    fn key(&self, body: &Value) -> Key {
        let name = self.name.clone();
        let name = name.unwrap_or_else(|| text(body, "/metadata/name").to_owned());
        (self.of, self.namespace.clone(), name)
    }
}

/// The object that a request is about to change or to delete.
pub(super) fn object_of(cluster: &Cluster, request: &OnItsWay) -> Option<Key> {
    let target = Target::of(&request.path)?;
    let key = target.key(&request.body);
    let is_changed = ["PATCH", "DELETE"].contains(&request.method.as_str());
    (is_changed && cluster.get(&key).is_some()).then_some(key)
}

/// Does what a request asks for, if it may be done, and answers.
pub(super) fn serve(cluster: &mut Cluster, checks: &mut Checks, request: &OnItsWay) -> Reply {
    if !rules::allow(request) {
        checks.complain(format!(
            "the chart does not allow {} {}",
            request.method, request.path
        ));
        return failure(403, "Forbidden");
    }
    if request.path == "/apis" {
        return (
            200,
            json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": [] }),
        );
    }
    if request.path.ends_with("/events") && request.method == "GET" {
        return events(cluster, &request.query);
    }
    if let Some(name) = namespace_of(&request.path)
        && request.method == "GET"
    {
        return (200, namespace(cluster, name));
    }
    let Some(target) = Target::of(&request.path) else {
        checks.complain(format!(
            "{} {} is none of its business",
            request.method, request.path
        ));
        return failure(403, "Forbidden");
    };
    let key = target.key(&request.body);
    match request.method.as_str() {
        "GET" => get(cluster, checks, request, &key),
        "POST" => post(cluster, checks, request, &key),
        "PUT" => put(cluster, request, &key),
        "PATCH" if target.is_status => patch_status(cluster, checks, request, &key),
        "PATCH" => patch(cluster, checks, request, &key),
        "DELETE" => delete(cluster, checks, request, &key),
        other => {
            checks.complain(format!("{other} {key:?} is not to be expected"));
            failure(405, "MethodNotAllowed")
        }
    }
}

pub(super) fn failure(code: u16, reason: &str) -> Reply {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason,
        "message": format!("the server says {reason}"),
    });
    (code, status)
}

fn whole(code: u16, object: &Value) -> Reply {
    (code, object.clone())
}

/// The namespace that a path is of by itself.
fn namespace_of(path: &str) -> Option<&str> {
    let name = path.strip_prefix("/api/v1/namespaces/")?;
    (!name.contains('/')).then_some(name)
}

fn namespace(cluster: &Cluster, name: &str) -> Value {
    let mut metadata = json!({ "name": name });
    if cluster.terminating.contains(name) {
        metadata["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    }
    json!({ "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata })
}

fn events(cluster: &Cluster, query: &str) -> Reply {
    let uid = query
        .split(['=', '&'])
        .flat_map(|it| it.rsplit("%3D").next());
    let uid = uid.map(|it| it.rsplit("uid=").next().unwrap_or(it));
    let items: Vec<Value> = uid.flat_map(|it| cluster.events(it)).collect();
    let list = json!({
        "kind": "EventList", "apiVersion": "events.k8s.io/v1", "metadata": {}, "items": items,
    });
    (200, list)
}

fn get(cluster: &Cluster, checks: &mut Checks, request: &OnItsWay, key: &Key) -> Reply {
    match cluster.get(key) {
        Some(object) => {
            checks.note_read(request.process, key, object);
            whole(200, object)
        }
        None => failure(404, "NotFound"),
    }
}

fn post(cluster: &mut Cluster, checks: &mut Checks, request: &OnItsWay, key: &Key) -> Reply {
    if key.0 != Type::Lease {
        checks.ensure_led(request);
    }
    if cluster.terminating.contains(&key.1) {
        return failure(403, "NamespaceTerminating");
    }
    if let Some(code) = cluster.refusal.filter(|_| key.0 == Type::Job) {
        return failure(code, "Denied");
    }
    if cluster.get(key).is_some() {
        return failure(409, "AlreadyExists");
    }
    if key.0 == Type::Job {
        checks.job_is_created(cluster, request);
    }
    let created = cluster.create(key, request.body.clone());
    checks.note_created(key, &created);
    whole(201, &created)
}

/// Of Leases alone.
fn put(cluster: &mut Cluster, request: &OnItsWay, key: &Key) -> Reply {
    let Some(present) = cluster.get(key).cloned() else {
        return failure(404, "NotFound");
    };
    let version = "/metadata/resourceVersion";
    if text(&present, version) != text(&request.body, version) {
        return failure(409, "Conflict");
    }
    let written = cluster.update(key, |it| it["spec"] = request.body["spec"].clone());
    whole(200, &written)
}

/// Whether the preconditions of a patch hold.
fn is_meant(present: &Value, patch: &Value) -> bool {
    ["/metadata/uid", "/metadata/resourceVersion"]
        .into_iter()
        .all(|it| {
            patch
                .pointer(it)
                .is_none_or(|asked| present.pointer(it) == Some(asked))
        })
}

fn patch(cluster: &mut Cluster, checks: &mut Checks, request: &OnItsWay, key: &Key) -> Reply {
    checks.ensure_led(request);
    let Some(present) = cluster.get(key).cloned() else {
        return failure(404, "NotFound");
    };
    if !is_meant(&present, &request.body) {
        return failure(409, "Conflict");
    }
    checks.ensure_own(&present, "changed");
    let written = cluster.update(key, |it| merge(it, &request.body));
    whole(200, &written)
}

fn patch_status(
    cluster: &mut Cluster,
    checks: &mut Checks,
    request: &OnItsWay,
    key: &Key,
) -> Reply {
    checks.ensure_led(request);
    let Some(present) = cluster.get(key).cloned() else {
        return failure(404, "NotFound");
    };
    if !is_meant(&present, &request.body) {
        return failure(409, "Conflict");
    }
    let mut status = present["status"].clone();
    merge(&mut status, &request.body["status"]);
    checks.status_is_written(cluster, request, &present, &status);
    let written = cluster.update(key, |it| it["status"] = status);
    whole(200, &written)
}

fn delete(cluster: &mut Cluster, checks: &mut Checks, request: &OnItsWay, key: &Key) -> Reply {
    checks.ensure_led(request);
    let Some(present) = cluster.get(key).cloned() else {
        return failure(404, "NotFound");
    };
    let uid = &request.body["preconditions"]["uid"];
    if uid.is_string() && *uid != present["metadata"]["uid"] {
        return failure(409, "Conflict");
    }
    match key.0 {
        Type::Job => checks.job_is_deleted(&present),
        _ => checks.resource_is_deleted(&present),
    }
    cluster.remove(key);
    let done = json!({ "kind": "Status", "apiVersion": "v1", "status": "Success", "code": 200 });
    (200, done)
}
