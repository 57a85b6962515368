//! Whether the pixels are counts: whole numbers of photons, neither cut nor scaled as a picture's are.

use snafu::ensure;

use super::Image;
use super::error::{Error, MoreThanAccumulatedSnafu, PictureSnafu, RescaledSnafu};
use super::image::{self, count};
use super::pixels::PixelLayout;
use super::warning::Warning;

/// The sum of a frame may differ by so much of what Counts Accumulated says: cameras count what lies outside
/// the stored image too.
const SAME_COUNTS: f64 = 0.05;

/// How many times the counts that were accumulated an image of counts never has.
const FAR_MORE: f64 = 2.5;

/// Values to which copies are scaled up, of 12, 14, 15 and 16 bits. A counter that is full is no count either.
const FULL_SCALE: [f64; 4] = [4095.0, 16383.0, 32767.0, 65535.0];

/// The largest value of an image that can be cut.
const LEAST_CUT: f32 = 100.0;

/// A plateau: the least number of pixels at the largest value, and how many times as many they are as those of
/// one of the values in the tenth below it.
const PLATEAU: (f64, f64) = (8.0, 4.0);

/// The most pixels at the last value of 8 bits to which an image was scaled: its brightest spot.
const SPOT: f64 = 3.0;

/// How many pixels with counts an image has to have so that some of them have one count or two.
const MANY: usize = 1000;

/// Looks at the pixels of a frame before they are resampled.
///
/// Four things tell a picture: in any bits, a plateau at the largest value, which a window leaves; a brightest
/// pixel of the last value of 12, 14, 15 or 16 bits, and in 8 bits a brightest spot of the last value, to which pictures are scaled; and 8 bits of which the values 1
/// and 2 are missing, since scaling up leaves gaps. Counts of few photons pass in 8 bits as in 16.
///
/// # Errors
/// [`Error::Picture`], [`Error::Rescaled`] where most pixels have less than one count, and
/// [`Error::MoreThanAccumulated`].
pub(crate) fn check(
    image: &Image<f32>,
    layout: &PixelLayout,
    stated: Option<f64>,
) -> Result<Vec<Warning>, Error> {
    let mut warnings = Vec::new();
    check_picture(image, layout)?;
    if layout.slope.fract() != 0.0 || layout.intercept.fract() != 0.0 {
        let with_counts = count(&image.pixels, has_counts);
        ensure!(image.sum() >= with_counts as f64, RescaledSnafu);
        warnings.push(Warning::FractionalCounts);
    }
    if let Some(stated) = stated {
        let found = image.sum();
        ensure!(
            found <= FAR_MORE * stated,
            MoreThanAccumulatedSnafu { stated, found }
        );
        warnings.extend(check_sum(found, layout.frames, stated));
    }
    Ok(warnings)
}

fn check_picture(image: &Image<f32>, layout: &PixelLayout) -> Result<(), Error> {
    let pixels = &image.pixels;
    let largest = image::largest(pixels);
    let (at_largest, of_each_below) = top(pixels, largest, layout.slope);
    let of_stored = |value: f64| (layout.slope * value + layout.intercept) as f32;
    let is_full = FULL_SCALE.iter().any(|value| of_stored(*value) == largest);
    ensure!(!is_full, PictureSnafu);
    let (least, times) = PLATEAU;
    let is_cut = at_largest >= least && at_largest > times * of_each_below;
    ensure!(largest < LEAST_CUT || !is_cut, PictureSnafu);
    if layout.bits_stored > 8 {
        return Ok(());
    }
    let last = ((1_u32 << (layout.bits_stored - u32::from(layout.is_signed))) - 1).into();
    ensure!(largest < of_stored(last) || at_largest > SPOT, PictureSnafu);
    let has = |value: f64| pixels.contains(&of_stored(value));
    let is_small = count(pixels, has_counts) < MANY;
    ensure!(is_small || has(1.0) || has(2.0), PictureSnafu);
    Ok(())
}

/// How many pixels have the largest value, and how many on average each of the values in the tenth below it,
/// which are `step` apart.
fn top(pixels: &[f32], largest: f32, step: f64) -> (f64, f64) {
    let at_largest = count(pixels, |count| count == largest);
    let in_tenth = count(pixels, |count| count >= 0.9 * largest);
    let values = (0.1 * f64::from(largest) / step).max(1.0);
    (at_largest as f64, (in_tenth - at_largest) as f64 / values)
}

fn has_counts(count: f32) -> bool {
    count > 0.0
}

/// Compares a frame's sum with the counts of all frames together, which some exporters state for one.
fn check_sum(found: f64, frames: usize, stated: f64) -> Option<Warning> {
    let is_like = |expected: f64| (found / expected - 1.0).abs() <= SAME_COUNTS;
    let is_part = frames > 1 && found < stated && found > 0.1 * stated / frames as f64;
    (!is_like(stated) && !is_part).then_some(Warning::CountsDiffer { stated, found })
}
