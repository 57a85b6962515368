//! A crop with its regions and its activation maps side by side, as one PNG file.

use super::Raster;
use super::raster::encode;

/// How many pixels of the montage a pixel of the crop takes, across and down.
const ENLARGED: usize = 2;

/// White pixels between two tiles.
const GAP: usize = 4;

/// A crop, inverted grey, and beside it each map in colours of even lightness steps, all of the
/// crop's size; a PNG file of 24 bits a pixel. `outlines` are the colours of what is drawn over the crop, a pixel
/// each, or empty.
///
/// Each map has its own scale, from its least value (dark violet) to its greatest (yellow).
pub fn montage(crop: &Raster, outlines: &[Option<[u8; 3]>], maps: &[Raster]) -> Vec<u8> {
    let (rows, columns) = crop.size();
    let (height, width) = (rows * ENLARGED, columns * ENLARGED);
    let grey = crop.grey_levels().into_iter().map(|level| [level; 3]);
    let outlines = outlines.iter().copied().chain(std::iter::repeat(None));
    let outlined = grey
        .zip(outlines)
        .map(|(grey, outline)| outline.unwrap_or(grey));
    let mut tiles = vec![(crop.size(), outlined.collect::<Vec<_>>())];
    tiles.extend(maps.iter().map(|map| (map.size(), map.colours())));
    let all = tiles.len() * (width + GAP) - GAP;
    let mut pixels = Vec::with_capacity(height * all);
    for row in 0..height {
        for (tile, ((down, across), colours)) in tiles.iter().enumerate() {
            if tile > 0 {
                pixels.extend([[255; 3]; GAP]);
            }
            let start = row * down / height * across;
            pixels.extend((0..width).map(|column| colours[start + column * across / width]));
        }
    }
    encode(png::ColorType::Rgb, height, all, pixels.as_flattened())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(file: &[u8]) -> (u32, u32, Vec<u8>) {
        let mut reader = png::Decoder::new(std::io::Cursor::new(file))
            .read_info()
            .expect("a PNG file");
        let mut pixels = vec![0; reader.output_buffer_size().expect("a size")];
        let frame = reader.next_frame(&mut pixels).expect("a frame");
        (frame.height, frame.width, pixels)
    }

    #[test]
    fn maps_of_any_size_stand_beside_the_crop_at_its_size() {
        let crop = Raster::new(2, 2, vec![0.0, 0.0, 0.0, 9.0]).expect("a crop");
        let even = Raster::new(1, 1, vec![1.0]).expect("a map");
        let steep = Raster::new(1, 2, vec![0.0, 1.0]).expect("a map");
        let (height, width, pixels) =
            decode(&montage(&crop, &[None, Some([7, 8, 9])], &[even, steep]));
        assert_eq!((height, width), (4, 20));
        let at = |row: usize, column: usize| {
            let start = (row * 20 + column) * 3;
            [pixels[start], pixels[start + 1], pixels[start + 2]]
        };
        assert_eq!(at(1, 3), [7, 8, 9], "the outline is over the crop");
        assert_eq!(at(0, 0), [255; 3], "and nowhere else");
        assert_eq!(at(0, 5), [255; 3], "the gap is white");
        assert_eq!(at(3, 9), [68, 1, 84], "an even map is dark");
        assert_eq!([at(0, 16), at(0, 19)], [[68, 1, 84], [253, 231, 37]]);
    }

    #[test]
    fn a_crop_alone_is_a_montage_too() {
        let crop = Raster::new(1, 1, vec![3.0]).expect("a crop");
        let (height, width, pixels) = decode(&montage(&crop, &[], &[]));
        assert_eq!((height, width, pixels), (2, 2, vec![0; 12]));
    }
}
