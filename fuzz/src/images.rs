//! Images: whole objects, and the decoders of a single frame.

use attrium_imaging::{CROP_PIXELS, crop, fuzzing, intensities, read_anterior};
use attrium_types::{CropMode, Intensity, LossyPolicy};

use super::frame::Frame;
use super::reference;

/// Transfer syntaxes (PS3.6, A).
mod syntax {
    pub(super) const JPEG_LOSSLESS: &str = "1.2.840.10008.1.2.4.57";
    pub(super) const JPEG_2000_LOSSLESS: &str = "1.2.840.10008.1.2.4.90";
    pub(super) const RLE: &str = "1.2.840.10008.1.2.5";
}

/// A DICOM object: its counts are counts, and so are those of its crops.
pub fn dicom(bytes: &[u8]) -> bool {
    let Ok(image) = read_anterior(bytes, LossyPolicy::Accept) else {
        return false;
    };
    let counts = &image.counts;
    assert_eq!(counts.pixels.len(), counts.rows * counts.columns);
    let is_count = |count: &f32| count.is_finite() && *count >= 0.0;
    assert!(counts.pixels.iter().all(is_count));
    for mode in [CropMode::Robust, CropMode::Paper] {
        if let Ok(crop) = crop(&image, mode) {
            assert_eq!(crop.counts.len(), CROP_PIXELS);
            for intensity in [Intensity::Normalized, Intensity::Paper] {
                let image = intensities(&crop.counts, intensity);
                assert!(image.iter().all(|value| value.is_finite()));
            }
        }
    }
    true
}

/// A frame of JPEG Lossless: where another decoder reads it too, it reads the same.
pub fn jpeg_lossless(bytes: &[u8]) -> bool {
    let decoded = decode(bytes, syntax::JPEG_LOSSLESS);
    let Some((frame, samples)) = decoded else {
        return false;
    };
    if let Some(expected) = reference::jpeg_lossless(&frame.fragment()) {
        assert_same(&samples, &expected, &frame);
    }
    true
}

/// A frame of RLE: where it is read, it is what the standard says.
pub fn rle(bytes: &[u8]) -> bool {
    let Some((frame, samples)) = decode(bytes, syntax::RLE) else {
        return false;
    };
    let expected = reference::rle(&frame.fragment(), frame.pixels(), frame.bytes_per_pixel());
    let expected = expected.expect("should be refused, as the standard has no such frame");
    assert_same(&samples, &expected, &frame);
    true
}

/// A frame of JPEG 2000.
pub fn jpeg_2000(bytes: &[u8]) -> bool {
    let decoded = decode(bytes, syntax::JPEG_2000_LOSSLESS);
    decoded.is_some_and(|(frame, samples)| {
        assert_eq!(samples.len(), frame.pixels());
        true
    })
}

fn decode<'a>(bytes: &'a [u8], syntax: &str) -> Option<(Frame<'a>, Vec<u16>)> {
    let frame = Frame::of(bytes)?;
    let samples = fuzzing::first_frame(&frame.object(syntax))?;
    Some((frame, samples))
}

fn assert_same(samples: &[u16], expected: &[u16], frame: &Frame<'_>) {
    assert_eq!(samples.len(), expected.len());
    let other = samples.iter().zip(expected).position(|(a, b)| a != b);
    if let Some(place) = other {
        let (row, column) = (place / frame.columns(), place % frame.columns());
        let (found, expected) = (samples[place], expected[place]);
        assert_eq!(found, expected, "row {row}, column {column}");
    }
}
