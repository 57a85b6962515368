//! The body's outline, which attenuates, and the muscle and fat in it, which take up a little.

use super::body::{Body, SIDES};
use super::posture::between;
use crate::raster::{Canvas, DEPTHS};

/// Attenuation of 140 keV photons by breast tissue per mm, in broad-beam geometry.
const SOFT_TISSUE: f64 = 0.01;

/// Heights in thousandths, half widths and thicknesses in mm of the trunk.
const TRUNK: [[f64; 3]; 15] = [
    [112.0, 56.0, 110.0],
    [132.0, 62.0, 122.0],
    [145.0, 78.0, 142.0],
    [153.0, 108.0, 155.0],
    [161.0, 140.0, 170.0],
    [172.0, 165.0, 185.0],
    [195.0, 172.0, 200.0],
    [225.0, 160.0, 205.0],
    [280.0, 150.0, 218.0],
    [330.0, 148.0, 225.0],
    [365.0, 152.0, 228.0],
    [400.0, 164.0, 225.0],
    [440.0, 176.0, 215.0],
    [475.0, 176.0, 195.0],
    [505.0, 165.0, 120.0],
];

pub(super) fn draw(canvas: &mut Canvas, body: &Body) {
    head(canvas, body);
    trunk(canvas, body);
    for (index, side) in SIDES.into_iter().enumerate() {
        arm(canvas, body, index, side);
        leg(canvas, body, index, side);
    }
    lungs(canvas, body);
    fill(canvas, body);
    breasts(canvas, body);
}

fn head(canvas: &mut Canvas, body: &Body) {
    canvas.body_solid(&body.ellipsoid((0.0, 57.0), [80.0, 100.0, 190.0], 0.5));
    canvas.body_solid(&body.ellipsoid((0.0, 96.0), [62.0, 62.0, 140.0], 0.5));
    for side in SIDES {
        canvas.body_solid(&body.ellipsoid((side * 80.0, 82.0), [9.0, 24.0, 20.0], 0.5));
    }
}

fn trunk(canvas: &mut Canvas, body: &Body) {
    // The girth widens the abdomen most and the neck least.
    let sections: Vec<[f64; 4]> = TRUNK
        .iter()
        .map(|[y, half_width, thickness]| {
            let belly = ((y - 112.0) / 200.0).clamp(0.0, 1.0);
            let girth = 1.0 + (body.girth - 1.0) * (0.5 + 0.6 * belly);
            let deep = 1.0 + (body.girth - 1.0) * (0.6 + 0.9 * belly);
            [
                body.height(*y),
                0.35 * body.spine(*y) + body.lean(*y),
                half_width * body.breadth * girth,
                thickness * body.breadth * deep,
            ]
        })
        .collect();
    canvas.body_trunk(&sections);
}

fn arm(canvas: &mut Canvas, body: &Body, index: usize, side: f64) {
    let stout = body.girth;
    let arm = body.posture.arms[index];
    let drop = side * body.shoulders / body.length_mm * 500.0;
    let shoulder = (side * 150.0, 183.0 + drop);
    let point = |(x, y): (f64, f64), radius: f64| [x, y, radius, 0.5];
    let points = [
        point(shoulder, 46.0 * stout),
        point(between(shoulder, arm.elbow, 0.3), 48.0 * stout),
        point(arm.elbow, 40.0 * stout),
        point(between(arm.elbow, arm.wrist, 0.48), 36.0 * stout),
        point(arm.wrist, 26.0),
        point(between(arm.wrist, arm.tips, 0.4), 34.0),
        point(arm.tips, 20.0),
    ];
    canvas.body_tube(&body.nodes(&points));
}

fn leg(canvas: &mut Canvas, body: &Body, index: usize, side: f64) {
    let stout = body.girth;
    let knee = 92.0 + body.posture.knees[index];
    let out = body.posture.toes[index];
    let points = [
        [side * 92.0, 455.0, 84.0 * stout, 0.5],
        [side * 90.0, 510.0, 82.0 * stout, 0.5],
        [side * (0.4 * 88.0 + 0.6 * knee), 590.0, 70.0 * stout, 0.5],
        [side * knee, 670.0, 58.0 * stout.sqrt(), 0.5],
        [side * knee, 700.0, 54.0 * stout.sqrt(), 0.5],
        [side * 0.95 * knee, 765.0, 56.0 * stout.sqrt(), 0.5],
        [side * 0.85 * knee, 850.0, 42.0, 0.5],
        [side * 0.8 * knee, 905.0, 36.0, 0.5],
        [side * 0.85 * knee, 930.0, 42.0, 0.5],
        [side * (0.85 * knee + 0.6 * out), 970.0, 40.0, 0.3],
        [side * (0.85 * knee + out), 988.0, 30.0, 0.3],
    ];
    canvas.body_tube(&body.nodes(&points));
}

fn lungs(canvas: &mut Canvas, body: &Body) {
    for side in SIDES {
        // The left lung leaves room for the heart.
        let (x, half_width) = if side > 0.0 {
            (82.0, 50.0)
        } else {
            (-74.0, 56.0)
        };
        let lung = body.ellipsoid((x, 245.0), [half_width, 125.0, 190.0], 0.5);
        canvas.body_cavity(&lung, 0.55);
    }
}

/// Muscle's share of the soft tissue by height in thousandths; fat takes up next to nothing.
const MUSCLE: [[f64; 2]; 9] = [
    [0.0, 1.0],
    [130.0, 0.98],
    [200.0, 1.0],
    [280.0, 0.9],
    [325.0, 0.58],
    [410.0, 0.64],
    [460.0, 0.82],
    [560.0, 0.7],
    [1000.0, 1.15],
];

/// Spreads the activity of muscle, 1 per mm, over the layers.
fn fill(canvas: &mut Canvas, body: &Body) {
    let geometry = canvas.geometry;
    for row in 0..geometry.rows {
        let (_, y) = geometry.to_body(0.5 * geometry.columns as f64, row as f64);
        let height = 1e3 * y / body.length_mm;
        let legs = 1.0 + (body.legs - 1.0) * ((height - 430.0) / 220.0).clamp(0.0, 1.0);
        let share = (legs * muscle_at(height)) as f32 / DEPTHS.len() as f32;
        let line = row * geometry.columns..(row + 1) * geometry.columns;
        for layer in &mut canvas.layers {
            let pixels = layer[line.clone()]
                .iter_mut()
                .zip(&canvas.thickness[line.clone()]);
            for (activity, thickness) in pixels {
                *activity += share * thickness;
            }
        }
    }
}

fn muscle_at(y: f64) -> f64 {
    let after = MUSCLE.iter().position(|knot| knot[0] > y);
    match after {
        None => MUSCLE[MUSCLE.len() - 1][1],
        Some(0) => MUSCLE[0][1],
        Some(after) => {
            let ([y0, from], [y1, to]) = (MUSCLE[after - 1], MUSCLE[after]);
            from + (to - from) * (y - y0) / (y1 - y0)
        }
    }
}

fn breasts(canvas: &mut Canvas, body: &Body) {
    for (thickness, side) in body.breasts.into_iter().zip(SIDES) {
        if thickness > 0.0 {
            let breast = body.ellipsoid((side * 84.0, 238.0), [62.0, 58.0, thickness], 0.05);
            canvas.solid(&breast, 0.5);
            canvas.shield(&breast, SOFT_TISSUE);
        }
    }
}

/// Spreads an activity of 1 per mm over the layers of whatever there is of a body.
pub(super) fn fill_evenly(canvas: &mut Canvas) {
    for layer in &mut canvas.layers {
        for (activity, thickness) in layer.iter_mut().zip(&canvas.thickness) {
            *activity += thickness / DEPTHS.len() as f32;
        }
    }
}
