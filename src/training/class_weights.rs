//! Class weights of the loss: minority classes weigh more (paper, "Training").

/// The balanced weight of each class: `n / (k * n_c)`.
///
/// `n` is the number of examples, `n_c` how many of them are of class `c`, and `k` how many
/// classes occur among them; `count` is the number of the task's classes, and the length of the
/// result. The weights average 1 over the examples, as scikit-learn's
/// `compute_class_weight("balanced", ...)` does. A class without examples weighs 0: no term of the
/// loss asks for it, and the other weights are as if it did not exist. Examples of a class at or
/// beyond `count` are not looked at.
pub fn class_weights(classes: &[usize], count: usize) -> Vec<f32> {
    let mut examples = vec![0_usize; count];
    for &class in classes {
        if let Some(examples) = examples.get_mut(class) {
            *examples += 1;
        }
    }
    let total: usize = examples.iter().sum();
    let present = examples.iter().filter(|&&n| n > 0).count();
    let weight = |n: usize| match n {
        0 => 0.0,
        n => (total as f64 / (present as f64 * n as f64)) as f32,
    };
    examples.into_iter().map(weight).collect()
}
