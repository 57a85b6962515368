//! The confusion matrix and the counts that are read from it.

use serde::{Deserialize, Serialize};

/// How often each class was called what: `counts[truth][called]`, in studies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConfusionMatrix {
    counts: Vec<Vec<u64>>,
}

/// The two-by-two table: positive or negative, in truth and by the call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct TwoByTwo {
    pub(super) true_positives: u64,
    pub(super) false_negatives: u64,
    pub(super) false_positives: u64,
    pub(super) true_negatives: u64,
}

impl ConfusionMatrix {
    /// Counts pairs of a true and a called class, both below `classes`.
    pub(super) fn new(classes: usize, pairs: impl IntoIterator<Item = (usize, usize)>) -> Self {
        let mut counts = vec![vec![0; classes]; classes];
        for (truth, called) in pairs {
            counts[truth][called] += 1;
        }
        Self { counts }
    }

    /// The rows: one for each true class, with one count for each called class.
    pub fn counts(&self) -> &[Vec<u64>] {
        &self.counts
    }

    /// All studies.
    pub fn total(&self) -> u64 {
        self.counts.iter().flatten().sum()
    }

    /// The studies whose class was predicted correctly.
    pub fn correct(&self) -> u64 {
        (0..self.counts.len()).map(|k| self.counts[k][k]).sum()
    }

    /// The studies that truly are of a class.
    pub fn truly(&self, class: usize) -> u64 {
        self.counts[class].iter().sum()
    }

    /// The studies that were called a class.
    pub fn called(&self, class: usize) -> u64 {
        self.counts.iter().map(|row| row[class]).sum()
    }
}

impl TwoByTwo {
    /// Counts pairs of a truth and a call.
    pub(super) fn new(pairs: impl IntoIterator<Item = (bool, bool)>) -> Self {
        let mut counts = Self::default();
        for (truth, called) in pairs {
            *counts.cell(truth, called) += 1;
        }
        counts
    }

    fn cell(&mut self, truth: bool, called: bool) -> &mut u64 {
        match (truth, called) {
            (true, true) => &mut self.true_positives,
            (true, false) => &mut self.false_negatives,
            (false, true) => &mut self.false_positives,
            (false, false) => &mut self.true_negatives,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_counted_by_truth_and_by_call() {
        let matrix = ConfusionMatrix::new(4, [(0, 0), (1, 2), (2, 3), (3, 3), (2, 1), (2, 1)]);
        assert_eq!(matrix.correct(), 2);
        assert_eq!(matrix.total(), 6);
        assert_eq!(matrix.truly(2), 3);
        assert_eq!(matrix.called(3), 2);
    }

    #[test]
    fn json_is_the_rows_alone() {
        let matrix = ConfusionMatrix::new(2, [(0, 1), (1, 1)]);
        let json = serde_json::to_string(&matrix).expect("counts are numbers");
        assert_eq!(json, "[[0,1],[0,1]]");
    }
}
