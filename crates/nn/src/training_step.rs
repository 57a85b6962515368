/// Where a training is: decides its random numbers and the weight of a batch's statistics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The seed of the training.
    pub seed: u64,
    /// The number of steps taken before this one, over all epochs.
    pub number: u64,
}
