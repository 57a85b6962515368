//! What an object is written from: a study, its views, and the sides of its frames.

use dicom_core::{PrimitiveValue, VR};
use strum::IntoStaticStr;

use crate::cohort::Study;
use crate::demographics::Protocol;
use crate::view::Views;

/// The side that a frame shows.
#[derive(Clone, Copy, Debug, IntoStaticStr, PartialEq, Eq)]
#[strum(serialize_all = "UPPERCASE")]
pub(super) enum Side {
    Anterior,
    Posterior,
}

impl Side {
    pub(super) fn name(self) -> &'static str {
        self.into()
    }

    pub(super) fn counts(self, views: &Views) -> &[u16] {
        match self {
            Self::Anterior => &views.anterior,
            Self::Posterior => &views.posterior,
        }
    }
}

/// One object to be written, with the study that it is of.
pub(super) struct ObjectSource<'a> {
    pub(super) study: &'a Study,
    pub(super) views: &'a Views,
    /// The sides of its frames, in order.
    pub(super) sides: &'a [Side],
    /// Instance number, from 1.
    pub(super) instance: usize,
    pub(super) series_uid: String,
    pub(super) instance_uid: String,
    pub(super) frame_of_reference_uid: String,
}

impl ObjectSource<'_> {
    pub(super) fn whole_body(&self) -> bool {
        self.study.person.protocol == Protocol::WholeBody
    }

    pub(super) fn total(&self) -> u64 {
        let frames = self.sides.iter().map(|side| side.counts(self.views));
        frames.flatten().map(|count| u64::from(*count)).sum()
    }

    /// Pixel data: frame after frame, 16 bits a pixel.
    pub(super) fn pixel_data(&self) -> (VR, PrimitiveValue) {
        let frames = self.sides.iter().map(|side| side.counts(self.views));
        let pixels: Vec<u16> = frames.flatten().copied().collect();
        (VR::OW, PrimitiveValue::U16(pixels.into()))
    }
}
