//! A data set in memory, whose values are the bytes that are read or written.
//!
//! Texts stay as they were written: a name goes over from one object into another in whatever character set it has,
//! without being understood. What this crate writes itself is ASCII, which is the same in all of them (PS3.5, 6.1).
//! Never: a `Debug`, which would show a patient.

use std::collections::BTreeMap;

use dicom_core::{Tag, VR};

use super::plain::{plain, told};

/// A data set, of a file or of a sequence's item; its elements in the order of their tags (PS3.5, 7.1).
#[derive(Clone, Default)]
pub(crate) struct DataSet(pub(crate) BTreeMap<Tag, Element>);

/// An element.
#[derive(Clone)]
pub(crate) struct Element {
    pub vr: VR,
    pub value: Value,
}

/// What an element holds.
#[derive(Clone)]
pub(crate) enum Value {
    /// A value as it is in a file.
    Bytes(Vec<u8>),
    /// The items of a sequence.
    Items(Vec<DataSet>),
    /// The fragments of encapsulated pixel data, of which the first is the offset table (PS3.5, A.4).
    Fragments(Vec<Vec<u8>>),
}

impl Value {
    /// Whether nothing is said.
    pub(crate) const fn is_empty(&self) -> bool {
        match self {
            Self::Bytes(bytes) => bytes.is_empty(),
            Self::Items(items) => items.is_empty(),
            Self::Fragments(fragments) => fragments.is_empty(),
        }
    }
}

impl DataSet {
    pub(crate) const fn new() -> Self {
        Self(BTreeMap::new())
    }

    pub(crate) fn get(&self, tag: Tag) -> Option<&Element> {
        self.0.get(&tag)
    }

    /// The bytes of a value that is neither a sequence nor compressed, without padding (PS3.5, 6.2).
    pub(crate) fn bytes(&self, tag: Tag) -> Option<&[u8]> {
        match &self.get(tag)?.value {
            Value::Bytes(bytes) => Some(trimmed(bytes)),
            Value::Items(_) | Value::Fragments(_) => None,
        }
    }

    /// The value as ASCII text without padding; none where it is empty or has other letters.
    pub(crate) fn ascii(&self, tag: Tag) -> Option<&str> {
        let text = std::str::from_utf8(self.bytes(tag)?).ok()?;
        (!text.is_empty() && text.is_ascii()).then_some(text)
    }

    pub(crate) fn put(&mut self, tag: Tag, vr: VR, value: Value) {
        self.0.insert(tag, Element { vr, value });
    }

    /// Adds a value as it is to be written.
    pub(crate) fn with(mut self, tag: Tag, vr: VR, bytes: Vec<u8>) -> Self {
        self.put(tag, vr, Value::Bytes(bytes));
        self
    }

    /// Adds a text of one's own, made [`plain`] and no longer than its value representation allows.
    pub(crate) fn text(self, tag: Tag, vr: VR, text: &str) -> Self {
        let text = plain(text, longest(vr));
        self.with(tag, vr, text.into_bytes())
    }

    /// As [`text`](Self::text), where the value must not be empty: type 1.
    pub(crate) fn required(self, tag: Tag, vr: VR, text: &str) -> Self {
        let text = told(text, longest(vr));
        self.with(tag, vr, text.into_bytes())
    }

    /// Adds several values, which hold no backslash.
    pub(crate) fn texts(self, tag: Tag, vr: VR, texts: &[&str]) -> Self {
        self.with(tag, vr, texts.join("\\").into_bytes())
    }

    /// Adds a 16-bit number.
    pub(crate) fn word(self, tag: Tag, value: u16) -> Self {
        self.with(tag, VR::US, value.to_le_bytes().to_vec())
    }

    /// Adds an attribute that is there and has no value: type 2 (PS3.5, 7.4.3).
    pub(crate) fn empty(self, tag: Tag, vr: VR) -> Self {
        self.with(tag, vr, Vec::new())
    }

    /// Adds a sequence.
    pub(crate) fn items(mut self, tag: Tag, items: Vec<Self>) -> Self {
        self.put(tag, VR::SQ, Value::Items(items));
        self
    }

    /// Adds all elements of another data set.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }
}

/// A value without the spaces and zeros around it (PS3.5, 6.2).
pub(crate) fn trimmed(bytes: &[u8]) -> &[u8] {
    let is_padding = |byte: &u8| *byte == b' ' || *byte == 0;
    let start = bytes.iter().take_while(|byte| is_padding(byte)).count();
    let end = bytes
        .iter()
        .rev()
        .take_while(|byte| is_padding(byte))
        .count();
    bytes.get(start..bytes.len() - end).unwrap_or_default()
}

/// How many letters a value may have (PS3.5, table 6.2-1); of the longest, as many as anyone reads.
const fn longest(vr: VR) -> usize {
    match vr {
        VR::AE | VR::CS | VR::DS | VR::SH => 16,
        VR::IS => 12,
        VR::LO | VR::PN | VR::UI => 64,
        VR::ST | VR::LT => 1_024,
        _ => 4_096,
    }
}
