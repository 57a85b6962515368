//! Random numbers that depend on their purpose, never on threads or on the order of work.
//!
//! A stream is named by a seed and its purpose, which make up the key of a ChaCha8 generator: equal
//! names give equal numbers, and different names unrelated ones.
//! The draws are defined here, so that a new version of a library cannot change a run's results.

use rand::Rng;
use rand_chacha::rand_core::SeedableRng;
use sha2::{Digest, Sha256};

pub use rand_chacha::ChaCha8Rng;

/// The generator whose key is a seed and 24 bytes more.
pub fn keyed(seed: u64, name: [u8; 24]) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..].copy_from_slice(&name);
    ChaCha8Rng::from_seed(key)
}

/// The generator of a purpose and two counters.
pub fn stream(seed: u64, purpose: &[u8; 8], first: u64, second: u64) -> ChaCha8Rng {
    let mut name = [0; 24];
    name[..8].copy_from_slice(purpose);
    name[8..16].copy_from_slice(&first.to_le_bytes());
    name[16..].copy_from_slice(&second.to_le_bytes());
    keyed(seed, name)
}

/// The generator of a name of any length: its key is the SHA-256 of seed and name.
pub fn named(seed: u64, name: &str) -> ChaCha8Rng {
    let key = Sha256::new()
        .chain_update(seed.to_le_bytes())
        .chain_update(name.as_bytes())
        .finalize();
    ChaCha8Rng::from_seed(key.into())
}

/// A number from 0 to 1 (excluded) in steps of 2^-24, which 32 bits of float hold exactly.
pub fn unit_f32(random: &mut ChaCha8Rng) -> f32 {
    (random.next_u32() >> 8) as f32 / (1 << 24) as f32
}

/// A number from `low` to `high` (`high` excluded), uniform in steps of 2^-53 of the range.
pub fn uniform(random: &mut ChaCha8Rng, low: f64, high: f64) -> f64 {
    let unit = (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
    low + (high - low) * unit
}

/// A standard normal number, by Box and Muller's transform.
pub fn normal(random: &mut ChaCha8Rng) -> f64 {
    let radius = (-2.0 * (1.0 - uniform(random, 0.0, 1.0)).ln()).sqrt();
    radius * uniform(random, 0.0, std::f64::consts::TAU).cos()
}

/// A whole number below `bound`, without bias: draws beyond the last full multiple are repeated.
pub fn below(random: &mut ChaCha8Rng, bound: usize) -> usize {
    let bound = bound.max(1) as u64;
    let accepted = u64::MAX - u64::MAX % bound;
    loop {
        let drawn = random.next_u64();
        if drawn < accepted {
            return (drawn % bound) as usize;
        }
    }
}

/// Fisher and Yates' shuffle, from the last place to the second.
pub fn shuffle<T>(random: &mut ChaCha8Rng, items: &mut [T]) {
    for last in (1..items.len()).rev() {
        items.swap(last, below(random, last + 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_numbers_have_the_mean_and_the_spread_of_such() {
        let mut random = named(1, "normal");
        let drawn: Vec<f64> = (0..100_000).map(|_| normal(&mut random)).collect();
        let mean = |values: &dyn Fn(&f64) -> f64| drawn.iter().map(values).sum::<f64>() / 1e5;
        assert!(mean(&|value| *value).abs() < 0.015);
        assert!((mean(&|value| value * value) - 1.0).abs() < 0.02);
        let beyond = mean(&|value| f64::from(u8::from(*value > 1.96)));
        assert!((beyond - 0.025).abs() < 0.003, "{beyond}");
    }

    #[test]
    fn a_stream_is_named_by_all_four_of_its_parts() {
        let first = |seed, purpose, a, b| stream(seed, purpose, a, b).next_u64();
        let reference = first(1, b"fold    ", 2, 3);
        assert_eq!(reference, first(1, b"fold    ", 2, 3));
        for other in [
            first(2, b"fold    ", 2, 3),
            first(1, b"augment ", 2, 3),
            first(1, b"fold    ", 3, 3),
            first(1, b"fold    ", 2, 4),
        ] {
            assert_ne!(reference, other);
        }
    }

    #[test]
    fn a_named_stream_depends_on_its_seed_and_name_and_on_nothing_else() {
        let draw = |seed, name| named(seed, name).next_u64();
        assert_eq!(draw(1, "a"), draw(1, "a"));
        assert_ne!(draw(1, "a"), draw(2, "a"));
        assert_ne!(draw(1, "a"), draw(1, "b"));
    }

    #[test]
    fn unit_numbers_fill_the_interval_evenly() {
        let mut random = named(7, "unit");
        let numbers: Vec<f32> = (0..10_000).map(|_| unit_f32(&mut random)).collect();
        let mean = numbers.iter().sum::<f32>() / 10_000.0;
        assert!(numbers.iter().all(|number| (0.0..1.0).contains(number)));
        assert!((mean - 0.5).abs() < 0.01, "{mean}");
    }

    #[test]
    fn a_shuffle_reaches_every_order_about_equally_often() {
        let mut counts = std::collections::HashMap::new();
        for run in 0..6000 {
            let mut items = [0, 1, 2];
            shuffle(&mut stream(1, b"test    ", run, 0), &mut items);
            *counts.entry(items).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 6);
        assert!(
            counts.values().all(|n| (850..1150).contains(n)),
            "{counts:?}"
        );
    }

    #[test]
    fn uniform_numbers_stay_in_their_range_and_fill_it() {
        let mut random = stream(1, b"test    ", 0, 0);
        let drawn: Vec<f64> = (0..10_000)
            .map(|_| uniform(&mut random, -2.0, 2.0))
            .collect();
        assert!(drawn.iter().all(|x| (-2.0..2.0).contains(x)));
        let mean = drawn.iter().sum::<f64>() / drawn.len() as f64;
        assert!(mean.abs() < 0.05, "{mean}");
        assert!(drawn.iter().any(|x| *x < -1.99) && drawn.iter().any(|x| *x > 1.99));
    }
}
