//! Huffman-coded differences of JPEG Lossless: the bits, and the table that reads them.

use std::borrow::Cow;

/// How many bits the fast table looks at.
const FAST_BITS: u32 = 12;

/// Removes the escapes from entropy-coded data; gives the data's bytes up to the next marker, and
/// what follows that.
///
/// A byte 0xFF of the data is followed by a zero (T.81, B.1.1.5); any other pair is a marker,
/// except for fill bytes 0xFF (B.1.1.2).
pub(super) fn unstuff(data: &[u8]) -> (Cow<'_, [u8]>, &[u8]) {
    let Some(first) = data.iter().position(|&byte| byte == 0xFF) else {
        return (Cow::Borrowed(data), &[]);
    };
    let mut bytes = Vec::with_capacity(data.len());
    let (clean, mut rest) = data.split_at(first);
    bytes.extend_from_slice(clean);
    loop {
        match rest {
            [0xFF, 0, tail @ ..] => {
                let run = tail
                    .iter()
                    .position(|&byte| byte == 0xFF)
                    .unwrap_or(tail.len());
                let (clean, after) = tail.split_at(run);
                bytes.push(0xFF);
                bytes.extend_from_slice(clean);
                rest = after;
            }
            [0xFF, 0xFF, ..] => rest = &rest[1..],
            [0xFF, _, tail @ ..] => return (Cow::Owned(bytes), tail),
            _ => return (Cow::Owned(bytes), &[]),
        }
    }
}

/// Reads bits from the most significant down; zeros follow the last byte.
#[derive(Clone, Copy)]
pub(super) struct BitReader<'a> {
    bytes: &'a [u8],
    /// The next bits, left-aligned.
    window: u64,
    /// How many bits of the window are known.
    known: u32,
    /// How many known bits, at most, are zeros that follow the last byte.
    padding: u64,
}

impl<'a> BitReader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            window: 0,
            known: 0,
            padding: 0,
        }
    }

    /// Makes at least 32 bits known: two of the fast table's entries, or the longest difference.
    #[inline]
    fn refill(&mut self) {
        if self.known >= 32 {
            return;
        }
        match self.bytes.first_chunk::<8>() {
            Some(chunk) => {
                self.window |= u64::from_be_bytes(*chunk) >> self.known;
                let bytes = (63 - self.known) >> 3;
                self.bytes = &self.bytes[bytes as usize..];
                self.known += bytes * 8;
            }
            None => *self = self.refilled_near_the_end(),
        }
    }

    /// By value, so that a reader whose address nobody takes stays in registers.
    #[cold]
    fn refilled_near_the_end(mut self) -> Self {
        while self.known <= 56 {
            if let Some((&byte, rest)) = self.bytes.split_first() {
                self.window |= u64::from(byte) << (56 - self.known);
                self.bytes = rest;
            } else {
                self.padding += 8;
            }
            self.known += 8;
        }
        self
    }

    #[inline]
    const fn skip(&mut self, count: u32) {
        self.window = self.window.wrapping_shl(count);
        self.known = self.known.wrapping_sub(count);
    }

    /// Whether more bits were taken than there are.
    pub(super) const fn is_overdrawn(&self) -> bool {
        self.padding > self.known as u64
    }
}

/// A Huffman table for differences (T.81, C and H.1.2.2).
pub(super) struct HuffmanTable {
    /// Entries by the next [`FAST_BITS`] bits.
    fast: Box<[FastEntry; 1 << FAST_BITS]>,
    /// By code length minus one: the first code that is longer, left-aligned to 16 bits, and what to
    /// add to a code of this length to get its place in `categories`.
    ends: [(u32, i32); 16],
    categories: Vec<u8>,
}

/// What the next bits mean: one difference, two, or none where more bits are needed to tell.
#[derive(Clone, Copy, Default)]
struct FastEntry {
    first: i16,
    /// The first and the second together; the first alone where there is one.
    sum: i16,
    /// Bits of the first.
    bits_of_first: u8,
    /// Bits of all.
    bits: u8,
    count: u8,
}

/// One difference or two in a row, modulo 65536.
pub(super) struct DifferencePair {
    pub first: u16,
    /// The first and the second together; the first alone where there is one.
    pub sum: u16,
    /// How many there are.
    pub count: usize,
}

impl HuffmanTable {
    /// Builds the table of a DHT segment from the number of codes of each length and their categories
    /// in order; `None` where these are not a prefix code of categories up to 16.
    pub(super) fn new(counts: [u8; 16], categories: &[u8]) -> Option<Self> {
        let mut ends = [(0, 0); 16];
        let mut code = 0_u32;
        let mut place = 0_i32;
        for (length, (end, &count)) in ends.iter_mut().zip(&counts).enumerate() {
            let offset = place - code as i32;
            code += u32::from(count);
            place += i32::from(count);
            if code > 2 << length {
                return None;
            }
            *end = (code << (15 - length), offset);
            code <<= 1;
        }
        let is_complete = place as usize == categories.len();
        if !is_complete || categories.iter().any(|&category| category > 16) {
            return None;
        }
        let mut table = Self {
            fast: Box::new([FastEntry::default(); 1 << FAST_BITS]),
            ends,
            categories: categories.to_vec(),
        };
        for bits in 0..1 << FAST_BITS {
            table.fast[bits as usize] = table.fast_entry(bits);
        }
        Some(table)
    }

    fn fast_entry(&self, bits: u32) -> FastEntry {
        let window = u64::from(bits) << (64 - FAST_BITS);
        let within = |used: u32| {
            let read = self.slow(window << used);
            read.filter(|&(_, length)| used + length <= FAST_BITS)
        };
        let Some((first, bits_of_first)) = within(0) else {
            return FastEntry::default();
        };
        let (second, bits_of_second) = within(bits_of_first).unwrap_or((0, 0));
        FastEntry {
            first,
            sum: first.wrapping_add(second),
            bits_of_first: bits_of_first as u8,
            bits: (bits_of_first + bits_of_second) as u8,
            count: if bits_of_second > 0 { 2 } else { 1 },
        }
    }

    /// The difference at the front of a window of bits, modulo 65536, and its length in bits.
    #[cold]
    fn slow(&self, window: u64) -> Option<(i16, u32)> {
        let next = (window >> 48) as u32;
        let length = self.ends.iter().position(|&(end, _)| next < end)?;
        let (_, offset) = self.ends[length];
        let code = (next >> (15 - length)) as i32;
        let category = u32::from(*self.categories.get((code + offset) as usize)?);
        let length = length as u32 + 1;
        Some(match category {
            0 => (0, length),
            // The one difference of category 16 has no further bits (T.81, H.1.2.2).
            16 => (i16::MIN, length),
            _ => {
                let bits = (window << length >> (64 - category)) as i32;
                // Values below the middle are negative (T.81, F.2.2.1, EXTEND).
                let is_negative = bits >> (category - 1) == 0;
                let difference = bits - (i32::from(is_negative) * ((1 << category) - 1));
                (difference as i16, length + category)
            }
        })
    }

    #[inline]
    fn look_up(&self, bits: &mut BitReader<'_>) -> FastEntry {
        bits.refill();
        self.fast[(bits.window >> (64 - FAST_BITS)) as usize]
    }

    /// Reads the next one or two differences.
    #[inline]
    pub(super) fn read_pair(&self, bits: &mut BitReader<'_>) -> Option<DifferencePair> {
        let fast = self.look_up(bits);
        if fast.count == 0 {
            let difference = self.read_slowly(bits)?;
            return Some(DifferencePair {
                first: difference,
                sum: difference,
                count: 1,
            });
        }
        bits.skip(fast.bits.into());
        Some(DifferencePair {
            first: fast.first as u16,
            sum: fast.sum as u16,
            count: fast.count.into(),
        })
    }

    /// Reads the next difference, modulo 65536.
    #[inline]
    pub(super) fn read(&self, bits: &mut BitReader<'_>) -> Option<u16> {
        let fast = self.look_up(bits);
        if fast.count == 0 {
            return self.read_slowly(bits);
        }
        bits.skip(fast.bits_of_first.into());
        Some(fast.first as u16)
    }

    #[inline]
    fn read_slowly(&self, bits: &mut BitReader<'_>) -> Option<u16> {
        let (difference, length) = self.slow(bits.window)?;
        bits.skip(length);
        Some(difference as u16)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Codes 0 and 10 and 110 for the categories 0, 1 and 2.
    fn table() -> HuffmanTable {
        let mut counts = [0; 16];
        counts[..3].fill(1);
        HuffmanTable::new(counts, &[0, 1, 2]).expect("should be a prefix code")
    }

    #[test]
    fn differences_extend_as_the_standard_says() {
        // 0 | 10 0 | 10 1 | 110 00 | 110 11, then ones.
        let bytes = [0b0100_1011, 0b1000_1101, 0b1111_1111];
        let mut bits = BitReader::new(&bytes);
        let read: Vec<i16> = (0..5)
            .map(|_| table().read(&mut bits).expect("a code") as i16)
            .collect();
        assert_eq!(read, [0, -1, 1, -3, 3]);
        assert!(!bits.is_overdrawn());
    }

    #[test]
    fn pairs_are_the_same_differences() {
        let bytes = [0b0100_1011, 0b1000_1101, 0b1111_1111];
        let mut bits = BitReader::new(&bytes);
        let mut read = Vec::new();
        while read.len() < 4 {
            let pair = table().read_pair(&mut bits).expect("a code");
            let second = pair.sum.wrapping_sub(pair.first);
            read.extend(
                [pair.first as i16, second as i16]
                    .into_iter()
                    .take(pair.count),
            );
        }
        assert_eq!(read, [0, -1, 1, -3]);
    }

    #[test]
    fn a_code_that_is_not_in_the_table_is_not_read() {
        assert_eq!(table().read(&mut BitReader::new(&[0xFF; 9])), None);
    }

    #[test]
    fn bits_past_the_end_are_noticed() {
        let mut bits = BitReader::new(&[0b1101_1000]);
        for _ in 0..4 {
            table().read(&mut bits).expect("a code");
        }
        assert!(!bits.is_overdrawn());
        table().read(&mut bits).expect("zeros follow the end");
        assert!(bits.is_overdrawn());
    }

    #[test]
    fn counts_that_are_not_a_prefix_code_are_refused() {
        let mut counts = [0; 16];
        counts[0] = 3;
        assert!(HuffmanTable::new(counts, &[0, 1, 2]).is_none());
        counts[0] = 1;
        assert!(HuffmanTable::new(counts, &[17]).is_none());
        assert!(HuffmanTable::new(counts, &[1, 2]).is_none());
    }

    #[test]
    fn escaped_bytes_are_undone_up_to_the_marker() {
        let (bytes, rest) = unstuff(&[1, 0xFF, 0, 2, 0xFF, 0xFF, 0xD0, 3]);
        assert_eq!(*bytes, [1, 0xFF, 2]);
        assert_eq!(rest, [3]);
        let (bytes, rest) = unstuff(&[0xFF, 0]);
        assert_eq!(*bytes, [0xFF]);
        assert_eq!(rest, [] as [u8; 0]);
    }
}
