//! The vocabulary of attrium: the custom resources and the words they are made of.
//!
//! `TrainingRun` and `ScreeningJob` (group `attrium.dev`, version `v1alpha1`) are what a user
//! writes, on a cluster and on a laptop alike; their defaults, limits and rules are part of their
//! schema. Nothing here does any IO.

mod compute;
mod condition;
pub mod crd;
mod kind;
mod limits;
pub mod manifest;
mod monitor;
mod overlap;
mod pod_template;
mod preprocessing;
mod publishing;
mod resource;
mod screening_job;
mod station;
mod status;
mod storage;
mod study;
mod time;
mod training;
mod training_run;
mod uid;
mod unusable;

pub use compute::{Accelerator, Compute, Quantity, ResourceRequirements};
pub use condition::{Condition, ConditionStatus, condition, conditions, reasons, set_condition};
pub use kind::{Kind, UnknownKind};
pub use monitor::{MONITORED_FEATURES, MOST_OUTSIDE, MonitorStatus, OutsideStatus, ReferenceState};
pub use overlap::OverlapStatus;
pub use pod_template::CONTAINER;
pub use preprocessing::Preprocessing;
pub use publishing::{Gate, Publish, PublishCalibrated, PublishMethod};
pub use resource::{API_VERSION, Resource};
pub use screening_job::{
    ActivationMaps, Alert, ModelPlace, ModelSource, OperatingPoint, ScreeningJob, ScreeningJobSpec,
    UrlSource, Webhook,
};
pub use station::{
    AlertAt, AlertEvent, ClientCertificates, Destination, DicomDestination, DicomWebDestination,
    Listener, ListenerLimits, ListenerTls, MailEncryption, OtherObjects, ResultObject, Retention,
    ScreeningStation, ScreeningStationSpec, Send, Sender, SpoolSpec, StationAlert, StationEmail,
    StationMode, StationWebhook, StudyRules, SyntheticScans, WebSpec,
};
pub use status::{
    CalibrationStatus, DataStatus, GateOutcome, ImageStatus, IntervalStatus, LONGEST_RETRY,
    ModelReference, Phase, ProgressStatus, RETRY_ANNOTATION, ResultStatus, RetryStatus,
    ScreeningStatus, StageStatus, Status, TaskFailure,
};
pub use storage::{CaBundle, StorageSpec};
pub use study::{Study, StudyDates, StudyField};
pub use training::{
    AugmentationSpec, ClassWeights, CrossValidation, HeartTraining, Network, TrainingSpec,
};
pub use training_run::{TrainingRun, TrainingRunSpec};
pub use uid::Uid;
