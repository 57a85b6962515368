//! The heart on phantoms, whose hearts are known, and on the real scan.

use std::sync::LazyLock;

use attrium_phantom::wrong::valid_study;
use attrium_phantom::{Study, Ventricle, dicom, scan, ventricle};
use attrium_types::{CropMode, LossyPolicy, Tracer};
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use crate::{AnteriorImage, CROP_PIXELS, CropRectangle, Heart, admit, crop, read_anterior};

/// A phantom's heart as it was found and as it is.
struct Found {
    heart: Heart,
    truth: Ventricle,
    grade: u8,
    /// Millimetres from the found middle to the true one.
    off_mm: f64,
}

fn found(study: &Study) -> Found {
    let views = scan(study);
    let image = dicom::objects(study, &views)
        .into_iter()
        .map(|object| dicom::encode(object, study.scanner.implicit).expect("should be valid"))
        .find_map(|bytes| read_anterior(&bytes, LossyPolicy::Quarantine).ok())
        .expect("should have an anterior view");
    let heart = Heart::find(&image).expect("should have a heart");
    let truth = ventricle(study);
    // The image may have fewer pixels than the view.
    let pixels = views.rows as f64 / image.counts.rows as f64;
    let off = |found: f64, truth: f64| (found + 0.5) * pixels - 0.5 - truth;
    let off = off(heart.row, truth.row).hypot(off(heart.column, truth.column));
    Found {
        heart,
        truth,
        grade: study.grade.value(),
        off_mm: off * views.pixel_mm,
    }
}

static HEARTS: LazyLock<Vec<Found>> = LazyLock::new(|| {
    let numbers = (0..120_u32).into_par_iter();
    numbers
        .map(|number| found(&valid_study(91, number)))
        .collect()
});

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

#[test]
fn hearts_of_phantoms_are_found_and_their_ratios_are_near_the_truth() {
    let hearts = &*HEARTS;
    let off = |positive: bool| {
        let of = hearts.iter().filter(|it| (it.grade >= 2) == positive);
        median(of.map(|it| it.off_mm).collect())
    };
    assert!(
        off(true) < 6.0 && off(false) < 12.0,
        "{} {}",
        off(true),
        off(false)
    );
    let relative = |found: Option<f64>, truth: f64| (found.expect("a ratio") / truth - 1.0).abs();
    let ratios = hearts
        .iter()
        .map(|it| relative(it.heart.ratios.contralateral, it.truth.contralateral_ratio));
    let ratio = median(ratios.collect());
    assert!(ratio < 0.05, "{ratio}");
    let height = |it: &Found| relative(it.heart.height_mm, it.truth.height_mm);
    assert!(median(hearts.iter().map(height).collect()) < 0.1);
    let has_whole_body = |it: &Found| it.heart.ratios.whole_body.is_some();
    assert_eq!(hearts.iter().filter(|it| has_whole_body(it)).count(), 90);
}

/// How often a score of a study of grade 2 or 3 is above that of another study.
fn auc(score: impl Fn(&Heart) -> Option<f64>) -> f64 {
    let of = |positive: bool| {
        let graded = HEARTS.iter().filter(|it| (it.grade >= 2) == positive);
        let scores = graded.map(|it| score(&it.heart).expect("a ratio"));
        scores.collect::<Vec<f64>>()
    };
    let (positives, others) = (of(true), of(false));
    let pairs = positives
        .iter()
        .flat_map(|one| others.iter().map(move |other| one > other));
    let above = pairs.filter(|is_above| *is_above).count();
    above as f64 / (positives.len() * others.len()) as f64
}

#[test]
fn ratios_tell_hearts_with_amyloid_and_that_to_the_ribs_does_so_best() {
    let contralateral = auc(|heart| heart.ratios.contralateral);
    let rib = auc(|heart| heart.ratios.rib);
    assert!(contralateral > 0.94, "{contralateral}");
    assert!(rib > contralateral && rib > 0.97, "{rib}");
}

fn real_scan() -> AnteriorImage {
    let bytes = include_bytes!("../../../../tests/data/nm-wholebody-anterior.dcm");
    read_anterior(bytes, LossyPolicy::Quarantine).expect("should be read")
}

/// The real scan with uptake of about twice a rib's in an ellipse of 92 mm x 82 mm.
fn with_uptake(row: f64, column: f64) -> AnteriorImage {
    let mut image = real_scan();
    let columns = image.counts.columns;
    for (place, count) in image.counts.pixels.iter_mut().enumerate() {
        let down = ((place / columns) as f64 - row) / (41.0 / 2.26);
        let right = ((place % columns) as f64 - column) / (46.0 / 2.26);
        if down * down + right * right < 1.0 {
            *count += 100.0;
        }
    }
    image
}

#[test]
fn uptake_that_is_painted_on_the_real_scan_is_where_the_heart_is_found() {
    let before = Heart::find(&real_scan()).expect("a heart");
    for (row, column) in [(286.0, 152.0), (276.0, 156.0), (294.0, 150.0)] {
        let heart = Heart::find(&with_uptake(row, column)).expect("a heart");
        let off_mm = 2.26 * (heart.row - row).hypot(heart.column - column);
        assert!(off_mm < 10.0, "{row} {column}: {off_mm} {heart:?}");
        let ratio = |heart: Heart| heart.ratios.contralateral.expect("a ratio");
        assert!(ratio(heart) > 1.7 * ratio(before), "{heart:?}");
    }
}

#[test]
fn the_real_scan_without_uptake_has_no_more_than_the_other_side() {
    let heart = Heart::find(&real_scan()).expect("a heart");
    let ratio = heart.ratios.contralateral.expect("a ratio");
    assert!((0.7..1.3).contains(&ratio), "{heart:?}");
    // Left of the midline, between the shoulders and the liver.
    assert!((250.0..320.0).contains(&heart.row), "{heart:?}");
    assert!((135.0..175.0).contains(&heart.column), "{heart:?}");
}

#[test]
fn the_crop_of_a_heart_lies_around_it_and_keeps_the_counts() {
    let image = with_uptake(286.0, 152.0);
    let heart = Heart::find(&image).expect("a heart");
    let admitted = admit(image, Tracer::ALL, CropMode::Heart).expect("should be admitted");
    assert_eq!(admitted.heart, Some(heart));
    let (image, found) = (admitted.image, admitted.crop);
    let CropRectangle {
        top,
        left,
        height,
        width,
        ..
    } = found.rectangle;
    // 192 mm in pixels of 2.26 mm.
    assert_eq!((height, width), (85, 85));
    assert!(
        (top as f64 + 42.0 - heart.row).abs() <= 1.0,
        "{top} {heart:?}"
    );
    assert!(
        (left as f64 + 42.0 - heart.column).abs() <= 1.0,
        "{left} {heart:?}"
    );
    let rows = image.counts.pixels.chunks_exact(image.counts.columns);
    let rows = rows.skip(top).take(height);
    let counts: f64 = rows
        .flat_map(|row| &row[left..left + width])
        .map(|count| f64::from(*count))
        .sum();
    let cropped: f64 = found.counts.iter().map(|count| f64::from(*count)).sum();
    assert_eq!(found.counts.len(), CROP_PIXELS);
    assert!((cropped / counts - 1.0).abs() < 1e-5, "{cropped} {counts}");
}

#[test]
fn a_heart_is_cropped_of_a_thorax_alone() {
    let mut image = real_scan();
    // What lies below the hips, upright and as long as it was.
    let columns = image.counts.columns;
    image.counts.pixels.rotate_left(420 * columns);
    image.counts.pixels[500 * columns..].fill(0.0);
    assert!(crop(&image, CropMode::Heart).is_ok());
    let error = admit(image, Tracer::ALL, CropMode::Heart).expect_err("no thorax");
    assert_eq!(error.reason(), "no-thorax-seen");
}
