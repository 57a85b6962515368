//! The Perugini grade of cardiac uptake.

use std::fmt;

use serde::{Deserialize, Serialize};
use snafu::Snafu;

/// The Perugini grade of cardiac uptake on a bone scan.
///
/// 0: none; 1: less than bone; 2: equal to bone; 3: more than bone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Grade(u8);

impl Grade {
    /// Every grade, in order.
    pub const ALL: [Self; 4] = [Self(0), Self(1), Self(2), Self(3)];

    /// The grade as a number from 0 to 3.
    pub const fn value(self) -> u8 {
        self.0
    }
}

/// A number that is not a Perugini grade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Snafu)]
#[snafu(display("{value} is not a Perugini grade: use 0, 1, 2 or 3"))]
pub struct UnknownGrade {
    value: u8,
}

impl TryFrom<u8> for Grade {
    type Error = UnknownGrade;

    fn try_from(value: u8) -> Result<Self, UnknownGrade> {
        if value <= 3 {
            Ok(Self(value))
        } else {
            Err(UnknownGrade { value })
        }
    }
}

impl From<Grade> for u8 {
    fn from(grade: Grade) -> Self {
        grade.0
    }
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
