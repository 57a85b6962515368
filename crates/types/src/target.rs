//! The questions that networks answer, and the classes that grades fall into for each.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::Display;

use super::Grade;

/// A question that a network is trained to answer (paper, "Training").
#[derive(
    Clone,
    Copy,
    Debug,
    Display,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
pub enum Target {
    /// The four Perugini grades.
    Perugini,
    /// Grade 2 or 3 against grade 0 or 1.
    Positive,
    /// Grade 3 against the rest.
    HighGrade,
}

impl Target {
    /// The names of the classes, in the order of their indices.
    pub const fn classes(self) -> &'static [&'static str] {
        match self {
            Self::Perugini => &["grade 0", "grade 1", "grade 2", "grade 3"],
            Self::Positive => &["negative", "positive"],
            Self::HighGrade => &["grade 0-2", "grade 3"],
        }
    }

    /// The index of the class that a grade falls into.
    pub const fn class_of(self, grade: Grade) -> usize {
        match self {
            Self::Perugini => grade.value() as usize,
            Self::Positive => (grade.value() >= 2) as usize,
            Self::HighGrade => (grade.value() == 3) as usize,
        }
    }

    /// The first class that counts as positive; every later class does too.
    ///
    /// For four grades it is grade 2, so that the probability of a positive is `p_2 + p_3`.
    pub const fn first_positive_class(self) -> usize {
        match self {
            Self::Perugini => 2,
            Self::Positive | Self::HighGrade => 1,
        }
    }
}
