//! Where other tracers go, and this one minutes after the injection; and hands that lie on a detector alone.

use super::body::{Body, SIDES, smooth};
use super::{bones, heart, soft_tissue};
use crate::random::Stream;
use crate::raster::{Canvas, Form, Node, Solid};

/// What takes up the tracer, relative to muscle: of all that is not a late bone scan.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Biodistribution {
    /// A bone tracer within minutes: blood, and what blood fills.
    BloodPool,
    /// Sestamibi: heart muscle, liver, gall bladder, bowel, salivary glands.
    Perfusion,
    /// Iodide: thyroid, stomach, bladder.
    Iodide,
    /// A somatostatin analogue: spleen, kidneys, liver.
    Octreotide,
    /// Gallium citrate: liver, bone marrow, lachrymal glands, bowel.
    Gallium,
}

/// Concentrations of a biodistribution.
#[derive(Clone, Copy, Debug, Default)]
struct Uptakes {
    bone: f64,
    blood: f64,
    heart: f64,
    liver: f64,
    spleen: f64,
    kidneys: f64,
    bladder: f64,
    thyroid: f64,
    stomach: f64,
    bowel: f64,
    glands: f64,
}

impl Biodistribution {
    fn uptakes(self) -> Uptakes {
        match self {
            Self::BloodPool => Uptakes {
                bone: 0.22,
                blood: 2.6,
                liver: 1.6,
                spleen: 2.4,
                kidneys: 5.0,
                bladder: 4.0,
                ..Uptakes::default()
            },
            Self::Perfusion => Uptakes {
                bone: 0.03,
                blood: 0.2,
                heart: 5.0,
                liver: 3.0,
                spleen: 1.5,
                kidneys: 6.0,
                bladder: 6.0,
                thyroid: 4.0,
                bowel: 4.0,
                glands: 8.0,
                ..Uptakes::default()
            },
            Self::Iodide => Uptakes {
                bone: 0.02,
                blood: 0.2,
                liver: 0.6,
                bladder: 14.0,
                thyroid: 40.0,
                stomach: 6.0,
                bowel: 3.0,
                glands: 8.0,
                ..Uptakes::default()
            },
            Self::Octreotide => Uptakes {
                bone: 0.05,
                blood: 0.4,
                liver: 4.0,
                spleen: 14.0,
                kidneys: 18.0,
                bladder: 8.0,
                thyroid: 3.0,
                bowel: 2.0,
                ..Uptakes::default()
            },
            Self::Gallium => Uptakes {
                bone: 0.35,
                blood: 0.4,
                liver: 5.0,
                spleen: 2.5,
                kidneys: 1.0,
                bowel: 4.0,
                glands: 7.0,
                ..Uptakes::default()
            },
        }
    }
}

/// Draws a body with another tracer, or another phase of this one, in it.
pub(crate) fn draw(canvas: &mut Canvas, body: &Body, tracer: Biodistribution, stream: &mut Stream) {
    let uptakes = tracer.uptakes();
    let mut faint = body.clone();
    faint.bone *= uptakes.bone;
    soft_tissue::draw(canvas, body);
    bones(canvas, &faint);
    heart::blood(canvas, body, uptakes.blood * stream.factor(0.2));
    let wall = Solid {
        form: Form::Shell(0.55),
        ..heart::part(body, (10.0, 8.0), [50.0, 40.0, 78.0], 0.36)
    };
    canvas.solid(&wall, uptakes.heart * stream.factor(0.2));
    abdomen(canvas, body, &uptakes, stream);
    neck_and_head(canvas, body, &uptakes, stream);
}

fn abdomen(canvas: &mut Canvas, body: &Body, uptakes: &Uptakes, stream: &mut Stream) {
    let liver = Solid {
        angle: -0.25,
        ..body.ellipsoid((-52.0, 312.0), [88.0, 52.0, 110.0], 0.38)
    };
    canvas.solid(&liver, uptakes.liver * stream.factor(0.2));
    let spleen = body.ellipsoid((88.0, 300.0), [28.0, 44.0, 60.0], 0.75);
    canvas.solid(&spleen, uptakes.spleen * stream.factor(0.2));
    for side in SIDES {
        let kidney = Solid {
            angle: side * -0.22,
            ..body.ellipsoid((side * 60.0, 335.0), [26.0, 50.0, 46.0], 0.78)
        };
        canvas.solid(&kidney, uptakes.kidneys * stream.factor(0.2));
    }
    let bladder = body.ellipsoid((0.0, 427.0), [34.0, 24.0, 48.0], 0.35);
    canvas.solid(&bladder, uptakes.bladder * stream.factor(0.4));
    let stomach = Solid {
        angle: 0.7,
        ..body.ellipsoid((66.0, 309.0), [52.0, 26.0, 50.0], 0.45)
    };
    canvas.solid(&stomach, uptakes.stomach * stream.factor(0.3));
    for _ in 0..8 {
        let centre = (stream.range(-90.0, 90.0), stream.range(345.0, 410.0));
        let loop_of_bowel = body.ellipsoid(centre, [26.0, 18.0, 36.0], 0.3);
        canvas.solid(&loop_of_bowel, uptakes.bowel * stream.exponential(0.6));
    }
}

fn neck_and_head(canvas: &mut Canvas, body: &Body, uptakes: &Uptakes, stream: &mut Stream) {
    for side in SIDES {
        let lobe = body.ellipsoid((side * 16.0, 161.0), [9.0, 19.0, 16.0], 0.15);
        canvas.solid(&lobe, uptakes.thyroid * stream.factor(0.3));
        for (x, y) in [(54.0, 88.0), (36.0, 118.0), (30.0, 66.0)] {
            let gland = body.ball((side * x, y), 11.0, 0.35);
            canvas.solid(&gland, uptakes.glands * stream.factor(0.3));
        }
    }
}

/// Draws two hands, palms down, around the point (0, `y`) in mm of a canvas, with nothing else.
pub(crate) fn hands(canvas: &mut Canvas, y: f64, stream: &mut Stream) {
    for side in SIDES {
        let middle = side * stream.range(75.0, 100.0);
        let node = |x: f64, up: f64, radius: f64| Node {
            x,
            y: y - up,
            radius,
            depth: 0.2,
        };
        let palm = [
            node(middle, -110.0, 28.0),
            node(middle, -30.0, 36.0),
            node(middle, 10.0, 40.0),
        ];
        canvas.body_tube(&palm);
        let wrist = stream.range(2.0, 7.0);
        canvas.tube(
            &[node(middle, -62.0, 20.0), node(middle, -48.0, 20.0)],
            0.0,
            wrist,
        );
        for offset in [-12.0, 12.0] {
            let bone = [
                node(middle + offset, -112.0, 8.0),
                node(middle + offset, -70.0, 11.0),
            ];
            canvas.tube(&bone, 0.0, 3.0);
        }
        for finger in 0..5 {
            let spread = f64::from(finger) - 2.0;
            let length = [58.0, 88.0, 96.0, 88.0, 68.0][finger as usize];
            let ray = [
                node(middle + 5.0 * spread, -42.0, 6.0),
                node(middle + 14.0 * spread, 12.0, 6.0),
                node(middle + 19.0 * spread, length, 4.5),
            ];
            let flesh: Vec<Node> = ray.iter().map(|n| Node { radius: 10.0, ..*n }).collect();
            canvas.body_tube(&flesh);
            canvas.tube(&smooth(&ray, 4), 0.0, 4.0);
            for up in [12.0, 0.62 * length] {
                let joint = Node {
                    radius: 7.0,
                    ..node(middle + (14.0 + 0.05 * up) * spread, up, 7.0)
                };
                let end = Node {
                    y: joint.y + 4.0,
                    ..joint
                };
                canvas.tube(&[joint, end], 0.0, stream.exponential(6.0));
            }
        }
    }
    soft_tissue::fill_evenly(canvas);
}
