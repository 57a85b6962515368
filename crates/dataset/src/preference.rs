//! What an object is chosen by among those of its study.

use std::num::ParseIntError;

use strum::{EnumString, IntoStaticStr};

use attrium_imaging::{Acquisition, AnteriorImage, Origin, StatedPhase, ViewSource, Warning};

/// What an object says of the time since the injection; what is surely late comes first.
///
/// An image that is known to be of an early phase stands for nothing and is set aside before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, EnumString, IntoStaticStr)]
pub enum Delay {
    /// 2 to 6 hours, as guidelines ask.
    Usual,
    /// Another delay, of an hour at least.
    Unusual,
    /// Nothing that can be understood.
    NotStated,
}

impl From<StatedPhase> for Delay {
    fn from(stated: StatedPhase) -> Self {
        match stated {
            StatedPhase::Late { .. } if stated.is_unusual() => Self::Unusual,
            StatedPhase::Late { .. } => Self::Usual,
            StatedPhase::Early | StatedPhase::Unclear | StatedPhase::NotStated => Self::NotStated,
        }
    }
}

/// What an object is chosen by among those of its study. Counts are not among it: a blood pool, a copy that was
/// rescaled and a posterior have more of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preference {
    /// Whether it is as the camera made it.
    pub origin: Origin,
    /// How its view is known.
    pub view_source: ViewSource,
    /// When it was taken after the injection.
    pub delay: Delay,
    /// Minutes on a clock that all objects of the study share, and no other study.
    pub acquired: Option<i64>,
    /// Whole body or static.
    pub acquisition: Acquisition,
}

impl Preference {
    /// The columns of a table that keeps it.
    pub const COLUMNS: [&'static str; 5] =
        ["origin", "view_source", "delay", "acquired", "acquisition"];

    /// That of an image, whose time is not on the study's clock yet. What went through lossy compression is
    /// derived, whatever it says.
    pub fn of(image: &AnteriorImage) -> Self {
        let is_lossy = image.warnings.contains(&Warning::Lossy);
        Self {
            origin: if is_lossy {
                Origin::Derived
            } else {
                image.provenance.origin
            },
            view_source: image.view_source,
            delay: image.phase.into(),
            acquired: None,
            acquisition: image.acquisition,
        }
    }

    /// Whether a code or a name says that the view is anterior.
    pub(super) fn has_known_view(&self) -> bool {
        self.view_source < ViewSource::Image
    }

    /// The values of [`Self::COLUMNS`].
    pub fn columns(&self) -> [String; 5] {
        let origin: &str = self.origin.into();
        let view_source: &str = self.view_source.into();
        let delay: &str = self.delay.into();
        let acquisition: &str = self.acquisition.into();
        let acquired = self.acquired.map_or(String::new(), |it| it.to_string());
        [
            origin.to_owned(),
            view_source.to_owned(),
            delay.to_owned(),
            acquired,
            acquisition.to_owned(),
        ]
    }

    /// Reads the values of [`Self::COLUMNS`]; `None` where they are not as [`Self::columns`] wrote
    /// them.
    pub fn parse([origin, view_source, delay, acquired, acquisition]: [&str; 5]) -> Option<Self> {
        Some(Self {
            origin: origin.parse().ok()?,
            view_source: view_source.parse().ok()?,
            delay: delay.parse().ok()?,
            acquired: parse_minutes(acquired).ok()?,
            acquisition: acquisition.parse().ok()?,
        })
    }
}

/// The column `acquired`, which is empty where nothing is stated.
pub(super) fn parse_minutes(text: &str) -> Result<Option<i64>, ParseIntError> {
    match text {
        "" => Ok(None),
        minutes => minutes.parse().map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preference_reads_back_from_its_columns() {
        for acquired in [None, Some(0), Some(-3), Some(1 << 41)] {
            let preference = Preference {
                origin: Origin::Derived,
                view_source: ViewSource::GePrivate,
                delay: Delay::Unusual,
                acquired,
                acquisition: Acquisition::Static,
            };
            let columns = preference.columns();
            let columns = [0, 1, 2, 3, 4].map(|at| columns[at].as_str());
            assert_eq!(Preference::parse(columns), Some(preference));
        }
    }

    #[test]
    fn words_that_no_table_has_are_refused() {
        let sound = ["Original", "ViewCode", "Usual", "7", "Static"];
        assert!(Preference::parse(sound).is_some());
        for place in 0..sound.len() {
            let mut changed = sound;
            changed[place] = "many";
            assert_eq!(Preference::parse(changed), None, "{place}");
        }
    }

    #[test]
    fn only_a_delay_within_guidelines_is_usual() {
        let late = |minutes| Delay::from(StatedPhase::Late { minutes });
        assert_eq!(
            [90, 180, 361].map(late),
            [Delay::Unusual, Delay::Usual, Delay::Unusual]
        );
        assert_eq!(Delay::from(StatedPhase::Unclear), Delay::NotStated);
    }
}
