//! A step of a training, by its seed and number.

/// A step of a training: decides its random numbers, and the weight of its batch in the running
/// statistics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrainingStep {
    /// The seed of the training.
    pub seed: u64,
    /// The number of steps taken before this one, over all epochs.
    pub number: u64,
}
