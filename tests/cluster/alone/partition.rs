//! An operator that is led to its API server through a proxy, and cut off from it in every way.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use axum::http::StatusCode;
use tempfile::TempDir;

use crate::cluster::SYSTEM;
use crate::namespace::Namespace;
use crate::program::kubectl;
use crate::proxy::{Fault, Proxy};
use crate::training::{expect_nothing_lost, first_checkpoint, long_run};

/// An operator that runs on this machine, in the place of those of the cluster.
struct Operator {
    process: Child,
    _kubeconfig: TempDir,
}

impl Operator {
    fn start(namespace: &Namespace, proxy: &Proxy) -> Self {
        scale(0);
        let folder = TempDir::new().unwrap();
        let kubeconfig = folder.path().join("kubeconfig");
        fs::write(&kubeconfig, by_way_of(&proxy.endpoint())).unwrap();
        let process = Command::new(env!("CARGO_BIN_EXE_attrium"))
            .args(["operator", "--watch-namespaces", &namespace.name])
            .args(["--lease-namespace", &namespace.name])
            .args(["--image", "localhost/attrium:test"])
            .args(["--listen", "127.0.0.1:0"])
            .env("KUBECONFIG", &kubeconfig)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Self {
            process: process.unwrap(),
            _kubeconfig: folder,
        }
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        // One that has ended by itself is told of by the scenario.
        drop(self.process.kill());
        drop(self.process.wait());
        scale(2);
    }
}

fn by_way_of(server: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: proxy\n\
         clusters: [{{name: proxy, cluster: {{server: \"{server}\"}}}}]\n\
         users: [{{name: proxy, user: {{}}}}]\n\
         contexts: [{{name: proxy, context: {{cluster: proxy, user: proxy}}}}]\n"
    )
}

/// Runs so many operators on the cluster, and waits until they do.
fn scale(replicas: u32) {
    let replicas = format!("--replicas={replicas}");
    let place = ["--namespace", SYSTEM];
    let name = "deployment/attrium";
    for arguments in [
        &["scale", name, &replicas][..],
        &["rollout", "status", name, "--timeout=60s"],
    ] {
        kubectl(place.iter().chain(arguments)).ok();
    }
}

const fn refusal(status: StatusCode, body: &'static str) -> Fault {
    Fault::Refusal(status, "application/json", body)
}

const STORM: Fault = refusal(
    StatusCode::TOO_MANY_REQUESTS,
    r#"{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"TooManyRequests","code":429}"#,
);
const BROKEN: Fault = refusal(
    StatusCode::INTERNAL_SERVER_ERROR,
    r#"{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"InternalError","code":500}"#,
);
const GONE: Fault = refusal(
    StatusCode::GONE,
    r#"{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Expired","code":410}"#,
);
#[test]
fn a_run_outlasts_whatever_comes_between_its_operator_and_the_api_server() {
    let namespace = Namespace::alone("api-faults");
    let proxy = Proxy::before_the_api_server();
    let mut operator = Operator::start(&namespace, &proxy);
    namespace.apply(&long_run());
    first_checkpoint(&namespace);
    let latency = Fault::Latency(Duration::from_secs(5));
    proxy.fail_in_turn(&[latency, STORM, BROKEN, GONE]);
    expect_nothing_lost(&namespace);
    let ended = operator.process.try_wait().unwrap();
    assert!(ended.is_none(), "the operator has ended: {ended:?}");
}
