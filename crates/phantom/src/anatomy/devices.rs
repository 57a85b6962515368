//! Metal on and in the front of the body, which hides what is behind it from the anterior detector.

use super::body::Body;
use crate::random::Stream;
use crate::raster::{Canvas, Solid};

pub(super) fn draw(canvas: &mut Canvas, body: &Body, devices: &mut Stream) {
    // Each is drawn from numbers of its own, whether it is there or not.
    let (pacemaker, buckle) = (devices.chance(0.06), devices.chance(0.05));
    let (necklace, pocket) = (devices.chance(0.03), devices.chance(0.04));
    let prosthesis = devices.chance(0.4);
    if pacemaker {
        generator(canvas, body, devices);
    }
    if buckle {
        let centre = (devices.normal(0.0, 12.0), devices.normal(398.0, 9.0));
        let axes = [devices.range(18.0, 30.0), devices.range(13.0, 20.0), 5.0];
        cover(
            canvas,
            &body.block(centre, axes, 0.0),
            devices.range(0.3, 0.65),
        );
    }
    if necklace {
        let centre = (devices.normal(0.0, 8.0), devices.range(196.0, 238.0));
        let medal = body.ball(centre, devices.range(6.0, 12.0), 0.0);
        cover(canvas, &medal, devices.range(0.3, 0.7));
    }
    if pocket {
        let side = devices.side();
        let centre = (
            side * devices.range(80.0, 120.0),
            devices.range(425.0, 470.0),
        );
        let coins = body.ball(centre, devices.range(9.0, 16.0), 0.0);
        cover(canvas, &coins, devices.range(0.3, 0.7));
    }
    if prosthesis {
        breast(canvas, body, devices);
    }
}

/// A pacemaker's or a defibrillator's generator below the collar bone, mostly the left one.
fn generator(canvas: &mut Canvas, body: &Body, devices: &mut Stream) {
    let side = if devices.chance(0.8) { 1.0 } else { -1.0 };
    let centre = (
        side * devices.bounded_normal(90.0, 8.0, 2.0),
        devices.bounded_normal(194.0, 6.0, 2.0),
    );
    let size = devices.range(0.85, 1.35);
    let case = Solid {
        angle: devices.range(-0.4, 0.4),
        ..body.block(centre, [23.0 * size, 20.0 * size, 8.0], 0.0)
    };
    cover(canvas, &case, devices.range(0.12, 0.35));
}

/// A weighted prosthesis, worn in place of a breast that was taken.
fn breast(canvas: &mut Canvas, body: &Body, devices: &mut Stream) {
    let [right, left] = body.breasts;
    let side = if right == left {
        return;
    } else if right == 0.0 {
        -1.0
    } else if left == 0.0 {
        1.0
    } else {
        return;
    };
    let shape = body.ellipsoid((side * 84.0, 238.0), [58.0, 54.0, 40.0], 0.0);
    cover(canvas, &shape, devices.range(0.45, 0.7));
}

/// Lays a solid on the front that lets this share of the photons pass where it is thickest.
fn cover(canvas: &mut Canvas, solid: &Solid, passes: f64) {
    canvas.shield(solid, -passes.ln() / solid.thickness);
}
