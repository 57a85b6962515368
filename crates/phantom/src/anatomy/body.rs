//! The size and shape of a body, and how avid its bones are.

use super::posture::Posture;
use crate::demographics::{Indication, Person, Sex};
use crate::random::Stream;
use crate::raster::{Form, Node, Solid};

/// Length of the reference body in mm, vertex to toes.
const REFERENCE_MM: f64 = 1729.0;

/// The signs of x on the right and on the left.
pub(super) const SIDES: [f64; 2] = [-1.0, 1.0];

/// A body's measures.
#[derive(Clone, Debug)]
pub(crate) struct Body {
    /// Length from the vertex to the toes in mm.
    pub(crate) length_mm: f64,
    /// Breadth of the skeleton relative to the reference.
    pub(super) breadth: f64,
    /// Girth of the soft tissue relative to a body mass index of 26.
    pub(super) girth: f64,
    /// Bone uptake relative to the reference.
    pub(super) bone: f64,
    /// Uptake of the ribs relative to other bone.
    pub(super) ribs: f64,
    /// Uptake of the sternum relative to other bone.
    pub(super) sternum: f64,
    /// Uptake of the legs' bones and muscles relative to the rest.
    pub(super) legs: f64,
    /// Sideways bend of the spine in mm, and the height of its apex in thousandths.
    pub(super) scoliosis: (f64, f64),
    /// How arms, legs and head are held.
    pub(super) posture: Posture,
    /// By how much the heart lies to the left and lower than in the reference, in mm, and its size.
    pub(super) heart: Heart,
    /// Thickness of breast tissue on the right and on the left, in mm; none after a mastectomy.
    pub(super) breasts: [f64; 2],
    /// Tilt of the shoulders: how much lower the left one is, in mm.
    pub(super) shoulders: f64,
    /// By how many thousandths the chest lies lower than in the reference.
    pub(super) chest: f64,
    /// How far ribs slope.
    pub(super) rib_slope: f64,
}

/// Where the heart is and how large.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heart {
    pub(super) left_mm: f64,
    pub(super) down_mm: f64,
    pub(super) size: f64,
    /// Angle of the long axis to the horizontal in radians.
    pub(super) axis: f64,
}

impl Body {
    /// Draws a body from the stream of its shape and that of its posture.
    ///
    /// It depends on the patient's sex and, after a breast cancer, on the indication; on nothing else
    /// that a label says.
    pub(crate) fn draw(person: &Person, stream: &mut Stream, posture: &mut Stream) -> Self {
        let (stature, deviation) = match person.sex {
            Sex::Female => (1600.0, 60.0),
            Sex::Male => (1735.0, 65.0),
        };
        let length_mm = stream.bounded_normal(stature + 25.0, deviation, 2.5);
        let mass_index = (stream.normal(27.5, 4.2)).clamp(18.5, 40.0);
        let girth = (mass_index / 26.0_f64).sqrt();
        let breasts = breasts(person, mass_index, stream);
        Self {
            length_mm,
            breadth: length_mm / REFERENCE_MM * stream.factor(0.03),
            girth,
            bone: stream.factor(0.22),
            ribs: stream.factor(0.2),
            sternum: stream.factor(0.2),
            legs: 0.81 * stream.factor(0.09),
            scoliosis: (
                stream.side() * stream.exponential(8.0).min(46.0),
                stream.range(220.0, 340.0),
            ),
            posture: Posture::draw(girth, posture),
            heart: Heart {
                left_mm: stream.bounded_normal(0.0, 9.0, 2.5),
                down_mm: stream.bounded_normal(0.0, 11.0, 2.5),
                size: stream.factor(0.1),
                axis: stream.bounded_normal(0.62, 0.14, 2.0),
            },
            breasts,
            shoulders: stream.normal(0.0, 7.0),
            chest: stream.bounded_normal(0.0, 7.0, 2.2),
            rib_slope: stream.factor(0.15),
        }
    }

    /// A height in thousandths of the body's length, in mm from the vertex.
    ///
    /// Chests differ: the thorax lies higher or lower between the chin and the hips.
    pub(super) fn height(&self, y: f64) -> f64 {
        let from_chest = (y - 235.0) / 75.0;
        (y + self.chest * (-from_chest * from_chest).exp()) * 1e-3 * self.length_mm
    }

    /// How far the spine is off the midline at a height in thousandths, in mm.
    ///
    /// A marked bend has another one below it, to the other side, that keeps the head above the hips.
    pub(super) fn spine(&self, y: f64) -> f64 {
        let (bend, apex) = self.scoliosis;
        let bow = |centre: f64| (-((y - centre) / 75.0).powi(2)).exp();
        bend * bow(apex) - 0.4 * bend * bow(apex + 115.0)
    }

    /// How far all that lies at a height is off the midline because the patient leans, in mm.
    pub(super) fn lean(&self, y: f64) -> f64 {
        let above_hips = (1.0 - y / 440.0).max(0.0);
        let above_neck = (1.0 - y / 150.0).max(0.0);
        self.posture.lean * above_hips + self.posture.head * above_neck
    }

    /// The body's midline at a height in mm from the vertex, in mm.
    pub(crate) fn middle(&self, y: f64) -> f64 {
        self.lean(1e3 * y / self.length_mm)
    }

    /// A tube's point: reference mm, thousandths, reference mm of radius, depth.
    pub(super) fn node(&self, x: f64, y: f64, radius: f64, depth: f64) -> Node {
        Node {
            x: x * self.breadth + self.lean(y),
            y: self.height(y),
            radius: radius * self.breadth,
            depth,
        }
    }

    /// A tube from such points.
    pub(super) fn nodes(&self, points: &[[f64; 4]]) -> Vec<Node> {
        points
            .iter()
            .map(|[x, y, radius, depth]| self.node(*x, *y, *radius, *depth))
            .collect()
    }

    /// A solid ellipsoid: centre, half axes and thickness in reference mm, height in thousandths.
    pub(super) fn ellipsoid(&self, (x, y): (f64, f64), axes: [f64; 3], depth: f64) -> Solid {
        Solid {
            x: x * self.breadth + self.lean(y),
            y: self.height(y),
            half_width: axes[0] * self.breadth,
            half_height: axes[1] * self.breadth,
            thickness: axes[2] * self.breadth,
            angle: 0.0,
            depth,
            form: Form::Ellipsoid,
        }
    }

    /// A block, measured as [`ellipsoid`](Self::ellipsoid).
    pub(super) fn block(&self, centre: (f64, f64), axes: [f64; 3], depth: f64) -> Solid {
        Solid {
            form: Form::Block,
            ..self.ellipsoid(centre, axes, depth)
        }
    }

    /// A small ball of this radius in reference mm.
    pub(super) fn ball(&self, centre: (f64, f64), radius: f64, depth: f64) -> Solid {
        self.ellipsoid(centre, [radius, radius, 2.0 * radius], depth)
    }
}

/// Breast tissue on both sides in mm. After a breast cancer nearly half of the patients lack one breast.
fn breasts(person: &Person, mass_index: f64, stream: &mut Stream) -> [f64; 2] {
    let both = match person.sex {
        Sex::Female => stream.range(15.0, 60.0),
        Sex::Male => stream.range(0.0, 8.0),
    };
    let both = if mass_index > 27.0 { 1.3 * both } else { both };
    let mut breasts = [both * stream.factor(0.08), both * stream.factor(0.08)];
    let lost = usize::from(stream.chance(0.5));
    if stream.chance(0.45) && person.indication == Indication::BreastCancer {
        breasts[lost] = 0.0;
    }
    breasts
}

/// A smooth curve through points, each cut into this many pieces (Catmull-Rom).
pub(super) fn smooth(points: &[Node], pieces: usize) -> Vec<Node> {
    let mut curve = Vec::with_capacity(points.len() * pieces);
    for index in 0..points.len().saturating_sub(1) {
        let before = points[index.saturating_sub(1)];
        let (from, to) = (points[index], points[index + 1]);
        let after = points[(index + 2).min(points.len() - 1)];
        for piece in 0..pieces {
            let t = piece as f64 / pieces as f64;
            let blend = |pick: fn(Node) -> f64| {
                catmull_rom([pick(before), pick(from), pick(to), pick(after)], t)
            };
            curve.push(Node {
                x: blend(|n| n.x),
                y: blend(|n| n.y),
                radius: blend(|n| n.radius),
                depth: blend(|n| n.depth),
            });
        }
    }
    curve.extend(points.last());
    curve
}

fn catmull_rom([a, b, c, d]: [f64; 4], t: f64) -> f64 {
    0.5 * (2.0 * b
        + (c - a) * t
        + (2.0 * a - 5.0 * b + 4.0 * c - d) * t * t
        + (3.0 * b - 3.0 * c + d - a) * t * t * t)
}
