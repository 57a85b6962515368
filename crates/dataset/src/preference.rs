//! Which of a study's objects counts.

use std::cmp::Reverse;
use std::fmt::Debug;

use attrium_imaging::{Acquisition, ViewSource};

const VIEW_SOURCES: [ViewSource; 5] = [
    ViewSource::ViewCode,
    ViewSource::ImageId,
    ViewSource::SeriesDescription,
    ViewSource::GePrivate,
    ViewSource::FirstDetector,
];
const ACQUISITIONS: [Acquisition; 2] = [Acquisition::WholeBody, Acquisition::Static];

/// How well an object stands for its study: of two the lesser counts.
///
/// A whole-body scan before a static, then the surer view, then more counts. Nothing here depends
/// on the order in which objects are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Preference {
    /// The place in [`ACQUISITIONS`].
    acquisition: u8,
    view_source: ViewSource,
    thousandths: Reverse<u64>,
}

impl Preference {
    /// The columns of a table that keeps it.
    pub const COLUMNS: [&'static str; 3] = ["acquisition", "view_source", "counts"];

    /// From how the object was acquired, how its view is known, and the counts of its anterior
    /// image, of which thousandths count.
    pub fn new(acquisition: Acquisition, view_source: ViewSource, counts: f64) -> Self {
        Self {
            acquisition: match acquisition {
                Acquisition::WholeBody => 0,
                Acquisition::Static => 1,
            },
            view_source,
            thousandths: Reverse((counts * 1000.0).round() as u64),
        }
    }

    /// The values of [`Self::COLUMNS`].
    pub fn columns(&self) -> [String; 3] {
        [
            format!("{:?}", ACQUISITIONS[usize::from(self.acquisition)]),
            format!("{:?}", self.view_source),
            format!("{:?}", self.thousandths.0 as f64 / 1000.0),
        ]
    }

    /// Reads the values of [`Self::COLUMNS`]; none where they are not as [`Self::columns`] wrote
    /// them.
    pub fn parse([acquisition, view_source, counts]: [&str; 3]) -> Option<Self> {
        let counts: f64 = counts.parse().ok()?;
        (counts.is_finite() && counts >= 0.0).then_some(())?;
        Some(Self::new(
            self::acquisition(acquisition)?,
            self::view_source(view_source)?,
            counts,
        ))
    }
}

/// An acquisition as a table names it.
pub(super) fn acquisition(name: &str) -> Option<Acquisition> {
    named(name, &ACQUISITIONS)
}

/// A source of the view as a table names it.
pub(super) fn view_source(name: &str) -> Option<ViewSource> {
    named(name, &VIEW_SOURCES)
}

/// The value whose name in the code this is.
pub(super) fn named<T: Copy + Debug>(name: &str, all: &[T]) -> Option<T> {
    all.iter()
        .find(|value| format!("{value:?}") == name)
        .copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_better_object_comes_first() {
        let ordered = [
            Preference::new(Acquisition::WholeBody, ViewSource::ViewCode, 5.5),
            Preference::new(Acquisition::WholeBody, ViewSource::ViewCode, 5.0),
            Preference::new(Acquisition::WholeBody, ViewSource::FirstDetector, 9.0),
            Preference::new(Acquisition::Static, ViewSource::ViewCode, 9.0),
        ];
        assert!(ordered.is_sorted());
        for preference in ordered {
            let columns = preference.columns();
            let read = Preference::parse([&columns[0], &columns[1], &columns[2]]);
            assert_eq!(read, Some(preference));
        }
    }

    #[test]
    fn what_no_table_has_is_no_preference() {
        for columns in [
            ["Whole", "ViewCode", "1"],
            ["Static", "View", "1"],
            ["Static", "ViewCode", "NaN"],
            ["Static", "ViewCode", "-1"],
        ] {
            assert_eq!(Preference::parse(columns), None);
        }
    }
}
