/// How far the loss must fall below the best one to count (Keras' default).
const MIN_DELTA: f64 = 1e-4;
/// What the learning rate is multiplied by (Keras' default).
const FACTOR: f64 = 0.1;

/// The rule that lowers the learning rate when the validation loss stops falling.
///
/// It follows Keras' `ReduceLROnPlateau` with its defaults, which the paper's description fits:
/// an epoch counts as better when its loss is more than 1e-4 below the best so far; after
/// `patience` epochs in a row that were not, the rate is multiplied by 0.1, down to the minimum,
/// and the count starts again. The best loss is kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plateau {
    pub(super) learning_rate: f64,
    pub(super) minimum: f64,
    pub(super) patience: u32,
    pub(super) best: f64,
    pub(super) waited: u32,
}

impl Plateau {
    /// The rule before the first epoch.
    pub fn new(learning_rate: f64, minimum: f64, patience: u32) -> Self {
        Self {
            learning_rate,
            minimum,
            patience,
            best: f64::INFINITY,
            waited: 0,
        }
    }

    /// The learning rate of the next epoch.
    pub fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    /// Takes the validation loss of an epoch into account.
    pub fn observe(&mut self, loss: f64) {
        if loss < self.best - MIN_DELTA {
            self.best = loss;
            self.waited = 0;
            return;
        }
        self.waited += 1;
        if self.waited >= self.patience && self.learning_rate > self.minimum {
            self.learning_rate = (self.learning_rate * FACTOR).max(self.minimum);
            self.waited = 0;
        }
    }
}
