//! ScreeningStation: a place that scanners send to, which decides on each study while the patient is still there.

mod alerts;
mod destinations;
mod listener;
mod spool;
mod studies;
mod web;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ModelSource, OperatingPoint, limits, preprocessing};
use attrium_types::{Decimal, LossyPolicy, PreferredAcquisition, Tracer};

pub use alerts::{AlertEvent, MailEncryption, StationAlert, StationEmail, StationWebhook};
pub use destinations::{Destination, DicomDestination, DicomWebDestination, ResultObject, Send};
pub use listener::{
    ClientCertificates, Listener, ListenerLimits, ListenerTls, OtherObjects, Sender,
};
pub use spool::{Retention, SpoolSpec};
pub use studies::{AlertAt, StationMode, StudyRules, SyntheticScans};
pub use web::WebSpec;

/// What is listened to, decided, told and delivered.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "attrium.dev",
    version = "v1alpha1",
    kind = "ScreeningStation",
    namespaced,
    shortname = "station",
    category = "attrium",
    derive = "PartialEq",
    doc = "A DICOM storage provider that screens bone scans as they arrive, tells of positives and stores its results beside the images. Research use only: not a medical device; a physician confirms every positive.",
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    validation = limits::resource_name()
)]
#[serde(rename_all = "camelCase")]
pub struct ScreeningStationSpec {
    /// The model: exactly one of uri and trainingRun; on one machine uri.
    pub model: ModelSource,
    /// When a study counts as positive: exactly one of threshold and sensitivity. Default: a sensitivity of "0.95".
    #[serde(default)]
    pub operating_point: OperatingPoint,
    /// The share of these scans that are positive, as a decimal string: the model's probabilities are brought to it.
    /// Default: what the model states, mostly 0.01. Above "0", below "1". For a model that states one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = limits::part)]
    pub prevalence: Option<Decimal>,
    /// What becomes of images that went through lossy compression: Quarantine keeps them without a decision, Accept
    /// decides on them with a warning. Default: Quarantine.
    #[serde(default)]
    pub lossy: LossyPolicy,
    /// The bone tracers whose scans are decided on: HMDP (also called HDP), DPD, PYP, MDP. Default: all four. At least
    /// 1.
    #[serde(default = "preprocessing::default_tracers")]
    #[schemars(length(min = 1, max = 4))]
    pub tracers: Vec<Tracer>,
    /// Which image stands for a study that has whole-body scans and static ones: WholeBody, Static. Default: WholeBody.
    #[serde(default)]
    pub prefer: PreferredAcquisition,
    /// Live tells and delivers; Silent decides and keeps everything, tells nobody and delivers nothing, for a
    /// prospective silent trial. Default: Live.
    #[serde(default)]
    pub mode: StationMode,
    /// What is listened for, and to whom.
    pub listener: Listener,
    /// When a study is complete, and when its alerts are sent.
    #[serde(default)]
    pub studies: StudyRules,
    /// Where received objects and results are kept.
    #[serde(default)]
    pub spool: SpoolSpec,
    /// How long what was received is kept.
    #[serde(default)]
    pub retention: Retention,
    /// Where results are stored: archives that are spoken to by DICOM or DICOMweb. Default: nowhere. At most 8.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    #[schemars(transform = destinations::distinct_names)]
    pub destinations: Vec<Destination>,
    /// Who is told, of what. Default: nobody. At most 8.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    #[schemars(transform = alerts::distinct_names)]
    pub alerts: Vec<StationAlert>,
    /// The page for technicians and physicians.
    #[serde(default)]
    pub web: WebSpec,
}

impl ScreeningStation {
    /// The station's name.
    pub fn name(&self) -> &str {
        self.metadata.name.as_deref().unwrap_or_default()
    }
}
