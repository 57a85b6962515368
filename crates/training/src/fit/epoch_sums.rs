//! Sums over the images of an epoch, for its loss and accuracy.

use serde::{Deserialize, Serialize};

/// Sums over the images of an epoch.
///
/// A checkpoint keeps floating-point numbers as their bits, so that nothing is rounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct EpochSums {
    #[serde(with = "bits")]
    pub(super) loss: f64,
    pub(super) right: u64,
    pub(super) images: u64,
}

impl EpochSums {
    /// Adds a batch of `images` images with this mean loss.
    pub(super) fn add(&mut self, loss: f64, right: usize, images: usize) {
        self.loss += loss * images as f64;
        self.right += right as u64;
        self.images += images as u64;
    }

    pub(super) fn loss(&self) -> f64 {
        self.loss / self.images as f64
    }

    pub(super) fn accuracy(&self) -> f64 {
        self.right as f64 / self.images as f64
    }
}

/// The number of rows whose largest value is that of the label; the first of equals counts.
pub(super) fn count_right(logits: &[f32], labels: &[usize]) -> usize {
    let classes = logits.len() / labels.len().max(1);
    let right = |(row, label): &(&[f32], &usize)| {
        let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        row.iter().position(|&value| value == largest) == Some(**label)
    };
    logits
        .chunks(classes.max(1))
        .zip(labels)
        .filter(right)
        .count()
}

pub(super) mod bits {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(value.to_bits())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        Ok(f64::from_bits(u64::deserialize(deserializer)?))
    }
}
