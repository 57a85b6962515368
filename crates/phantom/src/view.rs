//! What the two detectors see of a body: attenuation, blur, scatter, the field of view, photons.
//!
//! In order: each layer of activity is attenuated by the body in front of it, and blurred the more
//! the farther it is from the detector (7 to 9 mm); a little scatter spreads wide;
//! metal on the body's front hides what is behind it from the anterior detector;
//! the table weakens the posterior view; stray counts fill the field that was scanned and nothing lies
//! outside it; every pixel is a Poisson count.

use super::anatomy::{self, Body};
use super::blur::{gaussian, wide_gaussian};
use super::cohort::Study;
use super::demographics::Protocol;
use super::field::{self, Aim, FieldOfView};
use super::random::{Purpose, Stream};
use super::raster::{Canvas, DEPTHS, Geometry};

/// Attenuation of 140 keV photons in the body per mm, in broad-beam geometry.
const ATTENUATION: f32 = 0.0115;
/// Full width at half maximum in mm of a point on the far side of the body.
const FARTHEST_MM: f64 = 9.0;
/// Scattered counts outside the photopeak's narrow beam: their share, and how far they spread in mm.
const SCATTER: f32 = 0.05;
const SCATTER_MM: f64 = 42.0;
/// What the table lets through, and its half width in mm.
const TABLE: f32 = 0.88;
const TABLE_MM: f64 = 205.0;
/// Stray counts of a pixel of (2.26 mm)² in a scan of 3 million counts.
const STRAY: f64 = 0.2;
/// Fewest and most counts that are expected of a whole-body view, stray counts included: chance adds or takes
/// a few thousand.
const COUNTS: [f64; 2] = [5.1e5, 3.99e6];
/// The two views of a study.
#[derive(Clone, Debug, PartialEq)]
pub struct Views {
    /// Rows of a view.
    pub rows: usize,
    /// Columns of a view.
    pub columns: usize,
    /// Side of a pixel in mm.
    pub pixel_mm: f64,
    /// Counts seen from the front, row-major; the patient's left is on the right.
    pub anterior: Vec<u16>,
    /// Counts seen from the back, row-major; the patient's left is on the left.
    pub posterior: Vec<u16>,
    /// Length of the scan in mm.
    pub scanned_mm: f64,
}

/// The counts that are expected in both views, before photons are drawn.
pub(super) struct ExpectedCounts {
    pub(super) field: FieldOfView,
    pub(super) anterior: Vec<f32>,
    pub(super) posterior: Vec<f32>,
}

/// Draws both views of a study. (Seed, study number) decides every count.
pub fn scan(study: &Study) -> Views {
    photons(study, &expected(study))
}

/// Draws the photons of both views.
pub(super) fn photons(study: &Study, expected: &ExpectedCounts) -> Views {
    let draw = |purpose, image: &[f32]| {
        let mut photons = Stream::new(study.seed, purpose, study.number);
        let count = |mean: &f32| {
            if *mean > 0.0 {
                u16::try_from(photons.poisson(f64::from(*mean))).unwrap_or(u16::MAX)
            } else {
                0
            }
        };
        image.iter().map(count).collect()
    };
    let field = expected.field;
    Views {
        rows: field.rows,
        columns: field.columns,
        pixel_mm: field.pixel_mm,
        anterior: draw(Purpose::AnteriorCounts, &expected.anterior),
        posterior: draw(Purpose::PosteriorCounts, &expected.posterior),
        scanned_mm: (field.last_row - field.first_row) as f64 * field.pixel_mm,
    }
}

/// The expected counts of both views.
pub(super) fn expected(study: &Study) -> ExpectedCounts {
    let (body, field, geometry) = placed(study);
    let mut canvas = Canvas::new(geometry);
    anatomy::draw(&mut canvas, &body, study);
    detect(&canvas, field, study)
}

/// A study's patient, what the camera sees, and where in it the patient lies.
pub(super) fn placed(study: &Study) -> (Body, FieldOfView, Geometry) {
    let body = anatomy::body(study);
    let mut position = Stream::new(study.seed, Purpose::Position, study.number);
    let (field, geometry) = match study.person.protocol {
        Protocol::WholeBody => field::whole_body(study.scanner, body.length_mm, &mut position),
        Protocol::ThoracicStatic => {
            let aim = Aim {
                x: 0.0,
                y: body.length_mm * 1e-3 * position.normal(232.0, 6.0),
                zoom: 1.0,
            };
            field::fixed(study.scanner, aim, &mut position)
        }
    };
    (body, field, geometry)
}

/// What both detectors are expected to count of a canvas, for as long as the study lasts.
pub(super) fn detect(canvas: &Canvas, field: FieldOfView, study: &Study) -> ExpectedCounts {
    let sharpest = study.scanner.sharpest_mm;
    let shield = canvas.shield.iter().any(|power| *power > 0.0);
    let front = shield.then_some(canvas.shield.as_slice());
    let mut anterior = project(canvas, field, sharpest, front, |depth| depth);
    let mut posterior = project(canvas, field, sharpest, None, |depth| 1.0 - depth);
    behind_table(&mut posterior, field);
    expose(study, field, [&mut anterior, &mut posterior]);
    // The posterior detector looks from the other side.
    posterior
        .chunks_exact_mut(field.columns)
        .for_each(<[f32]>::reverse);
    ExpectedCounts {
        field,
        anterior,
        posterior,
    }
}

/// One view: every layer attenuated by what is in front of it, then blurred.
fn project(
    canvas: &Canvas,
    field: FieldOfView,
    sharpest_mm: f64,
    shield: Option<&[f32]>,
    in_front: impl Fn(f32) -> f32,
) -> Vec<f32> {
    let mut view = vec![0.0f32; canvas.thickness.len()];
    for (layer, depth) in canvas.layers.iter().zip(DEPTHS) {
        let depth = in_front(depth);
        let mut attenuated: Vec<f32> = layer
            .iter()
            .zip(&canvas.thickness)
            .map(|(activity, thickness)| {
                if *activity == 0.0 {
                    0.0
                } else {
                    activity.max(0.0) * (-ATTENUATION * depth * thickness).exp()
                }
            })
            .collect();
        for (value, power) in attenuated.iter_mut().zip(shield.unwrap_or_default()) {
            if *power > 0.0 {
                *value *= (-power).exp();
            }
        }
        let width_mm = sharpest_mm + (FARTHEST_MM - sharpest_mm) * f64::from(depth);
        // 2.3548 standard deviations are a Gaussian's full width at half maximum.
        let blurred = gaussian(
            &attenuated,
            field.columns,
            width_mm / 2.3548 / field.pixel_mm,
        );
        for (value, source) in view.iter_mut().zip(&blurred) {
            *value += source;
        }
    }
    let scattered = wide_gaussian(&view, field.columns, SCATTER_MM / field.pixel_mm);
    for (value, wide) in view.iter_mut().zip(&scattered) {
        *value = (1.0 - SCATTER) * *value + SCATTER * wide;
    }
    view
}

fn behind_table(view: &mut [f32], field: FieldOfView) {
    let middle = field.columns / 2;
    let half = ((TABLE_MM / field.pixel_mm) as usize).min(middle);
    for line in view.chunks_exact_mut(field.columns) {
        for value in &mut line[middle - half..middle + half] {
            *value *= TABLE;
        }
    }
}

/// Scales both views to the counts of the acquisition, adds stray counts, and cuts to the field.
fn expose(study: &Study, field: FieldOfView, views: [&mut Vec<f32>; 2]) {
    // A static lasts until it shows the thorax about as well as a whole-body scan does.
    let (share, [least, most]) = match study.person.protocol {
        Protocol::WholeBody => (1.0, COUNTS),
        Protocol::ThoracicStatic => (0.5, COUNTS.map(|counts| 0.5 * counts)),
    };
    let wanted = (1e6 * share * study.million_counts).clamp(least, most);
    let area = (field.pixel_mm / 2.26).powi(2);
    let stray = STRAY * area * wanted / share / 3e6;
    let strays = stray * field.swept() as f64;
    let total = |view: &[f32]| view.iter().map(|value| f64::from(*value)).sum::<f64>();
    let views = views.map(|view| {
        field.cut(view);
        view
    });
    let [anterior, posterior] = [total(views[0]), total(views[1])];
    let scale = ((wanted - strays) / anterior).min((most - strays) / posterior);
    for view in views {
        for value in view.iter_mut() {
            *value *= scale as f32;
        }
        for row in field.first_row..field.last_row {
            let start = row * field.columns;
            let line = &mut view[start + field.first_column..start + field.last_column];
            line.iter_mut().for_each(|value| *value += stray as f32);
        }
    }
}

#[cfg(test)]
mod figures;
#[cfg(test)]
mod tests;
