//! Joins the [`attrium_engine`] to Burn: the layers of a stack as one operation that can be
//! differentiated, on a processor and in 32 bits.
//!
//! Anywhere else there is no such operation (`None`), and Burn's own do the work. Where there is one and
//! it cannot be done, for want of memory above all, that is a panic, as it is in Burn: to go on without
//! the engine would take ten times as long, and more memory.

use std::fmt;
use std::sync::{Arc, LazyLock, Mutex};

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

use super::burn_cpu::{contiguous, is_flex, lift, lower, plain, slice, strategy, tensor};
use super::{BatchNorm, Layer};
use attrium_engine::{
    self, Engine, Extent, Folded, Gradients, Isa, Level, Parameters, Program, Statistics,
    StatisticsMut, Training, training_shares,
};

/// The images and three parameters of each of 25 layers: what the operation takes.
const INPUTS: usize = 1 + 3 * 25;

/// What a panic says if not; the engine's error follows.
pub(super) const RUNS: &str = "the engine should have memory for the layers and fit them";

/// The layers of a stack as the engine runs them. Clones share its memory.
#[derive(Clone, Debug)]
pub(super) struct Trunk {
    engine: Option<Arc<Engine>>,
    kept: Arc<Mutex<Option<Kept>>>,
}

/// The weights of the last evaluation, folded.
struct Kept {
    /// What they were made of. As long as these live nothing else has their addresses, and nobody
    /// changes them in place.
    tensors: Vec<FlexTensor>,
    folded: Arc<Folded>,
}

/// A batch's features, and the mean and variance of each layer's outputs.
pub(super) struct Trained {
    pub features: Tensor<4>,
    pub statistics: Vec<[Tensor<1>; 2]>,
}

impl Trunk {
    /// The engine of a program.
    ///
    /// # Panics
    /// If it has not 25 layers.
    pub(crate) fn new(program: Program) -> Self {
        let inputs = 1 + 3 * program.convolutions().count();
        assert_eq!(inputs, INPUTS, "a program should have 25 layers");
        Self {
            engine: Some(Arc::new(Engine::new(program, isa()))),
            kept: Arc::default(),
        }
    }

    /// The same with Burn's own operations everywhere.
    pub(crate) fn off() -> Self {
        Self {
            engine: None,
            kept: Arc::default(),
        }
    }

    /// The engine, for images of its program's size; Burn's own operations take others, or refuse them.
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

    /// The features of images by the running statistics.
    pub(crate) fn evaluate<'a>(
        &self,
        images: &Tensor<4>,
        layers: impl Iterator<Item = &'a Layer>,
    ) -> Option<Tensor<4>> {
        let engine = self.engine_for(images)?;
        let images = plain(images.clone().into_dispatch())?;
        let mut tensors = Vec::new();
        for layer in layers {
            let BatchNorm {
                running_mean,
                running_var,
                ..
            } = &layer.norm;
            tensors.extend(parameters(layer).into_iter().map(plain));
            tensors.extend([running_mean, running_var].map(|of| plain(of.val().into_dispatch())));
        }
        let tensors = tensors.into_iter().collect::<Option<Vec<_>>>()?;
        let folded = self.folded(engine, tensors).expect(RUNS);
        let batch = images.shape()[0];
        let mut features = vec![0.0; batch * engine.program().features().len()];
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
    ) -> Result<Arc<Folded>, attrium_engine::Error> {
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
            *kept = Some(Kept { tensors, folded });
        }
        Ok(folded)
    }

    /// The features of images by their own statistics.
    pub(crate) fn train<'a>(
        &self,
        images: &Tensor<4>,
        layers: impl Iterator<Item = &'a Layer>,
    ) -> Option<Trained> {
        let engine = self.engine_for(images)?;
        let mut inputs = vec![images.clone().into_dispatch()];
        inputs.extend(layers.flat_map(parameters));
        if inputs.len() != INPUTS || !inputs.iter().all(is_flex) {
            return None;
        }
        match strategy(&inputs) {
            Some(GradientCheckpointingStrategy::Disabled) => {
                record::<NoCheckpointing>(engine, inputs)
            }
            Some(GradientCheckpointingStrategy::Balanced) => {
                record::<BalancedCheckpointing>(engine, inputs)
            }
            None => {
                let inputs = inputs.into_iter().map(plain).collect::<Option<Vec<_>>>()?;
                let (features, statistics, _) = forward(engine, inputs)?;
                let features = Tensor::from_primitive::<Flex>(features);
                Some(Trained {
                    features,
                    statistics,
                })
            }
        }
    }
}

/// The fastest instructions, or those that the environment variable `ATTRIUM_SIMD` names: `avx512`,
/// `avx2`, `portable` or `portable16`. They are chosen once.
pub(super) fn isa() -> Isa {
    static ISA: LazyLock<Isa> = LazyLock::new(|| {
        let level = match std::env::var("ATTRIUM_SIMD").ok().as_deref() {
            Some("avx512") => Some(Level::Avx512),
            Some("avx2") => Some(Level::Avx2),
            Some("portable") => Some(Level::Portable),
            Some("portable16") => Some(Level::Portable16),
            _ => None,
        };
        level.and_then(Isa::available).unwrap_or_else(Isa::best)
    });
    *ISA
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

/// What the way back needs.
struct Saved {
    engine: Arc<Engine>,
    inputs: Vec<FlexTensor>,
    /// Taken by the way back. Burn asks for a state that can be cloned, and never does it.
    training: Arc<Mutex<Option<Training>>>,
}

impl Clone for Saved {
    fn clone(&self) -> Self {
        Self {
            engine: Arc::clone(&self.engine),
            inputs: self.inputs.clone(),
            training: Arc::clone(&self.training),
        }
    }
}

impl fmt::Debug for Saved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Saved")
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kept")
    }
}

type Forward = (FlexTensor, Vec<[Tensor<1>; 2]>, Saved);

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
    let mut features = vec![0.0; batch * engine.program().features().len()];
    let training = engine
        .train(
            training_shares(batch),
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
    let saved = Saved {
        engine: Arc::clone(engine),
        inputs,
        training: Arc::new(Mutex::new(Some(training))),
    };
    Some((features, statistics, saved))
}

/// The node of the graph.
#[derive(Debug)]
struct TrunkBackward;

impl Backward<Flex, INPUTS> for TrunkBackward {
    type State = Saved;

    fn backward(
        self,
        ops: Ops<Saved, INPUTS>,
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

impl Saved {
    /// The gradients of the parameters, or nothing if they have been taken.
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

fn record<C: CheckpointStrategy>(
    engine: &Arc<Engine>,
    inputs: Vec<DispatchTensor>,
) -> Option<Trained>
where
    DispatchTensor: DispatchKindConversion<Autodiff<Flex, C>>,
{
    let inputs = inputs
        .into_iter()
        .map(lift::<C>)
        .collect::<Option<Vec<_>>>()?;
    if inputs[0].is_tracked() {
        // Nobody trains on the gradient of an image; Burn can tell it whoever asks.
        return None;
    }
    let (tensors, nodes): (Vec<_>, Vec<_>) = inputs.into_iter().map(|of| of.into_parts()).unzip();
    let nodes = <[_; INPUTS]>::try_from(nodes).ok()?;
    let prepared = TrunkBackward.prepare::<C>(nodes).compute_bound().stateful();
    let (features, statistics, saved) = forward(engine, tensors)?;
    let features = match prepared {
        OpsKind::Tracked(prepared) => prepared.finish(saved, features),
        OpsKind::UnTracked(prepared) => prepared.finish(features),
    };
    Some(Trained {
        features: lower::<C, 4>(features),
        statistics,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use burn::module::Module;

    use super::super::network::{floats, image_tensor};
    use super::super::weights::gradients;
    use super::super::{IMAGE_PIXELS, Network, Step, cpu};
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

    /// Logits and gradients of a training step, and the weights' bytes after it.
    fn step(network: Network) -> (Vec<f32>, BTreeMap<String, Vec<f32>>, Vec<u8>) {
        let mut network = network.train();
        let logits = network.forward_training(images(2), Step { seed: 1, number: 0 });
        let found = gradients(&network, (logits.clone() * logits.clone()).sum().backward());
        let bytes = network.to_safetensors().unwrap();
        (floats(logits.into_data()), found, bytes)
    }

    #[test]
    fn the_engine_and_burn_agree_on_logits_gradients_and_running_statistics() {
        for architecture in [Architecture::Linear, Architecture::Residual] {
            let [engine, burn] = networks(architecture).map(step);
            // 25 normalisations by a batch of two make more of a last digit than one does.
            assert_near(&engine.0, &burn.0, 1e-3);
            assert!(engine.1.keys().eq(burn.1.keys()));
            for (name, expected) in &burn.1 {
                // Some values are so close to 0 that only one of the two activates them. The
                // engine's own tests compare gradients with the same ones activated.
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
        for architecture in [Architecture::Linear, Architecture::Residual] {
            let [mut network, _] = networks(architecture);
            let mut before = Vec::new();
            for number in 0..2 {
                network.forward_training(images(2), Step { seed: 1, number });
                let both = [network.clone(), network.clone().without_engine()];
                let [found, expected] =
                    both.map(|network| floats(network.forward(images(3)).into_data()));
                // Statistics of a batch of two make much of a last digit; what was folded a step
                // before is farther away than that.
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
            let step = Step { seed: 1, number: 0 };
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
            let logits = network.forward_training(images.clone(), Step { seed: 1, number: 0 });
            let mut all = logits.sum().backward();
            floats(images.grad_remove(&mut all).unwrap().into_data())
        });
        assert_eq!(engine, burn);
    }
}
