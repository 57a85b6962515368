//! From a DICOM file to a data set of unread values, with no more work or memory than the bytes are worth.
//!
//! Libraries decode texts, after which a name that its character set does not explain is another name; here values are
//! bytes. Every length is backed by bytes, no nesting is deep, and elements are not too many. What an archive did not
//! know, and wrote with the value representation UN, is what the standard's dictionary says (PS3.5, 6.2.2, notes 4 and
//! 6). Where an item is written in the other way than its object, its own headers decide.

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use snafu::{OptionExt, ensure};

use super::element::{DataSet, Element, Value};
use super::encoding::{Encoding, ITEM, ITEM_END, SEQUENCE_END, UNDEFINED, is_short, vr_of};
use super::error::{Error, MalformedSnafu, NotDicomSnafu, TransferSyntaxSnafu};

/// What file meta information starts with (PS3.10, 7.1).
const PREFIX: &[u8] = b"DICM";

/// Length of the preamble before that.
pub(crate) const PREAMBLE: usize = 128;

/// How deep sequences may nest; real objects stay below ten.
const MAX_DEPTH: usize = 32;

/// How many elements, items and fragments an object may have.
const MAX_ELEMENTS: usize = 200_000;

/// A DICOM file in memory.
pub(crate) struct File {
    pub transfer_syntax: String,
    pub encoding: Encoding,
    pub set: DataSet,
}

/// How much of a file is wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// What stands before the pixel data.
    Header,
    /// All of it.
    Whole,
}

/// Reads a DICOM file, whether or not it has a preamble.
///
/// # Errors
/// [`Error::NotDicom`], [`Error::Malformed`] and [`Error::TransferSyntax`].
pub(crate) fn file(bytes: &[u8], extent: Extent) -> Result<File, Error> {
    let after_preamble = bytes
        .get(PREAMBLE..)
        .filter(|rest| rest.starts_with(PREFIX));
    let information = after_preamble
        .unwrap_or(bytes)
        .strip_prefix(PREFIX)
        .context(NotDicomSnafu)?;
    let mut reader = Reader {
        bytes: information,
        at: 0,
        count: 0,
        extent,
    };
    let meta = reader.meta_information()?;
    let transfer_syntax = meta
        .ascii(tags::TRANSFER_SYNTAX_UID)
        .context(TransferSyntaxSnafu)?
        .to_owned();
    let encoding = Encoding::of(&transfer_syntax).context(TransferSyntaxSnafu)?;
    let set = reader.data_set(Some(information.len()), encoding, 0)?;
    Ok(File {
        transfer_syntax,
        encoding,
        set,
    })
}

/// The elements of a file up to one of its top level, of which there may be no more bytes; none where that is not
/// reached.
pub(crate) fn beginning(bytes: &[u8], last: Tag) -> Option<DataSet> {
    let information = bytes.get(PREAMBLE..)?.strip_prefix(PREFIX)?;
    let mut reader = Reader {
        bytes: information,
        at: 0,
        count: 0,
        extent: Extent::Header,
    };
    let meta = reader.meta_information().ok()?;
    let encoding = Encoding::of(meta.ascii(tags::TRANSFER_SYNTAX_UID)?)?;
    let encoding = reader.encoding_here(encoding);
    let mut set = DataSet::new();
    loop {
        let (tag, element) = reader.element(information.len(), encoding, 0).ok()?;
        set.0.insert(tag, element);
        if tag >= last {
            return Some(set);
        }
    }
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
    extent: Extent,
}

impl<'a> Reader<'a> {
    fn malformed<T>(&self) -> Result<T, Error> {
        MalformedSnafu { position: self.at }.fail()
    }

    /// The next bytes, which have to lie before `end`.
    fn take(&mut self, length: usize, end: usize) -> Result<&'a [u8], Error> {
        let position = self.at;
        let within = self
            .bytes
            .get(..end)
            .and_then(|bytes| bytes.get(position..));
        let taken = within
            .and_then(|rest| rest.get(..length))
            .context(MalformedSnafu { position })?;
        self.at += length;
        Ok(taken)
    }

    fn take_array<const N: usize>(&mut self, end: usize) -> Result<[u8; N], Error> {
        let taken = self.take(N, end)?.first_chunk().copied();
        taken.context(MalformedSnafu { position: self.at })
    }

    fn starts_with(&self, bytes: &[u8]) -> bool {
        self.bytes
            .get(self.at..)
            .is_some_and(|rest| rest.starts_with(bytes))
    }

    fn count_one(&mut self) -> Result<(), Error> {
        self.count += 1;
        ensure!(
            self.count <= MAX_ELEMENTS,
            MalformedSnafu { position: self.at }
        );
        Ok(())
    }

    /// The elements of group 2 at the front, whatever length they state.
    fn meta_information(&mut self) -> Result<DataSet, Error> {
        let mut set = DataSet::new();
        while self.starts_with(b"\x02\x00") {
            let (tag, element) = self.element(self.bytes.len(), Encoding::EXPLICIT, 0)?;
            set.0.insert(tag, element);
        }
        Ok(set)
    }

    /// A data set up to `end`, or else to the delimiter of its item.
    fn data_set(
        &mut self,
        end: Option<usize>,
        stated: Encoding,
        depth: usize,
    ) -> Result<DataSet, Error> {
        let encoding = self.encoding_here(stated);
        let mut set = DataSet::new();
        let last = end.unwrap_or(self.bytes.len());
        while end.is_none_or(|end| self.at < end) {
            if end.is_none() && self.starts_with(&encoding.of_tag(ITEM_END)) {
                self.take(8, last)?;
                break;
            }
            let is_header = self.extent == Extent::Header && depth == 0;
            if is_header && self.starts_with(&encoding.of_tag(tags::PIXEL_DATA)) {
                break;
            }
            let (tag, element) = self.element(last, encoding, depth)?;
            set.0.insert(tag, element);
        }
        Ok(set)
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

    fn element(
        &mut self,
        end: usize,
        encoding: Encoding,
        depth: usize,
    ) -> Result<(Tag, Element), Error> {
        self.count_one()?;
        let position = self.at;
        let header = self.header(end, encoding)?;
        ensure!(header.tag.0 != 0xFFFE, MalformedSnafu { position });
        let is_undefined = header.length == UNDEFINED;
        let is_pixels = matches!(
            header.vr,
            VR::OB | VR::OW | VR::OD | VR::OF | VR::OL | VR::OV
        ) || header.tag == tags::PIXEL_DATA;
        let value = if is_undefined && is_pixels {
            Value::Fragments(self.fragments(header.encoding)?)
        } else if is_undefined {
            Value::Items(self.items(None, header.encoding, depth + 1)?)
        } else {
            self.value_of_length(&header, end, depth + 1)?
        };
        // A sequence that an archive did not know is one, whatever the dictionary has.
        let vr = match value {
            Value::Items(_) => VR::SQ,
            Value::Bytes(_) | Value::Fragments(_) => header.vr,
        };
        Ok((header.tag, Element { vr, value }))
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

    /// The value of a stated length: the items of a sequence where it is one. What the object has as unknown and holds
    /// no items stays as it is.
    fn value_of_length(
        &mut self,
        header: &Header,
        end: usize,
        depth: usize,
    ) -> Result<Value, Error> {
        let start = self.at;
        let bytes = self.take(header.length as usize, end)?;
        if header.vr != VR::SQ {
            return Ok(Value::Bytes(bytes.to_vec()));
        }
        let after = std::mem::replace(&mut self.at, start);
        let items = self.items(Some(after), header.encoding, depth);
        self.at = after;
        match items {
            Err(_) if header.was_unknown && self.count <= MAX_ELEMENTS => {
                Ok(Value::Bytes(bytes.to_vec()))
            }
            items => items.map(Value::Items),
        }
    }

    /// The items of a sequence up to `end`, or else to its delimiter.
    fn items(
        &mut self,
        end: Option<usize>,
        encoding: Encoding,
        depth: usize,
    ) -> Result<Vec<DataSet>, Error> {
        ensure!(depth <= MAX_DEPTH, MalformedSnafu { position: self.at });
        let mut items = Vec::new();
        while end.is_none_or(|end| self.at < end) {
            self.count_one()?;
            let last = end.unwrap_or(self.bytes.len());
            let (tag, length) = self.item_header(last, encoding)?;
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
            items.push(self.data_set(item_end, encoding, depth)?);
        }
        Ok(items)
    }

    /// The fragments of encapsulated pixel data up to their delimiter (PS3.5, A.4).
    fn fragments(&mut self, encoding: Encoding) -> Result<Vec<Vec<u8>>, Error> {
        let end = self.bytes.len();
        let mut fragments = Vec::new();
        loop {
            self.count_one()?;
            match self.item_header(end, encoding)? {
                (ITEM, length) => fragments.push(self.take(length as usize, end)?.to_vec()),
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
