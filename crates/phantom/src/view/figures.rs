//! Figures of the phantoms, measured on their scans, against those of patients and of the real scan.

use std::sync::LazyLock;

use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::tests::quantile;
use super::*;
use crate::SyntheticCohort;
use crate::raster::Geometry;

/// Whole-body scans, as many of each grade.
static MEASURED: LazyLock<Vec<Measured>> = LazyLock::new(|| {
    let cohort = SyntheticCohort::new(320, 15)
        .with_grades([1.0; 4])
        .expect("shares");
    (0..cohort.len())
        .into_par_iter()
        .map(|number| cohort.study(number))
        .filter(|study| study.person.protocol == Protocol::WholeBody)
        .map(|study| Measured::of(&study))
        .collect()
});

/// What was measured on a scan.
struct Measured {
    grade: u8,
    /// Counts of either view.
    anterior: f64,
    posterior: f64,
    /// Mean count over the heart by that over its mirror image on the other side of the chest.
    heart_to_contralateral: f64,
    /// Mean count over the upper sternum by that over the chest.
    sternum_to_chest: f64,
    /// Share of the counts below half the height.
    legs: f64,
    /// How many more counts there are on the right than on the left, relative to both, in the outer quarters
    /// of the image from 0.2 to 0.5 of the height.
    arms: f64,
}

/// An anterior view and where its body lies.
struct Placed {
    body: anatomy::Body,
    geometry: Geometry,
    columns: usize,
    anterior: Vec<u16>,
}

impl Measured {
    fn of(study: &Study) -> Self {
        let (body, _, geometry) = placed(study);
        let views = scan(study);
        let posterior = views.posterior.iter().map(|count| f64::from(*count));
        let posterior = posterior.sum();
        let scan = Placed {
            body,
            geometry,
            columns: views.columns,
            anterior: views.anterior,
        };
        let length = scan.body.length_mm;
        let (anterior, _) = scan.sum(|_, _, _| true);
        let (legs, _) = scan.sum(|_, _, y| y > 0.5 * length);
        let arm = |range: std::ops::Range<usize>| {
            let at_arms = 0.2 * length..0.5 * length;
            let within = |column, _, y| range.contains(&column) && at_arms.contains(&y);
            scan.sum(within).0
        };
        let right = arm(0..scan.columns / 4);
        let left = arm(3 * scan.columns / 4..scan.columns);
        Self {
            grade: study.grade.value(),
            anterior,
            posterior,
            heart_to_contralateral: scan.heart_to_contralateral(),
            sternum_to_chest: scan.sternum_to_chest(),
            legs: legs / anterior,
            arms: (right - left) / (right + left),
        }
    }
}

impl Placed {
    /// Counts and pixels where (column, and x and y of the body in mm) are within a region.
    fn sum(&self, within: impl Fn(usize, f64, f64) -> bool) -> (f64, f64) {
        let (mut sum, mut pixels) = (0.0, 0.0);
        for (index, count) in self.anterior.iter().enumerate() {
            let (column, row) = (index % self.columns, index / self.columns);
            let (x, y) = self.geometry.to_body(column as f64, row as f64);
            if within(column, x, y) {
                sum += f64::from(*count);
                pixels += 1.0;
            }
        }
        (sum, pixels)
    }

    fn mean(&self, within: impl Fn(f64, f64) -> bool) -> f64 {
        let (sum, pixels) = self.sum(|_, x, y| within(x, y));
        sum / pixels
    }

    fn heart_to_contralateral(&self) -> f64 {
        let ventricle = anatomy::left_ventricle(&self.body);
        let (x, y) = (ventricle.x, ventricle.y);
        let middle = self.body.middle(y);
        let within = |centre: f64| move |px: f64, py: f64| (px - centre).hypot(py - y) < 32.0;
        self.mean(within(x)) / self.mean(within(2.0 * middle - x))
    }

    fn sternum_to_chest(&self) -> f64 {
        let at = |y: f64| 1e-3 * y * self.body.length_mm;
        let middle = self.body.middle(at(195.0));
        let within = |half: f64, rows: std::ops::Range<f64>| {
            move |x: f64, y: f64| (x - middle).abs() < half && rows.contains(&y)
        };
        self.mean(within(20.0, at(182.0)..at(212.0)))
            / self.mean(within(125.0, at(172.0)..at(300.0)))
    }
}

/// A figure of the scans of some grades.
fn of(grades: &[u8], figure: fn(&Measured) -> f64) -> Vec<f64> {
    let graded = MEASURED.iter().filter(|scan| grades.contains(&scan.grade));
    graded.map(figure).collect()
}

fn mean_and_deviation(values: &[f64]) -> (f64, f64) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, (squares / values.len() as f64).sqrt())
}

#[test]
fn counts_of_a_view_go_from_half_a_million_to_four_millions() {
    let totals = of(&[0, 1, 2, 3], |scan| scan.anterior);
    let range = (quantile(&totals, 0.0), quantile(&totals, 1.0));
    assert!(range.0 > 0.5e6 && range.1 < 4.0e6, "{range:?}");
    assert!(MEASURED.iter().all(|scan| scan.posterior < 4.0e6));
    let (low, high) = (quantile(&totals, 0.1), quantile(&totals, 0.9));
    assert!(low < 1.1e6 && high > 2.7e6, "{low} {high}");
    let middle = quantile(&totals, 0.5);
    assert!((1.4e6..2.2e6).contains(&middle), "{middle}");
}

#[test]
fn hearts_of_positives_stand_out_from_the_other_side_as_published() {
    // 2.05 +- 0.64 in 67 patients with ATTR (PMC6928186).
    let ratios = of(&[2, 3], |scan| scan.heart_to_contralateral);
    let (mean, deviation) = mean_and_deviation(&ratios);
    assert!((mean - 2.05).abs() < 0.15, "{mean} +- {deviation}");
    assert!((deviation - 0.64).abs() < 0.12, "{mean} +- {deviation}");
}

#[test]
fn hearts_of_negatives_hardly_stand_out() {
    let none = of(&[0], |scan| scan.heart_to_contralateral);
    let low = of(&[1], |scan| scan.heart_to_contralateral);
    // 1.5 is the usual limit of a planar ratio (JAMA Cardiol 2016;1:880).
    assert!(quantile(&none, 0.9) < 1.4, "{}", quantile(&none, 0.9));
    let (none, low) = (quantile(&none, 0.5), quantile(&low, 0.5));
    assert!(none < low && low < 1.5, "{none} {low}");
}

#[test]
fn the_higher_the_grade_the_less_the_sternum_stands_out_from_the_chest() {
    let grades = of(&[0, 1, 2, 3], |scan| f64::from(scan.grade));
    let ratios = of(&[0, 1, 2, 3], |scan| scan.sternum_to_chest);
    let ((g, dg), (r, dr)) = (mean_and_deviation(&grades), mean_and_deviation(&ratios));
    let pairs = grades.iter().zip(&ratios);
    let covariance = pairs.map(|(a, b)| (a - g) * (b - r)).sum::<f64>() / grades.len() as f64;
    let correlation = covariance / (dg * dr);
    assert!((-0.9..-0.45).contains(&correlation), "{correlation}");
}

#[test]
fn legs_have_the_real_scans_share_of_the_counts() {
    // Of the real scan, below half its height: 0.278.
    let (mean, deviation) = mean_and_deviation(&of(&[0, 1, 2, 3], |scan| scan.legs));
    assert!((mean - 0.278).abs() < 0.02, "{mean}");
    assert!((0.01..0.04).contains(&deviation), "{deviation}");
}

#[test]
fn arms_are_as_unlike_on_both_sides_as_the_real_scans() {
    // Of the real scan: -0.13.
    let unlike = of(&[0, 1, 2, 3], |scan| scan.arms);
    let (mean, deviation) = mean_and_deviation(&unlike);
    assert!(mean.abs() < 0.05, "{mean}");
    assert!((0.09..0.2).contains(&deviation), "{deviation}");
    let magnitudes: Vec<f64> = unlike.iter().map(|value| value.abs()).collect();
    assert!(quantile(&magnitudes, 0.4) < 0.13 && quantile(&magnitudes, 0.9) > 0.13);
}
