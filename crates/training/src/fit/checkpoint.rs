//! Checkpoints as bytes.
//!
//! `attrium checkpoint 1\n`, the SHA-256 of all that follows, then three parts, each after its
//! length (64 bits, little endian): the position as JSON, the weights as safetensors, the state of
//! the optimiser as a burnpack; and where the recipe has one, the average of the weights as a fourth. The position holds a fingerprint of configuration and data, so that
//! a fit never goes on from the checkpoint of another.

use std::cmp::Ordering;

use burn::optim::ModuleOptimizer;
use burn::tensor::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::epoch_sums::{EpochSums, bits};
use super::{Error, FitConfig, FitData, History, Recipe};

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

impl FitProgress {
    /// The history so far of a fit of this configuration to so many images.
    ///
    /// # Errors
    /// When such a fit is never where this is: its next step would be none.
    pub(super) fn history(&self, config: &FitConfig, images: usize) -> Result<History, Error> {
        let history = History::from_csv(self.history.as_bytes())?;
        let mut numbers = (1..).zip(&history.epochs);
        let is_numbered = numbers.all(|(number, epoch)| epoch.epoch == number);
        let epochs = history.epochs.len() as u64;
        let lowest = match config.recipe {
            Recipe::Paper {
                min_learning_rate, ..
            } => min_learning_rate,
            Recipe::OneCycle { .. } => 0.0,
        };
        let rates = lowest..=config.learning_rate;
        let is_sound = is_numbered
            && self.is_between_steps(config, epochs, images as u64)
            && rates.contains(&self.learning_rate)
            && u64::from(self.waited) <= epochs
            && !self.best.is_nan()
            && self.sums.loss.is_finite();
        if is_sound {
            return Ok(history);
        }
        Err(fault(&"of a place where no training is"))
    }

    /// Whether so many steps were taken within an epoch, on as many images as were summed up.
    fn is_between_steps(&self, config: &FitConfig, epochs: u64, images: u64) -> bool {
        let batch = config.batch_size as u64;
        let steps = images.div_ceil(batch);
        let before = epochs.checked_mul(steps);
        let step = before.and_then(|before| self.taken.checked_sub(before));
        step.is_some_and(|step| {
            let is_within = match epochs.cmp(&config.epochs.into()) {
                Ordering::Less => step < steps,
                Ordering::Equal => step == 0,
                Ordering::Greater => false,
            };
            is_within && self.sums.images == step * batch && self.sums.right <= self.sums.images
        })
    }
}

/// A checkpoint whose digest and fingerprint have been checked.
pub(super) struct Snapshot {
    pub(super) progress: FitProgress,
    pub(super) weights: Vec<u8>,
    pub(super) optimizer: Vec<u8>,
    pub(super) average: Option<Vec<u8>>,
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
    average: Option<&[u8]>,
) -> Result<Vec<u8>, Error> {
    let progress = serde_json::to_vec(progress).map_err(|error| fault(&error))?;
    let optimizer = optimizer.into_bytes().map_err(|error| fault(&error))?;
    let mut parts = vec![progress.as_slice(), weights, &optimizer];
    parts.extend(average);
    Ok(seal(&parts))
}

/// A checkpoint of these parts: position, weights, optimiser, and an average if there is one.
pub(super) fn seal(parts: &[&[u8]]) -> Vec<u8> {
    let length = parts.iter().map(|part| LENGTH + part.len()).sum();
    let mut payload = Vec::with_capacity(length);
    for part in parts {
        payload.extend((part.len() as u64).to_le_bytes());
        payload.extend_from_slice(part);
    }
    [MAGIC, Sha256::digest(&payload).as_slice(), &payload].concat()
}

pub(super) fn read(bytes: &[u8], fingerprint: &str, averages: bool) -> Result<Snapshot, Error> {
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
    let average = averages.then(part).transpose()?;
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
        average: average.map(<[u8]>::to_vec),
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
    use super::*;

    const PAPER: Recipe = Recipe::Paper {
        min_learning_rate: 1e-7,
        patience: 2,
    };

    fn progress() -> FitProgress {
        FitProgress {
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
        }
    }

    fn checkpoint() -> Vec<u8> {
        write(&progress(), b"weights", &PAPER.optimizer(), None).unwrap()
    }

    /// After the second of three steps of the second epoch of four: of five images, two a step.
    fn within() -> FitProgress {
        FitProgress {
            taken: 5,
            sums: EpochSums {
                loss: 2.5,
                right: 3,
                images: 4,
            },
            history: "epoch,loss,accuracy,validation_loss,validation_accuracy,learning_rate\n\
                      1,0.7,0.5,,,0.0001\n"
                .to_owned(),
            ..progress()
        }
    }

    fn is_possible(progress: &FitProgress) -> bool {
        let config = FitConfig {
            architecture: attrium_types::Architecture::Linear,
            classes: 2,
            epochs: 4,
            batch_size: 2,
            learning_rate: 1e-4,
            recipe: PAPER,
            seed: 1,
        };
        progress.history(&config, 5).is_ok()
    }

    #[test]
    fn every_digit_comes_back() {
        let Snapshot {
            progress, weights, ..
        } = read(&checkpoint(), "f", false).unwrap();
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
                read(&whole[..length], "f", false).is_err(),
                "{length} bytes were accepted"
            );
        }
        for place in 0..whole.len() {
            let mut changed = whole.clone();
            changed[place] ^= 1;
            assert!(
                read(&changed, "f", false).is_err(),
                "a changed byte {place} was accepted"
            );
        }
    }

    #[test]
    fn a_place_where_no_training_is_is_refused() {
        assert!(is_possible(&within()));
        let changes: [fn(&mut FitProgress); 11] = [
            |it| it.taken = 2,
            |it| it.taken = 6,
            |it| it.taken = u64::MAX,
            |it| it.sums.images = 3,
            |it| it.sums.right = 5,
            |it| it.sums.loss = f64::NAN,
            |it| it.learning_rate = 2e-4,
            |it| it.learning_rate = f64::NAN,
            |it| it.best = f64::NAN,
            |it| it.waited = 2,
            |it| it.history = it.history.replace("\n1,", "\n2,"),
        ];
        for (number, change) in changes.iter().enumerate() {
            let mut progress = within();
            change(&mut progress);
            assert!(!is_possible(&progress), "{number}");
        }
    }

    #[test]
    fn a_checkpoint_of_another_training_is_refused_with_the_reason() {
        let message = read(&checkpoint(), "g", false).err().unwrap().to_string();
        assert!(
            message.contains("another configuration or other data"),
            "{message}"
        );
    }
}
