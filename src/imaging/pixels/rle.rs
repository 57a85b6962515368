use snafu::{OptionExt, ensure};

use super::Layout;
use crate::imaging::error::{Error, PixelDataSnafu};

/// Length of the header: the number of segments and fifteen offsets (PS3.5, G.5).
const HEADER: usize = 64;

/// A frame of RLE Lossless (PS3.5, G).
///
/// Each byte of a pixel is a segment of its own, the most significant first (G.2).
///
/// # Errors
/// [`Error::PixelData`] where the segments are not the frame's.
pub fn decode(data: &[u8], layout: &Layout) -> Result<Vec<u16>, Error> {
    let header = data.get(..HEADER).context(PixelDataSnafu {
        problem: "the RLE header is cut short",
    })?;
    let (words, _) = header.as_chunks();
    let word = |index: usize| {
        words
            .get(index)
            .map_or(0, |&word| u32::from_le_bytes(word) as usize)
    };
    let segments = layout.bits_allocated as usize / 8;
    ensure!(
        word(0) == segments,
        PixelDataSnafu {
            problem: "the number of RLE segments does not fit the pixels",
        }
    );
    let mut samples = vec![0; layout.frame_pixels()];
    for segment in 0..segments {
        let start = word(1 + segment);
        let end = if segment + 1 < segments {
            word(2 + segment)
        } else {
            data.len()
        };
        let bytes = data.get(start..end).context(PixelDataSnafu {
            problem: "an RLE segment lies outside the frame",
        })?;
        let written = unpack(bytes, &mut samples);
        ensure!(
            written == samples.len(),
            PixelDataSnafu {
                problem: "an RLE segment ends before its frame",
            }
        );
    }
    Ok(samples)
}

/// Unpacks a segment (PS3.5, G.3.2) as the next less significant byte of each sample; gives how
/// many samples it had bytes for, at most all. What is left over is padding.
fn unpack(mut bytes: &[u8], samples: &mut [u16]) -> usize {
    let mut written = 0;
    while let [control, rest @ ..] = bytes
        && written < samples.len()
    {
        let control = *control as i8;
        let left = &mut samples[written..];
        if control >= 0 {
            let length = (control as usize + 1).min(rest.len());
            for (sample, &byte) in left.iter_mut().zip(&rest[..length]) {
                *sample = *sample << 8 | u16::from(byte);
            }
            written += length.min(left.len());
            bytes = &rest[length..];
        } else if control == i8::MIN {
            bytes = rest;
        } else {
            let [byte, rest @ ..] = rest else { break };
            let length = left.len().min(1 + usize::from(control.unsigned_abs()));
            for sample in &mut left[..length] {
                *sample = *sample << 8 | u16::from(*byte);
            }
            written += length;
            bytes = rest;
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literal_and_repeated_runs_unpack_as_the_standard_says() {
        let mut samples = [0; 6];
        // Two literal bytes, a control that does nothing, four times 9.
        assert_eq!(unpack(&[1, 7, 8, 128, 0xFD, 9], &mut samples), 6);
        assert_eq!(samples, [7, 8, 9, 9, 9, 9]);
    }

    #[test]
    fn a_run_past_the_frame_is_padding() {
        let mut samples = [0; 2];
        assert_eq!(unpack(&[0xFB, 5, 0, 1], &mut samples), 2);
        assert_eq!(samples, [5, 5]);
    }

    #[test]
    fn a_run_that_is_cut_short_writes_what_is_there() {
        let mut samples = [0; 4];
        assert_eq!(unpack(&[3, 1], &mut samples), 1);
        assert_eq!(unpack(&[0xFE], &mut samples), 0);
    }
}
