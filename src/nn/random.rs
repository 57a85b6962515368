use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};

/// Where a training is: decides its random numbers and the weight of a batch's statistics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The seed of the training.
    pub seed: u64,
    /// The number of steps taken before this one, over all epochs.
    pub number: u64,
}

/// A stream of random numbers that belongs to `seed` and `name` alone.
///
/// The generator's 256-bit key is the SHA-256 digest of both, so that streams of different names
/// or seeds are unrelated, and no stream depends on another having been drawn.
pub fn stream(seed: u64, name: &str) -> ChaCha8Rng {
    let key = Sha256::new()
        .chain_update(seed.to_le_bytes())
        .chain_update(name.as_bytes())
        .finalize();
    ChaCha8Rng::from_seed(key.into())
}

/// A uniform number in `[0, 1)`: the upper 24 bits of one draw, which a float holds exactly.
pub(super) fn unit(stream: &mut ChaCha8Rng) -> f32 {
    (stream.next_u32() >> 8) as f32 / (1 << 24) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_depends_on_its_seed_and_name_and_on_nothing_else() {
        let draw = |seed, name| stream(seed, name).next_u64();
        assert_eq!(draw(1, "a"), draw(1, "a"));
        assert_ne!(draw(1, "a"), draw(2, "a"));
        assert_ne!(draw(1, "a"), draw(1, "b"));
    }

    #[test]
    fn unit_numbers_fill_the_interval_evenly() {
        let mut stream = stream(7, "unit");
        let numbers: Vec<f32> = (0..10_000).map(|_| unit(&mut stream)).collect();
        let mean = numbers.iter().sum::<f32>() / 10_000.0;
        assert!(numbers.iter().all(|number| (0.0..1.0).contains(number)));
        assert!((mean - 0.5).abs() < 0.01, "{mean}");
    }
}
