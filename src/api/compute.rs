use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Compute {
    /// What training and screening run on: Cpu, or Gpu for one GPU a task, which needs an attrium
    /// that was built with the feature `cuda`. Preprocessing and evaluation never ask for a GPU.
    /// Default: Cpu.
    pub accelerator: Accelerator,
    /// The extended resource that stands for one GPU. Default: nvidia.com/gpu. At most 253
    /// characters.
    #[schemars(length(min = 1, max = 253))]
    pub gpu_resource: String,
    /// How many tasks of a stage run at a time; it may be changed while they run. Default: all of
    /// them, and locally as many as the machine has cores. From 1 to 1000.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub parallelism: Option<u32>,
    /// What each pod requests and is limited to. Default: nothing beyond the GPU. Only for a
    /// cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourceRequirements>,
    /// A partial PodTemplateSpec (`metadata`, `spec`) that is merged into each pod's: node
    /// selector, tolerations, priority class, volumes and the like. It is read once, when the run
    /// starts. Default: nothing. Only for a cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "any_object")]
    pub pod_template: Option<serde_json::Map<String, serde_json::Value>>,
}

impl Default for Compute {
    fn default() -> Self {
        Self {
            accelerator: Accelerator::default(),
            gpu_resource: "nvidia.com/gpu".to_owned(),
            parallelism: None,
            resources: None,
            pod_template: None,
        }
    }
}

/// An object whose fields the schema does not know.
fn any_object(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true })
}

/// Compute resources of a pod, as Kubernetes writes them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ResourceRequirements {
    /// The least that a pod is given, as Kubernetes quantities, such as `memory: 4Gi`. Default:
    /// the limits. At most 16 resources.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "quantities")]
    pub requests: BTreeMap<String, Quantity>,
    /// The most that a pod may take, as Kubernetes quantities. Default: no limit. At most 16
    /// resources.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "quantities")]
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

/// Quantities by the resource's name.
fn quantities(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": 16,
        "additionalProperties": {
            "x-kubernetes-int-or-string": true,
            "maxLength": 32,
            "pattern": r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][-+]?[0-9]{1,2})?$",
        },
    })
}
