//! Grey and coloured images as PNG data URIs.

use std::fmt::Write as _;

use base64::prelude::{BASE64_STANDARD, Engine};
use snafu::{Snafu, ensure};

/// An image of one channel, rows from top to bottom.
#[derive(Clone, Debug, PartialEq)]
pub struct Raster {
    rows: usize,
    columns: usize,
    pixels: Vec<f32>,
}

/// Why numbers do not make an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Snafu)]
#[non_exhaustive]
pub enum RasterError {
    /// The number of pixels is not rows times columns, or a side is 0 or above 4096.
    #[snafu(display("{pixels} pixels do not make an image of {rows} x {columns}"))]
    Size {
        /// Number of rows asked for.
        rows: usize,
        /// Number of columns asked for.
        columns: usize,
        /// Number of pixels given.
        pixels: usize,
    },
    /// A pixel is infinite or not a number.
    #[snafu(display("pixel {index} of the image is not finite"))]
    NotFinite {
        /// Its place in row-major order.
        index: usize,
    },
}

/// The longest side of an image in a report, in pixels.
const LONGEST_SIDE: usize = 4096;

impl Raster {
    /// An image of finite values in row-major order.
    ///
    /// # Errors
    /// The number of pixels is wrong, a side is 0 or above 4096, or a pixel is not finite.
    pub fn new(rows: usize, columns: usize, pixels: Vec<f32>) -> Result<Self, RasterError> {
        let sides = 1..=LONGEST_SIDE;
        ensure!(
            sides.contains(&rows) && sides.contains(&columns) && pixels.len() == rows * columns,
            SizeSnafu {
                rows,
                columns,
                pixels: pixels.len()
            }
        );
        if let Some(index) = pixels.iter().position(|pixel| !pixel.is_finite()) {
            return NotFiniteSnafu { index }.fail();
        }
        Ok(Self {
            rows,
            columns,
            pixels,
        })
    }

    /// Rows and columns.
    pub const fn size(&self) -> (usize, usize) {
        (self.rows, self.columns)
    }

    /// The largest value and its place as fractions of the height and of the width.
    pub(super) fn maximum(&self) -> (f32, f64, f64) {
        let mut best = 0;
        for (index, pixel) in self.pixels.iter().enumerate() {
            if *pixel > self.pixels[best] {
                best = index;
            }
        }
        let fraction = |place: usize, side: usize| (place as f64 + 0.5) / side as f64;
        (
            self.pixels[best],
            fraction(best / self.columns, self.rows),
            fraction(best % self.columns, self.columns),
        )
    }

    /// As a scan is read: white where there are no counts, black from the 99.5th percentile of the
    /// pixels.
    pub(super) fn inverted_grey(&self) -> String {
        data_uri(&self.encode(png::ColorType::Grayscale, &self.grey_levels()))
    }

    /// In colours of even lightness steps, from the image's least to its greatest value.
    pub(super) fn coloured(&self) -> String {
        data_uri(&self.encode(png::ColorType::Rgb, self.colours().as_flattened()))
    }

    /// The grey levels of [`Self::inverted_grey`].
    pub(super) fn grey_levels(&self) -> Vec<u8> {
        let mut sorted = self.pixels.clone();
        sorted.sort_by(f32::total_cmp);
        let upper = sorted[(sorted.len() - 1) * 995 / 1000];
        self.levels(0.0, upper).map(|level| 255 - level).collect()
    }

    /// The red, green and blue of [`Self::coloured`].
    pub(super) fn colours(&self) -> Vec<[u8; 3]> {
        let lower = self.pixels.iter().copied().fold(f32::INFINITY, f32::min);
        self.levels(lower, self.maximum().0).map(colour).collect()
    }

    /// The pixels as steps from 0 at `lower` to 255 at `upper`; all 0 where the two are equal.
    fn levels(&self, lower: f32, upper: f32) -> impl Iterator<Item = u8> {
        let span = upper - lower;
        self.pixels.iter().map(move |pixel| {
            if span > 0.0 {
                to_level((pixel - lower) / span)
            } else {
                0
            }
        })
    }

    fn encode(&self, kind: png::ColorType, bytes: &[u8]) -> Vec<u8> {
        encode(kind, self.rows, self.columns, bytes)
    }
}

/// A PNG file of checked size and of eight bits a channel.
pub(super) fn encode(kind: png::ColorType, rows: usize, columns: usize, bytes: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, to_u32(columns), to_u32(rows));
    encoder.set_color(kind);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::High);
    let comment = "Research use only".to_owned();
    encoder
        .add_text_chunk("Comment".to_owned(), comment)
        .and_then(|()| encoder.write_header())
        .and_then(|mut writer| {
            writer.write_image_data(bytes)?;
            writer.finish()
        })
        .expect("an image of checked size should encode into memory");
    file
}

/// A PNG file as a URI that a page can show without a request.
pub(super) fn data_uri(file: &[u8]) -> String {
    format!("data:image/png;base64,{}", BASE64_STANDARD.encode(file))
}

fn to_level(fraction: f32) -> u8 {
    (fraction.clamp(0.0, 1.0) * 255.0).round() as u8
}

fn to_u32(side: usize) -> u32 {
    u32::try_from(side).expect("a side should be far below 2^32")
}

/// Nine anchors of the viridis colour map (van der Walt and Smith, 2015), evenly spaced.
const ANCHORS: [[u8; 3]; 9] = [
    [68, 1, 84],
    [71, 44, 122],
    [59, 81, 139],
    [44, 113, 142],
    [33, 144, 141],
    [39, 173, 129],
    [92, 200, 99],
    [170, 220, 50],
    [253, 231, 37],
];

/// The colour of a level, between its two anchors.
fn colour(level: u8) -> [u8; 3] {
    let position = u32::from(level) * 8;
    let (below, part) = ((position / 255) as usize, position % 255);
    let above = (below + 1).min(8);
    let mut mixed = [0; 3];
    for (channel, value) in mixed.iter_mut().enumerate() {
        let [a, b] = [ANCHORS[below][channel], ANCHORS[above][channel]].map(u32::from);
        let sum = a * (255 - part) + b * part;
        *value = u8::try_from((sum + 127) / 255).unwrap_or(u8::MAX);
    }
    mixed
}

/// The colour map as a CSS gradient, for the key beside the maps.
pub(super) fn gradient() -> String {
    let mut css = String::from("linear-gradient(to right");
    for [red, green, blue] in ANCHORS {
        write!(css, ",rgb({red} {green} {blue})").expect("writing to a string should not fail");
    }
    css.push(')');
    css
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(uri: &str) -> Vec<u8> {
        let text = uri
            .strip_prefix("data:image/png;base64,")
            .expect("a data URI");
        let file = BASE64_STANDARD.decode(text).expect("base 64");
        pixels(&file)
    }

    fn pixels(file: &[u8]) -> Vec<u8> {
        let mut reader = png::Decoder::new(std::io::Cursor::new(file))
            .read_info()
            .expect("a PNG file");
        let mut pixels = vec![0; reader.output_buffer_size().expect("a size")];
        reader.next_frame(&mut pixels).expect("a frame");
        pixels
    }

    #[test]
    fn a_scan_is_black_where_it_is_hot() {
        let scan = Raster::new(2, 2, vec![0.0, 50.0, 100.0, 100.0]).expect("an image");
        assert_eq!(decode(&scan.inverted_grey()), [255, 127, 0, 0]);
    }

    #[test]
    fn a_map_runs_from_dark_to_light() {
        let map = Raster::new(1, 2, vec![-1.0, 3.0]).expect("an image");
        assert_eq!(decode(&map.coloured()), [68, 1, 84, 253, 231, 37]);
    }

    #[test]
    fn an_even_image_divides_nothing_by_zero() {
        let even = Raster::new(1, 2, vec![7.0; 2]).expect("an image");
        assert_eq!(decode(&even.coloured()), [68, 1, 84, 68, 1, 84]);
    }

    #[test]
    fn the_maximum_is_told_with_its_place() {
        let map = Raster::new(2, 4, vec![0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 9.0, 0.0]).expect("a map");
        assert_eq!(map.maximum(), (9.0, 0.75, 0.625));
    }

    #[test]
    fn numbers_that_do_not_make_an_image_are_refused() {
        assert_eq!(
            Raster::new(2, 2, vec![0.0; 3]),
            Err(RasterError::Size {
                rows: 2,
                columns: 2,
                pixels: 3
            })
        );
        assert!(Raster::new(0, 0, Vec::new()).is_err());
        assert_eq!(
            Raster::new(1, 2, vec![0.0, f32::NAN]),
            Err(RasterError::NotFinite { index: 1 })
        );
    }
}
