//! Joins [`attrium_engine`] to Burn: the layers of a stack as one operation with its own gradient,
//! on a CPU and in 32 bits.
//!
//! On other devices there is no such operation (`None`), and Burn's own do the work. If it fails
//! where there is one, for lack of memory above all, that is a panic, as in Burn: to go on without
//! the engine would take ten times as long, and more memory.

use std::fmt;
use std::sync::{Arc, Mutex};

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::{
    BalancedCheckpointing, CheckpointStrategy, NoCheckpointing,
};
use burn::backend::autodiff::grads::Gradients as GraphGradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::{
    Autodiff, DispatchKindConversion, DispatchTensor, Flex, GradientCheckpointingStrategy,
    TensorMetadata,
};
use burn::tensor::Tensor;

use super::burn_cpu::{
    checkpointing_strategy, contiguous, from_tracked, into_tracked, is_cpu_f32, slice, tensor,
    untracked,
};
use super::isa::isa;
use super::{BatchNorm, Layer};
use attrium_engine::{
    self, Engine, Extent, FoldedWeights, Gradients, Parameters, Program, SavedActivations,
    Statistics, StatisticsMut, training_chunks,
};

/// The inputs of the operation: the images, and three parameters for each of the 25 layers of Linear and Residual, or
/// of the 7 of Heart. Burn wants their number when it is compiled.
const INPUTS: usize = 1 + 3 * 25;
const HEART_INPUTS: usize = 1 + 3 * 7;

/// What a panic says if it fails; the error of the engine follows.
pub(super) const RUNS: &str = "the engine should have memory for the layers and fit them";

/// The layers of a stack as the engine runs them. Clones share its memory.
#[derive(Clone, Debug)]
pub(super) struct EngineOperation {
    engine: Option<Arc<Engine>>,
    kept: Arc<Mutex<Option<FoldedCache>>>,
}

/// The weights of the last evaluation, folded.
struct FoldedCache {
    /// The tensors they were made of. As long as these live nothing else has their addresses, and
    /// nothing changes them in place.
    tensors: Vec<FlexTensor>,
    folded: Arc<FoldedWeights>,
}

/// A batch's features, and the mean and variance of each layer's outputs.
pub(super) struct TrainingOutput {
    pub features: Tensor<4>,
    pub statistics: Vec<[Tensor<1>; 2]>,
}

impl EngineOperation {
    /// The engine of a program.
    ///
    /// # Panics
    /// If the program has neither 25 layers nor 7.
    pub(crate) fn new(program: Program) -> Self {
        let inputs = 1 + 3 * program.convolutions().count();
        assert!(
            [INPUTS, HEART_INPUTS].contains(&inputs),
            "a program should have 25 layers or 7"
        );
        Self {
            engine: Some(Arc::new(Engine::new(program, isa()))),
            kept: Arc::default(),
        }
    }

    /// An operation that is left to Burn everywhere.
    pub(crate) fn off() -> Self {
        Self {
            engine: None,
            kept: Arc::default(),
        }
    }

    /// The engine, if the images have its program's size; others are left to Burn, which may refuse
    /// them.
    fn engine_for(&self, images: &Tensor<4>) -> Option<&Arc<Engine>> {
        let [_, channels, height, width] = images.dims();
        let extent = Extent {
            channels,
            height,
            width,
        };
        let engine = self.engine.as_ref();
        engine.filter(|engine| engine.program().images() == extent)
    }

    /// The features of images, by the running statistics.
    pub(crate) fn evaluate<'a>(
        &self,
        images: &Tensor<4>,
        layers: impl Iterator<Item = &'a Layer>,
    ) -> Option<Tensor<4>> {
        let engine = self.engine_for(images)?;
        let images = untracked(images.clone().into_dispatch())?;
        let mut tensors = Vec::new();
        for layer in layers {
            let BatchNorm {
                running_mean,
                running_var,
                ..
            } = &layer.norm;
            tensors.extend(parameters(layer).into_iter().map(untracked));
            tensors
                .extend([running_mean, running_var].map(|of| untracked(of.val().into_dispatch())));
        }
        let tensors = tensors.into_iter().collect::<Option<Vec<_>>>()?;
        let folded = self.folded(engine, tensors).expect(RUNS);
        let batch = images.shape()[0];
        let mut features = vec![0.0; batch * engine.program().features().num_elements()];
        let threads = rayon::current_num_threads();
        engine
            .evaluate(threads, slice(&images)?, &folded, &mut features)
            .expect(RUNS);
        Some(Tensor::from_primitive::<Flex>(feature_tensor(
            engine, batch, features,
        )))
    }

    fn folded(
        &self,
        engine: &Engine,
        tensors: Vec<FlexTensor>,
    ) -> Result<Arc<FoldedWeights>, attrium_engine::Error> {
        let kept = self.kept.lock().ok().and_then(|kept| {
            let kept = kept.as_ref()?;
            let same = kept
                .tensors
                .iter()
                .zip(&tensors)
                .all(|(one, other)| is_same(one, other));
            same.then(|| Arc::clone(&kept.folded))
        });
        if let Some(folded) = kept {
            return Ok(folded);
        }
        let slices: Vec<&[f32]> = tensors.iter().filter_map(slice).collect();
        let layers = || slices.chunks_exact(5);
        let parameters: Vec<_> = layers().map(as_parameters).collect();
        let statistics: Vec<_> = layers()
            .map(|layer| Statistics {
                mean: layer[3],
                variance: layer[4],
            })
            .collect();
        let folded = Arc::new(engine.fold(&parameters, &statistics)?);
        if let Ok(mut kept) = self.kept.lock() {
            let folded = Arc::clone(&folded);
            *kept = Some(FoldedCache { tensors, folded });
        }
        Ok(folded)
    }

    /// The features of images, by the statistics of the batch.
    pub(crate) fn train<'a>(
        &self,
        images: &Tensor<4>,
        layers: impl Iterator<Item = &'a Layer>,
    ) -> Option<TrainingOutput> {
        let engine = self.engine_for(images)?;
        let mut inputs = vec![images.clone().into_dispatch()];
        inputs.extend(layers.flat_map(parameters));
        if !inputs.iter().all(is_cpu_f32) {
            return None;
        }
        match (inputs.len(), checkpointing_strategy(&inputs)) {
            (INPUTS, Some(strategy)) => record_by::<INPUTS>(strategy, engine, inputs),
            (HEART_INPUTS, Some(strategy)) => record_by::<HEART_INPUTS>(strategy, engine, inputs),
            (_, Some(_)) => None,
            (_, None) => {
                let inputs = inputs
                    .into_iter()
                    .map(untracked)
                    .collect::<Option<Vec<_>>>()?;
                let (features, statistics, _) = forward(engine, inputs)?;
                let features = Tensor::from_primitive::<Flex>(features);
                Some(TrainingOutput {
                    features,
                    statistics,
                })
            }
        }
    }
}

fn parameters(layer: &Layer) -> [DispatchTensor; 3] {
    let BatchNorm { weight, bias, .. } = &layer.norm;
    [
        layer.convolution.weight.val().into_dispatch(),
        weight.val().into_dispatch(),
        bias.val().into_dispatch(),
    ]
}

fn as_parameters<'a>(layer: &[&'a [f32]]) -> Parameters<'a> {
    Parameters {
        weight: layer[0],
        scale: layer[1],
        offset: layer[2],
    }
}

fn is_same(one: &FlexTensor, other: &FlexTensor) -> bool {
    let place = |tensor: &FlexTensor| slice(tensor).map(|values| (values.as_ptr(), values.len()));
    place(one) == place(other)
}

fn feature_tensor(engine: &Engine, batch: usize, features: Vec<f32>) -> FlexTensor {
    let extent = engine.program().features();
    tensor(
        features,
        [batch, extent.channels, extent.height, extent.width],
    )
}

/// What the backward pass needs.
struct EngineState {
    engine: Arc<Engine>,
    inputs: Vec<FlexTensor>,
    /// Taken by the backward pass. Burn wants a state that can be cloned, but never clones it.
    training: Arc<Mutex<Option<SavedActivations>>>,
}

impl Clone for EngineState {
    fn clone(&self) -> Self {
        Self {
            engine: Arc::clone(&self.engine),
            inputs: self.inputs.clone(),
            training: Arc::clone(&self.training),
        }
    }
}

impl fmt::Debug for EngineState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EngineState")
    }
}

impl fmt::Debug for FoldedCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FoldedCache")
    }
}

type Forward = (FlexTensor, Vec<[Tensor<1>; 2]>, EngineState);

fn forward(engine: &Arc<Engine>, inputs: Vec<FlexTensor>) -> Option<Forward> {
    let inputs: Vec<_> = inputs.into_iter().map(contiguous).collect();
    let batch = inputs[0].shape()[0];
    let slices = inputs.iter().map(slice).collect::<Option<Vec<_>>>()?;
    let parameters: Vec<_> = slices[1..].chunks_exact(3).map(as_parameters).collect();
    let mut statistics: Vec<[Vec<f32>; 2]> = parameters
        .iter()
        .map(|layer| [vec![0.0; layer.scale.len()], vec![0.0; layer.scale.len()]])
        .collect();
    let mut given: Vec<_> = statistics
        .iter_mut()
        .map(|[mean, variance]| StatisticsMut { mean, variance })
        .collect();
    let mut features = vec![0.0; batch * engine.program().features().num_elements()];
    let training = engine
        .train(
            training_chunks(batch),
            slices[0],
            &parameters,
            &mut given,
            &mut features,
        )
        .expect(RUNS);
    let features = feature_tensor(engine, batch, features);
    let constant = |values: Vec<f32>| {
        let channels = values.len();
        Tensor::from_primitive::<Flex>(tensor(values, [channels]))
    };
    let statistics = statistics.into_iter().map(|of| of.map(constant)).collect();
    let saved = EngineState {
        engine: Arc::clone(engine),
        inputs,
        training: Arc::new(Mutex::new(Some(training))),
    };
    Some((features, statistics, saved))
}

/// The node of the autodiff graph.
#[derive(Debug)]
struct EngineBackward;

impl<const INPUTS: usize> Backward<Flex, INPUTS> for EngineBackward {
    type State = EngineState;

    fn backward(
        self,
        ops: Ops<EngineState, INPUTS>,
        gradients: &mut GraphGradients,
        _: &mut Checkpointer,
    ) {
        let features = contiguous(gradients.consume::<Flex>(&ops.node));
        let found = ops.state.backward(&features);
        let found = found.expect("a step should go back only once");
        let parents = ops.parents.iter().zip(&ops.state.inputs).skip(1);
        for ((parent, input), gradient) in parents.zip(found) {
            // A parameter that is not trained has no node.
            if let Some(node) = parent {
                gradients.register::<Flex>(node.id, tensor(gradient, input.shape().to_vec()));
            }
        }
    }
}

impl EngineState {
    /// The gradients of the parameters, or `None` if they have been computed before.
    fn backward(&self, features: &FlexTensor) -> Option<Vec<Vec<f32>>> {
        let training = self.training.lock().ok()?.take()?;
        let slices = self.inputs[1..]
            .iter()
            .map(slice)
            .collect::<Option<Vec<_>>>()?;
        let parameters: Vec<_> = slices.chunks_exact(3).map(as_parameters).collect();
        let mut found: Vec<Vec<f32>> = slices
            .iter()
            .map(|values| vec![0.0; values.len()])
            .collect();
        let mut given: Vec<_> = found
            .chunks_exact_mut(3)
            .filter_map(|layer| match layer {
                [weight, scale, offset] => Some(Gradients {
                    weight,
                    scale,
                    offset,
                }),
                _ => None,
            })
            .collect();
        self.engine
            .backward(training, &parameters, slice(features)?, &mut given)
            .expect(RUNS);
        Some(found)
    }
}

fn record_by<const INPUTS: usize>(
    strategy: GradientCheckpointingStrategy,
    engine: &Arc<Engine>,
    inputs: Vec<DispatchTensor>,
) -> Option<TrainingOutput> {
    match strategy {
        GradientCheckpointingStrategy::Disabled => {
            record::<NoCheckpointing, INPUTS>(engine, inputs)
        }
        GradientCheckpointingStrategy::Balanced => {
            record::<BalancedCheckpointing, INPUTS>(engine, inputs)
        }
    }
}

fn record<C: CheckpointStrategy, const INPUTS: usize>(
    engine: &Arc<Engine>,
    inputs: Vec<DispatchTensor>,
) -> Option<TrainingOutput>
where
    DispatchTensor: DispatchKindConversion<Autodiff<Flex, C>>,
{
    let inputs = inputs
        .into_iter()
        .map(into_tracked::<C>)
        .collect::<Option<Vec<_>>>()?;
    if inputs[0].is_tracked() {
        // No training needs the gradient of an image; Burn can compute it for those who do.
        return None;
    }
    let (tensors, nodes): (Vec<_>, Vec<_>) = inputs.into_iter().map(|of| of.into_parts()).unzip();
    let nodes = <[_; INPUTS]>::try_from(nodes).ok()?;
    let prepared = EngineBackward
        .prepare::<C>(nodes)
        .compute_bound()
        .stateful();
    let (features, statistics, saved) = forward(engine, tensors)?;
    let features = match prepared {
        OpsKind::Tracked(prepared) => prepared.finish(saved, features),
        OpsKind::UnTracked(prepared) => prepared.finish(features),
    };
    Some(TrainingOutput {
        features: from_tracked::<C, 4>(features),
        statistics,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use burn::module::Module;

    use super::super::network::{floats, image_tensor};
    use super::super::weights::gradients;
    use super::super::{IMAGE_PIXELS, Network, TrainingStep, cpu};
    use super::*;
    use attrium_types::Architecture;

    fn images(count: usize) -> Tensor<4> {
        let wave = |at: usize| (0.37 * (at * at % 9973) as f32).sin();
        image_tensor((0..count * IMAGE_PIXELS).map(wave).collect(), &cpu())
    }

    fn networks(architecture: Architecture) -> [Network; 2] {
        let network = Network::new(architecture, 3, 5, &cpu()).unwrap();
        [network.clone(), network.without_engine()]
    }

    #[track_caller]
    fn assert_near(found: &[f32], expected: &[f32], tolerance: f32) {
        assert_eq!(found.len(), expected.len());
        let size = |values: &mut dyn Iterator<Item = f32>| {
            values.map(|value| value * value).sum::<f32>().sqrt()
        };
        let difference = size(&mut found.iter().zip(expected).map(|(a, b)| a - b));
        let expected = size(&mut expected.iter().copied());
        assert!(
            difference <= tolerance * expected,
            "{difference} of {expected}"
        );
    }

    /// Logits and gradients of a training step, and the weights after it as bytes.
    fn step(network: Network) -> (Vec<f32>, BTreeMap<String, Vec<f32>>, Vec<u8>) {
        let mut network = network.train();
        let logits = network.forward_training(images(2), TrainingStep { seed: 1, number: 0 });
        let found = gradients(&network, (logits.clone() * logits.clone()).sum().backward());
        let bytes = network.to_safetensors().unwrap();
        (floats(logits.into_data()), found, bytes)
    }

    #[test]
    fn the_engine_and_burn_agree_on_logits_gradients_and_running_statistics() {
        for architecture in [
            Architecture::Linear,
            Architecture::Residual,
            Architecture::Heart,
        ] {
            let [engine, burn] = networks(architecture).map(step);
            // 25 normalisations by a batch of two magnify differences of the last digit.
            assert_near(&engine.0, &burn.0, 1e-3);
            assert!(engine.1.keys().eq(burn.1.keys()));
            for (name, expected) in &burn.1 {
                // Some values are so close to 0 that only one of the two activates them. The tests
                // of the engine compare gradients with equal activations.
                assert_near(&engine.1[name], expected, 0.1);
            }
            let load = |bytes: &[u8]| {
                let file = safetensors::SafeTensors::deserialize(bytes).unwrap();
                let value = |bytes: &[u8]| f32::from_le_bytes(bytes.try_into().unwrap());
                file.iter()
                    .map(|(name, of)| (name.to_owned(), of.data().chunks(4).map(value).collect()))
                    .collect::<BTreeMap<String, Vec<f32>>>()
            };
            let (engine, burn) = (load(&engine.2), load(&burn.2));
            for (name, expected) in burn.iter().filter(|(name, _)| name.contains("running")) {
                assert_near(&engine[name], expected, 1e-4);
            }
        }
    }

    #[test]
    fn an_evaluation_follows_weights_that_have_changed() {
        for architecture in [
            Architecture::Linear,
            Architecture::Residual,
            Architecture::Heart,
        ] {
            let [mut network, _] = networks(architecture);
            let mut before = Vec::new();
            for number in 0..2 {
                network.forward_training(images(2), TrainingStep { seed: 1, number });
                let both = [network.clone(), network.clone().without_engine()];
                let [found, expected] =
                    both.map(|network| floats(network.forward(images(3)).into_data()));
                // Statistics of a batch of two magnify differences of the last digit, but weights
                // that were folded a step before differ by more than that.
                assert_near(&found, &expected, 1e-3);
                let moved = found
                    .iter()
                    .zip(&before)
                    .map(|(now, then): (&f32, &f32)| now - then);
                assert!(number == 0 || moved.map(f32::abs).fold(0.0, f32::max) > 0.01);
                before = found;
            }
        }
    }

    #[test]
    fn images_of_another_size_are_left_to_burn() {
        // As many pixels as two images have, and as many features.
        let images = images(2).reshape([2, 1, 64, 256]);
        let [engine, burn] = networks(Architecture::Linear)
            .map(|network| floats(network.forward(images.clone()).into_data()));
        assert_eq!(engine, burn);
        let [engine, burn] = networks(Architecture::Linear).map(|mut network| {
            let step = TrainingStep { seed: 1, number: 0 };
            floats(network.forward_training(images.clone(), step).into_data())
        });
        assert_eq!(engine, burn);
    }

    #[test]
    #[should_panic(expected = "channel")]
    fn images_of_four_channels_are_refused() {
        let [network, _] = networks(Architecture::Linear);
        network.forward(images(1).reshape([1, 4, 64, 64]));
    }

    #[test]
    fn the_gradient_of_an_image_is_left_to_burn() {
        let [engine, burn] = networks(Architecture::Linear).map(|network| {
            let mut network = network.train();
            let device = network.device();
            let images = Tensor::from_data(images(1).into_data(), &device).require_grad();
            let logits =
                network.forward_training(images.clone(), TrainingStep { seed: 1, number: 0 });
            let mut all = logits.sum().backward();
            floats(images.grad_remove(&mut all).unwrap().into_data())
        });
        assert_eq!(engine, burn);
    }
}
