//! A few numbers by which a crop is compared with those of a training.
//!
//! They are coarse on purpose: no scan can be drawn of them. Sixteen tell how the uptake is spread over the chest, on
//! the scale that a network sees, whatever multiplies the counts; two tell how much was counted and how noisy that is.

use super::intensity::{of_blocks, uptake};

/// How many numbers there are.
pub const DESCRIPTOR: usize = BLOCKS * BLOCKS + 2;

/// Which numbers they are: those of another version are not comparable.
pub const DESCRIPTOR_VERSION: u32 = 1;

/// Blocks along a side of the crop.
const BLOCKS: usize = 4;

/// What has less than this is counted as this, since nothing has no logarithm.
const LEAST: f64 = 1e-6;

/// The descriptor of a square crop's counts: the logarithm of one more than the mean of each of 4 x 4 blocks in units of
/// the median uptake, row by row; the logarithm of that uptake; and that of the mean square by which neighbours in a row
/// differ, in units of what Poisson noise makes of it. `None` where nothing was counted.
pub fn descriptor(counts: &[f32]) -> Option<[f64; DESCRIPTOR]> {
    let side = counts.len().isqrt();
    let uptake = uptake(counts).filter(|uptake| *uptake > 0.0)?;
    let means = of_blocks(counts, side / BLOCKS);
    let mut numbers = [0.0; DESCRIPTOR];
    for (number, mean) in numbers.iter_mut().zip(&means) {
        *number = f64::from(*mean);
    }
    numbers[DESCRIPTOR - 2] = f64::from(uptake).ln();
    numbers[DESCRIPTOR - 1] = dispersion(counts, side).max(LEAST).ln();
    Some(numbers)
}

/// The sum of squares by which neighbours in a row differ, over twice the sum of all: 1 - 1 / side for Poisson's noise
/// on an even image, and more where there are edges.
fn dispersion(counts: &[f32], side: usize) -> f64 {
    let square = |pair: &[f32]| f64::from(pair[1] - pair[0]).powi(2);
    let rows = counts.chunks_exact(side);
    let squares: f64 = rows.flat_map(|row| row.windows(2)).map(square).sum();
    let sum: f64 = counts.iter().map(|count| f64::from(*count)).sum();
    squares / (2.0 * sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CROP_SIZE;

    /// The crop of `tests/golden/imaging/intensities.py`.
    fn chest() -> Vec<f32> {
        let square = |at: usize, middle: usize| at.abs_diff(middle).pow(2);
        let counts = (0..CROP_SIZE * CROP_SIZE).map(|at| {
            let (row, column) = (at / CROP_SIZE, at % CROP_SIZE);
            let is_body = 2 * square(row, 64) + 3 * square(column, 64) < 9000;
            let is_heart = square(row, 70) + square(column, 80) < 200;
            let count = at * 7919 % 41 * if is_heart { 10 } else { 1 };
            if is_body { count as f32 } else { 0.0 }
        });
        counts.collect()
    }

    #[test]
    fn a_crops_numbers_are_those_that_numpy_gives() {
        let golden = include_str!("../../../tests/golden/imaging/descriptor.csv");
        let expected = golden.lines().map(|it| it.parse().expect("a number"));
        let expected: Vec<f64> = expected.collect();
        let found = descriptor(&chest()).expect("counts");
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(&expected) {
            assert!((found - expected).abs() < 1e-5, "{found} and {expected}");
        }
    }

    #[test]
    fn what_multiplies_the_counts_moves_two_numbers_alone() {
        let more: Vec<f32> = chest().iter().map(|count| 3.0 * count).collect();
        let found = descriptor(&chest()).zip(descriptor(&more));
        let (once, thrice) = found.expect("counts");
        for (at, (once, thrice)) in once.iter().zip(&thrice).enumerate() {
            let expected = if at < DESCRIPTOR - 2 { 0.0 } else { 3_f64.ln() };
            assert!((thrice - once - expected).abs() < 1e-5, "{at}");
        }
    }

    #[test]
    fn nothing_counted_has_no_descriptor_and_an_even_image_a_finite_one() {
        assert_eq!(descriptor(&[0.0; 128 * 128]), None);
        assert_eq!(descriptor(&[]), None);
        let even = descriptor(&[2.0; 128 * 128]).expect("counts");
        assert!(even.iter().all(|number| number.is_finite()));
    }
}
