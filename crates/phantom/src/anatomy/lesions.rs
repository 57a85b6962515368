//! Metastases in the bones, and tracer left where it was injected.

use super::body::{Body, SIDES};
use super::posture::between;
use crate::random::Stream;
use crate::raster::{Canvas, Solid};

/// Most metastases of a patient.
const MOST: f64 = 24.0;

/// A few to many metastases, most of them in the axial skeleton.
pub(super) fn metastases(canvas: &mut Canvas, body: &Body, lesions: &mut Stream) {
    let number = 1 + lesions.exponential(5.0).min(MOST) as u32;
    let avidity = lesions.factor(0.35);
    for _ in 0..number {
        let ((x, y), depth) = site(body, lesions);
        let radius = lesions.range(5.0, 13.0);
        let lesion = Solid {
            angle: lesions.range(0.0, 3.0),
            ..body.ellipsoid(
                (x, y),
                [radius, radius * lesions.range(0.6, 1.0), 14.0],
                depth,
            )
        };
        // A posterior lesion is seen through the body, so it has to be the hotter to be found.
        let activity = avidity * 5.0 * lesions.factor(0.7) * (1.0 + 2.5 * depth);
        canvas.solid(&lesion, activity);
    }
}

/// A place in the skeleton (mm from the midline, thousandths) and its depth.
fn site(body: &Body, lesions: &mut Stream) -> ((f64, f64), f64) {
    let spine = |y: f64| body.spine(y) / body.breadth;
    match lesions.choose(&[34.0, 26.0, 22.0, 7.0, 6.0, 3.0, 2.0]) {
        0 => {
            let y = lesions.range(160.0, 400.0);
            ((spine(y) + lesions.range(-12.0, 12.0), y), 0.68)
        }
        1 => {
            let across = lesions.range(55.0, 132.0);
            let depth = [0.08, 0.5, 0.9][lesions.choose(&[2.0, 1.0, 2.0])];
            (
                (lesions.side() * across, lesions.range(190.0, 310.0)),
                depth,
            )
        }
        2 => {
            let across = lesions.side() * lesions.range(20.0, 115.0);
            (
                (across, lesions.range(378.0, 470.0)),
                lesions.range(0.3, 0.8),
            )
        }
        3 => (
            (lesions.range(-12.0, 12.0), lesions.range(185.0, 270.0)),
            0.07,
        ),
        4 => ((lesions.side() * 112.0, lesions.range(465.0, 580.0)), 0.45),
        5 => ((lesions.range(-60.0, 60.0), lesions.range(12.0, 80.0)), 0.3),
        _ => (
            (
                lesions.side() * lesions.range(95.0, 155.0),
                lesions.range(165.0, 220.0),
            ),
            0.6,
        ),
    }
}

/// Tracer that stayed at the injection site, much of it where it was injected beside the vein, and at times
/// in lymph nodes of the armpit.
pub(super) fn injection_site(canvas: &mut Canvas, body: &Body, injection: &mut Stream) {
    if !injection.chance(0.55) {
        return;
    }
    let index = usize::from(injection.chance(0.5));
    let (side, arm) = (SIDES[index], body.posture.arms[index]);
    let (x, y) = match injection.choose(&[3.0, 1.0, 3.0]) {
        0 => between(arm.elbow, arm.wrist, injection.range(-0.05, 0.1)),
        1 => between(arm.elbow, arm.wrist, injection.range(0.25, 0.9)),
        _ => between(arm.wrist, arm.tips, injection.range(0.25, 0.6)),
    };
    let place = (x + injection.normal(0.0, 6.0), y);
    let spot = body.ball(place, injection.range(4.0, 8.0), 0.2);
    canvas.solid(&spot, 12.0 * injection.factor(0.8));
    let beside = injection.chance(0.1);
    if beside {
        let extravasate = Solid {
            angle: injection.range(0.0, 3.0),
            ..body.ellipsoid(place, [16.0, 26.0, 26.0], 0.3)
        };
        canvas.solid(&extravasate, injection.range(12.0, 60.0));
    }
    if injection.chance(if beside { 0.4 } else { 0.05 }) {
        for _ in 0..injection.whole(1, 3) {
            let centre = (
                side * injection.range(138.0, 152.0),
                injection.range(198.0, 222.0),
            );
            let node = body.ball(centre, 6.0, 0.4);
            canvas.solid(&node, 14.0 * injection.factor(0.5));
        }
    }
}
