//! Scans that lie the other way up.

use dicom_core::VR;
use dicom_dictionary_std::tags;

use super::object::{ANTERIOR, COLUMNS, ROWS, ScanBuilder, body, coded, image_of};
use crate::orientation::{HeadEnd, Stated, Turn, rotate_180};
use crate::{Image, Warning, crop, read_anterior};
use attrium_types::{CropMode, LossyPolicy};

fn turned() -> ScanBuilder {
    let mut pixels = body();
    pixels.reverse();
    ScanBuilder::of(&[pixels]).views(&[ANTERIOR])
}

#[test]
fn a_feet_first_scan_is_turned_where_its_header_says_so() {
    let by_position = turned().text(tags::PATIENT_POSITION, VR::CS, "FFS");
    let by_orientation = turned().text(tags::PATIENT_ORIENTATION, VR::CS, r"R\H");
    let by_cosines = turned().text(tags::IMAGE_ORIENTATION_PATIENT, VR::DS, r"-1\0\0\0\0\1");
    let by_code = |value, scheme| {
        let relationship = tags::PATIENT_GANTRY_RELATIONSHIP_CODE_SEQUENCE;
        turned().items(relationship, vec![coded(value, scheme)])
    };
    for scan in [
        by_position,
        by_orientation,
        by_cosines,
        by_code("102541007", "SCT"),
        by_code("F-10480", "SRT"),
    ] {
        let image = scan.read().expect("should be turned");
        assert_eq!(image.counts, image_of(&body(), ROWS, COLUMNS));
        assert_eq!(image.warnings, [Warning::TurnedUpright]);
    }
}

#[test]
fn a_feet_first_scan_that_does_not_say_so_is_set_aside() {
    assert_eq!(turned().reason(), "upside-down");
    let head_first = turned().text(tags::PATIENT_POSITION, VR::CS, "HFS");
    assert_eq!(head_first.reason(), "upside-down");
    let upright = turned().text(tags::PATIENT_ORIENTATION, VR::CS, r"L\F");
    assert_eq!(upright.reason(), "upside-down");
}

#[test]
fn an_upright_scan_of_a_patient_who_lay_feet_first_stays() {
    let scan =
        ScanBuilder::of(&[body()])
            .views(&[ANTERIOR])
            .text(tags::PATIENT_POSITION, VR::CS, "FFS");
    let image = scan.read().expect("should be read");
    assert_eq!(image.counts, image_of(&body(), ROWS, COLUMNS));
    assert_eq!(image.warnings, []);
}

#[test]
fn counts_that_contradict_the_header_are_set_aside() {
    let scan = ScanBuilder::of(&[body()]).views(&[ANTERIOR]).text(
        tags::PATIENT_ORIENTATION,
        VR::CS,
        r"R\H",
    );
    assert_eq!(scan.reason(), "orientation-unclear");
}

#[test]
fn counts_without_head_or_feet_need_a_header() {
    let flat = || ScanBuilder::of(&[vec![9; ROWS * COLUMNS]]).views(&[ANTERIOR]);
    assert_eq!(flat().reason(), "orientation-unclear");
    let stated = flat().text(tags::PATIENT_ORIENTATION, VR::CS, r"L\F");
    let warnings = stated.read().expect("should be read").warnings;
    assert_eq!(warnings, [Warning::OrientationFromHeader]);
}

#[test]
fn the_real_scan_is_upright_however_it_lies() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/data/nm-wholebody-anterior.dcm"
    );
    let bytes = std::fs::read(path).expect("the real scan");
    let image = read_anterior(&bytes, LossyPolicy::Quarantine).expect("should be read");
    assert_eq!(HeadEnd::of(&image.counts), HeadEnd::Top);
    let mut counts = image.counts.clone();
    rotate_180(&mut counts);
    assert_eq!(HeadEnd::of(&counts), HeadEnd::Bottom);
    // A turned crop would have started elsewhere.
    let turned = crate::AnteriorImage {
        counts,
        ..image.clone()
    };
    let top = |image| crop(image, CropMode::Robust).expect("a crop").rectangle.top;
    assert_ne!(top(&turned), top(&image));
}

#[test]
fn a_hot_injection_site_does_not_turn_a_patient() {
    let mut pixels = body();
    for row in 190..200 {
        for column in 120..130 {
            pixels[row * COLUMNS + column] = 30_000;
        }
    }
    assert_eq!(HeadEnd::of(&image_of(&pixels, ROWS, COLUMNS)), HeadEnd::Top);
    pixels.reverse();
    assert_eq!(
        HeadEnd::of(&image_of(&pixels, ROWS, COLUMNS)),
        HeadEnd::Bottom
    );
}

#[test]
fn an_image_without_a_body_has_no_head() {
    let empty = Image {
        rows: 200,
        columns: 130,
        pixels: vec![0.0; 200 * 130],
    };
    assert_eq!(HeadEnd::of(&empty), HeadEnd::Unclear);
}

#[test]
fn a_header_that_says_nothing_about_rows_decides_nothing_alone() {
    assert!(Turn::decide(HeadEnd::Unclear, None, true).is_err());
    let stated = Stated {
        is_upright: false,
        is_anterior: true,
    };
    let turned = Turn::decide(HeadEnd::Unclear, Some(stated), false).expect("the header decides");
    assert!(turned.is_needed && turned.by_header_alone);
}
