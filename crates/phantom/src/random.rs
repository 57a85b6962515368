//! Counter-based random numbers: (seed, purpose, number) decides every draw.
//!
//! No draw depends on threads, on the order of calls between streams or on a global generator.

use rand::Rng;

use attrium_types::random::{self, ChaCha8Rng};

/// The purpose of a stream of random numbers; streams of different purposes are independent.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    /// The offset of the sequence that spreads grades over the studies.
    Grades = 1,
    /// Whether two neighbouring studies belong to one patient.
    Pairing,
    /// A patient's sex, age, indication, identifiers.
    Person,
    /// A patient's body.
    Body,
    /// A patient's lesions and degenerative joints.
    Lesions,
    /// What two readers see.
    Reading,
    /// A study's scanner and date.
    Study,
    /// Where the tracer went in a study, beyond the bones.
    Kinetics,
    /// How the patient lies in a study, and for how long.
    Position,
    /// Unique identifiers.
    Identifiers,
    /// Names of folders.
    Archive,
    /// The photons of the anterior view.
    AnteriorCounts,
    /// The photons of the posterior view.
    PosteriorCounts,
    /// A patient's cardiac uptake.
    Uptake,
    /// Where in the heart a patient's uptake is.
    Heart,
    /// How a patient holds arms, legs and head in a study.
    Posture,
    /// A study's number of counts.
    Exposure,
    /// When and with what a study's patient was injected.
    Injection,
    /// Tracer left where it was injected.
    InjectionSite,
    /// Devices and clothes that hide a part of the body.
    Devices,
    /// A patient's prostheses and operations.
    Surgery,
    /// A patient's fractures.
    Fractures,
    /// Muscles that take up more than is usual.
    SoftTissue,
    /// Kidneys that are obstructed, gone or hot.
    Kidneys,
    /// What an object that is not a late bone scan of a chest shows.
    Planted,
}

/// A stream of random numbers.
pub(super) struct Stream(ChaCha8Rng);

impl Stream {
    /// The stream of a cohort's `seed` for one purpose and one study or patient.
    pub(super) fn new(seed: u64, purpose: Purpose, number: u32) -> Self {
        let mut name = [0; 24];
        name[..4].copy_from_slice(&number.to_le_bytes());
        name[4] = purpose as u8;
        Self(random::keyed(seed, name))
    }

    /// The stream of one of several things of a purpose, from 0.
    pub(super) fn part(seed: u64, purpose: Purpose, number: u32, part: u8) -> Self {
        let mut name = [0; 24];
        name[..4].copy_from_slice(&number.to_le_bytes());
        name[4] = purpose as u8;
        name[5] = 1 + part;
        Self(random::keyed(seed, name))
    }

    /// Uniform in [0, 1).
    pub(super) fn uniform(&mut self) -> f64 {
        self.range(0.0, 1.0)
    }

    /// Uniform in [low, high).
    pub(super) fn range(&mut self, low: f64, high: f64) -> f64 {
        random::uniform(&mut self.0, low, high)
    }

    /// A whole number from `low` to `high`, both included.
    pub(super) fn whole(&mut self, low: u32, high: u32) -> u32 {
        let span = f64::from(high - low) + 1.0;
        low + (span * self.uniform()) as u32
    }

    /// True with this probability.
    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.uniform() < probability
    }

    /// -1 or 1, equally often.
    pub(super) fn side(&mut self) -> f64 {
        if self.chance(0.5) { 1.0 } else { -1.0 }
    }

    /// An index, drawn in proportion to its weight.
    pub(super) fn choose(&mut self, weights: &[f64]) -> usize {
        let total: f64 = weights.iter().sum();
        let mut rest = total * self.uniform();
        for (index, weight) in weights.iter().enumerate() {
            if rest < *weight {
                return index;
            }
            rest -= weight;
        }
        weights.len().saturating_sub(1)
    }

    /// Normal with this mean and standard deviation (Box-Muller).
    pub(super) fn normal(&mut self, mean: f64, deviation: f64) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        mean + deviation * radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// Normal, drawn again until it is within `spread` standard deviations of the mean.
    pub(super) fn bounded_normal(&mut self, mean: f64, deviation: f64, spread: f64) -> f64 {
        loop {
            let value = self.normal(0.0, 1.0);
            if value.abs() <= spread {
                return mean + deviation * value;
            }
        }
    }

    /// Log-normal with median 1 and this standard deviation of its logarithm, within 2.5 of them.
    pub(super) fn factor(&mut self, deviation: f64) -> f64 {
        self.bounded_normal(0.0, deviation, 2.5).exp()
    }

    /// Exponential with this mean.
    pub(super) fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.uniform()).ln()
    }

    /// Random bytes.
    pub(super) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    /// A count from the Poisson distribution of mean `expected` (0 or more).
    ///
    /// Inversion for small means, Hoermann's transformed rejection (1993, algorithm PTRS) above.
    pub(super) fn poisson(&mut self, expected: f64) -> u32 {
        if expected < 12.0 {
            self.poisson_by_inversion(expected)
        } else {
            self.poisson_by_rejection(expected)
        }
    }

    fn poisson_by_inversion(&mut self, expected: f64) -> u32 {
        let uniform = self.uniform();
        let mut probability = (-expected).exp();
        let mut cumulated = probability;
        let mut count = 0;
        // Past 100 the tail is below what 53 bits of `uniform` can tell from 1.
        while uniform > cumulated && count < 100 {
            count += 1;
            probability *= expected / f64::from(count);
            cumulated += probability;
        }
        count
    }

    fn poisson_by_rejection(&mut self, expected: f64) -> u32 {
        let log_expected = expected.ln();
        let b = 0.931 + 2.53 * expected.sqrt();
        let a = -0.059 + 0.02483 * b;
        let inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
        let squeeze = 0.9277 - 3.6224 / (b - 2.0);
        loop {
            let u = self.uniform() - 0.5;
            let v = self.uniform();
            let us = 0.5 - u.abs();
            let count = ((2.0 * a / us + b) * u + expected + 0.43).floor();
            if us >= 0.07 && v <= squeeze {
                return count as u32;
            }
            if count < 0.0 || (us < 0.013 && v > us) {
                continue;
            }
            let accepted = v.ln() + inverse_alpha.ln() - (a / (us * us) + b).ln();
            if accepted <= count * log_expected - expected - log_factorial(count) {
                return count as u32;
            }
        }
    }
}

/// ln(n!) by Stirling's series; exact to 1e-9 for every whole `n` of 0 or more.
fn log_factorial(n: f64) -> f64 {
    // The series is for large arguments: shift small ones up by n! = (n + 8)! / ((n + 1) ... (n + 8)).
    if n < 8.0 {
        let product: f64 = (1..=8).map(|step| n + f64::from(step)).product();
        return log_factorial(n + 8.0) - product.ln();
    }
    let inverse = 1.0 / n;
    let inverse_squared = inverse * inverse;
    n * n.ln() - n
        + 0.5 * (std::f64::consts::TAU * n).ln()
        + inverse
            * (1.0 / 12.0 - inverse_squared * (1.0 / 360.0 - inverse_squared * (1.0 / 1260.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scipy 1.17.1: `stats.poisson.pmf(k, mean)` for the counts around the mean.
    const PMF: [(f64, u32, [f64; 5]); 3] = [
        (
            0.22,
            0,
            [
                0.802_518_797_962,
                0.176_554_135_552,
                0.019_420_954_911,
                0.001_424_203_360,
                0.000_078_331_185,
            ],
        ),
        (
            11.5,
            9,
            [
                0.098_204_409_462,
                0.112_935_070_881,
                0.118_068_483_194,
                0.113_148_963_061,
                0.100_093_313_477,
            ],
        ),
        (
            46.0,
            44,
            [
                0.057_437_969_555,
                0.058_714_368_879,
                0.058_714_368_879,
                0.057_465_126_988,
                0.055_070_746_696,
            ],
        ),
    ];

    #[test]
    fn poisson_counts_follow_the_probabilities_of_scipy() {
        let draws = 200_000;
        for (mean, first, expected) in PMF {
            let mut stream = Stream::new(7, Purpose::AnteriorCounts, 3);
            let counts: Vec<u32> = (0..draws).map(|_| stream.poisson(mean)).collect();
            for (offset, probability) in expected.into_iter().enumerate() {
                let count = first + offset as u32;
                let seen = counts.iter().filter(|c| **c == count).count() as f64;
                let share = seen / f64::from(draws);
                let error = (probability * (1.0 - probability) / f64::from(draws)).sqrt();
                assert!(
                    (share - probability).abs() < 4.0 * error,
                    "mean {mean}, count {count}: {share} and {probability}"
                );
            }
        }
    }

    #[test]
    fn the_logarithm_of_a_factorial_is_that_of_scipy() {
        // scipy 1.17.1: special.gammaln(n + 1)
        for (n, expected) in [
            (0.0, 0.0),
            (1.0, 0.0),
            (5.0, 4.787_491_742_782_046),
            (12.0, 19.987_214_495_661_885),
            (300.0, 1_414.905_849_945_067_8),
        ] {
            assert!((log_factorial(n) - expected).abs() < 1e-9, "{n}");
        }
    }

    #[test]
    fn normal_numbers_have_their_mean_and_deviation() {
        let mut stream = Stream::new(1, Purpose::Body, 0);
        let numbers: Vec<f64> = (0..100_000).map(|_| stream.normal(3.0, 2.0)).collect();
        let mean = numbers.iter().sum::<f64>() / 1e5;
        let variance = numbers.iter().map(|n| (n - mean).powi(2)).sum::<f64>() / 1e5;
        assert!((mean - 3.0).abs() < 0.03, "{mean}");
        assert!((variance.sqrt() - 2.0).abs() < 0.02, "{variance}");
    }

    #[test]
    fn streams_differ_by_seed_purpose_and_number() {
        let first = |seed, purpose, number| Stream::new(seed, purpose, number).uniform();
        let base = first(1, Purpose::Body, 5);
        assert_eq!(base, first(1, Purpose::Body, 5));
        assert_ne!(base, first(2, Purpose::Body, 5));
        assert_ne!(base, first(1, Purpose::Study, 5));
        assert_ne!(base, first(1, Purpose::Body, 6));
        let part = |part| Stream::part(1, Purpose::Body, 5, part).uniform();
        assert!(base != part(0) && part(0) != part(1));
    }
}
