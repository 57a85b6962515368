//! Grey images in memory.

use std::ops::Range;

/// A grey image.
///
/// Row 0 is the top, column 0 the left edge; on an anterior image the patient's head is at the top
/// and the patient's right side at the left.
#[derive(Clone, Debug, PartialEq)]
pub struct Image<T> {
    /// How many rows, at least 1.
    pub rows: usize,
    /// How many columns, at least 1.
    pub columns: usize,
    /// `rows * columns` values, row by row.
    pub pixels: Vec<T>,
}

impl Image<f32> {
    /// The sum of all pixels, added up in 64 bits.
    pub fn sum(&self) -> f64 {
        sum(&self.pixels)
    }

    /// The sum of each row from the top: the count profile along the patient.
    pub fn row_sums(&self) -> Vec<f64> {
        self.pixels.chunks_exact(self.columns).map(sum).collect()
    }
}

/// Adds up in 64 bits, in lanes that fill a register.
pub(super) fn sum(values: &[f32]) -> f64 {
    let (chunks, rest) = values.as_chunks::<8>();
    let mut lanes = [0.0; 8];
    for chunk in chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane += f64::from(value);
        }
    }
    let rest: f64 = rest.iter().map(|&value| f64::from(value)).sum();
    lanes.iter().sum::<f64>() + rest
}

/// One instruction, where `f32::min` asks whether the value is a number.
fn at_most(value: f32, limit: f32) -> f32 {
    if value < limit { value } else { limit }
}

/// The largest value, 0 where none is above it, in lanes that fill a register.
pub(super) fn largest(values: &[f32]) -> f32 {
    let larger = |one: f32, other: f32| if other > one { other } else { one };
    let (chunks, rest) = values.as_chunks::<8>();
    let mut lanes = [0.0; 8];
    for chunk in chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane = larger(*lane, value);
        }
    }
    lanes.iter().chain(rest).copied().fold(0.0, larger)
}

/// How many values are counted.
pub(super) fn count(values: &[f32], is_counted: impl Fn(f32) -> bool) -> usize {
    // An image has fewer pixels than would overflow, and a check would forbid to count several at once.
    let add = |sum: u32, &value: &f32| sum.wrapping_add(u32::from(is_counted(value)));
    values.iter().fold(0, add) as usize
}

/// The sum of some rows, column by column, in which no pixel counts for more than a limit.
pub(super) fn capped_line(image: &Image<f32>, rows: Range<usize>, limit: f32) -> Vec<f64> {
    let mut line = vec![0.0; image.columns];
    let lines = image.pixels.chunks_exact(image.columns);
    for row in lines.skip(rows.start).take(rows.len()) {
        for (sum, count) in line.iter_mut().zip(row) {
            *sum += f64::from(at_most(*count, limit));
        }
    }
    line
}

/// The place to the left of which half of a line's sum is.
pub(super) fn half(line: &[f64]) -> usize {
    let half = line.iter().sum::<f64>() / 2.0;
    let mut below = 0.0;
    line.iter()
        .position(|value| {
            below += value;
            below >= half
        })
        .unwrap_or(0)
}
