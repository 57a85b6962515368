//! The crop of the thorax that a network sees.

use std::ops::Range;

use serde::Serialize;
use snafu::{OptionExt, ensure};

use super::error::{EmptySnafu, Error, TooSmallSnafu};
use super::size::CROP_SIZE;
use super::warning::Warning;
use super::{Acquisition, AnteriorImage, Image, extent};
use attrium_types::CropMode;

/// The crop's upper edge as a share of the patient's height, from the feet (paper).
const UPPER_EDGE: f64 = 0.85;

/// Rows by which stray counts may move the paper's crop without a warning.
const STRAY_ROWS: i64 = 5;

/// Heights in millimetres that a whole adult has on a scan.
const USUAL_HEIGHT: std::ops::RangeInclusive<f64> = 1200.0..=2200.0;

/// Where a crop lies on its image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct CropRectangle {
    /// How the patient's extent was found.
    pub mode: CropMode,
    /// First row.
    pub top: usize,
    /// First column.
    pub left: usize,
    /// Rows: [`CROP_SIZE`].
    pub height: usize,
    /// Columns: [`CROP_SIZE`].
    pub width: usize,
}

/// The thorax of a scan.
#[derive(Clone, Debug, PartialEq)]
pub struct Crop {
    /// Where it lies on the image.
    pub rectangle: CropRectangle,
    /// Counts, `CROP_SIZE * CROP_SIZE`, row by row.
    pub counts: Vec<f32>,
    /// What a reader should know about the crop, beside the image's own warnings.
    pub warnings: Vec<Warning>,
}

/// Cuts the thorax out of an anterior image (paper, "Preprocessing").
///
/// Of a whole-body scan the crop's upper edge is at 0.85 of the patient's height from the feet, the
/// lower edge 128 pixels below, the side edges 64 pixels from the centre column; of a static the
/// central 128 x 128 pixels are taken.
///
/// # Errors
/// [`Error::Empty`] without counts, [`Error::TooSmall`] where the image or the patient is smaller
/// than the crop.
pub fn crop(image: &AnteriorImage, mode: CropMode) -> Result<Crop, Error> {
    let counts = &image.counts;
    ensure!(
        counts.columns >= CROP_SIZE && counts.rows >= CROP_SIZE,
        TooSmallSnafu {
            rows: counts.rows,
            columns: counts.columns
        }
    );
    let mut warnings = Vec::new();
    let top = match image.acquisition {
        Acquisition::Static => (counts.rows - CROP_SIZE) / 2,
        Acquisition::WholeBody => whole_body_top(image, mode, &mut warnings)?,
    };
    let rectangle = CropRectangle {
        mode,
        top,
        left: counts.columns / 2 - CROP_SIZE / 2,
        height: CROP_SIZE,
        width: CROP_SIZE,
    };
    Ok(Crop {
        rectangle,
        counts: cut(counts, rectangle),
        warnings,
    })
}

fn whole_body_top(
    image: &AnteriorImage,
    mode: CropMode,
    warnings: &mut Vec<Warning>,
) -> Result<usize, Error> {
    let profile = image.counts.row_sums();
    let body = extent::of_body(&profile).context(EmptySnafu)?;
    if let Some([millimetres, _]) = image.pixel_spacing_mm {
        let height = body.len() as f64 * millimetres;
        if !USUAL_HEIGHT.contains(&height) {
            warnings.push(Warning::UnusualExtent {
                millimetres: height,
            });
        }
    }
    let robust = upper_edge(&body);
    if mode == CropMode::Robust {
        return checked(robust, &body, &image.counts);
    }
    let patient = extent::with_counts(&profile).context(EmptySnafu)?;
    let top = upper_edge(&patient);
    let rows = top as i64 - robust as i64;
    if rows.abs() > STRAY_ROWS {
        warnings.push(Warning::StrayCounts { rows });
    }
    checked(top, &patient, &image.counts)
}

/// The row at 0.85 of the height above the feet, which are at the extent's end.
fn upper_edge(patient: &Range<usize>) -> usize {
    (patient.end as f64 - UPPER_EDGE * patient.len() as f64).round() as usize
}

/// Makes sure that the patient goes on to the crop's lower edge.
fn checked(top: usize, patient: &Range<usize>, image: &Image<f32>) -> Result<usize, Error> {
    let rows = patient.end - top;
    ensure!(
        rows >= CROP_SIZE,
        TooSmallSnafu {
            rows,
            columns: image.columns
        }
    );
    Ok(top)
}

fn cut(image: &Image<f32>, rectangle: CropRectangle) -> Vec<f32> {
    image
        .pixels
        .chunks_exact(image.columns)
        .skip(rectangle.top)
        .take(rectangle.height)
        .flat_map(|row| &row[rectangle.left..rectangle.left + rectangle.width])
        .copied()
        .collect()
}
