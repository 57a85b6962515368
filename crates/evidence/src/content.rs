//! The content items of a report, one function for each type of value (PS3.3, C.17.3 and C.18).

use dicom_core::VR;
use dicom_dictionary_std::tags;

use super::codes::Code;
use super::element::DataSet;

/// How an item relates to the one above it (PS3.3, C.17.3.2.4).
#[derive(Clone, Copy)]
pub(crate) enum Relation {
    Contains,
    HasObservationContext,
    HasConceptModifier,
    SelectedFrom,
}

impl Relation {
    const fn term(self) -> &'static str {
        match self {
            Self::Contains => "CONTAINS",
            Self::HasObservationContext => "HAS OBS CONTEXT",
            Self::HasConceptModifier => "HAS CONCEPT MOD",
            Self::SelectedFrom => "SELECTED FROM",
        }
    }
}

fn item(relation: Relation, kind: &str) -> DataSet {
    // Terms for relations have at most 16 letters, as a CS has.
    DataSet::new()
        .text(tags::RELATIONSHIP_TYPE, VR::CS, relation.term())
        .text(tags::VALUE_TYPE, VR::CS, kind)
}

fn named(relation: Relation, kind: &str, name: Code) -> DataSet {
    item(relation, kind).items(tags::CONCEPT_NAME_CODE_SEQUENCE, vec![name.item()])
}

/// A concept (C.18.2).
pub(crate) fn code(relation: Relation, name: Code, value: Code) -> DataSet {
    named(relation, "CODE", name).items(tags::CONCEPT_CODE_SEQUENCE, vec![value.item()])
}

/// A text (C.18.3).
pub(crate) fn text(relation: Relation, name: Code, value: &str) -> DataSet {
    named(relation, "TEXT", name).required(tags::TEXT_VALUE, VR::UT, value)
}

/// A UID (C.18.1, table C.17.3-7).
pub(crate) fn uid(relation: Relation, name: Code, value: &str) -> DataSet {
    named(relation, "UIDREF", name).text(tags::UID, VR::UI, value)
}

/// A number with its unit (C.18.1), and what is said of it.
pub(crate) fn number(name: Code, value: &str, unit: Code, content: Vec<DataSet>) -> DataSet {
    let measured = DataSet::new()
        .items(tags::MEASUREMENT_UNITS_CODE_SEQUENCE, vec![unit.item()])
        .text(tags::NUMERIC_VALUE, VR::DS, value);
    named(Relation::Contains, "NUM", name)
        .items(tags::MEASURED_VALUE_SEQUENCE, vec![measured])
        .items(tags::CONTENT_SEQUENCE, content)
}

/// A container (C.18.8).
pub(crate) fn container(name: Code, template: Option<&str>, content: Vec<DataSet>) -> DataSet {
    let item = named(Relation::Contains, "CONTAINER", name)
        .text(tags::CONTINUITY_OF_CONTENT, VR::CS, "SEPARATE")
        .items(tags::CONTENT_SEQUENCE, content);
    match template {
        Some(identifier) => item.items(
            tags::CONTENT_TEMPLATE_SEQUENCE,
            vec![of_template(identifier)],
        ),
        None => item,
    }
}

/// Which template of PS3.16 a container follows (C.18.8.1.2).
pub(crate) fn of_template(identifier: &str) -> DataSet {
    DataSet::new()
        .text(tags::MAPPING_RESOURCE, VR::CS, "DCMR")
        .text(tags::TEMPLATE_IDENTIFIER, VR::CS, identifier)
}

/// A closed line on an image (C.18.6), whose points are rows and columns; 0 is the edge of the first pixel.
pub(crate) fn region(name: Code, points: &[[f64; 2]], image: DataSet) -> DataSet {
    // The first point ends a closed line too (C.18.6.1.2).
    let closed = points.iter().chain(points.first());
    let column_first = closed.flat_map(|[row, column]| [*column as f32, *row as f32]);
    let bytes = column_first.flat_map(f32::to_le_bytes).collect();
    let selected =
        item(Relation::SelectedFrom, "IMAGE").items(tags::REFERENCED_SOP_SEQUENCE, vec![image]);
    named(Relation::Contains, "SCOORD", name)
        .with(tags::GRAPHIC_DATA, VR::FL, bytes)
        .text(tags::GRAPHIC_TYPE, VR::CS, "POLYLINE")
        .items(tags::CONTENT_SEQUENCE, vec![selected])
}
