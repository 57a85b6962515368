//! What the two detectors see of a body: attenuation, blur, scatter, the field of view, photons.
//!
//! In order: each layer of activity is attenuated by the body in front of it, and blurred the more
//! the farther it is from the detector (7 to 9 mm); a little scatter spreads wide;
//! the table weakens the posterior view; stray counts fill the field that was scanned and nothing lies
//! outside it; every pixel is a Poisson count.

use super::anatomy::{self, Body};
use super::blur::{gaussian, wide_gaussian};
use super::cohort::Study;
use super::demographics::Protocol;
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
/// Most counts of a view that are expected, stray counts included: chance adds a few thousand.
const MOST_COUNTS: f64 = 3.594e6;
/// The height of a detector in mm, which a static image cannot exceed.
const DETECTOR_MM: f64 = 387.0;

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

/// The image matrix and the part of it that detectors swept over.
#[derive(Clone, Copy, Debug)]
pub(super) struct FieldOfView {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) pixel_mm: f64,
    first_row: usize,
    last_row: usize,
    first_column: usize,
    last_column: usize,
}

impl FieldOfView {
    /// Pixels that detectors swept over.
    fn swept(self) -> usize {
        (self.last_row - self.first_row) * (self.last_column - self.first_column)
    }
}

/// Draws both views of a study. (Seed, study number) decides every count.
pub fn scan(study: &Study) -> Views {
    let expected = expected(study);
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
    let mut shape = Stream::new(study.seed, Purpose::Body, study.patient);
    let body = Body::draw(&study.person, &mut shape);
    let mut position = Stream::new(study.seed, Purpose::Position, study.number);
    let (field, geometry) = match study.person.protocol {
        Protocol::WholeBody => whole_body(study, &body, &mut position),
        Protocol::ThoracicStatic => thoracic(study, &body, &mut position),
    };
    let mut canvas = Canvas::new(geometry);
    anatomy::draw(&mut canvas, &body, study);

    let sharpest = study.scanner.sharpest_mm;
    let mut anterior = project(&canvas, field, sharpest, |depth| depth);
    let mut posterior = project(&canvas, field, sharpest, |depth| 1.0 - depth);
    behind_table(&mut posterior, field);
    expose(study, field, &mut position, [&mut anterior, &mut posterior]);
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

fn whole_body(study: &Study, body: &Body, position: &mut Stream) -> (FieldOfView, Geometry) {
    let (rows, columns) = (1024, 256);
    let pixel_mm = study.scanner.pixel_mm;
    let length = body.length_mm / pixel_mm;
    let above = position.range(25.0, 50.0).min(rows as f64 - length - 12.0);
    let head = above
        + position
            .range(8.0, 45.0)
            .min((rows as f64 - length - above - 10.0).max(0.0));
    let below = position.range(15.0, 40.0);
    let half_field = (0.5 * study.scanner.field_mm / pixel_mm) as usize;
    let field = FieldOfView {
        rows,
        columns,
        pixel_mm,
        first_row: above as usize,
        last_row: ((head + length + below) as usize).min(rows - 4),
        first_column: columns / 2 - half_field,
        last_column: columns / 2 + half_field,
    };
    let centre = columns as f64 / 2.0 - 0.5;
    (field, lie(position, field, (centre, head), 0.0, 9.0))
}

fn thoracic(study: &Study, body: &Body, position: &mut Stream) -> (FieldOfView, Geometry) {
    let size = study.scanner.static_matrix;
    let pixel_mm = study.scanner.pixel_mm * 256.0 / size as f64;
    let half_width = (0.5 * study.scanner.field_mm / pixel_mm) as usize;
    let half_height = (0.5 * DETECTOR_MM / pixel_mm) as usize;
    let field = FieldOfView {
        rows: size,
        columns: size,
        pixel_mm,
        first_row: size / 2 - half_height,
        last_row: size / 2 + half_height,
        first_column: size / 2 - half_width,
        last_column: size / 2 + half_width,
    };
    let centre = size as f64 / 2.0 - 0.5;
    let aimed_at = body.length_mm * 1e-3 * position.normal(232.0, 6.0);
    (
        field,
        lie(position, field, (centre, centre), aimed_at, 10.0),
    )
}

/// How the patient happens to lie: off the middle, a little askew, a little turned.
fn lie(
    position: &mut Stream,
    field: FieldOfView,
    (column, row): (f64, f64),
    pivot_y: f64,
    off_mm: f64,
) -> Geometry {
    Geometry {
        rows: field.rows,
        columns: field.columns,
        pixel_mm: field.pixel_mm,
        column: column + position.bounded_normal(0.0, off_mm, 2.3) / field.pixel_mm,
        row,
        pivot_y,
        angle: position.bounded_normal(0.0, 0.012, 2.5),
        turn_mm: position.bounded_normal(0.0, 9.0, 2.5),
    }
}

/// One view: every layer attenuated by what is in front of it, then blurred.
fn project(
    canvas: &Canvas,
    field: FieldOfView,
    sharpest_mm: f64,
    in_front: impl Fn(f32) -> f32,
) -> Vec<f32> {
    let mut view = vec![0.0f32; canvas.thickness.len()];
    for (layer, depth) in canvas.layers.iter().zip(DEPTHS) {
        let depth = in_front(depth);
        let attenuated: Vec<f32> = layer
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
    let half = (TABLE_MM / field.pixel_mm) as usize;
    let middle = field.columns / 2;
    for line in view.chunks_exact_mut(field.columns) {
        for value in &mut line[middle - half..middle + half] {
            *value *= TABLE;
        }
    }
}

/// Scales both views to the counts of the acquisition, adds stray counts, and cuts to the field.
fn expose(study: &Study, field: FieldOfView, position: &mut Stream, views: [&mut Vec<f32>; 2]) {
    let wanted = 1e6 * study.scanner.million_counts * position.factor(0.11);
    let area = (field.pixel_mm / 2.26).powi(2);
    let stray = (STRAY * area * wanted / 3e6) as f32;
    let total = |view: &[f32]| view.iter().map(|value| f64::from(*value)).sum::<f64>();
    let views = views.map(|view| {
        cut(view, field);
        view
    });
    let [anterior, posterior] = [total(views[0]), total(views[1])];
    let most = MOST_COUNTS - f64::from(stray) * field.swept() as f64;
    let scale = match study.person.protocol {
        Protocol::WholeBody => (wanted / anterior).min(most / anterior.max(posterior)),
        // A static lasts until it shows the thorax as well as a whole-body scan does.
        Protocol::ThoracicStatic => 0.5 * wanted / anterior,
    };
    for view in views {
        for value in view.iter_mut() {
            *value *= scale as f32;
        }
        for row in field.first_row..field.last_row {
            let start = row * field.columns;
            let line = &mut view[start + field.first_column..start + field.last_column];
            line.iter_mut().for_each(|value| *value += stray);
        }
    }
}

/// Clears what lies outside the field.
fn cut(view: &mut [f32], field: FieldOfView) {
    for (row, line) in view.chunks_exact_mut(field.columns).enumerate() {
        if (field.first_row..field.last_row).contains(&row) {
            line[..field.first_column].fill(0.0);
            line[field.last_column..].fill(0.0);
        } else {
            line.fill(0.0);
        }
    }
}

#[cfg(test)]
mod tests;
