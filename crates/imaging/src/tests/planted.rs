//! Admission of objects that are no late bone scan of a thorax, of valid ones, and of parts of the real scan.
//!
//! The example `admission` does the same with hundreds of each.

use attrium_phantom::wrong::{WrongKind, valid_study, wrong_object};
use attrium_phantom::{dicom, scan};
use attrium_types::{CropMode, LossyPolicy, Tracer};

use crate::noise::dispersion;
use crate::thorax::{Likeness, likeness};
use crate::{AnteriorImage, Error, Image, admit, judge, read_anterior};

fn used(bytes: &[u8]) -> Result<(), Error> {
    let image = read_anterior(bytes, LossyPolicy::Quarantine)?;
    admit(image, Tracer::ALL, CropMode::Robust).map(drop)
}

#[test]
fn no_planted_object_is_decided_on_whether_it_says_what_it_is_or_not() {
    for kind in WrongKind::ALL {
        for seed in 0..4 {
            let planted = wrong_object(*kind, seed);
            let bytes = dicom::encode(planted.object, planted.implicit).expect("should be valid");
            assert!(used(&bytes).is_err(), "{kind} {seed}");
        }
    }
}

#[test]
fn valid_studies_are_decided_on_whatever_their_scanner_exposure_and_size() {
    for number in 0..60 {
        let study = valid_study(17, number);
        let outcomes = dicom::objects(&study, &scan(&study))
            .into_iter()
            .map(|object| {
                let bytes = dicom::encode(object, study.scanner.implicit).expect("should be valid");
                used(&bytes).map_err(|error| error.reason())
            });
        let outcomes: Vec<_> = outcomes
            .filter(|outcome| *outcome != Err("no-anterior"))
            .collect();
        assert_eq!(outcomes, [Ok(())], "{number}");
    }
}

fn real_scan() -> AnteriorImage {
    let file = "/../../tests/data/nm-wholebody-anterior.dcm";
    let path = format!("{}{file}", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(path).expect("the real scan");
    read_anterior(&bytes, LossyPolicy::Quarantine).expect("should be read")
}

/// What a crop from some row of the real scan looks like.
fn part(image: &Image<f32>, top: usize) -> Likeness {
    let rows = image.pixels.chunks_exact(256).skip(top).take(128);
    let counts: Vec<f32> = rows.flat_map(|row| &row[64..192]).copied().collect();
    likeness(&counts)
}

#[test]
fn of_the_real_scan_the_thorax_alone_looks_like_one() {
    let image = real_scan().counts;
    for top in [198, 204, 210] {
        assert_eq!(part(&image, top), Likeness::Thorax, "{top}");
    }
    for (region, top) in [
        ("skull", 60),
        ("abdomen", 300),
        ("pelvis", 410),
        ("knees", 590),
        ("feet", 770),
    ] {
        assert_eq!(part(&image, top), Likeness::Other, "{region}");
    }
    let mut turned = image.clone();
    turned.pixels.reverse();
    assert_eq!(part(&turned, 1024 - 128 - 204), Likeness::Other);
    let most = image.pixels.iter().copied().fold(0.0, f32::max);
    let mut negative = image;
    negative
        .pixels
        .iter_mut()
        .for_each(|count| *count = most - *count);
    assert_eq!(part(&negative, 204), Likeness::Other);
}

/// What becomes of the real scan with other pixels of the same size.
fn with_pixels(pixels: impl Fn(f32) -> f32) -> Result<Vec<&'static str>, &'static str> {
    let mut image = real_scan();
    image
        .counts
        .pixels
        .iter_mut()
        .for_each(|count| *count = pixels(*count));
    image.dispersion = dispersion(&image.counts);
    image.warnings.clear();
    let judged = judge(image, Tracer::ALL).map_err(|error| error.reason())?;
    Ok(judged
        .warnings
        .iter()
        .map(|warning| warning.code())
        .collect())
}

#[test]
fn pixels_that_were_scaled_are_told_from_counts_by_their_noise() {
    let silent = ["tracer-not-stated", "delay-not-stated"];
    let scaled = ["noise-not-of-counts", silent[0], silent[1]];
    assert_eq!(with_pixels(|count| count).as_deref(), Ok(&silent[..]));
    assert_eq!(with_pixels(|count| 2.0 * count).as_deref(), Ok(&scaled[..]));
    assert_eq!(with_pixels(|count| count / 2.0).as_deref(), Ok(&scaled[..]));
    assert_eq!(with_pixels(|count| 37.0 * count).err(), Some("scaled-up"));
}

#[test]
fn a_whole_body_that_was_filled_up_to_a_square_is_a_page() {
    let mut image = real_scan();
    let margin = vec![0.0; 384];
    let rows = image.counts.pixels.chunks_exact(256);
    let pixels = rows
        .flat_map(|row| [&margin[..], row, &margin[..]].concat())
        .collect();
    image.counts = Image {
        pixels,
        rows: 1024,
        columns: 1024,
    };
    let reason = judge(image, Tracer::ALL).map_err(|error| error.reason());
    assert_eq!(reason.err(), Some("not-long"));
}
