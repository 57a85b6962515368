//! Cardiac uptake and the two readers who grade it.
//!
//! Uptake lies on an axis where grade g is centred near g and neighbouring grades meet at 0.5, 1.5
//! and 2.5. Patients are of four classes of uptake, which overlap. What a reader perceives is the uptake
//! plus the reader's own error, so that readers are exchangeable: each has the same chance of each grade.
//! Spreads and the error are set so that two readers agree as the paper's did: Cohen's kappa 0.79 for
//! grade >= 2 and 0.69 for four grades (paper, "Data").

use attrium_types::Grade;

use super::random::Stream;

/// Standard deviation of a reader's error, on the axis of grades.
const READER_ERROR: f64 = 0.255;
/// Where neighbouring grades meet.
const BOUNDS: [f64; 3] = [0.5, 1.5, 2.5];
/// Uptake of each class of patients: its mode, and its standard deviation below and above the mode.
const CLASSES: [(f64, f64, f64); 4] = [
    (0.0, 0.33, 0.24),
    (0.97, 0.26, 0.185),
    (2.0, 0.23, 0.25),
    (3.1, 0.28, 0.5),
];

/// How many patients of each class there are for the readers' grades to have the wanted shares.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Population {
    classes: [f64; 4],
    /// The chance that a patient of a class (row) is given a grade (column).
    chances: [[f64; 4]; 4],
}

impl Population {
    /// The classes' shares by expectation maximisation, from those of the grades.
    ///
    /// Where no population has such grades (a grade without a share between two that have one), it is the
    /// one that comes nearest.
    pub(super) fn of_grades(grades: [f64; 4]) -> Self {
        let chances = CLASSES.map(chances_of);
        let mut classes = grades;
        for _ in 0..400 {
            let expected: [f64; 4] =
                std::array::from_fn(|grade| (0..4).map(|k| classes[k] * chances[k][grade]).sum());
            let gain = |class: usize| -> f64 {
                let wanted = (0..4).filter(|grade| grades[*grade] > 0.0);
                wanted
                    .map(|grade| chances[class][grade] * grades[grade] / expected[grade])
                    .sum()
            };
            classes = std::array::from_fn(|class| classes[class] * gain(class));
        }
        Self { classes, chances }
    }

    /// Draws the uptake of a patient whom the first reader gave this grade.
    pub(super) fn draw(&self, grade: Grade, stream: &mut Stream) -> Uptake {
        let column = usize::from(grade.value());
        let weights: [f64; 4] =
            std::array::from_fn(|class| self.classes[class] * self.chances[class][column]);
        let class = CLASSES[stream.choose(&weights)];
        loop {
            let uptake = Uptake(two_sided(class, stream));
            if uptake.read(stream) == grade {
                return uptake;
            }
        }
    }
}

/// A normal distribution of two halves, of different spread, around a mode.
fn two_sided((mode, below, above): (f64, f64, f64), stream: &mut Stream) -> f64 {
    let deviation = if stream.chance(below / (below + above)) {
        -below
    } else {
        above
    };
    mode + deviation * stream.normal(0.0, 1.0).abs()
}

/// The chance of each grade for a patient of a class, integrated over the class's uptake.
fn chances_of((mode, below, above): (f64, f64, f64)) -> [f64; 4] {
    const STEPS: u32 = 400;
    let (first, last) = (mode - 6.0 * below, mode + 6.0 * above);
    let step = (last - first) / f64::from(STEPS);
    let mut chances = [0.0; 4];
    for index in 0..STEPS {
        let uptake = first + step * (f64::from(index) + 0.5);
        let spread = if uptake < mode { below } else { above };
        let density = (-0.5 * ((uptake - mode) / spread).powi(2)).exp();
        for (chance, of_uptake) in chances.iter_mut().zip(Uptake(uptake).readings()) {
            *chance += density * of_uptake;
        }
    }
    let total: f64 = chances.iter().sum();
    chances.map(|chance| chance / total)
}

/// The share of a standard normal distribution below `x` (Abramowitz and Stegun, 7.1.26; within 2e-7).
fn normal_below(x: f64) -> f64 {
    let z = x.abs() / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * z);
    let series = [
        1.061_405_429,
        -1.453_152_027,
        1.421_413_741,
        -0.284_496_736,
        0.254_829_592,
    ];
    let polynomial = series.into_iter().fold(0.0, |sum, term| (sum + term) * t);
    let tail = 0.5 * polynomial * (-z * z).exp();
    if x < 0.0 { tail } else { 1.0 - tail }
}

/// Cardiac uptake relative to the ribs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Uptake(f64);

impl Uptake {
    /// What a reader calls this uptake.
    pub(super) fn read(self, stream: &mut Stream) -> Grade {
        let perceived = self.0 + stream.normal(0.0, READER_ERROR);
        let passed = BOUNDS.iter().filter(|bound| perceived >= **bound).count();
        Grade::ALL[passed]
    }

    /// The chance of each grade that a reader may give it: what nobody who knows the uptake alone can better,
    /// since the label is a reader's.
    pub fn readings(self) -> [f64; 4] {
        let under = BOUNDS.map(|bound| normal_below((bound - self.0) / READER_ERROR));
        std::array::from_fn(|grade| {
            let upper = under.get(grade).copied().unwrap_or(1.0);
            let lower = if grade == 0 { 0.0 } else { under[grade - 1] };
            upper - lower
        })
    }

    /// The heart's projected uptake over that of a rib which has lost none of the tracer to the heart: 0
    /// without cardiac uptake, about 1 at grade 2.
    ///
    /// Piecewise linear in the grades' axis, so that the counts over the heart are 2.05 +- 0.64 times those
    /// over the other side of the chest in grades 2 and 3 (PMC6928186).
    pub fn heart_to_rib(self) -> f64 {
        interpolate(
            &[
                (-0.2, 0.0),
                (0.5, 0.2),
                (1.0, 0.38),
                (1.5, 0.66),
                (2.0, 1.1),
                (2.5, 1.7),
                (3.2, 2.75),
                (4.5, 4.4),
            ],
            self.0,
        )
    }

    /// The share of its usual uptake that is left for bone: 1 without cardiac uptake, half at grade 3.
    ///
    /// At grade 3 "bone uptake is mild or absent" (the scale as PMC6928186 has it).
    pub fn left_for_bone(self) -> f64 {
        interpolate(
            &[
                (0.5, 1.0),
                (1.5, 0.93),
                (2.5, 0.68),
                (3.2, 0.45),
                (4.5, 0.25),
            ],
            self.0,
        )
    }

    /// The share of patients of this uptake in whom blood shows, and not the heart's wall: nearly all at
    /// grade 1, none from 2 on.
    pub(super) fn often_blood(self) -> f64 {
        interpolate(&[(0.9, 0.85), (1.7, 0.0)], self.0)
    }

    /// How thick the wall of the left ventricle is relative to its radius: it grows with the amyloid.
    pub(super) fn wall(self) -> f64 {
        interpolate(&[(0.5, 0.34), (3.0, 0.46)], self.0)
    }
}

/// A value between knots (place, value), and that of the nearest knot beyond them.
fn interpolate(knots: &[(f64, f64)], x: f64) -> f64 {
    let after = knots.iter().position(|knot| x < knot.0);
    match after {
        Some(0) => knots[0].1,
        Some(after) => {
            let ((x0, y0), (x1, y1)) = (knots[after - 1], knots[after]);
            y0 + (y1 - y0) * (x - x0) / (x1 - x0)
        }
        None => knots.last().map_or(0.0, |knot| knot.1),
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
    fn readers_are_exchangeable_whatever_the_shares_of_the_grades() {
        let paper = SyntheticCohort::new(STUDIES, 11);
        let many = paper.clone().with_prevalence(0.4).expect("a share");
        let even = paper.clone().with_grades([1.0; 4]).expect("shares");
        for cohort in [paper, many, even] {
            let mut confusion = [[0.0f64; 4]; 4];
            for study in (0..STUDIES).map(|number| cohort.study(number)) {
                let (first, second) = (study.grade.value(), study.second_reader.value());
                confusion[usize::from(first)][usize::from(second)] += 1.0;
            }
            for first in 0..4 {
                for second in 0..first {
                    let (a, b) = (confusion[first][second], confusion[second][first]);
                    // Each pair of readings is in either place by even chance.
                    let error = (a + b).sqrt().max(1.0);
                    assert!(
                        (a - b).abs() < 4.0 * error,
                        "{first} {second}: {confusion:?}"
                    );
                }
            }
            let positives = |of: fn(usize, usize) -> usize| -> f64 {
                let cells = (0..16).filter(|cell| of(cell / 4, cell % 4) >= 2);
                cells.map(|cell| confusion[cell / 4][cell % 4]).sum()
            };
            let ratio = positives(|_, second| second) / positives(|first, _| first);
            assert!((ratio - 1.0).abs() < 0.05, "{ratio}");
        }
    }

    #[test]
    fn the_uptake_itself_would_tell_grade_2_or_3_nearly_always() {
        let cohort = SyntheticCohort::new(8_000, 13);
        let (scores, truth): (Vec<f64>, Vec<bool>) = (0..cohort.len())
            .map(|number| cohort.study(number))
            .map(|study| (study.uptake.0, study.grade.value() >= 2))
            .unzip();
        let patients: Vec<usize> = (0..scores.len()).collect();
        let area = attrium_evaluation::auc(&scores, &truth, &patients).expect("both classes");
        assert!((0.985..0.999).contains(&area.value), "{}", area.value);
    }

    #[test]
    fn more_uptake_leaves_less_for_bone() {
        assert_eq!(Uptake(0.3).left_for_bone(), 1.0);
        let left: Vec<f64> = (0..50)
            .map(|i| -Uptake(f64::from(i) / 10.0).left_for_bone())
            .collect();
        assert!(left.is_sorted());
        assert!((0.4..0.6).contains(&Uptake(3.0).left_for_bone()));
    }

    #[test]
    fn the_normal_distribution_is_that_of_scipy() {
        // scipy 1.17.1: stats.norm.cdf
        for (x, expected) in [
            (0.0, 0.5),
            (-1.0, 0.158_655_253_931),
            (1.0, 0.841_344_746_069),
            (2.5, 0.993_790_334_674),
        ] {
            assert!((normal_below(x) - expected).abs() < 2e-7, "{x}");
        }
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
        assert!((Uptake(2.0).heart_to_rib() - 1.1).abs() < 1e-12);
        assert!((Uptake(2.25).heart_to_rib() - 1.4).abs() < 1e-12);
        let ratios: Vec<f64> = (0..60)
            .map(|i| Uptake(f64::from(i) / 10.0).heart_to_rib())
            .collect();
        assert!(ratios.is_sorted());
    }
}
