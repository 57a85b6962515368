//! From bytes to a data set, with no more work or memory than the bytes are worth.
//!
//! Values are not copied, every length is backed by bytes, no nesting is deep, and elements are not too
//! many. What an archive did not know, and wrote with the value representation UN, is here what the
//! standard's dictionary says: implicit VR little endian inside, in sequences of defined and undefined
//! length (PS3.5, 6.2.2, notes 4 and 6). Where an item is written in the other way than its object,
//! explicit in implicit or the reverse, its own headers decide.
//!
//! Never: a value; recursion deeper than [`MAX_DEPTH`].

use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::{StandardDataDictionary, tags};
use snafu::{OptionExt, ensure};

use super::data_set::{DataSet, Element, Value};
use super::text::CharacterSet;
use crate::error::{Error, MalformedSnafu, TruncatedSnafu};

/// How deep sequences may nest; real objects stay below ten.
const MAX_DEPTH: usize = 32;

/// How many elements and items an object may have, nested ones and fragments of pixel data included; real
/// objects have a few hundred, and a few for each frame.
const MAX_ELEMENTS: usize = 200_000;

/// The length of a value that ends with a delimiter.
const UNDEFINED: u32 = u32::MAX;

const ITEM: Tag = Tag(0xFFFE, 0xE000);
const ITEM_END: Tag = Tag(0xFFFE, 0xE00D);
const SEQUENCE_END: Tag = Tag(0xFFFE, 0xE0DD);

/// How the headers of elements are written (PS3.5, 7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Encoding {
    pub has_vr: bool,
    pub is_big_endian: bool,
}

impl Encoding {
    pub(super) const EXPLICIT: Self = Self {
        has_vr: true,
        is_big_endian: false,
    };
    pub(super) const IMPLICIT: Self = Self {
        has_vr: false,
        is_big_endian: false,
    };
    pub(super) const BIG_ENDIAN: Self = Self {
        has_vr: true,
        is_big_endian: true,
    };

    fn u16(self, bytes: [u8; 2]) -> u16 {
        if self.is_big_endian {
            u16::from_be_bytes(bytes)
        } else {
            u16::from_le_bytes(bytes)
        }
    }

    fn u32(self, bytes: [u8; 4]) -> u32 {
        if self.is_big_endian {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        }
    }
}

/// Reads a data set up to its end or to its pixel data, whichever comes first.
///
/// # Errors
/// [`Error::Truncated`] and [`Error::Malformed`].
pub(super) fn data_set(bytes: &[u8], encoding: Encoding) -> Result<DataSet<'_>, Error> {
    let mut reader = Reader::new(bytes);
    let around = Surroundings {
        encoding,
        characters: CharacterSet::default(),
        depth: 0,
    };
    reader.data_set(Some(bytes.len()), around)
}

/// Reads the file meta information, the elements of group 2 at the front, whatever length they state;
/// gives them, and how many bytes they are.
///
/// # Errors
/// [`Error::Truncated`] and [`Error::Malformed`].
pub(super) fn meta_information(bytes: &[u8]) -> Result<(DataSet<'_>, usize), Error> {
    let mut reader = Reader::new(bytes);
    let mut set = DataSet::default();
    while bytes[reader.at..].starts_with(b"\x02\x00") {
        let around = Surroundings {
            encoding: Encoding::EXPLICIT,
            characters: CharacterSet::default(),
            depth: 0,
        };
        let (tag, element) = reader.element(bytes.len(), around)?;
        set.elements.insert(tag, element);
    }
    Ok((set, reader.at))
}

/// What an element is read within.
#[derive(Clone, Copy)]
struct Surroundings {
    encoding: Encoding,
    characters: CharacterSet,
    depth: usize,
}

struct Header {
    tag: Tag,
    vr: VR,
    length: u32,
    /// How what is inside is written.
    encoding: Encoding,
    /// Whether the object has it as unknown.
    was_unknown: bool,
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Elements, items and fragments so far.
    count: usize,
}

impl<'a> Reader<'a> {
    const fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            count: 0,
        }
    }

    fn malformed<T>(&self) -> Result<T, Error> {
        MalformedSnafu { position: self.at }.fail()
    }

    /// The next bytes, which have to lie before `end`.
    fn take(&mut self, length: usize, end: usize) -> Result<&'a [u8], Error> {
        let rest = &self.bytes[self.at..];
        let taken = rest
            .get(..length)
            .context(TruncatedSnafu { position: self.at })?;
        ensure!(
            self.at + length <= end,
            MalformedSnafu { position: self.at }
        );
        self.at += length;
        Ok(taken)
    }

    fn take_array<const N: usize>(&mut self, end: usize) -> Result<[u8; N], Error> {
        let taken = self.take(N, end)?.first_chunk().copied();
        taken.context(MalformedSnafu { position: self.at })
    }

    fn count_one(&mut self) -> Result<(), Error> {
        self.count += 1;
        ensure!(
            self.count <= MAX_ELEMENTS,
            MalformedSnafu { position: self.at }
        );
        Ok(())
    }

    /// A data set up to `end`, or else to the delimiter of its item.
    fn data_set(
        &mut self,
        end: Option<usize>,
        mut around: Surroundings,
    ) -> Result<DataSet<'a>, Error> {
        around.encoding = self.encoding_here(around.encoding);
        let mut elements = Vec::new();
        let last = end.unwrap_or(self.bytes.len());
        while end.is_none_or(|end| self.at < end) {
            if end.is_none() && self.bytes[self.at..].starts_with(&delimiter(around.encoding)) {
                self.take(8, last)?;
                break;
            }
            let (tag, element) = self.element(last, around)?;
            if let (tags::SPECIFIC_CHARACTER_SET, Some(terms)) = (tag, element.bytes()) {
                around.characters = CharacterSet::declared(terms);
            }
            elements.push((tag, element));
            if around.depth == 0 && tag == tags::PIXEL_DATA {
                break;
            }
        }
        Ok(DataSet {
            characters: around.characters,
            elements: elements.into_iter().collect(),
        })
    }

    /// How the data set here is written, by its first element where that tells.
    fn encoding_here(&self, stated: Encoding) -> Encoding {
        let letters = self.bytes.get(self.at + 4..self.at + 6);
        let names_vr = letters.is_some_and(|letters| {
            <[u8; 2]>::try_from(letters).is_ok_and(|letters| VR::from_binary(letters).is_some())
        });
        if !stated.has_vr && names_vr {
            return Encoding::EXPLICIT;
        }
        stated
    }

    fn element(&mut self, end: usize, around: Surroundings) -> Result<(Tag, Element<'a>), Error> {
        self.count_one()?;
        let start = self.at;
        let header = self.header(end, around.encoding)?;
        ensure!(header.tag.0 != 0xFFFE, MalformedSnafu { position: start });
        let is_undefined = header.length == UNDEFINED;
        let is_pixels = matches!(
            header.vr,
            VR::OB | VR::OW | VR::OD | VR::OF | VR::OL | VR::OV
        ) || header.tag == tags::PIXEL_DATA;
        let inside = Surroundings {
            encoding: header.encoding,
            depth: around.depth + 1,
            ..around
        };
        let value = if is_undefined && is_pixels {
            Value::Fragments(self.fragments(header.encoding)?)
        } else if is_undefined {
            Value::Items(self.items(None, inside)?)
        } else {
            self.value_of_length(&header, end, inside)?
        };
        let element = Element {
            vr: header.vr,
            value,
            is_big_endian: header.encoding.is_big_endian,
        };
        Ok((header.tag, element))
    }

    /// The tag, the value representation and the length of an element (PS3.5, 7.1.2 and 7.1.3).
    fn header(&mut self, end: usize, encoding: Encoding) -> Result<Header, Error> {
        let [g0, g1, e0, e1, rest @ ..] = self.take_array::<8>(end)?;
        let tag = Tag(encoding.u16([g0, g1]), encoding.u16([e0, e1]));
        let [v0, v1, l0, l1] = rest;
        let is_named = encoding.has_vr && [v0, v1].iter().all(u8::is_ascii_uppercase);
        if !is_named || tag.0 == 0xFFFE {
            let inside = Encoding {
                has_vr: false,
                ..encoding
            };
            return Ok(Header {
                tag,
                vr: vr_of(tag),
                length: encoding.u32(rest),
                encoding: inside,
                was_unknown: false,
            });
        }
        let vr = VR::from_binary([v0, v1]).unwrap_or(VR::UN);
        let length = if is_short(vr) {
            encoding.u16([l0, l1]).into()
        } else {
            encoding.u32(self.take_array(end)?)
        };
        let was_unknown = vr == VR::UN;
        Ok(Header {
            tag,
            vr: if was_unknown { vr_of(tag) } else { vr },
            length,
            encoding: if was_unknown {
                Encoding::IMPLICIT
            } else {
                encoding
            },
            was_unknown,
        })
    }

    /// The value of a stated length: the items of a sequence where it is one. What the object has as
    /// unknown and holds no items stays as it is.
    fn value_of_length(
        &mut self,
        header: &Header,
        end: usize,
        inside: Surroundings,
    ) -> Result<Value<'a>, Error> {
        let start = self.at;
        let bytes = self.take(header.length as usize, end)?;
        if header.vr != VR::SQ {
            return Ok(Value::Bytes(bytes));
        }
        let after = self.at;
        self.at = start;
        match self.items(Some(after), inside) {
            Err(_) if header.was_unknown && self.count <= MAX_ELEMENTS => {
                self.at = after;
                Ok(Value::Bytes(bytes))
            }
            items => {
                self.at = after;
                items.map(Value::Items)
            }
        }
    }

    /// The items of a sequence up to `end`, or else to its delimiter.
    fn items(
        &mut self,
        end: Option<usize>,
        around: Surroundings,
    ) -> Result<Vec<DataSet<'a>>, Error> {
        ensure!(
            around.depth <= MAX_DEPTH,
            MalformedSnafu { position: self.at }
        );
        let mut items = Vec::new();
        while end.is_none_or(|end| self.at < end) {
            self.count_one()?;
            let last = end.unwrap_or(self.bytes.len());
            let (tag, length) = self.item_header(last, around.encoding)?;
            let item_end = match (tag, length) {
                (ITEM, UNDEFINED) => None,
                (ITEM, length) => {
                    let start = self.at;
                    self.take(length as usize, last)?;
                    Some(std::mem::replace(&mut self.at, start))
                }
                (SEQUENCE_END, _) => break,
                _ => return self.malformed(),
            };
            items.push(self.data_set(item_end, around)?);
        }
        Ok(items)
    }

    /// The fragments of encapsulated pixel data up to their delimiter (PS3.5, A.4).
    fn fragments(&mut self, encoding: Encoding) -> Result<Vec<&'a [u8]>, Error> {
        let end = self.bytes.len();
        let mut fragments = Vec::new();
        loop {
            self.count_one()?;
            match self.item_header(end, encoding)? {
                (ITEM, length) => fragments.push(self.take(length as usize, end)?),
                (SEQUENCE_END, _) => return Ok(fragments),
                _ => return self.malformed(),
            }
        }
    }

    fn item_header(&mut self, end: usize, encoding: Encoding) -> Result<(Tag, u32), Error> {
        let [g0, g1, e0, e1, length @ ..] = self.take_array::<8>(end)?;
        let tag = Tag(encoding.u16([g0, g1]), encoding.u16([e0, e1]));
        Ok((tag, encoding.u32(length)))
    }
}

/// The tag of an item's delimiter as it is written.
fn delimiter(encoding: Encoding) -> [u8; 4] {
    let Tag(group, element) = ITEM_END;
    let write = |number: u16| {
        if encoding.is_big_endian {
            number.to_be_bytes()
        } else {
            number.to_le_bytes()
        }
    };
    let ([g0, g1], [e0, e1]) = (write(group), write(element));
    [g0, g1, e0, e1]
}

/// The value representation by the standard's dictionary; UN for what it does not have.
fn vr_of(tag: Tag) -> VR {
    let is_creator = tag.0 % 2 == 1 && (0x0010..=0x00FF).contains(&tag.1);
    if is_creator {
        return VR::LO;
    }
    StandardDataDictionary
        .by_tag(tag)
        .map_or(VR::UN, |entry| entry.vr().relaxed())
}

/// Whether lengths of values have two bytes (PS3.5, 7.1.2).
const fn is_short(vr: VR) -> bool {
    !matches!(
        vr,
        VR::OB
            | VR::OD
            | VR::OF
            | VR::OL
            | VR::OV
            | VR::OW
            | VR::SQ
            | VR::SV
            | VR::UC
            | VR::UN
            | VR::UR
            | VR::UT
            | VR::UV
    )
}
