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
        self.pixels.iter().map(|&count| f64::from(count)).sum()
    }

    /// The sum of each row from the top: the count profile along the patient.
    pub fn row_sums(&self) -> Vec<f64> {
        self.pixels
            .chunks_exact(self.columns)
            .map(|row| row.iter().map(|&count| f64::from(count)).sum())
            .collect()
    }
}
