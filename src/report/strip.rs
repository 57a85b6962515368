//! A row of pictures as one PNG: a crop and what a network makes of it.

use super::raster::{self, Raster};

/// The side of each picture, in pixels.
const SIDE: usize = 256;
/// The white space between two pictures, in pixels.
const GAP: usize = 8;

/// A crop as a scan is read (inverted grey), then maps in colours, side by side, as a PNG file.
///
/// Each is drawn square, enlarged by whole pixels.
pub fn strip(crop: &Raster, maps: &[Raster]) -> Vec<u8> {
    let count = maps.len() + 1;
    let width = count * SIDE + (count - 1) * GAP;
    let mut pixels = vec![255; width * SIDE * 3];
    let mut draw = |place: usize, picture: &Raster, levels: Vec<[u8; 3]>| {
        let (rows, columns) = picture.size();
        for y in 0..SIDE {
            for x in 0..SIDE {
                let level = levels[y * rows / SIDE * columns + x * columns / SIDE];
                let at = (y * width + place * (SIDE + GAP) + x) * 3;
                pixels[at..at + 3].copy_from_slice(&level);
            }
        }
    };
    draw(0, crop, crop.grey_levels().map(|level| [level; 3]).collect());
    for (place, map) in (1..).zip(maps) {
        draw(place, map, map.colour_levels().collect());
    }
    raster::png_file(width, SIDE, png::ColorType::Rgb, &pixels)
}
