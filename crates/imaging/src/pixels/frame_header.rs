//! What a compressed frame says about itself before it is decoded.
//!
//! Decoders set memory aside for the size in a frame's own header, and index the object's image by
//! it, so the frame's header and the object's have to agree.

use snafu::ensure;

use super::marker_segment::segment;
use super::{PixelLayout, codestream};
use crate::dicom::TransferSyntax;
use crate::error::{Error, PixelDataSnafu};

/// Makes sure that a frame is one grey image of the layout's size.
///
/// # Errors
/// [`Error::PixelData`] where it is not.
pub(super) fn check(
    data: &[u8],
    layout: &PixelLayout,
    syntax: TransferSyntax,
) -> Result<(), Error> {
    let fits = match syntax {
        TransferSyntax::JpegBaseline | TransferSyntax::JpegExtended => {
            jpeg_header(data).is_some_and(|(_, size)| size == [layout.rows, layout.columns])
        }
        _ => jpeg_2000_size(data) == Some([layout.rows, layout.columns]),
    };
    ensure!(
        fits,
        PixelDataSnafu {
            problem: "the frame is not one grey image of the header's size",
        }
    );
    let is_jpeg_2000 = matches!(
        syntax,
        TransferSyntax::Jpeg2000Lossless | TransferSyntax::Jpeg2000
    );
    ensure!(
        !is_jpeg_2000 || codestream::is_affordable(data, layout.frame_pixels()),
        PixelDataSnafu {
            problem: "the frame is coded in too many or too small parts for an image",
        }
    );
    Ok(())
}

/// The bits of a sample, and rows and columns, of a JPEG image with one component (ITU-T T.81, B.2.2).
fn jpeg_header(data: &[u8]) -> Option<(u8, [usize; 2])> {
    let mut rest = data.strip_prefix(b"\xFF\xD8")?;
    loop {
        let (kind, parameters, after) = segment(rest)?;
        if matches!(kind, 0xC0..=0xC2) {
            let &[precision, y1, y0, x1, x0, 1, ..] = parameters else {
                return None;
            };
            let size = [[y1, y0], [x1, x0]].map(|side| u16::from_be_bytes(side).into());
            return Some((precision, size));
        }
        rest = after;
    }
}

/// The bits of a sample of a JPEG image with one component.
pub(super) fn jpeg_precision(data: &[u8]) -> Option<u8> {
    jpeg_header(data).map(|(precision, _)| precision)
}

/// Rows and columns of a JPEG 2000 codestream with one component (ITU-T T.800, A.5.1: SOC, then
/// SIZ with the grid's far corner, the image's offset, the tiles and the components).
fn jpeg_2000_size(data: &[u8]) -> Option<[usize; 2]> {
    let siz = data.strip_prefix(b"\xFF\x4F\xFF\x51")?.get(4..38)?;
    let (words, rest) = siz[..32].as_chunks();
    let words: Vec<u32> = words.iter().map(|&word| u32::from_be_bytes(word)).collect();
    let &[right, bottom, left, top, tile_width, tile_height, ..] = words.as_slice() else {
        return None;
    };
    let is_single = siz[32..] == [0, 1] && rest.is_empty();
    let columns = right.checked_sub(left)?;
    let rows = bottom.checked_sub(top)?;
    // Smaller tiles would cost more to manage than the image does.
    let has_sound_tiles = tile_width >= columns.min(32) && tile_height >= rows.min(32);
    (is_single && has_sound_tiles).then_some([rows as usize, columns as usize])
}

/// How many bits a sample of a JPEG 2000 codestream with one component has, from 1 to 16, and
/// whether the first is its sign (T.800, A.5.1: Ssiz).
pub(super) fn jpeg_2000_sign(data: &[u8]) -> Option<(u32, bool)> {
    const SSIZ: usize = 42;
    let depth = *data.get(SSIZ)?;
    let precision = u32::from(depth & 0x7F) + 1;
    (precision <= 16).then_some((precision, depth & 0x80 != 0))
}
