//! Planted objects are what they are called, and valid studies of all sorts.

use std::collections::HashSet;

use dicom_core::value::Value;
use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use super::*;
use crate::scan;
use attrium_imaging::read_anterior;
use attrium_types::LossyPolicy;

/// A text of an object, trimmed; empty where there is none.
fn text(object: &InMemDicomObject, tag: Tag) -> String {
    let text = object.get(tag).and_then(|element| element.to_str().ok());
    text.unwrap_or_default().trim().to_owned()
}

/// All texts of an object and of the items in it.
fn texts(object: &InMemDicomObject) -> Vec<String> {
    let mut found = Vec::new();
    for element in object.iter() {
        if let Value::Sequence(sequence) = element.value() {
            sequence
                .items()
                .iter()
                .for_each(|item| found.extend(texts(item)));
        } else if matches!(element.vr(), VR::CS | VR::LO | VR::SH | VR::LT | VR::UT) {
            found.push(element.to_str().unwrap_or_default().to_uppercase());
        }
    }
    found
}

/// Sixty objects, three of each kind.
fn planted() -> Vec<WrongObject> {
    WrongKind::ALL
        .par_iter()
        .flat_map_iter(|kind| (0..3).map(|seed| wrong_object(*kind, seed)))
        .collect()
}

#[test]
fn planted_objects_are_whole_synthetic_and_decided_by_kind_and_seed() {
    for planted in planted() {
        let object = &planted.object;
        let kind = planted.kind;
        assert_eq!(text(object, tags::QUALITY_CONTROL_IMAGE), "YES", "{kind}");
        let bits = object.get(tags::BITS_ALLOCATED).expect("bits");
        let numbers = [tags::ROWS, tags::COLUMNS, tags::SAMPLES_PER_PIXEL].map(|tag| {
            object
                .get(tag)
                .expect("a number")
                .to_int::<usize>()
                .expect("whole")
        });
        let frames: usize = text(object, tags::NUMBER_OF_FRAMES)
            .parse()
            .expect("frames");
        let bytes = bits.to_int::<usize>().expect("whole") / 8;
        let pixels = object.get(tags::PIXEL_DATA).expect("pixels");
        let length = pixels.to_bytes().expect("bytes").len();
        let expected = numbers.iter().product::<usize>() * frames * bytes;
        assert_eq!(length, expected, "{kind}");
        dicom::encode(planted.object.clone(), planted.implicit).expect("should be valid");
    }
    let bytes = |seed| {
        let planted = wrong_object(WrongKind::Knees, seed);
        dicom::encode(planted.object, planted.implicit).expect("should be valid")
    };
    assert!(bytes(2) == bytes(2) && bytes(2) != bytes(4));
}

#[test]
fn half_of_the_planted_regions_say_what_they_are_and_the_others_say_nothing() {
    const WORDS: [&str; 14] = [
        "THORA", "CHEST", "WHOLE", "CARDIAC", "WB", "PELVI", "BECKEN", "KNE", "KNIE", "SKULL",
        "HAND", "POOL", "FOOT", "FEET",
    ];
    let regions = [
        WrongKind::BloodPool,
        WrongKind::ChestBloodPool,
        WrongKind::Pelvis,
        WrongKind::Knees,
        WrongKind::Skull,
        WrongKind::Hands,
        WrongKind::Feet,
    ];
    for kind in regions {
        for seed in 0..4 {
            let planted = wrong_object(kind, seed);
            assert_eq!(planted.stated, seed % 2 == 0);
            let mut object = planted.object;
            object.remove_element(tags::IMAGE_TYPE);
            object.remove_element(tags::WHOLE_BODY_TECHNIQUE);
            let part = text(&object, tags::BODY_PART_EXAMINED);
            let description = text(&object, tags::SERIES_DESCRIPTION);
            if planted.stated {
                let silent = description == "NM" || description == "NM ANTERIOR";
                assert!(!part.is_empty() || !silent, "{kind} {seed}");
            } else {
                let told = texts(&object);
                let telling = told
                    .iter()
                    .find(|text| WORDS.iter().any(|word| text.contains(word)));
                assert_eq!(telling, None, "{kind} {seed}");
                assert!(part.is_empty());
            }
        }
    }
}

#[test]
fn an_early_phase_states_minutes_or_no_time_of_injection() {
    for seed in 0..6 {
        let planted = wrong_object(WrongKind::BloodPool, seed);
        let items = planted
            .object
            .get(tags::RADIOPHARMACEUTICAL_INFORMATION_SEQUENCE)
            .and_then(|element| element.items())
            .expect("a sequence");
        let injected = text(&items[0], tags::RADIOPHARMACEUTICAL_START_TIME);
        assert_eq!(injected.is_empty(), !planted.stated);
        if planted.stated {
            let minutes = |time: &str| -> u32 {
                let two = |at: usize| time[at..at + 2].parse::<u32>().expect("a number");
                60 * two(0) + two(2)
            };
            let acquired = text(&planted.object, tags::ACQUISITION_TIME);
            assert!(
                minutes(&acquired) - minutes(&injected) <= 16,
                "{injected} {acquired}"
            );
        }
    }
}

#[test]
fn another_tracer_is_named_or_coded_and_never_called_a_bone_tracer() {
    let kinds = [
        WrongKind::Perfusion,
        WrongKind::Iodide,
        WrongKind::Octreotide,
        WrongKind::Gallium,
    ];
    for kind in kinds {
        for seed in 0..6 {
            let object = wrong_object(kind, seed).object;
            let told = texts(&object);
            for bone in ["HMDP", "HDP", "OXIDRONATE", "DPD", "TC-99M OX"] {
                assert!(
                    told.iter().all(|text| !text.contains(bone)),
                    "{kind} {seed}"
                );
            }
            let items = object
                .get(tags::RADIOPHARMACEUTICAL_INFORMATION_SEQUENCE)
                .and_then(|element| element.items())
                .expect("a sequence");
            let named = !text(&items[0], tags::RADIOPHARMACEUTICAL).is_empty();
            let coded = items[0]
                .get(tags::RADIOPHARMACEUTICAL_CODE_SEQUENCE)
                .is_some();
            assert!(named || coded, "{kind} {seed}");
        }
    }
}

#[test]
fn valid_studies_have_every_scanner_protocol_and_exposure_and_are_read() {
    let numbers: Vec<u32> = (0..36).collect();
    let studies: Vec<Study> = numbers
        .iter()
        .map(|number| valid_study(3, *number))
        .collect();
    let scanners: HashSet<&str> = studies.iter().map(|study| study.scanner.name).collect();
    assert_eq!(scanners.len(), SCANNERS.len());
    let fixed = |study: &&Study| study.person.protocol == Protocol::ThoracicStatic;
    assert_eq!(studies.iter().filter(fixed).count(), 9);
    let counts = studies.iter().map(|study| study.million_counts);
    assert!(counts.clone().fold(4.0, f64::min) < 0.6 && counts.fold(0.0, f64::max) > 3.6);
    studies.par_iter().for_each(|study| {
        let read = dicom::objects(study, &scan(study))
            .into_iter()
            .map(|object| dicom::encode(object, study.scanner.implicit).expect("valid"))
            .filter(|bytes| read_anterior(bytes, LossyPolicy::Quarantine).is_ok())
            .count();
        assert_eq!(read, 1, "{}", study.scanner.name);
    });
}
