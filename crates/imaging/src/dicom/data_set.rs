//! A data set in memory: its elements, which borrow the object's bytes.

use std::borrow::Cow;
use std::collections::BTreeMap;

use dicom_core::{Tag, VR};

use super::text::CharacterSet;

/// A data set, of a file or of a sequence's item.
#[derive(Default)]
pub(crate) struct DataSet<'a> {
    /// How its texts are written; an item's are written as the data set's around it, unless it says otherwise.
    pub(super) characters: CharacterSet,
    pub(super) elements: BTreeMap<Tag, Element<'a>>,
}

/// An element, whose value representation is the standard's where the object has it as unknown (UN).
pub(crate) struct Element<'a> {
    pub vr: VR,
    pub value: Value<'a>,
    /// Whether its numbers have the most significant byte first.
    pub is_big_endian: bool,
}

/// What an element holds.
pub(crate) enum Value<'a> {
    /// A value as it is in the file.
    Bytes(&'a [u8]),
    /// The items of a sequence.
    Items(Vec<DataSet<'a>>),
    /// The fragments of encapsulated pixel data, of which the first is the offset table.
    Fragments(Vec<&'a [u8]>),
}

impl<'a> DataSet<'a> {
    /// The element with a tag.
    pub(crate) fn get(&self, tag: Tag) -> Option<&Element<'a>> {
        self.elements.get(&tag)
    }

    /// An element of the block that a private creator has reserved (PS3.5, 7.8.1).
    pub(super) fn private(&self, group: u16, creator: &str, element: u8) -> Option<&Element<'a>> {
        let reservations = self
            .elements
            .range(Tag(group, 0x0010)..=Tag(group, 0x00FF))
            .filter(|(_, reserved)| self.text_of(reserved).is_some_and(|text| text == creator));
        let blocks = reservations.map(|(tag, _)| Tag(group, tag.1 << 8 | u16::from(element)));
        blocks.into_iter().find_map(|tag| self.get(tag))
    }

    /// The bytes of a value as text, without the spaces and zeros around it (PS3.5, 6.2).
    pub(super) fn text_of(&self, element: &Element<'a>) -> Option<String> {
        let text = self.characters.decode(element.bytes()?);
        Some(trim(&text).to_owned())
    }
}

impl<'a> Element<'a> {
    /// Its value, unless it is a sequence or compressed.
    pub(crate) const fn bytes(&self) -> Option<&'a [u8]> {
        match self.value {
            Value::Bytes(bytes) => Some(bytes),
            Value::Items(_) | Value::Fragments(_) => None,
        }
    }

    /// As [`bytes`](Self::bytes), the least significant byte of each of its words of `size` bytes first.
    pub(crate) fn little_endian(&self, size: usize) -> Option<Cow<'a, [u8]>> {
        let bytes = self.bytes()?;
        if !self.is_big_endian || size < 2 {
            return Some(Cow::Borrowed(bytes));
        }
        let mut swapped = bytes.to_vec();
        swapped.chunks_exact_mut(size).for_each(<[u8]>::reverse);
        Some(Cow::Owned(swapped))
    }
}

/// A text without the spaces and zeros around it (PS3.5, 6.2).
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches(|letter: char| letter == '\0' || letter.is_whitespace())
}
