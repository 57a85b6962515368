use std::borrow::Cow;

use crate::imaging::dicom;
use crate::imaging::error::{Error, PixelDataSnafu};

/// The compressed bytes of one of `frames` frames (PS3.5, A.4).
///
/// A frame is one fragment, or every fragment where it is alone, or those from its entry of the
/// basic offset table to the next.
///
/// # Errors
/// [`Error::PixelData`] where the fragments do not tell the frames apart, or are broken.
pub fn of_frame(bytes: &[u8], frames: usize, frame: usize) -> Result<Cow<'_, [u8]>, Error> {
    let mut fragments = dicom::fragments(bytes)?;
    if fragments.len() < 2 {
        return problem("it has no fragments");
    }
    let table = offsets(fragments.remove(0));
    if fragments.len() == frames {
        return Ok(Cow::Borrowed(fragments[frame]));
    }
    if frames == 1 {
        return Ok(Cow::Owned(fragments.concat()));
    }
    if table.len() != frames {
        return problem("its fragments do not tell the frames apart");
    }
    let start = table[frame];
    let end = table.get(frame + 1).copied().unwrap_or(u64::MAX);
    let mut offset = 0;
    let mut data = Vec::new();
    for fragment in fragments {
        if (start..end).contains(&offset) {
            data.extend_from_slice(fragment);
        }
        // A fragment's header is its tag and its length, four bytes each.
        offset += 8 + fragment.len() as u64;
    }
    Ok(Cow::Owned(data))
}

fn offsets(table: &[u8]) -> Vec<u64> {
    let (offsets, _) = table.as_chunks();
    offsets
        .iter()
        .map(|&offset| u32::from_le_bytes(offset).into())
        .collect()
}

fn problem<T>(problem: &'static str) -> Result<T, Error> {
    PixelDataSnafu { problem }.fail()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encapsulated(fragments: &[&[u8]]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for fragment in fragments {
            bytes.extend_from_slice(b"\xFE\xFF\x00\xE0");
            bytes.extend_from_slice(&(fragment.len() as u32).to_le_bytes());
            bytes.extend_from_slice(fragment);
        }
        bytes
    }

    #[test]
    fn one_fragment_a_frame_needs_no_table() {
        let bytes = encapsulated(&[b"", b"ab", b"cd"]);
        assert_eq!(*of_frame(&bytes, 2, 1).expect("two frames"), *b"cd");
    }

    #[test]
    fn all_fragments_are_the_only_frames() {
        let bytes = encapsulated(&[b"", b"ab", b"cd"]);
        assert_eq!(*of_frame(&bytes, 1, 0).expect("one frame"), *b"abcd");
    }

    #[test]
    fn the_offset_table_tells_frames_of_several_fragments_apart() {
        let bytes = encapsulated(&[b"\x00\x00\x00\x00\x14\x00\x00\x00", b"ab", b"cd", b"ef"]);
        assert_eq!(*of_frame(&bytes, 2, 0).expect("the first"), *b"abcd");
        assert_eq!(*of_frame(&bytes, 2, 1).expect("the second"), *b"ef");
    }

    #[test]
    fn fragments_that_could_be_any_frame_are_refused() {
        let bytes = encapsulated(&[b"", b"ab", b"cd", b"ef"]);
        assert_eq!(
            of_frame(&bytes, 2, 0).expect_err("no table").reason(),
            "pixel-data"
        );
    }
}
