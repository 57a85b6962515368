//! How a patient holds arms, legs and head, which is not alike on both sides.

use super::body::SIDES;
use crate::random::Stream;

/// A point: mm from the midline to the patient's left in the reference body, thousandths from the vertex.
pub(super) type Point = (f64, f64);

/// How a patient lies in one study.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Posture {
    /// The right and the left arm.
    pub(super) arms: [Arm; 2],
    /// How far the knees are from where they are in the reference, in mm.
    pub(super) knees: [f64; 2],
    /// How far the toes point outwards from the ankles, in mm.
    pub(super) toes: [f64; 2],
    /// How far the shoulders lean to the left of the hips, and the head of the shoulders, in mm.
    pub(super) lean: f64,
    pub(super) head: f64,
}

/// Where an arm's joints are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arm {
    pub(super) elbow: Point,
    pub(super) wrist: Point,
    pub(super) tips: Point,
    /// Depth of the hand: 0 in front of the body, 1 behind it.
    pub(super) depth: f64,
}

/// How arms are held, and how often: beside the body, with a hand on the hip or under it, away from the
/// body, with a hand on the belly.
const HOLDS: [(Hold, f64); 5] = [
    (Hold::Beside, 58.0),
    (Hold::OnHip, 16.0),
    (Hold::UnderHip, 8.0),
    (Hold::Away, 13.0),
    (Hold::OnBelly, 5.0),
];

#[derive(Clone, Copy, Debug)]
enum Hold {
    Beside,
    OnHip,
    UnderHip,
    Away,
    OnBelly,
}

impl Posture {
    /// Draws a posture for a body of this girth: stout bodies keep their arms farther apart.
    pub(super) fn draw(girth: f64, stream: &mut Stream) -> Self {
        let weights = HOLDS.map(|(_, weight)| weight);
        let first = stream.choose(&weights);
        let second = if stream.chance(0.7) {
            first
        } else {
            stream.choose(&weights)
        };
        let apart = 70.0 * (girth - 1.0);
        let [right, left] = SIDES;
        Self {
            arms: [
                Arm::draw(HOLDS[first].0, right, apart, stream),
                Arm::draw(HOLDS[second].0, left, apart, stream),
            ],
            knees: [stream.normal(0.0, 15.0), stream.normal(0.0, 15.0)],
            toes: [stream.normal(22.0, 11.0), stream.normal(22.0, 11.0)],
            lean: stream.bounded_normal(0.0, 12.0, 2.2),
            head: stream.bounded_normal(0.0, 9.0, 2.2),
        }
    }
}

impl Arm {
    fn draw(hold: Hold, side: f64, apart: f64, stream: &mut Stream) -> Self {
        let own = apart + stream.normal(0.0, 15.0);
        let high = stream.normal(0.0, 6.0);
        let (elbow, wrist, tips, depth) = match hold {
            Hold::Beside => ((222.0, 335.0), (238.0, 471.0), (232.0, 545.0), 0.5),
            Hold::OnHip => ((230.0, 333.0), (172.0, 440.0), (118.0, 492.0), 0.03),
            Hold::UnderHip => ((228.0, 334.0), (178.0, 446.0), (128.0, 500.0), 0.97),
            Hold::Away => ((246.0, 330.0), (284.0, 458.0), (290.0, 530.0), 0.5),
            Hold::OnBelly => ((232.0, 336.0), (136.0, 384.0), (66.0, 386.0), 0.02),
        };
        // What lies on the body is held by it and moves less than an elbow.
        let place = |(x, y): Point, share: f64| (side * (x + share * own), y + share * high);
        let held = if depth == 0.5 { 1.0 } else { 0.5 };
        Self {
            elbow: place(elbow, 1.0),
            wrist: place(wrist, held),
            tips: place(tips, held),
            depth,
        }
    }
}

/// A point on the way from one to another: 0 is the first, 1 the second.
pub(super) fn between(from: Point, to: Point, share: f64) -> Point {
    (
        from.0 + share * (to.0 - from.0),
        from.1 + share * (to.1 - from.1),
    )
}
