//! Cohen's kappa.
