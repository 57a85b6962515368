//! The running cluster, and who may disturb it.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::program::script;

/// The namespace that the operator is installed in.
pub const SYSTEM: &str = "attrium-system";

/// The folder of the scripts.
pub fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cluster")
}

/// A variable of those that `tests/cluster/up` exports. Without it these tests fail rather than seem
/// to have passed.
pub fn exported(name: &str) -> String {
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
pub type Beside = RwLockReadGuard<'static, ()>;

/// Held by a scenario that stops or changes what all share.
pub type Alone = RwLockWriteGuard<'static, ()>;

/// Waits until nobody disturbs the cluster; the operator runs.
pub fn beside_others() -> Beside {
    let guard = SHARED.read().unwrap_or_else(PoisonError::into_inner);
    LazyLock::force(&OPERATOR);
    guard
}

/// Waits until no other scenario runs; the operator runs.
pub fn alone() -> Alone {
    let guard = SHARED.write().unwrap_or_else(PoisonError::into_inner);
    LazyLock::force(&OPERATOR);
    guard
}
