//! The samples of one frame of the pixel data, and the counts that they stand for.
//!
//! Libraries decode, after every frame's own header has been compared with the object's. JPEG
//! Lossless, the syntax in which archives keep nuclear medicine, is decoded here: the decoder of
//! dicom-rs would take most of the time that reading a scan may take (see `benches/decode.rs`).
//! Never: memory for what a header claims; a frame that was not asked for.

mod codestream;
mod frame_header;
mod huffman;
mod jpeg_2000;
mod jpeg_lossless;
mod layout;
mod marker_segment;

use dicom_encoding::adapters::PixelDataObject;
use dicom_pixeldata::PixelDecoder;
use snafu::{OptionExt, ensure};

pub(crate) use layout::PixelLayout;

use super::Image;
use super::dicom::{self, DicomFile, TransferSyntax};
use super::error::{Error, PixelDataSnafu};

/// The bits of each pixel of one frame as they are stored, unused bits included.
///
/// # Errors
/// [`Error::PixelData`] where the frame is missing, cannot be decoded, or has another size than the
/// layout.
pub(crate) fn decode(
    file: &DicomFile,
    layout: &PixelLayout,
    frame: usize,
) -> Result<Vec<u16>, Error> {
    let data = file
        .object
        .frame_pixel_data(frame as u32)
        .context(PixelDataSnafu {
            problem: "the frame is missing",
        })?;
    match file.transfer_syntax {
        TransferSyntax::Native => to_samples(&data, layout),
        TransferSyntax::JpegLossless => jpeg_lossless::decode(&data, layout),
        syntax @ (TransferSyntax::Jpeg2000Lossless | TransferSyntax::Jpeg2000) => {
            frame_header::check(&data, layout, syntax)?;
            jpeg_2000::decode(&data, layout)
        }
        syntax @ (TransferSyntax::Rle | TransferSyntax::JpegBaseline) => {
            frame_header::check(&data, layout, syntax)?;
            to_samples(&decode_by_library(file, frame)?, layout)
        }
    }
}

fn decode_by_library(file: &DicomFile, frame: usize) -> Result<Vec<u8>, Error> {
    dicom::without_panic(|| {
        let decoded = file.object.decode_pixel_data_frame(frame as u32).ok()?;
        Some(decoded.data().to_vec())
    })
    .flatten()
    .context(PixelDataSnafu {
        problem: "the frame is damaged",
    })
}

/// Samples of a frame in dicom-rs' order of bytes, the least significant first.
fn to_samples(frame: &[u8], layout: &PixelLayout) -> Result<Vec<u16>, Error> {
    ensure!(
        frame.len() == layout.frame_bytes(),
        PixelDataSnafu {
            problem: "the frame has another size than the header says",
        }
    );
    Ok(if layout.bits_allocated == 16 {
        let (words, _) = frame.as_chunks();
        words.iter().map(|&word| u16::from_le_bytes(word)).collect()
    } else {
        frame.iter().map(|&pixel| pixel.into()).collect()
    })
}

/// The counts that stored bits stand for, and the number of pixels that were below zero.
///
/// The stored value is in the bits from the High Bit downwards, two's complement where the layout
/// says so (PS3.5, 8.1.1); the count is `slope * value + intercept` (PS3.3, C.11.1.1.2). There is
/// no negative count: such pixels, which lossy compression and background subtraction leave, are
/// set to zero, and so are those that are not finite in 32 bits.
pub(crate) fn to_counts(samples: &[u16], layout: &PixelLayout) -> (Image<f32>, usize) {
    let shift = layout.high_bit + 1 - layout.bits_stored;
    let unused = 16 - layout.bits_stored;
    let is_plain = layout.slope == 1.0 && layout.intercept == 0.0;
    let signed = |sample: u16| f32::from((((sample >> shift) << unused) as i16) >> unused);
    let unsigned = |sample: u16| f32::from(((sample >> shift) << unused) >> unused);
    let rescale = |value: f32| {
        let count = (layout.slope * f64::from(value) + layout.intercept) as f32;
        if count.is_finite() { count } else { 0.0 }
    };
    // One loop for each kind, so that each is as simple as it can be.
    let (pixels, negative) = match (layout.is_signed, is_plain) {
        (true, true) => keep_counts(samples, signed),
        (false, true) => keep_counts(samples, unsigned),
        (true, false) => keep_counts(samples, |sample| rescale(signed(sample))),
        (false, false) => keep_counts(samples, |sample| rescale(unsigned(sample))),
    };
    let image = Image {
        rows: layout.rows,
        columns: layout.columns,
        pixels,
    };
    (image, negative)
}

/// Has no branches, since it cannot be predicted whether a pixel has counts.
fn keep_counts(samples: &[u16], value: impl Fn(u16) -> f32) -> (Vec<f32>, usize) {
    let mut negative = 0_u32;
    let pixels = samples
        .iter()
        .map(|&sample| {
            let value = value(sample);
            negative += u32::from(value < 0.0);
            value.max(0.0)
        })
        .collect();
    (pixels, negative as usize)
}
