//! Whole-body scans and static images.

use serde::Serialize;
use strum::Display;

/// How the camera made the image.
#[derive(Clone, Copy, Debug, Display, PartialEq, Eq, Hash, Serialize)]
pub enum Acquisition {
    /// A sweep from head to feet.
    #[strum(serialize = "whole body")]
    WholeBody,
    /// One field of view, here of the thorax.
    #[strum(serialize = "static")]
    Static,
}
