//! From the bytes of a DICOM object to the anterior image.

use std::fmt;

use snafu::ensure;

use super::dicom::{self, DataSet, DicomFile, TransferSyntax};
use super::error::{EmptySnafu, Error, LossySnafu, ViewConflictSnafu};
use super::orientation::{self, HeadEnd, Stated, Turn};
use super::pixels::{self, PixelLayout};
use super::warning::Warning;
use super::{
    Acquisition, Image, Provenance, StatedPhase, StatedTracer, View, ViewSource, frames, kind,
    phase, resample, tracer,
};
use attrium_types::LossyPolicy;

/// Sides of the largest static image that is cropped as it is (paper, "Preprocessing").
const STATIC_SIDE: usize = 256;

/// Pixel sizes in millimetres for which a crop of 128 pixels shows a chest; the paper's scanners
/// have 2.0 to 2.4 mm.
const USUAL_PIXELS: std::ops::RangeInclusive<f64> = 1.5..=3.5;

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
    /// What the object says of the radiopharmaceutical.
    pub tracer: StatedTracer,
    /// What the object says of the time since the injection.
    pub phase: StatedPhase,
    /// Whose image it is, when it was made and of what.
    pub provenance: Provenance,
    /// Millimetres between rows and between columns of `counts`, where the object states them.
    pub pixel_spacing_mm: Option<[f64; 2]>,
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
    let set: &DataSet = &file.object;
    kind::check(set)?;
    let study = StudyUid::new(dicom::study_instance_uid(set)?);
    let layout = PixelLayout::read(set)?;
    let acquisition = kind::acquisition(set, &layout)?;
    let mut warnings = Vec::new();
    warnings.extend(check_lossy(set, file.transfer_syntax, lossy)?);

    let frame = frames::find_anterior(set, layout.frames)?;
    warnings.extend(frame.warnings);
    let stated = Stated::read(set, frame.detector)?;
    warnings.extend(check_view(stated, frame.source)?);

    let (mut counts, warning) = read_counts(&file, &layout, frame.index)?;
    warnings.extend(warning);
    let turn = needed_turn(set, acquisition, &counts, stated)?;
    if turn.by_header_alone {
        warnings.push(Warning::OrientationFromHeader);
    }
    if turn.is_needed {
        warnings.push(Warning::TurnedUpright);
        orientation::rotate_180(&mut counts);
    }
    let spacing = dicom::pixel_spacing(set)?;
    let (counts, pixel_spacing_mm, warning) = limit_size(counts, acquisition, spacing);
    warnings.extend(warning);
    warnings.extend(check_pixel_size(pixel_spacing_mm));
    Ok(AnteriorImage {
        study,
        counts,
        view: View::Anterior,
        view_source: frame.source,
        acquisition,
        tracer: tracer::stated(set)?,
        phase: phase::stated(set)?,
        provenance: Provenance::read(set)?,
        pixel_spacing_mm,
        synthetic: dicom::is_synthetic(set)?,
        warnings,
    })
}

/// The study that an object says it belongs to, if it says so, whatever else is wrong with it.
pub fn study(bytes: &[u8]) -> Option<StudyUid> {
    let file = dicom::open(bytes).ok()?;
    let uid = dicom::study_instance_uid(&file.object).ok()?;
    Some(StudyUid::new(uid))
}

/// An image is lossy by its own mark, which outlives decompression, or by its transfer syntax.
fn check_lossy(
    set: &DataSet,
    syntax: TransferSyntax,
    policy: LossyPolicy,
) -> Result<Option<Warning>, Error> {
    let is_lossy = dicom::is_marked_lossy(set)? || syntax.is_lossy();
    ensure!(!is_lossy || policy == LossyPolicy::Accept, LossySnafu);
    Ok(is_lossy.then_some(Warning::Lossy))
}

/// A code outweighs the orientation, which some exporters copy from one detector to the next; a
/// text or a guess does not.
fn check_view(stated: Option<Stated>, source: ViewSource) -> Result<Option<Warning>, Error> {
    let contradicts = stated.is_some_and(|stated| !stated.is_anterior);
    ensure!(
        !contradicts || source == ViewSource::ViewCode,
        ViewConflictSnafu
    );
    Ok(contradicts.then_some(Warning::OrientationContradictsView))
}

/// The counts of a frame, of which there have to be some.
fn read_counts(
    file: &DicomFile,
    layout: &PixelLayout,
    frame: usize,
) -> Result<(Image<f32>, Option<Warning>), Error> {
    let samples = pixels::decode(file, layout, frame)?;
    let (counts, negative) = pixels::to_counts(&samples, layout);
    ensure!(counts.pixels.iter().any(|&count| count > 0.0), EmptySnafu);
    let warning = (negative > 0).then_some(Warning::NegativePixels { count: negative });
    Ok((counts, warning))
}

/// Whether the image has to be turned by 180 degrees. A static shows neither head nor feet, so its
/// header alone decides.
fn needed_turn(
    set: &DataSet,
    acquisition: Acquisition,
    counts: &Image<f32>,
    stated: Option<Stated>,
) -> Result<Turn, Error> {
    match acquisition {
        Acquisition::WholeBody => {
            let feet_first = orientation::lies_feet_first(set)?;
            Turn::decide(HeadEnd::of(counts), stated, feet_first)
        }
        Acquisition::Static => Ok(Turn {
            is_needed: stated.is_some_and(|stated| !stated.is_upright),
            by_header_alone: false,
        }),
    }
}

/// Statics become 256 x 256 where they are larger. So that a crop shows the same part of every
/// patient, whole-body scans whose pixels are half the usual size get half as many rows and columns.
/// Where the pixel spacing is not stated, twice the usual rows and columns tell that they are.
fn limit_size(
    counts: Image<f32>,
    acquisition: Acquisition,
    spacing: Option<[f64; 2]>,
) -> (Image<f32>, Option<[f64; 2]>, Option<Warning>) {
    let (rows, columns) = (counts.rows, counts.columns);
    let [new_rows, new_columns] = match (acquisition, spacing) {
        (Acquisition::Static, _) => [rows.min(STATIC_SIDE), columns.min(STATIC_SIDE)],
        (Acquisition::WholeBody, Some([height, width])) => {
            let is_fine = height < *USUAL_PIXELS.start() && width < *USUAL_PIXELS.start();
            if is_fine && columns >= 2 * STATIC_SIDE {
                [rows / 2, columns / 2]
            } else {
                [rows, columns]
            }
        }
        (Acquisition::WholeBody, None) if rows >= 2048 && columns >= 512 => [rows / 2, columns / 2],
        (Acquisition::WholeBody, None) => [rows, columns],
    };
    if [new_rows, new_columns] == [rows, columns] {
        return (counts, spacing, None);
    }
    let spacing = spacing.map(|[height, width]| {
        [
            height * rows as f64 / new_rows as f64,
            width * columns as f64 / new_columns as f64,
        ]
    });
    let counts = resample::shrink(&counts, new_rows, new_columns);
    (
        counts,
        spacing,
        Some(Warning::Downsampled { rows, columns }),
    )
}

fn check_pixel_size(spacing: Option<[f64; 2]>) -> Option<Warning> {
    let [millimetres, width] = spacing?;
    let is_usual = USUAL_PIXELS.contains(&millimetres) && USUAL_PIXELS.contains(&width);
    (!is_usual).then_some(Warning::UnusualPixelSize { millimetres })
}
