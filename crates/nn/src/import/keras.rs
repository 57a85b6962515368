//! Files of Keras: HDF5 with a group for each layer.

use std::collections::{BTreeMap, BTreeSet};

use hdf5_reader::error::Error;
use hdf5_reader::group::Group;
use hdf5_reader::{Dataset, Datatype, Hdf5File};

use super::error::WeightsError;
use super::tensor_file::{Budget, FileTensor, Values};

const KIND: &str = "an HDF5 file";

/// The group of the weights in a file that holds a whole model.
const MODEL: &str = "model_weights";
/// The depth to which groups are followed: the name of a layer may hold `/`.
const DEPTH: usize = 8;
/// Layers of the classifiers that the applications end with.
const HEADS: [&str; 4] = ["fc1", "fc2", "predictions", "conv_preds"];
/// Layers that Keras numbers; a session that has made others before goes on counting.
const COUNTED: [&str; 2] = ["conv2d", "batch_normalization"];

/// The tensors as `LAYER/PART`, such as `block1_conv1/kernel`. Counted layers are counted from 1.
pub(super) fn tensors(bytes: Vec<u8>) -> Result<BTreeMap<String, FileTensor>, WeightsError> {
    Ok(renumber(read(bytes)?))
}

impl From<Error> for WeightsError {
    fn from(source: Error) -> Self {
        Self::Damaged {
            kind: KIND,
            source: source.into(),
        }
    }
}

fn read(bytes: Vec<u8>) -> Result<BTreeMap<String, FileTensor>, WeightsError> {
    let root = Hdf5File::from_vec(bytes)?.root_group()?;
    let (groups, _) = root.members()?;
    let model = groups.iter().position(|group| group.name() == MODEL);
    let layers = match model {
        Some(model) => groups[model].groups()?,
        None => groups,
    };
    let mut walk = Walk {
        tensors: BTreeMap::new(),
        budget: Budget::new(KIND),
        seen: BTreeSet::new(),
    };
    for layer in layers.iter().filter(|it| !HEADS.contains(&it.name())) {
        walk.collect(layer.name(), layer, DEPTH)?;
    }
    Ok(walk.tensors)
}

/// A traversal of the groups of all layers.
struct Walk {
    tensors: BTreeMap<String, FileTensor>,
    budget: Budget,
    /// Addresses of groups: one may be part of several others, and of itself.
    seen: BTreeSet<u64>,
}

impl Walk {
    /// Reads the data sets of a layer, however deep below its group they are.
    fn collect(&mut self, layer: &str, group: &Group, depth: usize) -> Result<(), WeightsError> {
        if !self.seen.insert(group.address()) {
            return Ok(());
        }
        let (groups, datasets) = group.members()?;
        for dataset in datasets {
            let name = format!("{layer}/{}", part(layer, dataset.name()));
            let array = self.array(&dataset)?;
            self.tensors.insert(name, array);
        }
        if depth > 0 {
            for group in &groups {
                self.collect(layer, group, depth - 1)?;
            }
        }
        Ok(())
    }

    fn array(&mut self, dataset: &Dataset) -> Result<FileTensor, WeightsError> {
        let shape = dataset.shape().iter().map(|&extent| extent as usize);
        let shape: Vec<usize> = shape.collect();
        let mut take = |size: usize| self.budget.take(&shape, size);
        let values = match dataset.dtype() {
            Datatype::FloatingPoint { size: 4, .. } => {
                take(4)?;
                Values::Numbers(dataset.read_array::<f32>()?.into_iter().collect())
            }
            Datatype::FloatingPoint { size: 8, .. } => {
                take(8)?;
                let numbers = dataset.read_array::<f64>()?;
                Values::Numbers(numbers.into_iter().map(|number| number as f32).collect())
            }
            other => Values::Other(format!("{other:?}")),
        };
        Ok(FileTensor { shape, values })
    }
}

/// The name of a data set within its layer. The first files had names such as `block1_conv1_W_1:0`,
/// and those before Keras 3 have another name for the kernel of a depthwise convolution.
fn part<'a>(layer: &str, name: &'a str) -> &'a str {
    let name = name.split(':').next().unwrap_or(name);
    let name = name.strip_prefix(layer).unwrap_or(name);
    match name.trim_start_matches('_') {
        "W" | "W_1" | "depthwise_kernel" => "kernel",
        "b" | "b_1" => "bias",
        other => other,
    }
}

/// Numbers counted layers from 1, in the order in which Keras made them.
pub(super) fn renumber(tensors: BTreeMap<String, FileTensor>) -> BTreeMap<String, FileTensor> {
    let counted = |name: &str| {
        let (layer, part) = name.split_once('/')?;
        let kind = COUNTED.into_iter().find(|kind| layer.starts_with(kind))?;
        let number = match layer.strip_prefix(kind)? {
            "" => 0,
            rest => rest.strip_prefix('_')?.parse::<u32>().ok()?,
        };
        Some((kind, number, part.to_owned()))
    };
    let mut numbers: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for (kind, number, _) in tensors.keys().filter_map(|name| counted(name)) {
        numbers.entry(kind).or_default().push(number);
    }
    for of_kind in numbers.values_mut() {
        of_kind.sort_unstable();
        of_kind.dedup();
    }
    let renamed = |(name, array): (String, FileTensor)| match counted(&name) {
        Some((kind, number, part)) => {
            let place = numbers[kind].partition_point(|other| *other < number) + 1;
            (format!("{kind}_{place}/{part}"), array)
        }
        None => (name, array),
    };
    tensors.into_iter().map(renamed).collect()
}
