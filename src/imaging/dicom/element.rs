use snafu::Snafu;

use super::AttributeName;

/// How deep sequences of undefined length may nest; real objects stay below ten.
const MAX_DEPTH: usize = 32;

/// A length field that says "until the delimiter" (PS3.5, 7.1.1).
const UNDEFINED: u32 = u32::MAX;

const ITEM: Tag = Tag(0xFFFE, 0xE000);
const ITEM_END: Tag = Tag(0xFFFE, 0xE00D);
const SEQUENCE_END: Tag = Tag(0xFFFE, 0xE0DD);

/// Group and element number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tag(pub u16, pub u16);

/// A value representation: its two letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vr(pub [u8; 2]);

impl Vr {
    /// Whether an explicit header has a 16-bit length (PS3.5, Table 7.1-2); any other, known or
    /// not, has two reserved bytes and a 32-bit length (Table 7.1-1).
    fn has_short_length(self) -> bool {
        matches!(
            &self.0,
            b"AE"
                | b"AS"
                | b"AT"
                | b"CS"
                | b"DA"
                | b"DS"
                | b"DT"
                | b"FD"
                | b"FL"
                | b"IS"
                | b"LO"
                | b"LT"
                | b"PN"
                | b"SH"
                | b"SL"
                | b"SS"
                | b"ST"
                | b"TM"
                | b"UI"
                | b"UL"
                | b"US"
        )
    }
}

/// How a data set is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding {
    /// Whether headers name their value representation.
    pub explicit: bool,
    /// Whether numbers have their most significant byte first.
    pub big_endian: bool,
}

impl Encoding {
    pub const IMPLICIT_LITTLE: Self = Self {
        explicit: false,
        big_endian: false,
    };
    pub const EXPLICIT_LITTLE: Self = Self {
        explicit: true,
        big_endian: false,
    };
    pub const EXPLICIT_BIG: Self = Self {
        explicit: true,
        big_endian: true,
    };

    pub fn u16(self, bytes: [u8; 2]) -> u16 {
        if self.big_endian {
            u16::from_be_bytes(bytes)
        } else {
            u16::from_le_bytes(bytes)
        }
    }

    pub fn u32(self, bytes: [u8; 4]) -> u32 {
        if self.big_endian {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        }
    }
}

/// Bytes that are no data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Snafu)]
pub enum Malformed {
    /// A header or a value goes on past the end.
    #[snafu(display("the object ends inside an element at byte {position}"))]
    CutShort {
        /// Where the element starts, in bytes from the start of its data set.
        position: usize,
    },
    /// What should be an element is none.
    #[snafu(display("there is no element at byte {position}"))]
    NoElement {
        /// Where, in bytes from the start of its data set.
        position: usize,
    },
    /// Sequences nest deeper than any real object's.
    #[snafu(display("sequences nest more than {MAX_DEPTH} deep at byte {position}"))]
    TooDeep {
        /// Where, in bytes from the start of its data set.
        position: usize,
    },
}

/// What an element holds, as bytes of the object.
#[derive(Clone, Copy)]
pub enum Value<'a> {
    /// A plain value.
    Plain(&'a [u8]),
    /// The items of a sequence, headers included.
    Sequence(Encoding, &'a [u8]),
    /// The fragments of encapsulated pixel data, headers included, always little endian.
    Fragments(&'a [u8]),
}

/// One element of a data set.
#[derive(Clone, Copy)]
pub struct Element<'a> {
    pub tag: Tag,
    /// The value representation, where the object names it.
    pub vr: Option<Vr>,
    pub value: Value<'a>,
}

/// The elements of a data set, found but not read.
#[derive(Clone)]
pub struct DataSet<'a> {
    pub encoding: Encoding,
    elements: Vec<Element<'a>>,
}

impl<'a> DataSet<'a> {
    /// Finds the elements in `bytes` up to the pixel data; what follows it does not matter.
    ///
    /// # Errors
    /// [`Malformed`] where the bytes are no data set.
    pub fn find(bytes: &'a [u8], encoding: Encoding) -> Result<Self, Malformed> {
        let mut reader = Reader { bytes, position: 0 };
        let mut elements = Vec::new();
        while !reader.is_at_end() {
            let element = reader.element(encoding)?;
            elements.push(element);
            if element.tag == AttributeName::PixelData.tag() {
                break;
            }
        }
        Ok(Self { encoding, elements })
    }

    /// Finds the elements of one group at the start of `bytes`; gives the group's length too.
    ///
    /// # Errors
    /// [`Malformed`] where the group's elements are none.
    pub fn find_group(
        bytes: &'a [u8],
        group: u16,
        encoding: Encoding,
    ) -> Result<(Self, usize), Malformed> {
        let mut reader = Reader { bytes, position: 0 };
        let mut elements = Vec::new();
        while bytes
            .get(reader.position..reader.position + 2)
            .is_some_and(|start| [start[0], start[1]] == group.to_le_bytes())
        {
            elements.push(reader.element(encoding)?);
        }
        Ok((Self { encoding, elements }, reader.position))
    }

    /// The element of an attribute.
    pub fn element(&self, name: AttributeName) -> Option<&Element<'a>> {
        self.at(name.tag())
    }

    /// The element at `offset` in the block of a private creator (PS3.5, 7.8.1).
    pub fn private(&self, creator: &str, group: u16, offset: u8) -> Option<&Element<'a>> {
        let block = self.elements.iter().find_map(|element| {
            let Tag(element_group, number @ 0x0010..=0x00FF) = element.tag else {
                return None;
            };
            let Value::Plain(bytes) = element.value else {
                return None;
            };
            (element_group == group && bytes.trim_ascii_end() == creator.as_bytes())
                .then_some(number)
        })?;
        self.at(Tag(group, block << 8 | u16::from(offset)))
    }

    fn at(&self, tag: Tag) -> Option<&Element<'a>> {
        self.elements.iter().find(|element| element.tag == tag)
    }

    /// The data sets of a sequence's items.
    ///
    /// # Errors
    /// [`Malformed`] where an item is no data set.
    pub fn items(encoding: Encoding, sequence: &'a [u8]) -> Result<Vec<Self>, Malformed> {
        let mut reader = Reader {
            bytes: sequence,
            position: 0,
        };
        let mut items = Vec::new();
        while let Some(item) = reader.item(encoding)? {
            items.push(Self::find(item, encoding)?);
        }
        Ok(items)
    }
}

/// The fragments of encapsulated pixel data; the first is the basic offset table (PS3.5, A.4).
///
/// # Errors
/// [`Malformed`] where a fragment is cut short or none.
pub fn fragments(bytes: &[u8]) -> Result<Vec<&[u8]>, Malformed> {
    let mut reader = Reader { bytes, position: 0 };
    let mut fragments = Vec::new();
    while let Some(fragment) = reader.item(Encoding::EXPLICIT_LITTLE)? {
        fragments.push(fragment);
    }
    Ok(fragments)
}

/// What an open container of undefined length holds.
#[derive(Clone, Copy)]
enum Inside {
    Items,
    Elements,
}

struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
}

struct Header {
    tag: Tag,
    vr: Option<Vr>,
    length: u32,
}

impl<'a> Reader<'a> {
    fn is_at_end(&self) -> bool {
        self.position >= self.bytes.len()
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let position = self.position;
        let taken = self.bytes[position..]
            .get(..length)
            .ok_or(Malformed::CutShort { position })?;
        self.position += length;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn header(&mut self, encoding: Encoding) -> Result<Header, Malformed> {
        let position = self.position;
        let tag = Tag(encoding.u16(self.array()?), encoding.u16(self.array()?));
        // Items and delimiters never name a value representation (PS3.5, 7.5).
        if !encoding.explicit || tag.0 == ITEM.0 {
            let length = encoding.u32(self.array()?);
            return Ok(Header {
                tag,
                vr: None,
                length,
            });
        }
        let vr = Vr(self.array()?);
        if !vr.0.iter().all(u8::is_ascii_uppercase) {
            return Err(Malformed::NoElement { position });
        }
        let length = if vr.has_short_length() {
            u32::from(encoding.u16(self.array()?))
        } else {
            self.take(2)?;
            encoding.u32(self.array()?)
        };
        Ok(Header {
            tag,
            vr: Some(vr),
            length,
        })
    }

    fn element(&mut self, encoding: Encoding) -> Result<Element<'a>, Malformed> {
        let position = self.position;
        let Header { tag, vr, length } = self.header(encoding)?;
        if tag.0 == ITEM.0 {
            return Err(Malformed::NoElement { position });
        }
        let value = if length == UNDEFINED {
            self.undefined_value(tag, vr, encoding)?
        } else {
            let bytes = self
                .take(length as usize)
                .map_err(|_| Malformed::CutShort { position })?;
            let known = vr.filter(|vr| vr.0 != *b"UN");
            if known.map_or_else(|| AttributeName::is_sequence(tag), |vr| vr.0 == *b"SQ") {
                Value::Sequence(encoding_inside(vr, encoding), bytes)
            } else {
                Value::Plain(bytes)
            }
        };
        Ok(Element { tag, vr, value })
    }

    fn undefined_value(
        &mut self,
        tag: Tag,
        vr: Option<Vr>,
        encoding: Encoding,
    ) -> Result<Value<'a>, Malformed> {
        if tag == AttributeName::PixelData.tag() {
            return self
                .undefined(Encoding::EXPLICIT_LITTLE, true)
                .map(Value::Fragments);
        }
        let inner = encoding_inside(vr, encoding);
        let bytes = self.undefined(inner, false)?;
        Ok(Value::Sequence(inner, bytes))
    }

    /// Goes to the end of a container of undefined length; gives what it holds.
    ///
    /// Pixel data may end with the object instead of its delimiter: some writers forget it, and a
    /// frame that is missing is found when it is looked for.
    fn undefined(&mut self, encoding: Encoding, may_end: bool) -> Result<&'a [u8], Malformed> {
        let start = self.position;
        let mut open = vec![(Inside::Items, encoding)];
        while let Some(&(inside, encoding)) = open.last() {
            let position = self.position;
            if may_end && open.len() == 1 && self.is_at_end() {
                return Ok(&self.bytes[start..]);
            }
            let Header { tag, vr, length } = self.header(encoding)?;
            match (inside, tag) {
                (Inside::Items, SEQUENCE_END) | (Inside::Elements, ITEM_END) => {
                    open.pop();
                    if open.is_empty() {
                        return Ok(&self.bytes[start..position]);
                    }
                }
                (Inside::Items, ITEM) if length == UNDEFINED => {
                    open.push((Inside::Elements, encoding));
                }
                (Inside::Items, ITEM) => {
                    self.take(length as usize)?;
                }
                (Inside::Elements, Tag(group, _)) if group != ITEM.0 => {
                    if length == UNDEFINED {
                        open.push((Inside::Items, encoding_inside(vr, encoding)));
                    } else {
                        self.take(length as usize)?;
                    }
                }
                _ => return Err(Malformed::NoElement { position }),
            }
            if open.len() > MAX_DEPTH {
                return Err(Malformed::TooDeep { position });
            }
        }
        Err(Malformed::NoElement { position: start })
    }

    /// The next item of a sequence, or nothing at its end.
    fn item(&mut self, encoding: Encoding) -> Result<Option<&'a [u8]>, Malformed> {
        if self.is_at_end() {
            return Ok(None);
        }
        let position = self.position;
        let Header { tag, length, .. } = self.header(encoding)?;
        match tag {
            SEQUENCE_END => Ok(None),
            ITEM if length == UNDEFINED => self.undefined_item(encoding).map(Some),
            ITEM => self.take(length as usize).map(Some),
            _ => Err(Malformed::NoElement { position }),
        }
    }

    fn undefined_item(&mut self, encoding: Encoding) -> Result<&'a [u8], Malformed> {
        let start = self.position;
        loop {
            let position = self.position;
            let Header { tag, vr, length } = self.header(encoding)?;
            if tag == ITEM_END {
                return Ok(&self.bytes[start..position]);
            }
            if tag.0 == ITEM.0 {
                return Err(Malformed::NoElement { position });
            }
            if length == UNDEFINED {
                self.undefined(encoding_inside(vr, encoding), false)?;
            } else {
                self.take(length as usize)?;
            }
        }
    }
}

/// An unknown value of undefined length is written in implicit VR little endian (PS3.5, 6.2.2).
fn encoding_inside(vr: Option<Vr>, encoding: Encoding) -> Encoding {
    if vr == Some(Vr(*b"UN")) {
        Encoding::IMPLICIT_LITTLE
    } else {
        encoding
    }
}
