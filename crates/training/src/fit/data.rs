//! The images and labels of a fit, and whether they fit each other.

use sha2::{Digest, Sha256};
use snafu::ensure;

use super::Error;
use super::error::{DataSnafu, PixelSnafu};
use crate::DrawnImages;
use attrium_nn::IMAGE_PIXELS;

/// What a network is fitted to. Images are normalised, of 128 x 128 pixels, and lie one after
/// another, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct FitData {
    /// The training images, as many as labels.
    pub images: TrainingImages,
    /// The class index of each training image. At least one.
    pub labels: Vec<usize>,
    /// The weight of each class in the training loss, 0 or more.
    pub class_weights: Vec<f32>,
    /// The validation images: `validation_labels.len() * 128 * 128` values.
    pub validation_images: Vec<f32>,
    /// The class index of each validation image. Without any the learning rate never falls.
    pub validation_labels: Vec<usize>,
}

/// The training images.
#[derive(Clone, Debug, PartialEq)]
pub enum TrainingImages {
    /// The same in every epoch: `labels.len() * 128 * 128` values.
    Ready(Vec<f32>),
    /// Others in every epoch.
    Drawn(DrawnImages),
}

impl TrainingImages {
    /// Writes down the image that an epoch, counted from 0, sees.
    pub(super) fn render(&self, epoch: u32, image: usize, target: &mut [f32]) {
        match self {
            Self::Ready(images) => {
                target.copy_from_slice(&images[image * IMAGE_PIXELS..][..IMAGE_PIXELS]);
            }
            Self::Drawn(images) => images.render(epoch, image, target),
        }
    }

    fn pixels(&self) -> &[f32] {
        match self {
            Self::Ready(pixels) => pixels,
            Self::Drawn(images) => &images.counts,
        }
    }
}

impl FitData {
    pub(super) fn validate(&self, classes: usize) -> Result<(), Error> {
        let problem = "there are no training images".to_owned();
        ensure!(!self.labels.is_empty(), DataSnafu { problem });
        let weights = &self.class_weights;
        ensure!(
            weights.len() == classes && weights.iter().all(|w| w.is_finite() && *w >= 0.0),
            DataSnafu {
                problem: format!("{weights:?} are not {classes} class weights of 0 or more")
            }
        );
        check_part("training", self.images.pixels(), &self.labels, classes)?;
        check_part(
            "validation",
            &self.validation_images,
            &self.validation_labels,
            classes,
        )
    }

    /// A digest of everything that decides the result, by which a checkpoint recognises its data.
    pub(super) fn digest(&self) -> [u8; 32] {
        let mut hasher = Sha256::new();
        match &self.images {
            TrainingImages::Ready(images) => update(&mut hasher, images),
            TrainingImages::Drawn(images) => images.digest(&mut hasher),
        }
        update(&mut hasher, &self.class_weights);
        update(&mut hasher, &self.validation_images);
        for &label in self.labels.iter().chain(&self.validation_labels) {
            hasher.update((label as u64).to_le_bytes());
        }
        hasher.finalize().into()
    }
}

/// Adds values to a digest, an image's worth at a time, and how many there are.
pub(crate) fn update(hasher: &mut Sha256, values: &[f32]) {
    hasher.update((values.len() as u64).to_le_bytes());
    for chunk in values.chunks(IMAGE_PIXELS) {
        let bytes: Vec<u8> = chunk.iter().flat_map(|value| value.to_le_bytes()).collect();
        hasher.update(bytes);
    }
}

fn check_part(
    part: &'static str,
    images: &[f32],
    labels: &[usize],
    classes: usize,
) -> Result<(), Error> {
    let problem = || {
        format!(
            "{} {part} images cannot be made of {} pixels",
            labels.len(),
            images.len()
        )
    };
    ensure!(
        images.len() == labels.len() * IMAGE_PIXELS,
        DataSnafu { problem: problem() }
    );
    if let Some(label) = labels.iter().find(|&&label| label >= classes) {
        let problem = format!("a {part} image has class {label} of {classes} classes");
        return DataSnafu { problem }.fail();
    }
    let infinite = images.iter().position(|pixel| !pixel.is_finite());
    infinite.map_or(Ok(()), |at| {
        PixelSnafu {
            part,
            image: at / IMAGE_PIXELS,
            pixel: images[at],
        }
        .fail()
    })
}
