//! The running cluster, and who may disturb it.

use std::env;
use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::program::{kubectl, script};

/// The namespace that the operator is installed in.
pub(crate) const SYSTEM: &str = "attrium-system";

/// The folder of the scripts.
pub(crate) fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cluster")
}

/// A variable of those that `tests/cluster/up` exports. Without it these tests fail rather than seem
/// to have passed.
pub(crate) fn exported(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| {
        panic!(
            "{name} is not set: these tests need a cluster. Run `make cluster-test`, or, on one that \
             runs, eval \"$(tests/cluster/exports)\""
        )
    })
}

static SHARED: RwLock<()> = RwLock::new(());

/// Installed once, with the image under test, in a namespace that enforces restricted Pod Security.
static OPERATOR: LazyLock<()> = LazyLock::new(|| {
    exported("KUBECONFIG");
    script("install", &[]).ok();
});

/// Held by a scenario that leaves alone what all share.
pub(crate) type Beside = RwLockReadGuard<'static, ()>;

/// Held by a scenario that stops or changes what all share.
pub(crate) type Alone = RwLockWriteGuard<'static, ()>;

/// Waits until nobody disturbs the cluster; the operator runs.
pub(crate) fn beside_others() -> Beside {
    let guard = SHARED.read().unwrap_or_else(PoisonError::into_inner);
    LazyLock::force(&OPERATOR);
    guard
}

/// Waits until no other scenario runs; the operator runs.
pub(crate) fn alone() -> Alone {
    let guard = SHARED.write().unwrap_or_else(PoisonError::into_inner);
    LazyLock::force(&OPERATOR);
    guard
}

/// An answer that may be long in coming: the API server or the store may be away for a minute.
pub(crate) fn through_outages<T, E: Debug>(ask: impl Fn() -> Result<T, E>) -> T {
    const LONGEST: Duration = Duration::from_secs(120);
    let start = Instant::now();
    loop {
        match ask() {
            Ok(answer) => return answer,
            Err(error) => assert!(start.elapsed() < LONGEST, "no answer: {error:?}"),
        }
        sleep(Duration::from_millis(500));
    }
}

/// The operator's pods but for those that are on their way out, each with how often its container has
/// restarted.
pub(crate) fn operators() -> Vec<(String, i64)> {
    let selector = "--selector=app.kubernetes.io/name=attrium,app.kubernetes.io/component=operator";
    let place = ["--namespace", SYSTEM, "get", "pods", selector];
    let found = through_outages(|| {
        let ended = kubectl(place.iter().chain(&["--output", "json"]));
        if ended.is_ok() {
            Ok(ended.stdout)
        } else {
            Err(ended.stderr)
        }
    });
    let found: Value = serde_json::from_str(&found).unwrap();
    let items = found["items"].as_array().unwrap().iter();
    let staying = items.filter(|pod| pod["metadata"]["deletionTimestamp"].is_null());
    let pods = staying.map(|pod| {
        let name = pod["metadata"]["name"].as_str().unwrap().to_owned();
        let restarts = pod["status"]["containerStatuses"][0]["restartCount"].as_i64();
        (name, restarts.unwrap_or(-1))
    });
    let mut pods: Vec<_> = pods.collect();
    pods.sort();
    pods
}
