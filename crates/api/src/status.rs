//! The status of a custom resource, which both kinds share.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::{Accelerator, Condition, Kind, ModelPlace, MonitorStatus, OverlapStatus, unusable};
use attrium_types::{Architecture, Decimal, Metric, Target};

/// What has become of a resource: the same shape for both kinds, and on a laptop.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Status {
    /// The generation of the resource that this status is about; -1 before the operator has seen it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// One word for people; programs look at the conditions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// Accepted, PodsHealthy, GatesPassed, Published and Succeeded, each True, False or Unknown; and
    /// Reconciling and Stalled, by which programs that know nothing of attrium tell whether it goes
    /// on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    #[schemars(transform = by_type)]
    pub conditions: Vec<Condition>,
    /// The stages that have been started, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub stages: Vec<StageStatus>,
    /// What became of the data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<DataStatus>,
    /// How far it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<ProgressStatus>,
    /// The counts of a screening, in objects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub screening: Option<ScreeningStatus>,
    /// A row for each network and task that was evaluated.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub results: Vec<ResultStatus>,
    /// How each gate came out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub gates: Vec<GateOutcome>,
    /// The highest AUC of `results`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub best_auc: Option<Decimal>,
    /// The bundle that was published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelReference>,
    /// The model of another training run that a training starts from: it goes on with the one that it began
    /// with, whatever becomes of that run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_from: Option<ModelReference>,
    /// The report's URI.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    pub report: Option<String>,
    /// The images that its tasks run, one for those on a processor and one for those on a GPU: every stage
    /// runs what the first one did, whatever the operator's own version has become.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 2))]
    pub images: Vec<ImageStatus>,
    /// How often it was started again after it had failed; absent where it never was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry: Option<RetryStatus>,
}

impl Status {
    /// The model of another resource that a resource of this kind has begun with.
    pub fn begun_with(&self, kind: Kind) -> Option<&ModelReference> {
        match kind {
            Kind::TrainingRun => self.started_from.as_ref(),
            Kind::ScreeningJob => self.model.as_ref(),
        }
    }
}

/// The image of a resource's tasks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImageStatus {
    /// Of the tasks that run on this.
    pub accelerator: Accelerator,
    /// The image as it was asked for.
    #[schemars(length(max = 512))]
    pub image: String,
    /// The very image that a node has run, by its digest; absent where the node does not tell one by which
    /// another node would find it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 640))]
    pub pinned: Option<String>,
}

impl ImageStatus {
    /// What pods are given: the very image where it is known.
    pub fn reference(&self) -> &str {
        self.pinned.as_ref().unwrap_or(&self.image)
    }
}

/// The annotation by which a resource that has failed is started again: with each value once.
pub const RETRY_ANNOTATION: &str = "attrium.dev/retry";
/// The longest value of that annotation, in bytes; a longer one is not followed.
pub const LONGEST_RETRY: usize = 256;

/// A resource that has failed and was started again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RetryStatus {
    /// The value of the annotation attrium.dev/retry that was followed last.
    #[schemars(length(max = LONGEST_RETRY))]
    pub asked: String,
    /// How often it was started again.
    pub count: u32,
    /// When it was started again last.
    #[schemars(schema_with = "super::time::schema")]
    pub time: String,
}

/// Conditions of different types may be written by different clients.
fn by_type(schema: &mut Schema) {
    schema.insert("x-kubernetes-list-type".to_owned(), "map".into());
    schema.insert("x-kubernetes-list-map-keys".to_owned(), vec!["type"].into());
}

/// One word for what a resource is doing.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum Phase {
    /// Nothing has started yet.
    Pending,
    /// Its queue has not admitted it yet.
    Queued,
    /// Tasks run.
    Running,
    /// Paused by `suspend`, or stopped and ready to go on.
    Suspended,
    /// Everything is done.
    Succeeded,
    /// It ended without success; the condition Succeeded says why.
    Failed,
}

/// A stage's tasks, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct StageStatus {
    /// The stage's name.
    #[schemars(length(max = 63))]
    pub name: String,
    /// Its Job, on a cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub job: Option<String>,
    /// The number of its tasks.
    pub tasks: u32,
    /// Tasks that run.
    pub active: u32,
    /// Tasks that have ended well.
    pub succeeded: u32,
    /// Tasks that have failed.
    pub failed: u32,
    /// When its first task began.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "super::time::schema")]
    pub start_time: Option<String>,
    /// When its last task ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "super::time::schema")]
    pub completion_time: Option<String>,
    /// The failure that weighs most of those of its tasks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<TaskFailure>,
}

/// Why a task failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct TaskFailure {
    /// The task's number within its stage, from 0.
    pub index: u32,
    /// 42 where its data is bad, 43 where the configuration is, anything else where another try
    /// might do.
    pub exit_code: i32,
    /// What happened, as a sentence.
    #[schemars(length(max = 1024))]
    pub message: String,
}

/// What became of the data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct DataStatus {
    /// Objects below the images' prefix.
    pub objects: u64,
    /// Objects that show no anterior view, such as a posterior in an object of its own.
    pub other_views: u64,
    /// Studies in the labels; absent until the networks are evaluated, as are used and
    /// missingImages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub studies: Option<u64>,
    /// Studies that are used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used: Option<u64>,
    /// Used studies whose patient is not known, since neither the labels' column patient nor a Patient ID
    /// tells: two of one patient may be on both sides of a split.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patient_unknown: Option<u64>,
    /// Patient IDs whose studies the labels' column patient gives to several patients.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patient_conflicts: Option<u64>,
    /// Usable objects whose study has no row in the labels.
    pub unlabelled: u64,
    /// Usable objects that are not used since their study has a better one, or a copy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub superseded: Option<u64>,
    /// Objects that were set aside.
    pub quarantined: u64,
    /// Of these, the ones that `maxUnusable` is about: all but those of studies that the labels do not
    /// have.
    pub unusable: u64,
    /// Those by the word for why they cannot be used.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "unusable::counts_by_reason")]
    pub unusable_by_reason: BTreeMap<String, u64>,
    /// Rows of the labels without a usable image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing_images: Option<u64>,
    /// Used studies that say they are phantoms, not patients; absent until the networks are
    /// evaluated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub synthetic: Option<u64>,
    /// Used studies by their Perugini grade, "0" to "3".
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "counts_by_grade")]
    pub by_grade: BTreeMap<String, u64>,
}

fn counts_by_grade(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": 4,
        "additionalProperties": { "type": "integer", "format": "int64", "minimum": 0 },
    })
}

impl DataStatus {
    /// Adds what another shard has counted.
    pub fn add(&mut self, other: &Self) {
        self.objects += other.objects;
        self.other_views += other.other_views;
        add(&mut self.studies, other.studies);
        add(&mut self.used, other.used);
        add(&mut self.patient_unknown, other.patient_unknown);
        add(&mut self.patient_conflicts, other.patient_conflicts);
        self.unlabelled += other.unlabelled;
        add(&mut self.superseded, other.superseded);
        self.quarantined += other.quarantined;
        self.unusable += other.unusable;
        unusable::add(&mut self.unusable_by_reason, &other.unusable_by_reason);
        add(&mut self.missing_images, other.missing_images);
        add(&mut self.synthetic, other.synthetic);
        unusable::add(&mut self.by_grade, &other.by_grade);
    }
}

/// Adds a count where it is known; unknown and unknown stay so.
pub(super) fn add(sum: &mut Option<u64>, count: Option<u64>) {
    if let Some(count) = count {
        *sum = Some(sum.unwrap_or_default() + count);
    }
}

/// How far it is, from a sample of the tasks that run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ProgressStatus {
    /// Share of the whole that is done, in percent.
    #[schemars(range(max = 100))]
    pub percent: u32,
    /// Epochs done by the task that was heard last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u32>,
    /// Epochs of each task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epochs: Option<u32>,
    /// That task's training loss.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss: Option<Decimal>,
    /// That task's validation loss.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation_loss: Option<Decimal>,
    /// Images in a second, of all tasks that run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub images_per_second: Option<Decimal>,
    /// When it is expected to end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "super::time::schema")]
    pub eta: Option<String>,
}

/// The counts of a screening, in objects: a study of which two objects were screened counts twice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ScreeningStatus {
    /// Objects that were read.
    pub objects: u64,
    /// Objects that show no anterior view, such as a posterior in an object of its own.
    pub other_views: u64,
    /// Objects that were given a decision.
    pub screened: u64,
    /// Objects at or above the operating point.
    pub positive: u64,
    /// Objects below it.
    pub negative: u64,
    /// Objects that could not be used; each has a row with its reason.
    pub unusable: u64,
    /// With labels: objects that were given a decision and do not stand for their study in the external
    /// validation, since it has a better one, or a copy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub superseded: Option<u64>,
    /// With labels: objects that were given a decision and stand for no study in the external validation,
    /// since nothing tells which of several does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ambiguous: Option<u64>,
    /// With labels: validated studies whose patient is not known, since neither the labels' column patient nor
    /// a Patient ID tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patient_unknown: Option<u64>,
    /// With labels: labelled studies without a prediction in the external validation, which has no object of
    /// theirs, or none that could be used and stands for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unanswered: Option<u64>,
    /// Those of them that are positive: no metric counts them, and a department would not know of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unanswered_positive: Option<u64>,
    /// With publishCalibrated: the bundle that was recalibrated, or why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calibration: Option<CalibrationStatus>,
    /// What the model was trained on among the objects that were given a decision; absent where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overlap: Option<OverlapStatus>,
    /// How they stand to the cohort of the model; absent until the shards are summed up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub monitor: Option<MonitorStatus>,
    /// Objects whose decision is uncertain: it lies near the threshold, the model's networks disagree, or the image is
    /// unlike those of the training. A physician should look at these whatever the decision says. Absent where the model
    /// does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uncertain: Option<u64>,
    /// Those by the word for why they cannot be used.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "unusable::counts_by_reason")]
    pub unusable_by_reason: BTreeMap<String, u64>,
    /// Objects that were given a decision and say that they are phantoms, not patients.
    pub synthetic: u64,
}

impl ScreeningStatus {
    /// What no figure of an external validation counts, in words; `None` where every labelled study has a prediction.
    pub fn unanswered_words(&self) -> Option<String> {
        let studies = self.unanswered.filter(|studies| *studies > 0)?;
        let positives = self.unanswered_positive.unwrap_or_default();
        Some(format!(
            "{studies} labelled studies without a prediction, {positives} of them positive"
        ))
    }

    /// What of a screening the model was trained on, in words; `None` where that is nothing, and where it is not known and
    /// nothing rests on it, as without labels.
    pub fn overlap_words(&self) -> Option<String> {
        let is_validated = self.unanswered.is_some();
        self.overlap.as_ref()?.words(self.screened, is_validated)
    }

    /// How many decisions are uncertain, in words; `None` where the model does not say.
    pub fn uncertain_words(&self) -> Option<String> {
        let uncertain = self.uncertain?;
        let decisions = match uncertain {
            1 => "decision is",
            _ => "decisions are",
        };
        Some(format!("{uncertain} {decisions} uncertain"))
    }

    /// What of it is unlike the model's cohort, in words; `None` where nothing is, and where that is not known.
    pub fn monitor_words(&self) -> Option<String> {
        self.monitor.as_ref()?.words()
    }

    /// Adds what another shard has counted. How all of them stand to a reference one task tells.
    pub fn add(&mut self, other: &Self) {
        self.objects += other.objects;
        self.other_views += other.other_views;
        if let Some(overlap) = &other.overlap {
            self.overlap.get_or_insert_default().add(overlap);
        }
        if let Some(monitor) = &other.monitor {
            self.monitor = Some(monitor.clone());
        }
        add(&mut self.uncertain, other.uncertain);
        self.screened += other.screened;
        self.positive += other.positive;
        self.negative += other.negative;
        self.unusable += other.unusable;
        unusable::add(&mut self.unusable_by_reason, &other.unusable_by_reason);
        self.calibration = (self.calibration.take()).or_else(|| other.calibration.clone());
        add(&mut self.superseded, other.superseded);
        add(&mut self.ambiguous, other.ambiguous);
        add(&mut self.patient_unknown, other.patient_unknown);
        add(&mut self.unanswered, other.unanswered);
        add(&mut self.unanswered_positive, other.unanswered_positive);
        self.synthetic += other.synthetic;
    }
}

/// What came of a recalibration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct CalibrationStatus {
    /// The bundle that was recalibrated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelReference>,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub refusal: Option<String>,
}

/// A network and task as evaluated; a metric that is not defined is absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResultStatus {
    /// The network.
    pub architecture: Architecture,
    /// The question it answers.
    pub task: Target,
    /// Whether it started from weights of ImageNet.
    #[serde(default)]
    pub pretrained: bool,
    /// Area under the ROC curve from probabilities; macro one-versus-rest for four grades.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auc: Option<Decimal>,
    /// Its 95 % interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auc_interval: Option<IntervalStatus>,
    /// Area under the ROC curve of hard labels: balanced accuracy; for four grades the mean of that
    /// of each grade against the rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auc_hard: Option<Decimal>,
    /// Share of studies that are classified right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<Decimal>,
    /// Share of positives that are found; of a screening at its operating point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensitivity: Option<Decimal>,
    /// Share of negatives that are left alone; of a screening at its operating point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub specificity: Option<Decimal>,
    /// What speaks against the network having learned anything; absent where its figures show that it has, and in
    /// a screening.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nothing_learned: Option<String>,
}

/// A 95 % interval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IntervalStatus {
    /// Its lower end.
    pub low: Decimal,
    /// Its upper end.
    pub high: Decimal,
}

/// How a gate came out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GateOutcome {
    /// The network that was measured.
    pub architecture: Architecture,
    /// The task that was measured.
    pub task: Target,
    /// What was measured.
    pub metric: Metric,
    /// The least value that passes.
    pub min: Decimal,
    /// The value; absent where it is not defined, which is a miss.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Decimal>,
    /// Whether the gate passed.
    pub passed: bool,
}

/// A published bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModelReference {
    /// The bundle's folder.
    #[schemars(length(max = 2048))]
    pub uri: String,
    /// The SHA-256 of its file SHA256SUMS, as `sha256:` and 64 hexadecimal digits.
    #[schemars(length(max = 80))]
    pub digest: String,
}

impl ModelReference {
    /// The bundle at a place, if it is known which one has to be there.
    pub fn of(place: ModelPlace<'_>) -> Option<Self> {
        Some(Self {
            uri: place.uri.to_owned(),
            digest: place.digest?.to_owned(),
        })
    }

    /// Where it is, and which one has to be there.
    pub fn place(&self) -> ModelPlace<'_> {
        ModelPlace {
            uri: &self.uri,
            digest: Some(&self.digest),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ConditionStatus;

    #[test]
    fn counts_of_shards_are_added_grade_by_grade() {
        let shard = |used, grade: &str| DataStatus {
            used: Some(used),
            by_grade: BTreeMap::from([(grade.to_owned(), used)]),
            ..DataStatus::default()
        };
        let mut sum = shard(3, "0");
        sum.add(&shard(4, "0"));
        sum.add(&shard(1, "3"));
        assert_eq!((sum.used, sum.studies), (Some(8), None));
        let expected = BTreeMap::from([("0".to_owned(), 7), ("3".to_owned(), 1)]);
        assert_eq!(sum.by_grade, expected);
    }

    /// A decimal as long as one may be.
    fn longest() -> Option<Decimal> {
        "12345678.123456789012e-10".parse().ok()
    }

    #[test]
    fn the_largest_status_leaves_room_in_64_kib() {
        let time = || Some("2026-11-24T10:00:00Z".to_owned());
        let message = "x".repeat(5000);
        let condition = Condition::new("GatesPassed", ConditionStatus::False, "No", message, "");
        let stage = StageStatus {
            name: "x".repeat(63),
            job: Some("x".repeat(63)),
            tasks: u32::MAX,
            active: u32::MAX,
            succeeded: u32::MAX,
            failed: u32::MAX,
            start_time: time(),
            completion_time: time(),
            failure: Some(TaskFailure {
                index: u32::MAX,
                exit_code: i32::MIN,
                message: "x".repeat(1024),
            }),
        };
        let end = || longest().expect("a decimal");
        let result = ResultStatus {
            architecture: Architecture::Residual,
            pretrained: false,
            task: Target::HighGrade,
            auc: longest(),
            auc_interval: Some(IntervalStatus {
                low: end(),
                high: end(),
            }),
            auc_hard: longest(),
            accuracy: longest(),
            sensitivity: longest(),
            specificity: longest(),
            nothing_learned: Some("x".repeat(100)),
        };
        let gate = GateOutcome {
            architecture: Architecture::Residual,
            task: Target::HighGrade,
            metric: Metric::Sensitivity,
            min: end(),
            value: longest(),
            passed: false,
        };
        let status = Status {
            conditions: vec![condition; 8],
            gates: vec![gate; 32],
            stages: vec![stage; 8],
            results: vec![result; 32],
            model: Some(ModelReference {
                uri: "x".repeat(2048),
                digest: "x".repeat(80),
            }),
            started_from: Some(ModelReference {
                uri: "x".repeat(2048),
                digest: "x".repeat(80),
            }),
            report: Some("x".repeat(2048)),
            ..Status::default()
        };
        let bytes = serde_json::to_vec(&status).expect("should be JSON").len();
        assert!(bytes < 56 * 1024, "{bytes}");
    }
}
