//! Programs against 64 bits: training steps and evaluations.

use proptest::prelude::*;

use super::reference::{Outcome, Run};
use super::*;

/// What batch normalisation adds to a variance; smaller differences of variances do not matter.
const EPSILON: f64 = 1e-3;
/// The least size that features count with: in some draws hardly one of them is activated, where
/// normalised values are about 1.
const LEAST: f64 = 0.1;

/// Programs of up to three blocks of layers, with skips and pools where the draw has them and the
/// rules allow them. A skip begins where the last one ended, or up to two operations later.
fn programs() -> impl Strategy<Value = Program> {
    let skips = prop::option::of(0usize..3);
    let layers = prop::collection::vec((1usize..28, skips, any::<bool>()), 1..7);
    (1usize..4, 1usize..4, layers).prop_map(|(high, wide, layers)| {
        let first = 1 + layers[0].0 % 20;
        let mut operations = vec![convolution(first, None)];
        let mut widths = vec![first];
        let mut sizes = [8 * high, 8 * wide];
        let mut free = 0;
        for (channels, skip, pools) in layers {
            let last = operations.len() - 1;
            let from = skip.map(|later| free + later);
            let skip = from.filter(|from| *from < last && widths[*from] <= channels);
            free = if skip.is_some() { last + 1 } else { free };
            operations.push(convolution(channels, skip));
            widths.push(channels);
            if pools && sizes.iter().all(|size| size.is_multiple_of(8)) {
                sizes = sizes.map(|size| size / 2);
                operations.push(Operation::Pool);
                widths.push(channels);
                free = operations.len() - 1;
            }
        }
        if operations.last() != Some(&Operation::Pool) {
            operations.push(Operation::Pool);
        }
        Program::new(8 * high, 8 * wide, EPSILON, operations).unwrap()
    })
}

#[track_caller]
fn assert_step(program: &Program, isa: Isa, threads: usize, batch: usize, tolerance: f64) {
    let weights = Weights::draw(program, 5);
    let images = draw(batch * program.images().num_elements(), 1, 1.0);
    let back = draw(batch * program.features().num_elements(), 2, 1.0);
    let engine = Engine::new(program.clone(), isa);
    let found = step(&engine, threads, &weights, &images, &back);
    let layers = weights.wide();
    let run = Run::new(program, &layers, &images, None, Some(&found.masks));
    let near = |what: &str, layer: usize, found: &[f32], expected: &[f64], least: f64| {
        let error = error(found, expected, least);
        assert!(
            error < tolerance,
            "{what} of layer {layer}: {error:e} by {isa:?}"
        );
    };
    near(
        "features",
        layers.len(),
        &found.features,
        &run.features,
        LEAST,
    );
    for (layer, [mean, variance]) in found.statistics.iter().enumerate() {
        let Outcome {
            mean: means,
            variance: variances,
            ..
        } = &run.outcomes[layer];
        let deviations: Vec<f64> = variances.iter().map(|variance| variance.sqrt()).collect();
        for ((found, mean), deviation) in mean.iter().zip(means).zip(deviations) {
            assert!(
                (f64::from(*found) - mean).abs() < tolerance * (deviation + 1e-3),
                "{isa:?}"
            );
        }
        near("variance", layer, variance, variances, EPSILON);
    }
    let expected = run.backward(&back);
    // The layers that follow normalise, so that some gradients nearly cancel.
    let sizes = expected.iter().map(|of| size(of.scale.iter().copied()));
    let least = sizes.fold(0.0, f64::max) / 10.0;
    for (layer, (found, expected)) in found.gradients.iter().zip(&expected).enumerate() {
        let [weight, scale, offset] = found;
        near(
            "weight's gradient",
            layer,
            weight,
            &expected.weight,
            1e-2 * least,
        );
        near("scale's gradient", layer, scale, &expected.scale, least);
        near("offset's gradient", layer, offset, &expected.offset, least);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 1 } else { 60 }))]

    #[test]
    fn a_training_step_of_any_program_is_that_of_64_bits(
        program in programs(), batch in 1usize..6, threads in 1usize..4,
    ) {
        for isa in isas() {
            // Some draws have a single channel and a few pixels, where much cancels.
            assert_step(&program, isa, threads, batch, 1e-3);
        }
    }

    #[test]
    fn an_evaluation_of_any_program_is_that_of_64_bits(
        program in programs(), batch in 1usize..8, threads in 1usize..4,
    ) {
        let weights = Weights::draw(&program, 6);
        let images = draw(batch * program.images().num_elements(), 3, 1.0);
        let wide = |values: &Vec<f32>| values.iter().copied().map(f64::from).collect::<Vec<_>>();
        let running: Vec<_> =
            weights.running.iter().map(|[mean, variance]| (wide(mean), wide(variance))).collect();
        let layers = weights.wide();
        let expected = Run::new(&program, &layers, &images, Some(&running), None).features;
        for isa in isas() {
            let engine = Engine::new(program.clone(), isa);
            let folded = engine.fold(&weights.parameters(), &weights.statistics()).unwrap();
            let mut features = vec![f32::NAN; expected.len()];
            engine.evaluate(threads, &images, &folded, &mut features).unwrap();
            let error = error(&features, &expected, LEAST);
            prop_assert!(error < 1e-4, "{error:e} by {isa:?}");
        }
    }
}

#[test]
fn the_gradients_of_the_whole_networks_are_those_of_64_bits_layer_by_layer() {
    for skips in [false, true] {
        let program = stack(32, &[16, 32, 64, 128], 3, skips);
        for isa in [Isa::best(), Isa::available(Level::Portable16).unwrap()] {
            assert_step(&program, isa, 2, 3, 3e-4);
        }
    }
}

#[test]
fn statistics_keep_their_precision_where_the_mean_is_far_from_zero() {
    let program = stack(64, &[8], 1, false);
    let weights = Weights::draw(&program, 9);
    let far: Vec<f32> = draw(8 * 64 * 64, 4, 1.0)
        .iter()
        .map(|value| value + 30.0)
        .collect();
    let back = draw(8 * program.features().num_elements(), 2, 1.0);
    let engine = Engine::new(program.clone(), Isa::best());
    let found = step(&engine, 2, &weights, &far, &back);
    let layers = weights.wide();
    let run = Run::new(&program, &layers, &far, None, None);
    for ([_, variance], expected) in found.statistics.iter().zip(&run.outcomes) {
        let error = error(variance, &expected.variance, 1e-9);
        assert!(error < 1e-5, "{error:e}");
    }
}
