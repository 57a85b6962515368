//! `bundle.json`: what a model is, how images become its input, and what it reached.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use snafu::{ResultExt, ensure};

use super::UncertaintyLimits;
use super::error::{Error, UnreadableSnafu, UnwritableSnafu, VersionSnafu};
use attrium_api::{AugmentationSpec, CrossValidation, PublishMethod, Study, TrainingSpec};
use attrium_evaluation::{Metrics, Recalibration};
use attrium_types::{Architecture, CropMode, InitialWeights, Intensity, Target};

/// The version of the format of a bundle as it was trained.
pub const FORMAT_VERSION: u32 = 1;
/// The version of the format of a bundle that was recalibrated: whoever does not know of that would leave it out of the
/// probabilities, and has to refuse the bundle.
pub const RECALIBRATED_VERSION: u32 = 2;

/// What a bundle is for, in the words that it carries itself.
pub const INTENDED_USE: &str = "Research use only: not a medical device. It points a physician to \
    anterior bone scans that may show cardiac uptake; every positive has to be confirmed by a \
    physician, and a negative excludes nothing.";

/// `bundle.json`: what the model is, how images become its input, and what it reached.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BundleManifest {
    /// [`FORMAT_VERSION`], or [`RECALIBRATED_VERSION`] where there is a recalibration.
    pub format_version: u32,
    /// The network.
    pub architecture: Architecture,
    /// What its training began from.
    #[serde(flatten)]
    pub initial_weights: InitialWeights,
    /// The question that it answers.
    #[serde(rename = "task")]
    pub target: Target,
    /// The names of its classes, in the order of their indices.
    pub classes: Vec<String>,
    /// Whether it was trained on phantoms.
    pub synthetic: bool,
    /// How the crop of 128 x 128 pixels is found.
    pub crop: CropMode,
    /// The scale of the crop's counts, before the member's normalisation. Bundles that do not say are from
    /// before there was another than the paper's.
    #[serde(default = "paper")]
    pub intensity: Intensity,
    /// The networks whose probabilities are averaged.
    pub members: Vec<Member>,
    /// What it was trained on.
    pub training: TrainingProvenance,
    /// What takes the weights of the classes in the training out of each member's probabilities, before they are
    /// scaled ([`AssumedPrior::correction`](attrium_evaluation::AssumedPrior::correction)): for each class the natural
    /// logarithm of what its probability is multiplied by. Empty in bundles from before there was one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prior_correction: Vec<f64>,
    /// The temperature at which each member's probabilities are taken before they are averaged,
    /// fitted to the out-of-fold predictions
    /// ([`TemperatureScaling`](attrium_evaluation::TemperatureScaling)).
    pub temperature: f64,
    /// What the probabilities that are averaged are brought to. Without it they stay as they are: in bundles from
    /// before there was one, and where a cohort has no positives or no negatives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prevalence: Option<StatedPrevalence>,
    /// What brings the averaged probabilities to the scans of a site, before they are brought to the prevalence that is
    /// stated; nothing of a bundle as it was trained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recalibration: Option<SiteRecalibration>,
    /// What its out-of-fold predictions reached, corrected and scaled, at the prevalence of its cohort; operating points
    /// and net benefit are those of the probabilities as it states them. Of a recalibrated bundle, what its predictions
    /// of the site's scans reach.
    pub metrics: Metrics,
    /// The out-of-fold probabilities, on the same scale, of a positive of the studies that are
    /// positive, from the highest: the threshold for any sensitivity follows from them. Of a recalibrated bundle, those
    /// of the site's scans.
    pub positive_scores: Vec<f64>,
    /// By what single decisions are told that are uncertain; absent in bundles from before there was anything, and where
    /// a cohort has no positives or no negatives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uncertainty: Option<UncertaintyLimits>,
    /// [`INTENDED_USE`].
    pub intended_use: String,
}

/// What share of positives probabilities are stated for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatedPrevalence {
    /// The share of positives in the cohort that the networks were trained on, in (0, 1); of a recalibrated bundle, among
    /// the site's scans.
    pub cohort: f64,
    /// The share of positives that the bundle's probabilities are stated for, in (0, 1).
    pub stated: f64,
}

/// What a bundle was recalibrated on, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SiteRecalibration {
    /// The digest of the bundle that it was made of, whose networks it has.
    pub parent: String,
    /// What is added to the log odds of a positive, in natural logarithms, once they are multiplied by `slope`
    /// ([`Recalibration`]).
    pub intercept: f64,
    /// What the log odds of a positive are multiplied by, above 0.
    pub slope: f64,
    /// The studies of the site that it was recalibrated on.
    pub studies: u64,
    /// Those of them that are positive.
    pub positives: u64,
    /// Whether the predictions of these studies are known to be those of the bundle that it was made of.
    pub proven: bool,
    /// The version of attrium that recalibrated it.
    pub attrium: String,
}

impl SiteRecalibration {
    /// What becomes of log odds.
    pub fn change(&self) -> Recalibration {
        Recalibration {
            intercept: self.intercept,
            slope: self.slope,
        }
    }
}

/// One network of a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    /// The file of its weights.
    pub weights: String,
    /// The file of its normalisation.
    pub normalization: String,
    /// The fold that it has not seen; `None` for a network trained on all data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fold: Option<u32>,
}

impl Member {
    /// The member that has not seen a fold.
    pub fn of_fold(fold: u32) -> Self {
        Self {
            weights: format!("weights-{fold}.safetensors"),
            normalization: format!("normalization-{fold}.safetensors"),
            fold: Some(fold),
        }
    }

    /// The single member that was trained on all data.
    pub fn of_all() -> Self {
        Self {
            weights: "weights.safetensors".to_owned(),
            normalization: "normalization.safetensors".to_owned(),
            fold: None,
        }
    }
}

/// What a model was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrainingProvenance {
    /// The TrainingRun's name.
    pub run: String,
    /// The version of attrium that trained it.
    pub attrium: String,
    /// How the bundle was made of the run.
    pub method: PublishMethod,
    /// The studies of the cohort.
    pub studies: u64,
    /// The studies of each grade.
    pub by_grade: BTreeMap<String, u64>,
    /// How the data were split.
    pub cross_validation: CrossValidation,
    /// The random copies that it was trained on. Bundles that do not say how much these were thinned are from
    /// before any were.
    #[serde(deserialize_with = "augmentation")]
    pub augmentation: AugmentationSpec,
    /// The fit.
    pub training: TrainingSpec,
    /// What people have stated of the study; nothing in bundles from before it could be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub study: Option<Study>,
}

impl BundleManifest {
    /// The file's content.
    ///
    /// # Errors
    /// [`Error::Unwritable`].
    pub fn to_json(&self) -> Result<Vec<u8>, Error> {
        let mut json = serde_json::to_vec_pretty(self).context(UnwritableSnafu)?;
        json.push(b'\n');
        Ok(json)
    }

    /// Reads `bundle.json`; the version is looked at before anything else. A field that is there twice is
    /// refused, since readers differ in which of the two they take.
    ///
    /// # Errors
    /// [`Error::Version`] for another version, [`Error::Unreadable`] for anything else.
    pub fn from_json(json: &[u8]) -> Result<Self, Error> {
        let versioned: Versioned = serde_json::from_slice(json).context(UnreadableSnafu)?;
        let found = versioned.format_version;
        let expected = RECALIBRATED_VERSION;
        let is_known = (u64::from(FORMAT_VERSION)..=u64::from(expected)).contains(&found);
        ensure!(is_known, VersionSnafu { found, expected });
        serde_json::from_slice(json).context(UnreadableSnafu)
    }
}

fn paper() -> Intensity {
    Intensity::Paper
}

fn augmentation<'de, D: Deserializer<'de>>(deserializer: D) -> Result<AugmentationSpec, D::Error> {
    let mut fields = serde_json::Map::deserialize(deserializer)?;
    fields.entry("exposurePercent").or_insert(0.into());
    AugmentationSpec::deserialize(Value::Object(fields)).map_err(D::Error::custom)
}

/// What `bundle.json` of any version has.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Versioned {
    #[serde(default)]
    format_version: u64,
}
