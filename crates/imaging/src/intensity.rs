//! What a network sees of a crop: its counts on a scale.
//!
//! The logarithm of the counts moves with everything that multiplies them: the activity that was given,
//! the delay, the speed of the scan, the sensitivity of the camera. In units of the patient's own uptake
//! all of these leave the image as it is, but for its noise.

use attrium_types::Intensity;

/// Blocks along a side whose sums tell the patient's uptake. Single pixels of a short scan hold one or two
/// counts, and a median of such numbers jumps by a half.
const BLOCKS: usize = 16;

/// Blocks below this share of the 80th percentile are not the patient. A heart with ATTR, which may be several
/// times as bright as the chest, is far less than a fifth of the crop.
const BODY_SHARE: f32 = 0.1;

/// The image of a square crop's counts that a network sees, before its own normalisation.
///
/// `Normalized` is the natural logarithm of 1 + c / u, where u is the median uptake of the crop's pixels: 0 without
/// counts, and about 0.7 for what the patient's chest has. `Paper` is the natural logarithm of every count
/// that is not zero, and zero for the others (paper, "Preprocessing").
pub fn intensities(counts: &[f32], intensity: Intensity) -> Vec<f32> {
    match intensity {
        Intensity::Paper => counts
            .iter()
            .map(|&count| if count == 0.0 { 0.0 } else { count.ln() })
            .collect(),
        Intensity::Normalized => match uptake(counts) {
            Some(uptake) => counts
                .iter()
                .map(|&count| (count / uptake).ln_1p())
                .collect(),
            None => vec![0.0; counts.len()],
        },
    }
}

/// The means of a square crop's blocks of so many pixels a side, on the scale of [`Intensity::Normalized`].
pub(crate) fn of_blocks(counts: &[f32], block: usize) -> Vec<f32> {
    let means = block_means(counts, counts.len().isqrt(), block);
    match uptake(counts) {
        Some(uptake) => means.iter().map(|mean| (mean / uptake).ln_1p()).collect(),
        None => vec![0.0; means.len()],
    }
}

/// The median counts of a pixel of the patient: of the blocks of 8 x 8 pixels (of a crop's 128 x 128) that
/// have more than a tenth of the 80th percentile's counts. None without counts.
pub(crate) fn uptake(counts: &[f32]) -> Option<f32> {
    let side = counts.len().isqrt();
    let block = side.div_ceil(BLOCKS).max(1);
    let mut means = block_means(counts, side, block);
    means.sort_unstable_by(f32::total_cmp);
    let bright = *means.get(means.len() * 4 / 5)?;
    let body = &means[means.partition_point(|&mean| mean <= BODY_SHARE * bright)..];
    body.get(body.len() / 2).copied()
}

/// The means of square blocks of so many pixels a side; those that the image's edges cut are left out.
fn block_means(counts: &[f32], side: usize, block: usize) -> Vec<f32> {
    let blocks = side / block;
    let rows = counts.chunks_exact(side.max(1));
    let mut sums = vec![0.0; blocks * blocks];
    for (row, pixels) in rows.take(blocks * block).enumerate() {
        let from = row / block * blocks;
        let sums = &mut sums[from..from + blocks];
        for (sum, pixels) in sums.iter_mut().zip(pixels.chunks_exact(block)) {
            *sum += pixels.iter().sum::<f32>();
        }
    }
    let pixels = (block * block) as f32;
    sums.iter().map(|sum| sum / pixels).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A chest of one count a pixel in a crop of 32 x 32, with a heart and with nothing around it.
    fn chest(heart: f32) -> Vec<f32> {
        (0..32 * 32)
            .map(|at| match (at / 32, at % 32) {
                (12..20, 18..26) => heart,
                (_, 4..28) => 4.0,
                _ => 0.0,
            })
            .collect()
    }

    proptest! {
        #[test]
        fn a_scan_of_more_counts_is_the_same_image(
            counts in prop::collection::vec(0_u16..200, 32 * 32),
            factor in 0.01_f32..100.0,
        ) {
            let counts: Vec<f32> = counts.into_iter().map(f32::from).collect();
            let more: Vec<f32> = counts.iter().map(|count| count * factor).collect();
            let image = intensities(&counts, Intensity::Normalized);
            let same = intensities(&more, Intensity::Normalized);
            for (a, b) in image.iter().zip(&same) {
                prop_assert!((a - b).abs() < 1e-4, "{a} and {b}");
            }
        }
    }

    #[test]
    fn intensities_are_those_that_numpy_gives() {
        let counts: Vec<f32> = (0..128 * 128_usize)
            .map(|at| {
                let (row, column) = ((at / 128) as i32, (at % 128) as i32);
                let within = |y: i32, x: i32, down: i32, right: i32| {
                    (row - y).pow(2) * down + (column - x).pow(2) * right
                };
                let heart = if within(70, 80, 1, 1) < 200 { 10 } else { 1 };
                let body = within(64, 64, 2, 3) < 9000;
                if body {
                    (at * 7919 % 41 * heart) as f32
                } else {
                    0.0
                }
            })
            .collect();
        let normalized = intensities(&counts, Intensity::Normalized);
        let paper = intensities(&counts, Intensity::Paper);
        let golden = include_str!("../../../tests/golden/imaging/intensities.csv");
        assert_eq!(golden.lines().count(), 269);
        for line in golden.lines() {
            let (at, expected) = line.split_once(',').expect("a place");
            let at: usize = at.parse().expect("a place");
            let expected: Vec<f32> = expected
                .split(',')
                .map(|it| it.parse().expect("a number"))
                .collect();
            let found = [normalized[at], paper[at]];
            let close = found
                .iter()
                .zip(&expected)
                .all(|(found, expected)| (found - expected).abs() < 1e-5);
            assert!(close, "{at}: {found:?} and {expected:?}");
        }
    }

    #[test]
    fn what_most_of_the_chest_has_is_the_unit_whatever_the_heart_takes_up() {
        for heart in [4.0, 12.0, 400.0] {
            assert_eq!(uptake(&chest(heart)), Some(4.0));
        }
    }

    #[test]
    fn no_counts_are_no_image_and_no_error() {
        assert_eq!(intensities(&[0.0; 16], Intensity::Normalized), [0.0; 16]);
        assert!(intensities(&[], Intensity::Normalized).is_empty());
    }
}
