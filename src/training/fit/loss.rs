use burn::tensor::activation::log_softmax;
use burn::tensor::{Tensor, TensorData};

/// Sparse categorical cross-entropy with class weights, from logits.
///
/// The mean over the images of `-weight[label] * log(probability[label])`. As in Keras it is
/// divided by the number of images, not by the sum of their weights, so that what an image
/// contributes does not depend on its neighbours in the batch.
///
/// Over one batch this sums at most `batch * classes` numbers, in the same order on each run.
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

/// The cross-entropy of one image, without a weight: `-log(probability[label])`, in 64 bits.
pub(super) fn negative_log_likelihood(logits: &[f32], label: usize) -> f64 {
    let largest = f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    let sum: f64 = logits
        .iter()
        .map(|&logit| (f64::from(logit) - largest).exp())
        .sum();
    sum.ln() + largest - f64::from(logits[label])
}
