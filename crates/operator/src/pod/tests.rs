//! What the pod template of a stage holds, with and without a `podTemplate` of the user's.

mod screening;

use k8s_openapi::api::core::v1::{Container, PodSpec, PodTemplateSpec};
use serde_json::{Value, json};

use crate::created_resource::CreatedResource;
use crate::fixtures::{UID, job, screening_job, training_run, training_spec};
use attrium_api::ModelPlace;
use attrium_workflow::StageKind::{self, Evaluate, Preprocess, Refit, Screen, Summarize, Train};

/// The pod template of a stage as JSON.
fn template(resource: &CreatedResource, stage: StageKind) -> Value {
    with_model(resource, stage, None)
}

fn with_model(
    resource: &CreatedResource,
    stage: StageKind,
    model: Option<ModelPlace<'_>>,
) -> Value {
    let job = job(resource, stage, model);
    serde_json::to_value(job.spec.expect("a spec").template).expect("JSON")
}

/// The template of a training's first stage with a `podTemplate`.
fn merged(pod_template: &Value) -> Value {
    let lines = format!("  compute: {{podTemplate: {pod_template}}}");
    template(&training_run(&lines), Preprocess)
}

fn container(template: &Value) -> &Value {
    &template["spec"]["containers"][0]
}

/// The variable of a name.
fn variable<'a>(template: &'a Value, name: &str) -> Option<&'a Value> {
    let variables = container(template)["env"].as_array().expect("a list");
    let mut found = variables.iter().filter(|it| it["name"] == name);
    let first = found.next();
    assert!(found.next().is_none(), "{name} is there twice");
    first
}

/// The names of a list's items.
fn names(list: &Value) -> Vec<&str> {
    let items = list.as_array().into_iter().flatten();
    items.filter_map(|item| item["name"].as_str()).collect()
}

#[test]
fn an_object_is_merged_field_by_field() {
    let template = merged(&json!({
        "metadata": {
            "labels": { "cost-centre": "4711" },
            "annotations": { "example.org/note": "none" },
        },
        "spec": { "securityContext": { "fsGroup": 2000, "supplementalGroups": [3000] } },
    }));
    let labels = &template["metadata"]["labels"];
    assert_eq!(labels["cost-centre"], "4711");
    assert_eq!(labels["attrium.dev/uid"], UID);
    assert_eq!(
        template["metadata"]["annotations"],
        json!({ "example.org/note": "none" })
    );
    let expected = json!({
        "fsGroup": 2000,
        "runAsNonRoot": true,
        "seccompProfile": { "type": "RuntimeDefault" },
        "supplementalGroups": [3000],
    });
    assert_eq!(template["spec"]["securityContext"], expected);
}

#[test]
fn what_attrium_says_nothing_of_is_taken_as_it_is() {
    let spec = json!({
        "affinity": { "nodeAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [
                { "matchExpressions": [{ "key": "gpu", "operator": "Exists" }] },
            ],
        } } },
        "dnsConfig": { "nameservers": ["10.0.0.10"] },
        "dnsPolicy": "None",
        "hostAliases": [{ "ip": "10.0.0.1", "hostnames": ["minio.hospital.example"] }],
        "imagePullSecrets": [{ "name": "mirror" }],
        "nodeSelector": { "kubernetes.io/arch": "amd64" },
        "priorityClassName": "low",
        "runtimeClassName": "nvidia",
        "schedulerName": "bin-packing",
        "serviceAccountName": "reader",
        "tolerations": [{ "key": "nvidia.com/gpu", "operator": "Exists" }],
        "topologySpreadConstraints": [{
            "maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway",
        }],
    });
    let template = merged(&json!({ "spec": spec }));
    for (field, value) in spec.as_object().expect("an object") {
        assert_eq!(&template["spec"][field], value, "{field}");
    }
}

#[test]
fn a_number_takes_the_place_of_attriums() {
    let template = merged(&json!({ "spec": { "terminationGracePeriodSeconds": 300 } }));
    assert_eq!(template["spec"]["terminationGracePeriodSeconds"], 300);
    let template = merged(&json!({ "spec": {} }));
    assert_eq!(template["spec"]["terminationGracePeriodSeconds"], 60);
}

#[test]
fn a_volume_and_its_mount_stand_beside_attriums() {
    let template = merged(&json!({ "spec": {
        "volumes": [{ "name": "archive", "persistentVolumeClaim": { "claimName": "scans" } }],
        "containers": [{
            "name": "attrium",
            "volumeMounts": [{ "name": "archive", "mountPath": "/archive", "readOnly": true }],
        }],
    } }));
    let volumes = &template["spec"]["volumes"];
    assert_eq!(
        names(volumes),
        ["attrium-manifest", "attrium-tmp", "archive"]
    );
    assert_eq!(volumes[2]["persistentVolumeClaim"]["claimName"], "scans");
    let mounts = &container(&template)["volumeMounts"];
    assert_eq!(
        names(mounts),
        ["attrium-manifest", "attrium-tmp", "archive"]
    );
    assert_eq!(names(&template["spec"]["containers"]), ["attrium"]);
}

#[test]
fn a_mount_takes_the_place_of_the_one_at_its_path() {
    let template = merged(&json!({ "spec": {
        "volumes": [{ "name": "fast", "ephemeral": { "volumeClaimTemplate": { "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": { "requests": { "storage": "20Gi" } },
        } } } }],
        "containers": [{
            "name": "attrium",
            "volumeMounts": [{ "name": "fast", "mountPath": "/tmp" }],
        }],
    } }));
    let mounts = &container(&template)["volumeMounts"];
    assert_eq!(names(mounts), ["attrium-manifest", "fast"]);
}

#[test]
fn a_variable_is_added_or_takes_the_place_of_the_one_of_its_name() {
    let lines = r#"  storage: {credentialsSecret: scans-s3}
  compute:
    podTemplate:
      spec:
        containers:
          - name: attrium
            env:
              - {name: HTTPS_PROXY, value: "http://proxy:3128"}
              - {name: AWS_ACCESS_KEY_ID, value: anonymous}
            envFrom: [{configMapRef: {name: site}}]"#;
    let template = template(&training_run(lines), Preprocess);
    let plain = |name, value: &str| json!({ "name": name, "value": value });
    let proxy = plain("HTTPS_PROXY", "http://proxy:3128");
    assert_eq!(variable(&template, "HTTPS_PROXY"), Some(&proxy));
    let key = plain("AWS_ACCESS_KEY_ID", "anonymous");
    assert_eq!(variable(&template, "AWS_ACCESS_KEY_ID"), Some(&key));
    assert!(variable(&template, "AWS_SECRET_ACCESS_KEY").is_some());
    assert!(variable(&template, "HOME").is_some());
    let from = &container(&template)["envFrom"];
    assert_eq!(from, &json!([{ "configMapRef": { "name": "site" } }]));
}

#[test]
fn a_template_that_came_past_the_schema_changes_nothing_that_is_attriums() {
    let asked: PodTemplateSpec = serde_json::from_value(json!({
        "metadata": { "name": "mine", "labels": { "attrium.dev/uid": "another", "mine": "yes" } },
        "spec": {
            "activeDeadlineSeconds": 1,
            "automountServiceAccountToken": true,
            "enableServiceLinks": true,
            "hostNetwork": true,
            "initContainers": [{ "name": "first" }],
            "nodeName": "this",
            "restartPolicy": "Always",
            "containers": [
                { "name": "second" },
                {
                    "name": "attrium",
                    "args": ["run"],
                    "command": ["sh"],
                    "image": "another",
                    "resources": { "limits": { "nvidia.com/gpu": "8" } },
                    "securityContext": { "privileged": true },
                    "terminationMessagePath": "/elsewhere",
                },
            ],
        },
    }))
    .expect("a template");
    let with = |asked: Option<PodTemplateSpec>| {
        let mut run = training_run("");
        training_spec(&mut run).compute.pod_template = asked;
        template(&run, Preprocess)
    };
    let mut found = with(Some(asked));
    let labels = found["metadata"]["labels"]
        .as_object_mut()
        .expect("an object");
    assert_eq!(labels.remove("mine"), Some(json!("yes")));
    assert_eq!(found, with(None));
}

#[test]
fn a_pod_is_restricted_and_can_write_to_its_scratch_volume_alone() {
    let resource = training_run("");
    let template = template(&resource, Preprocess);
    let job = job(&resource, Preprocess, None);
    let spec: PodSpec = job
        .spec
        .and_then(|spec| spec.template.spec)
        .expect("a spec");
    assert_eq!(spec.automount_service_account_token, Some(false));
    assert_eq!(spec.service_account_name, None);
    assert_eq!(spec.enable_service_links, Some(false));
    assert_eq!(spec.restart_policy.as_deref(), Some("Never"));
    let expected = json!({
        "allowPrivilegeEscalation": false,
        "capabilities": { "drop": ["ALL"] },
        "readOnlyRootFilesystem": true,
        "runAsNonRoot": true,
        "seccompProfile": { "type": "RuntimeDefault" },
    });
    assert_eq!(container(&template)["securityContext"], expected);
    let writable = container(&template)["volumeMounts"]
        .as_array()
        .expect("a list");
    let writable = writable.iter().filter(|mount| mount["readOnly"] != true);
    let paths: Vec<_> = writable.map(|mount| &mount["mountPath"]).collect();
    assert_eq!(paths, ["/tmp"]);
    let home = json!({ "name": "HOME", "value": "/tmp" });
    assert_eq!(variable(&template, "HOME"), Some(&home));
}

#[test]
fn only_training_refitting_and_a_screening_that_asks_hold_a_gpu() {
    let run = |lines: &str| training_run(lines);
    let model = "  model: {uri: \"s3://models/m/\"}\n";
    let job = |lines: &str| screening_job(&format!("{model}{lines}"));
    let gpu = "  compute: {accelerator: Gpu}";
    let mig = "  compute: {accelerator: Gpu, gpuResource: nvidia.com/mig-1g.10gb}";
    let whole = Some("nvidia.com/gpu");
    let table = [
        (run(gpu), Preprocess, None),
        (run(gpu), Train, whole),
        (run(gpu), Evaluate, None),
        (run(gpu), Refit, whole),
        (run(""), Train, None),
        (run(mig), Train, Some("nvidia.com/mig-1g.10gb")),
        (job(gpu), Screen, whole),
        (job(gpu), Summarize, None),
        (job(""), Screen, None),
    ];
    for (resource, stage, expected) in table {
        let template = template(&resource, stage);
        let held = &container(&template)["resources"];
        let wanted = match expected {
            Some(name) => json!({ "limits": { name: "1" } }),
            None => Value::Null,
        };
        assert_eq!(held, &wanted, "{} {stage}", resource.kind());
        let image = container(&template)["image"].as_str().expect("an image");
        assert_eq!(
            image.ends_with("-cuda"),
            expected.is_some(),
            "{stage}: {image}"
        );
        assert_eq!(template["spec"].get("resourceClaims"), None);
    }
}

#[test]
fn a_gpu_can_be_claimed_in_place_of_an_extended_resource() {
    let lines = "  compute: {accelerator: Gpu, resourceClaimTemplateName: one-gpu, \
                 resources: {limits: {cpu: 4}}}";
    let run = training_run(lines);
    let train = template(&run, Train);
    let claims = json!([{ "name": "gpu", "resourceClaimTemplateName": "one-gpu" }]);
    assert_eq!(train["spec"]["resourceClaims"], claims);
    let resources = json!({ "claims": [{ "name": "gpu" }], "limits": { "cpu": "4" } });
    assert_eq!(container(&train)["resources"], resources);
    let evaluate = template(&run, Evaluate);
    assert_eq!(evaluate["spec"].get("resourceClaims"), None);
    let limits = json!({ "limits": { "cpu": "4" } });
    assert_eq!(container(&evaluate)["resources"], limits);
}

#[test]
fn an_image_that_a_resource_names_is_every_stages() {
    let run = training_run("  compute: {accelerator: Gpu, image: mirror.example/attrium:2}");
    for stage in [Preprocess, Train] {
        let template = template(&run, stage);
        assert_eq!(container(&template)["image"], "mirror.example/attrium:2");
    }
}

#[test]
fn a_request_of_cpu_without_a_limit_says_how_many_threads_a_task_has() {
    let threads = |resources: &str| {
        let run = training_run(&format!("  compute: {{resources: {resources}}}"));
        let template = template(&run, Train);
        variable(&template, "ATTRIUM_THREADS").map(|it| it["valueFrom"].clone())
    };
    let field = json!({ "resourceFieldRef": {
        "containerName": "attrium", "divisor": "1", "resource": "requests.cpu",
    } });
    assert_eq!(threads("{requests: {cpu: 2}}"), Some(field));
    assert_eq!(threads("{requests: {cpu: 2}, limits: {cpu: 4}}"), None);
    assert_eq!(threads("{limits: {cpu: 4}}"), None);
    assert_eq!(threads("{requests: {memory: 4Gi}}"), None);
}

/// The variables that come from a Secret: name and whether a pod can do without.
fn credentials(template: &Value) -> Vec<(&str, bool)> {
    let variables = container(template)["env"].as_array().expect("a list");
    variables
        .iter()
        .filter_map(|variable| {
            let from = variable["valueFrom"].get("secretKeyRef")?;
            assert_eq!(from["name"], "keys");
            assert_eq!(from["key"], variable["name"]);
            Some((variable["name"].as_str()?, from["optional"] == true))
        })
        .collect()
}

#[test]
fn credentials_are_those_of_the_clouds_that_are_used() {
    let s3 = [
        ("AWS_ACCESS_KEY_ID", false),
        ("AWS_SECRET_ACCESS_KEY", false),
        ("AWS_SESSION_TOKEN", true),
    ];
    let google = [("GOOGLE_SERVICE_ACCOUNT_KEY", false)];
    let azure = [
        ("AZURE_STORAGE_ACCOUNT_NAME", false),
        ("AZURE_STORAGE_ACCOUNT_KEY", false),
    ];
    let places = |images: &str, model: &str, secret: &str| {
        crate::fixtures::resource(&format!(
            "apiVersion: attrium.dev/v1alpha1
kind: ScreeningJob
metadata: {{name: a}}
spec: {{images: \"{images}\", output: \"file:///results\", model: {{uri: \"{model}\"}}, storage: {secret}}}
"
        ))
    };
    let secret = "{credentialsSecret: keys}";
    let table: [(CreatedResource, Vec<(&str, bool)>); 5] = [
        (places("s3://scans/", "/model", secret), s3.to_vec()),
        (places("gs://scans/", "/model", secret), google.to_vec()),
        (places("/scans", "az://models/", secret), azure.to_vec()),
        (places("/scans", "/model", secret), vec![]),
        (places("s3://scans/", "/model", "{}"), vec![]),
    ];
    for (resource, expected) in table {
        assert_eq!(credentials(&template(&resource, Screen)), expected);
    }
}

/// A training run of whose places all are folders, with more lines of its spec.
fn run_on_a_volume(lines: &str) -> CreatedResource {
    crate::fixtures::resource(&format!(
        "
apiVersion: attrium.dev/v1alpha1
kind: TrainingRun
metadata: {{name: local, namespace: hospital}}
spec:
  images: file:///data/scans/
  labels: file:///data/labels.csv
  output: file:///data/results/
  tasks: [Positive]
{lines}
"
    ))
}

#[test]
fn weights_that_a_network_starts_from_may_be_in_a_bucket_of_their_own() {
    for network in [
        "{architecture: VGG16, pretrainedWeights: \"s3://models/vgg16.safetensors\"}",
        "{architecture: Linear, startFrom: {uri: \"s3://models/linear/\"}}",
    ] {
        let run = run_on_a_volume(&format!(
            "  networks: [{network}]\n  storage: {{credentialsSecret: keys}}"
        ));
        let template = template(&run, Train);
        let keys: Vec<_> = credentials(&template)
            .into_iter()
            .map(|(key, _)| key)
            .collect();
        let expected = [
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
        ];
        assert_eq!(keys, expected, "{network}");
    }
}

#[test]
fn a_certificate_authority_is_mounted_by_its_key() {
    let lines = "  storage: {caBundle: {configMap: hospital-ca, key: root.pem}}";
    let template = template(&training_run(lines), Preprocess);
    let volume = json!({
        "name": "attrium-ca",
        "configMap": {
            "name": "hospital-ca",
            "items": [{ "key": "root.pem", "path": "root.pem" }],
        },
    });
    assert_eq!(template["spec"]["volumes"][2], volume);
    let arguments = container(&template)["args"].as_array().expect("a list");
    assert_eq!(
        arguments[arguments.len() - 2..],
        ["--ca-bundle", "/etc/attrium/ca/root.pem"]
    );
    let mounts = &container(&template)["volumeMounts"];
    assert_eq!(
        names(mounts),
        ["attrium-manifest", "attrium-tmp", "attrium-ca"]
    );
}

#[test]
fn folders_of_a_volume_need_neither_bucket_nor_secret() {
    let run = run_on_a_volume(
        "  networks: [{architecture: Residual}]
  compute:
    podTemplate:
      spec:
        securityContext: {fsGroup: 65532}
        volumes: [{name: data, persistentVolumeClaim: {claimName: cardiology}}]
        containers: [{name: attrium, volumeMounts: [{name: data, mountPath: /data}]}]",
    );
    let template = template(&run, Train);
    assert_eq!(credentials(&template), []);
    assert_eq!(template["spec"]["securityContext"]["fsGroup"], 65532);
    let container: Container =
        serde_json::from_value(container(&template).clone()).expect("a container");
    let mounts = container.volume_mounts.expect("mounts");
    assert_eq!(mounts[2].mount_path, "/data");
}
