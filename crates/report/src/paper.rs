//! The paper's own results, to stand beside a run's.
//!
//! Halme HL, Ihalainen T, Suomalainen O, et al. Convolutional neural networks for detection of
//! transthyretin amyloidosis in 2D scintigraphy images. EJNMMI Research 2022; 12:27: the tables
//! of the four grades, of high grade, of positives, and the readers' agreement. The paper prints
//! two decimals and no intervals.
//!
//! In every binary row the paper's AUC equals the mean of the two recalls: it is the area under
//! the ROC curve of hard labels, so it compares with `aucHard`, not with the AUC of scores.

use attrium_types::{Architecture, Target};

/// How a report refers to the paper.
pub(super) const CITATION: &str = "Halme HL, Ihalainen T, Suomalainen O, et al. Convolutional \
    neural networks for detection of transthyretin amyloidosis in 2D scintigraphy images. \
    EJNMMI Research 2022; 12:27.";

/// What the paper reports of one network and target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct PublishedResult {
    /// The network, by the name that the manifests use.
    pub architecture: &'static str,
    /// AUC: of one class against the rest, averaged, for four grades; of hard labels otherwise.
    pub auc: f64,
    pub accuracy: f64,
    /// Precision of each class.
    pub precision: &'static [f64],
    /// Recall of each class.
    pub recall: &'static [f64],
}

/// The paper's results of all its networks for a target.
pub(super) const fn results(target: Target) -> &'static [PublishedResult] {
    match target {
        Target::Perugini => &PERUGINI,
        Target::Positive => &POSITIVE,
        Target::HighGrade => &HIGH_GRADE,
    }
}

/// The paper's result of one network for a target, where it has that network.
pub(super) fn result(target: Target, architecture: &str) -> Option<&'static PublishedResult> {
    results(target)
        .iter()
        .find(|result| result.architecture == architecture)
}

/// The name of the layer that a block's activation map shows: the block's first convolution, and
/// the paper's own number of it, where it has one.
///
/// The paper counts as Keras lists them, a convolution with its normalisation and activation as one
/// layer, an addition as one and a pool as one; the first convolution is 1. That gives 2, 12, 22
/// and 32 for Residual, as published, and 2, 9, 16 and 23 for Linear, for which the paper has one
/// more from the second block on. Its words, the first convolution of each block, decide.
pub fn activation_layer(architecture: Architecture, block: usize) -> String {
    let published: &[u8] = match architecture {
        Architecture::Linear => &[2, 10, 17, 24],
        Architecture::Residual => &[2, 12, 22, 32],
        _ => &[],
    };
    match published.get(block - 1) {
        Some(layer) => format!("block {block} (paper: layer {layer})"),
        None => format!("block {block}"),
    }
}

/// Cohen's kappa between the paper's two readers, for a target that has one.
pub(super) const fn reader_kappa(target: Target) -> Option<f64> {
    match target {
        Target::Perugini => Some(0.69),
        Target::Positive => Some(0.79),
        Target::HighGrade => None,
    }
}

/// Accuracy and AUC with and without bone metastases.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Metastases {
    /// Accuracy with and without.
    pub accuracy: [f64; 2],
    /// AUC of hard labels with and without; `None` for the four grades, whose published values
    /// (.43 and .51) fit nothing else in the paper.
    pub auc: Option<[f64; 2]>,
}

/// The paper's results by metastasis, which it gives for `Residual` alone.
pub(super) fn metastases(target: Target, architecture: &str) -> Option<Metastases> {
    match (target, architecture) {
        (Target::Perugini, "Residual") => Some(Metastases {
            accuracy: [0.71, 0.66],
            auc: None,
        }),
        (Target::Positive, "Residual") => Some(Metastases {
            accuracy: [0.97, 0.98],
            auc: Some([0.90, 0.89]),
        }),
        _ => None,
    }
}

const fn result_of(
    architecture: &'static str,
    auc: f64,
    accuracy: f64,
    precision: &'static [f64],
    recall: &'static [f64],
) -> PublishedResult {
    PublishedResult {
        architecture,
        auc,
        accuracy,
        precision,
        recall,
    }
}

const PERUGINI: [PublishedResult; 6] = [
    result_of(
        "Linear",
        0.86,
        0.66,
        &[0.86, 0.37, 0.29, 0.91],
        &[0.68, 0.59, 0.61, 0.83],
    ),
    result_of(
        "Residual",
        0.86,
        0.67,
        &[0.88, 0.40, 0.22, 0.83],
        &[0.68, 0.65, 0.65, 0.83],
    ),
    result_of(
        "VGG16",
        0.87,
        0.74,
        &[0.83, 0.44, 0.46, 1.00],
        &[0.83, 0.45, 0.57, 0.79],
    ),
    result_of(
        "ResNet50",
        0.78,
        0.66,
        &[0.81, 0.33, 0.11, 0.20],
        &[0.78, 0.31, 0.04, 0.76],
    ),
    result_of(
        "InceptionV3",
        0.75,
        0.62,
        &[0.80, 0.30, 0.06, 0.59],
        &[0.70, 0.40, 0.13, 0.64],
    ),
    result_of(
        "MobileNet",
        0.76,
        0.74,
        &[0.76, 0.42, 0.00, 1.00],
        &[0.97, 0.07, 0.00, 0.17],
    ),
];

const HIGH_GRADE: [PublishedResult; 6] = [
    result_of("Linear", 0.94, 0.99, &[1.00, 0.73], &[0.99, 0.89]),
    result_of("Residual", 0.94, 0.99, &[1.00, 0.83], &[1.00, 0.89]),
    result_of("VGG16", 0.92, 0.99, &[1.00, 0.62], &[0.99, 0.85]),
    result_of("ResNet50", 0.82, 0.99, &[0.99, 0.94], &[1.00, 0.63]),
    result_of("InceptionV3", 0.80, 0.99, &[0.99, 0.80], &[1.00, 0.59]),
    result_of("MobileNet", 0.72, 0.99, &[0.99, 0.92], &[1.00, 0.44]),
];

const POSITIVE: [PublishedResult; 6] = [
    result_of("Linear", 0.88, 0.97, &[0.99, 0.59], &[0.98, 0.79]),
    result_of("Residual", 0.89, 0.97, &[0.99, 0.58], &[0.98, 0.81]),
    result_of("VGG16", 0.77, 0.98, &[0.98, 0.81], &[1.00, 0.54]),
    result_of("ResNet50", 0.85, 0.80, &[1.00, 0.14], &[0.80, 0.90]),
    result_of("InceptionV3", 0.78, 0.95, &[0.98, 0.39], &[0.97, 0.60]),
    result_of("MobileNet", 0.76, 0.95, &[0.98, 0.35], &[0.96, 0.56]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_result_has_a_figure_for_each_class() {
        for target in [Target::Perugini, Target::Positive, Target::HighGrade] {
            let classes = target.classes().len();
            for result in results(target) {
                assert_eq!(result.precision.len(), classes, "{target} {result:?}");
                assert_eq!(result.recall.len(), classes, "{target} {result:?}");
            }
        }
    }

    /// A slip of the pen in a binary result would break the identity that the paper's AUCs obey.
    #[test]
    fn a_binary_auc_is_the_mean_of_the_recalls() {
        for target in [Target::Positive, Target::HighGrade] {
            for result in results(target) {
                let mean = (result.recall[0] + result.recall[1]) / 2.0;
                assert!(
                    (result.auc - mean).abs() <= 0.0101,
                    "{target} {result:?}: {mean}"
                );
            }
        }
    }
}
