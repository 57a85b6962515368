//! The baseline without a network: counts over the heart against counts over the right chest.
//!
//! A network that does no better than this ratio has learned nothing that a ruler could not
//! measure. The ratio resembles the heart-to-contralateral ratio that physicians draw by hand. Here
//! the regions are fixed, so that a patient who lies off-centre, a scoliosis or a lesion in a rib
//! misleads it.

use std::ops::Range;

use attrium_imaging::CROP_SIZE;

/// Rows and columns of the heart in a crop of an anterior view, where the left chest is on the right.
///
/// The crop begins at 0.85 of the patient's height and is centred on the image (paper,
/// "Preprocessing"); this is where the free wall of the left ventricle lies, left of the sternum.
const ROWS: Range<usize> = 54..100;
const COLUMNS: Range<usize> = 82..96;

/// Mean count over the heart divided by the mean count over its mirror image in the right chest.
///
/// `crop` holds the raw counts of an anterior thorax, 128 x 128, row-major. `None` if it has
/// another size, or if the right chest holds no counts, so that there is no ratio.
pub fn count_ratio(crop: &[f32]) -> Option<f64> {
    if crop.len() != CROP_SIZE * CROP_SIZE {
        return None;
    }
    let mirrored = CROP_SIZE - COLUMNS.end..CROP_SIZE - COLUMNS.start;
    let heart = sum(crop, COLUMNS);
    let opposite = sum(crop, mirrored);
    // Both regions have the same number of pixels, so the sums' ratio is the means'.
    (opposite > 0.0).then(|| heart / opposite)
}

fn sum(crop: &[f32], columns: Range<usize>) -> f64 {
    let rows = crop
        .chunks_exact(CROP_SIZE)
        .skip(ROWS.start)
        .take(ROWS.len());
    rows.flat_map(|row| &row[columns.clone()])
        .map(|count| f64::from(*count))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symmetric_chest_has_ratio_one() {
        let crop: Vec<f32> = (0..CROP_SIZE * CROP_SIZE)
            .map(|index| {
                let column = index % CROP_SIZE;
                40.0 + column.min(CROP_SIZE - 1 - column) as f32
            })
            .collect();
        assert_eq!(count_ratio(&crop), Some(1.0));
    }

    #[test]
    fn counts_in_the_left_chest_raise_the_ratio_and_counts_in_the_right_chest_lower_it() {
        let flat = vec![40.0f32; CROP_SIZE * CROP_SIZE];
        let (row, left, right) = (75, 90, CROP_SIZE - 1 - 90);
        let mut heart = flat.clone();
        heart[row * CROP_SIZE + left] += 644.0;
        // 644 counts over 46 x 14 pixels are one a pixel.
        assert!((count_ratio(&heart).expect("should have counts") - 41.0 / 40.0).abs() < 1e-12);
        let mut liver = flat;
        liver[row * CROP_SIZE + right] += 644.0;
        assert!((count_ratio(&liver).expect("should have counts") - 40.0 / 41.0).abs() < 1e-12);
    }

    #[test]
    fn an_empty_chest_and_another_size_have_no_ratio() {
        assert_eq!(count_ratio(&vec![0.0; CROP_SIZE * CROP_SIZE]), None);
        assert_eq!(count_ratio(&[1.0; 4]), None);
    }
}
