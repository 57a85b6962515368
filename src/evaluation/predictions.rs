//! The predictions table: one row a study, `study,fold,label,p_0..p_K`, then covariates.

/// One study's prediction.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// The study's pseudonym or whatever else names it; unique in a table.
    pub study: String,
    /// The fold whose network made the prediction; `None` outside cross-validation.
    pub fold: Option<usize>,
    /// The index of the true class; `None` for a study without a label.
    pub label: Option<usize>,
    /// One probability for each class, in [0, 1]; they sum to 1.
    pub probabilities: Vec<f64>,
    /// One value for each of [`Predictions::covariates`]; empty where unknown.
    pub covariates: Vec<String>,
}

/// A table of predictions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Predictions {
    /// The number of classes, at least 2.
    pub classes: usize,
    /// The names of the covariate columns, in order.
    ///
    /// A column named `patient` says which studies are of one patient: intervals of AUC and kappa
    /// then count patients, and it makes no subgroups.
    pub covariates: Vec<String>,
    /// One row a study.
    pub rows: Vec<Prediction>,
}

/// The probability of a positive: the sum over the classes that count as positive.
///
/// `probabilities` holds one value for each class of the task.
pub fn positive_probability(task: crate::api::Task, probabilities: &[f64]) -> f64 {
    probabilities.iter().skip(task.first_positive_class()).sum()
}
