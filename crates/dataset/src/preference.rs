//! Which of a study's objects counts.

use std::cmp::Reverse;

use attrium_imaging::{Acquisition, ViewSource};

/// How well an object stands for its study: of two the lesser counts.
///
/// A whole-body scan before a static one, then the surer view, then more counts. Nothing here depends
/// on the order in which objects are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Preference {
    acquisition: Acquisition,
    view_source: ViewSource,
    /// Of a count.
    thousandths: Reverse<u64>,
}

impl Preference {
    /// The columns of a table that keeps it.
    pub const COLUMNS: [&'static str; 3] = ["acquisition", "view_source", "counts"];

    /// From how the object was acquired, how its view is known, and the counts of its anterior
    /// image, which are compared to the thousandth.
    pub fn new(acquisition: Acquisition, view_source: ViewSource, counts: f64) -> Self {
        Self {
            acquisition,
            view_source,
            thousandths: Reverse((counts * 1000.0).round() as u64),
        }
    }

    /// The values of [`Self::COLUMNS`].
    pub fn columns(&self) -> [String; 3] {
        let [acquisition, view_source]: [&str; 2] =
            [self.acquisition.into(), self.view_source.into()];
        [
            acquisition.to_owned(),
            view_source.to_owned(),
            format!("{:?}", self.thousandths.0 as f64 / 1000.0),
        ]
    }

    /// Reads the values of [`Self::COLUMNS`]; `None` where they are not as [`Self::columns`] wrote
    /// them.
    pub fn parse([acquisition, view_source, counts]: [&str; 3]) -> Option<Self> {
        let counts: f64 = counts.parse().ok()?;
        (counts.is_finite() && counts >= 0.0).then_some(())?;
        Some(Self::new(
            acquisition.parse().ok()?,
            view_source.parse().ok()?,
            counts,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_better_object_comes_first() {
        let ordered = [
            Preference::new(Acquisition::WholeBody, ViewSource::ViewCode, 5.5),
            Preference::new(Acquisition::WholeBody, ViewSource::ViewCode, 5.0),
            Preference::new(Acquisition::WholeBody, ViewSource::Image, 9.0),
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
    fn words_and_counts_that_no_table_has_are_refused() {
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
