//! Scans of other sizes than the paper's.

use dicom_core::VR;
use dicom_dictionary_std::tags;

use super::object::{ANTERIOR, COLUMNS, ROWS, ScanBuilder, body};
use crate::{Acquisition, Warning, crop};
use attrium_types::CropMode;

const IMAGE_TYPE_STATIC: &str = r"ORIGINAL\PRIMARY\STATIC\EMISSION";

fn thorax(side: usize) -> ScanBuilder {
    let pixels = (0..side * side).map(|index| (index % 251) as u16 + 1);
    ScanBuilder::of(&[pixels.collect()])
        .views(&[ANTERIOR])
        .numbers(tags::ROWS, &[side as u16])
        .numbers(tags::COLUMNS, &[side as u16])
        .text(tags::IMAGE_TYPE, VR::CS, IMAGE_TYPE_STATIC)
}

#[test]
fn a_large_static_becomes_256_pixels_wide_and_keeps_its_counts() {
    for side in [300, 512, 1024] {
        let image = thorax(side).read().expect("should be read");
        assert_eq!(image.acquisition, Acquisition::Static);
        assert_eq!((image.counts.rows, image.counts.columns), (256, 256));
        let counts: f64 = (0..side * side)
            .map(|index| (index % 251) as f64 + 1.0)
            .sum();
        assert!((image.counts.sum() / counts - 1.0).abs() < 1e-6);
        let spacing = 2.4 * side as f64 / 256.0;
        assert_eq!(image.pixel_spacing_mm, Some([spacing, spacing]));
        assert!(image.warnings.contains(&Warning::Downsampled {
            rows: side,
            columns: side
        }));
    }
}

#[test]
fn the_central_part_of_a_static_is_its_crop() {
    for (side, edge) in [(128, 0), (200, 36), (256, 64)] {
        let image = thorax(side).read().expect("should be read");
        let crop = crop(&image, CropMode::Robust).expect("should hold a crop");
        assert_eq!((crop.rectangle.top, crop.rectangle.left), (edge, edge));
        assert_eq!(crop.counts[0], image.counts.pixels[edge * side + edge]);
        assert_eq!(crop.counts.len(), 128 * 128);
    }
}

#[test]
fn a_static_of_another_part_of_the_body_is_set_aside() {
    let knees = thorax(256).text(tags::BODY_PART_EXAMINED, VR::CS, "KNEE");
    assert_eq!(knees.reason(), "not-thorax");
    let pelvis = thorax(256).text(tags::SERIES_DESCRIPTION, VR::LO, "ANT PELVIS");
    assert_eq!(pelvis.reason(), "not-thorax");
    let chest = thorax(256).text(tags::BODY_PART_EXAMINED, VR::CS, "CHEST");
    assert!(chest.read().is_ok());
}

#[test]
fn a_static_that_is_not_square_is_set_aside() {
    let wide = thorax(256).numbers(tags::ROWS, &[200]);
    assert_eq!(wide.reason(), "not-square");
}

#[test]
fn dynamic_and_tomographic_frames_are_set_aside() {
    for kind in ["DYNAMIC", "TOMO", "RECON TOMO", "GATED TOMO"] {
        let image_type = format!(r"ORIGINAL\PRIMARY\{kind}\EMISSION");
        let scan = ScanBuilder::of(&[body()]).text(tags::IMAGE_TYPE, VR::CS, &image_type);
        assert_eq!(scan.reason(), "not-planar");
    }
}

#[test]
fn an_image_type_that_is_missing_is_told_by_the_shape() {
    let long = ScanBuilder::of(&[body()])
        .views(&[ANTERIOR])
        .without(tags::IMAGE_TYPE);
    let image = long.read().expect("should be read");
    assert_eq!(image.acquisition, Acquisition::WholeBody);
    let square = thorax(256)
        .without(tags::IMAGE_TYPE)
        .read()
        .expect("should be read");
    assert_eq!(square.acquisition, Acquisition::Static);
}

#[test]
fn the_crop_of_a_whole_body_follows_the_paper() {
    let scan = ScanBuilder::of(&[body()]).views(&[ANTERIOR]);
    let image = scan.read().expect("should be read");
    let crop = crop(&image, CropMode::Paper).expect("should hold a crop");
    // The feet end at row 360; the body is 320 rows high.
    assert_eq!(crop.rectangle.top, 360 - 272);
    assert_eq!(crop.rectangle.left, COLUMNS / 2 - 64);
}

#[test]
fn a_body_that_does_not_hold_the_crop_is_set_aside() {
    // Only the legs have counts: 0.85 of their height is 136 rows, of 100 of them 85.
    for (rows, fits) in [(160, true), (100, false)] {
        let mut pixels = vec![0; ROWS * COLUMNS];
        pixels[200 * COLUMNS..(200 + rows) * COLUMNS].fill(7);
        let scan = ScanBuilder::of(&[pixels]).views(&[ANTERIOR]).text(
            tags::PATIENT_ORIENTATION,
            VR::CS,
            r"L\F",
        );
        let image = scan.read().expect("should be read");
        for mode in [CropMode::Robust, CropMode::Paper] {
            match crop(&image, mode) {
                Ok(crop) => assert!(fits && crop.rectangle.top == 224),
                Err(error) => assert!(!fits && error.reason() == "too-small"),
            }
        }
    }
}

#[test]
fn an_image_narrower_than_the_crop_is_set_aside() {
    let narrow = ScanBuilder::of(&[body()]).numbers(tags::COLUMNS, &[127]);
    assert_eq!(narrow.reason(), "too-small");
}

#[test]
fn an_image_without_counts_is_set_aside() {
    let empty = ScanBuilder::of(&[vec![0; ROWS * COLUMNS]]).views(&[ANTERIOR]);
    assert_eq!(empty.reason(), "empty");
}

#[test]
fn a_finely_sampled_whole_body_is_halved() {
    let double = |pixels: Vec<u16>| -> Vec<u16> {
        let rows = pixels.chunks(COLUMNS);
        let wide = rows.map(|row| row.iter().flat_map(|&count| [count; 2]).collect::<Vec<_>>());
        // Two such images beside each other would be too wide: empty columns fill up.
        wide.flat_map(|mut row| {
            row.resize(512, 0);
            [row.clone(), row].concat()
        })
        .collect()
    };
    let scan = ScanBuilder::of(&[double(body())])
        .views(&[ANTERIOR])
        .numbers(tags::ROWS, &[2 * ROWS as u16])
        .numbers(tags::COLUMNS, &[512])
        .text(tags::PIXEL_SPACING, VR::DS, r"1.2\1.2");
    let image = scan.read().expect("should be read");
    assert_eq!((image.counts.rows, image.counts.columns), (ROWS, 256));
    assert_eq!(image.pixel_spacing_mm, Some([2.4, 2.4]));
    let counts: f64 = body().into_iter().map(f64::from).sum();
    assert_eq!(image.counts.sum(), 4.0 * counts);
    assert_eq!(image.counts.pixels[50 * 256 + 80], 4.0 * 30.0);
}

#[test]
fn pixels_and_patients_of_unusual_size_are_said() {
    let scan =
        ScanBuilder::of(&[body()])
            .views(&[ANTERIOR])
            .text(tags::PIXEL_SPACING, VR::DS, r"4.8\4.8");
    let image = scan.read().expect("should be read");
    let said = Warning::UnusualPixelSize { millimetres: 4.8 };
    assert_eq!(image.warnings, [said]);
    let small = ScanBuilder::of(&[body()])
        .views(&[ANTERIOR])
        .read()
        .expect("should be read");
    let crop = crop(&small, CropMode::Robust).expect("should hold a crop");
    let millimetres = 320.0 * 2.4;
    assert_eq!(crop.warnings, [Warning::UnusualExtent { millimetres }]);
}
