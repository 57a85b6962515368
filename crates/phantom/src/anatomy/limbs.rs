//! The bones of arms and legs.

use super::body::{Body, SIDES};
use crate::raster::Canvas;

pub(super) fn draw(canvas: &mut Canvas, body: &Body) {
    for (index, side) in SIDES.into_iter().enumerate() {
        arm(canvas, body, index, side);
        leg(canvas, body, index, side);
        foot(canvas, body, index, side);
    }
}

fn arm(canvas: &mut Canvas, body: &Body, index: usize, side: f64) {
    let bone = body.bone;
    let apart = body.elbows[index] + 70.0 * (body.girth - 1.0);
    let drop = side * body.shoulders / body.length_mm * 1000.0;
    canvas.solid(
        &body.ball((side * 152.0, 174.0 + drop), 24.0, 0.42),
        2.0 * bone,
    );
    let humerus = [
        [side * 156.0, 182.0 + drop, 13.0, 0.45],
        [side * (185.0 + 0.3 * apart), 240.0, 10.0, 0.5],
        [side * (218.0 + apart), 318.0, 11.0, 0.5],
        [side * (224.0 + apart), 332.0, 17.0, 0.5],
    ];
    canvas.tube(&body.nodes(&humerus), 0.0, 1.9 * bone);
    for offset in [-9.0, 9.0] {
        let forearm = [
            [side * (226.0 + apart) + offset, 342.0, 9.0, 0.5],
            [side * (236.0 + apart) + offset, 400.0, 6.0, 0.5],
            [side * (238.0 + apart) + offset, 468.0, 9.0, 0.5],
        ];
        canvas.tube(&body.nodes(&forearm), 0.0, 2.2 * bone);
    }
    for finger in -2..=2 {
        let spread = f64::from(finger) * 9.0;
        let ray = [
            [side * (237.0 + apart) + 0.5 * spread, 478.0, 6.0, 0.5],
            [side * (236.0 + apart) + spread, 505.0, 4.5, 0.5],
            [side * (232.0 + apart) + spread, 540.0, 3.5, 0.5],
        ];
        canvas.tube(&body.nodes(&ray), 0.0, 3.0 * bone);
    }
}

fn leg(canvas: &mut Canvas, body: &Body, index: usize, side: f64) {
    let bone = body.bone;
    let knee = 92.0 + body.knees[index];
    let femur = [
        [side * 118.0, 465.0, 16.0, 0.5],
        [side * 112.0, 500.0, 13.0, 0.45],
        [side * (0.3 * 104.0 + 0.7 * knee), 590.0, 12.0, 0.45],
        [side * knee, 655.0, 16.0, 0.45],
    ];
    canvas.tube(&body.nodes(&femur), 0.0, 2.1 * bone);
    canvas.solid(
        &body.ellipsoid((side * knee, 671.0), [36.0, 19.0, 44.0], 0.5),
        1.5 * bone,
    );
    canvas.solid(
        &body.ellipsoid((side * knee, 690.0), [36.0, 14.0, 40.0], 0.45),
        1.7 * bone,
    );
    canvas.solid(&body.ball((side * knee, 668.0), 16.0, 0.1), 1.6 * bone);
    let tibia = [
        [side * 0.97 * knee, 695.0, 19.0, 0.4],
        [side * 0.94 * knee, 720.0, 12.0, 0.3],
        [side * 0.88 * knee, 820.0, 10.0, 0.3],
        [side * 0.8 * knee, 898.0, 14.0, 0.4],
    ];
    canvas.tube(&body.nodes(&tibia), 0.0, 2.0 * bone);
    let fibula = [
        [side * (knee + 26.0), 703.0, 8.0, 0.6],
        [side * (0.92 * knee + 24.0), 800.0, 5.0, 0.6],
        [side * (0.8 * knee + 19.0), 905.0, 8.0, 0.5],
    ];
    canvas.tube(&body.nodes(&fibula), 0.0, 1.7 * bone);
}

fn foot(canvas: &mut Canvas, body: &Body, index: usize, side: f64) {
    let bone = body.bone;
    let ankle = 0.82 * (92.0 + body.knees[index]);
    canvas.solid(
        &body.ellipsoid((side * ankle, 917.0), [24.0, 18.0, 40.0], 0.5),
        1.6 * bone,
    );
    canvas.solid(
        &body.ellipsoid((side * (ankle + 6.0), 937.0), [25.0, 18.0, 34.0], 0.4),
        1.6 * bone,
    );
    for toe in 0..5 {
        let across = f64::from(toe) * 10.0 - 20.0;
        let ray = [
            [side * (ankle + 10.0 + 0.8 * across), 948.0, 6.0, 0.4],
            [side * (ankle + 20.0 + across), 972.0, 5.0, 0.4],
            [side * (ankle + 24.0 + across), 987.0, 4.5, 0.4],
        ];
        canvas.tube(&body.nodes(&ray), 0.0, 1.7 * bone);
    }
}
