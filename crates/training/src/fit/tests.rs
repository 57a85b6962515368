//! Whole trainings, on as few images as show what they test.

use super::*;
use crate::{Augmentation, DrawnImages};
use attrium_nn::{IMAGE_PIXELS, IMAGE_SIZE, Network, cpu};
use attrium_types::{Architecture, Intensity};

const fn paper(min_learning_rate: f64, patience: u32) -> Recipe {
    Recipe::Paper {
        min_learning_rate,
        patience,
    }
}

fn config() -> FitConfig {
    FitConfig {
        architecture: Architecture::Linear,
        classes: 2,
        epochs: 2,
        batch_size: 2,
        learning_rate: 1e-3,
        recipe: paper(1e-7, 1),
        seed: 1,
    }
}

fn epochs(epochs: u32) -> FitConfig {
    FitConfig { epochs, ..config() }
}

/// An image that is brighter on the left for class 0 and on the right for class 1.
fn image(class: usize, number: usize) -> Vec<f32> {
    (0..IMAGE_PIXELS)
        .map(|pixel| {
            let left = pixel % IMAGE_SIZE < IMAGE_SIZE / 2;
            let noise = ((pixel * (7 + number)) as f32).sin();
            if left == (class == 0) {
                1.0 + 0.5 * noise
            } else {
                -1.0 + 0.5 * noise
            }
        })
        .collect()
}

fn data(training: &[usize], validation: &[usize]) -> FitData {
    let images = |classes: &[usize], first: usize| {
        let numbered = classes.iter().enumerate();
        numbered
            .flat_map(|(number, &class)| image(class, first + number))
            .collect()
    };
    FitData {
        images: TrainingImages::Ready(images(training, 0)),
        labels: training.to_vec(),
        class_weights: vec![1.0, 2.0],
        validation_images: images(validation, 100),
        validation_labels: validation.to_vec(),
    }
}

fn start(config: FitConfig, data: FitData) -> Fit {
    Fit::new(config, data, &cpu()).unwrap()
}

fn weights(fit: &Fit) -> Vec<u8> {
    fit.network().to_safetensors().unwrap()
}

fn finish(mut fit: Fit) -> Fit {
    while !fit.is_finished() {
        fit.step().unwrap();
    }
    fit
}

/// As if the process were killed after every step.
fn finish_with_interruptions(config: &FitConfig, data: &FitData) -> Fit {
    let mut fit = start(config.clone(), data.clone());
    while !fit.is_finished() {
        let checkpoint = fit.checkpoint().unwrap();
        fit = Fit::resume(config.clone(), data.clone(), &cpu(), &checkpoint).unwrap();
        fit.step().unwrap();
    }
    let checkpoint = fit.checkpoint().unwrap();
    Fit::resume(config.clone(), data.clone(), &cpu(), &checkpoint).unwrap()
}

fn with_threads<T: Send>(threads: usize, run: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap()
        .install(run)
}

#[test]
fn a_training_interrupted_at_every_step_ends_with_the_very_same_weights() {
    for (architecture, threads) in [(Architecture::Linear, 1), (Architecture::Residual, 2)] {
        let config = FitConfig {
            architecture,
            ..config()
        };
        // The last batch of each epoch is a single image.
        let data = data(&[0, 1, 1], &[1]);
        with_threads(threads, || {
            let whole = finish(start(config.clone(), data.clone()));
            let pieces = finish_with_interruptions(&config, &data);
            assert_eq!(pieces.history(), whole.history());
            assert!(weights(&pieces) == weights(&whole), "{architecture}");
        });
    }
}

/// Heart by its own recipe: images drawn anew, and an average of the weights.
#[test]
fn a_training_on_images_of_each_epoch_interrupted_ends_with_the_very_same_average() {
    let config = FitConfig {
        architecture: Architecture::Heart,
        classes: 3,
        recipe: Recipe::OneCycle { weight_decay: 0.02 },
        ..config()
    };
    let drawn = DrawnImages {
        counts: (0..3 * IMAGE_PIXELS).map(|at| (at % 23) as f32).collect(),
        side: IMAGE_SIZE,
        augmentation: Augmentation {
            images: 0,
            shift_percent: 10.0,
            rotation_degrees: 20.0,
            scale_percent: 20.0,
            exposure_percent: 90.0,
            seed: 1,
            fold: 0,
        },
        intensity: Intensity::Normalized,
        normalization: None,
    };
    let data = FitData {
        images: TrainingImages::Drawn(drawn),
        labels: vec![0, 1, 2],
        class_weights: vec![1.0, 2.0, 0.5],
        validation_images: Vec::new(),
        validation_labels: Vec::new(),
    };
    let whole = with_threads(1, || finish(start(config.clone(), data.clone())));
    let pieces = with_threads(2, || finish_with_interruptions(&config, &data));
    assert_eq!(pieces.history(), whole.history());
    assert!(weights(&pieces) == weights(&whole));
    let checkpoint = pieces.checkpoint().unwrap();
    let paper = FitConfig {
        recipe: paper(1e-7, 1),
        ..config
    };
    assert!(Fit::resume(paper, data, &cpu(), &checkpoint).is_err());
}

/// A network that starts from weights of its own and goes on with another number of threads.
#[test]
fn a_pretrained_network_interrupted_goes_on_to_the_very_same_weights() {
    let config = FitConfig {
        architecture: Architecture::MobileNet,
        epochs: 1,
        ..config()
    };
    let data = data(&[0, 1, 1, 0], &[1]);
    let pretrained = |origin| {
        let network = Network::new(config.architecture, 2, 9, &cpu()).unwrap();
        Fit::from_network(config.clone(), data.clone(), network, origin).unwrap()
    };
    let whole = with_threads(1, || finish(pretrained("digest")));
    let mut first = pretrained("digest");
    first.step().unwrap();
    let checkpoint = first.checkpoint().unwrap();
    let mut second = pretrained("digest");
    second.restore(&checkpoint).unwrap();
    assert!(weights(&with_threads(2, || finish(second))) == weights(&whole));
    assert!(pretrained("another").restore(&checkpoint).is_err());
}

#[test]
fn two_trainings_side_by_side_do_not_disturb_each_other() {
    let run = || weights(&finish(start(epochs(1), data(&[0, 1], &[]))));
    let alone = run();
    let side_by_side = std::thread::scope(|scope| {
        [scope.spawn(run), scope.spawn(run)].map(|task| task.join().unwrap())
    });
    assert!(side_by_side.iter().all(|weights| *weights == alone));
}

/// The loss of each epoch, which is what noise in the last digits grows into.
fn losses(fit: Fit) -> Vec<f64> {
    let fit = finish(fit);
    fit.history()
        .epochs
        .iter()
        .map(|epoch| epoch.loss)
        .collect()
}

#[test]
fn the_engine_trains_as_burn_does_within_the_noise_of_seeds() {
    let curves: Vec<_> = (1..=3)
        .map(|seed| {
            let config = FitConfig {
                seed,
                epochs: 3,
                batch_size: 6,
                learning_rate: 1e-4,
                ..config()
            };
            let fit = || start(config.clone(), data(&[0, 1, 1, 0, 0, 1], &[]));
            (losses(fit()), losses(fit().without_engine()))
        })
        .collect();
    for epoch in 0..3 {
        let own = curves
            .iter()
            .map(|(engine, burn)| (engine[epoch] - burn[epoch]).abs());
        let burn = || curves.iter().map(|(_, burn)| burn[epoch]);
        let between_seeds = burn().fold(f64::MIN, f64::max) - burn().fold(f64::MAX, f64::min);
        let own = own.fold(0.0, f64::max);
        assert!(
            own < between_seeds / 2.0,
            "{own} of {between_seeds} in epoch {epoch}: {curves:.4?}"
        );
    }
}

#[test]
fn every_step_is_reported_and_every_epoch_written_down() {
    let mut fit = start(config(), data(&[0, 1, 1], &[1]));
    let mut reports = Vec::new();
    while !fit.is_finished() {
        reports.push(fit.step().unwrap());
    }
    let places: Vec<_> = reports
        .iter()
        .map(|r| (r.epoch, r.step, r.steps, r.images))
        .collect();
    assert_eq!(
        places,
        [(1, 1, 2, 2), (1, 2, 2, 1), (2, 1, 2, 2), (2, 2, 2, 1)]
    );

    let epochs = &fit.history().epochs;
    let finished: Vec<Epoch> = reports.iter().filter_map(|r| r.finished_epoch).collect();
    assert_eq!(&finished, epochs);
    let mean = (2.0 * reports[0].loss + reports[1].loss) / 3.0;
    assert!((epochs[0].loss - mean).abs() < 1e-12);
    assert_eq!((epochs[0].epoch, epochs[1].epoch), (1, 2));
    assert_eq!(epochs[0].learning_rate, 1e-3);
    assert!(epochs[1].validation_loss.is_some_and(f64::is_finite));

    let message = fit.step().unwrap_err().to_string();
    assert_eq!(message, "the training has gone through all its 2 epochs");
}

#[test]
fn the_loss_falls_where_classes_can_be_told_apart() {
    let fit = finish(start(epochs(4), data(&[0, 1], &[])));
    let epochs = &fit.history().epochs;
    assert!(epochs[3].loss < 0.2 * epochs[0].loss, "{epochs:#?}");
    assert_eq!(epochs[3].accuracy, 1.0, "{epochs:#?}");
}

#[test]
fn images_of_a_class_without_weight_teach_nothing() {
    let head_after_a_step = |class_weights: Vec<f32>| {
        let only_positive = FitData {
            class_weights,
            ..data(&[1, 1], &[])
        };
        let mut fit = start(config(), only_positive);
        let loss = fit.step().unwrap().loss;
        let bytes = weights(&fit);
        let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        (loss, tensors.tensor("head.bias").unwrap().data().to_vec())
    };
    let zeros = vec![0; 8];
    assert_eq!(head_after_a_step(vec![1.0, 0.0]), (0.0, zeros.clone()));
    let (loss, head) = head_after_a_step(vec![0.0, 1.0]);
    assert!(loss > 0.0 && head != zeros);
}

#[test]
fn the_learning_rate_falls_when_the_validation_loss_does_not() {
    // The validation image carries the wrong label.
    let wrong = FitData {
        validation_labels: vec![0],
        ..data(&[0, 1], &[1])
    };
    let fit = finish(start(epochs(4), wrong));
    let mut plateau = Plateau::new(1e-3, 1e-7, 1);
    for epoch in &fit.history().epochs {
        assert_eq!(epoch.learning_rate, plateau.learning_rate());
        plateau.observe(epoch.validation_loss.unwrap());
    }
    assert!(plateau.learning_rate() < 1e-3, "{:#?}", fit.history());

    let unvalidated = finish(start(epochs(2), data(&[0, 1], &[])));
    let last = unvalidated.history().epochs[1];
    assert_eq!((last.learning_rate, last.validation_loss), (1e-3, None));
}

#[test]
fn the_order_of_the_images_changes_with_the_epoch_and_the_seed() {
    let classes = [0; 32];
    let orders = |seed| {
        let config = FitConfig {
            epochs: 2,
            batch_size: 32,
            seed,
            ..config()
        };
        let fit = start(config, data(&classes, &[]));
        [fit.order_of(0), fit.order_of(1)]
    };
    let (one, two) = (orders(1), orders(2));
    assert_eq!(one, orders(1));
    assert_ne!(one[0], one[1]);
    assert_ne!(one[0], two[0]);
    for mut order in one {
        order.sort_unstable();
        assert!(order.into_iter().eq(0..32));
    }
}

#[test]
fn a_loss_that_is_no_number_stops_the_training_and_names_the_step() {
    let config = FitConfig {
        learning_rate: 1e30,
        epochs: 3,
        ..config()
    };
    let mut fit = start(config, data(&[0, 1, 1, 0, 0, 1], &[]));
    fit.step().unwrap();
    let message = fit.step().unwrap_err().to_string();
    assert!(
        message.contains("at epoch 1, step 2: lower the learning rate"),
        "{message}"
    );
    let validated = FitConfig {
        learning_rate: 1e30,
        ..self::config()
    };
    let message = start(validated, data(&[0, 1], &[1]))
        .step()
        .unwrap_err()
        .to_string();
    assert!(message.contains("validation loss is"), "{message}");
    assert!(message.contains("after epoch 1, step 1"), "{message}");
}

#[test]
fn a_foreign_or_torn_checkpoint_is_refused_and_the_training_can_still_begin() {
    let checkpoint = start(config(), data(&[0, 1], &[])).checkpoint().unwrap();
    let other_seed = FitConfig {
        seed: 2,
        ..config()
    };
    for (config, data, bytes, reason) in [
        (
            other_seed,
            data(&[0, 1], &[]),
            &checkpoint[..],
            "another configuration or other data",
        ),
        (
            config(),
            data(&[1, 0], &[]),
            &checkpoint[..],
            "another configuration or other data",
        ),
        (
            config(),
            data(&[0, 1], &[]),
            &checkpoint[..9000],
            "torn or changed",
        ),
        (
            config(),
            data(&[0, 1], &[]),
            &b"something else"[..],
            "no checkpoint of this version",
        ),
    ] {
        let mut fit = start(config, data);
        let before = weights(&fit);
        let message = fit.restore(bytes).unwrap_err().to_string();
        assert!(message.contains(reason), "{message}");
        assert!(weights(&fit) == before && fit.steps_taken() == 0);
    }
    start(config(), data(&[0, 1], &[]))
        .restore(&checkpoint)
        .unwrap();
}

#[test]
fn what_cannot_be_trained_is_refused_with_the_reason() {
    let refusal = |config: FitConfig, data: FitData| {
        Fit::new(config, data, &cpu()).err().unwrap().to_string()
    };
    let good = || data(&[0, 1], &[1]);
    let cases = [
        (
            refusal(
                FitConfig {
                    epochs: 0,
                    ..config()
                },
                good(),
            ),
            "epochs is 0",
        ),
        (
            refusal(
                FitConfig {
                    batch_size: 0,
                    ..config()
                },
                good(),
            ),
            "batchSize is 0",
        ),
        (
            refusal(
                FitConfig {
                    recipe: paper(1e-7, 0),
                    ..config()
                },
                good(),
            ),
            "patience is 0",
        ),
        (
            refusal(
                FitConfig {
                    learning_rate: f64::NAN,
                    ..config()
                },
                good(),
            ),
            "learningRate is NaN",
        ),
        (
            refusal(
                FitConfig {
                    recipe: paper(1.0, 1),
                    ..config()
                },
                good(),
            ),
            "minLearningRate is 1",
        ),
        (
            refusal(
                FitConfig {
                    recipe: Recipe::OneCycle { weight_decay: -0.1 },
                    ..config()
                },
                good(),
            ),
            "weightDecay is -0.1",
        ),
        (
            refusal(config(), data(&[], &[])),
            "there are no training images",
        ),
        (
            refusal(
                config(),
                FitData {
                    class_weights: vec![1.0],
                    ..good()
                },
            ),
            "not 2 class weights",
        ),
        (
            refusal(
                config(),
                FitData {
                    labels: vec![0, 2],
                    ..good()
                },
            ),
            "class 2 of 2 classes",
        ),
        (
            refusal(
                config(),
                FitData {
                    labels: vec![0],
                    ..good()
                },
            ),
            "1 training images",
        ),
    ];
    for (message, expected) in cases {
        assert!(message.contains(expected), "{message}");
    }
    let mut pixels = [image(0, 0), image(1, 1)].concat();
    pixels[IMAGE_PIXELS + 3] = f32::INFINITY;
    let faulty = FitData {
        images: TrainingImages::Ready(pixels),
        ..good()
    };
    assert!(refusal(config(), faulty).contains("pixel inf in training image 1"));
}
