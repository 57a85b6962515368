//! What a network sees of a crop: its counts on a scale.
//!
//! The logarithm of the counts moves with everything that multiplies them: the activity that was given,
//! the delay, the speed of the scan, the sensitivity of the camera. In units of the patient's own uptake
//! all of these leave the image as it is, but for its noise.

use attrium_types::Intensity;

/// Blocks along a side whose sums tell the patient's uptake. Single pixels of a short scan hold one or two
/// counts, and a median of such numbers jumps by a half.
const BLOCKS: usize = 16;

/// Blocks below this share of the brightest twentieth are not the patient.
const BODY_SHARE: f32 = 0.1;

/// The image of a square crop's counts that a network sees, before its own normalisation.
///
/// `Normalized` is the natural logarithm of 1 + c / u, where u is the [`uptake`] of the crop: 0 without
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
                .map(|&count| variant(count / uptake))
                .collect(),
            None => vec![0.0; counts.len()],
        },
    }
}

fn variant(x: f32) -> f32 {
    match std::env::var("V").as_deref() {
        Ok("sqrt") => x.min(8.0).sqrt(),
        Ok("ln4") => (4.0 * x).ln_1p(),
        _ => x.ln_1p(),
    }
}

/// The median counts of a pixel of the patient: of the blocks of 8 x 8 pixels (of a crop's 128 x 128) that
/// have more than a tenth of the 95th percentile's counts. None without counts.
fn uptake(counts: &[f32]) -> Option<f32> {
    let side = counts.len().isqrt();
    let block = side.div_ceil(BLOCKS).max(1);
    let mut means = block_means(counts, side, block);
    means.sort_unstable_by(f32::total_cmp);
    let bright = *means.get(means.len() * 19 / 20)?;
    let body = &means[means.partition_point(|&mean| mean <= BODY_SHARE * bright)..];
    body.get(body.len() / 2).copied()
}

fn block_means(counts: &[f32], side: usize, block: usize) -> Vec<f32> {
    let blocks = side / block;
    let mut means = vec![0.0; blocks * blocks];
    for (row, pixels) in counts
        .chunks_exact(side.max(1))
        .take(blocks * block)
        .enumerate()
    {
        for (column, &count) in pixels.iter().take(blocks * block).enumerate() {
            means[row / block * blocks + column / block] += count / (block * block) as f32;
        }
    }
    means
}
