//! CSV as spreadsheets save it: separators, byte-order mark and line ends of any kind.

use csv::{ByteRecord, Reader, ReaderBuilder};

/// A line that is not UTF-8, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotUtf8 {
    pub(super) line: u64,
}

/// Reads a table row by row, and knows on which line an editor shows each.
pub(super) struct SpreadsheetReader<'a> {
    bytes: &'a [u8],
    reader: Reader<&'a [u8]>,
    /// The current row.
    pub(super) record: ByteRecord,
    /// Where the current row begins, and on which line.
    at: usize,
    /// The line of the current row, from 1.
    pub(super) line: u64,
}

impl<'a> SpreadsheetReader<'a> {
    /// A table with the separator that the first line has more of.
    ///
    /// # Errors
    /// [`NotUtf8`] for UTF-16, by its byte-order mark.
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, NotUtf8> {
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
            return Err(NotUtf8 { line: 1 });
        }
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let mut lines = bytes.split(|byte| is_break(*byte));
        let header = lines.find(|line| !line.is_empty()).unwrap_or_default();
        let count = |separator| header.iter().filter(|&&byte| byte == separator).count();
        let delimiter = if count(b';') > count(b',') {
            b';'
        } else {
            b','
        };
        let reader = ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(bytes);
        Ok(Self {
            bytes,
            reader,
            record: ByteRecord::new(),
            at: 0,
            line: 1,
        })
    }

    /// Moves to the next row that has a value; `false` after the last.
    ///
    /// # Errors
    /// [`NotUtf8`] where the reader fails.
    pub(super) fn advance(&mut self) -> Result<bool, NotUtf8> {
        loop {
            let read = self.reader.read_byte_record(&mut self.record).ok();
            if !read.ok_or(NotUtf8 { line: self.line })? {
                return Ok(false);
            }
            self.locate();
            if self.record.iter().any(|value| !value.is_empty()) {
                return Ok(true);
            }
        }
    }

    /// Finds the line of the current row: the reader's own position is before the blank lines
    /// that it skipped.
    fn locate(&mut self) {
        let position = self.record.position().map_or(0, csv::Position::byte) as usize;
        let skipped = self.bytes[position..]
            .iter()
            .take_while(|byte| is_break(**byte));
        let start = position + skipped.count();
        for at in self.at..start {
            let next = self.bytes.get(at + 1);
            let ends = match self.bytes[at] {
                b'\n' => true,
                b'\r' => next != Some(&b'\n'),
                _ => false,
            };
            self.line += u64::from(ends);
        }
        self.at = start;
    }
}

const fn is_break(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// A value of a record as text, without the zero byte that pads a UID in DICOM.
pub(super) fn value(record: &ByteRecord, place: usize, line: u64) -> Result<&str, NotUtf8> {
    let value = record.get(place).unwrap_or_default();
    let value = std::str::from_utf8(value).map_err(|_| NotUtf8 { line })?;
    Ok(value.trim_matches(|c: char| c.is_whitespace() || c == '\0'))
}
