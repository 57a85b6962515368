//! TrainingRun: a training with cross-validation, from scans to a published model.

use kube::CustomResource;
use kube::core::Rule;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use super::{
    AugmentationSpec, Compute, CrossValidation, Gate, ModelSource, Network, Preprocessing, Publish,
    Status, StorageSpec, Study, TrainingSpec, limits, unusable,
};
use attrium_types::{Architecture, Decimal, Target};

/// What is trained, on what, and what becomes of it.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "attrium.dev",
    version = "v1alpha1",
    kind = "TrainingRun",
    namespaced,
    shortname = "trun",
    category = "attrium",
    status = "Status",
    derive = "PartialEq",
    doc = "A cross-validated training of one or more networks on bone scans, with its evaluation, its report and a model bundle. Research use only: not a medical device.",
    printcolumn(name = "Phase", type_ = "string", json_path = ".status.phase"),
    printcolumn(
        name = "Progress",
        type_ = "integer",
        json_path = ".status.progress.percent",
        description = "Share of the run that is done, in percent"
    ),
    printcolumn(
        name = "AUC",
        type_ = "string",
        json_path = ".status.bestAuc",
        description = "The highest out-of-fold AUC of all networks and tasks"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    validation = limits::resource_name(),
    validation = limits::starts_from_another(),
    validation = limits::immutable(UNCHANGED)
)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = names_what_is_trained)]
pub struct TrainingRunSpec {
    /// Where the scans are: every DICOM object below this prefix is read. s3://bucket/prefix,
    /// gs://bucket/prefix, az://container/prefix, file:///path or a plain path. At most 1024
    /// characters.
    #[schemars(length(min = 1, max = limits::URI))]
    #[schemars(transform = limits::uri)]
    pub images: String,
    /// The table of grades, a CSV with the columns `study` (Study Instance UID) and `grade`
    /// (Perugini, 0 to 3), and if wanted `patient`, `age` (years, 0 to 130), `sex`, `indication`,
    /// `scanner`, `protocol`, `metastases` (yes or no) and `reader2` (a second reader's grade, 0
    /// to 3). A URI or path, as for images. At most 1024 characters.
    #[schemars(length(min = 1, max = limits::URI))]
    #[schemars(transform = limits::uri)]
    pub labels: String,
    /// Where results go: to `<output>/<namespace>/<name>/<uid>/`. A URI or path, as for images.
    /// At most 1024 characters.
    #[schemars(length(min = 1, max = limits::URI))]
    #[schemars(transform = limits::uri)]
    pub output: String,
    /// How the object store is reached. Default: as the environment says.
    #[serde(default)]
    pub storage: StorageSpec,
    /// How DICOM objects become crops. Default: Robust crops, 4 shards, lossy images quarantined.
    #[serde(default)]
    pub preprocessing: Preprocessing,
    /// The greatest share of unusable objects among those that could be trained on, as a decimal string:
    /// objects in quarantine, but for those of studies that the labels do not have, of all but the
    /// unlabelled and those of another view. Above it nothing is trained, and the condition Succeeded is
    /// False with the reason TooManyUnusable. It may be changed at any time, and a run that ended so goes
    /// on. Default: "0.1". From "0" to "1".
    #[serde(default = "unusable::default_share")]
    #[schemars(transform = limits::share)]
    pub max_unusable: Decimal,
    /// The questions to train for, each once: Perugini (the four grades), Positive (grade 2 or 3
    /// against the rest), HighGrade (grade 3 against the rest). From 1 to 3.
    #[schemars(length(min = 1, max = 3))]
    #[schemars(transform = each_task_once)]
    pub tasks: Vec<Target>,
    /// The networks to train, each architecture once. From 1 to 6.
    #[schemars(length(min = 1, max = 6))]
    #[schemars(transform = each_network_once)]
    #[schemars(transform = one_run_to_start_from)]
    pub networks: Vec<Network>,
    /// How the data are split. Default: 5 folds, seed 1.
    #[serde(default)]
    pub cross_validation: CrossValidation,
    /// The random copies that networks train on. Default: 5330 images, each shifted by up to 10 %,
    /// rotated by up to 20 degrees and scaled by up to 20 %.
    #[serde(default)]
    pub augmentation: AugmentationSpec,
    /// The fit. Default: the paper's, 50 epochs of batches of 128 from a learning rate of "1e-4".
    #[serde(default)]
    pub training: TrainingSpec,
    /// The share of scans that are positive where the model will be used, as a decimal string: what a
    /// published model's probabilities mean, and what predictive values are stated at. Published shares
    /// among bone scans are 0.007 to 0.014. Default: "0.01". Above "0", below "1".
    #[serde(default = "default_prevalence")]
    #[schemars(transform = limits::part)]
    pub prevalence: Decimal,
    /// The model that is left in the store as a bundle, if every gate passes. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publish: Option<Publish>,
    /// The conditions for publishing. A miss leaves nothing published, and the condition
    /// Succeeded is False with the reason GateMissed. Default: none. At most 32.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub gates: Vec<Gate>,
    /// What only people know of the study, such as its sites, its readers and its approval: for the model card, the
    /// report and `attrium checklist`. It decides nothing and may be changed at any time. No patient data. Default:
    /// nothing is stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub study: Option<Study>,
    /// Where and how tasks run. Default: on the processor, all tasks of a stage at once.
    #[serde(default)]
    pub compute: Compute,
    /// The Kueue local queue that admits the Jobs. Default: none, so that they start at once.
    /// At most 253 characters. Only for a cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::NAME))]
    #[schemars(transform = limits::object_name)]
    pub queue_name: Option<String>,
    /// Whether the run pauses: its pods stop after a checkpoint, and it goes on when this is false
    /// again. It may be changed at any time. Default: false. Only for a cluster.
    #[serde(default)]
    pub suspend: bool,
    /// How long a pod may wait to start before the run fails, in seconds. Default: 3600. From 1 to
    /// 2592000. Only for a cluster.
    #[serde(default = "limits::default_start_deadline")]
    #[schemars(range(min = 1, max = 2_592_000))]
    pub start_deadline_seconds: u32,
    /// How long a stage may run before the run fails, in seconds. Default: no limit. From 1 to
    /// 31536000. Only for a cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 31_536_000))]
    pub active_deadline_seconds: Option<u32>,
    /// How long after its end the resource is deleted, in seconds; results stay in the store.
    /// Default: never. From 0 to 31536000. Only for a cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 31_536_000))]
    pub ttl_seconds_after_finished: Option<u32>,
}

impl TrainingRunSpec {
    /// Where the weights are that a network starts from; nothing if these are random.
    pub fn pretrained_weights(&self, architecture: Architecture) -> Option<&str> {
        self.network(architecture)?.pretrained_weights.as_deref()
    }

    /// The model that a network starts from, if it does from one.
    pub fn start_from(&self, architecture: Architecture) -> Option<&ModelSource> {
        self.network(architecture)?.start_from.as_ref()
    }

    fn network(&self, architecture: Architecture) -> Option<&Network> {
        let mut networks = self.networks.iter();
        networks.find(|network| network.architecture == architecture)
    }

    /// The models that its networks start from, in the order of the networks.
    pub fn starting_models(&self) -> impl Iterator<Item = &ModelSource> {
        self.networks
            .iter()
            .filter_map(|network| network.start_from.as_ref())
    }
}

fn default_prevalence() -> Decimal {
    Decimal::literal("0.01")
}

fn names_what_is_trained(schema: &mut Schema) {
    let trained = |of: &str| {
        format!(
            "self.networks.exists(n, n.architecture == {of}.architecture) \
             && self.tasks.exists(t, t == {of}.task)"
        )
    };
    let message = "names a network or a task that the run does not train: name one of networks \
                   and one of tasks";
    let publish = Rule::new(format!(
        "!has(self.publish) || ({})",
        trained("self.publish")
    ));
    limits::add(schema, publish.message(message).field_path(".publish"));
    let gates = Rule::new(format!(
        "!has(self.gates) || self.gates.all(g, {})",
        trained("g")
    ));
    limits::add(schema, gates.message(message).field_path(".gates"));
}

fn each_task_once(schema: &mut Schema) {
    let rule = Rule::new("self.all(t, self.exists_one(u, u == t))");
    limits::add(schema, rule.message("names a task twice: name each once"));
}

fn each_network_once(schema: &mut Schema) {
    let rule = Rule::new("self.all(n, self.exists_one(m, m.architecture == n.architecture))");
    limits::add(
        schema,
        rule.message("names an architecture twice: name each once"),
    );
}

fn one_run_to_start_from(schema: &mut Schema) {
    let starts = "has(n.startFrom) && has(n.startFrom.trainingRun)";
    let rule = Rule::new(format!("self.filter(n, {starts}).size() <= 1"));
    let message = "start from more than one trainingRun: name the others' models by their uri";
    limits::add(schema, rule.message(message));
}

/// The fields that may not change once a run has started.
const UNCHANGED: limits::Unchanged = limits::Unchanged {
    required: &[
        "images",
        "labels",
        "output",
        "storage",
        "preprocessing",
        "tasks",
        "networks",
        "crossValidation",
        "augmentation",
        "training",
        "prevalence",
    ],
    optional: &["publish", "gates", "queueName"],
};
