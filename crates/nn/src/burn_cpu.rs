//! Burn's tensors on a processor, in 32 bits: what an operation of attrium's own takes them apart to,
//! and puts them together from.

use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{
    Autodiff, AutodiffBackend, BackendTensor, DispatchAutodiffContext, DispatchKindConversion,
    DispatchTensor, DispatchTensorKind, Flex, GradientCheckpointingStrategy, TensorMetadata,
};
use burn::tensor::{DType, Tensor, TensorData};

/// Whether a tensor is on the processor and in 32 bits.
pub(super) fn is_flex(tensor: &DispatchTensor) -> bool {
    let kind = match &tensor.kind {
        DispatchTensorKind::Autodiff(inner) => &**inner,
        kind => kind,
    };
    matches!(kind, DispatchTensorKind::Flex(_)) && tensor.dtype() == DType::F32
}

/// Whether a tensor is on the processor and records no gradients.
pub(super) fn is_plain(tensor: &DispatchTensor) -> bool {
    let recording = matches!(tensor.autodiff, DispatchAutodiffContext::Enabled(_));
    !recording && is_flex(tensor)
}

/// A tensor that records no gradients, if it is on the processor.
pub(super) fn plain(tensor: DispatchTensor) -> Option<FlexTensor> {
    if !is_plain(&tensor) {
        return None;
    }
    let tensor = <DispatchTensor as DispatchKindConversion<Flex>>::try_into_backend(tensor).ok()?;
    Some(contiguous(tensor.float()))
}

pub(super) fn contiguous(tensor: FlexTensor) -> FlexTensor {
    if tensor.is_contiguous() {
        tensor
    } else {
        tensor.to_contiguous()
    }
}

/// The values of a contiguous tensor of 32-bit floats.
pub(super) fn slice(tensor: &FlexTensor) -> Option<&[f32]> {
    tensor.as_slice::<f32>()
}

/// The same of a tensor that is known to be one.
///
/// # Panics
/// If it is none.
pub(super) fn values(tensor: &FlexTensor) -> &[f32] {
    slice(tensor).expect("a tensor of an operation should be contiguous, and of 32-bit floats")
}

/// A tensor of these values.
pub(super) fn tensor(values: Vec<f32>, shape: impl Into<Vec<usize>>) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, shape.into()))
}

/// A tensor of the graph.
pub(super) type Tracked = FloatTensor<Autodiff<Flex>>;

/// A tensor of the graph; one that records nothing becomes a constant of it.
pub(super) fn lift<C: CheckpointStrategy>(tensor: DispatchTensor) -> Option<Tracked>
where
    DispatchTensor: DispatchKindConversion<Autodiff<Flex, C>>,
{
    match tensor.autodiff {
        DispatchAutodiffContext::Disabled => {
            let tensor = <DispatchTensor as DispatchKindConversion<Flex>>::try_into_backend(tensor);
            Some(<Autodiff<Flex, C> as AutodiffBackend>::from_inner(
                tensor.ok()?.float(),
            ))
        }
        DispatchAutodiffContext::Enabled(_) => {
            let tensor =
                <DispatchTensor as DispatchKindConversion<Autodiff<Flex, C>>>::try_into_backend(
                    tensor,
                );
            Some(tensor.ok()?.float())
        }
    }
}

/// A tensor of the graph as one for everybody.
pub(super) fn lower<C: CheckpointStrategy, const D: usize>(tensor: Tracked) -> Tensor<D>
where
    DispatchTensor: DispatchKindConversion<Autodiff<Flex, C>>,
{
    let tensor = BackendTensor::Float(tensor);
    Tensor::from_dispatch(<DispatchTensor as DispatchKindConversion<
        Autodiff<Flex, C>,
    >>::from_backend(tensor))
}

/// How the graph that any of these tensors belongs to keeps what the way back needs; nothing where
/// none is recorded.
pub(super) fn strategy(tensors: &[DispatchTensor]) -> Option<GradientCheckpointingStrategy> {
    tensors.iter().find_map(|tensor| match tensor.autodiff {
        DispatchAutodiffContext::Enabled(strategy) => Some(strategy),
        DispatchAutodiffContext::Disabled => None,
    })
}
