//! Objects as their readers see them: the standard's attributes, the views, the planted names.

use std::collections::BTreeMap;

use dicom_core::value::Value;
use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;

use super::*;
use crate::{Protocol, SCANNERS, SyntheticCohort, ViewNaming, scan, tracer};
use attrium_imaging::{ViewSource, read_anterior};
use attrium_types::LossyPolicy;
use attrium_types::Tracer;

const NAME: &str = "Zebedy";
const NUMBER: &str = "8675309";

/// A whole-body study of each scanner type.
fn studies() -> Vec<Study> {
    let cohort = SyntheticCohort::new(u32::MAX, 17);
    let mut found: BTreeMap<&str, Study> = BTreeMap::new();
    let whole = (0..3000)
        .map(|number| cohort.study(number))
        .filter(|study| study.person.protocol == Protocol::WholeBody);
    for study in whole {
        found.entry(study.scanner.name).or_insert(study);
    }
    assert_eq!(found.len(), SCANNERS.len());
    found.into_values().collect()
}

fn static_study() -> Study {
    let cohort = SyntheticCohort::new(u32::MAX, 17)
        .with_grades([0.0, 0.0, 0.0, 1.0])
        .expect("shares");
    (0..)
        .map(|number| cohort.study(number))
        .find(|study| study.person.protocol == Protocol::ThoracicStatic)
        .expect("should be among the first")
}

#[test]
fn every_attribute_of_type_1_or_2_is_there() {
    // Of the modules that PS3.3, table A.5-1 marks as mandatory for NM Image Storage.
    let required = [
        tags::SOP_CLASS_UID,
        tags::SOP_INSTANCE_UID,
        tags::IMAGE_TYPE,
        tags::STUDY_DATE,
        tags::STUDY_TIME,
        tags::CONTENT_DATE,
        tags::CONTENT_TIME,
        tags::ACCESSION_NUMBER,
        tags::MODALITY,
        tags::MANUFACTURER,
        tags::REFERRING_PHYSICIAN_NAME,
        tags::PATIENT_NAME,
        tags::PATIENT_ID,
        tags::PATIENT_BIRTH_DATE,
        tags::PATIENT_SEX,
        tags::COUNTS_ACCUMULATED,
        tags::ACTUAL_FRAME_DURATION,
        tags::SCAN_LENGTH,
        tags::STUDY_INSTANCE_UID,
        tags::SERIES_INSTANCE_UID,
        tags::STUDY_ID,
        tags::SERIES_NUMBER,
        tags::INSTANCE_NUMBER,
        tags::SAMPLES_PER_PIXEL,
        tags::PHOTOMETRIC_INTERPRETATION,
        tags::NUMBER_OF_FRAMES,
        tags::FRAME_INCREMENT_POINTER,
        tags::ROWS,
        tags::COLUMNS,
        tags::PIXEL_SPACING,
        tags::BITS_ALLOCATED,
        tags::BITS_STORED,
        tags::HIGH_BIT,
        tags::PIXEL_REPRESENTATION,
        tags::LOSSY_IMAGE_COMPRESSION,
        tags::ENERGY_WINDOW_VECTOR,
        tags::NUMBER_OF_ENERGY_WINDOWS,
        tags::ENERGY_WINDOW_INFORMATION_SEQUENCE,
        tags::RADIOPHARMACEUTICAL_INFORMATION_SEQUENCE,
        tags::DETECTOR_VECTOR,
        tags::NUMBER_OF_DETECTORS,
        tags::DETECTOR_INFORMATION_SEQUENCE,
        tags::PATIENT_ORIENTATION_CODE_SEQUENCE,
        tags::PATIENT_GANTRY_RELATIONSHIP_CODE_SEQUENCE,
        tags::PIXEL_DATA,
    ];
    let detector = [
        tags::COLLIMATOR_TYPE,
        tags::FOCAL_DISTANCE,
        tags::IMAGE_POSITION_PATIENT,
        tags::IMAGE_ORIENTATION_PATIENT,
    ];
    for study in studies() {
        for object in objects(&study, &scan(&study)) {
            for tag in required {
                assert!(
                    object.get(tag).is_some(),
                    "{} lacks {tag}",
                    study.scanner.name
                );
            }
            let items = object
                .get(tags::DETECTOR_INFORMATION_SEQUENCE)
                .and_then(|e| e.items());
            for item in items.expect("should be a sequence") {
                for tag in detector {
                    assert!(
                        item.get(tag).is_some(),
                        "{} lacks {tag}",
                        study.scanner.name
                    );
                }
            }
        }
    }
}

#[test]
fn the_anterior_view_of_every_scanner_is_found_and_its_counts_are_those_drawn() {
    for study in studies() {
        let views = scan(&study);
        let drawn: Vec<f32> = views
            .anterior
            .iter()
            .map(|count| f32::from(*count))
            .collect();
        let encoded = objects(&study, &views)
            .into_iter()
            .map(|object| encode(object, study.scanner.implicit).expect("should be valid"));
        let read: Vec<_> = encoded
            .map(|bytes| read_anterior(&bytes, LossyPolicy::Quarantine))
            .collect();
        let anterior: Vec<_> = read.iter().flatten().collect();
        assert_eq!(anterior.len(), 1, "{}", study.scanner.name);
        let image = anterior[0];
        assert!(image.counts.pixels == drawn, "{}", study.scanner.name);
        assert_eq!(image.study.as_str(), study.study_uid);
        assert!(image.synthetic);
        let expected = match study.scanner.naming {
            ViewNaming::SnomedCt | ViewNaming::Srt => ViewSource::ViewCode,
            ViewNaming::ImageId => ViewSource::ImageId,
            ViewNaming::Private => ViewSource::GePrivate,
        };
        assert_eq!(image.view_source, expected, "{}", study.scanner.name);
        assert!(
            image.warnings.is_empty(),
            "{}: {:?}",
            study.scanner.name,
            image.warnings
        );
    }
}

#[test]
fn ges_posterior_object_says_which_detector_it_is_of() {
    let study = studies()
        .into_iter()
        .find(|study| study.scanner.naming == ViewNaming::Private)
        .expect("GE's");
    let numbers: Vec<i32> = objects(&study, &scan(&study))
        .iter()
        .map(|object| {
            let number = object.get(Tag(0x0011, 0x1015)).expect("GE Detector Number");
            number.to_int().expect("a number")
        })
        .collect();
    assert_eq!(numbers, [1, 2]);
}

#[test]
fn a_static_is_read_as_a_static() {
    let study = static_study();
    let views = scan(&study);
    let read: Vec<_> = objects(&study, &views)
        .into_iter()
        .map(|object| encode(object, study.scanner.implicit).expect("should be valid"))
        .filter_map(|bytes| read_anterior(&bytes, LossyPolicy::Quarantine).ok())
        .collect();
    assert_eq!(read.len(), 1);
    assert_eq!(read[0].acquisition, attrium_imaging::Acquisition::Static);
}

/// The texts of an object and of all items in it, with their tags.
fn texts(object: &InMemDicomObject, found: &mut Vec<(Tag, VR, String)>) {
    for element in object.iter() {
        if let Value::Sequence(sequence) = element.value() {
            sequence.items().iter().for_each(|item| texts(item, found));
        } else if let Ok(text) = element.to_str() {
            found.push((element.header().tag, element.vr(), text.into_owned()));
        }
    }
}

#[test]
fn names_and_numbers_are_planted_in_every_text_nested_and_private_ones_too() {
    for study in studies() {
        for mut object in objects(&study, &scan(&study)) {
            let planted = plant(&mut object, NAME, NUMBER);
            let mut found = Vec::new();
            texts(&object, &mut found);
            let free = |vr: VR| {
                matches!(
                    vr,
                    VR::PN | VR::LO | VR::SH | VR::LT | VR::ST | VR::UT | VR::UC
                )
            };
            let structure = |tag: Tag| {
                tag == tags::CODE_VALUE
                    || tag == tags::CODING_SCHEME_DESIGNATOR
                    || (tag.group() % 2 == 1 && tag.element() < 0x100)
            };
            let (mut count, mut private) = (0, 0);
            for (tag, vr, text) in found {
                if free(vr) && !structure(tag) {
                    assert!(text.contains(NAME), "{tag}: {text}");
                    assert!(vr != VR::SH || text.len() <= 16, "{tag}: {text}");
                    count += 1;
                    private += usize::from(tag.group() % 2 == 1);
                }
            }
            // The birth date is the only planted element that is not a free text.
            assert_eq!(planted, count + 1);
            assert!(private >= 2, "{}: {private}", study.scanner.name);
        }
    }
}

#[test]
fn a_planted_object_reads_as_before() {
    for study in studies() {
        let views = scan(&study);
        let mut read = 0;
        for object in objects(&study, &views) {
            let mut planted = object.clone();
            plant(&mut planted, NAME, NUMBER);
            let open = |object| {
                let bytes = encode(object, study.scanner.implicit).expect("should be valid");
                let mut image = read_anterior(&bytes, LossyPolicy::Quarantine).ok()?;
                // Whose it is, is what is planted.
                image.provenance.patient = None;
                image.provenance.birth_date = None;
                // The camera's model is a free text; of one that is not listed a word of 16 bits is kept.
                image.scanner = None;
                Some(image)
            };
            let (before, after) = (open(object), open(planted));
            assert!(before == after, "{}", study.scanner.name);
            read += usize::from(after.is_some());
        }
        assert_eq!(read, 1, "{}", study.scanner.name);
    }
}

/// Seconds of a DICOM time, HHMMSS.
fn seconds(object: &InMemDicomObject, tag: Tag) -> u32 {
    let text = object.get(tag).expect("a time").to_str().expect("a text");
    let two = |at: usize| text[at..at + 2].parse::<u32>().expect("a number");
    3600 * two(0) + 60 * two(2) + two(4)
}

fn item(object: &InMemDicomObject, tag: Tag) -> &InMemDicomObject {
    let items = object.get(tag).and_then(|element| element.items());
    items.and_then(<[_]>::first).expect("an item")
}

#[test]
fn every_object_states_its_tracer_its_radionuclide_and_an_injection_three_hours_before() {
    for study in studies() {
        for object in objects(&study, &scan(&study)) {
            let tracer = item(&object, tags::RADIOPHARMACEUTICAL_INFORMATION_SEQUENCE);
            let name = tracer.get(tags::RADIOPHARMACEUTICAL).expect("a name");
            let name = name.to_str().expect("a text");
            assert!(tracer::names(study.tracer).contains(&&*name), "{name}");
            let code = |tag| {
                let code = item(tracer, tag).get(tags::CODE_VALUE).expect("a code");
                code.to_str().expect("a text").into_owned()
            };
            // PS3.16, CID 18 and CID 25.
            let radionuclide = code(tags::RADIONUCLIDE_CODE_SEQUENCE);
            assert!(
                ["72454006", "C-163A8"].contains(&&*radionuclide),
                "{radionuclide}"
            );
            let pharmaceutical = code(tags::RADIOPHARMACEUTICAL_CODE_SEQUENCE);
            assert!(
                ["53951001", "C-B1213"].contains(&&*pharmaceutical),
                "{pharmaceutical}"
            );
            let waited = seconds(&object, tags::ACQUISITION_TIME)
                - seconds(tracer, tags::RADIOPHARMACEUTICAL_START_TIME);
            assert!((140 * 60..230 * 60).contains(&waited), "{waited}");
            assert_eq!(waited, 60 * study.uptake_minutes);
        }
    }
}

#[test]
fn a_study_of_another_bone_tracer_names_that_one_alone() {
    let mut study = static_study();
    for tracer in Tracer::ALL {
        study.tracer = *tracer;
        let objects = objects(&study, &scan(&study));
        let mut found = Vec::new();
        texts(&objects[0], &mut found);
        for other in Tracer::ALL {
            let named = found.iter().any(|(_, _, text)| {
                let whole = tracer::names(*other).contains(&&**text);
                whole || text == &format!("Cardiac {other} Planar")
            });
            assert_eq!(named, other == tracer, "{tracer}: {found:?}");
        }
        let item = item(&objects[0], tags::RADIOPHARMACEUTICAL_INFORMATION_SEQUENCE);
        let coded = item.get(tags::RADIOPHARMACEUTICAL_CODE_SEQUENCE).is_some();
        assert_eq!(coded, *tracer != Tracer::Dpd);
    }
}
