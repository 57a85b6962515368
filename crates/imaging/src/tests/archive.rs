//! Objects of `tests/data`, against what pydicom reads (see `tests/golden/imaging`).

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::{
    Acquisition, AnteriorImage, Error, View, ViewSource, Warning, crop, intensities, read_anterior,
};
use attrium_types::{CropMode, Intensity, LossyPolicy};

#[derive(Deserialize)]
struct Expected {
    rows: usize,
    columns: usize,
    sum: f64,
    pixels: Vec<(usize, usize, f32)>,
}

fn bytes(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data");
    std::fs::read(folder.join(name)).expect("should be in tests/data")
}

fn read(name: &str) -> Result<AnteriorImage, Error> {
    read_anterior(&bytes(name), LossyPolicy::Quarantine)
}

#[test]
fn every_transfer_syntax_gives_the_pixels_that_pydicom_gives() {
    let golden = include_str!("../../../../tests/golden/imaging/pixels.json");
    let golden: BTreeMap<String, Expected> = serde_json::from_str(golden).expect("golden values");
    assert_eq!(golden.len(), 28);
    for (name, expected) in golden {
        let image = read_anterior(&bytes(&name), LossyPolicy::Accept)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(image.counts.rows, expected.rows, "{name}");
        assert_eq!(image.counts.columns, expected.columns, "{name}");
        assert_eq!(image.counts.sum(), expected.sum, "{name}");
        for (row, column, count) in expected.pixels {
            let found = image.counts.pixels[row * expected.columns + column];
            assert_eq!(found, count, "{name} at row {row}, column {column}");
        }
    }
}

#[test]
fn the_real_scan_has_its_own_count_of_counts() {
    let image = read("nm-wholebody-anterior.dcm").expect("should be read");
    assert_eq!((image.counts.rows, image.counts.columns), (1024, 256));
    assert_eq!(image.counts.sum(), 3_596_452.0);
    assert_eq!(image.acquisition, Acquisition::WholeBody);
    assert_eq!(image.pixel_spacing_mm, Some([2.26, 2.26]));
    assert_eq!(image.view, View::Anterior);
    assert!(!image.synthetic);
}

#[test]
fn the_real_scan_whose_view_no_attribute_names_is_seen_to_be_anterior_and_that_is_said() {
    let image = read("nm-wholebody-anterior.dcm").expect("should be read");
    assert_eq!(image.view_source, ViewSource::Image);
    assert_eq!(image.warnings, [Warning::ViewFromImage]);
}

#[test]
fn the_papers_crop_of_the_real_scan_is_moved_by_stray_counts() {
    let image = read("nm-wholebody-anterior.dcm").expect("should be read");
    let crop = crop(&image, CropMode::Paper).expect("should hold a crop");
    assert_eq!((crop.rectangle.top, crop.rectangle.left), (172, 64));
    assert_eq!(crop.warnings, [Warning::StrayCounts { rows: -32 }]);
}

#[test]
fn the_robust_crop_of_the_real_scan_starts_at_the_shoulders() {
    let image = read("nm-wholebody-anterior.dcm").expect("should be read");
    let crop = crop(&image, CropMode::Robust).expect("should hold a crop");
    let rectangle = crop.rectangle;
    assert_eq!(
        (
            rectangle.top,
            rectangle.left,
            rectangle.height,
            rectangle.width
        ),
        (204, 64, 128, 128)
    );
    assert_eq!(crop.warnings, []);
    // The sum is numpy's over pixels[204:332, 64:192].
    let sum: f64 = crop.counts.iter().copied().map(f64::from).sum();
    assert_eq!(sum, 847_883.0);
}

#[test]
fn the_logarithm_is_natural_and_leaves_zeros() {
    let logs = intensities(&[0.0, 1.0, 2.0, 278.0], Intensity::Paper);
    assert_eq!(logs, [0.0, 0.0, 2.0_f32.ln(), 278.0_f32.ln()]);
}

#[test]
fn a_lossy_image_is_refused_unless_it_is_accepted() {
    let name = "nm-wholebody-anterior-lossy.dcm";
    assert_eq!(read(name).expect_err("marked lossy").reason(), "lossy");
    let image = read_anterior(&bytes(name), LossyPolicy::Accept).expect("accepted");
    assert!(image.warnings.contains(&Warning::Lossy));
    // pydicom counts as many pixels below zero.
    assert!(
        image
            .warnings
            .contains(&Warning::NegativePixels { count: 39_921 })
    );
    assert!(image.counts.pixels.iter().all(|&count| count >= 0.0));
}

#[test]
fn debug_output_holds_no_uid() {
    let image = read("nm-wholebody-anterior.dcm").expect("should be read");
    assert!(image.study.as_str().starts_with("1.3.6.1."));
    assert!(!format!("{:?}", image.study).contains("1.3.6"));
}
