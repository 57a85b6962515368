//! What a JPEG 2000 codestream asks of its decoder (ITU-T T.800, Annex A).
//!
//! The decoder sets memory aside for every code block in every layer before it reads a packet, and a
//! header of a hundred bytes can ask for a block a pixel. So the segments are walked over first, just as
//! the decoder reads them. What an image of one component has no use for is refused, and so is what the
//! decoder might read otherwise: a second coding style, and a segment whose length is not that of its
//! contents.

use super::marker_segment::segment;

/// The most code blocks, each counted once for every layer; a scan has a few hundred.
const MAX_BLOCKS: usize = 1 << 21;

/// The exponent of a code block's smallest side (T.800, Table A.18).
const MIN_BLOCK: u8 = 2;

/// Markers (T.800, Table A.2), without the byte 0xFF that each begins with.
mod marker {
    pub(super) const SOC: [u8; 2] = [0xFF, 0x4F];
    pub(super) const SOT: [u8; 2] = [0xFF, 0x90];
    pub(super) const SOD: [u8; 2] = [0xFF, 0x93];
    pub(super) const SIZ: u8 = 0x51;
    pub(super) const COD: u8 = 0x52;
    pub(super) const TLM: u8 = 0x55;
    pub(super) const PLT: u8 = 0x58;
    pub(super) const QCD: u8 = 0x5C;
    pub(super) const POC: u8 = 0x5F;
    pub(super) const PPM: u8 = 0x60;
    pub(super) const PPT: u8 = 0x61;
    pub(super) const CRG: u8 = 0x63;
    pub(super) const COM: u8 = 0x64;
}

/// Whether an image of one component and so many pixels is divided into few enough code blocks.
pub(super) fn is_affordable(data: &[u8], pixels: usize) -> bool {
    let blocks = coding_style(data).and_then(|style| blocks(style, pixels));
    blocks.is_some_and(|blocks| blocks <= MAX_BLOCKS)
}

/// The parameters of the one COD segment, if the segments are as they should be.
fn coding_style(data: &[u8]) -> Option<&[u8]> {
    let mut style = None;
    let mut rest = data.strip_prefix(&marker::SOC)?;
    while !rest.starts_with(&marker::SOT) {
        let (kind, parameters, after) = segment(rest)?;
        let is_sound = match kind {
            marker::SIZ => parameters.len() == 39,
            marker::COD => style.replace(parameters).is_none(),
            marker::QCD => is_quantization(parameters),
            marker::TLM | marker::POC | marker::PPM | marker::CRG | marker::COM => true,
            _ => false,
        };
        rest = is_sound.then_some(after)?;
    }
    while rest.starts_with(&marker::SOT) {
        rest = after_tile_part(rest)?;
    }
    style
}

/// What follows a tile-part (T.800, A.4.2): its length includes its marker, and is 0 where it is the
/// last. Some writers leave out all that should follow its first segment.
fn after_tile_part(data: &[u8]) -> Option<&[u8]> {
    let (_, start, mut rest) = segment(data)?;
    let &[_, _, a, b, c, d, _, _] = start else {
        return None;
    };
    let end = match u32::from_be_bytes([a, b, c, d]) as usize {
        0 => data.len(),
        length => length,
    };
    let mut header = data.len() - rest.len();
    while header < end && !rest.starts_with(&marker::SOD) {
        let (kind, parameters, after) = segment(rest)?;
        let is_sound = match kind {
            marker::QCD => is_quantization(parameters),
            marker::PLT | marker::POC | marker::PPT | marker::COM => true,
            _ => false,
        };
        rest = is_sound.then_some(after)?;
        header = data.len() - rest.len();
    }
    if header < end {
        header += marker::SOD.len();
    }
    (header <= end).then(|| data.get(end..).unwrap_or_default())
}

/// Whether a QCD segment is as long as its style says (T.800, A.6.4).
fn is_quantization(parameters: &[u8]) -> bool {
    match parameters {
        [style, steps @ ..] => match style & 0x1F {
            0 => true,
            1 => steps.len() == 2,
            2 => steps.len().is_multiple_of(2),
            _ => false,
        },
        [] => false,
    }
}

/// The code blocks in all layers by the parameters of a COD segment (T.800, A.6.1 and B.7): a block ends
/// at its precinct, which above the lowest resolution is halved in each subband.
fn blocks(style: &[u8], pixels: usize) -> Option<usize> {
    let &[
        flags,
        _,
        high,
        low,
        _,
        levels,
        width,
        height,
        _,
        _,
        ref precincts @ ..,
    ] = style
    else {
        return None;
    };
    let is_whole = precincts.len() == usize::from(flags & 1) * (usize::from(levels) + 1);
    let mut sides = [width.checked_add(2)?, height.checked_add(2)?];
    for (resolution, precinct) in precincts.iter().enumerate() {
        let precinct = [precinct & 0x0F, precinct >> 4];
        for (side, exponent) in sides.iter_mut().zip(precinct) {
            *side = (*side).min(exponent.checked_sub(u8::from(resolution > 0))?);
        }
    }
    let is_sound = is_whole && sides.iter().all(|side| (MIN_BLOCK..=10).contains(side));
    let layers = usize::from(u16::from_be_bytes([high, low]));
    is_sound.then(|| pixels.div_ceil(1 << (sides[0] + sides[1])) * layers)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LARGEST: usize = 4096 * 4096;
    /// One layer, five decompositions, blocks of 64 x 64, precincts of the largest size.
    const USUAL: [u8; 10] = [0, 0, 0, 1, 0, 5, 4, 4, 0, 1];

    fn with_length(kind: u8, parameters: &[u8]) -> Vec<u8> {
        let length = (parameters.len() as u16 + 2).to_be_bytes();
        [&[0xFF, kind], &length[..], parameters].concat()
    }

    /// A codestream with segments after SIZ, and in the header of its one tile-part.
    fn stream(main: &[Vec<u8>], tile_part: &[Vec<u8>]) -> Vec<u8> {
        let header = tile_part.concat();
        let length = (12 + header.len() as u32 + 2 + 4).to_be_bytes();
        let start = [&[0, 0], &length[..], &[0, 1]].concat();
        let parts = [
            marker::SOC.to_vec(),
            with_length(marker::SIZ, &[0; 39]),
            main.concat(),
            with_length(marker::SOT[1], &start),
            header,
            marker::SOD.to_vec(),
            b"data\xFF\xD9".to_vec(),
        ];
        parts.concat()
    }

    fn cod(parameters: &[u8]) -> Vec<u8> {
        with_length(marker::COD, parameters)
    }

    fn is_affordable_with(main: &[Vec<u8>], tile_part: &[Vec<u8>]) -> bool {
        is_affordable(&stream(main, tile_part), LARGEST)
    }

    #[test]
    fn what_encoders_write_is_affordable_at_any_size() {
        let quantization = with_length(marker::QCD, &[0x40; 17]);
        let comment = with_length(marker::COM, b"\0\x01an encoder");
        assert!(is_affordable_with(
            &[cod(&USUAL), quantization.clone(), comment],
            &[]
        ));
        let lengths = with_length(marker::PLT, &[0, 1]);
        assert!(is_affordable_with(&[cod(&USUAL)], &[quantization, lengths]));
        // Twelve layers, blocks of 32 x 32, precincts of 256 x 256 down to 128 x 128.
        let rich = [&[1, 2, 0, 12, 0, 2, 3, 3, 0, 1][..], &[0x77, 0x88, 0x88]].concat();
        assert!(is_affordable_with(&[cod(&rich)], &[]));
    }

    #[test]
    fn a_block_a_pixel_in_every_layer_is_refused() {
        let tiny = [&[1, 0, 0, 32, 0, 1, 4, 4, 0, 1][..], &[0x00, 0x11]].concat();
        assert!(!is_affordable_with(&[cod(&tiny)], &[]));
        let layered = [0, 0, 0, 32, 0, 5, 0, 0, 0, 1];
        assert!(!is_affordable_with(&[cod(&layered)], &[]));
    }

    #[test]
    fn a_coding_style_that_would_be_read_later_is_refused() {
        let usual = || cod(&USUAL);
        let component = with_length(0x53, &[&[0, 0][..], &USUAL[5..]].concat());
        for hidden in [usual(), component] {
            assert!(!is_affordable_with(&[usual(), hidden.clone()], &[]));
            assert!(!is_affordable_with(&[usual()], &[hidden]));
        }
        // Lengths that would hide a segment from a walk that trusts them.
        let long = cod(&[&USUAL[..], &usual()].concat());
        assert!(!is_affordable_with(&[long], &[]));
        let derived = with_length(marker::QCD, &[&[1, 0, 0][..], &usual()].concat());
        assert!(!is_affordable_with(&[usual(), derived], &[]));
        assert!(!is_affordable_with(&[], &[]));
    }

    #[test]
    fn a_tile_part_that_ends_within_its_header_is_refused() {
        let mut data = stream(&[cod(&USUAL)], &[with_length(marker::PLT, &[0; 9])]);
        let start = data.len() - 8 - 13 - 12;
        assert!(is_affordable(&data, LARGEST));
        data[start + 6..start + 10].copy_from_slice(&20_u32.to_be_bytes());
        assert!(!is_affordable(&data, LARGEST));
        data[start + 6..start + 10].copy_from_slice(&0_u32.to_be_bytes());
        assert!(is_affordable(&data, LARGEST));
    }
}
