//! Pixels of the usual size: so that a crop shows the same part of every patient, images become square in
//! millimetres and no finer than the paper's.

use super::warning::Warning;
use super::{Acquisition, Image, resample};

/// Sides of the largest static image that is cropped as it is (paper, "Preprocessing").
const STATIC_SIDE: usize = 256;

/// Pixel sizes in millimetres for which a crop of 128 pixels shows a chest; the paper's scanners
/// have 2.0 to 2.4 mm.
const USUAL_PIXELS: std::ops::RangeInclusive<f64> = 1.5..=3.5;

/// The largest ratio of the sides of a pixel that is square but for rounding.
const SQUARE: f64 = 1.01;

/// Counts, and millimetres between their rows and between their columns, where they are stated.
pub(crate) struct Grid {
    pub counts: Image<f32>,
    pub spacing: Option<[f64; 2]>,
}

impl Grid {
    /// Sums pixels that are not square into square ones and small ones into larger ones; says what was done,
    /// and what the size then is where it is not a usual one or not stated.
    pub(crate) fn into_usual(self, acquisition: Acquisition, warnings: &mut Vec<Warning>) -> Self {
        let grid = self.squared(warnings).limited(acquisition, warnings);
        match grid.spacing {
            Some([height, width]) => {
                let off_centre = |size: &f64| (size / 2.26).ln().abs();
                let sides = [height, width];
                let odd = sides
                    .into_iter()
                    .filter(|side| !USUAL_PIXELS.contains(side));
                let worst = odd.max_by(|one, other| off_centre(one).total_cmp(&off_centre(other)));
                warnings.extend(worst.map(|millimetres| Warning::UnusualPixelSize { millimetres }));
            }
            None => warnings.push(Warning::PixelSizeNotStated),
        }
        grid
    }

    fn squared(self, warnings: &mut Vec<Warning>) -> Self {
        let Some([height, width]) = self.spacing else {
            return self;
        };
        if height.max(width) <= SQUARE * height.min(width) {
            return self;
        }
        let side = height.max(width);
        warnings.push(Warning::PixelsNotSquare { height, width });
        let fewer = |pixels: usize, size: f64| {
            let fewer = (pixels as f64 * size / side).round() as usize;
            fewer.clamp(1, pixels)
        };
        let rows = fewer(self.counts.rows, height);
        let columns = fewer(self.counts.columns, width);
        self.shrunk(rows, columns)
    }

    /// Statics become 256 x 256 where they are larger; whole-body scans whose pixels are half the usual size
    /// get half as many rows and columns. Where the pixel spacing is not stated, twice the usual rows and
    /// columns tell that they are.
    fn limited(self, acquisition: Acquisition, warnings: &mut Vec<Warning>) -> Self {
        let (rows, columns) = (self.counts.rows, self.counts.columns);
        let is_fine = match self.spacing {
            Some(spacing) => {
                spacing.iter().all(|side| side < USUAL_PIXELS.start()) && columns >= 2 * STATIC_SIDE
            }
            None => rows >= 2048 && columns >= 512,
        };
        let [new_rows, new_columns] = match acquisition {
            Acquisition::Static => [rows.min(STATIC_SIDE), columns.min(STATIC_SIDE)],
            Acquisition::WholeBody if is_fine => [rows / 2, columns / 2],
            Acquisition::WholeBody => [rows, columns],
        };
        if [new_rows, new_columns] == [rows, columns] {
            return self;
        }
        warnings.push(Warning::Downsampled { rows, columns });
        self.shrunk(new_rows, new_columns)
    }

    fn shrunk(self, rows: usize, columns: usize) -> Self {
        let (old_rows, old_columns) = (self.counts.rows, self.counts.columns);
        let spacing = self.spacing.map(|[height, width]| {
            [
                height * old_rows as f64 / rows as f64,
                width * old_columns as f64 / columns as f64,
            ]
        });
        Self {
            counts: resample::resized(&self.counts, rows, columns),
            spacing,
        }
    }
}
