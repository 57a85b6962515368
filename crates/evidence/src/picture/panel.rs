//! A crop, magnified.

use attrium_imaging::{CROP_SIZE, black_level};

use super::canvas::{Canvas, Rgb};
use super::colour;

/// Pixels along a side of a magnified crop.
pub(super) const SIDE: usize = 448;

/// How much of the crop the hottest pixels hide.
const OPAQUE: f32 = 0.75;

/// A place for a magnified crop.
#[derive(Clone, Copy)]
pub(super) struct Panel {
    pub top: usize,
    pub left: usize,
}

/// A crop in colours from 0 to 255, before they are magnified.
pub(super) type Colours = Vec<[f32; 3]>;

/// Counts as greys: none white, many black, linear up to the count that 1 % of the pixels with counts exceed.
pub(super) fn greys(counts: &[f32]) -> Colours {
    let black = black_level(counts);
    let grey = |count: &f32| 255.0 * (1.0 - (count / black).clamp(0.0, 1.0));
    counts.iter().map(|count| [grey(count); 3]).collect()
}

/// Greys under the colours of a heat map, which hide more the hotter they are.
pub(super) fn warmed(greys: &Colours, heat: &[f32]) -> Colours {
    let warm = |([grey, ..], heat): (&[f32; 3], &f32)| {
        let heat = if heat.is_finite() {
            heat.clamp(0.0, 1.0)
        } else {
            0.0
        };
        let share = OPAQUE * heat.sqrt();
        colour::of_heat(heat).map(|over| grey + share * (f32::from(over) - grey))
    };
    greys.iter().zip(heat).map(warm).collect()
}

impl Panel {
    pub(super) fn fill(&self, canvas: &mut Canvas, colour: Rgb) {
        canvas.rectangle([self.top, self.left], [SIDE; 2], colour);
    }

    /// Draws a crop, whose colours go over into each other.
    pub(super) fn draw(&self, canvas: &mut Canvas, colours: &Colours) {
        let places: Vec<Place> = (0..SIDE).map(Place::of).collect();
        for (row, down) in places.iter().enumerate() {
            for (column, across) in places.iter().enumerate() {
                let colour = between(colours, down, across);
                canvas.set(self.top + row, self.left + column, colour);
            }
        }
    }

    /// Draws the line around a polygon in pixels of the crop.
    pub(super) fn outline(&self, canvas: &mut Canvas, polygon: &[[f64; 2]], colour: Rgb) {
        let scale = SIDE as f64 / CROP_SIZE as f64;
        let start = [self.top as f64, self.left as f64];
        let within = super::outline::within(polygon, CROP_SIZE as f64, CROP_SIZE as f64);
        let magnified = within
            .iter()
            .map(|point| [0, 1].map(|axis| start[axis] + scale * point[axis]));
        canvas.outline(&magnified.collect::<Vec<_>>(), colour);
    }
}

/// Where a magnified pixel lies between two of the crop.
struct Place {
    before: usize,
    after: usize,
    share: f32,
}

impl Place {
    fn of(pixel: usize) -> Self {
        let last = (CROP_SIZE - 1) as f32;
        let middle = (pixel as f32 + 0.5) * CROP_SIZE as f32 / SIDE as f32 - 0.5;
        let middle = middle.clamp(0.0, last);
        let before = middle as usize;
        Self {
            before,
            after: (before + 1).min(CROP_SIZE - 1),
            share: middle - before as f32,
        }
    }
}

fn between(colours: &Colours, down: &Place, across: &Place) -> Rgb {
    let at = |row: usize, column: usize| colours[row * CROP_SIZE + column];
    let mix = |one: f32, other: f32, share: f32| one + share * (other - one);
    std::array::from_fn(|channel| {
        let line = |row: usize| {
            let (before, after) = (at(row, across.before), at(row, across.after));
            mix(before[channel], after[channel], across.share)
        };
        mix(line(down.before), line(down.after), down.share).round() as u8
    })
}
