//! JPEG Lossless, Huffman coded (ITU-T T.81, Annex H; PS3.5, A.4.2).

use snafu::{OptionExt, ensure};

use super::PixelLayout;
use super::huffman::{BitReader, HuffmanTable, unstuff};
use crate::error::{Error, PixelDataSnafu};

/// A frame of one component of 2 to 16 bits, as many as are allocated at most, with any of the seven
/// predictors, restart intervals of whole lines included. A point transform, which would lose bits, is
/// refused, and so is a sample of more bits than the frame states.
///
/// # Errors
/// [`Error::PixelData`] where the data are not such a frame or not one of the header's size.
pub(super) fn decode(data: &[u8], layout: &PixelLayout) -> Result<Vec<u16>, Error> {
    let scan = CodedScan::find(data, layout)?;
    let mut samples = vec![0; layout.frame_pixels()];
    let lines = scan.restart_lines.unwrap_or(layout.rows);
    let mut rest = scan.data;
    for interval in samples.chunks_mut(lines * layout.columns) {
        let (bytes, after) = unstuff(rest);
        decode_interval(&scan, &bytes, interval, layout.columns)?;
        rest = after;
    }
    let all_bits = samples.iter().fold(0, |all, &sample| all | sample);
    ensure!(u32::from(all_bits) >> scan.precision == 0, DAMAGED);
    Ok(samples)
}

const DAMAGED: PixelDataSnafu<&str> = PixelDataSnafu {
    problem: "its JPEG data end early or are damaged",
};

/// Markers (T.81, Table B.1).
mod marker {
    pub(super) const SOF3: u8 = 0xC3;
    pub(super) const DHT: u8 = 0xC4;
    pub(super) const SOI: u8 = 0xD8;
    pub(super) const SOS: u8 = 0xDA;
    pub(super) const DRI: u8 = 0xDD;
}

/// Entropy-coded data, and everything that is needed to read them.
struct CodedScan<'a> {
    precision: u32,
    predictor: u8,
    restart_lines: Option<usize>,
    table: HuffmanTable,
    data: &'a [u8],
}

impl<'a> CodedScan<'a> {
    /// Reads the segments up to and including the scan header (T.81, B.2).
    fn find(data: &'a [u8], layout: &PixelLayout) -> Result<Self, Error> {
        let mut bytes = data
            .strip_prefix(&[0xFF, marker::SOI])
            .context(PixelDataSnafu {
                problem: "it does not start as a JPEG image",
            })?;
        let mut precision = None;
        let mut tables = [None; 4];
        let mut restart_lines = None;
        loop {
            let (kind, segment, rest) = next_segment(bytes)?;
            bytes = rest;
            match kind {
                marker::SOF3 => precision = Some(read_frame_header(segment, layout)?),
                marker::DHT => read_tables(segment, &mut tables)?,
                marker::DRI => restart_lines = read_restart_interval(segment, layout)?,
                marker::SOS => {
                    let header = read_scan_header(segment)?;
                    let precision = precision.context(PixelDataSnafu {
                        problem: "its JPEG frame header is missing",
                    })?;
                    return header.with(precision, restart_lines, tables, bytes);
                }
                0xC0..=0xCF => return problem("it is not JPEG Lossless, Huffman coded"),
                _ => {}
            }
        }
    }
}

/// A marker segment: its kind, its parameters, and what follows (T.81, B.1.1.4).
fn next_segment(bytes: &[u8]) -> Result<(u8, &[u8], &[u8]), Error> {
    let mut bytes = bytes;
    while let [0xFF, 0xFF, ..] = bytes {
        bytes = &bytes[1..];
    }
    let [0xFF, kind, high, low, rest @ ..] = bytes else {
        return problem("a JPEG marker is missing");
    };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    match length
        .checked_sub(2)
        .and_then(|length| rest.split_at_checked(length))
    {
        Some((segment, rest)) => Ok((*kind, segment, rest)),
        None => problem("a JPEG segment is cut short"),
    }
}

/// The precision that the frame header states, where its size is the layout's (T.81, B.2.2).
fn read_frame_header(segment: &[u8], layout: &PixelLayout) -> Result<u32, Error> {
    let [precision, y1, y0, x1, x0, components, ..] = *segment else {
        return problem("the JPEG frame header is cut short");
    };
    ensure!(
        usize::from(u16::from_be_bytes([y1, y0])) == layout.rows
            && usize::from(u16::from_be_bytes([x1, x0])) == layout.columns,
        PixelDataSnafu {
            problem: "its frame is of another size than the header says",
        }
    );
    ensure!(
        components == 1 && (2..=16).contains(&precision),
        PixelDataSnafu {
            problem: "its frame is not one component of 2 to 16 bits",
        }
    );
    ensure!(
        u32::from(precision) <= layout.bits_allocated,
        PixelDataSnafu {
            problem: "the frame has other bits than the header says",
        }
    );
    Ok(precision.into())
}

/// A Huffman table as it is written: how many codes have each length, and their categories. Only the
/// one that the scan uses becomes a [`HuffmanTable`], which takes a thousand times as many bytes.
type RawTable<'a> = (&'a [u8; 16], &'a [u8]);

const INVALID_TABLE: &str = "a Huffman table is not valid";

/// Huffman tables of the first class, by their destination (T.81, B.2.4.2).
fn read_tables<'a>(segment: &'a [u8], tables: &mut [Option<RawTable<'a>>; 4]) -> Result<(), Error> {
    let mut segment = segment;
    while let Some((&[class_and_place, ref counts @ ..], rest)) = segment.split_first_chunk::<17>()
    {
        let total = counts.iter().map(|&count| usize::from(count)).sum();
        let place = tables.get_mut(usize::from(class_and_place));
        let (Some(place), Some((categories, rest))) = (place, rest.split_at_checked(total)) else {
            return problem(INVALID_TABLE);
        };
        *place = Some((counts, categories));
        segment = rest;
    }
    Ok(())
}

/// Lines between restart markers; `None` where there are no markers (T.81, B.2.4.4; H.1.1 asks for
/// whole lines).
fn read_restart_interval(segment: &[u8], layout: &PixelLayout) -> Result<Option<usize>, Error> {
    let &[high, low] = segment else {
        return problem("its restart interval is not valid");
    };
    let interval = usize::from(u16::from_be_bytes([high, low]));
    ensure!(
        interval.is_multiple_of(layout.columns),
        PixelDataSnafu {
            problem: "its restart interval is not of whole lines",
        }
    );
    Ok((interval > 0).then_some(interval / layout.columns))
}

struct ScanHeader {
    table: usize,
    predictor: u8,
}

/// The scan header (T.81, B.2.3 and Table B.3).
fn read_scan_header(segment: &[u8]) -> Result<ScanHeader, Error> {
    match *segment {
        [1, _, table, predictor @ 1..=7, _, transform] if transform & 0x0F == 0 => Ok(ScanHeader {
            table: usize::from(table >> 4),
            predictor,
        }),
        _ => problem("its scan header is not that of one lossless component"),
    }
}

impl ScanHeader {
    fn with<'a>(
        self,
        precision: u32,
        restart_lines: Option<usize>,
        tables: [Option<RawTable<'_>>; 4],
        data: &'a [u8],
    ) -> Result<CodedScan<'a>, Error> {
        let raw = tables.get(self.table).copied().flatten();
        let (counts, categories) = raw.context(PixelDataSnafu {
            problem: "its Huffman table is missing",
        })?;
        let table = HuffmanTable::new(*counts, categories).context(PixelDataSnafu {
            problem: INVALID_TABLE,
        })?;
        Ok(CodedScan {
            precision,
            predictor: self.predictor,
            restart_lines,
            table,
            data,
        })
    }
}

/// The lines between two restarts (T.81, H.1.2.1).
///
/// The first sample is predicted as half the range, the rest of the first line from the left, the
/// first of every other line from above, and all others by the scan's predictor.
fn decode_interval(
    scan: &CodedScan<'_>,
    bytes: &[u8],
    samples: &mut [u16],
    columns: usize,
) -> Result<(), Error> {
    let mut bits = BitReader::new(bytes);
    let mut above: &mut [u16] = &mut [];
    for line in samples.chunks_mut(columns) {
        let first = match above.first() {
            Some(&above) => above,
            None => 1 << (scan.precision - 1),
        };
        let predictor = if above.is_empty() { 1 } else { scan.predictor };
        decode_line(&scan.table, &mut bits, predictor, first, above, line)
            .filter(|()| !bits.is_overdrawn())
            .context(DAMAGED)?;
        above = line;
    }
    Ok(())
}

/// One line; `above` is empty where it is the first.
///
/// Predictors are those of T.81, Table H.1: `a` is to the left, `b` above, `c` above to the left.
fn decode_line(
    table: &HuffmanTable,
    bits: &mut BitReader<'_>,
    predictor: u8,
    first: u16,
    above: &[u16],
    line: &mut [u16],
) -> Option<()> {
    let (start, rest) = line.split_first_mut()?;
    *start = first.wrapping_add(table.read(bits)?);
    let start = *start;
    match predictor {
        1 => decode_from_left(table, bits, start, rest),
        2 => decode_by(table, bits, start, above, rest, |_, b, _| b),
        3 => decode_by(table, bits, start, above, rest, |_, _, c| c),
        4 => decode_by(table, bits, start, above, rest, |a, b, c| a + b - c),
        5 => decode_by(table, bits, start, above, rest, |a, b, c| {
            a + ((b - c) >> 1)
        }),
        6 => decode_by(table, bits, start, above, rest, |a, b, c| {
            b + ((a - c) >> 1)
        }),
        _ => decode_by(table, bits, start, above, rest, |a, b, _| (a + b) >> 1),
    }
}

/// The predictor of JPEG Lossless SV1, which is nearly every file's.
fn decode_from_left(
    table: &HuffmanTable,
    bits: &mut BitReader<'_>,
    start: u16,
    rest: &mut [u16],
) -> Option<()> {
    let mut left = start;
    let mut next = 0;
    // A reader of its own stays in registers.
    let mut own = *bits;
    // A pair may have one difference, so the last sample of a line is read by itself.
    while next + 1 < rest.len() {
        let pair = table.read_pair(&mut own)?;
        rest[next] = left.wrapping_add(pair.first);
        rest[next + 1] = left.wrapping_add(pair.sum);
        left = left.wrapping_add(pair.sum);
        next += pair.count;
    }
    if let Some(last) = rest.get_mut(next) {
        *last = left.wrapping_add(table.read(&mut own)?);
    }
    *bits = own;
    Some(())
}

fn decode_by(
    table: &HuffmanTable,
    bits: &mut BitReader<'_>,
    start: u16,
    above: &[u16],
    rest: &mut [u16],
    predict: impl Fn(i32, i32, i32) -> i32,
) -> Option<()> {
    let mut left = start;
    for (sample, pair) in rest.iter_mut().zip(above.array_windows::<2>()) {
        let [above_left, above] = pair.map(i32::from);
        let predicted = predict(left.into(), above, above_left) as u16;
        left = predicted.wrapping_add(table.read(bits)?);
        *sample = left;
    }
    Some(())
}

fn problem<T>(problem: &'static str) -> Result<T, Error> {
    PixelDataSnafu { problem }.fail()
}
