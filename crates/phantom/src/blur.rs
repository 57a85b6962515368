//! The camera's blur: a separable Gaussian, and a wide one for scatter.

/// Blurs an image (row-major) by a Gaussian of this standard deviation in pixels, cut at 3.5 of them.
///
/// Beyond the edges there is nothing.
pub(super) fn gaussian(image: &[f32], columns: usize, sigma: f64) -> Vec<f32> {
    let kernel = kernel(sigma);
    let rows = image.len() / columns;
    let mut across = vec![0.0f32; image.len()];
    for (from, to) in image
        .chunks_exact(columns)
        .zip(across.chunks_exact_mut(columns))
    {
        if from.iter().any(|value| *value != 0.0) {
            spread(from, to, &kernel);
        }
    }
    let mut blurred = vec![0.0f32; image.len()];
    let radius = kernel.len() - 1;
    for (row, to) in blurred.chunks_exact_mut(columns).enumerate() {
        for other in row.saturating_sub(radius)..(row + radius + 1).min(rows) {
            let weight = kernel[row.abs_diff(other)];
            let from = &across[other * columns..(other + 1) * columns];
            for (value, source) in to.iter_mut().zip(from) {
                *value += weight * source;
            }
        }
    }
    blurred
}

/// Adds one row, shifted to either side, weight by weight.
fn spread(from: &[f32], to: &mut [f32], kernel: &[f32]) {
    let columns = from.len();
    for (value, source) in to.iter_mut().zip(from) {
        *value += kernel[0] * source;
    }
    for (shift, weight) in kernel.iter().enumerate().skip(1) {
        if shift >= columns {
            return;
        }
        for (value, source) in to[shift..].iter_mut().zip(from) {
            *value += weight * source;
        }
        for (value, source) in to.iter_mut().zip(&from[shift..]) {
            *value += weight * source;
        }
    }
}

/// The weights from the centre outwards; the whole kernel sums up to 1.
fn kernel(sigma: f64) -> Vec<f32> {
    let radius = (3.5 * sigma).ceil() as usize;
    let weights: Vec<f64> = (0..=radius)
        .map(|r| (-0.5 * (r as f64 / sigma).powi(2)).exp())
        .collect();
    let total = weights[0] + 2.0 * weights[1..].iter().sum::<f64>();
    weights
        .iter()
        .map(|weight| (weight / total) as f32)
        .collect()
}

/// Side of the squares that scatter is computed on, in pixels.
const SQUARE: usize = 8;

/// Blurs by a wide Gaussian, computed on squares of 8 x 8 pixels.
///
/// Rows and columns have to be multiples of 8.
pub(super) fn wide_gaussian(image: &[f32], columns: usize, sigma: f64) -> Vec<f32> {
    let (rows, small_columns) = (image.len() / columns, columns / SQUARE);
    let mut small = vec![0.0f32; image.len() / (SQUARE * SQUARE)];
    for (row, line) in image.chunks_exact(columns).enumerate() {
        let start = row / SQUARE * small_columns;
        for (square, values) in line.chunks_exact(SQUARE).enumerate() {
            small[start + square] += values.iter().sum::<f32>() / (SQUARE * SQUARE) as f32;
        }
    }
    let small = gaussian(&small, small_columns, sigma / SQUARE as f64);
    let small_rows = rows / SQUARE;
    let mut wide = Vec::with_capacity(image.len());
    for row in 0..rows {
        let (r0, r1, v) = between(row, small_rows);
        for column in 0..columns {
            let (c0, c1, u) = between(column, small_columns);
            let at = |r: usize, c: usize| small[r * small_columns + c];
            let upper = at(r0, c0) + u * (at(r0, c1) - at(r0, c0));
            let lower = at(r1, c0) + u * (at(r1, c1) - at(r1, c0));
            wide.push(upper + v * (lower - upper));
        }
    }
    wide
}

/// The two squares whose centres a pixel lies between, and how far it is from the first.
fn between(pixel: usize, squares: usize) -> (usize, usize, f32) {
    let place = ((pixel as f32 + 0.5) / SQUARE as f32 - 0.5).max(0.0);
    let first = (place as usize).min(squares - 1);
    (first, (first + 1).min(squares - 1), place - first as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_becomes_the_gaussian_of_scipy() {
        let mut image = vec![0.0; 33 * 24];
        image[16 * 24 + 10] = 1.0;
        let blurred = gaussian(&image, 24, 1.4);
        // scipy 1.17.1: ndimage.gaussian_filter(image, 1.4, truncate=3.5, mode="constant")
        for (row, column, expected) in EXPECTED {
            let value = blurred[row * 24 + column];
            assert!((value - expected).abs() < 1e-7, "{row} {column}: {value}");
        }
    }

    const EXPECTED: [(usize, usize, f32); 4] = [
        (16, 10, 0.081_211_36),
        (16, 12, 0.029_272_455),
        (18, 13, 0.002_946_826),
        (13, 10, 0.008_175_458),
    ];

    #[test]
    fn scatter_keeps_counts_and_spreads_them_wide() {
        let mut image = vec![0.0; 256 * 128];
        image[128 * 128 + 64] = 1000.0;
        let wide = wide_gaussian(&image, 128, 14.0);
        let total: f32 = wide.iter().sum();
        assert!((total - 1000.0).abs() < 5.0, "{total}");
        let expected = 1000.0 / (std::f32::consts::TAU * 14.0 * 14.0);
        let peak = wide.iter().copied().fold(0.0, f32::max);
        assert!(
            (peak - expected).abs() < 0.1 * expected,
            "{peak} {expected}"
        );
    }
}
