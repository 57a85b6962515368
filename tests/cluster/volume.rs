//! A PersistentVolumeClaim in place of object storage: places are `file://` URIs below its mount.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::bucket::cohort;
use crate::cluster::exported;
use crate::manifest::{training_run, with};
use crate::namespace::{END, Namespace, condition};
use crate::program::{finish, kubectl};

/// A volume of the node's own disk, and the claim `scans` to it.
struct Volume<'a> {
    namespace: &'a Namespace,
    folder: PathBuf,
}

impl<'a> Volume<'a> {
    /// A volume that has the cohort in it.
    fn new(namespace: &'a Namespace) -> Self {
        let volumes = Path::new(&exported("ATTRIUM_CLUSTER_STATE")).join("volumes");
        let folder = volumes.join(&namespace.name);
        fs::create_dir_all(folder.join("results")).unwrap();
        let mut copy = Command::new("cp");
        copy.arg("--recursive")
            .arg(cohort())
            .arg(folder.join("cohort"));
        finish(copy, "").ok();
        // Pods are no root users.
        fs::set_permissions(folder.join("results"), fs::Permissions::from_mode(0o777)).unwrap();
        let class = json!({
            "accessModes": ["ReadWriteMany"],
            "storageClassName": "",
            "volumeName": namespace.name,
        });
        namespace.apply(&json!({
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": namespace.name},
            "spec": {
                "accessModes": class["accessModes"],
                "capacity": {"storage": "1Gi"},
                "hostPath": {"path": folder},
            },
        }));
        let mut spec = class;
        spec["resources"] = json!({"requests": {"storage": "1Gi"}});
        namespace.apply(&json!({
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "scans"},
            "spec": spec,
        }));
        Self { namespace, folder }
    }
}

impl Drop for Volume<'_> {
    fn drop(&mut self) {
        let volume = format!("persistentvolume/{}", self.namespace.name);
        drop(kubectl(["delete", &volume, "--wait=false"]));
    }
}

fn on_the_claim() -> Value {
    json!({"spec": {
        "images": "file:///scans/cohort/images/",
        "labels": "file:///scans/cohort/labels.csv",
        "output": "file:///scans/results/",
        "storage": null,
        "compute": {"podTemplate": {"spec": {
            "volumes": [{"name": "scans", "persistentVolumeClaim": {"claimName": "scans"}}],
            "containers": [{
                "name": "attrium",
                "volumeMounts": [{"name": "scans", "mountPath": "/scans"}],
            }],
        }}},
    }})
}

#[test]
fn a_run_reads_and_writes_a_persistent_volume() {
    let namespace = Namespace::new("volume");
    let volume = Volume::new(&namespace);
    namespace.apply(&with(training_run(), &on_the_claim()));
    let run = namespace.wait_for_success("trainingrun/demo", END);
    assert_eq!(condition(&run, "Published").unwrap().status, "True");
    let report = run["status"]["report"].as_str().unwrap();
    let below = report.strip_prefix("file:///scans/").unwrap();
    assert!(volume.folder.join(below).is_file(), "{report}");
}
