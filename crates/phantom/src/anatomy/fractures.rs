//! Fractures that heal: a row of ribs, or a vertebra that has given way.

use super::body::Body;
use super::thorax::RIBS;
use crate::random::Stream;
use crate::raster::Canvas;

pub(super) fn draw(canvas: &mut Canvas, body: &Body, fractures: &mut Stream) {
    let (ribs, vertebra) = (fractures.chance(0.09), fractures.chance(0.07));
    if ribs {
        row_of_ribs(canvas, body, fractures);
    }
    if vertebra {
        let y = fractures.range(240.0, 375.0);
        let x = body.spine(y) / body.breadth;
        let band = body.block((x, y), [24.0, 6.0, 30.0], 0.7);
        canvas.solid(&band, fractures.range(8.0, 26.0));
    }
}

/// Neighbouring ribs, broken below each other by the same fall.
fn row_of_ribs(canvas: &mut Canvas, body: &Body, fractures: &mut Stream) {
    let number = fractures.whole(1, 5) as usize;
    let first = fractures.whole(2, (RIBS.len() - number) as u32) as usize;
    let side = fractures.side();
    // Where along the ribs: the side, or farther to the front.
    let front = fractures.range(0.0, 0.9);
    let fresh = fractures.range(3.0, 14.0);
    for [_, lateral, reach, cartilage] in RIBS.into_iter().skip(first).take(number) {
        let across = reach + 0.5 * front * (cartilage - reach);
        let fall = 0.36 * (reach - cartilage) * body.rib_slope;
        let centre = (
            side * (across + fractures.normal(0.0, 3.0)),
            lateral + 0.6 * front * fall,
        );
        let spot = body.ball(centre, fractures.range(6.0, 10.0), 0.5 - 0.4 * front);
        canvas.solid(&spot, fresh * fractures.factor(0.4));
    }
}
