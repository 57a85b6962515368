//! Skull, face and cervical spine.

use super::body::{Body, SIDES};
use crate::raster::{Canvas, Form, Solid};

pub(super) fn draw(canvas: &mut Canvas, body: &Body) {
    let bone = body.bone;
    // The brain keeps the tracer out.
    canvas.solid(
        &body.ellipsoid((0.0, 52.0), [66.0, 82.0, 150.0], 0.5),
        -0.75,
    );
    let vault = Solid {
        form: Form::Shell(0.8),
        ..body.ellipsoid((0.0, 54.0), [74.0, 94.0, 176.0], 0.45)
    };
    canvas.solid(&vault, 1.8 * bone);
    canvas.solid(&body.block((0.0, 68.0), [56.0, 8.0, 40.0], 0.5), 1.6 * bone);
    for side in SIDES {
        let orbit = Solid {
            form: Form::Shell(0.7),
            ..body.ellipsoid((side * 31.0, 70.0), [19.0, 18.0, 26.0], 0.15)
        };
        canvas.solid(&orbit, 3.0 * bone);
        let jaw = [
            [side * 54.0, 92.0, 6.0, 0.45],
            [side * 46.0, 112.0, 6.5, 0.3],
            [side * 22.0, 126.0, 7.0, 0.12],
            [0.0, 128.0, 7.0, 0.08],
        ];
        canvas.tube(&body.nodes(&jaw), 90.0, 4.0 * bone);
    }
    canvas.solid(
        &body.ellipsoid((0.0, 80.0), [20.0, 26.0, 45.0], 0.2),
        4.5 * bone,
    );
    canvas.solid(
        &body.ellipsoid((0.0, 97.0), [36.0, 26.0, 50.0], 0.2),
        2.6 * bone,
    );
    canvas.solid(
        &body.ellipsoid((0.0, 114.0), [26.0, 9.0, 24.0], 0.15),
        4.0 * bone,
    );
    cervical_spine(canvas, body);
}

fn cervical_spine(canvas: &mut Canvas, body: &Body) {
    for index in 0..7 {
        let y = 103.0 + 6.8 * f64::from(index);
        let vertebra = body.block((body.spine(y), y), [19.0, 8.0, 28.0], 0.5);
        canvas.solid(&vertebra, 6.0 * body.bone);
    }
    canvas.solid(
        &body.ellipsoid((0.0, 155.0), [30.0, 36.0, 34.0], 0.2),
        2.6 * body.bone,
    );
}
