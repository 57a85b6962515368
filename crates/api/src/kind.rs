//! The kinds of custom resources, as manifests and API servers name them.

use std::fmt;
use std::str::FromStr;

use snafu::{OptionExt, Snafu};

/// A kind of custom resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A training.
    TrainingRun,
    /// A screening.
    ScreeningJob,
}

/// A text that names no kind of attrium's.
#[derive(Debug, PartialEq, Eq, Snafu)]
#[snafu(display("use TrainingRun or ScreeningJob"))]
pub struct UnknownKind;

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::TrainingRun, Self::ScreeningJob];

    /// The kind as a manifest names it, such as `TrainingRun`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TrainingRun => "TrainingRun",
            Self::ScreeningJob => "ScreeningJob",
        }
    }

    /// The kind as the path of an API server's request names it, such as `trainingruns`.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::TrainingRun => "trainingruns",
            Self::ScreeningJob => "screeningjobs",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(name: &str) -> Result<Self, UnknownKind> {
        let mut kinds = Self::ALL.into_iter();
        kinds
            .find(|kind| kind.name() == name)
            .context(UnknownKindSnafu)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crd::Definition;

    #[test]
    fn a_kind_is_named_as_its_definition_names_it() {
        for (kind, definition) in Kind::ALL.into_iter().zip(Definition::all()) {
            let names = &definition.document()["spec"]["names"];
            assert_eq!(names["kind"], kind.name());
            assert_eq!(names["plural"], kind.plural());
        }
    }

    #[test]
    fn a_kind_is_read_back_from_its_name_and_from_nothing_else() {
        for kind in Kind::ALL {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        assert_eq!("trainingrun".parse::<Kind>(), Err(UnknownKind));
    }
}
