//! Whether the noise of an image is that of counts, whose variance is their mean.

use super::Image;

/// Four pixels with fewer counts together tell little.
const LEAST: f32 = 8.0;

/// The fewest fours of pixels that tell an image's noise.
const ENOUGH: usize = 1000;

/// The median of the square of a standard normal variable.
const MEDIAN: f32 = 0.454_936;

/// Variance over mean. What differs between two diagonals of four neighbours is noise, since edges and slopes
/// are the same on both; its square over their sum is 1 on average. The median leaves out the few fours at
/// which something ends. None where few pixels have counts.
pub(super) fn dispersion(image: &Image<f32>) -> Option<f64> {
    let rows: Vec<&[f32]> = image.pixels.chunks_exact(image.columns).collect();
    let mut ratios: Vec<f32> = rows
        .windows(2)
        .flat_map(|rows| rows[0].windows(2).zip(rows[1].windows(2)))
        .filter_map(|(above, below)| {
            let sum = above[0] + above[1] + below[0] + below[1];
            let difference = above[0] + below[1] - above[1] - below[0];
            (sum > LEAST).then(|| difference * difference / sum)
        })
        .collect();
    if ratios.len() < ENOUGH {
        return None;
    }
    let middle = ratios.len() / 2;
    let (_, median, _) = ratios.select_nth_unstable_by(middle, f32::total_cmp);
    Some(f64::from(*median / MEDIAN))
}
