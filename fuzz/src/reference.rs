//! The same frames, read by others.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// A frame of JPEG Lossless by the crate jpeg-decoder; `None` where it refuses, and where it is known to read
/// otherwise than the standard says.
///
/// After a restart a line is predicted as the image's first is (T.81, H.1.2.1), which that crate does not do.
pub(crate) fn jpeg_lossless(fragment: &[u8]) -> Option<Vec<u16>> {
    let has_restarts = fragment.windows(2).any(|pair| pair == [0xFF, 0xDD]);
    if has_restarts {
        return None;
    }
    let decoded = catch_unwind(AssertUnwindSafe(|| {
        jpeg_decoder::Decoder::new(fragment).decode().ok()
    }));
    let decoded: Vec<u8> = decoded.ok()??;
    let is_wide = jpeg_precision(fragment)? != 8;
    Some(if is_wide {
        let (samples, _) = decoded.as_chunks();
        samples.iter().map(|&it| u16::from_ne_bytes(it)).collect()
    } else {
        decoded.into_iter().map(u16::from).collect()
    })
}

/// The bits of a sample by the frame header (T.81, B.2.2).
fn jpeg_precision(fragment: &[u8]) -> Option<u8> {
    let header = fragment.windows(5).find(|it| it.starts_with(&[0xFF, 0xC3]));
    header.map(|header| header[4])
}

/// A frame of RLE as PS3.5, Annex G says; `None` where a segment is missing or too short.
pub(crate) fn rle(fragment: &[u8], pixels: usize, bytes_per_pixel: usize) -> Option<Vec<u16>> {
    const HEADER: usize = 64;
    let (words, _) = fragment.get(..HEADER)?.as_chunks();
    let header: Vec<usize> = words
        .iter()
        .map(|&word| u32::from_le_bytes(word) as usize)
        .collect();
    let count = header[0];
    if count != bytes_per_pixel {
        return None;
    }
    let mut samples = vec![0; pixels];
    // The most significant byte of every pixel comes first (G.2).
    for segment in 0..count {
        let start = header[1 + segment];
        let end = if segment + 1 < count {
            header[2 + segment]
        } else {
            fragment.len()
        };
        let bytes = unpack(fragment.get(start..end)?, pixels);
        if bytes.len() < pixels {
            return None;
        }
        for (sample, byte) in samples.iter_mut().zip(bytes) {
            *sample = *sample << 8 | u16::from(byte);
        }
    }
    Some(samples)
}

/// The bytes of a segment (G.3.2), so many at most.
fn unpack(segment: &[u8], most: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(most);
    let mut rest = segment;
    while let [control, tail @ ..] = rest
        && bytes.len() < most
    {
        rest = match *control as i8 {
            literal @ 0.. => {
                let length = (literal as usize + 1).min(tail.len());
                let (literal, after) = tail.split_at(length);
                bytes.extend(literal);
                after
            }
            -128 => tail,
            run => {
                let [value, after @ ..] = tail else {
                    break;
                };
                bytes.extend(std::iter::repeat_n(*value, (1 - isize::from(run)) as usize));
                after
            }
        };
    }
    bytes.truncate(most);
    bytes
}
