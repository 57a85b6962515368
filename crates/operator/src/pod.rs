//! The pods of a stage: attrium's own template with the resource's `podTemplate` merged into it.
//!
//! Pure. The merge is Kubernetes' strategic merge: objects field by field, lists by their merge
//! keys where they have one (containers, volumes, variables and pull secrets by name, mounts by
//! their path, host aliases by their address, spread constraints by their topology key), other
//! lists, such as tolerations, and the node selector as a whole. A variable of the user's takes the
//! place of attrium's of that name. What attrium has to own is not taken from the user's template
//! (`pod_template`).

use std::collections::BTreeMap;

use k8s_openapi::DeepMerge;
use k8s_openapi::api::core::v1::{
    Capabilities, ConfigMapVolumeSource, Container, EmptyDirVolumeSource, KeyToPath,
    PodResourceClaim, PodSecurityContext, PodSpec, PodTemplateSpec, ResourceClaim,
    ResourceRequirements, SeccompProfile, SecurityContext, Volume, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::job::StageJob;
use super::{environment, manifest, pod_template};
use attrium_api::{Accelerator, CONTAINER, Resource};
use attrium_workflow::StageKind;

/// How long a pod has to write its checkpoint and end, in seconds.
const GRACE: i64 = 60;
/// Where a pod leaves its summary: the kubelet's own default.
const TERMINATION_MESSAGE: &str = "/dev/termination-log";
/// Where pods have the manifest.
const MANIFEST_FOLDER: &str = "/etc/attrium/manifest";
/// Where pods have the certificate authorities.
const CA_FOLDER: &str = "/etc/attrium/ca";
/// The only place that a pod can write to but its volumes.
const SCRATCH: &str = "/tmp";
/// The claim of a GPU within a pod.
const GPU_CLAIM: &str = "gpu";

/// The volume of the manifest.
pub(crate) const MANIFEST_VOLUME: &str = "attrium-manifest";
const CA_VOLUME: &str = "attrium-ca";
const SCRATCH_VOLUME: &str = "attrium-tmp";

/// The pod template of a stage's Job.
pub(super) fn template(stage: &StageJob<'_>) -> PodTemplateSpec {
    let mut template = own(stage);
    if let Some(asked) = &stage.resource.compute().pod_template {
        merge(&mut template, pod_template::allowed(asked));
    }
    // Labels lead from a pod back to its resource.
    let labels = template
        .metadata
        .get_or_insert_default()
        .labels
        .get_or_insert_default();
    labels.extend(stage.names.labels.clone());
    template
}

fn merge(template: &mut PodTemplateSpec, asked: PodTemplateSpec) {
    let variables = asked.spec.iter().flat_map(|spec| &spec.containers);
    let variables: Vec<_> = variables
        .flat_map(|it| it.env.iter().flatten())
        .cloned()
        .collect();
    let containers = template
        .spec
        .iter_mut()
        .flat_map(|spec| &mut spec.containers);
    for variable in containers.filter_map(|it| it.env.as_mut()) {
        variable.retain(|own| !variables.iter().any(|other| other.name == own.name));
    }
    template.merge_from(asked);
}

/// attrium's own template.
fn own(stage: &StageJob<'_>) -> PodTemplateSpec {
    let spec = PodSpec {
        automount_service_account_token: Some(false),
        containers: vec![container(stage)],
        enable_service_links: Some(false),
        resource_claims: claims_gpu(stage).map(|template| {
            vec![PodResourceClaim {
                name: GPU_CLAIM.to_owned(),
                resource_claim_template_name: Some(template.to_owned()),
                ..PodResourceClaim::default()
            }]
        }),
        restart_policy: Some("Never".to_owned()),
        security_context: Some(PodSecurityContext {
            run_as_non_root: Some(true),
            seccomp_profile: Some(seccomp()),
            ..PodSecurityContext::default()
        }),
        termination_grace_period_seconds: Some(GRACE),
        volumes: Some(volumes(stage)),
        ..PodSpec::default()
    };
    PodTemplateSpec {
        metadata: Some(ObjectMeta {
            labels: Some(stage.names.labels.clone()),
            ..ObjectMeta::default()
        }),
        spec: Some(spec),
    }
}

/// The image of a stage: the one that the resource's first stage has run, whatever the operator's own has
/// become since.
fn image(stage: &StageJob<'_>) -> String {
    let settings = stage.settings;
    let (accelerator, own) = if holds_gpu(stage) {
        (Accelerator::Gpu, &settings.cuda_image)
    } else {
        (Accelerator::Cpu, &settings.image)
    };
    let mut begun = stage
        .resource
        .status()
        .into_iter()
        .flat_map(|it| &it.images);
    if let Some(begun) = begun.find(|it| it.accelerator == accelerator) {
        return begun.reference().to_owned();
    }
    stage
        .resource
        .compute()
        .image
        .as_ref()
        .unwrap_or(own)
        .clone()
}

fn container(stage: &StageJob<'_>) -> Container {
    let settings = stage.settings;
    Container {
        args: Some(arguments(stage)),
        env: Some(environment::variables(stage)),
        image: Some(image(stage)),
        image_pull_policy: settings.image_pull_policy.clone(),
        name: CONTAINER.to_owned(),
        resources: resources(stage),
        security_context: Some(SecurityContext {
            allow_privilege_escalation: Some(false),
            capabilities: Some(Capabilities {
                drop: Some(vec!["ALL".to_owned()]),
                ..Capabilities::default()
            }),
            read_only_root_filesystem: Some(true),
            run_as_non_root: Some(true),
            seccomp_profile: Some(seccomp()),
            ..SecurityContext::default()
        }),
        volume_mounts: Some(mounts(stage)),
        ..Container::default()
    }
}

fn seccomp() -> SeccompProfile {
    SeccompProfile {
        type_: "RuntimeDefault".to_owned(),
        localhost_profile: None,
    }
}

fn arguments(stage: &StageJob<'_>) -> Vec<String> {
    let manifest = format!("{MANIFEST_FOLDER}/{}", manifest::FILE);
    let mut arguments = vec!["stage", stage.stage.kind.name(), "--manifest", &manifest];
    arguments.extend(["--termination-message", TERMINATION_MESSAGE]);
    if let Some(model) = stage.model {
        arguments.extend(["--model", model.uri]);
        arguments.extend(
            model
                .digest
                .into_iter()
                .flat_map(|it| ["--model-digest", it]),
        );
    }
    let bundle = stage.resource.storage().ca_bundle.as_ref();
    let bundle = bundle.map(|bundle| format!("{CA_FOLDER}/{}", bundle.key));
    arguments.extend(
        bundle
            .iter()
            .flat_map(|path| ["--ca-bundle", path.as_str()]),
    );
    arguments.extend(signatures(stage));
    arguments.into_iter().map(str::to_owned).collect()
}

/// Whose signatures are demanded of the model that a stage opens: public keys, which are no secrets.
fn signatures<'a>(stage: &StageJob<'a>) -> Vec<&'a str> {
    let resource: &Resource = stage.resource;
    let starts = || match resource {
        Resource::TrainingRun(run) => run.spec.starting_models().next().is_some(),
        Resource::ScreeningJob(_) => false,
    };
    let opens = match stage.stage.kind {
        StageKind::Screen | StageKind::Summarize => true,
        StageKind::Train | StageKind::Refit => starts(),
        StageKind::Preprocess | StageKind::Evaluate => false,
    };
    if !opens {
        return Vec::new();
    }
    let settings = stage.settings;
    let keys = settings.trusted_keys.iter();
    let keys = keys.flat_map(|key| ["--trusted-key", key.as_str()]);
    let required = settings.require_signed.then_some("--require-signed");
    keys.chain(required).collect()
}

/// Whether the pods of a stage hold a GPU.
fn holds_gpu(stage: &StageJob<'_>) -> bool {
    stage.stage.accelerated && stage.resource.compute().accelerator == Accelerator::Gpu
}

/// The template from which the pods of a stage claim a GPU.
fn claims_gpu<'a>(stage: &StageJob<'a>) -> Option<&'a str> {
    let template = stage
        .resource
        .compute()
        .resource_claim_template_name
        .as_deref();
    template.filter(|_| holds_gpu(stage))
}

/// What was asked for, and the GPU.
fn resources(stage: &StageJob<'_>) -> Option<ResourceRequirements> {
    let compute = stage.resource.compute();
    let asked = compute.resources.clone().unwrap_or_default();
    let quantities = |asked: &BTreeMap<String, attrium_api::Quantity>| -> BTreeMap<_, _> {
        asked
            .iter()
            .map(|(name, quantity)| (name.clone(), Quantity::from(quantity)))
            .collect()
    };
    let (mut limits, requests) = (quantities(&asked.limits), quantities(&asked.requests));
    let claim = claims_gpu(stage);
    if holds_gpu(stage) && claim.is_none() {
        limits.insert(compute.gpu_resource().to_owned(), Quantity("1".to_owned()));
    }
    let resources = ResourceRequirements {
        claims: claim.map(|_| {
            vec![ResourceClaim {
                name: GPU_CLAIM.to_owned(),
                request: None,
            }]
        }),
        limits: (!limits.is_empty()).then_some(limits),
        requests: (!requests.is_empty()).then_some(requests),
    };
    (resources != ResourceRequirements::default()).then_some(resources)
}

fn volumes(stage: &StageJob<'_>) -> Vec<Volume> {
    let config_map = |name: &str, source: ConfigMapVolumeSource| Volume {
        name: name.to_owned(),
        config_map: Some(source),
        ..Volume::default()
    };
    let manifest = ConfigMapVolumeSource {
        name: stage.names.config_map.clone(),
        ..ConfigMapVolumeSource::default()
    };
    let scratch = Volume {
        name: SCRATCH_VOLUME.to_owned(),
        empty_dir: Some(EmptyDirVolumeSource::default()),
        ..Volume::default()
    };
    let mut volumes = vec![config_map(MANIFEST_VOLUME, manifest), scratch];
    if let Some(bundle) = &stage.resource.storage().ca_bundle {
        // With the key named here the kubelet says of a missing one that it is.
        let source = ConfigMapVolumeSource {
            name: bundle.config_map.clone(),
            items: Some(vec![KeyToPath {
                key: bundle.key.clone(),
                path: bundle.key.clone(),
                mode: None,
            }]),
            ..ConfigMapVolumeSource::default()
        };
        volumes.push(config_map(CA_VOLUME, source));
    }
    volumes
}

fn mounts(stage: &StageJob<'_>) -> Vec<VolumeMount> {
    let mount = |name: &str, path: &str, read_only: bool| VolumeMount {
        name: name.to_owned(),
        mount_path: path.to_owned(),
        read_only: read_only.then_some(true),
        ..VolumeMount::default()
    };
    let mut mounts = vec![
        mount(MANIFEST_VOLUME, MANIFEST_FOLDER, true),
        mount(SCRATCH_VOLUME, SCRATCH, false),
    ];
    if stage.resource.storage().ca_bundle.is_some() {
        mounts.push(mount(CA_VOLUME, CA_FOLDER, true));
    }
    mounts
}

#[cfg(test)]
mod restricted_tests;
#[cfg(test)]
mod tests;
