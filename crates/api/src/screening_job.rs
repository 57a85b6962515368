//! ScreeningJob: a screening of scans with a trained model.

use kube::CustomResource;
use kube::core::Rule;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use super::{
    Compute, PublishCalibrated, Status, StorageSpec, Study, limits, preprocessing, unusable,
};
use attrium_types::{Decimal, LossyPolicy, PreferredAcquisition, Tracer};

/// What is screened, with which model, and who is told.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "attrium.dev",
    version = "v1alpha1",
    kind = "ScreeningJob",
    namespaced,
    shortname = "sjob",
    category = "attrium",
    status = "Status",
    derive = "PartialEq",
    doc = "A screening of bone scans with a trained model: a row of probabilities and a decision for each study. Research use only: not a medical device; a physician confirms every positive.",
    printcolumn(name = "Phase", type_ = "string", json_path = ".status.phase"),
    printcolumn(
        name = "Progress",
        type_ = "integer",
        json_path = ".status.progress.percent",
        description = "Share of the job that is done, in percent"
    ),
    printcolumn(
        name = "Screened",
        type_ = "integer",
        json_path = ".status.screening.screened",
        description = "Objects that were given a decision"
    ),
    printcolumn(
        name = "Positive",
        type_ = "integer",
        json_path = ".status.screening.positive",
        description = "Objects at or above the operating point"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    validation = limits::resource_name(),
    validation = calibrates_on_labels(),
    validation = limits::immutable(UNCHANGED)
)]
#[serde(rename_all = "camelCase")]
pub struct ScreeningJobSpec {
    /// Where the scans are: every DICOM object below this prefix is read. s3://bucket/prefix,
    /// gs://bucket/prefix, az://container/prefix, file:///path or a plain path. At most 1024
    /// characters.
    #[schemars(length(min = 1, max = limits::URI))]
    #[schemars(transform = limits::uri)]
    pub images: String,
    /// Where results go: to `<output>/<namespace>/<name>/<uid>/`. A URI or path, as for images.
    /// At most 1024 characters.
    #[schemars(length(min = 1, max = limits::URI))]
    #[schemars(transform = limits::uri)]
    pub output: String,
    /// How the object store is reached. Default: as the environment says.
    #[serde(default)]
    pub storage: StorageSpec,
    /// The model: exactly one of uri and trainingRun.
    pub model: ModelSource,
    /// The grades of the studies, as for a TrainingRun: the model is then evaluated on them, which
    /// is external validation, with metrics, subgroups and report. Default: none. At most 1024
    /// characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::URI))]
    #[schemars(transform = limits::uri)]
    pub labels: Option<String>,
    /// Makes another bundle of the model, recalibrated to these scans, with the share of positives among them and
    /// operating points of theirs: `model/<architecture>-<task>/` below the job's results, whose place and digest
    /// are in `status.screening.calibration.model`. It names the bundle that it was made of. At least 5 positives and 5 negatives
    /// that the model was not trained on. Needs labels. Default: none is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publish_calibrated: Option<PublishCalibrated>,
    /// The number of tasks that share the objects; an object belongs to the shard of its key's
    /// hash. Default: 4. From 1 to 999.
    #[serde(default = "preprocessing::default_shards")]
    #[schemars(range(min = 1, max = 999))]
    pub shards: u32,
    /// What becomes of images that went through lossy compression: Quarantine gives them a row
    /// with that reason, Accept screens them with a warning. Default: Quarantine.
    #[serde(default)]
    pub lossy: LossyPolicy,
    /// The bone tracers whose scans are screened: HMDP (also called HDP), DPD, PYP, MDP. A heart with ATTR takes
    /// up far less of MDP, so that its scans have a warning. A scan of another tracer, one that this list leaves
    /// out or an early image is unusable; one that does not say has a warning. Default: all four. At least 1.
    #[serde(default = "preprocessing::default_tracers")]
    #[schemars(length(min = 1, max = 4))]
    pub tracers: Vec<Tracer>,
    /// Which image stands in the external validation for a study that has whole-body scans and static ones:
    /// WholeBody, Static. Each object is given its own decision all the same. Default: WholeBody.
    #[serde(default)]
    pub prefer: PreferredAcquisition,
    /// The greatest share of unusable objects among all that were looked at, as a decimal string. Above it
    /// the table and the report are there, and the condition Succeeded is False with the reason
    /// TooManyUnusable. It may be changed at any time. Default: "0.1". From "0" to "1".
    #[serde(default = "unusable::default_share")]
    #[schemars(transform = limits::share)]
    pub max_unusable: Decimal,
    /// The share of these scans that are positive, as a decimal string: the model's probabilities are
    /// brought to it, and predictive values stated at it. Default: what the model states, mostly 0.01.
    /// Above "0", below "1". For a model that states one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = limits::part)]
    pub prevalence: Option<Decimal>,
    /// When a study counts as positive: exactly one of threshold and sensitivity. Default: a
    /// sensitivity of "0.95".
    #[serde(default)]
    pub operating_point: OperatingPoint,
    /// Who is told of positives. Default: nobody. Only for a cluster: `attrium run` ignores it and
    /// says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<Alert>,
    /// For which studies activation maps are drawn: PositivesOnly, All or None. Default:
    /// PositivesOnly.
    #[serde(default)]
    pub activation_maps: ActivationMaps,
    /// What only people know of the study that the validation on `labels` is, such as its sites, its readers and its
    /// approval: for the report and `attrium checklist`. It decides nothing and may be changed at any time. No patient
    /// data. Default: nothing is stated.
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
    /// Whether the job pauses: its pods stop, and it goes on when this is false again. It may be
    /// changed at any time. Default: false. Only for a cluster.
    #[serde(default)]
    pub suspend: bool,
    /// How long a pod may wait to start before the job fails, in seconds. Default: 3600. From 1 to
    /// 2592000. Only for a cluster.
    #[serde(default = "limits::default_start_deadline")]
    #[schemars(range(min = 1, max = 2_592_000))]
    pub start_deadline_seconds: u32,
    /// How long a stage may run before the job fails, in seconds. Default: no limit. From 1 to
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

/// The fields that may not change once a job has started.
const UNCHANGED: limits::Unchanged = limits::Unchanged {
    required: &[
        "images",
        "output",
        "storage",
        "model",
        "shards",
        "lossy",
        "tracers",
        "prefer",
        "operatingPoint",
        "activationMaps",
    ],
    optional: &[
        "labels",
        "publishCalibrated",
        "prevalence",
        "alert",
        "queueName",
    ],
};

/// Nothing but labels says what to recalibrate to.
fn calibrates_on_labels() -> Rule {
    Rule::new("!has(self.spec.publishCalibrated) || has(self.spec.labels)")
        .message("publishCalibrated needs labels: name the table of the studies' grades")
        .field_path(".spec.publishCalibrated")
}

/// Where a model comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(transform = one_model)]
#[schemars(transform = digest_of_uri)]
pub struct ModelSource {
    /// The folder of a model bundle. A URI or path, as for images. At most 1024 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::URI))]
    #[schemars(transform = limits::uri)]
    pub uri: Option<String>,
    /// The digest of the bundle at uri, as `status.model.digest` of the run that has published it or
    /// `attrium verify` tells it: another bundle at that place is then refused. `sha256:` and 64 small
    /// hexadecimal digits. A uri without it is told of in the condition Accepted and in the tasks' logs;
    /// the next release will refuse it. Not beside trainingRun, whose status has it. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 71, max = 71))]
    #[schemars(transform = limits::digest)]
    pub digest: Option<String>,
    /// The TrainingRun of the same namespace whose published model is used. Without a cluster it is
    /// looked for below this job's output, so that both need the same one. At most 253 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::NAME))]
    #[schemars(transform = limits::object_name)]
    pub training_run: Option<String>,
    /// Whether the bundle has to be signed by a key that the cluster's administrator trusts, or on one
    /// machine by one that `attrium run --trusted-key` names; the job ends with exit code 43 if it is not.
    /// Where the administrator asks for it, false changes nothing. Default: false.
    pub require_signed: bool,
}

/// Where a bundle is, and which one has to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModelPlace<'a> {
    /// The folder's URI.
    pub uri: &'a str,
    /// The bundle's digest; any bundle will do where it is absent.
    pub digest: Option<&'a str>,
}

impl ModelSource {
    /// The bundle that is named by its place.
    pub fn place(&self) -> Option<ModelPlace<'_>> {
        let digest = self.digest.as_deref();
        self.uri.as_deref().map(|uri| ModelPlace { uri, digest })
    }

    /// Whether a bundle is named by its place alone.
    pub fn is_any_at_its_place(&self) -> bool {
        self.uri.is_some() && self.digest.is_none()
    }
}

fn one_model(schema: &mut Schema) {
    let rule = Rule::new("has(self.uri) != has(self.trainingRun)");
    limits::add(
        schema,
        rule.message("needs exactly one of uri and trainingRun"),
    );
}

fn digest_of_uri(schema: &mut Schema) {
    let rule = Rule::new("!has(self.digest) || has(self.uri)");
    limits::add(
        schema,
        rule.message("has a digest without a uri: that of a trainingRun's model is in its status"),
    );
}

/// When a study counts as positive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = one_operating_point)]
pub struct OperatingPoint {
    /// The least probability of a positive that counts as one, as a decimal string. From "0" to
    /// "1".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = limits::share)]
    pub threshold: Option<Decimal>,
    /// The sensitivity to reach on the model's own out-of-fold predictions, as a decimal string;
    /// the highest threshold that reaches it is used. Above "0", at most "1".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = limits::positive_share)]
    pub sensitivity: Option<Decimal>,
}

fn one_operating_point(schema: &mut Schema) {
    let rule = Rule::new("has(self.threshold) != has(self.sensitivity)");
    limits::add(
        schema,
        rule.message("needs exactly one of threshold and sensitivity"),
    );
}

impl Default for OperatingPoint {
    fn default() -> Self {
        Self {
            threshold: None,
            sensitivity: Some(Decimal::literal("0.95")),
        }
    }
}

/// Who is told of positives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Alert {
    /// A web address that is sent the counts of a screening with positives: exactly one of url and urlFrom.
    /// Only an answer from 200 to 299 means that the alert has arrived; no redirect is followed.
    pub webhook: Webhook,
}

/// A web address that is called.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(transform = one_address)]
#[schemars(transform = encrypted)]
pub struct Webhook {
    /// The address, such as `https://alerts.hospital.example/hook`. Whoever may read the resource reads
    /// it: where the address itself is a secret, use urlFrom. At most 1024 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::URI))]
    #[schemars(transform = limits::http_url)]
    pub url: Option<String>,
    /// Where the address is kept, for one that holds a secret. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url_from: Option<UrlSource>,
    /// The Secret of the same namespace whose key `token` is sent as a bearer token. Default:
    /// none. At most 253 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::NAME))]
    #[schemars(transform = limits::object_name)]
    pub secret: Option<String>,
    /// Whether the address may be spoken to without encryption, by http:// in place of https://; the
    /// token then travels in the clear. Default: false.
    pub allow_http: bool,
}

/// Where a web address is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UrlSource {
    /// The Secret of the same namespace whose key `url` is the address. At most 253 characters.
    #[schemars(length(min = 1, max = limits::NAME))]
    #[schemars(transform = limits::object_name)]
    pub secret: String,
}

fn one_address(schema: &mut Schema) {
    let rule = Rule::new("has(self.url) != has(self.urlFrom)");
    limits::add(schema, rule.message("needs exactly one of url and urlFrom"));
}

fn encrypted(schema: &mut Schema) {
    let rule = Rule::new("!has(self.url) || self.allowHttp || self.url.startsWith('https://')");
    limits::add(
        schema,
        rule.message("has a url without encryption: use https://, or set allowHttp"),
    );
}

/// For which studies activation maps are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum ActivationMaps {
    /// For those at or above the operating point.
    #[default]
    PositivesOnly,
    /// For every study with a decision.
    All,
    /// For none.
    None,
}
