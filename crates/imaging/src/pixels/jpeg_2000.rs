//! JPEG 2000, lossless and lossy (ITU-T T.800; PS3.5, A.4.4).
//!
//! A decoder without `unsafe` does it, since an archive's objects come from outside.

use hayro_jpeg2000::{DecodeSettings, DecoderContext, Image};
use snafu::{OptionExt, ensure};

use super::PixelLayout;
use super::frame_header::jpeg_2000_sign;
use crate::dicom;
use crate::error::{Error, PixelDataSnafu};

/// A frame of one component, whose own header has been compared with the layout.
///
/// # Errors
/// [`Error::PixelData`] where the frame cannot be decoded, or does not fit into the stored bits.
pub(super) fn decode(data: &[u8], layout: &PixelLayout) -> Result<Vec<u16>, Error> {
    let damaged = PixelDataSnafu {
        problem: "the frame is damaged",
    };
    let (precision, is_signed) = jpeg_2000_sign(data).context(damaged)?;
    ensure!(
        precision <= layout.bits_allocated && (layout.is_signed || !is_signed),
        PixelDataSnafu {
            problem: "the frame has other bits than the header says",
        }
    );
    // The decoder takes every component for unsigned, and adds half the range to a signed one as well.
    let shift = if is_signed {
        (1_u32 << (precision - 1)) as f32
    } else {
        0.0
    };
    let sample = |value: f32| (value - shift).round() as i32 as u16;
    let samples = dicom::without_panic(|| {
        let image = Image::new(data, &DecodeSettings::default()).ok()?;
        let mut context = DecoderContext::default();
        let decoded = image.decode(&mut context).ok()?;
        let [component] = decoded.components() else {
            return None;
        };
        Some(component.samples().iter().copied().map(sample).collect())
    });
    let samples: Vec<u16> = samples.flatten().context(damaged)?;
    ensure!(samples.len() == layout.frame_pixels(), damaged);
    Ok(samples)
}
