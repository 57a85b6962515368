//! One frame's samples out of the pixel data, and what they count.
//!
//! Sizes are checked against the bytes that are there before anything is set aside for them. RLE
//! and JPEG Lossless are decoded here; JPEG 2000 and baseline JPEG, which are rare, by dicom-rs.
//! Never: a frame that was not asked for, or a decoder that believes a frame's own header.

mod fragments;
mod huffman;
mod jpeg_lossless;
mod layout;
mod other;
mod rle;

use snafu::OptionExt;

pub use layout::Layout;

use super::Image;
use super::dicom::{AttributeName, DicomFile, TransferSyntax, Value, Vr};
use super::error::{Error, NoPixelDataSnafu, PixelDataSnafu};

/// The most pixels that a side of an image may have: four times a whole-body scan's length.
pub const MAX_SIDE: usize = 4096;

/// The most pixels that all frames of an object may have together.
pub const MAX_PIXELS: usize = 1 << 26;

/// The bits of each pixel of one frame as they are stored, unused bits included.
///
/// # Errors
/// [`Error::NoPixelData`], [`Error::PixelData`] where a frame cannot be decoded, and
/// [`Error::PixelDataTooShort`].
pub fn decode(file: &DicomFile<'_>, layout: &Layout, frame: usize) -> Result<Vec<u16>, Error> {
    let element = file
        .data_set
        .element(AttributeName::PixelData)
        .context(NoPixelDataSnafu)?;
    match (element.value, file.transfer_syntax.is_encapsulated()) {
        (Value::Plain(bytes), false) => {
            let swapped = file.data_set.encoding.big_endian && element.vr == Some(Vr(*b"OW"));
            Ok(native(bytes, layout, frame, swapped))
        }
        (Value::Fragments(bytes), true) => {
            let data = fragments::of_frame(bytes, layout.frames, frame)?;
            match file.transfer_syntax {
                TransferSyntax::Rle => rle::decode(&data, layout),
                TransferSyntax::JpegLossless => jpeg_lossless::decode(&data, layout),
                syntax => other::decode(&data, layout, syntax),
            }
        }
        _ => PixelDataSnafu {
            problem: "its form does not fit the transfer syntax",
        }
        .fail(),
    }
}

/// A frame of pixel data that are not compressed (PS3.5, 8.1).
///
/// Sixteen-bit words have the data set's byte order; so have pairs of eight-bit pixels in words.
fn native(bytes: &[u8], layout: &Layout, frame: usize, swapped: bool) -> Vec<u16> {
    let length = layout.frame_bytes();
    let frame = &bytes[frame * length..(frame + 1) * length];
    if layout.bits_allocated == 16 {
        let (words, _) = frame.as_chunks();
        let order = if swapped {
            u16::from_be_bytes
        } else {
            u16::from_le_bytes
        };
        words.iter().map(|&word| order(word)).collect()
    } else if swapped {
        let at = |index: usize| frame.get(index ^ 1).copied().unwrap_or(0);
        (0..length).map(|index| at(index).into()).collect()
    } else {
        frame.iter().map(|&pixel| pixel.into()).collect()
    }
}

/// Counts out of stored bits, and how many pixels were below zero.
///
/// The stored value is in the bits from the High Bit downwards, two's complement where the layout
/// says so (PS3.5, 8.1.1); the count is `slope * value + intercept` (PS3.3, C.11.1.1.2). There is
/// no negative count: such pixels, which lossy compression and background subtraction leave, are
/// set to zero, as is any that is no finite number in 32 bits.
pub fn to_counts(samples: &[u16], layout: &Layout) -> (Image<f32>, usize) {
    let shift = layout.high_bit + 1 - layout.bits_stored;
    let unused = 16 - layout.bits_stored;
    let value = |sample: u16| {
        let left = (sample >> shift) << unused;
        if layout.is_signed {
            i32::from((left as i16) >> unused)
        } else {
            i32::from(left >> unused)
        }
    };
    let mut negative = 0;
    let mut keep = |count: f32| {
        negative += usize::from(count < 0.0);
        if count > 0.0 && count.is_finite() {
            count
        } else {
            0.0
        }
    };
    let pixels = if layout.slope == 1.0 && layout.intercept == 0.0 {
        samples
            .iter()
            .map(|&sample| keep(value(sample) as f32))
            .collect()
    } else {
        let rescale = |value: i32| (layout.slope * f64::from(value) + layout.intercept) as f32;
        samples
            .iter()
            .map(|&sample| keep(rescale(value(sample))))
            .collect()
    };
    let image = Image {
        rows: layout.rows,
        columns: layout.columns,
        pixels,
    };
    (image, negative)
}
