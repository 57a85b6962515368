//! Whether the scans of a job are of the same scanners as those of a reference, in the same shares.

use std::collections::BTreeMap;

use super::feature::Feature;

/// What is added to the count of each scanner: Jeffreys' prior.
const PRIOR: f64 = 0.5;

/// The scanners of a job against those of a reference.
///
/// For each scan, how probable its scanner was by the scans of the job before it, and by those and the reference
/// together (Dirichlet and multinomial): the product of their ratios is a Bayes factor against a common mix. Where the
/// mix is the same it ever exceeds 1 / p with a probability of at most p (Ville, 1939).
#[derive(Clone, Debug)]
pub(super) struct MixChart {
    reference: BTreeMap<String, u64>,
    job: BTreeMap<String, u64>,
    sum: f64,
    greatest: f64,
}

impl MixChart {
    pub(super) fn new(reference: BTreeMap<String, u64>) -> Self {
        Self {
            reference,
            job: BTreeMap::new(),
            sum: 0.0,
            greatest: 0.0,
        }
    }

    /// Adds a scan. A scanner that the reference lacks is as all others that it lacks.
    pub(super) fn add(&mut self, scanner: &str) {
        let is_known = self.reference.contains_key(scanner);
        let scanner = if is_known { scanner } else { "" };
        let kinds = PRIOR * (self.reference.len() + 1) as f64;
        let seen = self.job.values().sum::<u64>() as f64;
        let before = self.reference.values().sum::<u64>() as f64;
        let own = self.job.get(scanner).copied().unwrap_or_default() as f64;
        let others = self.reference.get(scanner).copied().unwrap_or_default() as f64;
        let by_job = (own + PRIOR) / (seen + kinds);
        let by_both = (own + others + PRIOR) / (seen + before + kinds);
        self.sum += (by_job / by_both).ln();
        self.greatest = self.greatest.max(self.sum);
        *self.job.entry(scanner.to_owned()).or_default() += 1;
    }

    /// The greatest logarithm of the Bayes factor.
    pub(super) const fn statistic(&self) -> f64 {
        self.greatest
    }

    pub(super) fn limit() -> f64 {
        -Feature::Scanner.false_alarms().ln()
    }
}
