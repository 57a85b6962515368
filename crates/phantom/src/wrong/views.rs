//! The images of planted objects.

use super::WrongKind;
use crate::anatomy::{self, Biodistribution};
use crate::blur::gaussian;
use crate::cohort::Study;
use crate::field::{self, Aim};
use crate::random::{Purpose, Stream};
use crate::raster::Canvas;
use crate::scanner::Scanner;
use crate::view::{Views, detect, photons, scan};

/// A planted image, and the counts of what it was made of.
pub(super) struct Picture {
    pub(super) views: Views,
    /// Counts of the anterior view before it was processed, where it was.
    pub(super) accumulated: Option<u64>,
    /// How its pixels are written.
    pub(super) depth: Depth,
}

/// How pixels are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// 16 bits, one sample.
    Counts,
    /// 8 bits, one sample.
    Grey,
    /// 8 bits, three samples.
    Colour,
}

/// Draws the image of a kind.
pub(super) fn draw(kind: WrongKind, study: &Study, stream: &mut Stream) -> Picture {
    use WrongKind as Kind;
    let counts = |views: Views| Picture {
        views,
        accumulated: None,
        depth: Depth::Counts,
    };
    match kind {
        Kind::BloodPool => counts(other(study, Biodistribution::BloodPool, stream)),
        Kind::ChestBloodPool => counts(region(kind, study, stream)),
        Kind::Pelvis | Kind::Knees | Kind::Skull | Kind::Feet | Kind::Hands => {
            counts(region(kind, study, stream))
        }
        Kind::Noise => counts(noise(study, stream)),
        Kind::Flood => counts(flood(study, stream)),
        Kind::Perfusion => counts(other(study, Biodistribution::Perfusion, stream)),
        Kind::Iodide => counts(other(study, Biodistribution::Iodide, stream)),
        Kind::Octreotide => counts(other(study, Biodistribution::Octreotide, stream)),
        Kind::Gallium => counts(other(study, Biodistribution::Gallium, stream)),
        Kind::BothViews => counts(both_views(study, stream)),
        Kind::DualIsotope => counts(dual_isotope(study, stream)),
        Kind::PaddedSquare => counts(padded(study, stream)),
        Kind::Negative => counts(negative(study)),
        Kind::ScreenCapture => screen(study, stream),
        Kind::Processed => processed(study),
        Kind::Windowed => windowed(study),
    }
}

/// A whole body with another biodistribution.
fn other(study: &Study, tracer: Biodistribution, stream: &mut Stream) -> Views {
    let body = anatomy::body(study);
    let mut position = Stream::new(study.seed, Purpose::Position, study.number);
    let (field, geometry) = field::whole_body(study.scanner, body.length_mm, &mut position);
    let mut canvas = Canvas::new(geometry);
    anatomy::draw_other(&mut canvas, &body, tracer, stream);
    photons(study, &detect(&canvas, field, study))
}

/// A static of another part of the body, or of the chest's blood.
fn region(kind: WrongKind, study: &Study, stream: &mut Stream) -> Views {
    let body = anatomy::body(study);
    let (height, zoom) = match kind {
        WrongKind::Pelvis => (stream.normal(432.0, 8.0), 1.0),
        WrongKind::Knees => (stream.normal(684.0, 8.0), stream.range(1.0, 1.3)),
        WrongKind::Feet => (stream.normal(950.0, 5.0), stream.range(1.0, 1.5)),
        WrongKind::Skull => (stream.normal(66.0, 4.0), stream.range(1.0, 1.6)),
        WrongKind::Hands => (stream.normal(30.0, 4.0), stream.range(1.0, 1.4)),
        _ => (stream.normal(232.0, 6.0), 1.0),
    };
    let aim = Aim {
        x: 0.0,
        y: height * 1e-3 * body.length_mm,
        zoom,
    };
    let mut position = Stream::new(study.seed, Purpose::Position, study.number);
    let (field, geometry) = field::fixed(study.scanner, aim, &mut position);
    let mut canvas = Canvas::new(geometry);
    match kind {
        WrongKind::Hands => anatomy::hands(&mut canvas, aim.y, stream),
        WrongKind::ChestBloodPool => {
            anatomy::draw_other(&mut canvas, &body, Biodistribution::BloodPool, stream);
        }
        _ => anatomy::draw(&mut canvas, &body, study),
    }
    photons(study, &detect(&canvas, field, study))
}

/// A matrix of a whole body, or of a static.
fn blank(scanner: &Scanner, stream: &mut Stream) -> Views {
    let (rows, columns) = if stream.chance(0.6) {
        (1024, 256)
    } else {
        (256, 256)
    };
    bitmap(rows, columns, scanner.pixel_mm, vec![0; rows * columns])
}

fn bitmap(rows: usize, columns: usize, pixel_mm: f64, pixels: Vec<u16>) -> Views {
    Views {
        rows,
        columns,
        pixel_mm,
        scanned_mm: rows as f64 * pixel_mm,
        posterior: pixels.clone(),
        anterior: pixels,
    }
}

/// Noise of an empty field, of a source far away, or in clouds as wide as a body.
fn noise(study: &Study, stream: &mut Stream) -> Views {
    let mut views = blank(study.scanner, stream);
    let level = 0.2 * 200.0_f64.powf(stream.uniform());
    let mut mean = vec![level as f32; views.rows * views.columns];
    if stream.chance(0.5) {
        let grain: Vec<f32> = mean
            .iter()
            .map(|_| stream.exponential(level) as f32)
            .collect();
        mean = gaussian(&grain, views.columns, stream.range(2.0, 12.0));
    }
    views.anterior = mean
        .iter()
        .map(|mean| stream.poisson(f64::from(*mean)) as u16)
        .collect();
    views.posterior = views.anterior.clone();
    views
}

/// A sheet source: even within the field, or round.
fn flood(study: &Study, stream: &mut Stream) -> Views {
    let mut views = blank(study.scanner, stream);
    let level = stream.range(5.0, 80.0);
    let round = stream.chance(0.5);
    let (rows, columns) = (views.rows as f64, views.columns as f64);
    for (index, pixel) in views.anterior.iter_mut().enumerate() {
        let y = (index / views.columns) as f64 / rows - 0.5;
        let x = (index % views.columns) as f64 / columns - 0.5;
        let inside = if round {
            x.hypot(y) < 0.45
        } else {
            x.abs() < 0.44 && y.abs() < 0.44
        };
        *pixel = stream.poisson(if inside { level } else { 0.1 }) as u16;
    }
    views.posterior = views.anterior.clone();
    views
}

/// A view's anterior pixels, at half the resolution where `halved`.
fn page(views: &Views, pixels: &[u16], halved: bool) -> (usize, usize, Vec<u16>) {
    if !halved {
        return (views.rows, views.columns, pixels.to_vec());
    }
    let (rows, columns) = (views.rows / 2, views.columns / 2);
    let at = |row: usize, column: usize| pixels[row * views.columns + column];
    let half = (0..rows * columns).map(|index| {
        let (row, column) = (2 * (index / columns), 2 * (index % columns));
        at(row, column) + at(row + 1, column) + at(row, column + 1) + at(row + 1, column + 1)
    });
    (rows, columns, half.collect())
}

/// Two images of one size beside each other.
fn beside(views: &Views, left: &[u16], right: &[u16], halved: bool) -> Views {
    let (rows, columns, left) = page(views, left, halved);
    let (_, _, right) = page(views, right, halved);
    let pixels = left
        .chunks_exact(columns)
        .zip(right.chunks_exact(columns))
        .flat_map(|(left, right)| left.iter().chain(right).copied())
        .collect();
    let pixel_mm = views.pixel_mm * if halved { 2.0 } else { 1.0 };
    bitmap(rows, 2 * columns, pixel_mm, pixels)
}

fn both_views(study: &Study, stream: &mut Stream) -> Views {
    let views = scan(study);
    beside(
        &views,
        &views.anterior,
        &views.posterior,
        stream.chance(0.5),
    )
}

fn dual_isotope(study: &Study, stream: &mut Stream) -> Views {
    let views = scan(study);
    let halved = stream.chance(0.5);
    let tracer = [
        Biodistribution::Gallium,
        Biodistribution::Octreotide,
        Biodistribution::Perfusion,
    ][stream.choose(&[1.0; 3])];
    let second = other(study, tracer, stream);
    beside(&views, &views.anterior, &second.anterior, halved)
}

/// A whole body in the middle of a square of its own height.
fn padded(study: &Study, stream: &mut Stream) -> Views {
    let views = scan(study);
    let halved = stream.chance(0.5);
    let (rows, columns, pixels) = page(&views, &views.anterior, halved);
    let margin = (rows - columns) / 2;
    let mut square = vec![0; rows * rows];
    for (line, from) in square
        .chunks_exact_mut(rows)
        .zip(pixels.chunks_exact(columns))
    {
        line[margin..margin + columns].copy_from_slice(from);
    }
    let pixel_mm = views.pixel_mm * if halved { 2.0 } else { 1.0 };
    bitmap(rows, rows, pixel_mm, square)
}

fn negative(study: &Study) -> Views {
    let mut views = scan(study);
    let most = views.anterior.iter().copied().max().unwrap_or(0).min(255);
    for pixel in &mut views.anterior {
        *pixel = most - (*pixel).min(most);
    }
    views
}

fn sum(pixels: &[u16]) -> u64 {
    pixels.iter().map(|pixel| u64::from(*pixel)).sum()
}

/// Smoothed, and scaled so that the brightest pixel is 32767.
fn processed(study: &Study) -> Picture {
    let mut views = scan(study);
    let accumulated = Some(sum(&views.anterior));
    let counts: Vec<f32> = views
        .anterior
        .iter()
        .map(|count| f32::from(*count))
        .collect();
    let smooth = gaussian(&counts, views.columns, 1.2);
    let most = smooth.iter().copied().fold(1.0, f32::max);
    views.anterior = smooth
        .iter()
        .map(|count| (count * 32767.0 / most) as u16)
        .collect();
    Picture {
        views,
        accumulated,
        depth: Depth::Counts,
    }
}

/// As it was seen on a screen: 256 shades up to a window's upper edge.
fn shades(pixels: &[u16], inverted: bool) -> Vec<u16> {
    let mut sorted = pixels.to_vec();
    sorted.sort_unstable();
    let upper = f32::from(sorted[sorted.len() * 995 / 1000].max(1));
    let shade = |count: &u16| (255.0 * (f32::from(*count) / upper).min(1.0)) as u16;
    pixels
        .iter()
        .map(|count| {
            if inverted {
                255 - shade(count)
            } else {
                shade(count)
            }
        })
        .collect()
}

fn windowed(study: &Study) -> Picture {
    let mut views = scan(study);
    let accumulated = Some(sum(&views.anterior));
    views.anterior = shades(&views.anterior, false);
    Picture {
        views,
        accumulated,
        depth: Depth::Grey,
    }
}

/// Both views on a screen with a frame, lines of writing and a bar of shades.
fn screen(study: &Study, stream: &mut Stream) -> Picture {
    let views = scan(study);
    let inverted = stream.chance(0.5);
    let (paper, ink) = if inverted { (255, 0) } else { (0, 255) };
    let (rows, columns) = (600, 800);
    let mut pixels = vec![paper; rows * columns];
    for (left, view) in [(120, &views.anterior), (420, &views.posterior)] {
        let (height, width, half) = page(&views, view, true);
        let half = shades(&half, inverted);
        for (row, line) in half.chunks_exact(width).enumerate().take(height) {
            let start = (row + 60) * columns + left;
            pixels[start..start + width].copy_from_slice(line);
        }
    }
    writing(&mut pixels, columns, ink, stream);
    for row in 60..560 {
        let start = row * columns + 740;
        pixels[start..start + 16].fill((255 * (row - 60) / 500) as u16);
    }
    Picture {
        views: bitmap(rows, columns, views.pixel_mm * 2.0, pixels),
        accumulated: None,
        depth: if stream.chance(0.5) {
            Depth::Grey
        } else {
            Depth::Colour
        },
    }
}

/// Strokes as high as letters, which stand for a line of text at the top and one at the bottom.
fn writing(pixels: &mut [u16], columns: usize, ink: u16, stream: &mut Stream) {
    for top in [12, 30, 575] {
        let letters = stream.whole(18, 40) as usize;
        for letter in 0..letters {
            let left = 20 + 12 * letter;
            for row in top..top + 11 {
                for column in left..left + 8 {
                    if stream.chance(0.35) {
                        pixels[row * columns + column] = ink;
                    }
                }
            }
        }
    }
}
