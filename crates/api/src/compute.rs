//! Where and how tasks run: accelerator, image, resources, pod template.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::PodTemplateSpec;
use kube::core::Rule;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::{limits, pod_template};

/// The hardware that training and screening ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Accelerator {
    /// The processor alone.
    #[default]
    Cpu,
    /// One GPU for each task.
    Gpu,
}

/// Where and how tasks run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(transform = one_way_to_a_gpu)]
pub struct Compute {
    /// What training and screening run on: Cpu, or Gpu for one GPU a task, which needs an attrium
    /// that was built with the feature `cuda`. Preprocessing and evaluation never ask for a GPU.
    /// Default: Cpu.
    pub accelerator: Accelerator,
    /// The extended resource that stands for one GPU, such as nvidia.com/gpu, or
    /// nvidia.com/mig-1g.10gb for a part of one. Default: nvidia.com/gpu, unless
    /// resourceClaimTemplateName is given. At most 253 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::NAME))]
    #[schemars(transform = extended_resource)]
    pub gpu_resource: Option<String>,
    /// The ResourceClaimTemplate of the same namespace from which each task that needs a GPU claims
    /// one (dynamic resource allocation), in place of gpuResource. Default: none. At most 253
    /// characters. Only for a cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::NAME))]
    #[schemars(transform = limits::object_name)]
    pub resource_claim_template_name: Option<String>,
    /// The image of every pod. Default: the operator's own, and for pods that hold a GPU its CUDA
    /// image. At most 512 characters. Only for a cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub image: Option<String>,
    /// How many tasks of a stage run at a time; it may be changed while they run. Default: all of
    /// them, and locally as many as the machine has cores. From 1 to 1000.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub parallelism: Option<u32>,
    /// What each pod requests and is limited to: cpu, memory, ephemeral-storage. A task keeps as
    /// many threads busy as its limit of cpu allows, or, without one, as it requests; without
    /// either, as the node has. Default: nothing beyond the GPU. Only for a cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourceRequirements>,
    /// A partial PodTemplateSpec that is merged into each pod's as `kubectl patch` would: labels and
    /// annotations, where pods are scheduled, volumes, and the environment and mounts of the
    /// container `attrium`. It may not change once work has started. Default: nothing. Only for a
    /// cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "pod_template::schema")]
    pub pod_template: Option<PodTemplateSpec>,
    /// Labels of the Jobs and ConfigMaps, beside attrium's own, such as those that an admission policy
    /// asks for; those of pods are in podTemplate. They may be changed while work goes on, for what is
    /// made from then on. Default: none. At most 32, with values of at most 63 characters. Only for a
    /// cluster.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "job_labels")]
    pub job_labels: BTreeMap<String, String>,
    /// Annotations of the Jobs and ConfigMaps, beside attrium's own. They may be changed while work goes
    /// on, for what is made from then on. Default: none. At most 32, with values of at most 1024
    /// characters. Only for a cluster.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "job_annotations")]
    pub job_annotations: BTreeMap<String, String>,
}

impl Compute {
    /// The extended resource that stands for one GPU.
    pub fn gpu_resource(&self) -> &str {
        self.gpu_resource.as_deref().unwrap_or("nvidia.com/gpu")
    }
}

fn one_way_to_a_gpu(schema: &mut Schema) {
    let one = Rule::new("!(has(self.gpuResource) && has(self.resourceClaimTemplateName))")
        .message("names a GPU in two ways: use gpuResource or resourceClaimTemplateName");
    limits::add(schema, one);
    let asked = Rule::new("!has(self.resourceClaimTemplateName) || self.accelerator == 'Gpu'")
        .message("is of no use without a GPU: set accelerator to Gpu")
        .field_path(".resourceClaimTemplateName");
    limits::add(schema, asked);
}

fn extended_resource(schema: &mut Schema) {
    let name = "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?/[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$";
    let rule = Rule::new(format!("self.matches('{name}')"))
        .message("is no extended resource: write its domain and name, such as nvidia.com/gpu");
    limits::add(schema, rule);
}

/// Compute resources of a pod, as Kubernetes writes them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ResourceRequirements {
    /// The least that a pod is given, as Kubernetes quantities, such as `memory: 4Gi`. Default:
    /// the limits. At most 16 resources.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "quantities")]
    #[schemars(transform = no_devices)]
    pub requests: BTreeMap<String, Quantity>,
    /// The most that a pod may take, as Kubernetes quantities. Default: no limit. At most 16
    /// resources.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "quantities")]
    #[schemars(transform = no_devices)]
    pub limits: BTreeMap<String, Quantity>,
}

/// A Kubernetes quantity: a number, or a number with a suffix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Quantity {
    /// A whole number, such as `2`.
    Number(i64),
    /// Text, such as `500m` or `4Gi`.
    Text(String),
}

impl From<&Quantity> for k8s_openapi::apimachinery::pkg::api::resource::Quantity {
    fn from(quantity: &Quantity) -> Self {
        Self(match quantity {
            Quantity::Number(number) => number.to_string(),
            Quantity::Text(text) => text.clone(),
        })
    }
}

/// A device that stands beside cpu and memory would be held by every pod of a run.
fn no_devices(schema: &mut Schema) {
    let rule = Rule::new("self.all(name, !name.contains('/'))").message(
        "names a device, which pods of every stage would hold: ask for a GPU by accelerator and \
         gpuResource",
    );
    limits::add(schema, rule);
}

fn job_labels(_: &mut SchemaGenerator) -> Schema {
    words(json_schema!({
        "type": "string",
        "maxLength": 63,
        "pattern": "^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$",
    }))
}

fn job_annotations(_: &mut SchemaGenerator) -> Schema {
    words(json_schema!({ "type": "string", "maxLength": 1024 }))
}

/// Values by keys that nobody else sets.
fn words(value: Schema) -> Schema {
    let mut words = json_schema!({
        "type": "object",
        "maxProperties": 32,
        "additionalProperties": value,
    });
    let rule = Rule::new(pod_template::PLAIN_KEYS).message(pod_template::RESERVED_KEY);
    limits::add(&mut words, rule);
    words
}

/// Quantities by the resource's name.
fn quantities(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": 16,
        "additionalProperties": {
            "x-kubernetes-int-or-string": true,
            "maxLength": 32,
            "pattern": limits::QUANTITY,
        },
    })
}
