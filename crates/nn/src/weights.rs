//! The tensors of a network by name: saving, loading and drawing them.

use std::collections::{BTreeMap, HashMap};

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::{Tensor, TensorData};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use snafu::{OptionExt, ResultExt, ensure};

use super::error::{FormatSnafu, LayoutSnafu, MismatchSnafu};
use super::network::{Network, floats};
use super::{Error, Layout};
use attrium_types::random;

/// The key of the layout in a file's metadata. It is the only key, since the order of several would
/// be random.
const LAYOUT: &str = "layout";

/// The network as the bytes of a safetensors file.
pub(super) fn save(network: &Network) -> Result<Vec<u8>, Error> {
    let tensors = collect(network);
    let bytes: BTreeMap<&str, (Vec<usize>, Vec<u8>)> = tensors
        .iter()
        .map(|(name, tensor)| {
            let values = tensor.values.iter().flat_map(|value| value.to_le_bytes());
            (name.as_str(), (tensor.shape.clone(), values.collect()))
        })
        .collect();
    let views = bytes
        .iter()
        .map(|(name, (shape, data))| Ok((*name, TensorView::new(Dtype::F32, shape.clone(), data)?)))
        .collect::<Result<Vec<_>, _>>()
        .context(FormatSnafu)?;
    let layout = network.layout();
    let metadata = (layout != Layout::default())
        .then(|| HashMap::from([(LAYOUT.to_owned(), layout.to_string())]));
    safetensors::serialize(views, metadata).context(FormatSnafu)
}

/// The layout that a file states; Keras' if it states none.
pub(super) fn layout(bytes: &[u8]) -> Result<Layout, Error> {
    let (_, header) = SafeTensors::read_metadata(bytes).context(FormatSnafu)?;
    let stated = header.metadata().as_ref().and_then(|all| all.get(LAYOUT));
    stated.map_or(Ok(Layout::default()), |name| {
        Layout::named(name).context(LayoutSnafu { name })
    })
}

/// The network with the tensors of a safetensors file.
pub(super) fn load(network: Network, bytes: &[u8]) -> Result<Network, Error> {
    let file = SafeTensors::deserialize(bytes).context(FormatSnafu)?;
    let mut loader = Loader {
        unused: file.iter().collect(),
        faults: Vec::new(),
    };
    let network = map_by_name(network, &mut loader);
    let mut faults = loader.faults;
    faults.extend(loader.unused.keys().map(|name| format!("unknown {name}")));
    ensure!(
        faults.is_empty(),
        MismatchSnafu {
            faults: faults.join(", ")
        }
    );
    Ok(network)
}

/// The network with initial weights; see [`Network::new`].
pub(super) fn draw(network: Network, seed: u64) -> Network {
    map_by_name(network, &mut Drawer { seed })
}

/// The number of values that gradients change.
pub(super) fn trained_parameters(network: &Network) -> usize {
    let mut counter = Counter(0);
    network.valid().train().visit(&mut counter);
    counter.0
}

/// The network with each tensor moved towards another's of its kind, of which it keeps so much.
pub(super) fn blend(network: Network, other: &Network, kept: f32) -> Network {
    let others = collect(other);
    map_by_name(network, &mut Blender { others, kept })
}

/// The network with each tensor of another that it has too, in the same shape, but for those of the head.
pub(super) fn adopt(network: Network, other: &Network) -> Network {
    let mut others = collect(other);
    others.retain(|name, _| !is_of_head(name));
    map_by_name(network, &mut Adopter { others })
}

fn is_of_head(name: &str) -> bool {
    name.rsplit('.').nth(1) == Some("head")
}

struct Adopter {
    others: BTreeMap<String, StoredTensor>,
}

impl MapByName for Adopter {
    fn map<const D: usize>(&mut self, name: &str, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        match self.others.remove(name) {
            Some(other) if other.shape == param.val().dims() => {
                with_values(param, name, other.values)
            }
            _ => param,
        }
    }
}

struct Blender {
    others: BTreeMap<String, StoredTensor>,
    kept: f32,
}

impl MapByName for Blender {
    fn map<const D: usize>(&mut self, name: &str, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(other) = self.others.get(name) else {
            return param;
        };
        let own = floats(param.val().into_data());
        let values = own.iter().zip(&other.values);
        let values = values.map(|(own, other)| self.kept * own + (1.0 - self.kept) * other);
        let values = values.collect();
        with_values(param, name, values)
    }
}

struct Counter(usize);

impl ModuleVisitor for Counter {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = param.val();
        if tensor.is_require_grad() {
            self.0 += tensor.shape().num_elements();
        }
    }
}

struct StoredTensor {
    shape: Vec<usize>,
    values: Vec<f32>,
}

fn collect<M: Module>(module: &M) -> BTreeMap<String, StoredTensor> {
    let mut collector = Collector {
        path: Path::default(),
        tensors: BTreeMap::new(),
    };
    module.visit(&mut collector);
    collector.tensors
}

/// The path of a traversal, without the variant of the enum around all: names are the same for
/// every architecture.
#[derive(Default)]
pub(super) struct Path(Vec<String>);

impl Path {
    pub(super) fn enter(&mut self, name: &str, container: &str) {
        if !container.starts_with("Enum:") {
            self.0.push(name.to_owned());
        }
    }

    pub(super) fn exit(&mut self, container: &str) {
        if !container.starts_with("Enum:") {
            self.0.pop();
        }
    }

    pub(super) fn name(&self) -> String {
        self.0.join(".")
    }
}

/// Maps each tensor of a module by its name.
pub(super) trait MapByName {
    /// The parameter that replaces the one of this name.
    fn map<const D: usize>(&mut self, name: &str, param: Param<Tensor<D>>) -> Param<Tensor<D>>;
}

/// The module with each of its tensors mapped.
pub(super) fn map_by_name<M: Module>(module: M, mapper: &mut impl MapByName) -> M {
    module.map(&mut Named {
        path: Path::default(),
        mapper,
    })
}

struct Named<'a, T> {
    path: Path,
    mapper: &'a mut T,
}

impl<T: MapByName> ModuleMapper for Named<'_, T> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _: &str, container: &str) {
        self.path.exit(container);
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        self.mapper.map(&self.path.name(), param)
    }
}

struct Collector {
    path: Path,
    tensors: BTreeMap<String, StoredTensor>,
}

impl ModuleVisitor for Collector {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _: &str, container: &str) {
        self.path.exit(container);
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = param.val();
        let shape = tensor.dims().to_vec();
        let values = floats(tensor.into_data());
        self.tensors
            .insert(self.path.name(), StoredTensor { shape, values });
    }
}

struct Loader<'a> {
    unused: BTreeMap<&'a str, TensorView<'a>>,
    faults: Vec<String>,
}

impl MapByName for Loader<'_> {
    fn map<const D: usize>(&mut self, name: &str, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let shape = param.val().dims();
        match self.unused.remove(name) {
            None => self.faults.push(format!("missing {name}")),
            Some(view) if view.dtype() != Dtype::F32 => {
                self.faults
                    .push(format!("{name} is {:?} instead of F32", view.dtype()));
            }
            Some(view) if view.shape() != shape => {
                self.faults
                    .push(format!("{name} is {:?} instead of {shape:?}", view.shape()));
            }
            Some(view) => {
                let (bytes, _) = view.data().as_chunks::<4>();
                let values: Vec<f32> = bytes
                    .iter()
                    .map(|bytes| f32::from_le_bytes(*bytes))
                    .collect();
                match fault(name, &values) {
                    None => return with_values(param, name, values),
                    Some(fault) => self.faults.push(format!("{name} {fault}")),
                }
            }
        }
        param
    }
}

/// What is wrong with the values of a tensor, if anything: with them the logits would be infinite
/// or NaN.
pub(super) fn fault(name: &str, values: &[f32]) -> Option<&'static str> {
    if !values.iter().all(|value| value.is_finite()) {
        return Some("holds a value that is infinite or not a number");
    }
    let is_variance = name.ends_with(".running_var");
    (is_variance && values.iter().any(|value| *value < 0.0)).then_some("holds a negative variance")
}

struct Drawer {
    seed: u64,
}

impl MapByName for Drawer {
    /// Vectors keep their zeros and ones; kernels and matrices are drawn.
    fn map<const D: usize>(&mut self, name: &str, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let shape = param.val().dims();
        let values = if D == 1 {
            floats(param.val().into_data())
        } else {
            let field: usize = shape[2..].iter().product();
            let limit = (6.0 / ((shape[0] + shape[1]) * field) as f32).sqrt();
            let mut stream = random::named(self.seed, name);
            let count = shape.iter().product();
            (0..count)
                .map(|_| (2.0 * random::unit_f32(&mut stream) - 1.0) * limit)
                .collect()
        };
        with_values(param, name, values)
    }
}

/// The parameter with other values, and with an identifier that follows from its name: so the
/// optimiser's state, which is kept by identifier, fits a network made in another process.
pub(super) fn with_values<const D: usize>(
    param: Param<Tensor<D>>,
    name: &str,
    values: Vec<f32>,
) -> Param<Tensor<D>> {
    let (_, old, mapper) = param.consume();
    let data = TensorData::new(values, old.dims());
    let tensor = Tensor::from_data(data, &old.device()).set_require_grad(old.is_require_grad());
    Param::from_mapped_value(identifier(name), tensor, mapper)
}

fn identifier(name: &str) -> ParamId {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(name.as_bytes());
    let (words, _) = digest.as_chunks::<8>();
    ParamId::from(u64::from_le_bytes(words[0]))
}

/// The names of a module's tensors, in alphabetical order.
#[cfg(test)]
pub(super) fn names<M: Module>(module: &M) -> Vec<String> {
    collect(module).into_keys().collect()
}

/// The gradients of a module's parameters by name.
#[cfg(test)]
pub(super) fn gradients<M: Module>(
    module: &M,
    gradients: burn::tensor::Gradients,
) -> BTreeMap<String, Vec<f32>> {
    struct Gradients {
        path: Path,
        all: burn::tensor::Gradients,
        found: BTreeMap<String, Vec<f32>>,
    }
    impl ModuleVisitor for Gradients {
        fn enter_module(&mut self, name: &str, container: &str) {
            self.path.enter(name, container);
        }

        fn exit_module(&mut self, _: &str, container: &str) {
            self.path.exit(container);
        }

        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(gradient) = param.val().grad_remove(&mut self.all) {
                self.found
                    .insert(self.path.name(), floats(gradient.into_data()));
            }
        }
    }
    let mut visitor = Gradients {
        path: Path::default(),
        all: gradients,
        found: BTreeMap::new(),
    };
    module.visit(&mut visitor);
    visitor.found
}
