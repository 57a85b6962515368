//! Losses: cross-entropy and its ordinal kin, with class weights, for training, and that of one image for validation.

use burn::tensor::activation::{log_sigmoid, log_softmax};
use burn::tensor::{Tensor, TensorData};

/// Sparse categorical cross-entropy with class weights, from logits.
///
/// The mean over the images of `-weight[label] * log(probability[label])`. As in Keras it is
/// divided by the number of images, not by the sum of their weights, so that what an image
/// contributes does not depend on its neighbours in the batch.
///
/// Over one batch this sums at most `batch * classes` numbers, in the same order in each run.
///
/// # Shapes
/// - `logits`: `[batch, classes]`
/// - `labels`: `batch` indices below `classes`
/// - `class_weights`: `classes` numbers
/// - output: `[1]`
pub fn cross_entropy(logits: Tensor<2>, labels: &[usize], class_weights: &[f32]) -> Tensor<1> {
    let [batch, classes] = logits.dims();
    let mut weights = vec![0.0f32; batch * classes];
    for (row, &label) in weights.chunks_exact_mut(classes).zip(labels) {
        row[label] = -class_weights[label] / batch as f32;
    }
    let weights = Tensor::from_data(TensorData::new(weights, [batch, classes]), &logits.device());
    (log_softmax(logits, 1) * weights).sum()
}

/// How sure a reader is taken to be that a grade is above or below each threshold: two who read the same scan differ.
const SURE: f32 = 0.97;

/// The mean binary cross-entropy of the thresholds between classes, from the logarithms of the odds of being above
/// each, divided by the number of images.
///
/// An image counts by the square root of its class's weight: as much as the weight itself would ask for makes a
/// rare class's few images all that is learnt. Labels are smoothed.
///
/// # Shapes
/// - `outputs`: `[batch, classes - 1]`
/// - `labels`: `batch` indices below `classes`
/// - `class_weights`: `classes` numbers
/// - output: `[1]`
pub fn ordinal(outputs: Tensor<2>, labels: &[usize], class_weights: &[f32]) -> Tensor<1> {
    let [batch, thresholds] = outputs.dims();
    let mut above = Vec::with_capacity(batch * thresholds);
    let mut below = Vec::with_capacity(batch * thresholds);
    for &label in labels {
        let weight = -class_weights[label].sqrt() / (batch * thresholds) as f32;
        for threshold in 0..thresholds {
            let share = if label > threshold { SURE } else { 1.0 - SURE };
            above.push(weight * share);
            below.push(weight * (1.0 - share));
        }
    }
    let device = outputs.device();
    let weights = |values| Tensor::from_data(TensorData::new(values, [batch, thresholds]), &device);
    let (above, below): (Tensor<2>, Tensor<2>) = (weights(above), weights(below));
    (log_sigmoid(outputs.clone()) * above + log_sigmoid(-outputs) * below).sum()
}

/// The cross-entropy of one image without class weights, `-log(probability[label])`, in 64 bits.
/// `logits` has one value for each class, and `label` is below their number.
pub fn negative_log_likelihood(logits: &[f32], label: usize) -> f64 {
    let largest = f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    let sum: f64 = logits
        .iter()
        .map(|&logit| (f64::from(logit) - largest).exp())
        .sum();
    sum.ln() + largest - f64::from(logits[label])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cpu, floats};

    const LOGITS: [[f32; 3]; 2] = [[1.0, 2.0, 0.5], [-1.0, 0.25, 3.0]];

    fn loss(labels: &[usize], class_weights: &[f32]) -> f32 {
        let logits = Tensor::from_data(LOGITS, &cpu());
        floats(cross_entropy(logits, labels, class_weights).into_data())[0]
    }

    // The reference tests compare the loss of whole networks with that of PyTorch.
    #[test]
    fn without_weights_it_is_the_mean_negative_logarithm_of_the_probability() {
        let by_hand = LOGITS.iter().zip([0, 2]).map(|(row, label)| {
            let sum: f32 = row.iter().map(|logit| logit.exp()).sum();
            -(row[label].exp() / sum).ln()
        });
        let expected = by_hand.sum::<f32>() / 2.0;
        assert!((loss(&[0, 2], &[1.0; 3]) - expected).abs() < 1e-6);
    }

    #[test]
    fn a_class_weight_multiplies_what_its_images_contribute_and_nothing_else() {
        let (plain, first) = (loss(&[0, 2], &[1.0; 3]), loss(&[0, 2], &[1.0, 1.0, 0.0]));
        assert!((loss(&[0, 2], &[3.0, 7.0, 1.0]) - (plain + 2.0 * first)).abs() < 1e-6);
    }

    #[test]
    fn the_loss_of_one_image_is_that_of_a_batch_of_one() {
        let logits = Tensor::from_data([LOGITS[1]], &cpu());
        let batch = floats(cross_entropy(logits, &[1], &[1.0; 3]).into_data())[0];
        assert!((f64::from(batch) - negative_log_likelihood(&LOGITS[1], 1)).abs() < 1e-6);
        assert_eq!(negative_log_likelihood(&[-1e30, 0.0], 1), 0.0);
    }
}
