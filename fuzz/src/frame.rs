//! A single frame, and the smallest DICOM object that holds it.
//!
//! Of an input the first byte says how many bits there are and whether there is a sign, the next two how many
//! rows and columns beyond 128, and the rest is the frame's one fragment.

/// The fewest rows and columns that attrium reads.
const SMALLEST: u16 = 128;

/// A frame of one fragment.
pub(crate) struct Frame<'a> {
    rows: u16,
    columns: u16,
    bits: u16,
    is_signed: bool,
    fragment: &'a [u8],
}

impl<'a> Frame<'a> {
    pub(crate) fn of(input: &'a [u8]) -> Option<Self> {
        let (&[kind, rows, columns], fragment) = input.split_first_chunk()?;
        let side = |beyond: u8| SMALLEST + u16::from(beyond % 64);
        Some(Self {
            rows: side(rows),
            columns: side(columns),
            bits: if kind & 1 == 0 { 8 } else { 16 },
            is_signed: kind & 2 != 0,
            fragment,
        })
    }

    pub(crate) fn columns(&self) -> usize {
        self.columns.into()
    }

    pub(crate) fn pixels(&self) -> usize {
        usize::from(self.rows) * self.columns()
    }

    pub(crate) fn bytes_per_pixel(&self) -> usize {
        usize::from(self.bits / 8)
    }

    /// The fragment as it is in the object: of an even length.
    pub(crate) fn fragment(&self) -> Vec<u8> {
        let mut fragment = self.fragment.to_vec();
        fragment.resize(fragment.len().next_multiple_of(2), 0);
        fragment
    }

    /// An object with these pixels and nothing of a patient (PS3.10, 7; PS3.5, 7.1.2 and A.4).
    pub(crate) fn object(&self, syntax: &str) -> Vec<u8> {
        let meta = [
            element(0x0002, 0x0002, b"UI", b"1.2.840.10008.5.1.4.1.1.20"),
            element(0x0002, 0x0003, b"UI", b"2.25.1"),
            element(0x0002, 0x0010, b"UI", syntax.as_bytes()),
            element(0x0002, 0x0012, b"UI", b"2.25.2"),
        ];
        let meta = meta.concat();
        let number = |element_number, value: u16| {
            element(0x0028, element_number, b"US", &value.to_le_bytes())
        };
        let parts = [
            vec![0; 128],
            b"DICM".to_vec(),
            element(0x0002, 0x0000, b"UL", &(meta.len() as u32).to_le_bytes()),
            meta,
            number(0x0002, 1),
            element(0x0028, 0x0004, b"CS", b"MONOCHROME2 "),
            element(0x0028, 0x0008, b"IS", b"1 "),
            number(0x0010, self.rows),
            number(0x0011, self.columns),
            number(0x0100, self.bits),
            number(0x0101, self.bits),
            number(0x0102, self.bits - 1),
            number(0x0103, self.is_signed.into()),
            b"\xE0\x7F\x10\x00OB\0\0\xFF\xFF\xFF\xFF".to_vec(),
            item(0xE000, &[]),
            item(0xE000, &self.fragment()),
            item(0xE0DD, &[]),
        ];
        parts.concat()
    }
}

/// An element with a short length; text is padded to an even one.
fn element(group: u16, number: u16, kind: &[u8; 2], value: &[u8]) -> Vec<u8> {
    let length = value.len().next_multiple_of(2);
    let mut bytes = [group.to_le_bytes(), number.to_le_bytes()].concat();
    bytes.extend(kind);
    bytes.extend((length as u16).to_le_bytes());
    bytes.extend(value);
    bytes.resize(8 + length, 0);
    bytes
}

fn item(number: u16, value: &[u8]) -> Vec<u8> {
    let length = (value.len() as u32).to_le_bytes();
    [&[0xFE, 0xFF], &number.to_le_bytes()[..], &length, value].concat()
}
