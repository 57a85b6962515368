//! The schedule of the learning rate: Keras' `ReduceLROnPlateau`.

/// How far the loss must fall below the best one to count as better (Keras' default).
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The learning rate of each epoch after the first, for these validation losses.
    fn rates(patience: u32, minimum: f64, losses: &[f64]) -> Vec<f64> {
        let mut plateau = Plateau::new(1e-4, minimum, patience);
        let mut rate = |loss: &f64| {
            plateau.observe(*loss);
            plateau.learning_rate()
        };
        losses.iter().map(&mut rate).collect()
    }

    #[track_caller]
    fn assert_rates(found: &[f64], expected: &[f64]) {
        let near = |(a, b): (&f64, &f64)| (a / b - 1.0).abs() < 1e-12;
        assert!(
            found.len() == expected.len() && found.iter().zip(expected).all(near),
            "{found:?}"
        );
    }

    #[test]
    fn a_falling_loss_keeps_the_rate() {
        assert_rates(&rates(2, 1e-7, &[1.0, 0.9, 0.8, 0.7]), &[1e-4; 4]);
    }

    #[test]
    fn the_rate_falls_after_as_many_epochs_as_the_patience_and_then_the_count_starts_again() {
        let losses = [1.0, 1.0, 1.0, 1.0, 1.0];
        assert_rates(&rates(2, 1e-7, &losses), &[1e-4, 1e-4, 1e-5, 1e-5, 1e-6]);
        assert_rates(&rates(1, 1e-7, &losses[..3]), &[1e-4, 1e-5, 1e-6]);
    }

    #[test]
    fn a_better_epoch_starts_the_count_again() {
        let losses = [1.0, 1.1, 0.9, 1.0, 0.8, 0.9, 0.9];
        assert_rates(
            &rates(2, 1e-7, &losses),
            &[1e-4, 1e-4, 1e-4, 1e-4, 1e-4, 1e-4, 1e-5],
        );
    }

    #[test]
    fn what_counts_is_the_best_loss_and_not_the_last() {
        assert_rates(&rates(2, 1e-7, &[1.0, 1.5, 1.2]), &[1e-4, 1e-4, 1e-5]);
    }

    #[test]
    fn a_fall_of_no_more_than_a_ten_thousandth_does_not_count() {
        assert_rates(
            &rates(2, 1e-7, &[1.0, 0.99995, 0.99991]),
            &[1e-4, 1e-4, 1e-5],
        );
        assert_rates(&rates(2, 1e-7, &[1.0, 0.9998, 0.9996]), &[1e-4, 1e-4, 1e-4]);
    }

    #[test]
    fn the_rate_stops_at_the_minimum() {
        let found = rates(1, 3e-6, &[1.0, 1.0, 1.0, 1.0]);
        assert_rates(&found, &[1e-4, 1e-5, 3e-6, 3e-6]);
    }
}
