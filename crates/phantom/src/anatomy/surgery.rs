//! Joints of metal in place of bone.

use super::body::{Body, SIDES};
use crate::random::Stream;
use crate::raster::{Canvas, Solid};

/// Share of joints that were replaced in a cohort of this age: hip, knee, shoulder.
const REPLACED: [f64; 3] = [0.04, 0.05, 0.01];

pub(super) fn draw(canvas: &mut Canvas, body: &Body, surgery: &mut Stream) {
    for (index, side) in SIDES.into_iter().enumerate() {
        let [hip, knee, shoulder] = REPLACED.map(|share| surgery.chance(share));
        // Bone that was operated on lately takes up more around the metal.
        let fresh = surgery.exponential(2.5);
        if hip {
            let stem = Solid {
                angle: side * 0.1,
                ..body.block((side * 114.0, 492.0), [10.0, 62.0, 20.0], 0.45)
            };
            canvas.empty(&stem, 0.5);
            canvas.empty(&body.ball((side * 90.0, 447.0), 25.0, 0.45), 0.4);
            canvas.solid(&body.ball((side * 111.0, 533.0), 9.0, 0.45), fresh);
            canvas.solid(&body.ball((side * 98.0, 432.0), 10.0, 0.45), fresh);
        }
        if knee {
            let middle = side * (92.0 + body.posture.knees[index]);
            for (y, axes) in [(675.0, [35.0, 20.0, 40.0]), (693.0, [33.0, 9.0, 40.0])] {
                canvas.empty(&body.ellipsoid((middle, y), axes, 0.45), 0.6);
            }
            for y in [660.0, 702.0] {
                let rim = body.ellipsoid((middle, y), [34.0, 9.0, 26.0], 0.45);
                canvas.solid(&rim, 0.4 * fresh);
            }
        }
        if shoulder {
            let drop = side * body.shoulders / body.length_mm * 1000.0;
            let head = body.ball((side * 152.0, 175.0 + drop), 24.0, 0.42);
            canvas.empty(&head, 0.4);
        }
    }
}
