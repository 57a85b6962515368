//! The chart: what it installs, what the operator may then do, what it refuses.

use std::process::{self, Command};

use serde_json::{Value, json};

use crate::cluster::{self, SYSTEM, exported, scripts};
use crate::namespace::Namespace;
use crate::program::{finish, helm, kubectl, kubectl_with};

/// Whether an account may do something in a namespace; in all of them where that is empty. A resource is
/// named `KIND`, `KIND/NAME`, or `KIND:SUBRESOURCE`.
fn may(account: &str, verb: &str, resource: &str, namespace: &str) -> bool {
    let (resource, subresource) = resource.split_once(':').unwrap_or((resource, ""));
    let subresource = format!("--subresource={subresource}");
    let place = match namespace {
        "" => "--all-namespaces".to_owned(),
        name => format!("--namespace={name}"),
    };
    let user = format!("--as=system:serviceaccount:{SYSTEM}:{account}");
    let ended = kubectl(["auth", "can-i", verb, resource, &subresource, &place, &user]);
    match ended.stdout.trim() {
        "yes" => true,
        "no" => false,
        _ => panic!("{verb} {resource}: {}", ended.stderr),
    }
}

#[test]
fn the_operator_runs_in_a_namespace_that_enforces_restricted_pod_security() {
    let _beside = cluster::beside_others();
    let namespace = kubectl([
        "get",
        "namespace",
        SYSTEM,
        "--output=jsonpath={.metadata.labels}",
    ])
    .ok();
    assert!(
        namespace.contains(r#""pod-security.kubernetes.io/enforce":"restricted""#),
        "{namespace}"
    );
    let ready = kubectl([
        "--namespace",
        SYSTEM,
        "get",
        "deployment/attrium",
        "--output=jsonpath={.status.readyReplicas}",
    ]);
    assert_eq!(ready.ok(), "2");
}

#[test]
fn helm_test_asks_the_operator_whether_it_is_ready() {
    let _beside = cluster::beside_others();
    let said = helm(["test", "attrium", "--namespace", SYSTEM]).ok();
    assert!(said.contains("Succeeded"), "{said}");
}

#[test]
fn the_operator_may_do_what_it_needs_and_reads_no_secret() {
    let _beside = cluster::beside_others();
    for (verb, resource) in [
        ("list", "trainingruns.attrium.dev"),
        ("watch", "screeningjobs.attrium.dev"),
        ("patch", "trainingruns.attrium.dev:status"),
        ("create", "jobs.batch"),
        ("get", "pods:log"),
        ("create", "configmaps"),
        ("get", "configmaps"),
        ("get", "namespaces"),
        ("create", "events.events.k8s.io"),
        ("list", "workloads.kueue.x-k8s.io"),
    ] {
        assert!(may("attrium", verb, resource, ""), "{verb} {resource}");
    }
    for verb in [
        "get", "list", "watch", "create", "update", "patch", "delete",
    ] {
        assert!(!may("attrium", verb, "secrets", SYSTEM), "{verb} secrets");
        assert!(
            !may("attrium", verb, "secrets", "default"),
            "{verb} secrets"
        );
    }
    for (verb, resource) in [
        ("create", "pods"),
        ("create", "pods:exec"),
        ("patch", "configmaps"),
        ("list", "configmaps"),
        ("create", "trainingruns.attrium.dev"),
        ("update", "trainingruns.attrium.dev"),
        ("get", "nodes"),
        ("create", "clusterroles.rbac.authorization.k8s.io"),
        ("create", "serviceaccounts:token"),
        ("*", "*"),
    ] {
        assert!(
            !may("attrium", verb, resource, "default"),
            "{verb} {resource}"
        );
    }
    assert!(may(
        "attrium",
        "update",
        "leases.coordination.k8s.io/attrium",
        SYSTEM
    ));
    assert!(!may(
        "attrium",
        "update",
        "leases.coordination.k8s.io/another",
        SYSTEM
    ));
    assert!(!may(
        "attrium",
        "get",
        "leases.coordination.k8s.io/attrium",
        "default"
    ));
}

#[test]
fn an_operator_that_watches_a_namespace_may_do_nothing_in_another() {
    let watched = Namespace::new("watched");
    let release = &format!("narrow-{}", process::id());
    let chart = scripts().join("../../charts/attrium");
    helm([
        "install",
        release,
        chart.to_str().expect("should be text"),
        "--namespace",
        SYSTEM,
        "--set",
        &format!(
            "fullnameOverride={release},watchNamespaces={{{}}}",
            watched.name
        ),
        "--set",
        "replicas=0,crds.install=false,rbac.aggregate=false",
    ])
    .ok();
    let (jobs, runs) = ("jobs.batch", "trainingruns.attrium.dev");
    let answers: Vec<_> = [&watched.name, "default", SYSTEM, ""]
        .iter()
        .map(|place| {
            (
                may(release, "create", jobs, place),
                may(release, "list", runs, place),
            )
        })
        .collect();
    helm(["uninstall", release, "--namespace", SYSTEM]).ok();
    let nothing = (false, false);
    assert_eq!(answers, [(true, true), nothing, nothing, nothing]);
}

/// A Job that does nothing, with labels and an owner as attrium's have them, but for what is said.
fn job(name: &str, uid: &str, owner: &str) -> Value {
    json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "labels": {"app.kubernetes.io/managed-by": "attrium", "attrium.dev/uid": uid},
            "ownerReferences": [{
                "apiVersion": "attrium.dev/v1alpha1",
                "kind": "TrainingRun",
                "name": "demo",
                "uid": owner,
                "controller": true,
            }],
        },
        "spec": {"suspend": true, "template": {"spec": {
            "restartPolicy": "Never",
            "containers": [{"name": "attrium", "image": "localhost/attrium:test"}],
        }}},
    })
}

#[test]
fn under_the_admission_policy_the_operator_writes_only_what_a_resource_owns() {
    let namespace = Namespace::new("guarded");
    let release = &format!("guarded-{}", process::id());
    let chart = scripts().join("../../charts/attrium");
    let values = format!(
        "fullnameOverride={release},watchNamespaces={{{}}},admissionPolicy.enabled=true,\
         replicas=0,crds.install=false,rbac.aggregate=false",
        namespace.name
    );
    let chart = chart.to_str().expect("should be text");
    let install = ["install", release, chart, "--namespace", SYSTEM];
    helm(install.iter().chain(&["--set", &values])).ok();
    let user = format!("--as=system:serviceaccount:{SYSTEM}:{release}");
    let place = ["--namespace", &namespace.name, &user];
    let create = |job: &Value| {
        let create = ["create", "--dry-run=server", "--filename", "-"];
        kubectl_with(place.iter().chain(&create), &job.to_string())
    };
    let mut foreign = job("foreign", "a", "a");
    foreign["metadata"]["ownerReferences"].take();
    // The API server takes a moment to see a policy.
    namespace.until("refused", || !create(&foreign).is_ok());
    namespace.apply(&foreign);
    let delete = ["delete", "job/foreign", "--dry-run=server"];
    let refusals = [
        create(&job("another", "a", "b")).refused(),
        create(&foreign_kind(job("pods", "a", "a"))).refused(),
        kubectl(place.iter().chain(&delete)).refused(),
    ];
    create(&job("own", "a", "a")).ok();
    let admin = ["--namespace", &namespace.name];
    kubectl(admin.iter().chain(&delete)).ok();
    helm(["uninstall", release, "--namespace", SYSTEM]).ok();
    for refusal in refusals {
        assert!(refusal.contains("may write only Jobs"), "{refusal}");
    }
}

/// A Job that another kind owns.
fn foreign_kind(mut job: Value) -> Value {
    let owner = &mut job["metadata"]["ownerReferences"][0];
    owner["apiVersion"] = json!("apps/v1");
    owner["kind"] = json!("DaemonSet");
    job
}

#[test]
fn every_optional_part_of_the_chart_passes_the_api_server() {
    let _beside = cluster::beside_others();
    exported("KUBECONFIG");
    let mut command = Command::new(scripts().join("../chart/check"));
    command.arg("--server");
    finish(command, "").ok();
}

#[test]
fn every_field_is_explained() {
    let _beside = cluster::beside_others();
    for kind in ["trainingruns", "screeningjobs"] {
        let path = format!("{kind}.spec");
        let text = kubectl(["explain", &path, "--recursive=false"]).ok();
        assert!(!text.contains("<no description>"), "{text}");
        assert!(text.contains("Default"), "{text}");
    }
}
