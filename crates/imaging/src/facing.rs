//! Whether an upright scan shows the patient's front or back, by its counts.
//!
//! A gamma camera sees best what is near: from the front the sternum, the face and the bladder, from behind
//! the spine. Each is compared with another part of the same image, so that neither exposure nor the size
//! of a pixel matters; a mark is a logarithm of such a ratio, in units of its spread among patients,
//! and none counts for more than twice that. Where the marks together are not clear, nothing is decided.
//!
//! Never: left told from right. A mirrored image looks as it did, so that this says nothing about
//! whether an image is mirrored.

use std::ops::Range;

use super::image::{capped_line, half};
use super::{Acquisition, Image, extent};

/// The mean of the marks above which a whole-body image is taken for the front, and that below which for the
/// back: fronts of phantoms have 1.0, backs -1.2, and the real scan 1.4 (see docs/dicom.md).
const FRONT: f64 = 0.3;
const BACK: f64 = -0.5;

/// By how much one of two images has to look more like the front than the other, and how far from nothing
/// their mean may be: two images of the same side are not told apart by what differs a little.
const CLEAR_OF_TWO: f64 = 0.8;
const SAME_SIDE: f64 = 1.1;

/// The least logarithm of spine or sternum against the ribs beside it, in any image of a chest; the phantoms'
/// is 0.57, the real scan's 0.80.
const STANDS_OUT: f64 = 0.35;

/// What a mark counts at most.
const MOST: f64 = 2.0;

/// What is taken for a body's height on a whole-body scan, and for the width of a static image's field, where
/// only proportions matter.
const HEIGHT_MM: f64 = 1700.0;
const FIELD_MM: f64 = 530.0;

/// Width of the spine or the sternum, and how far they may be off the midline.
const CORE_MM: f64 = 18.0;
const REACH_MM: f64 = 42.0;

/// Height of the bands into which a part of the body is divided.
const BAND_MM: f64 = 20.0;

/// The side of the patient that an image shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Facing {
    Front,
    Back,
    Unclear,
}

impl Facing {
    /// The side that an upright image shows. A static shows neither face nor bladder, and its few marks tell
    /// two images from each other but not one by itself.
    pub(crate) fn of(image: &Image<f32>, acquisition: Acquisition) -> Self {
        if acquisition == Acquisition::Static {
            return Self::Unclear;
        }
        match frontness(image, acquisition) {
            Some(marks) if marks > FRONT => Self::Front,
            Some(marks) if marks < BACK => Self::Back,
            _ => Self::Unclear,
        }
    }

    /// The side that the first of two upright images shows, which were taken from opposite sides.
    pub(crate) fn of_first(one: &Image<f32>, other: &Image<f32>, acquisition: Acquisition) -> Self {
        let marks = frontness(one, acquisition).zip(frontness(other, acquisition));
        match marks.map(|(one, other)| (one - other, one.midpoint(other).abs())) {
            Some((_, middle)) if middle > SAME_SIDE => Self::Unclear,
            Some((more, _)) if more > CLEAR_OF_TWO => Self::Front,
            Some((more, _)) if more < -CLEAR_OF_TWO => Self::Back,
            _ => Self::Unclear,
        }
    }
}

/// How much an image looks like the front of a patient: the mean of its marks, from -2 to 2; nothing where
/// there is no body, or no chest in it.
fn frontness(image: &Image<f32>, acquisition: Acquisition) -> Option<f64> {
    let marks = match acquisition {
        Acquisition::WholeBody => Part::body(image)?.marks_of_body()?,
        Acquisition::Static => Part::field(image)?.marks_of_chest()?,
    };
    let sum: f64 = marks.iter().map(|mark| mark.clamp(-MOST, MOST)).sum();
    Some(sum / marks.len() as f64)
}

/// A mark of the front: how far the logarithm of a ratio is above what lies between fronts and backs, in units
/// of its spread among either.
fn mark(ratio: f64, between: f64, spread: f64) -> f64 {
    (ratio.max(f64::MIN_POSITIVE).ln() - between) / spread
}

/// The rows of an image that show the patient.
struct Part<'a> {
    image: &'a Image<f32>,
    rows: Range<usize>,
    /// The column to the left of which half of the trunk's counts are.
    middle: usize,
    pixel_mm: f64,
}

impl<'a> Part<'a> {
    /// The whole patient.
    fn body(image: &'a Image<f32>) -> Option<Self> {
        let profile = image.row_sums();
        let rows = extent::of_body(&profile)?;
        let pixel_mm = HEIGHT_MM / rows.len() as f64;
        Self::of(image, &profile, rows, pixel_mm, [0.15, 0.45])
    }

    /// What the field of a static image shows of the patient.
    fn field(image: &'a Image<f32>) -> Option<Self> {
        let profile = image.row_sums();
        let rows = extent::of_body(&profile)?;
        let columns = mean_line(image, rows.clone());
        let field = extent::of_body(&columns)?;
        let pixel_mm = FIELD_MM / field.len() as f64;
        Self::of(image, &profile, rows, pixel_mm, [0.0, 1.0])
    }

    /// Finds the midline between two shares of the height from the top; no pixel counts for more than bone.
    fn of(
        image: &'a Image<f32>,
        profile: &[f64],
        rows: Range<usize>,
        pixel_mm: f64,
        [from, to]: [f64; 2],
    ) -> Option<Self> {
        let limit = 4.0 * extent::median(profile)? / image.columns as f64;
        let mut part = Self {
            image,
            rows,
            middle: 0,
            pixel_mm,
        };
        let line = capped_line(image, part.between(from, to), limit as f32);
        part.middle = half(&line);
        Some(part)
    }

    /// From the front the face is bright, the head against the trunk, and the sternum against the spine below
    /// it; the bladder lies before the sacrum; and the spine stands out less.
    fn marks_of_body(&self) -> Option<Vec<f64>> {
        let chest = self.chest(0.16, 0.18, 0.30)?;
        let sternum = middle_of(&mut self.cores(0.17, 0.24));
        let below = middle_of(&mut self.cores(0.26, 0.32));
        let lumbar = middle_of(&mut self.cores(0.31, 0.39));
        let bladder = self.cores(0.43, 0.50).into_iter().fold(0.0, f64::max);
        let head = self.sum(0.0, 0.12) / self.sum(0.15, 0.45);
        Some(vec![
            mark(sternum / below, 0.27, 0.15),
            mark(bladder / lumbar, 0.70, 0.33),
            mark(self.face(), 1.20, 0.09),
            mark(head, -1.91, 0.075),
            -mark(chest, 1.10, 0.135),
        ])
    }

    /// The same of the chest alone, of which the field shows more or less.
    fn marks_of_chest(&self) -> Option<Vec<f64>> {
        let mut upper = self.cores(0.15, 0.60);
        let sternum = quantile(&mut upper, 0.8);
        let chest = self.chest(0.20, 0.20, 0.60)?;
        let below = middle_of(&mut self.cores(0.71, 0.98));
        Some(vec![
            mark(sternum / below, 0.51, 0.12),
            -mark(chest, 1.07, 0.135),
            -mark(below / self.beside(0.72, 0.98), 0.78, 0.20),
        ])
    }

    /// Spine or sternum against the ribs beside it; nothing where neither stands out.
    fn chest(&self, from: f64, ribs: f64, to: f64) -> Option<f64> {
        let ratio = middle_of(&mut self.cores(from, to)) / self.beside(ribs, to);
        (ratio.ln() > STANDS_OUT).then_some(ratio)
    }

    /// The rows between two shares of the height from the top.
    fn between(&self, from: f64, to: f64) -> Range<usize> {
        let height = self.rows.len() as f64;
        let row = |share: f64| self.rows.start + (share * height) as usize;
        row(from)..row(to)
    }

    fn pixels(&self, mm: f64) -> usize {
        ((mm / self.pixel_mm).round() as usize).max(1)
    }

    fn sum(&self, from: f64, to: f64) -> f64 {
        let line = capped_line(self.image, self.between(from, to), f32::INFINITY);
        line.iter().sum()
    }

    /// The columns within some millimetres of a column.
    fn around(&self, column: usize, mm: f64) -> Range<usize> {
        let reach = self.pixels(mm);
        column.saturating_sub(reach)..(column + reach + 1).min(self.image.columns)
    }

    /// Of each band between two shares of the height, the brightest strip of a spine's width near the midline.
    fn cores(&self, from: f64, to: f64) -> Vec<f64> {
        let rows = self.between(from, to);
        let band = self.pixels(BAND_MM);
        let starts = rows.clone().step_by(band);
        let bands = starts.filter(|start| start + band <= rows.end);
        bands
            .map(|start| {
                let line = mean_line(self.image, start..start + band);
                let strips = self.around(self.middle, REACH_MM + CORE_MM / 2.0);
                largest_strip(&line[strips], self.pixels(CORE_MM))
            })
            .collect()
    }

    /// The median of the columns beside the midline, where the ribs are.
    fn beside(&self, from: f64, to: f64) -> f64 {
        let line = mean_line(self.image, self.between(from, to));
        let (near, far) = (
            self.around(self.middle, 40.0),
            self.around(self.middle, 80.0),
        );
        let mut sides = [&line[far.start..near.start], &line[near.end..far.end]].concat();
        middle_of(&mut sides)
    }

    /// The brightest part of the face against the skull above it.
    fn face(&self) -> f64 {
        let head = self.between(0.01, 0.14);
        let middle = half(&mean_line(self.image, self.between(0.015, 0.10)));
        let band = self.pixels(BAND_MM);
        let step = self.pixels(BAND_MM / 4.0);
        let mut skull = Vec::new();
        let mut face = 0.0_f64;
        for start in head.clone().step_by(step) {
            if start + band > head.end {
                break;
            }
            let line = mean_line(self.image, start..start + band);
            let depth = (start + band / 2 - head.start) as f64 * self.pixel_mm;
            let smooth = |mm| strips(&line[self.around(middle, mm)], band).collect::<Vec<_>>();
            if depth < 90.0 {
                skull.extend(smooth(50.0));
            }
            if depth > 60.0 {
                face = smooth(40.0).into_iter().fold(face, f64::max);
            }
        }
        face / middle_of(&mut skull)
    }
}

/// The mean of some rows, column by column; zeros where there are none.
fn mean_line(image: &Image<f32>, rows: Range<usize>) -> Vec<f64> {
    let count = rows.len().max(1) as f64;
    let mut line = capped_line(image, rows, f32::INFINITY);
    line.iter_mut().for_each(|sum| *sum /= count);
    line
}

/// The mean of each strip of so many columns.
fn strips(line: &[f64], width: usize) -> impl Iterator<Item = f64> {
    line.windows(width.min(line.len()).max(1))
        .map(|strip| strip.iter().sum::<f64>() / strip.len() as f64)
}

fn largest_strip(line: &[f64], width: usize) -> f64 {
    strips(line, width).fold(0.0, f64::max)
}

fn middle_of(values: &mut [f64]) -> f64 {
    quantile(values, 0.5)
}

/// The value below which a share of the values are; 0 of none.
fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let place = (share * values.len().saturating_sub(1) as f64).round() as usize;
    values.get(place).copied().unwrap_or(0.0)
}
