//! Sacrum, hip bones and hips.

use super::body::{Body, SIDES, smooth};
use crate::raster::{Canvas, Solid};

pub(super) fn draw(canvas: &mut Canvas, body: &Body) {
    let bone = body.bone;
    for (index, half_width) in [40.0, 34.0, 26.0, 17.0, 10.0].into_iter().enumerate() {
        let down = index as f64;
        let depth = 0.72 + 0.05 * down;
        let part = body.block((0.0, 401.0 + 9.5 * down), [half_width, 9.0, 26.0], depth);
        canvas.solid(&part, 6.0 * bone);
    }
    for side in SIDES {
        hip_bone(canvas, body, side);
        hip(canvas, body, side);
    }
}

fn hip_bone(canvas: &mut Canvas, body: &Body, side: f64) {
    let bone = body.bone;
    let joint = [
        [side * 42.0, 394.0, 8.0, 0.82],
        [side * 38.0, 422.0, 7.0, 0.82],
    ];
    canvas.tube(&body.nodes(&joint), 0.0, 14.0 * bone);
    let crest = [
        [side * 46.0, 386.0, 8.0, 0.8],
        [side * 74.0, 371.0, 7.0, 0.62],
        [side * 104.0, 372.0, 7.0, 0.42],
        [side * 122.0, 386.0, 7.5, 0.24],
        [side * 115.0, 402.0, 8.0, 0.18],
        [side * 100.0, 420.0, 9.0, 0.3],
        [side * 90.0, 432.0, 12.0, 0.42],
    ];
    canvas.tube(&smooth(&body.nodes(&crest), 5), 110.0, 4.0 * bone);
    let wing = Solid {
        angle: side * -0.45,
        ..body.ellipsoid((side * 86.0, 398.0), [36.0, 44.0, 9.0], 0.5)
    };
    canvas.solid(&wing, 7.0 * bone);
    let ring = [
        [side * 80.0, 436.0, 9.0, 0.4],
        [side * 46.0, 443.0, 7.0, 0.25],
        [side * 14.0, 455.0, 9.0, 0.2],
        [side * 22.0, 468.0, 7.0, 0.35],
        [side * 48.0, 482.0, 9.0, 0.6],
        [side * 66.0, 466.0, 9.0, 0.6],
        [side * 80.0, 446.0, 9.0, 0.5],
    ];
    canvas.tube(&smooth(&body.nodes(&ring), 4), 60.0, 3.2 * bone);
}

fn hip(canvas: &mut Canvas, body: &Body, side: f64) {
    let bone = body.bone;
    canvas.solid(&body.ball((side * 88.0, 447.0), 24.0, 0.45), 1.7 * bone);
    let neck = [
        [side * 92.0, 449.0, 16.0, 0.45],
        [side * 120.0, 462.0, 17.0, 0.5],
    ];
    canvas.tube(&body.nodes(&neck), 0.0, 2.2 * bone);
    canvas.solid(&body.ball((side * 126.0, 457.0), 15.0, 0.6), 3.0 * bone);
}
