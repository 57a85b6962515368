//! Views against the real scan's numbers, against what is known of bodies, and against each other.

use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::*;
use crate::{SyntheticCohort, dicom};
use attrium_imaging::{CROP_SIZE, HeartRegions, crop, read_anterior};
use attrium_types::{CropMode, LossyPolicy};

/// A study of a grade, by whole-body scan.
fn study_of(grade: u8, seed: u64) -> Study {
    let cohort = SyntheticCohort::new(u32::MAX, seed)
        .with_grades([1.0; 4])
        .expect("shares");
    (0..)
        .map(|number| cohort.study(number))
        .find(|study| study.grade.value() == grade && study.person.protocol == Protocol::WholeBody)
        .expect("should be among the first")
}

/// The crop of a study that a network would see, and the counts of the whole view.
fn thorax(study: &Study) -> (Vec<f32>, f64) {
    let views = scan(study);
    let object = dicom::objects(study, &views)
        .into_iter()
        .map(|object| dicom::encode(object, study.scanner.implicit).expect("should be valid"))
        .find_map(|bytes| read_anterior(&bytes, LossyPolicy::Quarantine).ok())
        .expect("should have an anterior view");
    let total = object.counts.sum();
    let crop = crop(&object, CropMode::Robust).expect("should have a thorax");
    (crop.counts, total)
}

/// A value such that this share of the values is below it.
pub(super) fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[(share * (sorted.len() - 1) as f64).round() as usize]
}

#[test]
fn crops_have_the_statistics_of_the_real_scans_crop() {
    // Of the real scan: mean 52, median 46, 95th percentile 107, maximum 195, 0.24 of 3.6 M counts.
    let cohort = SyntheticCohort::new(160, 4);
    let measured: Vec<[f64; 5]> = (0..160u32)
        .into_par_iter()
        .map(|number| cohort.study(number))
        .filter(|study| study.person.protocol == Protocol::WholeBody)
        .map(|mut study| {
            study.million_counts = 3.6;
            let (crop, total) = thorax(&study);
            let crop: Vec<f64> = crop.iter().map(|count| f64::from(*count)).collect();
            let sum: f64 = crop.iter().sum();
            [
                sum / crop.len() as f64,
                quantile(&crop, 0.5),
                quantile(&crop, 0.95),
                quantile(&crop, 1.0),
                sum / total,
            ]
        })
        .collect();
    let column = |index: usize| -> Vec<f64> { measured.iter().map(|row| row[index]).collect() };
    let targets = [
        ("mean", 52.0),
        ("median", 46.0),
        ("95th", 107.0),
        ("maximum", 195.0),
        ("share", 0.24),
    ];
    for (index, (name, target)) in targets.into_iter().enumerate() {
        let values = column(index);
        let middle = quantile(&values, 0.5);
        assert!((middle / target - 1.0).abs() < 0.15, "{name}: {middle}");
        let (low, high) = (quantile(&values, 0.02), quantile(&values, 0.98));
        assert!(low < target && target < high, "{name}: {low} to {high}");
    }
}

#[test]
fn metal_on_the_front_hides_from_the_anterior_detector_alone() {
    let study = study_of(0, 20);
    let mut position = Stream::new(study.seed, Purpose::Position, study.number);
    let (field, geometry) = field::whole_body(study.scanner, 1700.0, &mut position);
    let lit = || {
        let mut canvas = Canvas::new(geometry);
        canvas.thickness.fill(200.0);
        canvas.layers[2].fill(1.0);
        canvas
    };
    let mut covered = lit();
    let case = crate::raster::Solid {
        x: 0.0,
        y: 400.0,
        half_width: 40.0,
        half_height: 40.0,
        thickness: 8.0,
        angle: 0.0,
        depth: 0.0,
        form: crate::raster::Form::Block,
    };
    covered.shield(&case, 0.2);
    let (bare, covered) = (
        detect(&lit(), field, &study),
        detect(&covered, field, &study),
    );
    let place = (0..field.rows * field.columns)
        .min_by(|a, b| {
            let far = |index: usize| {
                let (column, row) = (index % field.columns, index / field.columns);
                let (x, y) = geometry.to_body(column as f64, row as f64);
                x.hypot(y - 400.0)
            };
            far(*a).total_cmp(&far(*b))
        })
        .expect("pixels");
    let mirrored =
        place / field.columns * field.columns + field.columns - 1 - place % field.columns;
    let anterior = covered.anterior[place] / bare.anterior[place];
    let posterior = covered.posterior[mirrored] / bare.posterior[mirrored];
    assert!((0.15..0.35).contains(&anterior), "{anterior}");
    assert!((0.98..1.05).contains(&posterior), "{posterior}");
}

#[test]
fn the_heart_to_contralateral_ratio_tells_much_and_not_all() {
    let cohort = SyntheticCohort::new(400, 6)
        .with_prevalence(0.4)
        .expect("a share");
    let ratios: Vec<(bool, f64)> = (0..400u32)
        .into_par_iter()
        .map(|number| cohort.study(number))
        .map(|study| {
            let crop = thorax(&study).0;
            let regions = HeartRegions::find(&crop).expect("should have counts");
            let ratio = regions
                .ratios(&crop, None)
                .contralateral
                .expect("should have counts");
            (study.grade.value() >= 2, ratio)
        })
        .collect();
    let (scores, truth): (Vec<f64>, Vec<bool>) = ratios.into_iter().map(|(t, s)| (s, t)).unzip();
    let patients: Vec<usize> = (0..scores.len()).collect();
    let area =
        attrium_evaluation::auc(&scores, &truth, &patients).expect("should have both classes");
    assert!((0.9..0.99).contains(&area.value), "{}", area.value);
}

#[test]
fn a_scan_is_the_same_every_time() {
    let study = study_of(2, 1);
    assert_eq!(scan(&study), scan(&study));
}

#[test]
fn nothing_is_counted_outside_the_field_and_strays_are_within() {
    let expected = expected(&study_of(0, 2));
    let field = expected.field;
    for view in [&expected.anterior, &expected.posterior] {
        for row in 0..field.rows {
            for column in 0..field.columns {
                let value = view[row * field.columns + column];
                let mirrored = field.columns - 1 - column;
                let swept = (field.first_column..field.last_column).contains(&column)
                    || (field.first_column..field.last_column).contains(&mirrored);
                if !swept || !(field.first_row..field.last_row).contains(&row) {
                    assert_eq!(value, 0.0, "{row} {column}");
                }
            }
        }
        let corner = view[(field.first_row + 1) * field.columns + field.first_column + 1];
        assert!((0.05..1.0).contains(&corner), "{corner}");
    }
}

#[test]
fn cardiac_uptake_shows_on_the_right_of_an_anterior_view_and_on_the_left_of_a_posterior_one() {
    let study = study_of(3, 3);
    let mut healthy = study.clone();
    healthy.uptake = study_of(0, 3).uptake;
    let (ill, well) = (expected(&study), expected(&healthy));
    // The rows of the heart: elsewhere both are scaled to the same number of counts.
    let length = ill.field.last_row - ill.field.first_row;
    let rows = ill.field.first_row + length / 5..ill.field.first_row + length / 3;
    let rise = |with: &[f32], without: &[f32], left: bool| -> f32 {
        let half = ill.field.columns / 2;
        let chest = 2 * half * rows.start..2 * half * rows.end;
        let (with, without) = (&with[chest.clone()], &without[chest]);
        let range = if left {
            0..half
        } else {
            half..ill.field.columns
        };
        let lines = with
            .chunks_exact(2 * half)
            .zip(without.chunks_exact(2 * half));
        lines
            .flat_map(|(a, b)| a[range.clone()].iter().zip(&b[range.clone()]))
            .map(|(a, b)| (a - b).max(0.0))
            .sum()
    };
    let anterior = |left| rise(&ill.anterior, &well.anterior, left);
    let posterior = |left| rise(&ill.posterior, &well.posterior, left);
    assert!(anterior(false) > 2.0 * anterior(true));
    assert!(posterior(true) > 2.0 * posterior(false));
    // The heart lies behind the sternum: less of it is seen from the back.
    assert!(anterior(false) > 1.2 * posterior(true));
}

#[test]
fn the_spine_and_the_kidneys_are_seen_better_from_the_back() {
    let expected = expected(&study_of(0, 5));
    let field = expected.field;
    // The brightest column of the lower chest, rows 0.3 to 0.36 of the scan.
    let length = field.last_row - field.first_row;
    let rows = field.first_row + 3 * length / 10..field.first_row + 36 * length / 100;
    let brightest = |view: &[f32]| {
        (0..field.columns)
            .map(|column| {
                rows.clone()
                    .map(|row| view[row * field.columns + column])
                    .sum::<f32>()
            })
            .fold(0.0, f32::max)
    };
    let typical = |view: &[f32]| {
        let row = &view[rows.start * field.columns..rows.end * field.columns];
        row.iter().sum::<f32>() / field.columns as f32
    };
    let contrast = |view: &[f32]| brightest(view) / typical(view);
    assert!(contrast(&expected.posterior) > 1.2 * contrast(&expected.anterior));
}

#[test]
fn every_grade_and_scanner_gives_a_crop() {
    let cohort = SyntheticCohort::new(u32::MAX, 40)
        .with_grades([1.0; 4])
        .expect("shares");
    let mut seen = Vec::new();
    for study in (0..2000).map(|number| cohort.study(number)) {
        let kind = (study.scanner.name, study.person.protocol);
        if !seen.contains(&kind) {
            let (crop, _) = thorax(&study);
            assert_eq!(crop.len(), CROP_SIZE * CROP_SIZE);
            assert!(crop.iter().sum::<f32>() > 5e4, "{kind:?}");
            seen.push(kind);
        }
    }
    assert!(seen.len() >= 11, "{seen:?}");
}
