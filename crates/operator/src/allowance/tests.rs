//! What is brought into pods is listed, and what is not allowed is refused with its field.

use std::collections::BTreeSet;

use super::*;
use crate::created_resource::CreatedResource;
use crate::fixtures::{job, screening_job, settings, training_run};
use attrium_api::crd::Definition;
use attrium_workflow::Plan;

/// A resource that brings in whatever one can.
fn everything() -> CreatedResource {
    screening_job(
        r#"  model: {uri: "s3://models/m/"}
  storage: {credentialsSecret: scans-s3, caBundle: {configMap: hospital-ca}}
  alert: {webhook: {urlFrom: {secret: address}, secret: alert}}
  compute:
    image: mirror.example/attrium:2
    podTemplate:
      spec:
        serviceAccountName: reader
        imagePullSecrets: [{name: mirror}]
        containers:
          - name: attrium
            env:
              - {name: PLAIN, value: x}
              - {name: TOKEN, valueFrom: {secretKeyRef: {name: site, key: token}}}
            envFrom: [{configMapRef: {name: site}}, {secretRef: {name: proxy}}]
        volumes:
          - {name: empty}
          - {name: scans, persistentVolumeClaim: {claimName: scans}}
          - {name: nas, nfs: {server: nas, path: /scans}}
          - {name: keys, secret: {secretName: keys}}
          - name: both
            projected:
              sources:
                - {configMap: {name: site}}
                - {secret: {name: certificate}}
                - {serviceAccountToken: {path: token}}
                - {downwardAPI: {items: []}}
          - name: share
            csi:
              driver: file.csi.example
              nodePublishSecretRef: {name: publish}
              volumeAttributes: {secretName: account, shareName: scans}
          - name: fast
            ephemeral: {volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce]}}}"#,
    )
}

#[test]
fn a_star_stands_for_any_characters() {
    let table = [
        ("a", "a", true),
        ("a", "ab", false),
        ("*", "", true),
        ("*", "anything/at:all", true),
        ("mirror.example/*", "mirror.example/attrium:1", true),
        ("mirror.example/*", "mirror.example.evil/attrium:1", false),
        ("mirror.example/*", "evil/mirror.example/attrium:1", false),
        ("*-s3", "scans-s3", true),
        ("*-s3", "scans-s3-x", false),
        ("a*b*c", "a-b-b-c", true),
        ("a*b*c", "a-c-b", false),
        ("a*a", "a", false),
        ("ab*ba", "aba", false),
        ("", "", true),
    ];
    for (pattern, name, expected) in table {
        assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
    }
}

#[test]
fn a_list_has_commas_between_its_patterns_and_may_be_empty() {
    assert_eq!(Patterns::parse(""), Patterns::default());
    let list = Patterns::parse("a, b*,");
    assert_eq!(list, Patterns(vec!["a".to_owned(), "b*".to_owned()]));
    assert!(!Patterns::parse("").allow(""));
}

#[test]
fn whatever_a_resource_brings_into_its_pods_is_listed_with_its_field() {
    use What::{Image, Secret, ServiceAccount, Volume};
    let place = |field: &str| format!("spec.compute.podTemplate.spec.{field}");
    let volume = |index: usize| place(&format!("volumes[{index}]"));
    let expected = [
        (
            Image,
            "mirror.example/attrium:2",
            "spec.compute.image".to_owned(),
        ),
        (
            Secret,
            "scans-s3",
            "spec.storage.credentialsSecret".to_owned(),
        ),
        (Volume, "configMap", "spec.storage.caBundle".to_owned()),
        (Secret, "alert", "spec.alert.webhook.secret".to_owned()),
        (
            Secret,
            "address",
            "spec.alert.webhook.urlFrom.secret".to_owned(),
        ),
        (ServiceAccount, "reader", place("serviceAccountName")),
        (Secret, "mirror", place("imagePullSecrets[0]")),
        (Secret, "site", place("containers[0].env[1]")),
        (Secret, "proxy", place("containers[0].envFrom[1]")),
        (Volume, "emptyDir", volume(0)),
        (Volume, "persistentVolumeClaim", volume(1)),
        (Volume, "nfs", volume(2)),
        (Volume, "secret", volume(3)),
        (Secret, "keys", volume(3)),
        (Volume, "configMap", volume(4)),
        (Volume, "downwardAPI", volume(4)),
        (Volume, "projected", volume(4)),
        (Volume, "secret", volume(4)),
        (Volume, "serviceAccountToken", volume(4)),
        (Secret, "certificate", volume(4)),
        (Volume, "csi", volume(5)),
        (Secret, "publish", volume(5)),
        (Secret, "account", volume(5)),
        (Volume, "ephemeral", volume(6)),
    ];
    let expected = expected.map(|(what, name, field)| Brought::new(what, name, field));
    assert_eq!(brought(&everything()), expected);
}

/// The names at whatever field of a value speaks of a Secret.
fn secrets(value: &Value, of_secret: bool, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (field, value) in fields {
                let is_name = ["name", "secretName"].contains(&field.as_str());
                if let (true, true, Value::String(name)) = (of_secret, is_name, value) {
                    found.insert(name.clone());
                }
                // A volume has a name of its own, beside what it is of.
                let speaks = field.to_ascii_lowercase().contains("secret");
                secrets(value, speaks, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|it| secrets(it, of_secret, found)),
        _ => {}
    }
}

#[test]
fn no_secret_is_in_a_pod_that_is_not_listed() {
    let resource = everything();
    let mut in_pods = BTreeSet::new();
    for stage in &Plan::new(&resource).stages {
        let job = serde_json::to_value(job(&resource, stage.kind, None)).expect("JSON");
        secrets(&job, false, &mut in_pods);
    }
    let all = brought(&resource).into_iter();
    let listed = all.filter(|it| it.what == What::Secret).map(|it| it.name);
    let mut listed: BTreeSet<_> = listed.collect();
    // What a driver makes of its attributes is no field of Kubernetes'.
    assert!(listed.remove("account"));
    assert_eq!(in_pods, listed);
}

/// The fields of a schema, and of those within it, for which something holds; none within these.
fn fields(schema: &Value, path: &str, holds: fn(&str) -> bool, found: &mut BTreeSet<String>) {
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        if holds(name) {
            found.insert(path);
        } else {
            fields(field, &path, holds, found);
        }
    }
    if let Some(items) = schema.get("items") {
        fields(items, &format!("{path}[]"), holds, found);
    }
}

#[test]
fn every_field_that_can_name_a_secret_an_image_or_an_account_is_known_here() {
    let names = |name: &str| {
        let name = name.to_ascii_lowercase();
        name.contains("secret") || name.contains("serviceaccount") || name == "image"
    };
    let mut found = BTreeSet::new();
    for definition in Definition::all() {
        let spec = &definition.schema()["properties"]["spec"];
        fields(spec, "spec", names, &mut found);
    }
    let expected = [
        "spec.alert.webhook.secret",
        "spec.alert.webhook.urlFrom.secret",
        "spec.compute.image",
        // These two are refused by the definitions.
        "spec.compute.podTemplate.spec.automountServiceAccountToken",
        "spec.compute.podTemplate.spec.containers[].image",
        "spec.compute.podTemplate.spec.containers[].env[].valueFrom.secretKeyRef",
        "spec.compute.podTemplate.spec.containers[].envFrom[].secretRef",
        "spec.compute.podTemplate.spec.imagePullSecrets",
        "spec.compute.podTemplate.spec.serviceAccountName",
        "spec.compute.podTemplate.spec.volumes[].csi.nodePublishSecretRef",
        "spec.compute.podTemplate.spec.volumes[].projected.sources[].secret",
        "spec.compute.podTemplate.spec.volumes[].projected.sources[].serviceAccountToken",
        "spec.compute.podTemplate.spec.volumes[].secret",
        "spec.storage.credentialsSecret",
    ];
    assert_eq!(found, expected.map(str::to_owned).into());
}

#[test]
fn the_chart_knows_every_kind_of_volume_that_a_template_may_have() {
    let definition = Definition::training_run();
    let volumes = "/properties/spec/properties/compute/properties/podTemplate/properties/spec\
                   /properties/volumes/items";
    let volumes = definition.schema().pointer(volumes).expect("a schema");
    let sources = &volumes["properties"]["projected"]["properties"]["sources"]["items"];
    let kinds = |schema: &Value| -> BTreeSet<String> {
        let fields = schema["properties"].as_object().expect("fields");
        fields.keys().filter(|it| *it != "name").cloned().collect()
    };
    let mut expected = &kinds(volumes) | &kinds(sources);
    expected.insert("*".to_owned());
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../charts/attrium/values.schema.json"
    );
    let schema = std::fs::read_to_string(path).expect("should be read");
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    let list = "/properties/tasks/properties/allow/properties/volumes/items/enum";
    let known = schema.pointer(list).and_then(Value::as_array);
    let known = known.expect("a list").iter().filter_map(Value::as_str);
    assert_eq!(known.map(str::to_owned).collect::<BTreeSet<_>>(), expected);
}

fn only(allowance: Allowance) -> Settings {
    Settings {
        allowance,
        ..settings()
    }
}

#[test]
fn empty_lists_leave_what_is_attriums_own() {
    let none = || Some(Patterns::default());
    let settings = only(Allowance {
        images: none(),
        service_accounts: none(),
        secrets: none(),
        volumes: none(),
    });
    assert_eq!(refused(&settings, &training_run("")), None);
    let own = "  compute: {image: \"registry.example/attrium:1-cuda\", \
               podTemplate: {spec: {serviceAccountName: default}}}";
    assert_eq!(refused(&settings, &training_run(own)), None);
    let sentence = refused(&settings, &everything()).expect("a refusal");
    assert_eq!(sentence.split("; ").count(), MAX_NAMED, "{sentence}");
}

#[test]
fn each_list_is_about_its_own_and_a_refusal_says_what_is_allowed() {
    let list = |text: &str| Some(Patterns::parse(text));
    let table = [
        (
            Allowance {
                secrets: list(""),
                ..Allowance::default()
            },
            "spec.storage.credentialsSecret names the Secret scans-s3, which the administrator does \
             not allow: none is",
        ),
        (
            Allowance {
                secrets: list("scans-*,mirror"),
                ..Allowance::default()
            },
            "spec.alert.webhook.secret names the Secret alert, which the administrator does not \
             allow: allowed are scans-*, mirror",
        ),
        (
            Allowance {
                volumes: list("configMap,emptyDir,persistentVolumeClaim"),
                ..Allowance::default()
            },
            "spec.compute.podTemplate.spec.volumes[2] names a volume of the kind nfs, which the \
             administrator does not allow: allowed are attrium's own, configMap, emptyDir, \
             persistentVolumeClaim",
        ),
        (
            Allowance {
                service_accounts: list(""),
                ..Allowance::default()
            },
            "spec.compute.podTemplate.spec.serviceAccountName names the service account reader, which \
             the administrator does not allow: allowed are default",
        ),
    ];
    for (allowance, expected) in table {
        let sentence = refused(&only(allowance), &everything()).expect("a refusal");
        let first = sentence.split("; ").next();
        assert_eq!(first, Some(expected));
    }
    let all = only(Allowance {
        images: list("mirror.example/*"),
        service_accounts: list("reader"),
        secrets: list("*"),
        volumes: list("*"),
    });
    assert_eq!(refused(&all, &everything()), None);
}
