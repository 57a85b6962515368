//! What is reported: a decision, where on the image it was made, and by what.

use attrium_imaging::Ellipse;
use snafu::ensure;

use super::error::{ContradictionSnafu, Error, FrameSnafu, NumberSnafu, RegionSnafu};
use super::source::Source;

/// A decision on a scan.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// Whether cardiac amyloidosis is suspected.
    pub positive: bool,
    /// The model's probability of that, from 0 to 1.
    pub positive_probability: f64,
    /// The least probability that is positive.
    pub threshold: f64,
    /// Why the decision is uncertain, in words; none where it is not.
    pub doubts: Vec<String>,
    /// What a reader should know about the image, in words.
    pub warnings: Vec<String>,
    /// The frame of the source that the regions are on, counted from 1; none where the source has one alone.
    pub frame: Option<u32>,
    /// What the model saw, on that frame.
    pub crop: Rectangle,
    /// The heart on that frame, where it was found.
    pub heart: Option<HeartMeasure>,
    /// The model.
    pub model: ModelName,
    /// What of it is invented.
    pub synthetic: Synthetic,
    /// Counted from 1; one more with each new decision on the study.
    pub revision: u32,
    /// The report that this one takes the place of.
    pub predecessor: Option<Predecessor>,
}

/// A part of a frame as the source stores it, in pixels, of which the first reaches from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rectangle {
    /// Upper edge.
    pub top: f64,
    /// Left edge.
    pub left: f64,
    /// Height.
    pub height: f64,
    /// Width.
    pub width: f64,
}

/// The heart on a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeartMeasure {
    /// The left ventricle, in pixels of the frame as the source stores it; 0 is the middle of the first one.
    pub ellipse: Ellipse,
    /// Mean count over it divided by that over its mirror image in the right chest, where that has counts.
    pub heart_to_contralateral: Option<f64>,
}

/// What made the decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelName {
    /// Such as "Heart Positive".
    pub name: String,
    /// Its version, in its maker's words.
    pub version: String,
    /// The bundle's digest, `sha256:` and 64 hexadecimal digits.
    pub digest: String,
}

/// What of a result is invented. A result says so in words, in its pixels and as Quality Control Image (0028,0300).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Synthetic {
    /// The scan shows a phantom, not a patient.
    pub scan: bool,
    /// The model was trained on phantoms alone.
    pub model: bool,
}

/// A report that another takes the place of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Predecessor {
    /// Where an archive has it.
    pub reference: Reference,
    /// What it said, where that was another decision.
    pub amended: Option<Amended>,
}

/// What a report said whose decision another reverses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amended {
    /// It was positive.
    Positive,
    /// It was negative.
    Negative,
}

/// An object of the same study.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// SOP Class UID.
    pub sop_class_uid: String,
    /// Series Instance UID.
    pub series_instance_uid: String,
    /// SOP Instance UID.
    pub sop_instance_uid: String,
}

impl Rectangle {
    /// Its corners as rows and columns, in the order of a line around it.
    pub(crate) fn corners(&self) -> [[f64; 2]; 4] {
        let (bottom, right) = (self.top + self.height, self.left + self.width);
        [
            [self.top, self.left],
            [self.top, right],
            [bottom, right],
            [bottom, self.left],
        ]
    }
}

impl Synthetic {
    /// Whether anything is invented.
    pub const fn any(self) -> bool {
        self.scan || self.model
    }

    /// What is, in a sentence; none where nothing is.
    pub(crate) const fn sentence(self) -> Option<&'static str> {
        match (self.scan, self.model) {
            (true, true) => Some(
                "SYNTHETIC: the scan shows a phantom, and the model was trained on phantoms alone.",
            ),
            (true, false) => Some("SYNTHETIC: the scan shows a phantom, not a patient."),
            (false, true) => Some("SYNTHETIC: the model was trained on phantoms alone."),
            (false, false) => None,
        }
    }
}

impl Decision {
    /// The frame that the regions are on, counted from 1.
    pub(crate) fn frame(&self) -> u32 {
        self.frame.unwrap_or(1)
    }

    /// Makes sure that the numbers are some, and that they agree with the decision.
    pub(crate) fn check(&self) -> Result<(), Error> {
        share("probability", self.positive_probability)?;
        share("threshold", self.threshold)?;
        let is_positive = self.positive_probability >= self.threshold;
        ensure!(self.positive == is_positive, ContradictionSnafu);
        let before = self.predecessor.as_ref().and_then(|it| it.amended);
        let is_other = |before| self.positive != matches!(before, Amended::Positive);
        ensure!(before.is_none_or(is_other), ContradictionSnafu);
        let ratio = self.heart.and_then(|heart| heart.heart_to_contralateral);
        if let Some(ratio) = ratio {
            number("heart-to-contralateral ratio", ratio, 0.0..=1e9)?;
        }
        Ok(())
    }

    /// As [`check`](Self::check), and that the regions are on the source.
    pub(crate) fn check_on(&self, source: &Source) -> Result<(), Error> {
        self.check()?;
        let (frame, frames) = (self.frame(), source.frames);
        let is_told = self.frame.is_some() || frames == 1;
        ensure!(
            is_told && (1..=frames).contains(&frame),
            FrameSnafu { frame, frames }
        );
        let ellipse = self.heart.map(|heart| heart.ellipse);
        ensure!(ellipse.is_none_or(has_size), RegionSnafu);
        let Rectangle {
            top,
            left,
            height,
            width,
        } = self.crop;
        let is_within = |start: f64, side: f64, all: u32| {
            start >= 0.0 && side > 0.0 && start + side <= f64::from(all)
        };
        ensure!(
            is_within(top, height, source.rows) && is_within(left, width, source.columns),
            RegionSnafu
        );
        Ok(())
    }
}

/// Whether an ellipse has a place and a size.
fn has_size(ellipse: Ellipse) -> bool {
    let Ellipse {
        row,
        column,
        height,
        width,
    } = ellipse;
    let are_numbers = [row, column, height, width].into_iter().all(f64::is_finite);
    are_numbers && height > 0.0 && width > 0.0
}

fn share(name: &'static str, value: f64) -> Result<(), Error> {
    number(name, value, 0.0..=1.0)
}

fn number(
    name: &'static str,
    value: f64,
    range: std::ops::RangeInclusive<f64>,
) -> Result<(), Error> {
    let value_text = || format!("{value}");
    ensure!(
        range.contains(&value),
        NumberSnafu {
            name,
            value: value_text()
        }
    );
    Ok(())
}
