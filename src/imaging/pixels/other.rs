//! JPEG 2000 and baseline JPEG, decoded by dicom-rs once their own headers have been checked.

use std::panic::{AssertUnwindSafe, catch_unwind};

use dicom_pixeldata::PixelDecoder;
use snafu::{OptionExt, ensure};

use super::Layout;
use crate::imaging::dicom::TransferSyntax;
use crate::imaging::error::{Error, PixelDataSnafu};

/// A frame in a syntax that is rare in nuclear medicine.
///
/// # Errors
/// [`Error::PixelData`] where the frame is not of the layout's size or cannot be decoded.
pub fn decode(data: &[u8], layout: &Layout, syntax: TransferSyntax) -> Result<Vec<u16>, Error> {
    let size = match syntax {
        TransferSyntax::JpegBaseline => jpeg_size(data),
        _ => jpeg_2000_size(data),
    };
    ensure!(
        size == Some([layout.rows, layout.columns]),
        PixelDataSnafu {
            problem: "its frame is not one grey image of the header's size",
        }
    );
    let object = wrap(data, layout, syntax);
    // The decoders index what they were told: a damaged stream may panic instead of failing.
    let bytes = catch_unwind(AssertUnwindSafe(|| {
        let object = dicom_object::from_reader(object.as_slice()).ok()?;
        let decoded = object.decode_pixel_data().ok()?;
        Some(decoded.data().to_vec())
    }))
    .ok()
    .flatten()
    .filter(|bytes| bytes.len() == layout.frame_bytes())
    .context(PixelDataSnafu {
        problem: "its JPEG data are damaged",
    })?;
    Ok(super::native(&bytes, layout, 0, false))
}

/// Rows and columns of a JPEG image with one component (ITU-T T.81, B.2.2).
fn jpeg_size(data: &[u8]) -> Option<[usize; 2]> {
    let mut rest = data.strip_prefix(b"\xFF\xD8")?;
    loop {
        let &[0xFF, kind, high, low, ref tail @ ..] = rest else {
            return None;
        };
        let length = usize::from(u16::from_be_bytes([high, low])).checked_sub(2)?;
        let (segment, after) = tail.split_at_checked(length)?;
        if matches!(kind, 0xC0..=0xC2) {
            let &[_, y1, y0, x1, x0, 1, ..] = segment else {
                return None;
            };
            return Some([[y1, y0], [x1, x0]].map(|side| u16::from_be_bytes(side).into()));
        }
        rest = after;
    }
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
    // Tiles smaller than this would cost more to manage than the image is worth.
    let has_sound_tiles = tile_width >= columns.min(32) && tile_height >= rows.min(32);
    (is_single && has_sound_tiles).then_some([rows as usize, columns as usize])
}

/// The frame as a DICOM file of its own, for a decoder that wants one.
fn wrap(data: &[u8], layout: &Layout, syntax: TransferSyntax) -> Vec<u8> {
    let uid = match syntax {
        TransferSyntax::JpegBaseline => "1.2.840.10008.1.2.4.50",
        TransferSyntax::Jpeg2000 => "1.2.840.10008.1.2.4.91",
        _ => "1.2.840.10008.1.2.4.90",
    };
    let mut file = vec![0; 128];
    file.extend_from_slice(b"DICM");
    let mut meta = Vec::new();
    for (number, value) in [
        (0x02, "1.2.840.10008.5.1.4.1.1.20"),
        (0x03, "1.2.3"),
        (0x10, uid),
    ] {
        put_short(&mut meta, [0x0002, number], b"UI", &padded(value));
    }
    put_short(
        &mut file,
        [0x0002, 0],
        b"UL",
        &(meta.len() as u32).to_le_bytes(),
    );
    file.extend_from_slice(&meta);
    let us = |file: &mut Vec<u8>, element, value: usize| {
        put_short(
            file,
            [0x0028, element],
            b"US",
            &(value as u16).to_le_bytes(),
        );
    };
    us(&mut file, 0x0002, 1);
    put_short(&mut file, [0x0028, 0x0004], b"CS", b"MONOCHROME2 ");
    us(&mut file, 0x0010, layout.rows);
    us(&mut file, 0x0011, layout.columns);
    us(&mut file, 0x0100, layout.bits_allocated as usize);
    us(&mut file, 0x0101, layout.bits_stored as usize);
    us(&mut file, 0x0102, layout.bits_stored as usize - 1);
    us(&mut file, 0x0103, layout.is_signed.into());
    file.extend_from_slice(b"\xE0\x7F\x10\x00OB\x00\x00\xFF\xFF\xFF\xFF");
    file.extend_from_slice(b"\xFE\xFF\x00\xE0\x00\x00\x00\x00\xFE\xFF\x00\xE0");
    let padding = data.len() % 2;
    file.extend_from_slice(&((data.len() + padding) as u32).to_le_bytes());
    file.extend_from_slice(data);
    file.extend(std::iter::repeat_n(0, padding));
    file.extend_from_slice(b"\xFE\xFF\xDD\xE0\x00\x00\x00\x00");
    file
}

fn padded(uid: &str) -> Vec<u8> {
    let mut bytes = uid.as_bytes().to_vec();
    bytes.extend(std::iter::repeat_n(0, uid.len() % 2));
    bytes
}

/// An element with a 16-bit length in explicit VR little endian (PS3.5, Table 7.1-2).
fn put_short(file: &mut Vec<u8>, [group, element]: [u16; 2], vr: &[u8; 2], value: &[u8]) {
    file.extend_from_slice(&group.to_le_bytes());
    file.extend_from_slice(&element.to_le_bytes());
    file.extend_from_slice(vr);
    file.extend_from_slice(&(value.len() as u16).to_le_bytes());
    file.extend_from_slice(value);
}
