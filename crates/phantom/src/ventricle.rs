//! Where the left ventricle of a phantom is, and how much it stands out: the truth that measurements are
//! compared with.

use super::anatomy;
use super::cohort::Study;
use super::view;

/// Half the width of the strip along the midline that is left out of [`Ventricle::contralateral_ratio`], where the
/// sternum and the spine are, in mm.
const MIDLINE_MM: f64 = 20.0;

/// The left ventricle of a study's patient in the anterior view. Row and column 0 are the middle of the first
/// pixel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ventricle {
    /// Row of its middle.
    pub row: f64,
    /// Column of its middle.
    pub column: f64,
    /// Its height in mm.
    pub height_mm: f64,
    /// Its width in mm.
    pub width_mm: f64,
    /// Row of the middle of its mirror image in the right chest.
    pub mirrored_row: f64,
    /// Column of the middle of its mirror image in the right chest.
    pub mirrored_column: f64,
    /// Expected counts of the ventricle over those of its mirror image, without a strip along the midline.
    pub contralateral_ratio: f64,
}

/// Finds the left ventricle of a study.
pub fn ventricle(study: &Study) -> Ventricle {
    let (body, field, geometry) = view::placed(study);
    let solid = anatomy::left_ventricle(&body);
    let x = solid.x + geometry.turned(solid.depth);
    let middle = body.middle(solid.y);
    let (column, row) = geometry.to_pixel(x, solid.y);
    let (mirrored_column, mirrored_row) = geometry.to_pixel(2.0 * middle - x, solid.y);
    let (sine, cosine) = (solid.angle + geometry.angle).sin_cos();
    let extent = |along: f64, across: f64| 2.0 * along.hypot(across);
    let mut ventricle = Ventricle {
        row,
        column,
        height_mm: extent(solid.half_width * sine, solid.half_height * cosine),
        width_mm: extent(solid.half_width * cosine, solid.half_height * sine),
        mirrored_row,
        mirrored_column,
        contralateral_ratio: 0.0,
    };
    let expected = view::expected(study);
    let size = [ventricle.height_mm, ventricle.width_mm].map(|mm| mm / field.pixel_mm);
    let midline = 0.5 * (column + mirrored_column);
    let mean = |centre| {
        let is_beside = |column: f64| (column - midline).abs() > MIDLINE_MM / field.pixel_mm;
        mean_within(&expected.anterior, field.columns, centre, size, is_beside)
    };
    ventricle.contralateral_ratio = mean([row, column]) / mean([mirrored_row, mirrored_column]);
    ventricle
}

/// The mean of the pixels whose middle is within an ellipse of this height and width, and in columns that count.
fn mean_within(
    view: &[f32],
    columns: usize,
    [row, column]: [f64; 2],
    [height, width]: [f64; 2],
    counts: impl Fn(f64) -> bool,
) -> f64 {
    let (mut sum, mut pixels) = (0.0, 0.0);
    for (index, count) in view.iter().enumerate() {
        let (at_row, at_column) = ((index / columns) as f64, (index % columns) as f64);
        let down = (at_row - row) / (0.5 * height);
        let right = (at_column - column) / (0.5 * width);
        if down * down + right * right <= 1.0 && counts(at_column) {
            sum += f64::from(*count);
            pixels += 1.0;
        }
    }
    sum / pixels
}
