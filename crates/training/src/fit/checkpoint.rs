//! Checkpoints as bytes.
//!
//! `attrium checkpoint 1\n`, the SHA-256 of all that follows, then three parts, each after its
//! length (64 bits, little endian): the position as JSON, the weights as safetensors, the state of
//! the optimiser as a burnpack. The position holds a fingerprint of configuration and data, so that
//! a fit never goes on from the checkpoint of another.

use burn::optim::ModuleOptimizer;
use burn::tensor::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::epoch_sums::{EpochSums, bits};
use super::{Error, FitConfig, FitData};

const MAGIC: &[u8] = b"attrium checkpoint 1\n";
const DIGEST: usize = 32;
const LENGTH: usize = 8;

/// The position of a fit, without its tensors.
#[derive(Serialize, Deserialize)]
pub(super) struct FitProgress {
    pub(super) fingerprint: String,
    pub(super) taken: u64,
    pub(super) sums: EpochSums,
    #[serde(with = "bits")]
    pub(super) learning_rate: f64,
    #[serde(with = "bits")]
    pub(super) best: f64,
    pub(super) waited: u32,
    /// As CSV, which keeps every digit of a 64-bit number.
    pub(super) history: String,
}

/// A checkpoint whose digest and fingerprint have been checked.
pub(super) struct Snapshot {
    pub(super) progress: FitProgress,
    pub(super) weights: Vec<u8>,
    pub(super) optimizer: Vec<u8>,
}

/// A digest of everything that decides a fit.
pub(super) fn fingerprint(config: &FitConfig, data: &FitData, origin: &str) -> String {
    let digest = Sha256::new()
        .chain_update(format!("{config:?}"))
        .chain_update(data.digest())
        .chain_update(origin)
        .finalize();
    hex::encode(digest)
}

pub(super) fn write(
    progress: &FitProgress,
    weights: &[u8],
    optimizer: &ModuleOptimizer,
) -> Result<Vec<u8>, Error> {
    let progress = serde_json::to_vec(progress).map_err(|error| fault(&error))?;
    let optimizer = optimizer.into_bytes().map_err(|error| fault(&error))?;
    let mut payload = Vec::with_capacity(weights.len() + optimizer.len() + progress.len() + 24);
    for part in [&progress, weights, &optimizer] {
        payload.extend((part.len() as u64).to_le_bytes());
        payload.extend_from_slice(part);
    }
    Ok([MAGIC, Sha256::digest(&payload).as_slice(), &payload].concat())
}

pub(super) fn read(bytes: &[u8], fingerprint: &str) -> Result<Snapshot, Error> {
    let Some(bytes) = bytes.strip_prefix(MAGIC) else {
        return Err(fault(&"no checkpoint of this version"));
    };
    let torn = || fault(&"torn or changed");
    let (digest, mut payload) = bytes.split_at_checked(DIGEST).ok_or_else(torn)?;
    if Sha256::digest(payload).as_slice() != digest {
        return Err(torn());
    }
    let mut part = || take_part(&mut payload).ok_or_else(torn);
    let (progress, weights, optimizer) = (part()?, part()?, part()?);
    let progress: FitProgress = serde_json::from_slice(progress).map_err(|error| fault(&error))?;
    if progress.fingerprint != fingerprint {
        return Err(fault(
            &"of a training with another configuration or other data",
        ));
    }
    Ok(Snapshot {
        progress,
        weights: weights.to_vec(),
        optimizer: optimizer.to_vec(),
    })
}

/// The optimiser with the state of a checkpoint.
pub(super) fn read_optimizer(
    optimizer: ModuleOptimizer,
    state: Vec<u8>,
) -> Result<ModuleOptimizer, Error> {
    optimizer
        .from_bytes(Bytes::from_bytes_vec(state))
        .map_err(|error| fault(&error))
}

fn take_part<'a>(payload: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = payload.split_at_checked(LENGTH)?;
    let length = u64::from_le_bytes(length.try_into().ok()?);
    let (part, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    *payload = rest;
    Some(part)
}

fn fault(fault: &dyn std::fmt::Display) -> Error {
    Error::Checkpoint {
        fault: fault.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use burn::optim::AdamConfig;

    use super::*;

    fn checkpoint() -> Vec<u8> {
        let progress = FitProgress {
            fingerprint: "f".to_owned(),
            taken: 7,
            sums: EpochSums {
                loss: 0.1 + 0.2,
                right: 3,
                images: 5,
            },
            learning_rate: 1e-4 * 0.1,
            best: f64::INFINITY,
            waited: 1,
            history: "a,b".to_owned(),
        };
        write(&progress, b"weights", &AdamConfig::new().init()).unwrap()
    }

    #[test]
    fn every_digit_comes_back() {
        let Snapshot {
            progress, weights, ..
        } = read(&checkpoint(), "f").unwrap();
        assert_eq!((progress.taken, progress.waited), (7, 1));
        assert_eq!(
            progress.sums,
            EpochSums {
                loss: 0.1 + 0.2,
                right: 3,
                images: 5
            }
        );
        assert_eq!(
            (progress.learning_rate, progress.best),
            (1e-4 * 0.1, f64::INFINITY)
        );
        assert_eq!(weights, b"weights");
    }

    #[test]
    fn a_checkpoint_cut_short_or_changed_anywhere_is_refused() {
        let whole = checkpoint();
        for length in 0..whole.len() {
            assert!(
                read(&whole[..length], "f").is_err(),
                "{length} bytes were accepted"
            );
        }
        for place in 0..whole.len() {
            let mut changed = whole.clone();
            changed[place] ^= 1;
            assert!(
                read(&changed, "f").is_err(),
                "a changed byte {place} was accepted"
            );
        }
    }

    #[test]
    fn a_checkpoint_of_another_training_is_refused_with_the_reason() {
        let message = read(&checkpoint(), "g").err().unwrap().to_string();
        assert!(
            message.contains("another configuration or other data"),
            "{message}"
        );
    }
}
