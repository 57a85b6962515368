//! One object, one row: what `attrium screen` and the screen stage have in common.

use snafu::{ResultExt, Snafu};

use super::TaskError;
use super::object_batches::Fetched;
use attrium_bundle as bundle;
use attrium_bundle::Model;
use attrium_dataset::Preference;
use attrium_evaluation::positive_probability;
use attrium_imaging as imaging;
use attrium_imaging::{AnteriorImage, Crop, StudyUid, ViewSource, Warning};
use attrium_types::LossyPolicy;

/// A model with the threshold that makes a decision of its probabilities.
#[derive(Debug)]
pub struct Screener {
    /// The model.
    pub model: Model,
    /// Positive is called where the probability of a positive is at least this.
    pub threshold: f64,
    /// What becomes of images that went through lossy compression.
    pub lossy: LossyPolicy,
}

/// What came of an object.
#[derive(Clone, Debug, PartialEq)]
pub enum Screened {
    /// It shows the anterior view and was given a decision.
    Decided(Box<Decision>),
    /// It shows no anterior view.
    OtherView,
    /// It cannot be used.
    Unusable {
        /// A short stable word.
        reason: &'static str,
        /// Why, in one sentence.
        sentence: String,
    },
}

/// A model's answer on one study.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The probability of each class.
    pub probabilities: Vec<f64>,
    /// The probability of a positive.
    pub positive_probability: f64,
    /// Whether that reaches the threshold.
    pub positive: bool,
    /// The scan that it is about.
    pub scan: Scan,
}

/// What is kept of an anterior image once it is cropped.
#[derive(Clone, Debug, PartialEq)]
pub struct Scan {
    /// The study that it belongs to.
    pub study: StudyUid,
    /// How the view is known.
    pub view_source: ViewSource,
    /// How well the object stands for its study.
    pub preference: Preference,
    /// Whether the object says that it is a phantom.
    pub synthetic: bool,
    /// What a reader should know about the image and the crop.
    pub warnings: Vec<Warning>,
    /// The crop's counts, 128 x 128.
    pub counts: Vec<f32>,
}

impl Scan {
    fn new(image: AnteriorImage, crop: Crop) -> Self {
        let mut warnings = image.warnings;
        warnings.extend(crop.warnings);
        Self {
            study: image.study,
            view_source: image.view_source,
            preference: Preference::new(image.acquisition, image.view_source, image.counts.sum()),
            synthetic: image.synthetic,
            warnings,
            counts: crop.counts,
        }
    }
}

/// An object that was read, before a model has seen it.
#[derive(Debug)]
pub enum Candidate {
    /// It can be screened.
    Scan(Box<Scan>),
    /// It cannot.
    Other(Screened),
}

/// A model that cannot be run.
#[derive(Debug, Snafu)]
#[snafu(display("the scans cannot be screened"))]
pub struct ScreeningError {
    source: bundle::Error,
}

impl Screener {
    /// Reads an object; it never fails, since an object that cannot be used is a row too.
    pub fn read(&self, bytes: &[u8]) -> Candidate {
        let image = match imaging::read_anterior(bytes, self.lossy) {
            Ok(image) => image,
            Err(imaging::Error::NoAnterior) => return Candidate::Other(Screened::OtherView),
            Err(error) => return Candidate::unusable(error.reason(), &error),
        };
        match imaging::crop(&image, self.model.manifest.crop) {
            Ok(crop) => Candidate::Scan(Box::new(Scan::new(image, crop))),
            Err(error) => Candidate::unusable(error.reason(), &error),
        }
    }

    pub(super) fn read_fetched(&self, object: Fetched) -> (String, Candidate) {
        let candidate = match &object.bytes {
            Ok(bytes) => self.read(bytes),
            Err(error) => Candidate::unusable("unreadable", error),
        };
        (object.key, candidate)
    }

    /// Decides on objects together, in their order.
    ///
    /// # Errors
    /// When the model cannot be run.
    pub fn decide(&self, candidates: Vec<Candidate>) -> Result<Vec<Screened>, ScreeningError> {
        let images: Vec<f32> = candidates
            .iter()
            .filter_map(Candidate::scan)
            .flat_map(|scan| imaging::log_image(&scan.counts))
            .collect();
        let probabilities = self.model.probabilities(&images).context(ScreeningSnafu)?;
        let mut probabilities = probabilities.into_iter();
        let screened = candidates.into_iter().map(|candidate| match candidate {
            Candidate::Other(screened) => screened,
            Candidate::Scan(scan) => {
                let probabilities = probabilities.next().unwrap_or_default();
                Screened::Decided(Box::new(self.decision(*scan, probabilities)))
            }
        });
        Ok(screened.collect())
    }

    fn decision(&self, scan: Scan, probabilities: Vec<f64>) -> Decision {
        let positive_probability = positive_probability(self.model.manifest.task, &probabilities);
        Decision {
            positive: positive_probability >= self.threshold,
            positive_probability,
            probabilities,
            scan,
        }
    }
}

impl Candidate {
    fn unusable(reason: &'static str, error: &dyn std::error::Error) -> Self {
        Self::Other(Screened::Unusable {
            reason,
            sentence: TaskError::sentence_of(error),
        })
    }

    fn scan(&self) -> Option<&Scan> {
        match self {
            Self::Scan(scan) => Some(scan),
            Self::Other(_) => None,
        }
    }
}
