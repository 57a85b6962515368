//! What a report shows: plain values, filled in from a run's artefacts.

use super::Raster;
use super::scores::SCORE_BINS;
use attrium_evaluation::monitoring::Monitoring;
use attrium_evaluation::{
    BaselineMetrics, DecisionCurve, Doubt, EarlierRuns, FlaggedDecisions, GateResult, Metrics,
    NetworkMetrics, OperatingPoint, Unanswered, ValidationOverlap,
};
use attrium_types::{Architecture, CropMode, Grade, InitialWeights, Intensity, Target};

/// Everything that the report of a training run shows.
#[derive(Clone, Debug)]
pub struct TrainingReport {
    /// The resource's name.
    pub name: String,
    /// The resource's namespace.
    pub namespace: String,
    /// How many of the studies used are of phantoms: the report then says "synthetic" prominently.
    pub synthetic: u64,
    /// From objects to the studies that were used.
    pub data: DataFlow,
    /// The metrics of each network and target, in the manifest's order.
    pub results: Vec<NetworkMetrics>,
    /// Simple scores without a network, for comparison.
    pub baselines: Vec<BaselineMetrics>,
    /// What became of each gate; empty where the manifest has none.
    pub gates: Vec<Gate>,
    /// The runs on the same labels before this one; `None` where they could not be counted.
    pub earlier_runs: Option<EarlierRuns>,
    /// What became of the model that the manifest asks for.
    pub publication: Publication,
    /// The operating points of that model; `None` where there is none.
    pub scaled_operating_points: Option<ScaledOperatingPoints>,
    /// One history for each network, target and fold.
    pub histories: Vec<History>,
    /// Example crops, at least one of each grade where the cohort has one.
    pub examples: Vec<Example>,
    /// What one network of each target got wrong.
    pub misclassified: Vec<Misclassified>,
    /// What of the method a manifest decides.
    pub method: Method,
    /// Maximum activation maps, one figure for each network and target that has them.
    pub activation_maps: Vec<ActivationFigure>,
    /// What people have stated of the study.
    pub study: StudyFacts,
    /// Where the results come from.
    pub provenance: Provenance,
}

/// From the objects below a prefix to the studies that were used.
#[derive(Clone, Debug, Default)]
pub struct DataFlow {
    /// The number of objects found.
    pub objects: u64,
    /// Objects that were not used, by reason.
    pub dropped_objects: Vec<Count>,
    /// The number of studies with a usable image.
    pub studies: u64,
    /// Studies with a usable image that were not used, by reason, such as "no label".
    pub dropped_studies: Vec<Count>,
    /// The number of studies that were used.
    pub used: u64,
    /// The number of patients they belong to, where known.
    pub patients: Option<u64>,
    /// The number of labelled studies without a usable image.
    pub missing_images: u64,
    /// The studies used, by Perugini grade from 0 to 3.
    pub by_grade: [u64; 4],
    /// Warnings about images that were used all the same, by kind, in studies.
    pub warnings: Vec<Count>,
}

/// How often something occurred.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// What occurred, in a few words.
    pub what: String,
    /// How often.
    pub count: u64,
}

/// A gate of the manifest and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Gate {
    /// The network that the gate is about.
    pub architecture: Architecture,
    /// The target that the gate is about.
    pub target: Target,
    /// The metric, its minimum, the value found.
    pub outcome: GateResult,
}

/// What became of the model that a manifest asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Publication {
    /// It asks for none.
    NotAsked,
    /// A gate was missed, so that there is none.
    GateMissed,
    /// It is trained on all studies once the report is written.
    Later {
        /// Its network.
        architecture: Architecture,
        /// The question it will answer.
        target: Target,
    },
    /// Nothing shows that it has learned anything, so that there is none.
    NothingLearned {
        /// What speaks against it, as a part of a sentence.
        reason: String,
    },
    /// It could not be made.
    Impossible {
        /// Why, as a part of a sentence.
        reason: String,
    },
    /// Its bundle is in the store.
    Published(Published),
}

impl Publication {
    /// The network and the target of the model, where one is published or will be.
    pub(crate) fn model(&self) -> Option<(Architecture, Target)> {
        match self {
            Self::NotAsked
            | Self::GateMissed
            | Self::NothingLearned { .. }
            | Self::Impossible { .. } => None,
            Self::Later {
                architecture,
                target,
            } => Some((*architecture, *target)),
            Self::Published(model) => Some((model.architecture, model.target)),
        }
    }
}

/// Operating points and net benefit on the scale of a published model, freed of the weights of classes, scaled by a
/// temperature and stated for a prevalence.
#[derive(Clone, Debug, PartialEq)]
pub struct ScaledOperatingPoints {
    /// The temperature.
    pub temperature: f64,
    /// The share of positives that its probabilities are stated for; `None` where they are stated for none.
    pub prevalence: Option<f64>,
    /// The points, chosen and judged on scaled out-of-fold predictions.
    pub points: Vec<OperatingPoint>,
    /// The net benefit on that scale; `None` where it is not defined.
    pub decision_curve: Option<DecisionCurve>,
}

/// A model that was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// Its network.
    pub architecture: Architecture,
    /// The question it answers.
    pub target: Target,
    /// How it was made of the folds: `Ensemble` or `Refit`.
    pub method: String,
    /// Where its bundle lies.
    pub uri: String,
    /// The SHA-256 of its bundle, in hexadecimal.
    pub digest: String,
}

/// How the training of one fold went.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    /// The network.
    pub architecture: Architecture,
    /// The target.
    pub target: Target,
    /// The fold's number, from 0.
    pub fold: usize,
    /// One entry for each epoch.
    pub epochs: Vec<Epoch>,
}

/// One epoch of a [`History`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Epoch {
    /// The epoch's number, from 1.
    pub epoch: u32,
    /// The mean loss over the training images.
    pub loss: f64,
    /// The accuracy on the training images, from 0 to 1.
    pub accuracy: f64,
    /// The mean loss over the validation images; `None` without any.
    pub validation_loss: Option<f64>,
    /// The accuracy on the validation images, from 0 to 1; `None` without any.
    pub validation_accuracy: Option<f64>,
    /// The learning rate in this epoch.
    pub learning_rate: f64,
}

/// A crop that shows what a grade looks like.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// The Perugini grade that the reader gave.
    pub grade: Grade,
    /// The study's pseudonym.
    pub study: u32,
    /// The counts of the crop, at least 0.
    pub image: Raster,
}

/// What one network got wrong, by the class of the highest probability.
#[derive(Clone, Debug, PartialEq)]
pub struct Misclassified {
    /// The network.
    pub architecture: Architecture,
    /// The target that it was trained for.
    pub target: Target,
    /// Positives that it called negative.
    pub missed: MisclassifiedStudies,
    /// Negatives that it called positive.
    pub false_alarms: MisclassifiedStudies,
}

/// Studies that a network got wrong in one way.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MisclassifiedStudies {
    /// How many there are.
    pub studies: u64,
    /// Those to show, the most certain mistakes first; all of them, or as many as a page can hold.
    pub shown: Vec<MisclassifiedStudy>,
}

/// A study that a network got wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct MisclassifiedStudy {
    /// The crop, with the reader's grade.
    pub example: Example,
    /// The probability of a positive that the network gave, out of fold.
    pub positive_probability: f64,
}

/// What of the method a manifest decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Method {
    /// How crops are found.
    pub crop: CropMode,
    /// The scale of counts.
    pub intensity: Intensity,
    /// By up to how many percent of their counts augmented images are thinned.
    pub exposure_percent: u32,
}

/// Maximum activation maps of one network over example crops.
#[derive(Clone, Debug, PartialEq)]
pub struct ActivationFigure {
    /// The network.
    pub architecture: Architecture,
    /// The target that it was trained for.
    pub target: Target,
    /// What each map shows, such as "block 1"; as many as each example has maps.
    pub layers: Vec<String>,
    /// One row for each example.
    pub rows: Vec<ActivationRow>,
}

/// The maps of one example.
#[derive(Clone, Debug, PartialEq)]
pub struct ActivationRow {
    /// The crop.
    pub example: Example,
    /// The probability of a positive that the network gave, out of fold.
    pub positive_probability: Option<f64>,
    /// For each layer the maximum over its channels, whatever its size.
    pub maps: Vec<Raster>,
}

/// What only people know of a study.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StudyFacts {
    /// What they have stated, in their words.
    pub stated: Vec<Fact>,
    /// The names of what they might have stated and have not.
    pub not_stated: Vec<String>,
}

/// Where results come from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Provenance {
    /// The resolved manifest, as YAML.
    pub manifest: String,
    /// The seed of folds, augmentation and weights; `None` where nothing was drawn.
    pub seed: Option<u64>,
    /// Versions of the program, of its model format, of libraries.
    pub versions: Vec<Fact>,
    /// Digests of inputs and results.
    pub digests: Vec<Fact>,
    /// The machine: processor, threads, accelerator.
    pub machine: Vec<Fact>,
    /// How long each stage took.
    pub stages: Vec<StageTime>,
    /// When the run ended, as text; a run's time, never a patient's.
    pub finished: Option<String>,
}

/// A name and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// What it is.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// How long a stage took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageTime {
    /// The stage's name.
    pub stage: String,
    /// The number of its tasks.
    pub tasks: u64,
    /// How long its tasks took together, in seconds; less passed where they ran side by side.
    pub seconds: u64,
}

/// Everything that the report of a screening job shows.
#[derive(Clone, Debug)]
pub struct ScreeningReport {
    /// The resource's name.
    pub name: String,
    /// The resource's namespace.
    pub namespace: String,
    /// How many of the objects screened are of phantoms.
    pub synthetic: u64,
    /// The number of objects found.
    pub objects: u64,
    /// The number of objects that show no anterior view.
    pub other_views: u64,
    /// The number of objects that were screened.
    pub screened: u64,
    /// How many of them the model calls positive.
    pub positive: u64,
    /// How many of the screened ones the model was trained on, on their studies or on their patients, or may have been;
    /// `None` where that is not known.
    pub seen: Option<u64>,
    /// How many decisions are uncertain; `None` where the model does not say.
    pub uncertain: Option<u64>,
    /// Uncertain decisions to list; all of them, or as many as the caller can hold.
    pub uncertain_objects: Vec<UncertainObject>,
    /// Positives to list, most probable first; all of them, or as many as the caller can hold.
    pub positives: Vec<ScreenedObject>,
    /// The number of objects that could not be used, by reason.
    pub unusable: Vec<Count>,
    /// Unusable objects to list; all of them, or as many as the caller can hold.
    pub unusable_objects: Vec<UnusableObject>,
    /// Warnings about images that were screened all the same, by kind, in objects.
    pub warnings: Vec<Count>,
    /// The number of objects in each [bin](crate::score_bin) of the probability of a positive.
    pub scores: [u64; SCORE_BINS],
    /// The probability of a positive from which on an object is called positive.
    pub threshold: f64,
    /// How that threshold was chosen, in a few words.
    pub operating_point: String,
    /// The model.
    pub model: ModelFacts,
    /// What the model's own out-of-fold predictions reached in its development.
    pub development: Metrics,
    /// The evaluation on the job's own labels: external validation; `None` without labels.
    pub validation: Option<Metrics>,
    /// The labelled studies that have no prediction there; `None` without labels.
    pub unanswered: Option<Unanswered>,
    /// What share of its wrong and of its right decisions was flagged as uncertain; `None` without labels, and where
    /// that is not known.
    pub flagged: Option<FlaggedDecisions>,
    /// What of its studies the model was trained on; `None` without labels.
    pub overlap: Option<ValidationOverlap>,
    /// What came of recalibrating the model on them, as a sentence; `None` where that was not asked for.
    pub calibration: Option<String>,
    /// The job beside the cohort of its model; `None` where the bundle keeps no reference.
    pub monitoring: Option<Monitoring>,
    /// What people have stated of the study.
    pub study: StudyFacts,
    /// Where the results come from.
    pub provenance: Provenance,
}

/// An object that the model calls positive.
#[derive(Clone, Debug, PartialEq)]
pub struct ScreenedObject {
    /// Its key.
    pub object: String,
    /// Its row in the table of results, from 1.
    pub row: u64,
    /// The probability of each class.
    pub probabilities: Vec<f64>,
    /// The probability of a positive.
    pub positive_probability: f64,
    /// How much the heart takes up against the right chest, where that has counts.
    pub contralateral_ratio: Option<f64>,
    /// How much it takes up against the right ribs, where these have counts.
    pub rib_ratio: Option<f64>,
    /// Warnings about the image.
    pub warnings: Vec<String>,
    /// The crop and its activation maps as one PNG file, where they were drawn.
    pub montage: Option<Vec<u8>>,
}

/// An object whose decision is uncertain.
#[derive(Clone, Debug, PartialEq)]
pub struct UncertainObject {
    /// Its key.
    pub object: String,
    /// Its row in the table of results, from 1.
    pub row: u64,
    /// Whether it is called positive.
    pub positive: bool,
    /// The probability of a positive.
    pub positive_probability: f64,
    /// Why its decision is uncertain.
    pub doubts: Vec<Doubt>,
}

/// An object that could not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnusableObject {
    /// Its key.
    pub object: String,
    /// Why, in one sentence.
    pub reason: String,
}

/// What a bundle says of its model.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelFacts {
    /// The network.
    pub architecture: Architecture,
    /// The question it answers.
    pub target: Target,
    /// What its training began from.
    pub initial_weights: InitialWeights,
    /// Whether it was trained on phantoms.
    pub synthetic: bool,
    /// Where the bundle lies.
    pub uri: String,
    /// The SHA-256 of the bundle, in hexadecimal.
    pub digest: String,
    /// More from the model card: training cohort, intended use, out-of-fold metrics.
    pub facts: Vec<Fact>,
}
