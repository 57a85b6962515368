//! Where and how tasks run: what a user may say, and what is refused.

use serde_json::{Value, json};

use super::{assert_forbidden, check, mutation, put, run, violations};

/// A training run that says everything that can be said of its pods.
fn full() -> Value {
    let mut run = run();
    run["spec"]["compute"] = json!({
        "accelerator": "Gpu",
        "gpuResource": "nvidia.com/mig-1g.10gb",
        "image": "mirror.hospital.example/attrium:1",
        "parallelism": 2,
        "resources": {
            "requests": { "cpu": 4, "memory": "8Gi" },
            "limits": { "memory": "8Gi", "ephemeral-storage": "1Gi" },
        },
        "podTemplate": {
            "metadata": {
                "labels": { "cost-centre": "4711", "azure.workload.identity/use": "true" },
                "annotations": { "example.org/note": "none" },
            },
            "spec": {
                "affinity": {
                    "nodeAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": {
                        "nodeSelectorTerms": [{ "matchExpressions": [
                            { "key": "gpu", "operator": "In", "values": ["h100"] },
                        ] }],
                    } },
                    "podAntiAffinity": { "preferredDuringSchedulingIgnoredDuringExecution": [{
                        "weight": 1,
                        "podAffinityTerm": {
                            "topologyKey": "kubernetes.io/hostname",
                            "labelSelector": { "matchLabels": { "cost-centre": "4711" } },
                        },
                    }] },
                },
                "containers": [{
                    "name": "attrium",
                    "env": [
                        { "name": "HTTPS_PROXY", "value": "http://proxy:3128" },
                        { "name": "TOKEN", "valueFrom": {
                            "secretKeyRef": { "name": "site", "key": "token" },
                        } },
                    ],
                    "envFrom": [{ "configMapRef": { "name": "site" } }],
                    "volumeMounts": [
                        { "name": "archive", "mountPath": "/archive", "readOnly": true },
                        { "name": "scratch", "mountPath": "/tmp" },
                    ],
                }],
                "dnsConfig": { "nameservers": ["10.0.0.10"], "options": [{ "name": "ndots" }] },
                "dnsPolicy": "None",
                "hostAliases": [{ "ip": "10.0.0.1", "hostnames": ["minio"] }],
                "imagePullSecrets": [{ "name": "mirror" }],
                "nodeSelector": { "kubernetes.io/arch": "amd64" },
                "priorityClassName": "low",
                "runtimeClassName": "nvidia",
                "schedulerName": "bin-packing",
                "securityContext": {
                    "fsGroup": 65532,
                    "seLinuxOptions": { "level": "s0:c123,c456", "type": "container_t" },
                    "supplementalGroups": [3000],
                },
                "serviceAccountName": "reader",
                "terminationGracePeriodSeconds": 300,
                "tolerations": [{ "key": "nvidia.com/gpu", "operator": "Exists" }],
                "topologySpreadConstraints": [{
                    "maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway",
                }],
                "volumes": [
                    { "name": "archive", "persistentVolumeClaim": { "claimName": "scans" } },
                    { "name": "scratch", "emptyDir": { "sizeLimit": "20Gi" } },
                    { "name": "nas", "nfs": { "server": "nas", "path": "/scans" } },
                ],
            },
        },
    });
    run
}

const COMPUTE: &str = "spec.compute";
const POD: &str = "spec.compute.podTemplate.spec";
const CONTAINER: &str = "spec.compute.podTemplate.spec.containers[0]";

#[test]
fn a_gpu_is_named_in_one_way() {
    let named = "spec.compute.gpuResource";
    check(
        full,
        vec![
            mutation(
                "/spec/compute/gpuResource",
                json!("gpu"),
                named,
                "such as nvidia.com/gpu",
            ),
            mutation(
                "/spec/compute/gpuResource",
                json!("nvidia.com/"),
                named,
                "extended resource",
            ),
            mutation("/spec/compute/gpuResource", json!(""), named, "is empty"),
            mutation(
                "/spec/compute/resourceClaimTemplateName",
                json!("one-gpu"),
                COMPUTE,
                "in two ways",
            ),
            mutation(
                "/spec/compute/resources/limits/nvidia.com~1gpu",
                json!(1),
                "spec.compute.resources.limits",
                "ask for a GPU by accelerator",
            ),
            mutation(
                "/spec/compute/resources/requests/amd.com~1gpu",
                json!(1),
                "spec.compute.resources.requests",
                "ask for a GPU by accelerator",
            ),
            mutation(
                "/spec/compute/image",
                json!(""),
                "spec.compute.image",
                "is empty",
            ),
        ],
    );
    let mut claimed = run();
    claimed["spec"]["compute"] =
        json!({ "accelerator": "Gpu", "resourceClaimTemplateName": "one-gpu" });
    assert_eq!(violations(&claimed), []);
    claimed["spec"]["compute"]["accelerator"] = json!("Cpu");
    let found = violations(&claimed);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, "spec.compute.resourceClaimTemplateName");
    assert!(found[0].1.contains("set accelerator to Gpu"), "{found:?}");
}

#[test]
fn what_attrium_sets_of_a_pod_is_refused_by_its_field() {
    let fields = [
        ("activeDeadlineSeconds", json!(1), "activeDeadlineSeconds"),
        ("automountServiceAccountToken", json!(true), "remove it"),
        ("enableServiceLinks", json!(true), "remove it"),
        ("hostIPC", json!(true), "remove it"),
        ("hostNetwork", json!(true), "remove it"),
        ("hostPID", json!(true), "remove it"),
        ("initContainers", json!([{ "name": "first" }]), "remove it"),
        ("nodeName", json!("node-1"), "use nodeSelector"),
        ("restartPolicy", json!("Always"), "remove it"),
    ];
    for (field, value, says) in fields {
        refused(
            &format!("/spec/compute/podTemplate/spec/{field}"),
            value,
            POD,
            field,
            says,
        );
    }
    let fields = [
        ("args", json!(["run"]), "remove it"),
        ("command", json!(["sh"]), "remove it"),
        ("image", json!("another"), "use compute.image"),
        ("imagePullPolicy", json!("Always"), "remove it"),
        ("lifecycle", json!({ "preStop": {} }), "remove it"),
        (
            "resources",
            json!({ "limits": {} }),
            "use compute.resources",
        ),
        (
            "securityContext",
            json!({ "privileged": true }),
            "remove it",
        ),
        ("terminationMessagePath", json!("/elsewhere"), "remove it"),
        ("terminationMessagePolicy", json!("File"), "remove it"),
    ];
    for (field, value, says) in fields {
        let pointer = format!("/spec/compute/podTemplate/spec/containers/0/{field}");
        refused(&pointer, value, CONTAINER, field, says);
    }
}

fn refused(pointer: &str, value: Value, parent: &str, field: &str, says: &str) {
    let mut document = full();
    put(&mut document, pointer, value);
    let found = violations(&document);
    assert_eq!(found.len(), 1, "{pointer}: {found:?}");
    assert_eq!(found[0].0, format!("{parent}.{field}"));
    assert!(found[0].1.contains("is for attrium to set"), "{found:?}");
    assert!(found[0].1.contains(says), "{found:?}");
}

#[test]
fn one_mutation_of_a_pod_template_is_one_violation_at_its_place() {
    let labels = "spec.compute.podTemplate.metadata.labels";
    let annotations = "spec.compute.podTemplate.metadata.annotations";
    let env = format!("{CONTAINER}.env");
    let mounts = format!("{CONTAINER}.volumeMounts");
    let volumes = format!("{POD}.volumes");
    let [env, mounts, volumes] = [env, mounts, volumes].map(|path| &*path.leak());
    let mut mutations = vec![
        mutation(
            "/spec/compute/podTemplate/metadata/annotations/kueue.x-k8s.io~1queue-name",
            json!("gpu"),
            annotations,
            "use another key",
        ),
        mutation(
            "/spec/compute/podTemplate/metadata/annotations/\
             container.apparmor.security.beta.kubernetes.io~1attrium",
            json!("unconfined"),
            annotations,
            "a profile of AppArmor or seccomp",
        ),
        mutation(
            "/spec/compute/podTemplate/metadata/annotations/\
             seccomp.security.alpha.kubernetes.io~1pod",
            json!("unconfined"),
            annotations,
            "a profile of AppArmor or seccomp",
        ),
        mutation(
            "/spec/compute/podTemplate/spec/securityContext/seLinuxOptions/type",
            json!("spc_t"),
            "spec.compute.podTemplate.spec.securityContext.seLinuxOptions.type",
            "use container_t",
        ),
        mutation(
            "/spec/compute/podTemplate/spec/securityContext/seLinuxOptions/user",
            json!("system_u"),
            "spec.compute.podTemplate.spec.securityContext.seLinuxOptions.user",
            "no such field",
        ),
        mutation(
            "/spec/compute/podTemplate/spec/securityContext/seLinuxOptions/role",
            json!("system_r"),
            "spec.compute.podTemplate.spec.securityContext.seLinuxOptions.role",
            "no such field",
        ),
        mutation(
            "/spec/compute/podTemplate/metadata/name",
            json!("mine"),
            "spec.compute.podTemplate.metadata.name",
            "no such field",
        ),
        mutation(
            "/spec/compute/podTemplate/spec/containers",
            json!([{ "name": "proxy" }]),
            CONTAINER,
            "only the one that is named attrium",
        ),
        mutation(
            "/spec/compute/podTemplate/spec/containers",
            json!([{ "name": "attrium" }, { "name": "attrium" }]),
            "spec.compute.podTemplate.spec.containers",
            "more than 1 items",
        ),
        mutation(
            "/spec/compute/podTemplate/spec/containers/0/env",
            json!([{ "name": "A", "value": "1" }, { "name": "A", "value": "2" }]),
            env,
            "sets a variable twice",
        ),
        mutation(
            "/spec/compute/podTemplate/spec/containers/0/env/0/name",
            json!("JOB_COMPLETION_INDEX"),
            env,
            "which task a pod does",
        ),
        mutation(
            "/spec/compute/podTemplate/spec/containers/0/volumeMounts/1/mountPath",
            json!("/archive"),
            mounts,
            "two volumes in one place",
        ),
        mutation(
            "/spec/compute/podTemplate/spec/containers/0/volumeMounts/0/mountPath",
            json!("/etc/attrium/manifest"),
            mounts,
            "below /etc/attrium",
        ),
        mutation(
            "/spec/compute/podTemplate/spec/containers/0/volumeMounts/0/name",
            json!("archives"),
            POD,
            "volumes does not name",
        ),
        mutation(
            "/spec/compute/podTemplate/spec/volumes/2/name",
            json!("archive"),
            volumes,
            "names a volume twice",
        ),
        mutation(
            "/spec/compute/podTemplate/spec/volumes/2/name",
            json!("attrium-ca"),
            volumes,
            "use another name",
        ),
        mutation(
            "/spec/compute/podTemplate/spec/volumes/2/hostPath",
            json!({ "path": "/" }),
            "spec.compute.podTemplate.spec.volumes[2].hostPath",
            "no such field",
        ),
        mutation(
            "/spec/compute/podTemplate/spec/volumes/1/emptyDir/sizeLimit",
            json!("20 GB"),
            "spec.compute.podTemplate.spec.volumes[1].emptyDir.sizeLimit",
            "not a quantity",
        ),
        mutation(
            "/spec/compute/podTemplate/spec/securityContext/runAsUser",
            json!(0),
            "spec.compute.podTemplate.spec.securityContext.runAsUser",
            "least value 1",
        ),
        mutation(
            "/spec/compute/podTemplate/spec/terminationGracePeriodSeconds",
            json!(0),
            "spec.compute.podTemplate.spec.terminationGracePeriodSeconds",
            "least value 1",
        ),
        mutation(
            "/spec/compute/podTemplate/spec/nodeSelectors",
            json!({}),
            "spec.compute.podTemplate.spec.nodeSelectors",
            "did you mean nodeSelector?",
        ),
        mutation(
            "/spec/compute/podTemplate/spec/tolerations",
            vec![json!({}); 33].into(),
            "spec.compute.podTemplate.spec.tolerations",
            "more than 32 items",
        ),
    ];
    let reserved = [
        "attrium.dev~1uid",
        "batch.kubernetes.io~1job-name",
        "kueue.x-k8s.io~1queue-name",
        "app.kubernetes.io~1name",
        "app.kubernetes.io~1instance",
        "app.kubernetes.io~1component",
        "app.kubernetes.io~1managed-by",
        "controller-uid",
        "job-name",
    ];
    for key in reserved {
        let pointer = format!("/spec/compute/podTemplate/metadata/labels/{key}").leak();
        mutations.push(mutation(pointer, json!("x"), labels, "use another key"));
    }
    check(full, mutations);
}

#[test]
fn a_screening_job_says_the_same_of_its_pods() {
    let mut job = super::job();
    job["spec"]["compute"] = full()["spec"]["compute"].clone();
    assert_eq!(violations(&job), []);
    put(
        &mut job,
        "/spec/compute/podTemplate/spec/restartPolicy",
        json!("Always"),
    );
    assert_eq!(violations(&job).len(), 1);
}

#[test]
fn where_and_how_tasks_run_stays_as_it_was_when_work_began() {
    let changes: [fn(&mut crate::Compute); 5] = [
        |compute| compute.gpu_resource = Some("amd.com/gpu".to_owned()),
        |compute| compute.resource_claim_template_name = Some("one-gpu".to_owned()),
        |compute| compute.image = Some("another".to_owned()),
        |compute| compute.resources = Some(Default::default()),
        |compute| compute.pod_template = Some(Default::default()),
    ];
    for change in changes {
        assert_forbidden(|run| change(&mut run.spec.compute));
    }
}
