//! Every pod passes the Pod Security Standard "restricted", whatever a resource's template says: the standard
//! as Kubernetes' documentation has it (concepts/security/pod-security-standards), and templates that try.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::fixtures::{job, training_run, training_spec};
use attrium_workflow::StageKind;

/// The fields that a volume may be of.
const VOLUMES: [&str; 8] = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
];
const SYSCTLS: [&str; 11] = [
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_rmem",
];
const SELINUX_TYPES: [&str; 5] = [
    "",
    "container_t",
    "container_init_t",
    "container_kvm_t",
    "container_engine_t",
];
const APPARMOR: &str = "container.apparmor.security.beta.kubernetes.io/";

/// What a pod template violates.
fn violations(template: &Value) -> Vec<String> {
    let spec = &template["spec"];
    let mut found = Vec::new();
    pod(spec, &mut found);
    annotations(&template["metadata"]["annotations"], &mut found);
    for volume in list(&spec["volumes"]) {
        let fields = volume.as_object().into_iter().flatten();
        let kinds = fields.filter(|(name, _)| *name != "name");
        let foreign = kinds.filter(|(kind, _)| !VOLUMES.contains(&kind.as_str()));
        found.extend(foreign.map(|(kind, _)| format!("volume {kind}")));
    }
    for kind in ["containers", "initContainers", "ephemeralContainers"] {
        for it in list(&spec[kind]) {
            container(it, spec, &mut found);
        }
    }
    found
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn pod(spec: &Value, found: &mut Vec<String>) {
    for field in ["hostNetwork", "hostPID", "hostIPC"] {
        if spec[field] == true {
            found.push(field.to_owned());
        }
    }
    let context = &spec["securityContext"];
    for sysctl in list(&context["sysctls"]) {
        let name = sysctl["name"].as_str().unwrap_or_default();
        if !SYSCTLS.contains(&name) {
            found.push(format!("sysctl {name}"));
        }
    }
    security_context(context, found);
}

/// What may stand in the context of a pod and of a container.
fn security_context(context: &Value, found: &mut Vec<String>) {
    if context["windowsOptions"]["hostProcess"] == true {
        found.push("hostProcess".to_owned());
    }
    let options = &context["seLinuxOptions"];
    let text = |field: &str| options[field].as_str().unwrap_or_default();
    if !SELINUX_TYPES.contains(&text("type"))
        || !text("user").is_empty()
        || !text("role").is_empty()
    {
        found.push(format!("seLinuxOptions {options}"));
    }
    let profiles = ["RuntimeDefault", "Localhost"];
    for field in ["appArmorProfile", "seccompProfile"] {
        let kind = context[field]["type"].as_str();
        if kind.is_some_and(|kind| !profiles.contains(&kind)) {
            found.push(format!("{field} {kind:?}"));
        }
    }
    if context["runAsNonRoot"] == false {
        found.push("runAsNonRoot".to_owned());
    }
    if context["runAsUser"] == 0 {
        found.push("runAsUser".to_owned());
    }
}

fn annotations(annotations: &Value, found: &mut Vec<String>) {
    for (key, value) in annotations.as_object().into_iter().flatten() {
        let value = value.as_str().unwrap_or_default();
        let is_let_in = value == "runtime/default" || value.starts_with("localhost/");
        if key.starts_with(APPARMOR) && !is_let_in {
            found.push(format!("{key}={value}"));
        }
    }
}

fn container(container: &Value, spec: &Value, found: &mut Vec<String>) {
    let context = &container["securityContext"];
    security_context(context, found);
    if context["privileged"] == true {
        found.push("privileged".to_owned());
    }
    if context["allowPrivilegeEscalation"] != false {
        found.push("allowPrivilegeEscalation".to_owned());
    }
    if !context["procMount"].is_null() && context["procMount"] != "Default" {
        found.push("procMount".to_owned());
    }
    capabilities(&context["capabilities"], found);
    let either = |field: &str| [&context[field], &spec["securityContext"][field]];
    if !either("runAsNonRoot").contains(&&Value::Bool(true)) {
        found.push("runAsNonRoot is not set".to_owned());
    }
    if either("seccompProfile").iter().all(|it| it.is_null()) {
        found.push("seccompProfile is not set".to_owned());
    }
    for port in list(&container["ports"]) {
        if port["hostPort"].as_u64().is_some_and(|port| port != 0) {
            found.push("hostPort".to_owned());
        }
    }
    for probe in [
        "livenessProbe",
        "readinessProbe",
        "startupProbe",
        "lifecycle",
    ] {
        if names_a_host(&container[probe]) {
            found.push(format!("{probe} names a host"));
        }
    }
}

fn capabilities(capabilities: &Value, found: &mut Vec<String>) {
    if !list(&capabilities["drop"]).any(|it| it == "ALL") {
        found.push("capabilities are not dropped".to_owned());
    }
    let added = list(&capabilities["add"]).filter(|it| *it != "NET_BIND_SERVICE");
    found.extend(added.map(|it| format!("capability {it}")));
}

fn names_a_host(probe: &Value) -> bool {
    match probe {
        Value::Object(fields) => fields.iter().any(|(name, value)| {
            let is_host = name == "host" && value.as_str().is_some_and(|host| !host.is_empty());
            is_host || names_a_host(value)
        }),
        _ => false,
    }
}

/// Volumes as no definition, or only some, would let them in.
fn volumes() -> Vec<Value> {
    vec![
        json!({ "name": "root", "hostPath": { "path": "/" } }),
        json!({ "name": "attrium-tmp", "hostPath": { "path": "/" } }),
        json!({ "name": "attrium-manifest", "configMap": { "name": "mine" } }),
        json!({ "name": "two", "emptyDir": {}, "hostPath": { "path": "/proc" } }),
        json!({ "name": "disk", "iscsi": { "targetPortal": "p", "iqn": "i", "lun": 0 } }),
        json!({ "name": "image", "image": { "reference": "another" } }),
        json!({ "name": "repository", "gitRepo": { "repository": "https://example.org" } }),
        json!({ "name": "cephfs", "cephfs": { "monitors": ["m"] } }),
        json!({ "name": "fast", "ephemeral": { "volumeClaimTemplate": { "spec": {} } } }),
        json!({ "name": "claim", "persistentVolumeClaim": { "claimName": "scans" } }),
        json!({ "name": "token", "projected": { "sources": [
            { "serviceAccountToken": { "path": "token" } },
            { "clusterTrustBundle": { "path": "bundle" } },
        ] } }),
        json!({ "name": "keys", "secret": { "secretName": "keys" } }),
        json!({ "name": "plain" }),
    ]
}

fn containers() -> Vec<Value> {
    vec![
        json!({ "name": "attrium", "securityContext": { "privileged": true } }),
        json!({
            "name": "attrium",
            "volumeMounts": [
                { "name": "root", "mountPath": "/host" },
                { "name": "claim", "mountPath": "/etc/attrium/manifest" },
                { "name": "claim", "mountPath": "/scans" },
            ],
            "volumeDevices": [{ "name": "disk", "devicePath": "/dev/sda" }],
            "ports": [{ "containerPort": 80, "hostPort": 80 }],
            "env": [{ "name": "JOB_COMPLETION_INDEX", "value": "0" }],
        }),
        json!({ "name": "attrium", "livenessProbe": { "httpGet": { "host": "h", "port": 1 } } }),
        json!({ "name": "second", "securityContext": { "runAsUser": 0 } }),
        json!({ "name": "second", "image": "another" }),
    ]
}

/// Fields of a spec, each with a value that restricted Pod Security does not let in, or does.
fn fields() -> Vec<(&'static str, Value)> {
    vec![
        ("hostNetwork", json!(true)),
        ("hostPID", json!(true)),
        ("hostIPC", json!(true)),
        ("hostUsers", json!(true)),
        ("shareProcessNamespace", json!(true)),
        ("automountServiceAccountToken", json!(true)),
        ("serviceAccount", json!("cluster-admin")),
        ("nodeName", json!("this")),
        ("os", json!({ "name": "windows" })),
        ("priority", json!(1_000_000)),
        ("initContainers", json!(containers())),
        (
            "ephemeralContainers",
            json!([{ "name": "debugger", "image": "sh" }]),
        ),
        ("resourceClaims", json!([{ "name": "gpu" }])),
        ("serviceAccountName", json!("reader")),
        ("runtimeClassName", json!("nvidia")),
    ]
}

/// Fields of a security context.
fn context() -> Vec<(&'static str, Value)> {
    vec![
        ("runAsUser", json!(0)),
        ("runAsUser", json!(1000)),
        ("runAsNonRoot", json!(false)),
        ("seccompProfile", json!({ "type": "Unconfined" })),
        ("appArmorProfile", json!({ "type": "Unconfined" })),
        (
            "sysctls",
            json!([{ "name": "kernel.msgmax", "value": "1" }]),
        ),
        ("seLinuxOptions", json!({ "type": "spc_t", "level": "s0" })),
        (
            "seLinuxOptions",
            json!({ "user": "system_u", "role": "system_r" }),
        ),
        ("seLinuxOptions", json!({ "type": "container_t" })),
        ("windowsOptions", json!({ "hostProcess": true })),
        ("fsGroup", json!(0)),
    ]
}

fn some<T: Clone + std::fmt::Debug + 'static>(all: Vec<T>) -> impl Strategy<Value = Vec<T>> {
    let most = all.len();
    prop::sample::subsequence(all, 0..=most)
}

fn object(fields: Vec<(&str, Value)>) -> Value {
    let fields = fields.into_iter();
    Value::Object(
        fields
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    )
}

/// Any template: of what is let in and of what is not.
fn template() -> impl Strategy<Value = Value> {
    let keys = ["attrium", "second"].map(|name| format!("{APPARMOR}{name}"));
    let parts = (
        some(keys.to_vec()),
        some(fields()),
        some(context()),
        some(containers()),
        some(volumes()),
    );
    parts.prop_map(|(keys, fields, context, containers, volumes)| {
        let mut spec = object(fields);
        spec["securityContext"] = object(context);
        spec["containers"] = json!(containers);
        spec["volumes"] = json!(volumes);
        let annotations = keys.into_iter().map(|key| (key, json!("unconfined")));
        let annotations = Value::Object(annotations.collect());
        json!({ "metadata": { "annotations": annotations }, "spec": spec })
    })
}

/// The pod template of a run's first stage with a template of the user's.
fn pod_with(template: &Value) -> Value {
    let mut run = training_run("");
    let template = serde_json::from_value(template.clone()).expect("a template");
    training_spec(&mut run).compute.pod_template = Some(template);
    let job = job(&run, StageKind::Preprocess, None);
    serde_json::to_value(job.spec.expect("a spec").template).expect("JSON")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_pod_is_restricted_and_attriums_own_whatever_the_template_says(asked in template()) {
        let pod = pod_with(&asked);
        prop_assert_eq!(violations(&pod), Vec::<String>::new(), "{}", pod);
        let (found, own) = (&pod["spec"], &pod_with(&json!({}))["spec"]);
        for field in [
            "automountServiceAccountToken", "initContainers", "nodeName", "hostUsers", "serviceAccount",
            "shareProcessNamespace", "resourceClaims", "os", "priority",
        ] {
            prop_assert_eq!(&found[field], &own[field], "{}", field);
        }
        for volume in list(&own["volumes"]) {
            prop_assert!(list(&found["volumes"]).any(|it| it == volume), "{}", found);
        }
        for mount in list(&own["containers"][0]["volumeMounts"]) {
            let mounts = &found["containers"][0]["volumeMounts"];
            prop_assert!(list(mounts).any(|it| it == mount), "{}", found);
        }
        prop_assert_eq!(list(&found["containers"]).count(), 1);
    }
}

#[test]
fn what_is_tried_would_be_found() {
    let refused = [
        json!({ "hostNetwork": true }),
        json!({ "volumes": [volumes()[0]] }),
        json!({ "volumes": [{ "name": "nas", "nfs": {} }] }),
        json!({ "containers": [containers()[0]] }),
        json!({ "securityContext": { "seLinuxOptions": { "type": "spc_t" } } }),
        json!({ "securityContext": { "sysctls": [{ "name": "kernel.msgmax" }] } }),
        json!({ "securityContext": { "runAsUser": 0 } }),
    ];
    for spec in refused {
        assert_ne!(violations(&json!({ "spec": spec })), [""; 0], "{spec}");
    }
    let annotations = json!({ format!("{APPARMOR}attrium"): "unconfined" });
    let template = json!({ "metadata": { "annotations": annotations } });
    assert_ne!(violations(&template), [""; 0]);
}
