//! One object, one row: what `attrium screen` and the screen stage have in common.

use std::error::Error;

use snafu::{ResultExt, Snafu};

use super::Rejection;
use attrium_bundle as bundle;
use attrium_bundle::{Answer, Model, UncertaintyRule};
use attrium_dataset::{Overlap, Preference, ScanIdentity};
use attrium_evaluation::{Uncertainty, positive_probability};
use attrium_imaging as imaging;
use attrium_imaging::{
    Admitted, CROP_SIZE, CropRectangle, Heart, Placement, Provenance, ScannerModel, StudyUid,
    ViewSource, Warning,
};
use attrium_types::{LossyPolicy, Tracer};

/// A model with the threshold that makes a decision of its probabilities.
#[derive(Debug)]
pub struct Screener {
    /// The model.
    pub model: Model,
    /// Positive is called where the probability of a positive is at least this.
    pub threshold: f64,
    /// What becomes of images that went through lossy compression.
    lossy: LossyPolicy,
    /// The bone tracers whose scans are screened.
    tracers: Vec<Tracer>,
    /// By what decisions are told that are uncertain; `None` where the model does not say.
    rule: Option<UncertaintyRule>,
}

/// What came of an object.
#[derive(Clone, Debug, PartialEq)]
pub enum Screened {
    /// It shows the anterior view and was given a decision.
    Decided(Box<ScreeningDecision>),
    /// It was given none.
    Rejected(Rejection),
}

/// A model's answer on one study.
#[derive(Clone, Debug, PartialEq)]
pub struct ScreeningDecision {
    /// The probability of each class.
    pub probabilities: Vec<f64>,
    /// The probability of a positive.
    pub positive_probability: f64,
    /// Whether that reaches the threshold.
    pub positive: bool,
    /// Whether the decision is uncertain, and why.
    pub uncertainty: Uncertainty,
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
    /// What the object is chosen by among those of its study, but for its time.
    pub preference: Preference,
    /// Whose it is, when it was made and of what.
    pub provenance: Provenance,
    /// What tells it again; it is digested where anything is kept.
    pub identity: ScanIdentity,
    /// What of it the model was trained on.
    pub overlap: Overlap,
    /// Whether the object says that it is a phantom.
    pub synthetic: bool,
    /// What a reader should know about the image and the crop.
    pub warnings: Vec<Warning>,
    /// Where the heart is and how much it takes up.
    pub heart: Option<Heart>,
    /// The camera's model, where the object names one.
    pub scanner: Option<ScannerModel>,
    /// The crop's counts, 128 x 128.
    pub counts: Vec<f32>,
    /// Where the crop lies on the image.
    pub rectangle: CropRectangle,
    /// Where the image lies on the object's frame.
    pub placement: Placement,
}

impl Scan {
    /// The counts of the crop, which the decision is made on.
    pub(super) fn crop_counts(&self) -> f64 {
        self.counts.iter().map(|&count| f64::from(count)).sum()
    }

    /// What is drawn over the crop: the regions of the heart, where there is one.
    pub(super) fn outlines(&self) -> Vec<Option<[u8; 3]>> {
        let regions = self.heart.map(|heart| heart.regions.on(&self.rectangle));
        let outlines = regions.map(|regions| imaging::outlines(&regions, CROP_SIZE, CROP_SIZE));
        outlines.unwrap_or_default()
    }

    fn new(admitted: Admitted, model: &Model) -> Self {
        let Admitted { image, crop, heart } = admitted;
        let preference = Preference::of(&image);
        let identity = ScanIdentity::of(&image);
        let overlap = model.overlap(&identity);
        let mut warnings = image.warnings;
        warnings.extend(crop.warnings);
        Self {
            study: image.study,
            view_source: image.view_source,
            preference,
            provenance: image.provenance,
            identity,
            overlap,
            synthetic: image.synthetic,
            warnings,
            heart,
            scanner: image.scanner,
            counts: crop.counts,
            rectangle: crop.rectangle,
            placement: image.placement,
        }
    }
}

/// An object that was read, before a model has seen it: a scan, or why there is none.
pub type Candidate = Result<Box<Scan>, Rejection>;

/// A model that cannot be run.
#[derive(Debug, Snafu)]
#[snafu(display("the scans cannot be screened"))]
pub struct ScreeningError {
    source: bundle::Error,
}

impl Screener {
    /// A model with the threshold from which on it calls positive, and what of an archive is screened with it.
    pub fn new(model: Model, threshold: f64, lossy: LossyPolicy, tracers: Vec<Tracer>) -> Self {
        Self {
            rule: model.uncertainty_rule(threshold),
            model,
            threshold,
            lossy,
            tracers,
        }
    }

    /// Reads an object from its bytes, if there are any.
    ///
    /// # Errors
    /// Why it cannot be screened, which is a row of the table too.
    pub fn read<E: Error>(&self, bytes: Result<Vec<u8>, E>) -> Candidate {
        let bytes = bytes.map_err(|error| Rejection::unreadable(&error))?;
        self.scan(&bytes)
    }

    /// Reads an object from its bytes.
    pub(super) fn scan(&self, bytes: &[u8]) -> Candidate {
        let image = imaging::read_anterior(bytes, self.lossy)?;
        let admitted = imaging::admit(image, &self.tracers, self.model.manifest.crop)?;
        Ok(Box::new(Scan::new(admitted, &self.model)))
    }

    /// Decides on objects together, in their order.
    ///
    /// # Errors
    /// When the model cannot be run.
    pub fn decide(&self, candidates: Vec<Candidate>) -> Result<Vec<Screened>, ScreeningError> {
        let counts: Vec<f32> = candidates
            .iter()
            .flatten()
            .flat_map(|scan| scan.counts.iter().copied())
            .collect();
        let answers = self.model.answers(&counts).context(ScreeningSnafu)?;
        let mut answers = answers.into_iter();
        let screened = candidates.into_iter().map(|candidate| match candidate {
            Err(rejection) => Screened::Rejected(rejection),
            Ok(scan) => {
                let answer = answers.next().expect("each scan should have an answer");
                Screened::Decided(Box::new(self.decision(*scan, answer)))
            }
        });
        Ok(screened.collect())
    }

    fn decision(&self, scan: Scan, answer: Answer) -> ScreeningDecision {
        let target = self.model.manifest.target;
        let positive = positive_probability(target, &answer.probabilities);
        let rule = self.rule.as_ref();
        let uncertainty = rule.map(|rule| rule.uncertainty(&answer, positive, &scan.counts));
        ScreeningDecision {
            positive: positive >= self.threshold,
            positive_probability: positive,
            uncertainty: uncertainty.unwrap_or_default(),
            probabilities: answer.probabilities,
            scan,
        }
    }
}
