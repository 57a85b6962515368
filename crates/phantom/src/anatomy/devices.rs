//! Metal on and in the front of the body, which hides what is behind it from the anterior detector.

use super::body::Body;
use crate::random::Stream;
use crate::raster::{Canvas, Solid};

/// Draws one kind of thing.
type Draw = fn(&mut Canvas, &Body, &mut Stream);

/// Draws what a patient wears. `stream` gives each kind of thing its own numbers.
pub(super) fn draw(canvas: &mut Canvas, body: &Body, stream: impl Fn(u8) -> Stream) {
    let things: [(f64, Draw); 5] = [
        (0.06, generator),
        (0.05, buckle),
        (0.03, necklace),
        (0.04, coins),
        (0.4, breast),
    ];
    for (part, (share, thing)) in (0..).zip(things) {
        let mut own = stream(part);
        if own.chance(share) {
            thing(canvas, body, &mut own);
        }
    }
}

fn buckle(canvas: &mut Canvas, body: &Body, devices: &mut Stream) {
    let centre = (devices.normal(0.0, 12.0), devices.normal(398.0, 9.0));
    let axes = [devices.range(18.0, 30.0), devices.range(13.0, 20.0), 5.0];
    let plate = body.block(centre, axes, 0.0);
    cover(canvas, &plate, devices.range(0.3, 0.65));
}

fn necklace(canvas: &mut Canvas, body: &Body, devices: &mut Stream) {
    let centre = (devices.normal(0.0, 8.0), devices.range(196.0, 238.0));
    let medal = body.ball(centre, devices.range(6.0, 12.0), 0.0);
    cover(canvas, &medal, devices.range(0.3, 0.7));
}

/// Coins or keys in a pocket.
fn coins(canvas: &mut Canvas, body: &Body, devices: &mut Stream) {
    let side = devices.side();
    let centre = (
        side * devices.range(80.0, 120.0),
        devices.range(425.0, 470.0),
    );
    let coins = body.ball(centre, devices.range(9.0, 16.0), 0.0);
    cover(canvas, &coins, devices.range(0.3, 0.7));
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
    let side = match (right > 0.0, left > 0.0) {
        (false, true) => -1.0,
        (true, false) => 1.0,
        _ => return,
    };
    let shape = body.ellipsoid((side * 84.0, 238.0), [58.0, 54.0, 40.0], 0.0);
    cover(canvas, &shape, devices.range(0.45, 0.7));
}

/// Lays a solid on the front that lets this share of the photons pass where it is thickest.
fn cover(canvas: &mut Canvas, solid: &Solid, passes: f64) {
    canvas.shield(solid, -passes.ln() / solid.thickness);
}
