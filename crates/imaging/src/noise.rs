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
    let mut ratios = Vec::with_capacity(image.pixels.len() / 4);
    for rows in image.pixels.chunks_exact(2 * image.columns) {
        let (above, below) = rows.split_at(image.columns);
        for (above, below) in above.chunks_exact(2).zip(below.chunks_exact(2)) {
            let sum = above[0] + above[1] + below[0] + below[1];
            if sum > LEAST {
                let difference = above[0] + below[1] - above[1] - below[0];
                ratios.push(difference * difference / sum);
            }
        }
    }
    if ratios.len() < ENOUGH {
        return None;
    }
    let middle = ratios.len() / 2;
    let (_, median, _) = ratios.select_nth_unstable_by(middle, f32::total_cmp);
    Some(f64::from(*median / MEDIAN))
}
