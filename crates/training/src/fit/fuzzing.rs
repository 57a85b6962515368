//! A door for the fuzzer: checkpoints without the weights of a network, which are megabytes.

use attrium_types::Architecture;

use super::checkpoint::{read, read_optimizer, seal};
use super::{Error, FitConfig, Recipe};

/// The fingerprint that a position has to have.
const FINGERPRINT: &str = "fuzzing";

/// The images of the fit that a checkpoint is of: three steps an epoch, the last of one image.
const IMAGES: usize = 5;

fn config() -> FitConfig {
    FitConfig {
        architecture: Architecture::Linear,
        classes: 2,
        epochs: 4,
        batch_size: 2,
        learning_rate: 1e-4,
        recipe: Recipe::Paper {
            min_learning_rate: 1e-7,
            patience: 2,
        },
        seed: 1,
    }
}

/// Whether a fit would go on from a checkpoint, but for the weights.
pub fn checkpoint(bytes: &[u8]) -> bool {
    resume(bytes).is_ok()
}

fn resume(bytes: &[u8]) -> Result<(), Error> {
    let config = config();
    let snapshot = read(bytes, FINGERPRINT, config.recipe.averages())?;
    snapshot.progress.history(&config, IMAGES)?;
    read_optimizer(config.recipe.optimizer(), snapshot.optimizer)?;
    Ok(())
}

/// A checkpoint of a position as JSON and the state of an optimiser, of a new one where there is none.
pub fn checkpoint_of(position: &[u8], optimizer: Option<&[u8]>) -> Vec<u8> {
    let new = config().recipe.optimizer().into_bytes().ok();
    let new = new.as_deref().unwrap_or_default();
    seal(&[position, b"", optimizer.unwrap_or(new)])
}
