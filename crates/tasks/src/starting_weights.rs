//! The weights that a training starts from: of ImageNet, of a bundle, or random ones.

use snafu::{OptionExt, Snafu, ensure};

use super::TaskError;
use super::failure::{OrBadPlace, OrFail};
use super::model;
use super::task_io::{LARGEST_WEIGHTS, TrainingIo};
use attrium_api::{ModelPlace, ModelSource};
use attrium_bundle::{BundleManifest, SignaturePolicy};
use attrium_dataset::CohortDigests;
use attrium_nn::{Device, Network, PretrainedWeights};
use attrium_storage::Storage;
use attrium_training::Normalization;
use attrium_types::{Architecture, CropMode, InitialWeights, Intensity, Target};

/// The weights before the first step of a fit.
pub(super) enum StartingWeights {
    /// Drawn from the seed.
    Random,
    /// Those of a file.
    ImageNet(PretrainedWeights),
    /// Those of a member of a bundle.
    Bundle(Box<StartingMember>),
}

/// A member of a bundle, from which a fold starts.
pub(super) struct StartingMember {
    network: Network,
    /// What images went through that it was trained on.
    normalization: Normalization,
    /// Whether its classes are those of the training, so that its head is of use.
    has_head: bool,
    /// The bundle's digest.
    pub digest: String,
}

/// Why a training cannot start from a bundle.
#[derive(Debug, Snafu)]
enum Unfit {
    #[snafu(display(
        "the bundle at {uri} is of {found}, so that {wanted} cannot start from it: give it to the network \
         {found}"
    ))]
    Architecture {
        uri: String,
        found: Architecture,
        wanted: Architecture,
    },
    #[snafu(display(
        "the bundle at {uri} was trained on the crop {found:?}, not on {wanted:?}: set preprocessing.crop: \
         {found:?}"
    ))]
    Crop {
        uri: String,
        found: CropMode,
        wanted: CropMode,
    },
    #[snafu(display(
        "the bundle at {uri} was trained on the intensity {found:?}, not on {wanted:?}: set \
         preprocessing.intensity: {found:?}"
    ))]
    Intensity {
        uri: String,
        found: Intensity,
        wanted: Intensity,
    },
    #[snafu(display(
        "the model of the TrainingRun {run} is not known here: name its bundle by startFrom.uri"
    ))]
    Unknown { run: String },
}

impl From<Unfit> for TaskError {
    /// For every fold it stays as it is.
    fn from(error: Unfit) -> Self {
        Self::bad_configuration(error)
    }
}

impl StartingMember {
    /// Its network, with another head where it answers another question.
    pub(super) fn network(&self, classes: usize, seed: u64) -> Result<Network, TaskError> {
        if self.has_head {
            return Ok(self.network.clone());
        }
        let network = self.network.with_new_head(classes, seed);
        network.or_bad_configuration()
    }
}

impl StartingWeights {
    /// The weights that a fold of a network starts from, read from wherever the manifest says; a network that
    /// is trained on all data starts from what the first fold does.
    ///
    /// # Errors
    /// A bad configuration, since no task of the network could do better; a store that does not answer
    /// may answer later.
    pub(super) fn of(
        io: &TrainingIo<'_>,
        signatures: &SignaturePolicy,
        (architecture, target): (Architecture, Target),
        fold: u32,
        device: &Device,
    ) -> Result<Self, TaskError> {
        if let Some(uri) = io.spec.pretrained_weights(architecture) {
            let (folder, key) = Storage::open_object(uri, &io.options).or_bad_place()?;
            let bytes = folder.get(&key, LARGEST_WEIGHTS).or_bad_place()?;
            let weights = PretrainedWeights::read(bytes, architecture);
            return Ok(Self::ImageNet(weights.or_bad_configuration()?));
        }
        let Some(source) = io.spec.start_from(architecture) else {
            return Ok(Self::Random);
        };
        let place = place(io, source)?;
        let model = model::open_source(io, source, place, signatures, device)?;
        ensure_fit(io, place.uri, &model.manifest, architecture)?;
        let (network, normalization) = model.starting_point(fold);
        Ok(Self::Bundle(Box::new(StartingMember {
            network: network.clone(),
            normalization: normalization.clone(),
            has_head: model.manifest.target == target,
            digest: model.digest,
        })))
    }

    /// What images have to go through for these weights.
    pub(super) fn normalization(&self) -> Option<&Normalization> {
        match self {
            Self::Bundle(member) => Some(&member.normalization),
            Self::Random | Self::ImageNet(_) => None,
        }
    }
}

/// What the training of a network begins from, in the words of its metrics and its bundle.
///
/// # Errors
/// As [`StartingWeights::of`].
pub(super) fn initial_weights(
    io: &TrainingIo<'_>,
    architecture: Architecture,
) -> Result<InitialWeights, TaskError> {
    if io.spec.pretrained_weights(architecture).is_some() {
        return Ok(InitialWeights::ImageNet);
    }
    let Some(source) = io.spec.start_from(architecture) else {
        return Ok(InitialWeights::Random);
    };
    let place = place(io, source)?;
    let digest = match place.digest {
        Some(digest) => digest.to_owned(),
        None => model::digest(place.uri, &io.options)?,
    };
    Ok(InitialWeights::Bundle(digest))
}

/// The digest of the bundle that a network starts from, and what tells the scans again that this one has seen, where it
/// says so; none where a network starts from no bundle.
///
/// # Errors
/// As [`StartingWeights::of`].
pub(super) fn seen_before(
    io: &TrainingIo<'_>,
    architecture: Architecture,
) -> Result<Option<(String, Option<CohortDigests>)>, TaskError> {
    let of_bundle = io.spec.pretrained_weights(architecture).is_none();
    let source = io.spec.start_from(architecture).filter(|_| of_bundle);
    let Some(source) = source else {
        return Ok(None);
    };
    Ok(Some(model::seen(place(io, source)?, &io.options)?))
}

/// Where a bundle is: the manifest says, or whoever started the task has looked it up.
fn place<'a>(io: &'a TrainingIo<'_>, source: &'a ModelSource) -> Result<ModelPlace<'a>, Unfit> {
    let run = source.training_run.as_deref().unwrap_or_default();
    let place = source.place().or(io.context.model);
    place.context(UnknownSnafu { run })
}

/// Refuses a bundle whose networks have seen other images than those of this run are.
fn ensure_fit(
    io: &TrainingIo<'_>,
    uri: &str,
    bundle: &BundleManifest,
    wanted: Architecture,
) -> Result<(), Unfit> {
    let found = bundle.architecture;
    ensure!(found == wanted, ArchitectureSnafu { uri, found, wanted });
    let (found, wanted) = (bundle.crop, io.spec.preprocessing.crop);
    ensure!(found == wanted, CropSnafu { uri, found, wanted });
    let (found, wanted) = (bundle.intensity, io.spec.preprocessing.intensity);
    ensure!(found == wanted, IntensitySnafu { uri, found, wanted });
    Ok(())
}
