//! What plots are painted with: colours and dashes whose actual values the style sheet sets, for
//! light and for dark screens.
//!
//! plotters hands a backend nothing but red, green and blue. A [`Paint`] passes through it as a
//! code in those three bytes, which is never shown as a colour.

use plotters::style::RGBColor;

/// A colour of the style sheet and, for lines, their dashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paint {
    /// Text.
    Ink,
    /// Secondary text, axes.
    Muted,
    /// Grid lines.
    Grid,
    /// The page behind everything.
    Surface,
    /// Lines of reference, such as that of chance.
    Reference,
    /// A series by its number.
    Series(u8, Dash),
}

/// How the line of a series is dashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dash {
    None,
    /// As no other series.
    Own,
    /// As the training part beside the validation.
    Dotted,
}

/// The number of series that have a colour and dashes of their own.
const SERIES: u8 = 6;

/// The dashes of each series in canvas units.
const DASHES: [Option<&str>; SERIES as usize] = [
    None,
    Some("36 20"),
    Some("8 16"),
    Some("48 16 8 16"),
    Some("24 12"),
    Some("48 12 8 12 8 12"),
];

/// The dashes of a line of lesser weight.
const DOTTED: &str = "12 12";

impl Paint {
    /// A series without dashes: points, bars, and lines that need none.
    pub(crate) fn solid(index: usize) -> Self {
        Self::series(index, Dash::None)
    }

    /// A series in dashes of its own.
    pub(crate) fn dashed(index: usize) -> Self {
        Self::series(index, Dash::Own)
    }

    /// A series whose lines are of lesser weight.
    pub(crate) fn dotted(index: usize) -> Self {
        Self::series(index, Dash::Dotted)
    }

    fn series(index: usize, dash: Dash) -> Self {
        let number = index % usize::from(SERIES);
        Self::Series(u8::try_from(number).unwrap_or(0), dash)
    }

    /// The code that passes through plotters.
    pub(super) const fn code(self) -> RGBColor {
        match self {
            Self::Ink => RGBColor(0, 0, 0),
            Self::Muted => RGBColor(1, 0, 0),
            Self::Grid => RGBColor(2, 0, 0),
            Self::Surface => RGBColor(3, 0, 0),
            Self::Reference => RGBColor(4, 0, 0),
            Self::Series(number, dash) => RGBColor(5, number, dash as u8),
        }
    }

    /// The paint of a [`Self::code`].
    pub(super) const fn from_code((kind, number, dash): (u8, u8, u8)) -> Self {
        match (kind, dash) {
            (0, _) => Self::Ink,
            (1, _) => Self::Muted,
            (2, _) => Self::Grid,
            (3, _) => Self::Surface,
            (4, _) => Self::Reference,
            (_, 0) => Self::Series(number, Dash::None),
            (_, 1) => Self::Series(number, Dash::Own),
            _ => Self::Series(number, Dash::Dotted),
        }
    }

    /// The colour as the style sheet knows it.
    pub(super) fn colour(self) -> String {
        match self {
            Self::Ink => "var(--ink)".to_owned(),
            Self::Muted | Self::Reference => "var(--muted)".to_owned(),
            Self::Grid => "var(--line)".to_owned(),
            Self::Surface => "var(--surface)".to_owned(),
            Self::Series(number, _) => format!("var(--series-{})", number % SERIES),
        }
    }

    /// The dashes of a line, in canvas units; `None` of a solid line.
    pub(super) fn dashes(self) -> Option<&'static str> {
        match self {
            Self::Series(number, Dash::Own) => DASHES[usize::from(number % SERIES)],
            Self::Reference | Self::Series(_, Dash::Dotted) => Some(DOTTED),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_paint_comes_back_from_its_code() {
        let series = (0..SERIES.into())
            .flat_map(|index| [Paint::solid, Paint::dashed, Paint::dotted].map(|of| of(index)));
        let paints = [
            Paint::Ink,
            Paint::Muted,
            Paint::Grid,
            Paint::Surface,
            Paint::Reference,
        ];
        for paint in paints.into_iter().chain(series) {
            let RGBColor(red, green, blue) = paint.code();
            assert_eq!(Paint::from_code((red, green, blue)), paint);
        }
    }
}
