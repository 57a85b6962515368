//! The counts that a shorter scan would have.

use rand::Rng;

use attrium_types::random::{self, ChaCha8Rng};

/// The share of a scan's counts that is kept, in steps of 2^-16.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exposure {
    steps: u32,
}

/// The steps of a scan that is left as it is.
const ALL: u32 = 1 << 16;

impl Exposure {
    /// All counts.
    pub const FULL: Self = Self { steps: ALL };

    /// A share, drawn evenly between `lowest` (above 0) and 1.
    pub(super) fn draw(random: &mut ChaCha8Rng, lowest: f64) -> Self {
        let share = random::uniform(random, lowest, 1.0);
        let steps = (share * f64::from(ALL)).ceil() as u32;
        Self { steps }
    }

    /// The share, above 0 and at most 1.
    pub fn share(self) -> f64 {
        f64::from(self.steps) / f64::from(ALL)
    }

    /// Keeps each count with the share's probability: binomial draws, so that counts that follow a Poisson
    /// distribution still do. Fractions of counts, which resampling leaves, are rounded.
    pub(super) fn thin(self, counts: &[f32], random: &mut ChaCha8Rng) -> Vec<f32> {
        if self.steps == ALL {
            return counts.to_vec();
        }
        let kept = |&count: &f32| self.kept(count.round() as u64, random) as f32;
        counts.iter().map(kept).collect()
    }

    fn kept(self, count: u64, random: &mut ChaCha8Rng) -> u64 {
        let whole: u64 = (0..count / 64)
            .map(|_| u64::from(self.trials(random).count_ones()))
            .sum();
        let rest = count % 64;
        if rest == 0 {
            return whole;
        }
        whole + u64::from((self.trials(random) >> (64 - rest)).count_ones())
    }

    /// 64 trials at once, a bit each. A bit of the share after the other, from the lowest, halves what was
    /// there and adds a half where it is set.
    fn trials(self, random: &mut ChaCha8Rng) -> u64 {
        (self.steps.trailing_zeros()..16).fold(0, |trials, bit| {
            let coins = random.next_u64();
            if self.steps >> bit & 1 == 1 {
                trials | coins
            } else {
                trials & coins
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random() -> ChaCha8Rng {
        random::stream(1, b"test    ", 0, 0)
    }

    /// The binomial probabilities of 70 trials for the counts around the mean, by Python's fractions.
    const PMF: [(u32, u64, [f64; 3]); 2] = [
        (
            16_384,
            16,
            [0.103_470_317_607, 0.109_556_806_878, 0.107_527_977_121],
        ),
        (
            60_001,
            63,
            [0.141_563_270_769, 0.167_845_428_709, 0.167_953_196_881],
        ),
    ];

    #[test]
    fn what_is_kept_follows_the_binomial_probabilities() {
        let draws = 200_000;
        for (steps, first, expected) in PMF {
            let (exposure, mut random) = (Exposure { steps }, random());
            let kept: Vec<u64> = (0..draws).map(|_| exposure.kept(70, &mut random)).collect();
            for (offset, probability) in expected.into_iter().enumerate() {
                let count = first + offset as u64;
                let seen = kept.iter().filter(|&&kept| kept == count).count() as f64;
                let share = seen / f64::from(draws);
                let error = (probability * (1.0 - probability) / f64::from(draws)).sqrt();
                assert!(
                    (share - probability).abs() < 4.0 * error,
                    "{steps} steps, {count} counts: {share} and {probability}"
                );
            }
        }
    }

    #[test]
    fn all_counts_are_kept_as_they_are_and_a_pixel_without_counts_gets_none() {
        let counts = [0.0, 1.0, 63.5, 65_535.0];
        assert_eq!(Exposure::FULL.thin(&counts, &mut random()), counts);
        let half = Exposure { steps: ALL / 2 }.thin(&counts, &mut random());
        assert_eq!(half[0], 0.0);
        assert!(
            half.iter()
                .zip(&counts)
                .all(|(kept, count)| *kept <= count.ceil())
        );
        assert!((half[3] / 65_535.0 - 0.5).abs() < 0.01, "{}", half[3]);
    }

    #[test]
    fn shares_fill_the_range_from_the_lowest_to_all() {
        let mut random = random();
        let shares: Vec<f64> = (0..10_000)
            .map(|_| Exposure::draw(&mut random, 0.1).share())
            .collect();
        assert!(shares.iter().all(|share| (0.1..=1.0).contains(share)));
        let mean = shares.iter().sum::<f64>() / 1e4;
        assert!((mean - 0.55).abs() < 0.01, "{mean}");
        assert_eq!(Exposure::draw(&mut random, 1.0), Exposure::FULL);
    }
}
