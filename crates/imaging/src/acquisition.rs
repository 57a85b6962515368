//! Whole-body scans and static images.

use std::fmt;

use serde::Serialize;
use strum::{EnumString, IntoStaticStr};

/// How the camera made the image; what shows more of the body comes first.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, EnumString, IntoStaticStr,
)]
pub enum Acquisition {
    /// A sweep from head to feet.
    WholeBody,
    /// One field of view, here of the thorax.
    Static,
}

impl fmt::Display for Acquisition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WholeBody => "whole body",
            Self::Static => "static",
        })
    }
}
