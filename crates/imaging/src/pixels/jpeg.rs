//! JPEG Baseline and Extended of 8 bits (ITU-T T.81, Annex F; PS3.5, A.4.1).

use snafu::{OptionExt, ensure};

use super::PixelLayout;
use super::frame_header::jpeg_precision;
use crate::dicom;
use crate::error::{Error, PixelDataSnafu};

/// A frame of one component, whose own header has been compared with the layout.
///
/// # Errors
/// [`Error::PixelData`] where the frame has 12 bits, which no decoder in use reads, or is damaged.
pub(super) fn decode(data: &[u8], layout: &PixelLayout) -> Result<Vec<u16>, Error> {
    ensure!(
        jpeg_precision(data) == Some(8),
        PixelDataSnafu {
            problem: "lossy JPEG of 12 bits is not read: convert the object to Explicit VR Little Endian at the archive",
        }
    );
    let decoded = dicom::without_panic(|| jpeg_decoder::Decoder::new(data).decode().ok());
    let samples = decoded
        .flatten()
        .filter(|samples| samples.len() == layout.frame_pixels())
        .context(PixelDataSnafu {
            problem: "the frame is damaged",
        })?;
    Ok(samples.into_iter().map(u16::from).collect())
}
