//! Heart, kidneys, bladder, liver and what else of the soft organs a bone tracer shows.

use super::body::{Body, SIDES};
use crate::random::Stream;
use crate::raster::{Canvas, Form, Solid};
use crate::reading::Uptake;

/// Concentration in the left ventricle's wall at a heart-to-rib ratio of 1 and reference bone.
///
/// At this concentration the heart's projection stands out from the chest as much as the anterior
/// part of a rib does, in a patient of average size.
const HEART_LIKE_RIB: f64 = 1.0;

pub(super) fn draw(canvas: &mut Canvas, body: &Body, uptake: Uptake, kinetics: &mut Stream) {
    let rib = HEART_LIKE_RIB * body.bone * body.ribs;
    blood(canvas, body, kinetics);
    myocardium(
        canvas,
        body,
        rib * uptake.heart_to_rib(),
        kinetics.range(0.15, 0.6),
    );
    abdomen(canvas, body, kinetics);
    patches(canvas, body, kinetics);
    kidneys(canvas, body, kinetics);
    bladder(canvas, body, kinetics);
    thyroid_and_stomach(canvas, body, kinetics);
}

/// Where the heart's parts are, relative to the heart's centre: right of it, below it, in mm.
fn heart_part(body: &Body, (x, y): (f64, f64), axes: [f64; 3], depth: f64) -> Solid {
    let heart = body.heart;
    let mut part = body.ellipsoid((36.0, 246.0), axes.map(|axis| axis * heart.size), depth);
    part.x += heart.left_mm + x * heart.size * body.breadth;
    part.y += heart.down_mm + y * heart.size * body.breadth;
    part.angle = heart.axis;
    part
}

/// Blood in the chambers and the great vessels: some is left three hours after the injection.
fn blood(canvas: &mut Canvas, body: &Body, kinetics: &mut Stream) {
    let pool = kinetics.bounded_normal(0.28, 0.17, 1.6) * kinetics.factor(0.15);
    canvas.solid(
        &heart_part(body, (8.0, 6.0), [48.0, 38.0, 78.0], 0.38),
        pool,
    );
    canvas.solid(
        &heart_part(body, (-30.0, 0.0), [40.0, 42.0, 70.0], 0.35),
        pool,
    );
    let aorta = [
        [4.0, 236.0, 15.0, 0.4],
        [-8.0, 212.0, 15.0, 0.35],
        [6.0, 197.0, 14.0, 0.45],
        [20.0, 210.0, 13.0, 0.65],
    ];
    canvas.tube(&body.nodes(&aorta), 0.0, pool);
}

/// The left ventricle's wall and the thinner free wall of the right ventricle.
fn myocardium(canvas: &mut Canvas, body: &Body, concentration: f64, right: f64) {
    // It beats and moves with the breath while the camera counts: four phases stand for all.
    for (x, y, scale) in [
        (-4.0, -7.0, 0.9),
        (3.0, -2.0, 1.0),
        (4.0, 3.0, 1.08),
        (-2.0, 8.0, 0.97),
    ] {
        let sized = |axes: [f64; 3]| axes.map(|axis| axis * scale);
        let left = Solid {
            form: Form::Shell(0.62),
            ..heart_part(body, (10.0 + x, 8.0 + y), sized([52.0, 41.0, 80.0]), 0.36)
        };
        canvas.solid(&left, 0.25 * concentration);
        let right_wall = Solid {
            form: Form::Shell(0.8),
            ..heart_part(body, (-26.0 + x, 4.0 + y), sized([42.0, 40.0, 70.0]), 0.28)
        };
        canvas.solid(&right_wall, 0.25 * right * concentration);
    }
}

fn abdomen(canvas: &mut Canvas, body: &Body, kinetics: &mut Stream) {
    let liver = Solid {
        angle: -0.25,
        ..body.ellipsoid((-52.0, 312.0), [88.0, 52.0, 110.0], 0.38)
    };
    canvas.solid(&liver, kinetics.range(-0.08, 0.35));
    canvas.solid(
        &body.ellipsoid((88.0, 300.0), [28.0, 44.0, 60.0], 0.75),
        kinetics.range(0.0, 0.6),
    );
}

/// Soft tissue is not even: patches of muscle, fat and bowel.
fn patches(canvas: &mut Canvas, body: &Body, kinetics: &mut Stream) {
    for _ in 0..40 {
        let patch = Solid {
            angle: kinetics.range(0.0, 3.0),
            ..body.ellipsoid(
                (kinetics.range(-140.0, 140.0), kinetics.range(130.0, 620.0)),
                [kinetics.range(20.0, 60.0), kinetics.range(16.0, 40.0), 80.0],
                kinetics.range(0.1, 0.6),
            )
        };
        canvas.solid(&patch, kinetics.normal(0.0, 0.09));
    }
}

fn kidneys(canvas: &mut Canvas, body: &Body, kinetics: &mut Stream) {
    let activity = 3.5 * kinetics.factor(0.5);
    for side in SIDES {
        let low = if side < 0.0 { 338.0 } else { 331.0 };
        let kidney = Solid {
            angle: side * -0.22,
            ..body.ellipsoid(
                (
                    side * kinetics.range(54.0, 66.0),
                    low + kinetics.range(-7.0, 7.0),
                ),
                [26.0, 50.0, 46.0],
                0.78,
            )
        };
        let own = activity * kinetics.factor(0.2);
        canvas.solid(&kidney, 0.6 * own);
        let pelvis = Solid {
            half_width: 0.45 * kidney.half_width,
            half_height: 0.5 * kidney.half_height,
            x: kidney.x - side * 8.0,
            ..kidney
        };
        canvas.solid(&pelvis, own * kinetics.exponential(0.8));
    }
}

fn bladder(canvas: &mut Canvas, body: &Body, kinetics: &mut Stream) {
    let filling = kinetics.range(0.55, 1.35);
    let bladder = body.ellipsoid(
        (kinetics.normal(0.0, 6.0), 433.0 - 8.0 * filling),
        [36.0 * filling, 25.0 * filling, 50.0 * filling],
        0.35,
    );
    canvas.solid(&bladder, 24.0 * kinetics.factor(0.5) / filling.powi(2));
    if kinetics.chance(0.35) {
        let urine = body.ellipsoid(
            (kinetics.normal(0.0, 14.0), kinetics.range(474.0, 510.0)),
            [kinetics.range(8.0, 16.0), kinetics.range(8.0, 22.0), 16.0],
            0.1,
        );
        canvas.solid(&urine, kinetics.range(2.0, 14.0));
    }
}

/// Free pertechnetate shows the thyroid and the stomach in some scans.
fn thyroid_and_stomach(canvas: &mut Canvas, body: &Body, kinetics: &mut Stream) {
    if !kinetics.chance(0.12) {
        return;
    }
    let free = kinetics.range(0.3, 1.2);
    for side in SIDES {
        canvas.solid(
            &body.ellipsoid((side * 16.0, 161.0), [9.0, 19.0, 16.0], 0.15),
            6.0 * free,
        );
    }
    let stomach = Solid {
        angle: 0.7,
        ..body.ellipsoid((66.0, 309.0), [52.0, 26.0, 50.0], 0.45)
    };
    canvas.solid(&stomach, 1.1 * free);
}
