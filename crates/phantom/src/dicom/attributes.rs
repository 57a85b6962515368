//! A data set that is filled attribute by attribute.

use dicom_core::value::DataSetSequence;
use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_object::InMemDicomObject;

/// A data set that is being filled.
pub(crate) struct Attributes(InMemDicomObject);

impl Attributes {
    pub(crate) fn new() -> Self {
        Self(InMemDicomObject::new_empty())
    }

    /// A text; several values are parted by a backslash.
    pub(crate) fn text(&mut self, tag: Tag, vr: VR, value: impl Into<String>) -> &mut Self {
        self.put(tag, vr, PrimitiveValue::from(value.into()))
    }

    /// An attribute that is there and empty: type 2 without a value.
    pub(crate) fn empty(&mut self, tag: Tag, vr: VR) -> &mut Self {
        self.put(tag, vr, PrimitiveValue::Empty)
    }

    /// A decimal string; no more than 16 characters, as the standard wants.
    pub(crate) fn decimal(&mut self, tag: Tag, value: f64) -> &mut Self {
        self.text(tag, VR::DS, format!("{value:.4}"))
    }

    /// An integer string.
    pub(crate) fn integer(&mut self, tag: Tag, value: u64) -> &mut Self {
        self.text(tag, VR::IS, value.to_string())
    }

    /// Unsigned 16-bit numbers.
    pub(crate) fn words(&mut self, tag: Tag, values: &[u16]) -> &mut Self {
        self.put(tag, VR::US, PrimitiveValue::U16(values.into()))
    }

    /// Any value.
    pub(crate) fn put(&mut self, tag: Tag, vr: VR, value: PrimitiveValue) -> &mut Self {
        self.0.put(DataElement::new(tag, vr, value));
        self
    }

    /// A sequence.
    pub(crate) fn sequence(&mut self, tag: Tag, items: Vec<Self>) -> &mut Self {
        let items: Vec<InMemDicomObject> = items.into_iter().map(|item| item.0).collect();
        let sequence = DataSetSequence::from(items);
        self.0.put(DataElement::new(tag, VR::SQ, sequence));
        self
    }

    pub(crate) fn into_object(self) -> InMemDicomObject {
        self.0
    }
}
