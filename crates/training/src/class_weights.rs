//! Class weights of the loss: minority classes weigh more (paper, "Training").

/// The balanced weight of each class: `n / (k * n_c)`.
///
/// `n` is the number of examples, `n_c` how many of them are of class `c`, and `k` how many classes
/// occur among them; `count` is the number of classes of the task, and the length of the result.
/// The weights average 1 over the examples, as those of scikit-learn's
/// `compute_class_weight("balanced", ...)` do. A class without examples weighs 0: no term of the
/// loss uses it, and the other weights are as if it did not exist. Examples of a class at or beyond
/// `count` are ignored.
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::class_weights;

    #[derive(Deserialize)]
    struct Case {
        counts: Vec<usize>,
        weights: BTreeMap<String, f64>,
    }

    #[test]
    fn the_weights_are_those_of_scikit_learn() {
        let golden = include_str!("../../../tests/golden/training/class_weights.json");
        let cases: Vec<Case> = serde_json::from_str(golden).unwrap();
        assert_eq!(cases.len(), 5);
        for case in cases {
            let classes: Vec<usize> = case
                .counts
                .iter()
                .enumerate()
                .flat_map(|(class, &count)| vec![class; count])
                .collect();
            let weights = class_weights(&classes, case.counts.len());
            for (class, weight) in weights.into_iter().enumerate() {
                let expected = case.weights.get(&class.to_string()).copied().unwrap_or(0.0);
                assert!(
                    (f64::from(weight) - expected).abs() < 1e-6,
                    "{class}: {weight}"
                );
            }
        }
    }

    #[test]
    fn the_weights_average_one_over_the_examples() {
        let classes = [0, 0, 0, 0, 0, 1, 1, 3];
        let weights = class_weights(&classes, 4);
        let sum: f32 = classes.iter().map(|&class| weights[class]).sum();
        assert!((sum - 8.0).abs() < 1e-5, "{sum}");
        assert_eq!(weights[2], 0.0);
    }

    #[test]
    fn no_examples_give_no_weight() {
        assert_eq!(class_weights(&[], 2), [0.0, 0.0]);
    }
}
