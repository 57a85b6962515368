//! The colours of plots: roles whose actual colours the style sheet sets, light and dark.
//!
//! plotters writes fixed colours. Each [`Role`] has a colour that no page uses, and [`apply`]
//! turns it into the style sheet's variable, with the dashes of a series beside it.

use plotters::style::RGBColor;

use super::Shape;
use crate::markup::{Markup, element};

/// What a colour stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
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
    /// A series by its number, with its own dashes.
    Series(u8),
    /// A series by its number, drawn through.
    Plain(u8),
    /// A series by its number, dashed and thin: the training part beside the validation.
    Faint(u8),
}

/// The number of series that have a colour and dashes of their own.
const SERIES: u8 = 6;

/// The dashes of each series in canvas units; none for the first.
const DASHES: [&str; SERIES as usize] = [
    "",
    "36 20",
    "8 16",
    "48 16 8 16",
    "24 12",
    "48 12 8 12 8 12",
];

/// The dashes of a training part.
const FAINT: &str = "12 12";

/// The first two bytes of every role's colour.
const MARK: (u8, u8) = (1, 1);

impl Role {
    /// The colour that stands for the role in plotters' drawing.
    pub(super) const fn colour(self) -> RGBColor {
        let code = match self {
            Self::Ink => 0,
            Self::Muted => 1,
            Self::Grid => 2,
            Self::Surface => 3,
            Self::Reference => 4,
            Self::Series(number) => 0x10 + number % SERIES,
            Self::Plain(number) => 0x20 + number % SERIES,
            Self::Faint(number) => 0x30 + number % SERIES,
        };
        RGBColor(MARK.0, MARK.1, code)
    }

    const fn from_code(code: u8) -> Self {
        match code {
            0 => Self::Ink,
            1 => Self::Muted,
            2 => Self::Grid,
            3 => Self::Surface,
            4 => Self::Reference,
            0x10..0x20 => Self::Series(code - 0x10),
            0x20..0x30 => Self::Plain(code - 0x20),
            _ => Self::Faint(code % 0x10),
        }
    }

    /// The colour as the style sheet knows it.
    fn variable(self) -> String {
        match self {
            Self::Ink => "var(--ink)".to_owned(),
            Self::Muted => "var(--muted)".to_owned(),
            Self::Grid => "var(--line)".to_owned(),
            Self::Surface => "var(--surface)".to_owned(),
            Self::Reference => "var(--muted)".to_owned(),
            Self::Series(number) | Self::Plain(number) | Self::Faint(number) => {
                format!("var(--series-{})", number % SERIES)
            }
        }
    }

    /// The dashes of a line of this role.
    fn dashes(self) -> &'static str {
        match self {
            Self::Series(number) => DASHES[usize::from(number % SERIES)],
            Self::Reference | Self::Faint(_) => FAINT,
            _ => "",
        }
    }
}

/// The role of a series of lines.
pub(crate) fn series(index: usize) -> Role {
    Role::Series(number(index))
}

/// The role of a series' points, bars and undashed lines.
pub(crate) fn plain(index: usize) -> Role {
    Role::Plain(number(index))
}

/// The role of a series' lines of lesser weight.
pub(crate) fn faint(index: usize) -> Role {
    Role::Faint(number(index))
}

fn number(index: usize) -> u8 {
    u8::try_from(index % usize::from(SERIES)).unwrap_or(0)
}

/// The inside of plotters' drawing, its fixed colours turned into the style sheet's.
pub(super) fn apply(svg: &str) -> String {
    const START: &str = "=\"#0101";
    let inside = svg
        .split_once(">\n")
        .and_then(|(_, rest)| rest.rsplit_once("</svg>"))
        .map_or("", |(inside, _)| inside);
    let mut themed = String::with_capacity(inside.len());
    let mut rest = inside;
    while let Some((before, after)) = rest.split_once(START) {
        themed.push_str(before);
        themed.push_str("=\"");
        let code = after
            .get(..2)
            .and_then(|code| u8::from_str_radix(code, 16).ok());
        let role = Role::from_code(code.unwrap_or(0));
        themed.push_str(&role.variable());
        themed.push('"');
        if before.ends_with(" stroke") && !role.dashes().is_empty() {
            themed.push_str(" stroke-dasharray=\"");
            themed.push_str(role.dashes());
            themed.push('"');
        }
        rest = after.get(3..).unwrap_or("");
    }
    themed.push_str(rest);
    themed.replace(" opacity=\"1\"", "")
}

/// A sample of a line or of a point, for a legend.
pub(super) fn swatch(role: Role, shape: Option<Shape>) -> Markup {
    let colour = role.variable();
    let drawn = match shape {
        None => element("path")
            .attribute("d", "M0 40H128")
            .attribute("stroke", &colour)
            .attribute("stroke-width", "8")
            .attribute("stroke-dasharray", role.dashes()),
        Some(Shape::Circle) => circle().attribute("fill", &colour),
        Some(Shape::Ring) => circle()
            .attribute("fill", "none")
            .attribute("stroke", &colour)
            .attribute("stroke-width", "8"),
        Some(Shape::Cross) => element("path")
            .attribute("d", "M44 20l40 40m0-40l-40 40")
            .attribute("stroke", &colour)
            .attribute("stroke-width", "10"),
        Some(Shape::Square) => element("path")
            .attribute("d", "M44 20h40v40h-40z")
            .attribute("fill", &colour),
        Some(Shape::Triangle) => element("path")
            .attribute("d", "M64 18l24 44h-48z")
            .attribute("fill", &colour),
        Some(Shape::Diamond) => element("path")
            .attribute("d", "M64 14l26 26-26 26-26-26z")
            .attribute("fill", &colour),
    };
    element("svg")
        .class(if shape.is_some() {
            "swatch point"
        } else {
            "swatch"
        })
        .attribute(
            "viewBox",
            if shape.is_some() {
                "32 8 64 64"
            } else {
                "0 0 128 80"
            },
        )
        .attribute("aria-hidden", "true")
        .child(drawn)
        .into()
}

fn circle() -> crate::markup::Element {
    element("circle")
        .attribute("cx", "64")
        .attribute("cy", "40")
        .attribute("r", "20")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_comes_back_from_its_colour() {
        for role in [
            Role::Ink,
            Role::Muted,
            Role::Grid,
            Role::Surface,
            Role::Reference,
        ]
        .into_iter()
        .chain((0..SERIES).flat_map(|n| [Role::Series(n), Role::Plain(n), Role::Faint(n)]))
        {
            assert_eq!(Role::from_code(role.colour().2), role);
        }
    }

    #[test]
    fn fixed_colours_become_variables_and_lines_get_their_dashes() {
        let svg = "<svg width=\"1\">\n<line opacity=\"1\" stroke=\"#010111\" x1=\"0\"/>\n\
                   <circle fill=\"#010111\" stroke=\"none\"/>\n</svg>\n";
        assert_eq!(
            apply(svg),
            "<line stroke=\"var(--series-1)\" stroke-dasharray=\"36 20\" x1=\"0\"/>\n\
             <circle fill=\"var(--series-1)\" stroke=\"none\"/>\n"
        );
    }
}
