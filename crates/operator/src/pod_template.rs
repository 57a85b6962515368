//! What of a user's pod template goes into a pod: what the definition of the resource lets in, and no more,
//! even if the template came past it.
//!
//! Pure. A resource whose spec breaks a rule of its definition makes no Job (`admission`); what is left out
//! here would therefore be missed by nobody, and no pod is more than restricted Pod Security lets in, but for
//! an NFS volume.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    Container, EphemeralVolumeSource, PersistentVolumeClaimSpec, PersistentVolumeClaimTemplate,
    PodSecurityContext, PodSpec, PodTemplateSpec, ProjectedVolumeSource, SELinuxOptions, Volume,
    VolumeMount, VolumeProjection,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use attrium_api::CONTAINER;

/// Labels and annotations that users may not set, by their prefixes.
const RESERVED: [&str; 6] = [
    "attrium.dev/",
    "batch.kubernetes.io/",
    "kueue.x-k8s.io/",
    "container.apparmor.security.beta.kubernetes.io/",
    "container.seccomp.security.alpha.kubernetes.io/",
    "seccomp.security.alpha.kubernetes.io/",
];
/// The types of SELinux that restricted Pod Security lets in.
const SELINUX_TYPES: [&str; 4] = [
    "container_t",
    "container_init_t",
    "container_kvm_t",
    "container_engine_t",
];
/// The variable by which a pod knows its task.
const INDEX: &str = "JOB_COMPLETION_INDEX";
/// The folder of attrium's own mounts.
const OWN_FOLDER: &str = "/etc/attrium";
/// What the names of attrium's own volumes begin with.
const OWN_VOLUME: &str = "attrium-";

/// What users may set of a pod: the rest of their template is left out.
pub(super) fn allowed(asked: &PodTemplateSpec) -> PodTemplateSpec {
    let metadata = asked.metadata.clone().unwrap_or_default();
    let spec = asked.spec.clone().unwrap_or_default();
    let volumes = spec.volumes.map(|all| volumes(all).collect::<Vec<_>>());
    let names = volumes.iter().flatten().map(|volume| volume.name.clone());
    let names: Vec<_> = names.collect();
    let containers = spec.containers.into_iter();
    let own = containers.filter(|it| it.name == CONTAINER).take(1);
    PodTemplateSpec {
        metadata: Some(ObjectMeta {
            annotations: metadata.annotations.map(unreserved),
            labels: metadata.labels.map(unreserved),
            ..ObjectMeta::default()
        }),
        spec: Some(PodSpec {
            affinity: spec.affinity,
            containers: own.map(|it| container(it, &names)).collect(),
            dns_config: spec.dns_config,
            dns_policy: spec.dns_policy,
            host_aliases: spec.host_aliases,
            image_pull_secrets: spec.image_pull_secrets,
            node_selector: spec.node_selector,
            priority_class_name: spec.priority_class_name,
            runtime_class_name: spec.runtime_class_name,
            scheduler_name: spec.scheduler_name,
            security_context: spec.security_context.map(security_context),
            service_account_name: spec.service_account_name,
            termination_grace_period_seconds: spec.termination_grace_period_seconds,
            tolerations: spec.tolerations,
            topology_spread_constraints: spec.topology_spread_constraints,
            volumes,
            ..PodSpec::default()
        }),
    }
}

fn unreserved(mut keys: BTreeMap<String, String>) -> BTreeMap<String, String> {
    keys.retain(|key, _| !RESERVED.iter().any(|prefix| key.starts_with(prefix)));
    keys
}

/// The one container, with mounts of the volumes of these names.
fn container(container: Container, volumes: &[String]) -> Container {
    let mounts = |mut mounts: Vec<VolumeMount>| {
        mounts.retain(|mount| volumes.contains(&mount.name) && !is_own_place(&mount.mount_path));
        mounts
    };
    let variables = container.env.map(|mut variables| {
        variables.retain(|variable| variable.name != INDEX);
        variables
    });
    Container {
        env: variables,
        env_from: container.env_from,
        name: container.name,
        volume_mounts: container.volume_mounts.map(mounts),
        ..Container::default()
    }
}

fn is_own_place(path: &str) -> bool {
    let below = path.strip_prefix(OWN_FOLDER);
    below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn security_context(asked: PodSecurityContext) -> PodSecurityContext {
    let options = asked.se_linux_options.map(|options| SELinuxOptions {
        level: options.level,
        type_: options
            .type_
            .filter(|it| SELINUX_TYPES.contains(&it.as_str())),
        ..SELinuxOptions::default()
    });
    PodSecurityContext {
        fs_group: asked.fs_group,
        fs_group_change_policy: asked.fs_group_change_policy,
        run_as_group: asked.run_as_group,
        run_as_user: asked.run_as_user.filter(|user| *user > 0),
        se_linux_options: options,
        supplemental_groups: asked.supplemental_groups,
        ..PodSecurityContext::default()
    }
}

/// Volumes of users' own, of the kinds that are let in; those that are left with nothing are left out.
fn volumes(asked: Vec<Volume>) -> impl Iterator<Item = Volume> {
    let foreign = asked
        .into_iter()
        .filter(|volume| !volume.name.starts_with(OWN_VOLUME));
    foreign.filter_map(|asked| {
        let is_plain = only_name(&asked);
        let volume = volume(asked);
        // One that states nothing is an empty folder.
        (is_plain || !only_name(&volume)).then_some(volume)
    })
}

fn only_name(volume: &Volume) -> bool {
    let name = volume.name.clone();
    *volume
        == Volume {
            name,
            ..Volume::default()
        }
}

fn volume(asked: Volume) -> Volume {
    Volume {
        config_map: asked.config_map,
        csi: asked.csi,
        empty_dir: asked.empty_dir,
        ephemeral: asked.ephemeral.map(ephemeral),
        name: asked.name,
        nfs: asked.nfs,
        persistent_volume_claim: asked.persistent_volume_claim,
        projected: asked.projected.map(projected),
        secret: asked.secret,
        ..Volume::default()
    }
}

fn projected(asked: ProjectedVolumeSource) -> ProjectedVolumeSource {
    let source = |source: VolumeProjection| VolumeProjection {
        config_map: source.config_map,
        downward_api: source.downward_api,
        secret: source.secret,
        service_account_token: source.service_account_token,
        ..VolumeProjection::default()
    };
    let sources = asked.sources.map(|sources| {
        let sources = sources.into_iter().map(source);
        let is_empty = |it: &VolumeProjection| *it == VolumeProjection::default();
        sources.filter(|it| !is_empty(it)).collect()
    });
    ProjectedVolumeSource { sources, ..asked }
}

fn ephemeral(asked: EphemeralVolumeSource) -> EphemeralVolumeSource {
    let template = asked.volume_claim_template.map(|template| {
        let metadata = template.metadata.map(|metadata| ObjectMeta {
            annotations: metadata.annotations,
            labels: metadata.labels,
            ..ObjectMeta::default()
        });
        PersistentVolumeClaimTemplate {
            metadata,
            spec: PersistentVolumeClaimSpec {
                access_modes: template.spec.access_modes,
                resources: template.spec.resources,
                storage_class_name: template.spec.storage_class_name,
                ..PersistentVolumeClaimSpec::default()
            },
        }
    });
    EphemeralVolumeSource {
        volume_claim_template: template,
    }
}
