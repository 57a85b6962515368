//! What a manifest may say of its pods: a partial PodTemplateSpec, in Kubernetes' own types.
//!
//! The schema is Kubernetes' own, cut down to what a user may set, with a maximum for every string,
//! list and map. A field that the operator has to own is in the schema only to be refused by a rule
//! that says so; any other field is unknown.

use k8s_openapi::api::core::v1::PodTemplateSpec;
use kube::core::Rule;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Value, json};

use super::limits;

/// The container that does a task.
pub const CONTAINER: &str = "attrium";

/// The fields that a user may set, by the path of their object.
const ALLOWED: [(&str, &[&str]); 10] = [
    ("", &["metadata", "spec"]),
    ("metadata", &["annotations", "labels"]),
    (
        "spec",
        &[
            "affinity",
            "containers",
            "dnsConfig",
            "dnsPolicy",
            "hostAliases",
            "imagePullSecrets",
            "nodeSelector",
            "priorityClassName",
            "runtimeClassName",
            "schedulerName",
            "securityContext",
            "serviceAccountName",
            "terminationGracePeriodSeconds",
            "tolerations",
            "topologySpreadConstraints",
            "volumes",
        ],
    ),
    (
        "spec.containers[]",
        &["env", "envFrom", "name", "volumeMounts"],
    ),
    (
        "spec.securityContext",
        &[
            "fsGroup",
            "fsGroupChangePolicy",
            "runAsGroup",
            "runAsUser",
            "seLinuxOptions",
            "supplementalGroups",
        ],
    ),
    ("spec.securityContext.seLinuxOptions", &["level", "type"]),
    (
        "spec.volumes[]",
        &[
            "configMap",
            "csi",
            "emptyDir",
            "ephemeral",
            "name",
            "nfs",
            "persistentVolumeClaim",
            "projected",
            "secret",
        ],
    ),
    (
        "spec.volumes[].ephemeral.volumeClaimTemplate.metadata",
        &["annotations", "labels"],
    ),
    (
        "spec.volumes[].ephemeral.volumeClaimTemplate.spec",
        &["accessModes", "resources", "storageClassName"],
    ),
    (
        "spec.volumes[].projected.sources[]",
        &["configMap", "downwardAPI", "secret", "serviceAccountToken"],
    ),
];

/// Fields that are refused since attrium sets them: the object's path, the field, its type, the remedy.
const OWNED: [(&str, &str, &str, &str); 18] = [
    ("spec", "activeDeadlineSeconds", "integer", LIMIT),
    ("spec", "automountServiceAccountToken", "boolean", REMOVE),
    ("spec", "enableServiceLinks", "boolean", REMOVE),
    ("spec", "hostIPC", "boolean", REMOVE),
    ("spec", "hostNetwork", "boolean", REMOVE),
    ("spec", "hostPID", "boolean", REMOVE),
    ("spec", "initContainers", "objects", REMOVE),
    ("spec", "nodeName", "string", "use nodeSelector or affinity"),
    ("spec", "restartPolicy", "string", REMOVE),
    ("spec.containers[]", "args", "strings", REMOVE),
    ("spec.containers[]", "command", "strings", REMOVE),
    ("spec.containers[]", "image", "string", "use compute.image"),
    ("spec.containers[]", "imagePullPolicy", "string", REMOVE),
    ("spec.containers[]", "lifecycle", "object", REMOVE),
    ("spec.containers[]", "resources", "object", RESOURCES),
    ("spec.containers[]", "securityContext", "object", REMOVE),
    (
        "spec.containers[]",
        "terminationMessagePath",
        "string",
        REMOVE,
    ),
    (
        "spec.containers[]",
        "terminationMessagePolicy",
        "string",
        REMOVE,
    ),
];
const REMOVE: &str = "remove it";
const LIMIT: &str = "use the resource's own activeDeadlineSeconds";
const RESOURCES: &str = "use compute.resources";

/// Rules: the path of the field that a rule is about, the rule, the message where it is broken.
const RULES: [(&str, &str, &str); 12] = [
    ("metadata.labels", PLAIN_KEYS, RESERVED_KEY),
    ("metadata.annotations", PLAIN_KEYS, RESERVED_KEY),
    (
        "metadata.annotations",
        NO_PROFILES,
        "chooses a profile of AppArmor or seccomp, which attrium leaves to the runtime: remove it",
    ),
    (
        "spec.securityContext.seLinuxOptions.type",
        "self in ['container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t']",
        "is no type that restricted Pod Security lets in: use container_t, container_init_t, \
         container_kvm_t or container_engine_t",
    ),
    (
        "spec.containers[]",
        "self.name == 'attrium'",
        "is no container of attrium's: only the one that is named attrium can be changed",
    ),
    (
        "spec.containers[].env",
        "self.all(e, self.exists_one(other, other.name == e.name))",
        "sets a variable twice: set each once",
    ),
    (
        "spec.containers[].env",
        "self.all(e, e.name != 'JOB_COMPLETION_INDEX')",
        "sets JOB_COMPLETION_INDEX, which says which task a pod does: remove it",
    ),
    (
        "spec.containers[].volumeMounts",
        "self.all(m, self.exists_one(other, other.mountPath == m.mountPath))",
        "mounts two volumes in one place: give each its own mountPath",
    ),
    (
        "spec.containers[].volumeMounts",
        "self.all(m, m.mountPath != '/etc/attrium' && !m.mountPath.startsWith('/etc/attrium/'))",
        "mounts a volume below /etc/attrium, where attrium has its manifest: use another mountPath",
    ),
    (
        "spec.volumes",
        "self.all(v, self.exists_one(other, other.name == v.name))",
        "names a volume twice: name each once",
    ),
    (
        "spec.volumes",
        "self.all(v, !v.name.startsWith('attrium-'))",
        "names a volume attrium-..., as attrium's own are: use another name",
    ),
    (
        "spec",
        "!has(self.containers) || self.containers.all(c, !has(c.volumeMounts) || \
         c.volumeMounts.all(m, has(self.volumes) && self.volumes.exists(v, v.name == m.name)))",
        "mounts a volume that volumes does not name: add it there",
    ),
];
pub(super) const PLAIN_KEYS: &str = "self.all(key, !(key.startsWith('attrium.dev/') \
     || key.startsWith('batch.kubernetes.io/') || key.startsWith('kueue.x-k8s.io/') \
     || key in ['app.kubernetes.io/name', 'app.kubernetes.io/instance', \
     'app.kubernetes.io/component', 'app.kubernetes.io/managed-by', 'controller-uid', 'job-name']))";
const NO_PROFILES: &str = "self.all(key, \
     !(key.startsWith('container.apparmor.security.beta.kubernetes.io/') \
     || key.startsWith('container.seccomp.security.alpha.kubernetes.io/') \
     || key == 'seccomp.security.alpha.kubernetes.io/pod'))";
pub(super) const RESERVED_KEY: &str =
    "has a key that attrium, Kubernetes or Kueue sets: use another key";

/// The limits that differ from the usual ones: the field's path, the keyword, the number.
const LIMITS: [(&str, &str, u64); 9] = [
    ("metadata.annotations{}", "maxLength", 8192),
    ("metadata.labels{}", "maxLength", 63),
    ("spec.containers", "maxItems", 1),
    ("spec.containers[].env", "maxItems", 64),
    ("spec.containers[].env[].value", "maxLength", 8192),
    ("spec.containers[].name", "maxLength", 63),
    ("spec.securityContext.runAsUser", "minimum", 1),
    ("spec.terminationGracePeriodSeconds", "minimum", 1),
    ("spec.terminationGracePeriodSeconds", "maximum", 86_400),
];

/// Descriptions in place of Kubernetes' own, by the path of the field.
const DESCRIBED: [(&str, &str); 12] = [
    ("metadata", "Labels and annotations of the pods."),
    (
        "metadata.annotations",
        "Annotations to add to each pod. Those of attrium, Kubernetes and Kueue are refused, and those \
         that choose a profile of AppArmor or seccomp.",
    ),
    (
        "metadata.labels",
        "Labels to add to each pod. Those that attrium, Kubernetes or Kueue set are refused.",
    ),
    (
        "spec",
        "Where and how the pods run. Fields that attrium sets are refused.",
    ),
    (
        "spec.affinity",
        "On which nodes pods may run, or run best, by the nodes' labels and by other pods.",
    ),
    (
        "spec.containers",
        "What to change of the container that does the task: one item, named attrium, with env, \
         envFrom and volumeMounts.",
    ),
    (
        "spec.containers[].name",
        "Always attrium: the container that does the task.",
    ),
    (
        "spec.securityContext",
        "The group that owns volumes, and the pod's user, who may not be root.",
    ),
    (
        "spec.securityContext.seLinuxOptions",
        "The SELinux level and type of the container; types are those that restricted Pod Security \
         lets in.",
    ),
    (
        "spec.volumes[].nfs",
        "An NFS export. Restricted Pod Security does not let such a volume in: where it is enforced, \
         use a claim of a PersistentVolume.",
    ),
    (
        "spec.terminationGracePeriodSeconds",
        "How long a pod may take to write its checkpoint once it is asked to stop, in seconds. \
         Defaults to 60. From 1 to 86400.",
    ),
    (
        "spec.volumes",
        "Volumes beside attrium's own, for volumeMounts. Names that begin with attrium- are refused.",
    ),
];

/// The schema of a partial PodTemplateSpec.
pub(super) fn schema(_: &mut SchemaGenerator) -> Schema {
    let mut settings = SchemaSettings::openapi3();
    settings.inline_subschemas = true;
    let mut schema = PodTemplateSpec::json_schema(&mut settings.into_generator()).to_value();
    for (path, fields) in ALLOWED {
        keep(at(&mut schema, path), fields);
    }
    for (path, field, kind, remedy) in OWNED {
        refuse(at(&mut schema, path), field, kind, remedy);
    }
    for (path, keyword, limit) in LIMITS {
        at(&mut schema, path)[keyword] = limit.into();
    }
    for (path, rule, message) in RULES {
        add(at(&mut schema, path), Rule::new(rule).message(message));
    }
    bound(&mut schema);
    for (path, description) in DESCRIBED {
        at(&mut schema, path)["description"] = description.into();
    }
    Schema::try_from(schema).expect("an object should be a schema")
}

/// The schema at a path: fields with dots between them, `[]` for a list's items, `{}` for a map's
/// values.
fn at<'a>(schema: &'a mut Value, path: &str) -> &'a mut Value {
    let mut schema = schema;
    for field in path.split('.').filter(|field| !field.is_empty()) {
        let name = field.trim_end_matches(['[', ']', '{', '}']);
        let inner = match &field[name.len()..] {
            "[]" => "/items",
            "{}" => "/additionalProperties",
            _ => "",
        };
        schema = schema
            .pointer_mut(&format!("/properties/{name}{inner}"))
            .expect("Kubernetes' schema should have this field");
    }
    schema
}

/// Removes all fields of an object except some.
fn keep(schema: &mut Value, fields: &[&str]) {
    if let Some(properties) = schema["properties"].as_object_mut() {
        properties.retain(|name, _| fields.contains(&name.as_str()));
        assert_eq!(properties.len(), fields.len(), "{fields:?}");
    }
    // A template is partial: only the keys by which lists are merged are required.
    if let Some(required) = schema["required"].as_array_mut() {
        required.retain(|field| field == "name");
    }
    if schema["required"].as_array().is_none_or(Vec::is_empty)
        && let Some(keywords) = schema.as_object_mut()
    {
        keywords.remove("required");
    }
}

/// Adds a field that is refused with a reason, by whatever client it is sent.
fn refuse(schema: &mut Value, field: &str, kind: &str, remedy: &str) {
    // A rule can only name a field whose type is known in full.
    let anything = json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true });
    let mut unused = match kind {
        "objects" => json!({ "type": "array", "items": anything }),
        "strings" => json!({ "type": "array", "items": { "type": "string" } }),
        "object" => anything,
        kind => json!({ "type": kind }),
    };
    unused["description"] = format!("Refused, since attrium sets it: {remedy}.").into();
    schema["properties"][field] = unused;
    let rule = Rule::new(format!("!has(self.{field})"))
        .message(&*format!("is for attrium to set: {remedy}"))
        .field_path(format!(".{field}"));
    add(schema, rule);
}

fn add(value: &mut Value, rule: Rule) {
    let mut schema = Schema::try_from(value.take()).expect("an object should be a schema");
    limits::add(&mut schema, rule);
    *value = schema.to_value();
}

/// Gives every string, list and map a maximum where it has none, and shortens descriptions.
fn bound(schema: &mut Value) {
    let Some(keywords) = schema.as_object_mut() else {
        return;
    };
    if keywords.contains_key("x-kubernetes-int-or-string") {
        keywords.entry("pattern").or_insert(limits::QUANTITY.into());
        keywords.entry("maxLength").or_insert(32.into());
    }
    let usual = match keywords.get("type").and_then(Value::as_str) {
        Some("string") => Some(("maxLength", 1024)),
        Some("array") => Some(("maxItems", 32)),
        Some("object") if keywords.contains_key("additionalProperties") => {
            Some(("maxProperties", 32))
        }
        _ => None,
    };
    if let Some((keyword, maximum)) = usual {
        keywords.entry(keyword).or_insert(maximum.into());
    }
    if let Some(Value::String(description)) = keywords.get_mut("description") {
        *description = brief(description);
    }
    for inner in ["items", "additionalProperties"] {
        if let Some(inner) = keywords.get_mut(inner) {
            bound(inner);
            // `kubectl explain` describes the list or the map instead.
            if let Some(keywords) = inner.as_object_mut() {
                keywords.remove("description");
            }
        }
    }
    if let Some(Value::Object(properties)) = keywords.get_mut("properties") {
        properties.values_mut().for_each(bound);
    }
}

/// The first sentences of a description, as many as fit but at least one, without references.
fn brief(description: &str) -> String {
    const LONGEST: usize = 160;
    let paragraph = description.split("\n\n").next().unwrap_or_default();
    let text = paragraph.replace('\n', " ").replace("  ", " ");
    let text = text.split(" More info:").next().unwrap_or_default();
    let ends = text.match_indices(". ").map(|(at, _)| at + 1);
    let is_end = |at: &usize| {
        let next = text[at + 1..].chars().next();
        next.is_some_and(char::is_uppercase)
    };
    let ends: Vec<_> = ends.filter(is_end).chain([text.len()]).collect();
    let longest = ends.iter().rev().find(|end| **end <= LONGEST);
    let end = longest.or(ends.first()).copied().unwrap_or(text.len());
    text[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made() -> Value {
        schema(&mut SchemaGenerator::default()).to_value()
    }

    #[test]
    fn a_description_is_its_first_sentences() {
        let long = "x".repeat(150);
        let table = [
            ("One. Two.", "One. Two."),
            ("One e.g. two. Three", "One e.g. two. Three"),
            ("One.\n\nTwo.", "One."),
            ("One. More info: https://kubernetes.io", "One."),
            (
                &format!("One i.e. one. {long}. Three."),
                &*format!("One i.e. one. {long}."),
            ),
            (&format!("One. Two. X{long}."), "One. Two."),
        ];
        for (description, expected) in table {
            assert_eq!(brief(description), expected);
        }
    }

    #[test]
    fn a_template_is_partial_but_for_the_keys_of_its_lists() {
        let schema = made();
        let required = |path: &str| schema.pointer(path).and_then(|it| it.get("required"));
        assert_eq!(required(""), None);
        assert_eq!(required("/properties/spec"), None);
        let container = required("/properties/spec/properties/containers/items");
        assert_eq!(container, Some(&json!(["name"])));
    }

    #[test]
    fn no_way_leads_to_the_nodes_own_files_or_devices() {
        let schema = made().to_string();
        for field in ["hostPath", "privileged", "volumeDevices", "hostUsers", "fc"] {
            assert!(!schema.contains(&format!("\"{field}\":")), "{field}");
        }
    }
}
