//! Reports: a training run or a screening as one self-contained HTML page.
//!
//! Plain values in ([`TrainingReport`], [`ScreeningReport`]), one string out, the same for the
//! same values; [`montage`] draws one study's activation maps. A page needs no network, script or
//! font of its own, reads well in print, in dark rooms and on a phone, and says "research use
//! only". This crate computes no metric, reads and writes no files, and never lets foreign text
//! become markup.

mod input;
mod montage;
mod number;
mod page;
mod paper;
mod plot;
mod raster;
mod scores;
mod screening;
mod sections;
mod table;
mod training;

pub use input::{
    ActivationFigure, ActivationRow, Count, DataFlow, Epoch, Example, Fact, Gate, History, Method,
    Misclassified, MisclassifiedStudies, MisclassifiedStudy, ModelFacts, Provenance, Publication,
    Published, ScaledOperatingPoints, ScreenedObject, ScreeningReport, StageTime, StudyFacts,
    TrainingReport, UncertainObject, UnusableObject,
};
pub use montage::montage;
pub use paper::activation_layer;
pub use raster::{Raster, RasterError};
pub use scores::{SCORE_BINS, score_bin};

/// The report of a training run: `report/index.html`.
pub fn training_report(report: &TrainingReport) -> String {
    training::page(report)
}

/// The report of a screening job, with the external validation where there are labels.
pub fn screening_report(report: &ScreeningReport) -> String {
    screening::page(report)
}

#[cfg(test)]
mod tests;
