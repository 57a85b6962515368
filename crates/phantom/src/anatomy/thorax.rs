//! Thoracic and lumbar spine, ribs, sternum, collar bones and shoulder blades.

use super::body::{Body, SIDES, smooth};
use crate::raster::{Canvas, Form, Solid};

/// Thickness of the chest in mm that a rib runs through from its head to its cartilage.
const CHEST_DEPTH: f64 = 190.0;

/// One rib: height of its head and of its most lateral point in thousandths, how far that is from
/// the midline and where its cartilage begins, in mm.
pub(super) const RIBS: [[f64; 4]; 10] = [
    [151.0, 166.0, 66.0, 30.0],
    [163.0, 180.0, 92.0, 42.0],
    [176.0, 196.0, 108.0, 50.0],
    [189.0, 213.0, 118.0, 56.0],
    [203.0, 231.0, 126.0, 62.0],
    [216.0, 249.0, 132.0, 71.0],
    [230.0, 267.0, 136.0, 84.0],
    [244.0, 285.0, 138.0, 99.0],
    [258.0, 302.0, 136.0, 111.0],
    [272.0, 317.0, 130.0, 119.0],
];

pub(super) fn draw(canvas: &mut Canvas, body: &Body) {
    spine(canvas, body);
    for side in SIDES {
        for rib in RIBS {
            draw_rib(canvas, body, side, rib);
        }
        floating_ribs(canvas, body, side);
        collar_bone(canvas, body, side);
        shoulder_blade(canvas, body, side);
    }
    sternum(canvas, body);
}

fn spine(canvas: &mut Canvas, body: &Body) {
    let bone = body.bone;
    let mut vertebra = |y: f64, half_width: f64, half_height: f64, depth: f64| {
        let x = body.spine(y) / body.breadth;
        let lean = ((body.spine(y + 8.0) - body.spine(y - 8.0)) / body.height(16.0)).atan();
        let centre = Solid {
            angle: -lean,
            ..body.block((x, y), [half_width, half_height, 32.0], depth)
        };
        canvas.solid(&centre, 7.8 * bone);
        let arch = body.ellipsoid((x, y + 2.0), [half_width * 1.25, 8.0, 22.0], depth + 0.16);
        canvas.solid(&arch, 8.2 * bone);
    };
    for index in 0..12 {
        let down = f64::from(index);
        vertebra(
            150.0 + 13.7 * down,
            13.5 + 0.55 * down,
            11.5 + 0.12 * down,
            0.74,
        );
    }
    for index in 0..5 {
        let down = f64::from(index);
        // The lumbar spine bends forward: its lower part is nearer to an anterior detector.
        vertebra(
            318.0 + 17.2 * down,
            22.0 + 1.2 * down,
            15.4,
            0.66 - 0.035 * down,
        );
    }
}

fn draw_rib(canvas: &mut Canvas, body: &Body, side: f64, rib: [f64; 4]) {
    let [head, lateral, reach, cartilage] = rib;
    // The cartilage begins lower than the rib's side, by a slope of about 30 degrees.
    let fall = 0.36 * (reach - cartilage) * body.rib_slope;
    let lateral = lateral + side * body.shoulders * 0.1;
    let spine = body.spine(head) / body.breadth;
    // A bent spine takes the sides of the ribs along.
    let bow = 0.4 * spine;
    let points = [
        [spine + side * 17.0, head, 6.0, 0.86],
        [spine + side * 0.45 * reach, head + 3.0, 6.2, 0.93],
        [bow + side * 0.86 * reach, lateral - 11.0, 6.4, 0.78],
        [bow + side * reach, lateral, 6.4, 0.5],
        [bow + side * 0.93 * reach, lateral + 0.3 * fall, 6.4, 0.24],
        [
            side * 0.5 * (reach + cartilage),
            lateral + 0.72 * fall,
            6.8,
            0.1,
        ],
        [side * cartilage, lateral + fall, 7.0, 0.06],
    ];
    let curve = smooth(&body.nodes(&points), 6);
    // The first rib is short, flat and half hidden by the collar bone.
    let activity = if head < 160.0 { 1.0 } else { 2.3 };
    canvas.tube(
        &curve,
        CHEST_DEPTH * body.breadth,
        activity * body.bone * body.ribs,
    );
}

fn floating_ribs(canvas: &mut Canvas, body: &Body, side: f64) {
    for (head, tip, reach) in [(288.0, 318.0, 112.0), (302.0, 322.0, 74.0)] {
        let spine = body.spine(head) / body.breadth;
        let points = [
            [spine + side * 20.0, head, 4.4, 0.84],
            [side * 0.6 * reach, head + 0.4 * (tip - head), 4.4, 0.9],
            [side * reach, tip, 4.0, 0.7],
        ];
        let curve = smooth(&body.nodes(&points), 5);
        canvas.tube(
            &curve,
            CHEST_DEPTH * body.breadth,
            2.3 * body.bone * body.ribs,
        );
    }
}

fn sternum(canvas: &mut Canvas, body: &Body) {
    let bone = body.bone;
    let manubrium = body.block((0.0, 190.0), [29.0, 25.0, 18.0], 0.06);
    canvas.solid(&manubrium, 5.9 * bone * body.sternum);
    let points = [
        [0.0, 200.0, 20.0, 0.06],
        [0.0, 225.0, 20.0, 0.06],
        [0.0, 258.0, 21.0, 0.07],
        [0.0, 276.0, 14.0, 0.08],
    ];
    canvas.tube(&body.nodes(&points), 0.0, 2.4 * bone * body.sternum);
}

fn collar_bone(canvas: &mut Canvas, body: &Body, side: f64) {
    let drop = side * body.shoulders / body.length_mm * 1000.0;
    let points = [
        [side * 24.0, 181.0, 8.0, 0.1],
        [side * 60.0, 176.0 + 0.3 * drop, 6.0, 0.12],
        [side * 100.0, 166.0 + 0.7 * drop, 6.0, 0.3],
        [side * 136.0, 157.0 + drop, 8.0, 0.4],
    ];
    canvas.tube(&smooth(&body.nodes(&points), 4), 0.0, 3.8 * body.bone);
}

fn shoulder_blade(canvas: &mut Canvas, body: &Body, side: f64) {
    let bone = body.bone;
    let drop = side * body.shoulders / body.length_mm * 1000.0;
    let plate = Solid {
        angle: side * 0.25,
        form: Form::Ellipsoid,
        ..body.ellipsoid((side * 98.0, 200.0 + drop), [30.0, 66.0, 9.0], 0.88)
    };
    canvas.solid(&plate, 5.0 * bone);
    let spine = [
        [side * 70.0, 183.0 + drop, 5.0, 0.93],
        [side * 115.0, 166.0 + drop, 7.0, 0.85],
        [side * 150.0, 156.0 + drop, 9.0, 0.5],
    ];
    canvas.tube(&body.nodes(&spine), 60.0, 5.0 * bone);
    canvas.solid(
        &body.ball((side * 122.0, 171.0 + drop), 13.0, 0.35),
        3.0 * bone,
    );
}
