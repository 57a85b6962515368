//! Images of fewer or more pixels, with the same counts.

use super::Image;

/// An image as `rows` x `columns` pixels.
///
/// A new pixel has the counts of the area it covers; a pixel that lies on an edge is divided by
/// area. The sum of the image stays what it was.
pub(crate) fn resized(image: &Image<f32>, rows: usize, columns: usize) -> Image<f32> {
    let across: Vec<f64> = image
        .pixels
        .chunks_exact(image.columns)
        .flat_map(|row| {
            resized_line(
                row.iter().map(|&count| count.into()),
                image.columns,
                columns,
            )
        })
        .collect();
    let mut pixels = vec![0.0; rows * columns];
    for column in 0..columns {
        let line = across.iter().skip(column).step_by(columns).copied();
        for (row, sum) in resized_line(line, image.rows, rows).into_iter().enumerate() {
            pixels[row * columns + column] = sum as f32;
        }
    }
    Image {
        rows,
        columns,
        pixels,
    }
}

/// Divides `from` values among `to`.
///
/// In units of 1/`to` of an old value every edge, old or new, is a whole number.
fn resized_line(values: impl Iterator<Item = f64>, from: usize, to: usize) -> Vec<f64> {
    let mut sums = vec![0.0; to];
    for (index, value) in values.enumerate() {
        let (start, end) = (index * to, (index + 1) * to);
        let (first, last) = (start / from, (end - 1) / from);
        for (place, sum) in (first..).zip(&mut sums[first..=last]) {
            let covered = end.min((place + 1) * from) - start.max(place * from);
            *sum += value * (covered as f64 / to as f64);
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
        assert_eq!(resized(&image, 1, 2).pixels, [14.0, 22.0]);
    }

    #[test]
    fn a_pixel_on_an_edge_is_divided_by_area() {
        assert_eq!(resized_line([3.0, 6.0, 9.0].into_iter(), 3, 2), [6.0, 12.0]);
    }

    #[test]
    fn a_pixel_becomes_more_that_share_its_counts() {
        let parts = resized_line([6.0, 12.0].into_iter(), 2, 6);
        assert_eq!(parts, [2.0, 2.0, 2.0, 4.0, 4.0, 4.0]);
        let parts = resized_line([6.0, 12.0].into_iter(), 2, 3);
        assert_eq!(parts, [4.0, 6.0, 8.0]);
    }

    proptest! {
        #[test]
        fn other_pixels_have_the_same_counts(
            (rows, columns, pixels) in (1_usize..40, 1_usize..40).prop_flat_map(|(rows, columns)| {
                let pixels = prop::collection::vec(0_u16..5000, rows * columns);
                (Just(rows), Just(columns), pixels)
            }),
            share in (0.0..2.0, 0.0..2.0),
        ) {
            let image = Image { rows, columns, pixels: pixels.into_iter().map(f32::from).collect() };
            let sized = |count: usize, share: f64| 1 + (share * (count - 1) as f64) as usize;
            let other = resized(&image, sized(rows, share.0), sized(columns, share.1));
            prop_assert!((other.sum() - image.sum()).abs() <= 1e-5 * image.sum());
        }
    }
}
