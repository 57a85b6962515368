//! Pixels, and text and lines on them.

use std::convert::Infallible;

use embedded_graphics::draw_target::DrawTarget;
use embedded_graphics::geometry::{OriginDimensions, Point, Size};
use embedded_graphics::mono_font::{MonoFont, MonoTextStyle};
use embedded_graphics::pixelcolor::{Rgb888, RgbColor};
use embedded_graphics::text::{Baseline, Text};
use embedded_graphics::{Drawable, Pixel};

use super::colour::mixed;

/// Red, green and blue.
pub(crate) type Rgb = [u8; 3];

/// Half the width of lines, in pixels, and of the light that parts them from what is as dark as they are.
const HALF_LINE: f64 = 1.1;
const HALF_HALO: f64 = 2.6;
const HALO: Rgb = [0xFF; 3];
const HALO_SHARE: f32 = 0.6;

/// Pixels that are drawn on; what lies outside is not drawn.
pub(super) struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<Rgb>,
}

/// How text is set.
#[derive(Clone, Copy)]
pub(super) struct Style<'a> {
    pub font: &'a MonoFont<'a>,
    pub colour: Rgb,
    /// How many pixels a letter's pixel is wide and high.
    pub size: usize,
}

impl Style<'_> {
    /// How wide a text of so many letters is.
    pub(super) fn width(&self, letters: usize) -> usize {
        let spacing = self.font.character_spacing;
        letters * (self.font.character_size.width + spacing) as usize * self.size
    }
}

impl Canvas {
    pub(super) fn new(width: usize, height: usize, colour: Rgb) -> Self {
        Self {
            width,
            height,
            pixels: vec![colour; width * height],
        }
    }

    pub(super) fn into_pixels(self) -> Vec<Rgb> {
        self.pixels
    }

    pub(super) fn set(&mut self, row: usize, column: usize, colour: Rgb) {
        self.blend(row, column, colour, 1.0);
    }

    pub(super) fn rectangle(
        &mut self,
        [top, left]: [usize; 2],
        [height, width]: [usize; 2],
        colour: Rgb,
    ) {
        for row in top..top + height {
            for column in left..left + width {
                self.set(row, column, colour);
            }
        }
    }

    /// Writes a line of ASCII, whose upper left corner is given.
    pub(super) fn text(&mut self, [top, left]: [usize; 2], text: &str, style: Style<'_>) {
        let mut letters = Letters {
            canvas: self,
            top,
            left,
            size: style.size,
        };
        let [red, green, blue] = style.colour;
        let ink = MonoTextStyle::new(style.font, Rgb888::new(red, green, blue));
        // Nothing here fails: letters outside are not drawn.
        let Ok(_) = Text::with_baseline(text, Point::zero(), ink, Baseline::Top).draw(&mut letters);
    }

    /// Draws the line around a polygon, whose points are rows and columns; 0 is the edge of the first pixel.
    pub(super) fn outline(&mut self, polygon: &[[f64; 2]], colour: Rgb) {
        self.line(polygon, HALF_HALO, HALO, HALO_SHARE);
        self.line(polygon, HALF_LINE, colour, 1.0);
    }

    fn line(&mut self, polygon: &[[f64; 2]], half: f64, colour: Rgb, strength: f32) {
        let mut cover = vec![0.0_f32; self.pixels.len()];
        let next = polygon.iter().cycle().skip(1);
        for (from, to) in polygon.iter().zip(next) {
            self.cover([*from, *to], half, &mut cover);
        }
        // Each pixel is painted once, where two parts of the line meet too.
        let covered = self.pixels.iter_mut().zip(cover);
        for (pixel, share) in covered.filter(|(_, share)| *share > 0.0) {
            *pixel = mixed(*pixel, colour, strength * share);
        }
    }

    /// How far a part of a line covers each pixel near it.
    fn cover(&self, [from, to]: [[f64; 2]; 2], half: f64, cover: &mut [f32]) {
        let reach = half + 1.0;
        let span = |axis: usize, all: usize| {
            let (low, high) = (
                from[axis].min(to[axis]) - reach,
                from[axis].max(to[axis]) + reach,
            );
            low.max(0.0) as usize..(high.max(0.0).ceil() as usize).min(all)
        };
        for row in span(0, self.height) {
            for column in span(1, self.width) {
                let middle = [row as f64 + 0.5, column as f64 + 0.5];
                let share = (half + 0.5 - distance(middle, from, to)).clamp(0.0, 1.0) as f32;
                let pixel = &mut cover[row * self.width + column];
                *pixel = pixel.max(share);
            }
        }
    }

    fn blend(&mut self, row: usize, column: usize, colour: Rgb, share: f32) {
        if row < self.height && column < self.width {
            let pixel = &mut self.pixels[row * self.width + column];
            *pixel = mixed(*pixel, colour, share);
        }
    }
}

/// How far a point is from a part of a line.
fn distance(point: [f64; 2], from: [f64; 2], to: [f64; 2]) -> f64 {
    let [down, right] = [to[0] - from[0], to[1] - from[1]];
    let length = down * down + right * right;
    let along = (point[0] - from[0]) * down + (point[1] - from[1]) * right;
    let share = if length > 0.0 {
        (along / length).clamp(0.0, 1.0)
    } else {
        0.0
    };
    (point[0] - from[0] - share * down).hypot(point[1] - from[1] - share * right)
}

/// A canvas that letters are drawn on, larger than their font has them.
struct Letters<'a> {
    canvas: &'a mut Canvas,
    top: usize,
    left: usize,
    size: usize,
}

impl OriginDimensions for Letters<'_> {
    fn size(&self) -> Size {
        Size::new(self.canvas.width as u32, self.canvas.height as u32)
    }
}

impl DrawTarget for Letters<'_> {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<I>(&mut self, pixels: I) -> Result<(), Infallible>
    where
        I: IntoIterator<Item = Pixel<Rgb888>>,
    {
        for Pixel(Point { x, y }, colour) in pixels {
            let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else {
                continue;
            };
            let corner = [self.top + self.size * y, self.left + self.size * x];
            let colour = [colour.r(), colour.g(), colour.b()];
            self.canvas.rectangle(corner, [self.size; 2], colour);
        }
        Ok(())
    }
}
