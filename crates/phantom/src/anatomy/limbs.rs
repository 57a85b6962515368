//! The bones of arms and legs.

use super::body::{Body, SIDES};
use super::posture::{Arm, between};
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
    let arm = body.posture.arms[index];
    let drop = side * body.shoulders / body.length_mm * 1000.0;
    canvas.solid(
        &body.ball((side * 152.0, 174.0 + drop), 24.0, 0.42),
        2.0 * bone,
    );
    let shoulder = (side * 156.0, 182.0 + drop);
    let along = |share: f64, radius: f64| {
        let (x, y) = between(shoulder, arm.elbow, share);
        [x, y, radius, 0.5]
    };
    let humerus = [
        along(0.0, 13.0),
        along(0.38, 10.0),
        along(0.88, 11.0),
        along(0.98, 17.0),
    ];
    canvas.tube(&body.nodes(&humerus), 0.0, 1.9 * bone);
    let middle = 0.5 * (0.5 + arm.depth);
    for offset in [-9.0, 9.0] {
        let near = between(arm.elbow, arm.wrist, 0.05);
        let half = between(arm.elbow, arm.wrist, 0.48);
        let forearm = [
            [near.0 + offset, near.1, 9.0, 0.5],
            [half.0 + offset, half.1, 6.0, middle],
            [arm.wrist.0 + offset, arm.wrist.1, 9.0, arm.depth],
        ];
        canvas.tube(&body.nodes(&forearm), 0.0, 2.2 * bone);
    }
    hand(canvas, body, arm);
}

/// The rays of a hand, spread across the line from the wrist to the tips of the fingers.
fn hand(canvas: &mut Canvas, body: &Body, arm: Arm) {
    let (dx, dy) = (
        arm.tips.0 - arm.wrist.0,
        1e-3 * body.length_mm * (arm.tips.1 - arm.wrist.1) / body.breadth,
    );
    let length = dx.hypot(dy).max(1.0);
    // Across the hand, in mm and in thousandths.
    let across = (
        dy / length,
        -dx / length * body.breadth / (1e-3 * body.length_mm),
    );
    for finger in -2..=2 {
        let spread = f64::from(finger) * 9.0;
        let at = |share: f64, spread: f64, radius: f64| {
            let (x, y) = between(arm.wrist, arm.tips, share);
            [
                x + spread * across.0,
                y + spread * across.1,
                radius,
                arm.depth,
            ]
        };
        let ray = [
            at(0.1, 0.5 * spread, 6.0),
            at(0.48, spread, 4.5),
            at(0.95, spread, 3.5),
        ];
        canvas.tube(&body.nodes(&ray), 0.0, 3.0 * body.bone);
    }
}

fn leg(canvas: &mut Canvas, body: &Body, index: usize, side: f64) {
    let bone = body.bone * body.legs;
    let knee = 92.0 + body.posture.knees[index];
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
    let bone = body.bone * body.legs;
    let out = body.posture.toes[index];
    let ankle = 0.82 * (92.0 + body.posture.knees[index]);
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
            [side * (ankle + 0.9 * out + across), 972.0, 5.0, 0.4],
            [side * (ankle + 1.1 * out + across), 987.0, 4.5, 0.4],
        ];
        canvas.tube(&body.nodes(&ray), 0.0, 1.7 * bone);
    }
}
