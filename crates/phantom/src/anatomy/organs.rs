//! Kidneys, bladder, liver and what else of the soft organs a bone tracer shows.

use super::body::{Body, SIDES};
use crate::random::Stream;
use crate::raster::{Canvas, Solid};

pub(super) fn draw(canvas: &mut Canvas, body: &Body, kinetics: &mut Stream, own: &mut Stream) {
    abdomen(canvas, body, kinetics);
    patches(canvas, body, kinetics);
    kidneys(canvas, body, kinetics, own);
    bladder(canvas, body, kinetics);
    thyroid_and_stomach(canvas, body, kinetics);
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

/// Two kidneys; in some patients one is obstructed or gone, or both take up much.
fn kidneys(canvas: &mut Canvas, body: &Body, kinetics: &mut Stream, own: &mut Stream) {
    let unusual = own.uniform();
    let affected = own.side();
    let activity = 3.5 * kinetics.factor(0.5) * if unusual < 0.02 { 4.0 } else { 1.0 };
    for side in SIDES {
        let (gone, obstructed) = match unusual {
            u if u < 0.02 => (false, false),
            u if u < 0.05 => (side == affected, false),
            u if u < 0.09 => (false, side == affected),
            _ => (false, false),
        };
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
        let uptake = activity * kinetics.factor(0.2);
        let filled = kinetics.exponential(0.8) + if obstructed { 4.0 } else { 0.0 };
        if gone {
            continue;
        }
        canvas.solid(&kidney, 0.6 * uptake);
        let pelvis = Solid {
            half_width: if obstructed { 0.75 } else { 0.45 } * kidney.half_width,
            half_height: if obstructed { 0.7 } else { 0.5 } * kidney.half_height,
            x: kidney.x - side * 8.0,
            ..kidney
        };
        canvas.solid(&pelvis, uptake * filled);
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
