//! Planting names and numbers where patient data could be, to test that none of them gets out.

use dicom_core::value::Value;
use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;

use super::attributes::Attributes;

/// The birth date that [`plant`] writes, as in the object.
pub const PLANTED_DATE: &str = "19010203";

/// Texts that tell how to read an object: a planted text is appended instead of replacing them.
const KEPT: [Tag; 5] = [
    tags::IMAGE_ID,
    tags::SERIES_DESCRIPTION,
    tags::RADIOPHARMACEUTICAL,
    Tag(0x0011, 0x1012),
    Tag(0x0011, 0x1030),
];

/// Attributes that identify a patient, a study or a person, and that most objects lack.
const ADDED: [(Tag, VR); 14] = [
    (tags::PATIENT_NAME, VR::PN),
    (tags::PATIENT_ID, VR::LO),
    (tags::OTHER_PATIENT_NAMES, VR::PN),
    (tags::PATIENT_ADDRESS, VR::LO),
    (tags::PATIENT_TELEPHONE_NUMBERS, VR::SH),
    (tags::PATIENT_MOTHER_BIRTH_NAME, VR::PN),
    (tags::OCCUPATION, VR::SH),
    (tags::ADDITIONAL_PATIENT_HISTORY, VR::LT),
    (tags::REFERRING_PHYSICIAN_NAME, VR::PN),
    (tags::PERFORMING_PHYSICIAN_NAME, VR::PN),
    (tags::OPERATORS_NAME, VR::PN),
    (tags::INSTITUTION_ADDRESS, VR::ST),
    (tags::ACCESSION_NUMBER, VR::SH),
    (tags::VISIT_COMMENTS, VR::LT),
];

/// Writes `name` and `number` into every text of an object, in nested items and private groups too.
///
/// Names (PN) become `name`; free texts (LO, SH, LT, ST, UT, UC) become `name number`, cut to what
/// their value representation holds; texts that tell how to read the image keep their value and get
/// the name behind it; dates of birth become [`PLANTED_DATE`]. Identifying attributes, a request and a
/// private group that the object lacks are added. Codes, UIDs, other dates and decimal numbers stay, so
/// that the object reads as before. `name` should have at most 6 characters and `number` at most 9,
/// so that both fit into a short string (SH).
///
/// Returns how many elements were planted.
pub fn plant(object: &mut InMemDicomObject, name: &str, number: &str) -> usize {
    for (tag, vr) in ADDED {
        object.put(DataElement::new(tag, vr, PrimitiveValue::from("-")));
    }
    add_nested(object);
    plant_in(object, name, number)
}

fn add_nested(object: &mut InMemDicomObject) {
    let mut physician = Attributes::new();
    physician.text(tags::PERSON_ADDRESS, VR::ST, "-");
    let mut request = Attributes::new();
    request
        .text(tags::REQUESTING_PHYSICIAN, VR::PN, "-")
        .text(tags::SCHEDULED_PROCEDURE_STEP_DESCRIPTION, VR::LO, "-")
        .sequence(
            tags::REFERRING_PHYSICIAN_IDENTIFICATION_SEQUENCE,
            vec![physician],
        );
    let mut deeper = Attributes::new();
    deeper.text(Tag(0x0071, 0x1002), VR::UT, "-");
    let mut private = Attributes::new();
    private
        .text(Tag(0x0071, 0x0010), VR::LO, "PLANTED")
        .sequence(Tag(0x0071, 0x1001), vec![deeper])
        .sequence(tags::REQUEST_ATTRIBUTES_SEQUENCE, vec![request]);
    for element in private.into_object() {
        object.put(element);
    }
}

fn plant_in(object: &mut InMemDicomObject, name: &str, number: &str) -> usize {
    let found: Vec<(Tag, VR)> = object.iter().map(|e| (e.header().tag, e.vr())).collect();
    found
        .into_iter()
        .map(|(tag, vr)| plant_element(object, tag, vr, name, number))
        .sum()
}

fn plant_element(
    object: &mut InMemDicomObject,
    tag: Tag,
    vr: VR,
    name: &str,
    number: &str,
) -> usize {
    if vr == VR::SQ {
        let mut planted = 0;
        object.update_value(tag, |value| {
            if let Value::Sequence(sequence) = value {
                for item in sequence.items_mut() {
                    planted += plant_in(item, name, number);
                }
            }
        });
        return planted;
    }
    let text = match (tag, vr) {
        _ if is_structure(tag) => return 0,
        _ if KEPT.contains(&tag) => {
            let kept = object.get(tag).and_then(|e| e.to_str().ok());
            format!("{} {name}", kept.unwrap_or_default().trim_end())
        }
        (tags::PATIENT_BIRTH_DATE, _) => PLANTED_DATE.to_owned(),
        (_, VR::PN) => format!("{name}^{number}"),
        (_, VR::LO | VR::SH | VR::LT | VR::ST | VR::UT | VR::UC) => format!("{name} {number}"),
        _ => return 0,
    };
    object.put(DataElement::new(tag, vr, PrimitiveValue::from(text)));
    1
}

/// Codes and private creators: they name what other elements mean.
fn is_structure(tag: Tag) -> bool {
    let creator = tag.group() % 2 == 1 && (0x0010..=0x00ff).contains(&tag.element());
    creator || matches!(tag, tags::CODE_VALUE | tags::CODING_SCHEME_DESIGNATOR)
}
