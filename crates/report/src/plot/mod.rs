//! Plots as inline SVG, laid out by plotters and coloured by the page's style sheet.
//!
//! A plot is data: [`Axes`] and a list of [`Mark`]s. The canvas has [`SCALE`] units to a CSS pixel,
//! since plotters rounds to whole units.

mod backend;
mod forest;
mod legend;
mod paint;

use std::convert::Infallible;

use maud::{Markup, PreEscaped, html};
use plotters::coord::Shift;
use plotters::coord::ranged1d::BoldPoints;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;

pub(super) use forest::forest;
pub(super) use legend::{LegendEntry, legend};
pub(super) use paint::Paint;

use super::number;
use backend::SvgBackend;

/// Canvas units to a CSS pixel.
const SCALE: u32 = 4;

/// The size of all text, in CSS pixels.
const FONT_SIZE: u32 = 12;

/// The length of a tick, in CSS pixels; plotters leaves as much again before its label.
const TICK: u32 = 5;

/// An axis: its range, its title and how its ticks read.
pub(super) struct Axis {
    pub from: f64,
    /// The end, above `from`.
    pub to: f64,
    /// What it shows, with its unit.
    pub title: &'static str,
    /// About how many ticks.
    pub ticks: usize,
    pub tick_label: fn(f64) -> String,
}

impl Axis {
    /// The axis of a fraction, from 0 to 1.
    pub(super) fn fraction(title: &'static str) -> Self {
        Self {
            from: 0.0,
            to: 1.0,
            title,
            ticks: 6,
            tick_label: |value| number::decimals(value, 1),
        }
    }
}

/// A plot's frame.
pub(super) struct Axes {
    /// The width in CSS pixels.
    pub width: u32,
    /// The height in CSS pixels.
    pub height: u32,
    pub x: Axis,
    pub y: Axis,
}

/// The shape of a point, so that not only colour tells series apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Marker {
    Circle,
    Square,
    Triangle,
    Diamond,
    Cross,
    Ring,
}

impl Marker {
    /// The marker of a series by its number.
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
    Line(Paint, Vec<(f64, f64)>),
    Point(Paint, Marker, (f64, f64)),
    /// A vertical interval at `x` from `low` to `high`.
    ErrorBar(Paint, f64, (f64, f64)),
    /// A filled rectangle between two corners.
    Bar(Paint, (f64, f64), (f64, f64)),
}

/// A drawing area with its coordinates.
type Chart<'a, 'b> = ChartContext<'a, SvgBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

type Drawn = Result<(), DrawingAreaErrorKind<Infallible>>;

/// Draws marks into a frame; `alternative` says in words what the plot shows.
pub(super) fn draw(axes: &Axes, marks: &[Mark], alternative: &str) -> Markup {
    let (width, height) = (axes.width * SCALE, axes.height * SCALE);
    let mut elements = String::new();
    let area = SvgBackend::new(&mut elements, (width, height)).into_drawing_area();
    plot(&area, axes, marks).expect("drawing into a string should not fail");
    drop(area);
    html! {
        svg.plot viewBox={ "0 0 " (width) " " (height) } style={ "--width:" (axes.width) "px" }
            role="img" aria-label=(alternative) {
            (PreEscaped(elements))
        }
    }
}

fn plot(area: &DrawingArea<SvgBackend<'_>, Shift>, axes: &Axes, marks: &[Mark]) -> Drawn {
    let mut chart = ChartBuilder::on(area)
        .margin_top(10 * SCALE)
        .margin_right(14 * SCALE)
        .margin_left(4 * SCALE)
        .x_label_area_size(42 * SCALE)
        .y_label_area_size(label_area(&axes.y) * SCALE)
        .build_cartesian_2d(axes.x.from..axes.x.to, axes.y.from..axes.y.to)?;
    // The style sheet sets the font, whatever its name is here.
    let text = |paint: Paint| {
        let font = ("sans-serif", FONT_SIZE * SCALE).into_font();
        font.color(&paint.code())
    };
    chart
        .configure_mesh()
        .disable_x_mesh()
        .set_all_tick_mark_size(TICK * SCALE)
        .bold_line_style(Paint::Grid.code().stroke_width(SCALE))
        .light_line_style(TRANSPARENT)
        .x_labels(axes.x.ticks)
        .y_labels(axes.y.ticks)
        .x_label_formatter(&|x| (axes.x.tick_label)(*x))
        .y_label_formatter(&|y| (axes.y.tick_label)(*y))
        .x_desc(axes.x.title)
        .y_desc(axes.y.title)
        .axis_style(Paint::Muted.code().stroke_width(SCALE))
        .label_style(text(Paint::Muted))
        .axis_desc_style(text(Paint::Ink))
        .draw()?;
    marks
        .iter()
        .try_for_each(|mark| draw_mark(&mut chart, mark))
}

/// The room to the left of the vertical axis, in CSS pixels: its title, which is turned, the widest
/// label of its ticks, and the ticks.
fn label_area(axis: &Axis) -> u32 {
    /// The title with the gap after it.
    const TITLE: u32 = FONT_SIZE + 8;
    let ticks = RangedCoordf64::from(axis.from..axis.to).key_points(BoldPoints(axis.ticks));
    let labels = ticks.into_iter().map(axis.tick_label);
    let longest = labels.map(|label| label.chars().count()).max().unwrap_or(0);
    let longest = u32::try_from(longest).expect("a tick's label should be short");
    // The digits of no usual font are wider than two thirds of its size.
    TITLE + longest * FONT_SIZE * 2 / 3 + 2 * TICK
}

fn draw_mark(chart: &mut Chart<'_, '_>, mark: &Mark) -> Drawn {
    match mark {
        Mark::Line(paint, points) => {
            let style = paint.code().stroke_width(2 * SCALE);
            let points = points.iter().copied().filter(finite);
            chart.draw_series(LineSeries::new(points, style))?;
        }
        Mark::Point(paint, marker, at) if finite(at) => draw_point(chart, *paint, *marker, *at)?,
        Mark::ErrorBar(paint, x, (low, high)) if finite(&(*x + low, *high)) => {
            let style = paint.code().stroke_width(3 * SCALE / 2);
            let whole = PathElement::new(vec![(*x, *low), (*x, *high)], style);
            chart.draw_series(std::iter::once(whole))?;
        }
        Mark::Bar(paint, from, to) if finite(from) && finite(to) => {
            let bar = Rectangle::new([*from, *to], paint.code().filled());
            chart.draw_series(std::iter::once(bar))?;
        }
        Mark::Point(..) | Mark::ErrorBar(..) | Mark::Bar(..) => {}
    }
    Ok(())
}

const fn finite(point: &(f64, f64)) -> bool {
    point.0.is_finite() && point.1.is_finite()
}

/// Draws one point, with a rim of the page's colour so that it stands out from its line.
fn draw_point(chart: &mut Chart<'_, '_>, paint: Paint, marker: Marker, at: (f64, f64)) -> Drawn {
    let radius = i32::try_from(5 * SCALE).expect("a point should be small");
    match marker {
        Marker::Circle => {
            let rim = Circle::new(at, radius + 4, Paint::Surface.code().filled());
            chart.draw_series(std::iter::once(rim))?;
            let dot = Circle::new(at, radius, paint.code().filled());
            chart.draw_series(std::iter::once(dot))?;
        }
        Marker::Ring => {
            let hole = Circle::new(at, radius, Paint::Surface.code().filled());
            chart.draw_series(std::iter::once(hole))?;
            let ring = Circle::new(at, radius, paint.code().stroke_width(2 * SCALE));
            chart.draw_series(std::iter::once(ring))?;
        }
        Marker::Cross => {
            let style = paint.code().stroke_width(5 * SCALE / 2);
            chart.draw_series(std::iter::once(Cross::new(at, radius, style)))?;
        }
        Marker::Square | Marker::Triangle | Marker::Diamond => {
            for (size, paint) in [(radius + 5, Paint::Surface), (radius, paint)] {
                let corners = corners(marker, size);
                let filled = EmptyElement::at(at) + Polygon::new(corners, paint.code().filled());
                chart.draw_series(std::iter::once(filled))?;
            }
        }
    }
    Ok(())
}

/// The corners of a marker around its place, in canvas units.
fn corners(marker: Marker, size: i32) -> Vec<(i32, i32)> {
    match marker {
        Marker::Triangle => vec![(0, -size), (size, size), (-size, size)],
        Marker::Diamond => {
            let size = size * 5 / 4;
            vec![(0, -size), (size, 0), (0, size), (-size, 0)]
        }
        _ => vec![(-size, -size), (size, -size), (size, size), (-size, size)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_beside_a_vertical_axis_follows_its_longest_label() {
        let short = Axis::fraction("sensitivity");
        let long = Axis {
            tick_label: |value| number::scientific(value),
            ..Axis::fraction("learning rate")
        };
        assert_eq!((short.tick_label)(0.2), "0.2");
        assert_eq!((long.tick_label)(0.2), "2.0e-1");
        assert_eq!(
            label_area(&long) - label_area(&short),
            3 * FONT_SIZE * 2 / 3
        );
    }
}
