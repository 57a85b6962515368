//! The samples of one frame of the pixel data, and the counts that they stand for.
//!
//! Libraries decode JPEG and JPEG 2000, after every frame's own header has been compared with the
//! object's. RLE is decoded here, and so is JPEG Lossless, the syntax in which archives keep nuclear
//! medicine: a library would take most of the time that reading a scan may take (see `benches/decode.rs`).
//! Never: memory for what a header claims; a frame that was not asked for.

mod codestream;
mod frame_header;
mod huffman;
mod jpeg;
mod jpeg_2000;
mod jpeg_lossless;
mod layout;
mod marker_segment;
mod rle;

use std::borrow::Cow;

use snafu::OptionExt;

pub(crate) use layout::PixelLayout;

use super::Image;
use super::dicom::{DicomFile, TransferSyntax};
use super::error::{Error, PixelDataSnafu};
use super::image;
use super::warning::Warning;

/// The bits of each pixel of one frame as they are stored, unused bits included.
///
/// # Errors
/// [`Error::PixelData`] where the frame is missing, cannot be decoded, or has another size than the
/// layout.
pub(crate) fn decode(
    file: &DicomFile<'_>,
    layout: &PixelLayout,
    frame: usize,
) -> Result<Vec<u16>, Error> {
    let missing = PixelDataSnafu {
        problem: "the frame is missing",
    };
    let coded = || {
        let coded = file.coded_frame(frame, layout.frames);
        coded.context(missing)
    };
    match file.transfer_syntax {
        TransferSyntax::ImplicitLittleEndian
        | TransferSyntax::ExplicitLittleEndian
        | TransferSyntax::ExplicitBigEndian => {
            let native = file.native_frame(frame, layout.frame_bytes());
            Ok(to_samples(&native.context(missing)?, layout))
        }
        TransferSyntax::JpegLossless => jpeg_lossless::decode(&coded()?, layout),
        TransferSyntax::Rle => rle::decode(&coded()?, layout),
        syntax @ (TransferSyntax::Jpeg2000Lossless | TransferSyntax::Jpeg2000) => {
            let data: Cow<'_, [u8]> = coded()?;
            frame_header::check(&data, layout, syntax)?;
            jpeg_2000::decode(&data, layout)
        }
        syntax @ (TransferSyntax::JpegBaseline | TransferSyntax::JpegExtended) => {
            let data: Cow<'_, [u8]> = coded()?;
            frame_header::check(&data, layout, syntax)?;
            jpeg::decode(&data, layout)
        }
    }
}

/// Samples of a frame that is not compressed, the least significant byte first.
fn to_samples(frame: &[u8], layout: &PixelLayout) -> Vec<u16> {
    if layout.bits_allocated == 16 {
        let (words, _) = frame.as_chunks();
        words.iter().map(|&word| u16::from_le_bytes(word)).collect()
    } else {
        frame.iter().map(|&pixel| pixel.into()).collect()
    }
}

/// Pixels that were set to zero, by why.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct LeftOut {
    /// Below zero.
    pub negative: usize,
    /// Padding: where the camera counted nothing.
    pub padding: usize,
}

impl LeftOut {
    /// A warning for each kind there is.
    pub(crate) fn warnings(self) -> Vec<Warning> {
        let Self { negative, padding } = self;
        [
            (negative > 0).then_some(Warning::NegativePixels { count: negative }),
            (padding > 0).then_some(Warning::Padding { count: padding }),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// The counts that stored bits stand for, and the pixels that stand for none.
///
/// The count is `slope * value + intercept` (PS3.3, C.11.1.1.2). Padding is no count (C.7.5.1.1.2). There is
/// no negative count: such pixels, which lossy compression and background subtraction leave, are set to zero,
/// and so are those that are not finite in 32 bits.
pub(crate) fn to_counts(samples: &[u16], layout: &PixelLayout) -> (Image<f32>, LeftOut) {
    let stored = StoredBits::of(layout);
    let rescale = |value: i32| {
        let count = (layout.slope * f64::from(value) + layout.intercept) as f32;
        if count.is_finite() { count } else { 0.0 }
    };
    let is_plain = layout.slope == 1.0 && layout.intercept == 0.0;
    let mut left_out = LeftOut::default();
    // One loop for each kind, so that each is as simple as it can be.
    let samples = samples.iter();
    let mut pixels: Vec<f32> = match layout.padding {
        Some([first, last]) => {
            let is_padding = |value| (first..=last).contains(&value);
            let padding = &mut left_out.padding;
            let value = |&sample| match stored.value(sample) {
                value if is_padding(value) => {
                    *padding += usize::from(value != 0);
                    0.0
                }
                value => rescale(value),
            };
            samples.map(value).collect()
        }
        None if is_plain => samples.map(|&sample| stored.value(sample) as f32).collect(),
        None => samples
            .map(|&sample| rescale(stored.value(sample)))
            .collect(),
    };
    left_out.negative = image::count(&pixels, |count| count < 0.0);
    if left_out.negative > 0 {
        pixels.iter_mut().for_each(|count| *count = count.max(0.0));
    }
    let image = Image {
        rows: layout.rows,
        columns: layout.columns,
        pixels,
    };
    (image, left_out)
}

/// Where the stored value is in a sample: in the bits from the High Bit downwards, two's complement where the
/// layout says so (PS3.5, 8.1.1).
#[derive(Clone, Copy)]
struct StoredBits {
    shift: u32,
    mask: i32,
    sign: i32,
}

impl StoredBits {
    fn of(layout: &PixelLayout) -> Self {
        Self {
            shift: layout.high_bit + 1 - layout.bits_stored,
            mask: (1 << layout.bits_stored) - 1,
            sign: i32::from(layout.is_signed) << (layout.bits_stored - 1),
        }
    }

    /// Neither shift nor subtraction can overflow, and checks would forbid to do several at once.
    fn value(self, sample: u16) -> i32 {
        let bits = i32::from(sample).wrapping_shr(self.shift) & self.mask;
        (bits ^ self.sign).wrapping_sub(self.sign)
    }
}
