//! The crop of the thorax or the heart that a network sees.

use std::ops::Range;

use serde::Serialize;
use snafu::{OptionExt, ensure};

use super::error::{EmptySnafu, Error, TooSmallSnafu};
use super::size::CROP_SIZE;
use super::warning::Warning;
use super::{Acquisition, AnteriorImage, Ellipse, Heart, Image, extent, resample};
use attrium_types::CropMode;

/// The crop's upper edge as a share of the patient's height, from the feet (paper).
const UPPER_EDGE: f64 = 0.85;

/// Rows by which stray counts may move the paper's crop without a warning.
const STRAY_ROWS: i64 = 5;

/// Heights in millimetres that a whole adult has on a scan.
const USUAL_HEIGHT: std::ops::RangeInclusive<f64> = 1200.0..=2200.0;

/// The side in millimetres of what is shown around the heart: both ventricles, and the right chest beside them.
const HEART_FIELD_MM: f64 = 192.0;

/// The side of a pixel where the object does not state it: the paper's scanners have 2.0 to 2.4 mm.
const USUAL_PIXEL_MM: f64 = 2.26;

/// Where a crop lies on its image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct CropRectangle {
    /// What it shows, and how that was found.
    pub mode: CropMode,
    /// First row.
    pub top: usize,
    /// First column.
    pub left: usize,
    /// Rows: [`CROP_SIZE`] of a thorax.
    pub height: usize,
    /// Columns: [`CROP_SIZE`] of a thorax.
    pub width: usize,
}

/// The thorax or the heart of a scan.
#[derive(Clone, Debug, PartialEq)]
pub struct Crop {
    /// Where it lies on the image.
    pub rectangle: CropRectangle,
    /// Counts, `CROP_SIZE * CROP_SIZE`, row by row.
    pub counts: Vec<f32>,
    /// What a reader should know about the crop, beside the image's own warnings.
    pub warnings: Vec<Warning>,
    /// Counts of the whole body; none of a static.
    pub body_counts: Option<f64>,
}

/// Cuts out of an anterior image what a network sees.
///
/// The thorax (paper, "Preprocessing"): of a whole-body scan the crop's upper edge is at 0.85 of the patient's height
/// from the feet, the lower edge 128 pixels below, the side edges 64 pixels from the centre column; of a static the
/// central 128 x 128 pixels are taken. The heart: 192 mm x 192 mm around it, as far within the image as need be, as
/// 128 x 128 pixels that have the same counts.
///
/// # Errors
/// [`Error::Empty`] without counts, [`Error::TooSmall`] where the image or the patient is smaller
/// than the crop.
pub fn crop(image: &AnteriorImage, mode: CropMode) -> Result<Crop, Error> {
    match mode {
        CropMode::Robust | CropMode::Paper => thorax(image, mode),
        CropMode::Heart => {
            let thorax = thorax(image, CropMode::Robust)?;
            let heart = Heart::in_thorax(image, &thorax).context(EmptySnafu)?;
            thorax.narrowed(image, &heart)
        }
    }
}

impl Crop {
    /// The crop of the heart that was found in this one of the thorax.
    pub(crate) fn narrowed(self, image: &AnteriorImage, heart: &Heart) -> Result<Self, Error> {
        let rectangle = around(image, heart.regions.heart)?;
        let part = Image {
            rows: rectangle.height,
            columns: rectangle.width,
            pixels: cut(&image.counts, rectangle),
        };
        Ok(Self {
            rectangle,
            counts: resample::resized(&part, CROP_SIZE, CROP_SIZE).pixels,
            ..self
        })
    }
}

/// What is shown around a heart, as far within the image as need be.
fn around(image: &AnteriorImage, heart: Ellipse) -> Result<CropRectangle, Error> {
    let counts = &image.counts;
    let [between_rows, between_columns] = image.pixel_spacing_mm.unwrap_or([USUAL_PIXEL_MM; 2]);
    let pixels = |mm: f64| ((HEART_FIELD_MM / mm).round() as usize).max(1);
    let (height, width) = (pixels(between_rows), pixels(between_columns));
    ensure!(
        height <= counts.rows && width <= counts.columns,
        TooSmallSnafu {
            rows: counts.rows,
            columns: counts.columns
        }
    );
    let start = |middle: f64, side: usize, all: usize| {
        let start = (middle + 0.5 - 0.5 * side as f64).round();
        (start.max(0.0) as usize).min(all - side)
    };
    Ok(CropRectangle {
        mode: CropMode::Heart,
        top: start(heart.row, height, counts.rows),
        left: start(heart.column, width, counts.columns),
        height,
        width,
    })
}

fn thorax(image: &AnteriorImage, mode: CropMode) -> Result<Crop, Error> {
    let counts = &image.counts;
    ensure!(
        counts.columns >= CROP_SIZE && counts.rows >= CROP_SIZE,
        TooSmallSnafu {
            rows: counts.rows,
            columns: counts.columns
        }
    );
    let mut warnings = Vec::new();
    let (top, body_counts) = match image.acquisition {
        Acquisition::Static => ((counts.rows - CROP_SIZE) / 2, None),
        Acquisition::WholeBody => {
            let profile = counts.row_sums();
            let body = extent::of_body(&profile).context(EmptySnafu)?;
            let top = whole_body_top(image, mode, &profile, &body, &mut warnings)?;
            (top, Some(profile[body].iter().sum()))
        }
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
        body_counts,
    })
}

fn whole_body_top(
    image: &AnteriorImage,
    mode: CropMode,
    profile: &[f64],
    body: &Range<usize>,
    warnings: &mut Vec<Warning>,
) -> Result<usize, Error> {
    if let Some([millimetres, _]) = image.pixel_spacing_mm {
        let height = body.len() as f64 * millimetres;
        if !USUAL_HEIGHT.contains(&height) {
            warnings.push(Warning::UnusualExtent {
                millimetres: height,
            });
        }
    }
    let robust = upper_edge(body);
    if mode == CropMode::Robust {
        return checked(robust, body, &image.counts);
    }
    let patient = extent::with_counts(profile).context(EmptySnafu)?;
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
