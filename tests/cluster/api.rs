//! What the API server says, asked over one connection: a process of kubectl for each question of a
//! scenario that waits would keep a processor busy.

use std::sync::LazyLock;

use http::Request;
use kube::{Client, Config};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::cluster::exported;

static SERVER: LazyLock<(Runtime, Client)> = LazyLock::new(|| {
    exported("KUBECONFIG");
    let runtime = Runtime::new().expect("should start");
    let client = runtime.block_on(async {
        let config = Config::infer().await.expect("should be a kubeconfig");
        Client::try_from(config).expect("should be usable")
    });
    (runtime, client)
});

/// A client of the cluster's administrator.
pub(crate) fn client() -> Client {
    SERVER.1.clone()
}

/// The resource at a path of the API; nothing where there is none, or no answer.
pub(crate) fn read(path: &str) -> Option<Value> {
    let (runtime, client) = &*SERVER;
    let request = Request::get(path)
        .body(Vec::new())
        .expect("should be a path");
    runtime.block_on(client.request(request)).ok()
}

/// The path of a kind's resources in a namespace.
pub(crate) fn path(namespace: &str, kind: &str) -> String {
    let (api, plural) = match kind {
        "trainingrun" => ("apis/attrium.dev/v1alpha1", "trainingruns"),
        "screeningjob" => ("apis/attrium.dev/v1alpha1", "screeningjobs"),
        "jobs" => ("apis/batch/v1", "jobs"),
        "pods" => ("api/v1", "pods"),
        _ => panic!("{kind} is not asked for"),
    };
    format!("/{api}/namespaces/{namespace}/{plural}")
}
