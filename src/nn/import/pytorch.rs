//! Files of torchvision and timm.

use std::collections::BTreeMap;

use pytorch_reader::{DType, PytorchReader};
use safetensors::tensor::{Dtype, SafeTensors};
use snafu::ResultExt;

use super::error::{DamagedSnafu, WeightsError};
use super::tensor_file::{Array, Values};

/// What is left out: classifiers, InceptionV3's second classifier, and counts of batches.
fn is_ignored(name: &str) -> bool {
    let heads = ["classifier.", "fc.", "AuxLogits."];
    heads.iter().any(|head| name.starts_with(head)) || name.ends_with(".num_batches_tracked")
}

/// The tensors that `torch.save` wrote. The pickle is walked through, and none of it is run.
pub(super) fn from_pth(bytes: Vec<u8>) -> Result<BTreeMap<String, Array>, WeightsError> {
    let kind = "a PyTorch file";
    let reader = PytorchReader::from_bytes(bytes, None)
        .boxed()
        .context(DamagedSnafu { kind })?;
    let mut tensors = BTreeMap::new();
    for (name, tensor) in reader.into_tensors() {
        if is_ignored(&name) {
            continue;
        }
        let bytes = || tensor.read().boxed().context(DamagedSnafu { kind });
        let values = match tensor.dtype() {
            DType::F32 => Values::from_f32(&bytes()?),
            DType::F64 => Values::from_f64(&bytes()?),
            other => Values::Other(format!("{other:?}")),
        };
        let shape = tensor.shape().to_vec();
        tensors.insert(name, Array { shape, values });
    }
    Ok(tensors)
}

pub(super) fn from_safetensors(bytes: &[u8]) -> Result<BTreeMap<String, Array>, WeightsError> {
    let kind = "a safetensors file";
    let file = SafeTensors::deserialize(bytes)
        .boxed()
        .context(DamagedSnafu { kind })?;
    let tensors = file.iter().filter(|(name, _)| !is_ignored(name));
    let read = |(name, view): (&str, safetensors::tensor::TensorView<'_>)| {
        let values = match view.dtype() {
            Dtype::F32 => Values::from_f32(view.data()),
            Dtype::F64 => Values::from_f64(view.data()),
            other => Values::Other(format!("{other:?}")),
        };
        let shape = view.shape().to_vec();
        (name.to_owned(), Array { shape, values })
    };
    Ok(tensors.map(read).collect())
}
