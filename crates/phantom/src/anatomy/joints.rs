//! Worn joints: uptake of the aged skeleton that means nothing for the heart.

use super::body::{Body, SIDES};
use crate::random::Stream;
use crate::raster::Canvas;

/// A joint on either side: distance from the midline in mm, height in thousandths, radius in mm,
/// depth, how often it is worn, and how much it takes up then.
const JOINTS: [[f64; 6]; 9] = [
    [24.0, 182.0, 10.0, 0.08, 0.75, 7.0],
    [22.0, 203.0, 7.0, 0.07, 0.35, 4.0],
    [142.0, 158.0, 12.0, 0.35, 0.6, 5.0],
    [146.0, 176.0, 17.0, 0.4, 0.55, 3.0],
    [88.0, 440.0, 20.0, 0.45, 0.35, 4.0],
    [76.0, 684.0, 11.0, 0.4, 0.5, 8.0],
    [112.0, 682.0, 11.0, 0.4, 0.35, 6.0],
    [82.0, 915.0, 14.0, 0.5, 0.35, 4.0],
    [92.0, 952.0, 10.0, 0.4, 0.35, 5.0],
];

pub(super) fn draw(canvas: &mut Canvas, body: &Body, lesions: &mut Stream) {
    for [x, y, radius, depth, often, activity] in JOINTS {
        for side in SIDES {
            if lesions.chance(often) {
                let centre = (
                    side * (x + lesions.normal(0.0, 3.0)),
                    y + lesions.normal(0.0, 2.0),
                );
                let joint = body.ball(centre, radius * lesions.factor(0.2), depth);
                canvas.solid(&joint, activity * lesions.exponential(0.7).min(3.0));
            }
        }
    }
    arms(canvas, body, lesions);
    spondylosis(canvas, body, lesions);
    cartilage(canvas, body, lesions);
}

/// Elbows and wrists, wherever they are held.
fn arms(canvas: &mut Canvas, body: &Body, lesions: &mut Stream) {
    for arm in body.posture.arms {
        for (joint, depth, often, activity) in [
            (arm.elbow, 0.5, 0.25, 3.0),
            (arm.wrist, arm.depth, 0.4, 4.0),
        ] {
            if lesions.chance(often) {
                let joint = body.ball(joint, 12.0 * lesions.factor(0.2), depth);
                canvas.solid(&joint, activity * lesions.exponential(0.7).min(3.0));
            }
        }
    }
}

/// Worn facets and bone spurs of the spine.
fn spondylosis(canvas: &mut Canvas, body: &Body, lesions: &mut Stream) {
    for _ in 0..lesions.whole(0, 5) {
        let y = if lesions.chance(0.6) {
            lesions.range(318.0, 398.0)
        } else {
            lesions.range(150.0, 318.0)
        };
        let x = body.spine(y) / body.breadth + lesions.side() * lesions.range(8.0, 22.0);
        let spur = body.ball((x, y), lesions.range(7.0, 12.0), 0.68);
        canvas.solid(&spur, lesions.range(6.0, 26.0));
    }
}

/// Costochondral uptake beside the sternum, on either side alike.
fn cartilage(canvas: &mut Canvas, body: &Body, lesions: &mut Stream) {
    if !lesions.chance(0.3) {
        return;
    }
    for _ in 0..lesions.whole(1, 5) {
        let y = lesions.range(215.0, 285.0);
        let x = lesions.side() * (0.6 * (y - 215.0) + lesions.range(45.0, 62.0));
        let spot = body.ball((x, y), lesions.range(6.0, 10.0), 0.06);
        canvas.solid(&spot, lesions.range(0.8, 3.5));
    }
}
