//! Nothing that identifies a patient leaves this crate except the study's UID, which is asked for.

use dicom_core::header::Header;
use dicom_core::{DataElement, Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;

use super::object::{ANTERIOR, ScanBuilder, body, scan};
use crate::{Heart, Inspection, crop};
use attrium_types::CropMode;

/// Stands for a name, an id or a date.
const SECRET: &str = "DOE8751";

/// The secret in every kind of text, nested and private too.
fn plant(scan: ScanBuilder) -> ScanBuilder {
    let mut nested = InMemDicomObject::new_empty();
    nested.put(DataElement::new(tags::PATIENT_NAME, VR::PN, SECRET));
    nested.put(DataElement::new(tags::CODE_MEANING, VR::LO, SECRET));
    scan.text(tags::PATIENT_NAME, VR::PN, SECRET)
        .text(tags::PATIENT_ID, VR::LO, SECRET)
        .text(tags::PATIENT_COMMENTS, VR::LT, SECRET)
        .text(tags::IMAGE_ID, VR::SH, "DOE8751 ANT")
        .text(tags::SERIES_DESCRIPTION, VR::LO, SECRET)
        .text(tags::INSTITUTION_NAME, VR::LO, SECRET)
        .text(tags::STATION_NAME, VR::SH, SECRET)
        .text(tags::BODY_PART_EXAMINED, VR::CS, SECRET)
        .text(tags::IMAGE_COMMENTS, VR::LT, SECRET)
        .text(tags::STUDY_DATE, VR::DA, SECRET)
        .text(tags::PATIENT_AGE, VR::AS, SECRET)
        .text(Tag(0x0011, 0x0010), VR::LO, "GEMS_GENIE_1")
        .text(Tag(0x0011, 0x1012), VR::LO, SECRET)
        .text(Tag(0x0009, 0x0010), VR::LO, SECRET)
        .items(tags::REFERENCED_PATIENT_SEQUENCE, vec![nested.clone()])
        .items(
            tags::PATIENT_GANTRY_RELATIONSHIP_CODE_SEQUENCE,
            vec![nested],
        )
}

#[test]
fn an_inspection_holds_no_text_of_the_object() {
    let image = plant(scan()).read().expect("should be read");
    let crop = crop(&image, CropMode::Robust).expect("should hold a crop");
    let inspection = Inspection::new(&image, Some(&crop), Heart::find(&image));
    let json = serde_json::to_string(&inspection).expect("should be JSON");
    let debug = format!("{:?} {inspection:?}", image.study);
    for printed in [json, inspection.to_table(), debug] {
        assert!(!printed.contains(SECRET), "{printed}");
        assert!(!printed.contains("2.25"), "{printed}");
    }
}

#[test]
fn no_error_holds_text_of_the_object_wherever_it_is_planted() {
    let set = plant(scan()).set();
    let texts = set
        .iter()
        .filter(|element| element.vr() != VR::SQ && element.vr() != VR::OW);
    let tags: Vec<Tag> = texts.map(Header::tag).collect();
    assert!(tags.len() > 30);
    let mut refused = 0;
    for tag in tags {
        for vr in [VR::CS, VR::UI, VR::DS, VR::IS, VR::LO, VR::SH] {
            let damaged =
                plant(ScanBuilder::of(&[body()]).views(&[ANTERIOR])).text(tag, vr, SECRET);
            if let Err(error) = damaged.read() {
                refused += 1;
                let chain = format!("{} {error:?}", snafu::Report::from_error(&error));
                assert!(!chain.contains(SECRET), "{tag}: {chain}");
            }
        }
    }
    assert!(refused > 30, "only {refused} were refused");
}

#[test]
fn a_date_of_birth_is_there_to_be_compared_and_is_not_printed() {
    let born = |text: &str| {
        let image = scan().text(tags::PATIENT_BIRTH_DATE, VR::DA, text).read();
        image.expect("should be read").provenance
    };
    let known = born("19400701");
    assert!(known.birth_date.is_some());
    assert_eq!(known.birth_date, born("1940.07.01").birth_date);
    assert_ne!(known.birth_date, born("19400702").birth_date);
    for none in ["", "19400000", "1940", SECRET] {
        assert_eq!(born(none).birth_date, None, "{none}");
    }
    let days = known.birth_date.unwrap_or_default().to_string();
    assert!(!format!("{known:?}").contains(&days));
}
