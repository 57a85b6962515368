//! Soft tissue that takes up more than it usually does: muscles that were strained or injected, calcified
//! tissue, and all of it where kidneys fail.

use super::body::Body;
use crate::random::Stream;
use crate::raster::{Canvas, Solid};

/// Places of large muscles: mm from the midline, thousandths, half axes in mm, depth.
const MUSCLES: [(f64, f64, [f64; 3], f64); 6] = [
    (78.0, 452.0, [40.0, 38.0, 40.0], 0.85),
    (150.0, 205.0, [18.0, 40.0, 40.0], 0.4),
    (66.0, 210.0, [40.0, 22.0, 14.0], 0.12),
    (100.0, 560.0, [26.0, 70.0, 50.0], 0.35),
    (42.0, 352.0, [18.0, 50.0, 40.0], 0.7),
    (98.0, 245.0, [26.0, 46.0, 16.0], 0.9),
];

pub(super) fn draw(canvas: &mut Canvas, body: &Body, tissue: &mut Stream) {
    if !tissue.chance(0.06) {
        return;
    }
    for _ in 0..tissue.whole(1, 3) {
        let index = tissue.whole(0, MUSCLES.len() as u32 - 1) as usize;
        let (x, y, axes, depth) = MUSCLES[index];
        let side = tissue.side();
        let muscle = Solid {
            angle: side * tissue.range(-0.3, 0.3),
            ..body.ellipsoid((side * x, y), axes.map(|a| a * tissue.factor(0.15)), depth)
        };
        canvas.solid(&muscle, tissue.range(0.4, 2.0));
    }
}
