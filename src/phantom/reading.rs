//! Cardiac uptake and the two readers who grade it.
//!
//! Uptake lies on an axis where grade g is centred at g and neighbouring grades meet at 0.5, 1.5
//! and 2.5. What a reader perceives is the uptake plus the reader's own error, so a grade says only
//! so much about the uptake, and the uptake of neighbouring grades overlaps. Spreads and errors are
//! set so that two readers agree as the paper's did: Cohen's kappa 0.79 for grade >= 2 and 0.69 for
//! four grades (paper, "Data").

use crate::api::Grade;

use super::random::Stream;

/// Standard deviation of a reader's error, on the axis of grades.
const READER_ERROR: f64 = 0.235;

/// Where the first reader's perception lies for each grade: its mode, and its standard deviation
/// below and above the mode. It never leaves the grade's interval.
const PERCEIVED: [(f64, f64, f64); 4] = [
    (0.0, 0.35, 0.33),
    (0.95, 0.3, 0.2),
    (2.05, 0.3, 0.3),
    (3.1, 0.3, 0.5),
];

/// Cardiac uptake relative to the ribs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Uptake(f64);

impl Uptake {
    /// Draws the uptake of a patient whom the first reader gave this grade.
    pub(super) fn draw(grade: Grade, stream: &mut Stream) -> Self {
        let perceived = perceive_in(grade, stream);
        Self(perceived - stream.normal(0.0, READER_ERROR))
    }

    /// What a reader calls this uptake.
    pub(super) fn read(self, stream: &mut Stream) -> Grade {
        let perceived = self.0 + stream.normal(0.0, READER_ERROR);
        let passed = [0.5, 1.5, 2.5].iter().filter(|t| perceived >= **t).count();
        Grade::ALL[passed]
    }

    /// The heart's projected uptake over a rib's: 0 without cardiac uptake, about 1 at grade 2.
    ///
    /// Piecewise linear in the grades' axis; 0.35, 0.85 and 1.4 part the grades.
    pub fn heart_to_rib(self) -> f64 {
        const KNOTS: [(f64, f64); 5] = [
            (-0.2, 0.0),
            (0.5, 0.35),
            (1.5, 0.85),
            (2.5, 1.4),
            (4.5, 3.4),
        ];
        if self.0 <= KNOTS[0].0 {
            return 0.0;
        }
        let last = KNOTS.len() - 2;
        let index = KNOTS[1..]
            .iter()
            .position(|k| self.0 < k.0)
            .unwrap_or(last)
            .min(last);
        let ((x0, y0), (x1, y1)) = (KNOTS[index], KNOTS[index + 1]);
        y0 + (y1 - y0) * (self.0 - x0) / (x1 - x0)
    }
}

/// The first reader's perception within the interval of a grade: a two-sided normal around its mode.
fn perceive_in(grade: Grade, stream: &mut Stream) -> f64 {
    let index = usize::from(grade.value());
    let (mode, below, above) = PERCEIVED[index];
    let low = if index == 0 { -1.0 } else { index as f64 - 0.5 };
    let high = if index == 3 { 5.0 } else { index as f64 + 0.5 };
    loop {
        let deviation = if stream.chance(below / (below + above)) {
            -below
        } else {
            above
        };
        let perceived = mode + deviation * stream.normal(0.0, 1.0).abs();
        if (low..high).contains(&perceived) {
            return perceived;
        }
    }
}
