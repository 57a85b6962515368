//! Burn's tensors on a processor, in 32 bits: how attrium's own operations take them apart and make
//! them.
//!
//! Burn's CPU backend is called flex.

use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{
    Autodiff, AutodiffBackend, BackendTensor, DispatchAutodiffContext, DispatchKindConversion,
    DispatchTensor, DispatchTensorKind, Flex, GradientCheckpointingStrategy, TensorMetadata,
};
use burn::tensor::{DType, Tensor, TensorData};

/// Whether a tensor is on the CPU and of 32-bit floats.
pub(super) fn is_cpu_f32(tensor: &DispatchTensor) -> bool {
    let kind = match &tensor.kind {
        DispatchTensorKind::Autodiff(inner) => &**inner,
        kind => kind,
    };
    matches!(kind, DispatchTensorKind::Flex(_)) && tensor.dtype() == DType::F32
}

/// Whether a tensor is on the CPU and no gradients are recorded for it.
pub(super) fn is_untracked(tensor: &DispatchTensor) -> bool {
    let recording = matches!(tensor.autodiff, DispatchAutodiffContext::Enabled(_));
    !recording && is_cpu_f32(tensor)
}

/// The tensor of the backend, if it is on the CPU and no gradients are recorded for it.
pub(super) fn untracked(tensor: DispatchTensor) -> Option<FlexTensor> {
    if !is_untracked(&tensor) {
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

/// The values of a tensor that is known to be contiguous and of 32-bit floats.
///
/// # Panics
/// If it is not.
pub(super) fn values(tensor: &FlexTensor) -> &[f32] {
    slice(tensor).expect("a tensor of an operation should be contiguous, and of 32-bit floats")
}

pub(super) fn tensor(values: Vec<f32>, shape: impl Into<Vec<usize>>) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, shape.into()))
}

/// A tensor of an autodiff graph.
pub(super) type Tracked = FloatTensor<Autodiff<Flex>>;

/// The tensor of the graph. One that is not recorded becomes a constant of it.
pub(super) fn into_tracked<C: CheckpointStrategy>(tensor: DispatchTensor) -> Option<Tracked>
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

/// A tensor of the graph as an ordinary tensor of Burn.
pub(super) fn from_tracked<C: CheckpointStrategy, const D: usize>(tensor: Tracked) -> Tensor<D>
where
    DispatchTensor: DispatchKindConversion<Autodiff<Flex, C>>,
{
    let tensor = BackendTensor::Float(tensor);
    Tensor::from_dispatch(<DispatchTensor as DispatchKindConversion<
        Autodiff<Flex, C>,
    >>::from_backend(tensor))
}

/// Which checkpointing the graph of these tensors uses; `None` where no gradients are recorded.
pub(super) fn checkpointing_strategy(
    tensors: &[DispatchTensor],
) -> Option<GradientCheckpointingStrategy> {
    tensors.iter().find_map(|tensor| match tensor.autodiff {
        DispatchAutodiffContext::Enabled(strategy) => Some(strategy),
        DispatchAutodiffContext::Disabled => None,
    })
}
