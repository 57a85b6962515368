//! From the bytes of a DICOM object to the anterior image.

use std::fmt;

use snafu::ensure;

use super::anterior::Scan;
use super::dicom::{self, DataSet, TransferSyntax};
use super::error::{Error, LossySnafu};
use super::grid::Grid;
use super::pixels::PixelLayout;
use super::warning::Warning;
use super::{
    Acquisition, Image, Placement, Provenance, ScannerModel, StatedPhase, StatedRegion,
    StatedTracer, View, ViewSource, kind, noise, phase, region, tracer, units,
};
use attrium_types::LossyPolicy;

/// A study's Study Instance UID (0020,000D), which ties an image to its label.
///
/// With the archive at hand it identifies a patient, so its `Debug` hides it and it has no `Display`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StudyUid(String);

impl StudyUid {
    /// The study with a UID.
    pub fn new(uid: impl Into<String>) -> Self {
        Self(uid.into())
    }

    /// The UID itself, for looking up a label; never for a log or an artefact.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for StudyUid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StudyUid(redacted)")
    }
}

/// The anterior image of a scan: upright, in counts, no larger than the paper's.
#[derive(Clone, Debug, PartialEq)]
pub struct AnteriorImage {
    /// The study it belongs to.
    pub study: StudyUid,
    /// Counts, none below zero. Row 0 is at the head, column 0 at the patient's right.
    pub counts: Image<f32>,
    /// Always [`View::Anterior`].
    pub view: View,
    /// How the view is known.
    pub view_source: ViewSource,
    /// Whole body or static.
    pub acquisition: Acquisition,
    /// What the object says of the part of the body.
    pub region: StatedRegion,
    /// What the object says of the radiopharmaceutical.
    pub tracer: StatedTracer,
    /// What the object says of the time since the injection.
    pub phase: StatedPhase,
    /// Variance over mean of its noise, 1 of counts; none where few pixels have counts.
    pub dispersion: Option<f64>,
    /// Whose image it is, when it was made and of what.
    pub provenance: Provenance,
    /// The camera's model, where the object names one.
    pub scanner: Option<ScannerModel>,
    /// Millimetres between rows and between columns of `counts`, where the object states them.
    pub pixel_spacing_mm: Option<[f64; 2]>,
    /// Where `counts` lie on the object's frame.
    pub placement: Placement,
    /// Whether the object says that it shows a phantom instead of a patient.
    pub synthetic: bool,
    /// What a reader should know about the image.
    pub warnings: Vec<Warning>,
}

/// Finds and decodes the anterior image of a DICOM object.
///
/// # Errors
/// [`Error`] says why there is none; its [`reason`](Error::reason) is one stable word. An object
/// with only a posterior view gives [`Error::NoAnterior`].
pub fn read_anterior(bytes: &[u8], lossy: LossyPolicy) -> Result<AnteriorImage, Error> {
    let file = dicom::open(bytes)?;
    let set = &file.set;
    kind::check(set)?;
    let study = StudyUid::new(dicom::study_instance_uid(set)?);
    let layout = PixelLayout::read(set)?;
    let spacing = dicom::pixel_spacing(set)?;
    let acquisition = kind::acquisition(set, &layout, spacing)?;
    let mut warnings = Vec::new();
    warnings.extend(check_lossy(set, file.transfer_syntax, lossy)?);

    let scan = Scan {
        file: &file,
        layout: &layout,
        acquisition,
    };
    let frame = scan.anterior()?;
    warnings.extend(frame.warnings);
    let stated = dicom::counts_accumulated(set);
    warnings.extend(units::check(&frame.counts, &layout, stated)?);
    let dispersion = noise::dispersion(&frame.counts);
    let frame_size = [frame.counts.rows, frame.counts.columns];
    let grid = Grid {
        counts: frame.counts,
        spacing,
    };
    let grid = grid.into_usual(acquisition, &mut warnings);
    let given = dicom::radiopharmaceuticals(set)?;
    let placement = Placement {
        frame: frame.index,
        frame_size,
        image_size: [grid.counts.rows, grid.counts.columns],
        is_turned: frame.is_turned,
    };
    Ok(AnteriorImage {
        placement,
        study,
        counts: grid.counts,
        view: View::Anterior,
        view_source: frame.source,
        acquisition,
        region: region::stated(set)?,
        tracer: tracer::stated(&given),
        phase: phase::stated(set, &given)?,
        dispersion,
        provenance: Provenance::read(set)?,
        scanner: dicom::manufacturer_model_name(set)
            .as_deref()
            .and_then(ScannerModel::named),
        pixel_spacing_mm: grid.spacing,
        synthetic: dicom::is_synthetic(set)?,
        warnings,
    })
}

/// The study that an object says it belongs to, if it says so, whatever else is wrong with it.
pub fn study(bytes: &[u8]) -> Option<StudyUid> {
    let file = dicom::open(bytes).ok()?;
    let uid = dicom::study_instance_uid(&file.set).ok()?;
    Some(StudyUid::new(uid))
}

/// An image is lossy by its own mark, which outlives decompression, or by its transfer syntax.
fn check_lossy(
    set: &DataSet<'_>,
    syntax: TransferSyntax,
    policy: LossyPolicy,
) -> Result<Option<Warning>, Error> {
    let is_lossy = dicom::is_marked_lossy(set)? || syntax.is_lossy();
    ensure!(!is_lossy || policy == LossyPolicy::Accept, LossySnafu);
    Ok(is_lossy.then_some(Warning::Lossy))
}
