//! Training images that are drawn anew for each epoch.

use sha2::{Digest, Sha256};

use super::fit::update;
use super::{Augmentation, Normalization};
use attrium_types::Intensity;

/// The crops of a training part, of which every epoch sees other copies: shifted, turned, scaled and thinned.
#[derive(Clone, Debug, PartialEq)]
pub struct DrawnImages {
    /// The counts of the crops, one after another.
    pub counts: Vec<f32>,
    /// Height and width of a crop.
    pub side: usize,
    /// From which ranges copies are drawn.
    pub augmentation: Augmentation,
    /// The scale on which a network sees counts.
    pub intensity: Intensity,
    /// What every image goes through; nothing while it is being found.
    pub normalization: Option<Normalization>,
}

impl DrawnImages {
    /// How many images an epoch has.
    pub fn len(&self) -> usize {
        self.counts.len() / self.pixels()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    fn pixels(&self) -> usize {
        self.side * self.side
    }

    /// Draws the copy of a crop that an epoch, counted from 0, sees.
    pub fn render(&self, epoch: u32, image: usize, target: &mut [f32]) {
        let pixels = self.pixels();
        let number = u64::from(epoch) * self.len() as u64 + image as u64;
        let counts = &self.counts[image * pixels..][..pixels];
        let drawn = self.augmentation.draw(number, image);
        self.augmentation
            .render(&drawn, counts, self.intensity, target);
        if let Some(normalization) = &self.normalization {
            normalization.apply(target);
        }
    }

    /// Adds to a digest everything that decides the images.
    pub(super) fn digest(&self, hasher: &mut Sha256) {
        let Self {
            counts,
            side,
            augmentation,
            intensity,
            normalization,
        } = self;
        update(hasher, counts);
        hasher.update(format!("{side} {augmentation:?} {intensity:?}"));
        if let Some(Normalization { mean, deviation }) = normalization {
            update(hasher, mean);
            update(hasher, deviation);
        }
    }
}
