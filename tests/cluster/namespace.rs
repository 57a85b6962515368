//! A namespace of a scenario's own, that enforces restricted Pod Security.

use std::process;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::api;
use crate::cluster::{self, Alone, Beside, exported, through_outages};
use crate::program::{Ended, kubectl, kubectl_with};

/// How long a run may take, however many others run beside it.
pub(crate) const END: Duration = Duration::from_secs(600);

/// The Secret of the S3 servers' credentials, in every namespace.
pub(crate) const SECRET: &str = "scans-s3";

/// A namespace, removed at its end; one of a scenario that failed stays to be looked at.
pub(crate) struct Namespace {
    pub name: String,
    _guard: Guard,
}

/// Who else may run meanwhile.
enum Guard {
    /// Held, not read.
    Beside { _guard: Beside },
    /// Held, not read.
    Alone { _guard: Alone },
}

/// A condition of a resource's status.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Condition {
    pub status: String,
    pub reason: String,
    pub message: String,
}

impl Namespace {
    /// A namespace for a scenario that runs beside others.
    pub(crate) fn new(purpose: &str) -> Self {
        let guard = Guard::Beside {
            _guard: cluster::beside_others(),
        };
        Self::make(purpose, guard)
    }

    /// A namespace for a scenario that disturbs the others, and therefore runs alone.
    pub(crate) fn alone(purpose: &str) -> Self {
        let guard = Guard::Alone {
            _guard: cluster::alone(),
        };
        Self::make(purpose, guard)
    }

    fn make(purpose: &str, guard: Guard) -> Self {
        let namespace = Self {
            name: format!("{purpose}-{}", process::id()),
            _guard: guard,
        };
        namespace.apply(&json!({
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {
                "name": namespace.name,
                "labels": {"pod-security.kubernetes.io/enforce": "restricted"},
            },
        }));
        namespace.secret(SECRET, &["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]);
        namespace
    }

    /// Makes a Secret with those of the S3 servers' credentials.
    pub(crate) fn secret(&self, name: &str, keys: &[&str]) {
        let values = keys
            .iter()
            .map(|key| ((*key).to_owned(), exported(key).into()));
        self.apply(&json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name},
            "stringData": values.collect::<serde_json::Map<_, Value>>(),
        }));
    }

    /// Makes a ConfigMap with the authority of the S3 server that speaks HTTPS.
    pub(crate) fn authority(&self, name: &str) {
        let pem = std::fs::read_to_string(exported("ATTRIUM_CLUSTER_S3_CA")).unwrap();
        self.apply(&json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name},
            "data": {"ca.crt": pem},
        }));
    }

    /// Runs kubectl in this namespace.
    pub(crate) fn kubectl(&self, arguments: &[&str]) -> Ended {
        kubectl(["--namespace", &self.name].iter().chain(arguments))
    }

    /// Applies a resource.
    pub(crate) fn apply(&self, resource: &Value) {
        self.try_apply(resource).ok();
    }

    /// Applies a resource that may be refused.
    pub(crate) fn try_apply(&self, resource: &Value) -> Ended {
        // A namespace is in no namespace.
        let place: &[&str] = match resource["kind"].as_str() {
            Some("Namespace") => &[],
            _ => &["--namespace", &self.name],
        };
        kubectl_with(
            place.iter().chain(&["apply", "--filename", "-"]),
            &resource.to_string(),
        )
    }

    /// A resource as it is now, named `KIND/NAME`.
    pub(crate) fn get(&self, resource: &str) -> Value {
        self.find(resource).expect("should be there")
    }

    fn find(&self, resource: &str) -> Option<Value> {
        let (kind, name) = resource.split_once('/').expect("should be KIND/NAME");
        api::read(&format!("{}/{name}", api::path(&self.name, kind)))
    }

    /// All of a kind, `jobs` or `pods`, with labels such as `KEY=VALUE`; of all where there is none.
    pub(crate) fn list(&self, kind: &str, labels: &str) -> Vec<Value> {
        let path = api::path(&self.name, kind);
        through_outages(|| {
            let list = api::read(&format!("{path}?labelSelector={labels}"));
            list.and_then(|mut list| list["items"].take().as_array().cloned())
                .ok_or(&path)
        })
    }

    /// Waits until something holds of a resource, and returns it as it then is.
    pub(crate) fn wait_until(
        &self,
        resource: &str,
        what: &str,
        within: Duration,
        holds: impl Fn(&Value) -> bool,
    ) -> Value {
        let start = Instant::now();
        loop {
            if let Some(value) = self.find(resource)
                && holds(&value)
            {
                return value;
            }
            assert!(
                start.elapsed() < within,
                "{resource} in {}: not {what} within {within:?}\n{}",
                self.name,
                self.description(resource)
            );
            thread::sleep(Duration::from_millis(300));
        }
    }

    /// Waits until something holds that no resource says.
    pub(crate) fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let start = Instant::now();
        while !holds() {
            let waited = start.elapsed();
            assert!(waited < END, "in {}: not {what} within {END:?}", self.name);
            thread::sleep(Duration::from_millis(300));
        }
    }

    /// Waits until a condition has a status.
    pub(crate) fn wait_for(
        &self,
        resource: &str,
        kind: &str,
        status: &str,
        within: Duration,
    ) -> Value {
        let what = format!("{kind}={status}");
        self.wait_until(resource, &what, within, |value| {
            condition(value, kind).is_some_and(|condition| condition.status == status)
        })
    }

    /// Waits for the end of a run or a screening, and expects it to have succeeded.
    pub(crate) fn wait_for_success(&self, resource: &str, within: Duration) -> Value {
        let ended = self.wait_until(resource, "ended", within, |value| {
            condition(value, "Succeeded").is_some_and(|condition| condition.status != "Unknown")
        });
        let succeeded = condition(&ended, "Succeeded").unwrap();
        assert_eq!(
            succeeded.status,
            "True",
            "{}\n{}",
            succeeded.message,
            self.description(resource)
        );
        ended
    }

    /// Everything that a person would look at when something went wrong.
    fn description(&self, resource: &str) -> String {
        let mut text = String::new();
        for arguments in [
            &["get", resource, "--output", "yaml"][..],
            &["get", "jobs,pods", "--output", "wide"],
            &["get", "events", "--sort-by=.lastTimestamp"],
            &[
                "logs",
                "--selector=app.kubernetes.io/name=attrium",
                "--tail=5",
                "--prefix",
            ],
        ] {
            let ended = self.kubectl(arguments);
            text += &format!(
                "--- kubectl {}\n{}{}",
                arguments.join(" "),
                ended.stdout,
                ended.stderr
            );
        }
        text
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        if !thread::panicking() {
            drop(kubectl(["delete", "namespace", &self.name, "--wait=false"]));
        }
    }
}

/// A condition of a resource, if it is there.
pub(crate) fn condition(resource: &Value, kind: &str) -> Option<Condition> {
    let all = resource["status"]["conditions"].as_array()?;
    let found = all.iter().find(|condition| condition["type"] == kind)?;
    let text = |field: &str| found[field].as_str().unwrap_or_default().to_owned();
    Some(Condition {
        status: text("status"),
        reason: text("reason"),
        message: text("message"),
    })
}
