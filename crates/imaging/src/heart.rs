//! Where the heart is, and how much it takes up against the other side of the chest and the whole body.
//!
//! A small network finds the left ventricle on the crop of a thorax (see `models/heart`). It was fitted on phantoms
//! alone, whose hearts are known, and shown no real scan. Measured are the ventricle and its mirror image in the
//! right chest, without a strip along the midline, where sternum and spine are: the planar heart-to-contralateral
//! ratio that physicians draw by hand (JAMA Cardiol 2016;1:880-889).

use std::ops::Range;
use std::sync::LazyLock;

use serde::Serialize;

use super::network::Network;
use super::size::CROP_SIZE;
use super::{AnteriorImage, Crop, CropRectangle, crop, intensity};
use attrium_types::CropMode;

/// Blocks along a side of a crop, whose means the network sees.
const BLOCKS: usize = 64;

/// Channels before, between and after the convolutions.
const CHANNELS: [usize; 5] = [1, 16, 32, 48, 64];

/// What the outputs stand for: row, column and mirrored column in pixels of the crop, and the logarithms of the
/// ventricle's height and width.
const MEAN: [f32; 5] = [84.0, 88.0, 43.0, 3.688_879_5, 3.784_189_7];
const SCALE: [f32; 5] = [10.0, 10.0, 10.0, 0.15, 0.15];

/// Heights and widths that a ventricle has in pixels of the crop.
const SIZES: std::ops::RangeInclusive<f64> = 20.0..=80.0;

/// Half the width of the strip along the midline that is not measured, in pixels of the crop: 20 mm.
const MARGIN: f64 = 9.0;

/// Where the right ribs are looked at: from and to so many widths of the ventricle beside that strip, so many of its
/// heights, whose middle is so many above the ventricle's.
const RIBS_NEAR: f64 = 0.25;
const RIBS_FAR: f64 = 1.1;
const RIBS_HEIGHT: f64 = 1.5;
const RIBS_ABOVE: f64 = 0.2;

/// The share of what is seen there that has less than a rib.
const RIB_SHARE: f64 = 0.8;

/// An upright ellipse on an image. Row and column 0 are the middle of the first pixel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ellipse {
    /// Row of its middle.
    pub row: f64,
    /// Column of its middle.
    pub column: f64,
    /// Height in pixels.
    pub height: f64,
    /// Width in pixels.
    pub width: f64,
}

impl Ellipse {
    /// Whether the middle of a pixel lies within.
    pub fn contains(&self, row: usize, column: usize) -> bool {
        let down = (row as f64 - self.row) / (0.5 * self.height);
        let right = (column as f64 - self.column) / (0.5 * self.width);
        down * down + right * right <= 1.0
    }

    fn on(self, crop: &CropRectangle) -> Self {
        let [down, across] = [crop.height, crop.width].map(|side| CROP_SIZE as f64 / side as f64);
        let place = |at: f64, start: usize, scale: f64| (at + 0.5 - start as f64) * scale - 0.5;
        Self {
            row: place(self.row, crop.top, down),
            column: place(self.column, crop.left, across),
            height: self.height * down,
            width: self.width * across,
        }
    }

    fn moved(self, rows: usize, columns: usize) -> Self {
        Self {
            row: self.row + rows as f64,
            column: self.column + columns as f64,
            ..self
        }
    }
}

/// The left ventricle and its mirror image in the right chest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeartRegions {
    /// The left ventricle.
    pub heart: Ellipse,
    /// Its mirror image in the right chest.
    pub contralateral: Ellipse,
    /// Half the width of the strip along the midline that belongs to neither, in pixels.
    pub margin: f64,
}

impl HeartRegions {
    /// Finds the heart on a crop of `CROP_SIZE * CROP_SIZE` counts; none where it has no counts.
    pub fn find(counts: &[f32]) -> Option<Self> {
        if counts.len() != CROP_SIZE * CROP_SIZE {
            return None;
        }
        let features = intensity::of_blocks(counts, CROP_SIZE / BLOCKS);
        features.iter().find(|value| **value > 0.0)?;
        let outputs = NETWORK.outputs(features);
        let scaled: [f64; 5] =
            std::array::from_fn(|at| f64::from(MEAN[at] + SCALE[at] * outputs[at]));
        let [row, column, mirrored, height, width] = scaled;
        let last = (CROP_SIZE - 1) as f64;
        let heart = Ellipse {
            row: row.clamp(0.0, last),
            column: column.clamp(0.0, last),
            height: height.exp().clamp(*SIZES.start(), *SIZES.end()),
            width: width.exp().clamp(*SIZES.start(), *SIZES.end()),
        };
        let contralateral = Ellipse {
            column: mirrored.clamp(0.0, last),
            ..heart
        };
        Some(Self {
            heart,
            contralateral,
            margin: MARGIN,
        })
    }

    /// The same regions in pixels of a crop of the image that they are in the pixels of.
    pub fn on(&self, crop: &CropRectangle) -> Self {
        Self {
            heart: self.heart.on(crop),
            contralateral: self.contralateral.on(crop),
            margin: self.margin * CROP_SIZE as f64 / crop.width as f64,
        }
    }

    /// Whether a pixel is of the heart and is measured.
    pub fn is_heart(&self, row: usize, column: usize) -> bool {
        column as f64 > self.midline() + self.margin && self.heart.contains(row, column)
    }

    /// Whether a pixel is what the heart is compared with.
    pub fn is_contralateral(&self, row: usize, column: usize) -> bool {
        (column as f64) < self.midline() - self.margin && self.contralateral.contains(row, column)
    }

    /// The patient's midline at the heart's height: a column.
    fn midline(&self) -> f64 {
        self.heart.column.midpoint(self.contralateral.column)
    }

    /// How much the heart takes up on a crop of `CROP_SIZE * CROP_SIZE` counts, of a body that has so many, if that is
    /// known.
    pub fn ratios(&self, counts: &[f32], body_counts: Option<f64>) -> HeartRatios {
        let is_heart = |row, column| self.is_heart(row, column);
        let (heart, pixels) = sum(counts, &self.heart, is_heart);
        let is_opposite = |row, column| self.is_contralateral(row, column);
        let (opposite, others) = sum(counts, &self.contralateral, is_opposite);
        let ribs = self.ribs(counts);
        let is_seen = |other: f64| pixels > 0.0 && other > 0.0;
        HeartRatios {
            contralateral: is_seen(opposite).then(|| heart / pixels / (opposite / others)),
            rib: is_seen(ribs).then(|| heart / pixels / ribs),
            whole_body: body_counts
                .filter(|body| *body > 0.0)
                .map(|body| heart / body),
        }
    }

    /// What ribs have: the 80th percentile of the means of 3 x 3 pixels where the right ribs are seen, since lung and
    /// gaps between ribs fill much of that, and a lesion little.
    fn ribs(&self, counts: &[f32]) -> f64 {
        let Ellipse {
            row, height, width, ..
        } = self.heart;
        let edge = self.midline() - self.margin;
        let middle = row - RIBS_ABOVE * height;
        let reach = 0.5 * RIBS_HEIGHT * height;
        let rows = inner(middle - reach, middle + reach);
        let columns = inner(edge - RIBS_FAR * width, edge - RIBS_NEAR * width);
        let mut means = Vec::with_capacity(rows.len() * columns.len());
        for row in rows {
            means.extend(means_around(counts, row, &columns));
        }
        let place = (means.len() as f64 * RIB_SHARE) as usize;
        if place >= means.len() {
            return 0.0;
        }
        let (_, ribs, _) = means.select_nth_unstable_by(place, f64::total_cmp);
        *ribs
    }

    fn moved(self, rows: usize, columns: usize) -> Self {
        Self {
            heart: self.heart.moved(rows, columns),
            contralateral: self.contralateral.moved(rows, columns),
            ..self
        }
    }
}

/// The pixels between two places on a crop, without those at its edge.
fn inner(from: f64, to: f64) -> Range<usize> {
    let within = |place: f64| (place.ceil().max(1.0) as usize).min(CROP_SIZE - 1);
    let start = within(from);
    start..within(to).max(start)
}

/// The means of 3 x 3 pixels of a crop, around some in a row of which none is at its edge.
fn means_around(counts: &[f32], row: usize, columns: &Range<usize>) -> Vec<f64> {
    let line = |row: usize| {
        let start = row * CROP_SIZE;
        &counts[start + columns.start - 1..start + columns.end + 1]
    };
    let rows = line(row - 1).iter().zip(line(row)).zip(line(row + 1));
    let sums: Vec<f64> = rows
        .map(|((above, at), below)| f64::from(*above) + f64::from(*at) + f64::from(*below))
        .collect();
    let of_nine = |sums: &[f64]| (sums[0] + sums[1] + sums[2]) / 9.0;
    sums.windows(3).map(of_nine).collect()
}

/// The sum of the pixels of a part of an ellipse on a crop, and how many there are.
fn sum(counts: &[f32], ellipse: &Ellipse, within: impl Fn(usize, usize) -> bool) -> (f64, f64) {
    let columns = reach(ellipse.column, ellipse.width);
    let (mut sum, mut pixels) = (0.0, 0.0);
    for row in reach(ellipse.row, ellipse.height) {
        for column in columns.clone().filter(|column| within(row, *column)) {
            sum += f64::from(counts[row * CROP_SIZE + column]);
            pixels += 1.0;
        }
    }
    (sum, pixels)
}

/// The pixels of a crop that something of this size may reach.
fn reach(middle: f64, size: f64) -> Range<usize> {
    let half = 0.5 * size;
    let after = ((middle + half).max(0.0) as usize + 1).min(CROP_SIZE);
    (middle - half).max(0.0) as usize..after
}

/// The heart of a scan, in pixels of the image that the crop was cut from.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Heart {
    /// Row of the middle of the left ventricle.
    pub row: f64,
    /// Column of its middle.
    pub column: f64,
    /// Its height in millimetres, where the object states the pixels' size.
    pub height_mm: Option<f64>,
    /// Its width in millimetres.
    pub width_mm: Option<f64>,
    /// How much it takes up.
    #[serde(flatten)]
    pub ratios: HeartRatios,
    /// The regions, in pixels of the image.
    #[serde(skip)]
    pub regions: HeartRegions,
}

/// How much a heart takes up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct HeartRatios {
    /// Mean count over the heart divided by that over its mirror image in the right chest: H/CL. None where the right
    /// chest has no counts.
    #[serde(rename = "contralateralRatio")]
    pub contralateral: Option<f64>,
    /// Mean count over the heart divided by that of the ribs in the right chest, with which the Perugini grade
    /// compares the heart: H/rib. None where these have no counts.
    #[serde(rename = "ribRatio")]
    pub rib: Option<f64>,
    /// Counts over the heart divided by those of the whole body: H/WB. None on a static.
    #[serde(rename = "wholeBodyRatio")]
    pub whole_body: Option<f64>,
}

impl HeartRatios {
    /// The columns of tables that hold them, in the order of [`values`](Self::values).
    pub const COLUMNS: [&str; 3] = ["contralateral_ratio", "rib_ratio", "whole_body_ratio"];

    /// What stands in these columns.
    pub fn values(self) -> [Option<f64>; 3] {
        [self.contralateral, self.rib, self.whole_body]
    }

    /// What was read of these columns.
    pub fn from_values([contralateral, rib, whole_body]: [Option<f64>; 3]) -> Self {
        Self {
            contralateral,
            rib,
            whole_body,
        }
    }
}

impl Heart {
    /// Finds and measures the heart on the [`Robust`](CropMode::Robust) crop; none where the image holds none or it
    /// has no counts.
    pub fn find(image: &AnteriorImage) -> Option<Self> {
        Self::in_thorax(image, &crop(image, CropMode::Robust).ok()?)
    }

    /// Finds and measures the heart on a crop of the thorax.
    pub(crate) fn in_thorax(image: &AnteriorImage, thorax: &Crop) -> Option<Self> {
        let found = HeartRegions::find(&thorax.counts)?;
        let regions = found.moved(thorax.rectangle.top, thorax.rectangle.left);
        let heart = regions.heart;
        let spacing = image.pixel_spacing_mm;
        Some(Self {
            row: tenths(heart.row),
            column: tenths(heart.column),
            height_mm: spacing.map(|[between_rows, _]| tenths(heart.height * between_rows)),
            width_mm: spacing.map(|[_, between_columns]| tenths(heart.width * between_columns)),
            ratios: found.ratios(&thorax.counts, thorax.body_counts),
            regions,
        })
    }
}

/// A place or a size as it is stated: more digits than a tenth would say more than is known.
fn tenths(value: f64) -> f64 {
    (10.0 * value).round() / 10.0
}

static NETWORK: LazyLock<Network> = LazyLock::new(|| {
    let weights = include_bytes!("../../../models/heart/weights.f32");
    Network::new(BLOCKS, &CHANNELS, weights)
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::assert_computes;

    /// A heart and its mirror image at the midline 64.
    fn regions() -> HeartRegions {
        let ellipse = |column| Ellipse {
            row: 64.0,
            column,
            height: 40.0,
            width: 44.0,
        };
        HeartRegions {
            heart: ellipse(84.0),
            contralateral: ellipse(44.0),
            margin: MARGIN,
        }
    }

    #[test]
    fn regions_keep_their_place_on_a_crop_of_other_pixels() {
        let crop = CropRectangle {
            mode: CropMode::Heart,
            top: 32,
            left: 40,
            height: 64,
            width: 64,
        };
        let found = regions().on(&crop);
        // Pixels of half the size; the middle of 64 is that of 64 and 65.
        assert_eq!((found.heart.row, found.heart.column), (64.5, 88.5));
        assert_eq!((found.heart.height, found.heart.width), (80.0, 88.0));
        assert_eq!((found.contralateral.column, found.margin), (8.5, 18.0));
        let thorax = CropRectangle {
            height: CROP_SIZE,
            width: CROP_SIZE,
            ..crop
        };
        assert_eq!(regions().on(&thorax).moved(32, 40), regions());
    }

    #[test]
    fn the_network_computes_what_it_did_where_it_was_fitted() {
        assert_computes(&NETWORK, include_str!("../../../models/heart/outputs.csv"));
    }

    #[test]
    fn the_ratio_is_of_means_and_leaves_the_midline_out() {
        let regions = regions();
        let mut counts = vec![1.0; CROP_SIZE * CROP_SIZE];
        for row in counts.chunks_exact_mut(CROP_SIZE) {
            row[55..=73].fill(1000.0);
            row[74..].fill(3.0);
        }
        assert_eq!(regions.ratios(&counts, None).contralateral, Some(3.0));
        counts
            .chunks_exact_mut(CROP_SIZE)
            .for_each(|row| row[..55].fill(0.0));
        assert_eq!(regions.ratios(&counts, None).contralateral, None);
    }

    #[test]
    fn a_rib_is_what_four_fifths_of_the_right_chest_do_not_reach() {
        let regions = regions();
        // Ribs of 4 rows in every 12, of which 2 have full means.
        let mut counts = vec![2.0; CROP_SIZE * CROP_SIZE];
        for (at, row) in counts.chunks_exact_mut(CROP_SIZE).enumerate() {
            if at % 12 < 4 {
                row[..55].fill(8.0);
            }
            row[74..].fill(24.0);
        }
        let ratio = regions.ratios(&counts, None).rib.expect("a ratio");
        assert!((3.0..=4.0).contains(&ratio), "{ratio}");
        counts
            .chunks_exact_mut(CROP_SIZE)
            .for_each(|row| row[..55].fill(0.0));
        assert_eq!(regions.ratios(&counts, None).rib, None);
    }

    #[test]
    fn nothing_is_found_without_counts_or_on_another_size() {
        assert_eq!(HeartRegions::find(&[0.0; CROP_SIZE * CROP_SIZE]), None);
        assert_eq!(HeartRegions::find(&[1.0; 16]), None);
    }
}
