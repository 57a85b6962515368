//! A study's views as Nuclear Medicine Image objects (DICOM PS3.3, A.5).
//!
//! Every object carries the attributes of type 1 and 2 of its modules, and those that scanners of its
//! type add. Each says three times that it is synthetic: Quality Control Image (0028,0300) is YES, the
//! patient's family name is PHANTOM, and Image Comments (0020,4000) say so in words.

mod attributes;
mod codes;
mod modules;
mod plant;
mod private;
mod source;

use dicom_dictionary_std::uids;
use dicom_object::{FileDicomObject, FileMetaTableBuilder, InMemDicomObject, WriteError};

use super::cohort::{Study, uid};
use super::random::{Purpose, Stream};
use super::scanner::ObjectLayout;
use super::view::Views;
pub(crate) use attributes::Attributes;
pub(crate) use codes::{
    Concept, GALLIUM, GALLIUM_CITRATE, INDIUM, IODIDE, IODINE, MEDRONATE, OXIDRONATE,
    PENTETREOTIDE, PYROPHOSPHATE, SESTAMIBI, TECHNETIUM,
};
use source::{ObjectSource, Side};

pub use plant::{PLANTED_DATE, plant};

/// The objects of a study, as its scanner writes them: one of two frames, or two of one frame.
pub fn objects(study: &Study, views: &Views) -> Vec<InMemDicomObject> {
    use Side::{Anterior, Posterior};
    let groups: &[&[Side]] = match study.scanner.layout {
        ObjectLayout::AnteriorFirst => &[&[Anterior, Posterior]],
        ObjectLayout::PosteriorFirst => &[&[Posterior, Anterior]],
        ObjectLayout::TwoObjects => &[&[Anterior], &[Posterior]],
    };
    // The first identifier of this stream is the study's own.
    let mut identifiers = Stream::new(study.seed, Purpose::Identifiers, study.number);
    uid(&mut identifiers);
    let series_uid = uid(&mut identifiers);
    let frame_of_reference_uid = uid(&mut identifiers);
    let sources = groups
        .iter()
        .enumerate()
        .map(|(index, sides)| ObjectSource {
            study,
            views,
            sides,
            instance: index + 1,
            series_uid: series_uid.clone(),
            instance_uid: uid(&mut identifiers),
            frame_of_reference_uid: frame_of_reference_uid.clone(),
        });
    sources.map(|source| object(&source)).collect()
}

fn object(source: &ObjectSource<'_>) -> InMemDicomObject {
    let mut attributes = Attributes::new();
    modules::patient(&mut attributes, source);
    modules::study(&mut attributes, source);
    modules::series(&mut attributes, source);
    modules::orientation(&mut attributes, source);
    modules::equipment(&mut attributes, source);
    modules::image(&mut attributes, source);
    modules::pixels(&mut attributes, source);
    modules::frames(&mut attributes, source);
    modules::acquisition(&mut attributes, source);
    modules::isotope(&mut attributes, source);
    modules::detectors(&mut attributes, source);
    private::add(&mut attributes, source);
    attributes.into_object()
}

/// An object as a DICOM file, in Implicit or Explicit VR Little Endian.
///
/// # Errors
/// The object has a value that its value representation cannot hold.
pub fn encode(object: InMemDicomObject, implicit: bool) -> Result<Vec<u8>, Box<WriteError>> {
    let transfer_syntax = if implicit {
        uids::IMPLICIT_VR_LITTLE_ENDIAN
    } else {
        uids::EXPLICIT_VR_LITTLE_ENDIAN
    };
    let meta = FileMetaTableBuilder::new().transfer_syntax(transfer_syntax);
    let file: FileDicomObject<InMemDicomObject> = object
        .with_meta(meta)
        .expect("should have a SOP class and a SOP instance");
    let mut bytes = Vec::new();
    file.write_all(&mut bytes).map_err(Box::new)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
