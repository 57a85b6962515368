//! The image matrix, the part of it that detectors saw, and where in it the patient lies.

use super::random::Stream;
use super::raster::Geometry;
use super::scanner::Scanner;

/// The height of a detector in mm, which a static image cannot exceed.
const DETECTOR_MM: f64 = 387.0;

/// The image matrix and the part of it that detectors swept over.
#[derive(Clone, Copy, Debug)]
pub(super) struct FieldOfView {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) pixel_mm: f64,
    pub(super) first_row: usize,
    pub(super) last_row: usize,
    pub(super) first_column: usize,
    pub(super) last_column: usize,
}

/// What a static image is aimed at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Aim {
    /// The body's point in the middle: mm to the patient's left of the midline, mm from the vertex.
    pub(super) x: f64,
    pub(super) y: f64,
    /// Magnification: 1 shows all of the detector.
    pub(super) zoom: f64,
}

impl FieldOfView {
    /// Pixels that detectors swept over.
    pub(super) fn swept(self) -> usize {
        (self.last_row - self.first_row) * (self.last_column - self.first_column)
    }

    /// Clears what lies outside.
    pub(super) fn cut(self, view: &mut [f32]) {
        for (row, line) in view.chunks_exact_mut(self.columns).enumerate() {
            if (self.first_row..self.last_row).contains(&row) {
                line[..self.first_column].fill(0.0);
                line[self.last_column..].fill(0.0);
            } else {
                line.fill(0.0);
            }
        }
    }
}

/// The sweep over a body of this length in mm.
pub(super) fn whole_body(
    scanner: &Scanner,
    length_mm: f64,
    position: &mut Stream,
) -> (FieldOfView, Geometry) {
    let (rows, columns) = (1024, 256);
    let pixel_mm = scanner.pixel_mm;
    let length = length_mm / pixel_mm;
    let above = position.range(25.0, 50.0).min(rows as f64 - length - 12.0);
    let head = above
        + position
            .range(8.0, 45.0)
            .min((rows as f64 - length - above - 10.0).max(0.0));
    let below = position.range(15.0, 40.0);
    let half_field = (0.5 * scanner.field_mm / pixel_mm) as usize;
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

/// A static image.
pub(super) fn fixed(scanner: &Scanner, aim: Aim, position: &mut Stream) -> (FieldOfView, Geometry) {
    let size = scanner.static_matrix;
    let pixel_mm = scanner.pixel_mm * 256.0 / size as f64 / aim.zoom;
    let half = |mm: f64| ((0.5 * mm / pixel_mm) as usize).min(size / 2);
    let (half_width, half_height) = (half(scanner.field_mm), half(DETECTOR_MM));
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
    let middle = (centre - aim.x / pixel_mm, centre);
    (field, lie(position, field, middle, aim.y, 10.0))
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
        angle: position.bounded_normal(0.0, 0.014, 2.5),
        turn_mm: position.bounded_normal(0.0, 9.0, 2.5),
    }
}
