//! Tensors as they are read from a file, and the limit of their size.

use snafu::OptionExt;

use super::error::{LargeSnafu, WeightsError};

/// The most bytes that the tensors of a file may have: five times those of ResNet50.
const LARGEST: usize = 1 << 29;

/// What the tensors of a file may still take. A shape costs nothing in a file whose values are all
/// the same, or were never written.
pub(super) struct Budget {
    kind: &'static str,
    left: usize,
}

impl Budget {
    pub(super) fn new(kind: &'static str) -> Self {
        let left = LARGEST;
        Self { kind, left }
    }

    /// Takes the part of a tensor before it is read; `size` is that of a value.
    pub(super) fn take(&mut self, shape: &[usize], size: usize) -> Result<(), WeightsError> {
        let mut extents = shape.iter();
        let bytes = extents.try_fold(size, |bytes, extent| bytes.checked_mul(*extent));
        let left = bytes.and_then(|bytes| self.left.checked_sub(bytes));
        self.left = left.context(LargeSnafu {
            kind: self.kind,
            mebibytes: LARGEST >> 20,
        })?;
        Ok(())
    }
}

/// A tensor of a file.
#[derive(Clone, Debug)]
pub(super) struct FileTensor {
    pub shape: Vec<usize>,
    pub values: Values,
}

/// The values of a tensor, or the name of their type where it is not read.
#[derive(Clone, Debug)]
pub(super) enum Values {
    Numbers(Vec<f32>),
    Other(String),
}

impl Values {
    /// From little-endian floats of 32 bits.
    pub(super) fn from_f32(bytes: &[u8]) -> Self {
        let (chunks, _) = bytes.as_chunks::<4>();
        Self::Numbers(chunks.iter().map(|of| f32::from_le_bytes(*of)).collect())
    }

    /// From little-endian floats of 64 bits, rounded.
    pub(super) fn from_f64(bytes: &[u8]) -> Self {
        let (chunks, _) = bytes.as_chunks::<8>();
        let rounded = |of: &[u8; 8]| f64::from_le_bytes(*of) as f32;
        Self::Numbers(chunks.iter().map(rounded).collect())
    }
}
