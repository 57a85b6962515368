//! RLE Lossless (PS3.5, Annex G).

use snafu::{OptionExt, ensure};

use super::PixelLayout;
use crate::error::{Error, PixelDataSnafu};

/// Bytes before the first segment: how many there are, and where each begins.
const HEADER: usize = 64;

/// A frame of one component: a segment for each byte of a pixel, the most significant first (G.2).
///
/// # Errors
/// [`Error::PixelData`] where segments are missing, or hold fewer bytes than the layout has pixels.
pub(super) fn decode(data: &[u8], layout: &PixelLayout) -> Result<Vec<u16>, Error> {
    let damaged = PixelDataSnafu {
        problem: "the frame is damaged",
    };
    let (words, _) = data.get(..HEADER).context(damaged)?.as_chunks();
    let words: Vec<usize> = words
        .iter()
        .map(|&word| u32::from_le_bytes(word) as usize)
        .collect();
    let segments = layout.bits_allocated as usize / 8;
    ensure!(
        words[0] == segments,
        PixelDataSnafu {
            problem: "the frame is not one grey image of the header's size",
        }
    );
    let mut samples = vec![0; layout.frame_pixels()];
    for segment in 0..segments {
        let start = words[1 + segment];
        let end = if segment + 1 < segments {
            words[2 + segment]
        } else {
            data.len()
        };
        let packed = data.get(start..end).context(damaged)?;
        unpack(packed, &mut samples).context(damaged)?;
    }
    Ok(samples)
}

/// Appends a byte to each sample (G.3.2); `None` where the segment ends before the samples do.
fn unpack(packed: &[u8], samples: &mut [u16]) -> Option<()> {
    let mut samples = samples.iter_mut();
    let mut push = |byte: u8| {
        if let Some(sample) = samples.next() {
            *sample = *sample << 8 | u16::from(byte);
        }
        samples.len()
    };
    let mut rest = packed;
    loop {
        let (&control, after) = rest.split_first()?;
        let left = match control as i8 {
            -128 => {
                rest = after;
                continue;
            }
            literal @ 0.. => {
                let (bytes, after) = after.split_at_checked(literal as usize + 1)?;
                rest = after;
                bytes.iter().map(|&byte| push(byte)).last()?
            }
            run => {
                let (&byte, after) = after.split_first()?;
                rest = after;
                (0..=run.unsigned_abs()).map(|_| push(byte)).last()?
            }
        };
        if left == 0 {
            return Some(());
        }
    }
}
