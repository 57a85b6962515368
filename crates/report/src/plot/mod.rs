//! Line plots as inline SVG, drawn by plotters and coloured by the page's style sheet.
//!
//! A plot is data: [`Axes`] and a list of [`Mark`]s. The canvas has [`SCALE`] units to a CSS pixel,
//! since plotters rounds to whole units.

mod paint;

use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;

pub(super) use paint::{Role, faint, plain, series};

use super::markup::{Markup, element};

/// Canvas units to a CSS pixel.
const SCALE: u32 = 4;

/// An axis: its range, its title and how its ticks read.
pub(super) struct Axis {
    /// The least value.
    pub from: f64,
    /// The greatest value, above the least.
    pub to: f64,
    /// What it shows, with its unit.
    pub title: &'static str,
    /// About how many ticks.
    pub ticks: usize,
    /// A tick's text.
    pub text: fn(f64) -> String,
}

/// A plot's frame.
pub(super) struct Axes {
    /// The width in CSS pixels.
    pub width: u32,
    /// The height in CSS pixels.
    pub height: u32,
    /// To the right.
    pub x: Axis,
    /// Upwards.
    pub y: Axis,
}

/// The shape of a point, so that not only colour tells series apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Circle,
    Square,
    Triangle,
    Diamond,
    Cross,
    Ring,
}

impl Shape {
    /// The shape of a series' or a kind's number.
    pub(super) const fn of(index: usize) -> Self {
        match index % 6 {
            0 => Self::Circle,
            1 => Self::Square,
            2 => Self::Triangle,
            3 => Self::Diamond,
            4 => Self::Cross,
            _ => Self::Ring,
        }
    }
}

/// Something that is drawn; points that are not finite are left out.
pub(super) enum Mark {
    /// A line through points.
    Line(Role, Vec<(f64, f64)>),
    /// A point of a certain shape.
    Point(Role, Shape, (f64, f64)),
    /// An upright interval at `x` from `low` to `high`.
    Interval(Role, f64, (f64, f64)),
    /// A filled rectangle between two corners.
    Bar(Role, (f64, f64), (f64, f64)),
}

/// A drawing area with its coordinates.
type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// What drawing into a string answers.
type Drawn = Result<(), DrawingAreaErrorKind<std::io::Error>>;

/// Draws marks into a frame; `alternative` says in words what the plot shows.
pub(super) fn draw(axes: &Axes, marks: &[Mark], alternative: &str) -> Markup {
    let size = (axes.width * SCALE, axes.height * SCALE);
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        plot(&area, axes, marks).expect("drawing into a string should not fail");
    }
    let drawing = paint::apply(&svg);
    element("svg")
        .class("plot")
        .attribute("viewBox", format!("0 0 {} {}", size.0, size.1))
        .attribute("style", format!("--width:{}px", axes.width))
        .attribute("role", "img")
        .attribute("aria-label", alternative)
        .child(Markup::drawing(drawing))
        .into()
}

fn plot(area: &DrawingArea<SVGBackend<'_>, Shift>, axes: &Axes, marks: &[Mark]) -> Drawn {
    let mut chart = ChartBuilder::on(area)
        .margin_top(10 * SCALE)
        .margin_right(14 * SCALE)
        .margin_left(4 * SCALE)
        .x_label_area_size(42 * SCALE)
        .y_label_area_size(54 * SCALE)
        .build_cartesian_2d(axes.x.from..axes.x.to, axes.y.from..axes.y.to)?;
    let text = |role: Role| ("system-ui", 15 * SCALE).into_font().color(&role.colour());
    chart
        .configure_mesh()
        .disable_x_mesh()
        .set_all_tick_mark_size(5 * SCALE)
        .bold_line_style(Role::Grid.colour().stroke_width(SCALE))
        .light_line_style(TRANSPARENT)
        .x_labels(axes.x.ticks)
        .y_labels(axes.y.ticks)
        .x_label_formatter(&|x| (axes.x.text)(*x))
        .y_label_formatter(&|y| (axes.y.text)(*y))
        .x_desc(axes.x.title)
        .y_desc(axes.y.title)
        .axis_style(Role::Muted.colour().stroke_width(SCALE))
        .label_style(text(Role::Muted))
        .axis_desc_style(text(Role::Ink))
        .draw()?;
    marks
        .iter()
        .try_for_each(|mark| draw_mark(&mut chart, mark))
}

fn draw_mark(chart: &mut Chart<'_, '_>, mark: &Mark) -> Drawn {
    match mark {
        Mark::Line(role, points) => {
            let style = role.colour().stroke_width(2 * SCALE);
            let points = points.iter().copied().filter(finite);
            chart.draw_series(LineSeries::new(points, style))?;
        }
        Mark::Point(role, shape, at) if finite(at) => point(chart, *role, *shape, *at)?,
        Mark::Interval(role, x, (low, high)) if finite(&(*x + low, *high)) => {
            let style = role.colour().stroke_width(3 * SCALE / 2);
            let whole = PathElement::new(vec![(*x, *low), (*x, *high)], style);
            chart.draw_series(std::iter::once(whole))?;
        }
        Mark::Bar(role, from, to) if finite(from) && finite(to) => {
            let bar = Rectangle::new([*from, *to], role.colour().filled());
            chart.draw_series(std::iter::once(bar))?;
        }
        Mark::Point(..) | Mark::Interval(..) | Mark::Bar(..) => {}
    }
    Ok(())
}

const fn finite(point: &(f64, f64)) -> bool {
    point.0.is_finite() && point.1.is_finite()
}

/// Draws one point, with a rim of the page's colour so that it stands out from its line.
fn point(chart: &mut Chart<'_, '_>, role: Role, shape: Shape, at: (f64, f64)) -> Drawn {
    let radius = i32::try_from(5 * SCALE).expect("a point should be small");
    match shape {
        Shape::Circle => {
            let rim = Circle::new(at, radius + 4, Role::Surface.colour().filled());
            chart.draw_series(std::iter::once(rim))?;
            let dot = Circle::new(at, radius, role.colour().filled());
            chart.draw_series(std::iter::once(dot))?;
        }
        Shape::Ring => {
            let hole = Circle::new(at, radius, Role::Surface.colour().filled());
            chart.draw_series(std::iter::once(hole))?;
            let ring = Circle::new(at, radius, role.colour().stroke_width(2 * SCALE));
            chart.draw_series(std::iter::once(ring))?;
        }
        Shape::Cross => {
            let style = role.colour().stroke_width(5 * SCALE / 2);
            chart.draw_series(std::iter::once(Cross::new(at, radius, style)))?;
        }
        Shape::Square | Shape::Triangle | Shape::Diamond => {
            for (size, role) in [(radius + 5, Role::Surface), (radius, role)] {
                let corners = corners(shape, size);
                let filled = EmptyElement::at(at) + Polygon::new(corners, role.colour().filled());
                chart.draw_series(std::iter::once(filled))?;
            }
        }
    }
    Ok(())
}

/// The corners of a shape around its place, in canvas units.
fn corners(shape: Shape, size: i32) -> Vec<(i32, i32)> {
    match shape {
        Shape::Triangle => vec![(0, -size), (size, size), (-size, size)],
        Shape::Diamond => {
            let size = size * 5 / 4;
            vec![(0, -size), (size, 0), (0, size), (-size, 0)]
        }
        _ => vec![(-size, -size), (size, -size), (size, size), (-size, size)],
    }
}

/// One entry of a legend: a sample of line or point, and a text.
pub(super) struct Entry {
    /// The colour.
    pub role: Role,
    /// A point of this shape; a line where `None`.
    pub shape: Option<Shape>,
    /// What it stands for.
    pub text: Markup,
}

/// A legend as a list, so that it wraps and can be read out.
pub(super) fn legend(entries: impl IntoIterator<Item = Entry>) -> Markup {
    let items = entries.into_iter().map(|entry| {
        element("li")
            .child(paint::swatch(entry.role, entry.shape))
            .child(entry.text)
    });
    element("ul").class("legend").children(items).into()
}
