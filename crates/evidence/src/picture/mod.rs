//! The picture of a decision: the crop beside where the model looked on it, and what it said, in words.
//!
//! The crop is drawn as is usual in nuclear medicine, counts dark. The heart is outlined in red, what it is compared
//! with in blue. Never: anything that identifies a patient, the time or the station.

mod canvas;
mod captions;
mod colour;
mod panel;

use attrium_imaging::{CROP_PIXELS, HeartRegions};
use snafu::ensure;

use super::decision::Decision;
use super::error::{Error, PictureSizeSnafu};
use super::outline;
use canvas::{Canvas, Rgb};
use panel::Panel;

/// Columns of the picture.
pub(crate) const WIDTH: usize = 1024;
/// Rows of the picture.
pub(crate) const HEIGHT: usize = 704;

/// Where the two images begin.
const TOP: usize = 84;
const LEFT: [usize; 2] = [48, 528];

/// What is drawn, in pixels of the crop, row by row.
#[derive(Clone, Copy, Debug)]
pub struct Pictures<'a> {
    /// Counts.
    pub counts: &'a [f32],
    /// How much each pixel spoke for a positive decision, from 0 to 1; none where that is not known.
    pub heat: Option<&'a [f32]>,
    /// The heart and what it is compared with, in pixels of the crop; none where it was not found.
    pub regions: Option<HeartRegions>,
}

/// Draws a decision: `WIDTH * HEIGHT` pixels, row by row.
///
/// # Errors
/// [`Error::PictureSize`].
pub(crate) fn drawn(decision: &Decision, pictures: &Pictures<'_>) -> Result<Vec<Rgb>, Error> {
    for pixels in [Some(pictures.counts), pictures.heat].into_iter().flatten() {
        ensure!(
            pixels.len() == CROP_PIXELS,
            PictureSizeSnafu {
                pixels: pixels.len(),
                expected: CROP_PIXELS
            }
        );
    }
    let mut canvas = Canvas::new(WIDTH, HEIGHT, colour::BACKGROUND);
    captions::banner(&mut canvas, decision.synthetic);
    let greys = panel::greys(pictures.counts);
    let [left, right] = LEFT.map(|left| Panel { top: TOP, left });
    left.draw(&mut canvas, &greys);
    match pictures.heat {
        Some(heat) => {
            right.draw(&mut canvas, &panel::warmed(&greys, heat));
            captions::scale(&mut canvas, &right);
        }
        None => {
            right.fill(&mut canvas, colour::PANEL);
            captions::no_heat(&mut canvas, &right);
        }
    }
    if let Some(regions) = &pictures.regions {
        let [heart, opposite] = outline::of_regions(regions);
        let panels = [Some(left), pictures.heat.map(|_| right)];
        for panel in panels.iter().flatten() {
            panel.outline(&mut canvas, &heart, colour::RED);
            panel.outline(&mut canvas, &opposite, colour::BLUE);
        }
        captions::legend(&mut canvas, &left);
    }
    captions::titles(&mut canvas, &left, &right);
    captions::decision(&mut canvas, decision, pictures);
    Ok(canvas.into_pixels())
}

#[cfg(test)]
mod tests {
    use attrium_imaging::{CROP_SIZE, Ellipse};

    use super::*;
    use crate::fixtures::decision;

    /// The crop's pixels are 3.5 of the picture's; this one is the middle of its pixel.
    fn magnified(panel: usize, row: usize, column: usize) -> usize {
        let place = |start: usize, pixel: usize| start + (7 * pixel + 3) / 2;
        place(TOP, row) * WIDTH + place(LEFT[panel], column)
    }

    fn regions() -> HeartRegions {
        let heart = Ellipse {
            row: 63.5,
            column: 95.5,
            height: 40.0,
            width: 40.0,
        };
        HeartRegions {
            heart,
            contralateral: Ellipse {
                column: 31.5,
                ..heart
            },
            margin: 4.0,
        }
    }

    #[test]
    fn counts_are_dark_and_heat_is_coloured() {
        let mut counts = vec![0.0; CROP_PIXELS];
        let mut heat = counts.clone();
        for row in 40..60 {
            counts[row * CROP_SIZE..][40..60].fill(9.0);
            heat[row * CROP_SIZE..][40..60].fill(1.0);
        }
        let pictures = Pictures {
            counts: &counts,
            heat: Some(&heat),
            regions: None,
        };
        let drawn = drawn(&decision(), &pictures).expect("should be drawn");
        assert_eq!(drawn.len(), WIDTH * HEIGHT);
        assert_eq!(drawn[magnified(0, 50, 50)], [0; 3]);
        assert_eq!(drawn[magnified(0, 20, 90)], [0xFF; 3]);
        assert_eq!(drawn[magnified(1, 20, 90)], [0xFF; 3]);
        let [red, green, blue] = drawn[magnified(1, 50, 50)];
        assert!(red > 100 && green < 30 && blue < 60);
    }

    #[test]
    fn the_heart_is_outlined_in_red_and_what_it_is_compared_with_in_blue() {
        let counts = vec![1.0; CROP_PIXELS];
        let pictures = Pictures {
            counts: &counts,
            heat: None,
            regions: Some(regions()),
        };
        let drawn = drawn(&decision(), &pictures).expect("should be drawn");
        // The outermost points lie on the edge between two pixels of the crop.
        let edge = |column: usize| (TOP + 224) * WIDTH + LEFT[0] + 7 * column / 2;
        assert_eq!(drawn[edge(116)], colour::RED);
        assert_eq!(drawn[edge(12)], colour::BLUE);
        assert_eq!(drawn[magnified(0, 63, 95)], [0; 3]);
        // Without a heat map there is nothing to outline on.
        assert_eq!(drawn[magnified(1, 63, 115)], colour::PANEL);
    }

    #[test]
    fn every_picture_says_that_it_is_for_research_and_an_invented_one_that_too() {
        let counts = vec![1.0; CROP_PIXELS];
        let pictures = Pictures {
            counts: &counts,
            heat: None,
            regions: None,
        };
        let mut decision = decision();
        let real = drawn(&decision, &pictures).expect("should be drawn");
        decision.synthetic.model = true;
        let invented = drawn(&decision, &pictures).expect("should be drawn");
        let mark = |drawn: &[Rgb]| drawn[10 * WIDTH + LEFT[1] + panel::SIDE - 5];
        assert_eq!(mark(&real), colour::AMBER);
        assert_eq!(mark(&invented), colour::BACKGROUND);
        for drawn in [real, invented] {
            let banner = drawn[..40 * WIDTH].chunks(WIDTH);
            let notice = banner.flat_map(|row| &row[300..720]);
            let ink = notice.filter(|pixel| **pixel == colour::BACKGROUND);
            assert!(ink.count() > 1_000);
        }
    }
}
