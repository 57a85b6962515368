//! Cardiac uptake and the two readers who grade it.
//!
//! Uptake lies on an axis where grade g is centred at g and neighbouring grades meet at 0.5, 1.5
//! and 2.5. What a reader perceives is the uptake plus the reader's own error, so a grade says only
//! so much about the uptake, and the uptake of neighbouring grades overlaps. Spreads and errors are
//! set so that two readers agree as the paper's did: Cohen's kappa 0.79 for grade >= 2 and 0.69 for
//! four grades (paper, "Data").

use attrium_types::Grade;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SyntheticCohort;
    use attrium_evaluation::{KappaWeights, kappa};

    /// Enough for 1,400 positives: the standard error of either kappa is below 0.01.
    const STUDIES: u32 = 40_000;

    fn readings() -> Vec<(usize, usize)> {
        let cohort = SyntheticCohort::new(STUDIES, 11);
        let studies = (0..STUDIES).map(|number| cohort.study(number));
        studies
            .map(|study| {
                (
                    study.grade.value().into(),
                    study.second_reader.value().into(),
                )
            })
            .collect()
    }

    #[test]
    fn two_readers_agree_as_the_papers_did() {
        let readings = readings();
        let patients: Vec<usize> = (0..readings.len()).collect();
        let agreement = |pairs: &[(usize, usize)], classes| {
            let estimate = kappa(pairs, classes, KappaWeights::Unweighted, &patients);
            estimate.expect("should have all classes").value
        };
        let four = agreement(&readings, 4);
        assert!((four - 0.69).abs() < 0.03, "four grades: {four}");
        let positive: Vec<(usize, usize)> = readings
            .iter()
            .map(|(a, b)| (usize::from(*a >= 2), usize::from(*b >= 2)))
            .collect();
        let two = agreement(&positive, 2);
        assert!((two - 0.79).abs() < 0.03, "grade 2 or 3: {two}");
    }

    #[test]
    fn readers_differ_by_one_grade_at_most_in_nearly_every_study() {
        let readings = readings();
        let far = readings.iter().filter(|(a, b)| a.abs_diff(*b) > 1).count();
        assert!(far * 1000 < readings.len(), "{far}");
    }

    #[test]
    fn the_uptake_of_neighbouring_grades_overlaps_and_that_of_others_does_not() {
        let cohort = SyntheticCohort::new(STUDIES, 12);
        let mut ratios: [Vec<f64>; 4] = Default::default();
        for number in 0..STUDIES {
            let study = cohort.study(number);
            ratios[usize::from(study.grade.value())].push(study.uptake.heart_to_rib());
        }
        for ratio in &mut ratios {
            ratio.sort_by(f64::total_cmp);
        }
        let at = |grade: usize, share: f64| {
            ratios[grade][(share * (ratios[grade].len() - 1) as f64) as usize]
        };
        for grade in 0..3 {
            assert!(at(grade, 0.5) < at(grade + 1, 0.5), "medians of {grade}");
            assert!(at(grade, 0.98) > at(grade + 1, 0.02), "overlap of {grade}");
        }
        for grade in 0..2 {
            assert!(
                at(grade, 0.99) < at(grade + 2, 0.01),
                "{grade} and {}",
                grade + 2
            );
        }
    }

    #[test]
    fn no_uptake_has_ratio_zero_and_the_ratio_grows_with_the_uptake() {
        assert_eq!(Uptake(-0.7).heart_to_rib(), 0.0);
        assert!((Uptake(2.0).heart_to_rib() - 1.125).abs() < 1e-12);
        let ratios: Vec<f64> = (0..60)
            .map(|i| Uptake(f64::from(i) / 10.0).heart_to_rib())
            .collect();
        assert!(ratios.is_sorted());
    }
}
