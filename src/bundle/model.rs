use std::collections::BTreeMap;

use burn::tensor::Device;
use snafu::{OptionExt, ResultExt, Snafu, ensure};

use super::error::{
    ChangedSnafu, Error, IncompleteSnafu, NetworkSnafu, NormalizationSnafu, UnlistedSnafu,
    WeightsSnafu,
};
use super::{CHECKSUMS, Checksums, MANIFEST, Manifest};
use crate::api::OperatingPoint;
use crate::imaging::CROP_PIXELS;
use crate::nn::{ActivationMap, Network};
use crate::training::Normalization;

/// A bundle in memory, ready to screen with.
#[derive(Debug)]
pub struct Model {
    /// What the bundle says of itself.
    pub manifest: Manifest,
    /// The bundle's digest.
    pub digest: String,
    members: Vec<Member>,
}

#[derive(Debug)]
struct Member {
    network: Network,
    normalization: Normalization,
}

/// A sensitivity that the model's out-of-fold predictions cannot state a threshold for.
#[derive(Clone, Copy, Debug, PartialEq, Snafu)]
#[snafu(display(
    "the bundle's out-of-fold predictions reach no sensitivity of {sensitivity}: state a threshold \
     instead"
))]
pub struct MissingOperatingPoint {
    sensitivity: f64,
}

impl Model {
    /// The names of a bundle's files, from the content of its `SHA256SUMS`.
    ///
    /// # Errors
    /// [`Error::Incomplete`].
    pub fn files(checksums: &[u8]) -> Result<Vec<String>, Error> {
        Ok(parse(checksums)?.names().map(str::to_owned).collect())
    }

    /// Opens a bundle from its files, `SHA256SUMS` among them, after checking every byte.
    ///
    /// # Errors
    /// [`Error`], for a bundle that is not whole, changed, or of another version.
    pub fn open(files: &BTreeMap<String, Vec<u8>>, device: &Device) -> Result<Self, Error> {
        let checksums = parse(files.get(CHECKSUMS).context(IncompleteSnafu)?)?;
        for name in checksums.names() {
            let bytes = files.get(name).context(UnlistedSnafu { name })?;
            ensure!(checksums.holds(name, bytes), ChangedSnafu { name });
        }
        let listed = |name: &str| {
            let known = checksums.names().any(|listed| listed == name);
            let bytes = files.get(name).filter(|_| known);
            bytes.context(UnlistedSnafu { name })
        };
        let manifest = Manifest::from_json(listed(MANIFEST)?)?;
        let mut members = Vec::with_capacity(manifest.members.len());
        for member in &manifest.members {
            let weights = listed(&member.weights)?;
            let normalization = listed(&member.normalization)?;
            members.push(Member {
                network: Network::from_safetensors(
                    manifest.architecture,
                    manifest.classes.len(),
                    weights,
                    device,
                )
                .context(WeightsSnafu {
                    name: &member.weights,
                })?,
                normalization: Normalization::from_safetensors(normalization, CROP_PIXELS)
                    .context(NormalizationSnafu {
                        name: &member.normalization,
                    })?,
            });
        }
        Ok(Self {
            manifest,
            digest: checksums.digest(),
            members,
        })
    }

    /// The probability of each class, averaged over the members: `[image][class]`.
    ///
    /// `images` are logarithms of crops' counts, 128 x 128 pixels each, one after another.
    ///
    /// # Errors
    /// [`Error::Network`] if `images` is no whole number of images.
    pub fn probabilities(&self, images: &[f32]) -> Result<Vec<Vec<f64>>, Error> {
        let classes = self.manifest.classes.len();
        let mut mean = vec![vec![0.0; classes]; images.len() / CROP_PIXELS];
        for member in &self.members {
            let probabilities = member
                .network
                .probabilities(&member.normalized(images))
                .context(NetworkSnafu)?;
            for (mean, probabilities) in mean.iter_mut().zip(probabilities) {
                for (mean, probability) in mean.iter_mut().zip(probabilities) {
                    *mean += probability / self.members.len() as f64;
                }
            }
        }
        Ok(mean)
    }

    /// What the first convolution of each block of the first member makes of one image, given as
    /// for [`Model::probabilities`].
    ///
    /// # Errors
    /// [`Error::Network`] if `image` is not one image.
    pub fn activation_maps(&self, image: &[f32]) -> Result<Vec<ActivationMap>, Error> {
        let Some(member) = self.members.first() else {
            return Ok(Vec::new());
        };
        member
            .network
            .activation_maps(&member.normalized(image))
            .context(NetworkSnafu)
    }

    /// The threshold on the probability of a positive that an operating point means for this
    /// model.
    ///
    /// # Errors
    /// [`MissingOperatingPoint`] where a sensitivity is asked for and the model's out-of-fold
    /// predictions had no positive.
    pub fn threshold(&self, point: &OperatingPoint) -> Result<f64, MissingOperatingPoint> {
        match &point.sensitivity {
            None => Ok(point
                .threshold
                .as_ref()
                .map_or(0.5, |threshold| threshold.value())),
            Some(sensitivity) => {
                let sensitivity = sensitivity.value();
                threshold_for(&self.manifest.positive_scores, sensitivity)
                    .context(MissingOperatingPointSnafu { sensitivity })
            }
        }
    }
}

impl Member {
    fn normalized(&self, images: &[f32]) -> Vec<f32> {
        let mut images = images.to_vec();
        self.normalization.apply(&mut images);
        images
    }
}

/// The highest threshold that so large a share of the scores, sorted from the highest, reaches.
fn threshold_for(scores: &[f64], sensitivity: f64) -> Option<f64> {
    // The slack takes back what 0.7 * 10.0 has too much.
    let needed = (sensitivity * scores.len() as f64 - 1e-9).ceil().max(1.0);
    scores.get(needed as usize - 1).copied()
}

fn parse(checksums: &[u8]) -> Result<Checksums, Error> {
    std::str::from_utf8(checksums)
        .ok()
        .and_then(Checksums::parse)
        .context(IncompleteSnafu)
}
