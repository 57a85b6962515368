/// A tensor of a file.
#[derive(Clone, Debug)]
pub(super) struct Array {
    pub shape: Vec<usize>,
    pub values: Values,
}

/// The numbers of a tensor, or the name of their type where it is none that is read.
#[derive(Clone, Debug)]
pub(super) enum Values {
    Numbers(Vec<f32>),
    Other(String),
}

impl Values {
    /// From little-endian floats of 32 bits.
    pub fn from_f32(bytes: &[u8]) -> Self {
        let (chunks, _) = bytes.as_chunks::<4>();
        Self::Numbers(chunks.iter().map(|of| f32::from_le_bytes(*of)).collect())
    }

    /// From little-endian floats of 64 bits, rounded.
    pub fn from_f64(bytes: &[u8]) -> Self {
        let (chunks, _) = bytes.as_chunks::<8>();
        let rounded = |of: &[u8; 8]| f64::from_le_bytes(*of) as f32;
        Self::Numbers(chunks.iter().map(rounded).collect())
    }
}
