//! Scans as PNG images, for people.

use super::{CropRectangle, HeartRegions, Image};

/// The share of the pixels with counts that are drawn black whatever they count, a full bladder's among them.
const SATURATED: f64 = 0.01;

/// The colours of the crop and the heart's region, and of what that is compared with.
const RED: [u8; 3] = [0xD0, 0x20, 0x20];
const BLUE: [u8; 3] = [0x20, 0x60, 0xD0];

/// Draws counts as is usual in nuclear medicine: none white, many black. The crop and the heart's region are
/// outlined in red, the region of the other side of the chest in blue.
///
/// Grey is linear up to the count that 1 % of the pixels with counts exceed. Gives a PNG in RGB
/// with a pixel for each of the image's.
///
/// # Errors
/// Whatever the PNG encoder meets; on valid images nothing.
pub fn draw(
    image: &Image<f32>,
    crop: Option<&CropRectangle>,
    heart: Option<&HeartRegions>,
) -> Result<Vec<u8>, png::EncodingError> {
    let black = black_level(&image.pixels);
    let mut pixels: Vec<[u8; 3]> = image
        .pixels
        .iter()
        .map(|count| [255 - (255.0 * (count / black).clamp(0.0, 1.0)).round() as u8; 3])
        .collect();
    if let Some(rectangle) = crop {
        outline(&mut pixels, image.columns, rectangle);
    }
    if let Some(regions) = heart {
        let outlines = outlines(regions, image.rows, image.columns);
        for (pixel, outline) in pixels.iter_mut().zip(outlines) {
            *pixel = outline.unwrap_or(*pixel);
        }
    }
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, image.columns as u32, image.rows as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels.as_flattened())?;
    writer.finish()?;
    Ok(file)
}

/// The least count that is drawn black: the one that 1 % of the pixels with counts exceed, 1 where there are none.
pub fn black_level(counts: &[f32]) -> f32 {
    let mut counts: Vec<f32> = counts
        .iter()
        .copied()
        .filter(|count| count.is_finite() && *count > 0.0)
        .collect();
    counts.sort_unstable_by(f32::total_cmp);
    let above = (counts.len() as f64 * SATURATED) as usize;
    counts
        .len()
        .checked_sub(1 + above)
        .map_or(1.0, |index| counts[index])
}

/// Colours the pixels just inside the rectangle's edges.
fn outline(pixels: &mut [[u8; 3]], columns: usize, rectangle: &CropRectangle) {
    let (top, left) = (rectangle.top, rectangle.left);
    let (bottom, right) = (top + rectangle.height - 1, left + rectangle.width - 1);
    let horizontal = (left..=right).flat_map(|column| [(top, column), (bottom, column)]);
    let vertical = (top..=bottom).flat_map(|row| [(row, left), (row, right)]);
    for (row, column) in horizontal.chain(vertical) {
        if let Some(pixel) = pixels.get_mut(row * columns + column) {
            *pixel = RED;
        }
    }
}

/// The colour of each pixel on the outline of the heart's region (red) or of what that is compared with (blue).
pub fn outlines(regions: &HeartRegions, rows: usize, columns: usize) -> Vec<Option<[u8; 3]>> {
    let is_heart = |row, column| regions.is_heart(row, column);
    let is_contralateral = |row, column| regions.is_contralateral(row, column);
    let pixels = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
    pixels
        .map(|(row, column)| {
            let heart = is_at_edge(row, column, is_heart).then_some(RED);
            heart.or_else(|| is_at_edge(row, column, is_contralateral).then_some(BLUE))
        })
        .collect()
}

/// Whether a pixel is of a region and has a neighbour outside it.
fn is_at_edge(row: usize, column: usize, within: impl Fn(usize, usize) -> bool) -> bool {
    let neighbours = [
        (row.wrapping_sub(1), column),
        (row + 1, column),
        (row, column.wrapping_sub(1)),
        (row, column + 1),
    ];
    let is_surrounded = || {
        neighbours
            .into_iter()
            .all(|(row, column)| within(row, column))
    };
    within(row, column) && !is_surrounded()
}

#[cfg(test)]
mod tests {
    use super::*;
    use attrium_types::CropMode;

    #[test]
    fn counts_are_dark_and_the_crop_is_red() {
        let image = Image {
            rows: 4,
            columns: 4,
            pixels: [vec![0.0; 8], vec![10.0; 8]].concat(),
        };
        let rectangle = CropRectangle {
            mode: CropMode::Robust,
            top: 0,
            left: 0,
            height: 2,
            width: 2,
        };
        let file = draw(&image, Some(&rectangle), None).expect("should encode");
        let mut reader = png::Decoder::new(std::io::Cursor::new(file))
            .read_info()
            .expect("should be a PNG");
        let mut pixels = vec![0; reader.output_buffer_size().expect("should be small")];
        reader.next_frame(&mut pixels).expect("should decode");
        assert_eq!(pixels[..6], [RED, RED].concat());
        assert_eq!(pixels[6..9], [255; 3]);
        assert_eq!(pixels[3 * 12..3 * 12 + 3], [0; 3]);
    }

    #[test]
    fn the_heart_is_red_and_what_it_is_compared_with_blue() {
        let image = Image {
            rows: 9,
            columns: 40,
            pixels: vec![1.0; 360],
        };
        let heart = crate::Ellipse {
            row: 4.0,
            column: 34.0,
            height: 6.0,
            width: 6.0,
        };
        let contralateral = crate::Ellipse {
            column: 5.0,
            ..heart
        };
        let regions = HeartRegions {
            heart,
            contralateral,
            margin: 9.0,
        };
        let file = draw(&image, None, Some(&regions)).expect("should encode");
        let mut reader = png::Decoder::new(std::io::Cursor::new(file))
            .read_info()
            .expect("should be a PNG");
        let mut pixels = vec![0; reader.output_buffer_size().expect("should be small")];
        reader.next_frame(&mut pixels).expect("should decode");
        let at = |row: usize, column: usize| {
            let start = 3 * (row * 40 + column);
            &pixels[start..start + 3]
        };
        assert_eq!((at(1, 34), at(4, 37)), (&RED[..], &RED[..]));
        assert_eq!((at(1, 5), at(4, 2)), (&BLUE[..], &BLUE[..]));
        assert_eq!(at(4, 34), [0; 3]);
    }

    #[test]
    fn an_empty_image_is_white() {
        let image = Image {
            rows: 1,
            columns: 1,
            pixels: vec![0.0],
        };
        assert!(draw(&image, None, None).is_ok());
    }
}
