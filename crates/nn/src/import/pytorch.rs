//! Files of torchvision and timm.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use pytorch_reader::{DType, MAX_PICKLE_SIZE, PytorchReader};
use safetensors::tensor::{Dtype, SafeTensors};
use snafu::ResultExt;
use zip::ZipArchive;
use zip::result::ZipError;

use super::error::{DamagedSnafu, RunsSnafu, WeightsError};
use super::pickle;
use super::tensor_file::{Budget, FileTensor, Values};

/// Tensors that are left out: classifiers, the auxiliary classifier of InceptionV3, and counts of
/// batches.
fn is_ignored(name: &str) -> bool {
    let heads = ["classifier.", "fc.", "AuxLogits."];
    heads.iter().any(|head| name.starts_with(head)) || name.ends_with(".num_batches_tracked")
}

/// The tensors that `torch.save` wrote. The pickle is read, and nothing of it is run.
pub(super) fn from_pth(bytes: Vec<u8>) -> Result<BTreeMap<String, FileTensor>, WeightsError> {
    let kind = "a PyTorch file";
    let foreign = foreign_name(&bytes).boxed();
    if let Some(name) = foreign.context(DamagedSnafu { kind })? {
        return RunsSnafu { name }.fail();
    }
    let reader = PytorchReader::from_bytes(bytes, None)
        .boxed()
        .context(DamagedSnafu { kind })?;
    let mut budget = Budget::new(kind);
    let mut tensors = BTreeMap::new();
    for (name, tensor) in reader.into_tensors() {
        if is_ignored(&name) {
            continue;
        }
        let dtype = tensor.dtype();
        let mut bytes = || {
            budget.take(tensor.shape(), dtype.size())?;
            tensor.read().boxed().context(DamagedSnafu { kind })
        };
        let values = match dtype {
            DType::F32 => Values::from_f32(&bytes()?),
            DType::F64 => Values::from_f64(&bytes()?),
            other => Values::Other(format!("{other:?}")),
        };
        let shape = tensor.shape().to_vec();
        tensors.insert(name, FileTensor { shape, values });
    }
    Ok(tensors)
}

/// What a file would have Python run, if anything.
fn foreign_name(bytes: &[u8]) -> Result<Option<String>, ZipError> {
    if !bytes.starts_with(super::ZIP) {
        return Ok(pickle::foreign_name(bytes));
    }
    let mut archive = ZipArchive::new(Cursor::new(bytes))?;
    for place in 0..archive.len() {
        let entry = archive.by_index(place)?;
        if entry.name()?.ends_with(".pkl") {
            let mut pickle = Vec::new();
            entry.take(MAX_PICKLE_SIZE).read_to_end(&mut pickle)?;
            if let Some(name) = pickle::foreign_name(&pickle) {
                return Ok(Some(name));
            }
        }
    }
    Ok(None)
}

pub(super) fn from_safetensors(bytes: &[u8]) -> Result<BTreeMap<String, FileTensor>, WeightsError> {
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
        (name.to_owned(), FileTensor { shape, values })
    };
    Ok(tensors.map(read).collect())
}
