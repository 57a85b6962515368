//! Images of fewer pixels, with the same counts.

use super::Image;

/// Sums an image into `rows` x `columns` pixels, neither more than it has.
///
/// A new pixel has the counts of the area it covers; a pixel that lies on an edge is divided by
/// area. The sum of the image stays what it was.
pub(crate) fn shrink(image: &Image<f32>, rows: usize, columns: usize) -> Image<f32> {
    let across: Vec<f64> = image
        .pixels
        .chunks_exact(image.columns)
        .flat_map(|row| {
            shrink_line(
                row.iter().map(|&count| count.into()),
                image.columns,
                columns,
            )
        })
        .collect();
    let mut pixels = vec![0.0; rows * columns];
    for column in 0..columns {
        let line = across.iter().skip(column).step_by(columns).copied();
        for (row, sum) in shrink_line(line, image.rows, rows).into_iter().enumerate() {
            pixels[row * columns + column] = sum as f32;
        }
    }
    Image {
        rows,
        columns,
        pixels,
    }
}

/// Sums `from` values into `to`, which is not more.
///
/// In units of 1/`to` of an old value every edge, old or new, is a whole number.
fn shrink_line(values: impl Iterator<Item = f64>, from: usize, to: usize) -> Vec<f64> {
    let mut sums = vec![0.0; to];
    for (index, value) in values.enumerate() {
        let (start, end) = (index * to, (index + 1) * to);
        let first = start / from;
        let boundary = (first + 1) * from;
        if end <= boundary {
            sums[first] += value;
        } else {
            let share = (boundary - start) as f64 / to as f64;
            sums[first] += value * share;
            sums[first + 1] += value * (1.0 - share);
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn four_pixels_become_their_sum() {
        let image = Image {
            rows: 2,
            columns: 4,
            pixels: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0],
        };
        assert_eq!(shrink(&image, 1, 2).pixels, [14.0, 22.0]);
    }

    #[test]
    fn a_pixel_on_an_edge_is_divided_by_area() {
        assert_eq!(shrink_line([3.0, 6.0, 9.0].into_iter(), 3, 2), [6.0, 12.0]);
    }

    proptest! {
        #[test]
        fn shrinking_keeps_the_counts(
            (rows, columns, pixels) in (1_usize..40, 1_usize..40).prop_flat_map(|(rows, columns)| {
                let pixels = prop::collection::vec(0_u16..5000, rows * columns);
                (Just(rows), Just(columns), pixels)
            }),
            share in (0.0..1.0, 0.0..1.0),
        ) {
            let image = Image { rows, columns, pixels: pixels.into_iter().map(f32::from).collect() };
            let fewer = |count: usize, share: f64| 1 + (share * (count - 1) as f64) as usize;
            let small = shrink(&image, fewer(rows, share.0), fewer(columns, share.1));
            prop_assert!((small.sum() - image.sum()).abs() <= 1e-5 * image.sum());
        }
    }
}
