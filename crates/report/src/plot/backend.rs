//! A drawing backend of plotters that writes SVG elements in the style sheet's colours.
//!
//! It writes no colour and no font of its own, so that a plot follows the page into dark rooms and
//! into print.

use std::convert::Infallible;
use std::fmt::Write as _;

use maud::{Markup, html};
use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind,
    FontTransform,
};

use super::paint::Paint;

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

/// Collects the elements of a drawing.
pub(super) struct SvgBackend<'a> {
    elements: &'a mut String,
    size: (u32, u32),
}

impl<'a> SvgBackend<'a> {
    /// An empty drawing of `size` canvas units, to be put into an `svg` element.
    pub(super) const fn new(elements: &'a mut String, size: (u32, u32)) -> Self {
        Self { elements, size }
    }

    /// Adds what `element` makes of a colour, unless the colour is transparent.
    fn draw(&mut self, colour: BackendColor, element: impl FnOnce(Paint) -> Markup) -> Drawn {
        if colour.alpha > 0.0 {
            let element = element(Paint::from_code(colour.rgb));
            self.elements.push_str(&element.0);
        }
        Ok(())
    }
}

impl DrawingBackend for SvgBackend<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.size
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        Ok(())
    }

    fn draw_pixel(&mut self, (x, y): BackendCoord, colour: BackendColor) -> Drawn {
        self.draw(colour, |paint| {
            html! { rect x=(x) y=(y) width="1" height="1" fill=(paint.colour()) {} }
        })
    }

    fn draw_line<S: BackendStyle>(
        &mut self,
        from: BackendCoord,
        to: BackendCoord,
        style: &S,
    ) -> Drawn {
        self.draw(style.color(), |paint| {
            html! {
                line stroke=(paint.colour()) stroke-dasharray=[paint.dashes()]
                    stroke-width=(style.stroke_width())
                    x1=(from.0) y1=(from.1) x2=(to.0) y2=(to.1) {}
            }
        })
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        upper_left: BackendCoord,
        bottom_right: BackendCoord,
        style: &S,
        fill: bool,
    ) -> Drawn {
        self.draw(style.color(), |paint| {
            let (fill, stroke) = fill_and_stroke(paint, fill);
            html! {
                rect x=(upper_left.0) y=(upper_left.1)
                    width=(bottom_right.0 - upper_left.0) height=(bottom_right.1 - upper_left.1)
                    fill=(fill) stroke=(stroke) {}
            }
        })
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Drawn {
        self.draw(style.color(), |paint| {
            html! {
                polyline fill="none" stroke=(paint.colour()) stroke-dasharray=[paint.dashes()]
                    stroke-width=(style.stroke_width()) points=(points(path)) {}
            }
        })
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        centre: BackendCoord,
        radius: u32,
        style: &S,
        fill: bool,
    ) -> Drawn {
        self.draw(style.color(), |paint| {
            let (fill, stroke) = fill_and_stroke(paint, fill);
            html! {
                circle cx=(centre.0) cy=(centre.1) r=(radius)
                    fill=(fill) stroke=(stroke) stroke-width=(style.stroke_width()) {}
            }
        })
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        corners: I,
        style: &S,
    ) -> Drawn {
        self.draw(style.color(), |paint| {
            html! { polygon fill=(paint.colour()) points=(points(corners)) {} }
        })
    }

    fn draw_text<S: BackendTextStyle>(
        &mut self,
        text: &str,
        style: &S,
        (x, y): BackendCoord,
    ) -> Drawn {
        let anchor = match style.anchor().h_pos {
            HPos::Left => "start",
            HPos::Center => "middle",
            HPos::Right => "end",
        };
        let down = match style.anchor().v_pos {
            VPos::Top => "0.76em",
            VPos::Center => "0.5ex",
            VPos::Bottom => "-0.5ex",
        };
        let degrees = match style.transform() {
            FontTransform::None => None,
            FontTransform::Rotate90 => Some(90),
            FontTransform::Rotate180 => Some(180),
            FontTransform::Rotate270 => Some(270),
        };
        let turn = degrees.map(|degrees| format!("rotate({degrees}, {x}, {y})"));
        self.draw(style.color(), |paint| {
            html! {
                text x=(x) y=(y) dy=(down) text-anchor=(anchor) font-size=(style.size())
                    fill=(paint.colour()) transform=[turn] { (text) }
            }
        })
    }
}

/// The colours within a shape and around it.
fn fill_and_stroke(paint: Paint, filled: bool) -> (String, String) {
    let (colour, none) = (paint.colour(), "none".to_owned());
    if filled {
        (colour, none)
    } else {
        (none, colour)
    }
}

/// Points as the attribute `points` has them.
fn points(of: impl IntoIterator<Item = BackendCoord>) -> String {
    let mut text = String::new();
    for (x, y) in of {
        let gap = if text.is_empty() { "" } else { " " };
        write!(text, "{gap}{x},{y}").expect("writing to a string should not fail");
    }
    text
}

#[cfg(test)]
mod tests {
    use plotters::coord::Shift;
    use plotters::prelude::*;

    use super::{Paint, SvgBackend};

    /// What drawing leaves in the page.
    fn drawing(draw: impl FnOnce(&DrawingArea<SvgBackend<'_>, Shift>)) -> String {
        let mut elements = String::new();
        draw(&SvgBackend::new(&mut elements, (100, 100)).into_drawing_area());
        elements
    }

    #[test]
    fn lines_have_the_colour_and_the_dashes_of_their_series_and_points_only_the_colour() {
        let paint = Paint::dashed(1);
        let line = drawing(|area| {
            let style = paint.code().stroke_width(8);
            let path = PathElement::new(vec![(0, 1), (2, 3)], style);
            area.draw(&path).expect("a drawing");
        });
        assert_eq!(
            line,
            "<polyline fill=\"none\" stroke=\"var(--series-1)\" stroke-dasharray=\"36 20\" \
             stroke-width=\"8\" points=\"0,1 2,3\"></polyline>"
        );
        let point = drawing(|area| {
            let dot = Circle::new((5, 6), 4, paint.code().filled());
            area.draw(&dot).expect("a drawing");
        });
        assert_eq!(
            point,
            "<circle cx=\"5\" cy=\"6\" r=\"4\" fill=\"var(--series-1)\" stroke=\"none\" \
             stroke-width=\"1\"></circle>"
        );
    }

    #[test]
    fn text_is_escaped_and_names_no_font() {
        let text = drawing(|area| {
            let style = ("any", 48).into_font().color(&Paint::Ink.code());
            area.draw_text("<&", &style, (1, 2)).expect("a drawing");
        });
        assert_eq!(
            text,
            "<text x=\"1\" y=\"2\" dy=\"0.76em\" text-anchor=\"start\" font-size=\"48\" \
             fill=\"var(--ink)\">&lt;&amp;</text>"
        );
    }

    #[test]
    fn what_is_transparent_is_not_drawn() {
        let drawn = drawing(|area| {
            let path = PathElement::new(vec![(0, 0), (9, 9)], TRANSPARENT);
            area.draw(&path).expect("a drawing");
        });
        assert_eq!(drawn, "");
    }
}
