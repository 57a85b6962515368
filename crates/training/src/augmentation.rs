//! Augmented training images: shifted, turned, scaled and thinned copies, drawn once a fold or once an epoch.
//!
//! The plan (which source, which transform) is separate from the rendering, so that images can be
//! rendered lazily and on any thread: an image's numbers are decided by the seed, the fold and the
//! image's own number. Nothing here looks at validation or test images.

use super::Exposure;
use super::apportionment::apportion;
use attrium_imaging::intensities;
use attrium_types::{Intensity, random};

/// How many augmented images to draw, and from which ranges (paper, "Training").
#[derive(Clone, Debug, PartialEq)]
pub struct Augmentation {
    /// How many images to draw; the plan has exactly so many.
    pub images: usize,
    /// The largest shift in x and in y, as a percentage of the image's side.
    pub shift_percent: f64,
    /// The largest rotation, in degrees, either way.
    pub rotation_degrees: f64,
    /// The largest change of scale, in percent: 20 is a factor from 0.8 to 1.2.
    pub scale_percent: f64,
    /// The largest loss of counts, in percent, below 100.
    pub exposure_percent: f64,
    /// The run's seed.
    pub seed: u64,
    /// The fold that the images are for; another fold draws other transforms.
    pub fold: u64,
}

/// One augmented image, before it is rendered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AugmentedImage {
    /// The index of its source among the training images.
    pub source: usize,
    /// Its number, which decides with the seed and the fold what is drawn.
    pub number: u64,
    /// Which of the source's counts are kept, before anything else is done.
    pub exposure: Exposure,
    /// What is done to the source.
    pub transform: Transform,
}

/// A scaling, then a rotation about the image's centre, then a shift.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transform {
    /// The shift to the right, as a fraction of the side.
    pub shift_x: f64,
    /// The shift downwards, as a fraction of the side.
    pub shift_y: f64,
    /// The rotation in degrees, clockwise as the image is looked at.
    pub rotation_degrees: f64,
    /// The factor of magnification.
    pub scale: f64,
}

impl Augmentation {
    /// Which images to draw, from training images of these classes.
    ///
    /// Classes keep their proportions (largest remainder), except that a class that occurs gets at
    /// least one image where `images` allows it. Within a class every source is drawn equally
    /// often, give or take one; the seed decides which ones are drawn once more. The plan is
    /// sorted by class, then by source; it is empty where `classes` is.
    pub fn plan(&self, classes: &[usize]) -> Vec<AugmentedImage> {
        let count = classes.iter().max().map_or(0, |&highest| highest + 1);
        let mut sources = vec![Vec::new(); count];
        for (source, &class) in classes.iter().enumerate() {
            sources[class].push(source);
        }
        let mut plan = Vec::with_capacity(self.images);
        for (class, share) in self.shares(&sources).into_iter().enumerate() {
            let of_class = &mut sources[class];
            let mut random = self.stream(b"augsourc", class as u64);
            random::shuffle(&mut random, of_class);
            let mut drawn: Vec<usize> = of_class.iter().copied().cycle().take(share).collect();
            drawn.sort_unstable();
            for source in drawn {
                plan.push(self.draw(plan.len() as u64, source));
            }
        }
        plan
    }

    /// The image of a number, of a source.
    pub(super) fn draw(&self, number: u64, source: usize) -> AugmentedImage {
        AugmentedImage {
            source,
            number,
            exposure: self.exposure(number),
            transform: self.transform(number),
        }
    }

    /// Renders an image of its source's counts, on the scale that a network sees.
    pub(super) fn render(
        &self,
        image: &AugmentedImage,
        counts: &[f32],
        intensity: Intensity,
        target: &mut [f32],
    ) {
        let counts = self.thin(image.number, image.exposure, counts);
        let source = intensities(&counts, intensity);
        let side = counts.len().isqrt();
        image.transform.render(&source, side, target);
    }

    /// How many images each class gets.
    fn shares(&self, sources: &[Vec<usize>]) -> Vec<usize> {
        let sizes: Vec<usize> = sources.iter().map(Vec::len).collect();
        let mut shares = apportion(self.images, &sizes);
        for class in 0..shares.len() {
            if shares[class] == 0 && sizes[class] > 0 {
                let largest = (0..shares.len())
                    .max_by_key(|&c| shares[c])
                    .unwrap_or(class);
                if shares[largest] > 1 {
                    shares[largest] -= 1;
                    shares[class] += 1;
                }
            }
        }
        shares
    }

    /// The transform of an image, decided by the seed, the fold and the image's number alone.
    fn transform(&self, image: u64) -> Transform {
        let mut random = self.stream(b"augtrans", image);
        let mut within = |limit: f64| random::uniform(&mut random, -limit, limit);
        Transform {
            shift_x: within(self.shift_percent / 100.0),
            shift_y: within(self.shift_percent / 100.0),
            rotation_degrees: within(self.rotation_degrees),
            scale: 1.0 + within(self.scale_percent / 100.0),
        }
    }

    /// The share of its source's counts that an image keeps.
    fn exposure(&self, image: u64) -> Exposure {
        let lowest = 1.0 - self.exposure_percent / 100.0;
        Exposure::draw(&mut self.stream(b"augshare", image), lowest)
    }

    /// The counts that an image of the plan has kept of its source's.
    fn thin(&self, image: u64, exposure: Exposure, counts: &[f32]) -> Vec<f32> {
        exposure.thin(counts, &mut self.stream(b"augcount", image))
    }

    fn stream(&self, purpose: &[u8; 8], number: u64) -> rand_chacha::ChaCha8Rng {
        random::stream(self.seed, purpose, self.fold, number)
    }
}

impl Transform {
    /// The transform that changes nothing.
    pub const IDENTITY: Self = Self {
        shift_x: 0.0,
        shift_y: 0.0,
        rotation_degrees: 0.0,
        scale: 1.0,
    };

    /// Renders a square image of `side` x `side` pixels (row-major) under the transform.
    ///
    /// There is one bilinear interpolation for shift, rotation and scale together; beyond its
    /// border the source is continued by its nearest pixel. Both slices hold `side * side` pixels.
    pub fn render(&self, source: &[f32], side: usize, target: &mut [f32]) {
        let inverse = Inverse::of(self, side);
        for (row, pixels) in target.chunks_exact_mut(side).enumerate() {
            for (column, pixel) in pixels.iter_mut().enumerate() {
                let (y, x) = inverse.source_of(row as f64, column as f64);
                *pixel = bilinear(source, side, y, x);
            }
        }
    }
}

/// From a target pixel to its place in the source.
struct Inverse {
    centre: f64,
    shift: [f64; 2],
    /// The rows (y, x) of the inverse of the scaled rotation.
    matrix: [[f64; 2]; 2],
}

impl Inverse {
    fn of(transform: &Transform, side: usize) -> Self {
        let (sin, cos) = transform.rotation_degrees.to_radians().sin_cos();
        let (sin, cos) = (sin / transform.scale, cos / transform.scale);
        Self {
            centre: (side as f64 - 1.0) / 2.0,
            shift: [transform.shift_y, transform.shift_x].map(|shift| shift * side as f64),
            // Clockwise on a screen whose y points down: forward is y' = cy + sx, x' = cx - sy.
            matrix: [[cos, -sin], [sin, cos]],
        }
    }

    fn source_of(&self, row: f64, column: f64) -> (f64, f64) {
        let y = row - self.centre - self.shift[0];
        let x = column - self.centre - self.shift[1];
        let [[yy, yx], [xy, xx]] = self.matrix;
        (yy * y + yx * x + self.centre, xy * y + xx * x + self.centre)
    }
}

/// The value between four pixels; coordinates beyond the border are those of the border.
fn bilinear(image: &[f32], side: usize, y: f64, x: f64) -> f32 {
    let last = side - 1;
    let place = |coordinate: f64| {
        let inside = coordinate.clamp(0.0, last as f64);
        let low = (inside as usize).min(last);
        (low, (low + 1).min(last), inside - low as f64)
    };
    let (top, bottom, down) = place(y);
    let (left, right, across) = place(x);
    let pixel = |row: usize, column: usize| f64::from(image[row * side + column]);
    let upper = pixel(top, left) * (1.0 - across) + pixel(top, right) * across;
    let lower = pixel(bottom, left) * (1.0 - across) + pixel(bottom, right) * across;
    (upper * (1.0 - down) + lower * down) as f32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    const PAPER: Augmentation = Augmentation {
        images: 5330,
        shift_percent: 10.0,
        rotation_degrees: 20.0,
        scale_percent: 20.0,
        exposure_percent: 90.0,
        seed: 1,
        fold: 0,
    };

    #[derive(Deserialize)]
    struct Case {
        side: usize,
        image: Vec<f32>,
        rendered: Vec<Rendered>,
    }

    #[derive(Deserialize)]
    struct Rendered {
        shift_x: f64,
        shift_y: f64,
        rotation_degrees: f64,
        scale: f64,
        pixels: Vec<f32>,
    }

    #[test]
    fn rendered_images_are_those_of_scipy() {
        let golden = include_str!("../../../tests/golden/training/augmentation.json");
        let cases: Vec<Case> = serde_json::from_str(golden).unwrap();
        for case in cases {
            for expected in case.rendered {
                let transform = Transform {
                    shift_x: expected.shift_x,
                    shift_y: expected.shift_y,
                    rotation_degrees: expected.rotation_degrees,
                    scale: expected.scale,
                };
                let mut rendered = vec![0.0; case.side * case.side];
                transform.render(&case.image, case.side, &mut rendered);
                for (at, (a, b)) in rendered.iter().zip(&expected.pixels).enumerate() {
                    assert!(
                        (a - b).abs() <= 1e-5,
                        "{transform:?}, pixel {at}: {a} for {b}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_shift_moves_right_and_down_and_a_rotation_is_clockwise() {
        let mut image = vec![0.0; 81];
        image[4 * 9 + 6] = 1.0; // two pixels to the right of the centre
        let rendered = |transform: Transform| {
            let mut target = vec![0.0; 81];
            transform.render(&image, 9, &mut target);
            let brightest = (0..81)
                .max_by(|&a, &b| target[a].total_cmp(&target[b]))
                .unwrap();
            (brightest / 9, brightest % 9)
        };
        let identity = Transform::IDENTITY;
        assert_eq!(
            rendered(Transform {
                shift_x: 1.0 / 9.0,
                ..identity
            }),
            (4, 7)
        );
        assert_eq!(
            rendered(Transform {
                shift_y: 2.0 / 9.0,
                ..identity
            }),
            (6, 6)
        );
        assert_eq!(
            rendered(Transform {
                rotation_degrees: 90.0,
                ..identity
            }),
            (6, 4)
        );
        assert_eq!(
            rendered(Transform {
                scale: 2.0,
                ..identity
            }),
            (4, 8)
        );
    }

    #[test]
    fn transforms_fill_the_papers_ranges() {
        let plan = PAPER.plan(&vec![0; 1067]);
        let spread = |value: fn(&Transform) -> f64| {
            let values = plan.iter().map(|image| value(&image.transform));
            let (mut low, mut high, mut sum) = (f64::MAX, f64::MIN, 0.0);
            for value in values {
                (low, high, sum) = (value.min(low), value.max(high), sum + value);
            }
            (low, high, sum / plan.len() as f64)
        };
        for (value, limit, centre) in [
            (
                (|t: &Transform| t.shift_x) as fn(&Transform) -> f64,
                0.1,
                0.0,
            ),
            (|t| t.shift_y, 0.1, 0.0),
            (|t| t.rotation_degrees, 20.0, 0.0),
            (|t| t.scale, 0.2, 1.0),
        ] {
            let (low, high, mean) = spread(value);
            assert!(
                low >= centre - limit && low < centre - 0.98 * limit,
                "{low}"
            );
            assert!(
                high <= centre + limit && high > centre + 0.98 * limit,
                "{high}"
            );
            assert!((mean - centre).abs() < 0.05 * limit, "{mean}");
        }
    }

    #[test]
    fn the_papers_classes_keep_their_shares_and_sources_are_used_evenly() {
        let counts = [793, 237, 18, 19];
        let classes: Vec<usize> = (0..4)
            .flat_map(|class| vec![class; counts[class]])
            .collect();
        let plan = PAPER.plan(&classes);
        let mut uses = vec![0; classes.len()];
        plan.iter().for_each(|image| uses[image.source] += 1);
        let mut start = 0;
        for (count, share) in counts.into_iter().zip([3961, 1184, 90, 95]) {
            let uses = &uses[start..start + count];
            assert_eq!(uses.iter().sum::<usize>(), share);
            assert!(uses.iter().max().unwrap() - uses.iter().min().unwrap() <= 1);
            start += count;
        }
    }

    #[test]
    fn a_rare_class_is_not_lost_among_few_images() {
        let mut classes = vec![0; 99];
        classes.push(2);
        let plan = Augmentation {
            images: 10,
            ..PAPER
        }
        .plan(&classes);
        assert_eq!(plan.len(), 10);
        assert_eq!(plan.iter().filter(|image| image.source == 99).count(), 1);
    }

    #[test]
    fn another_fold_or_seed_draws_other_transforms() {
        let first = |augmentation: Augmentation| augmentation.plan(&[0])[0].transform;
        assert_eq!(first(PAPER), first(PAPER));
        assert_ne!(first(PAPER), first(Augmentation { fold: 1, ..PAPER }));
        assert_ne!(first(PAPER), first(Augmentation { seed: 2, ..PAPER }));
    }

    proptest! {
        #[test]
        fn there_are_exactly_as_many_images_as_asked_for(
            images in 0_usize..400, classes in prop::collection::vec(0_usize..4, 1..80),
        ) {
            let augmentation = Augmentation { images, ..PAPER };
            let plan = augmentation.plan(&classes);
            prop_assert_eq!(plan.len(), images);
            prop_assert!(plan.iter().all(|image| image.source < classes.len()));
            prop_assert_eq!(augmentation.plan(&classes), plan);
        }

        #[test]
        fn the_identity_changes_no_bit(image in prop::collection::vec(0_f32..9.0, 36)) {
            let mut rendered = vec![-1.0; 36];
            Transform::IDENTITY.render(&image, 6, &mut rendered);
            prop_assert_eq!(rendered, image);
        }

        #[test]
        fn no_pixel_leaves_the_sources_range(
            image in prop::collection::vec(0_f32..9.0, 49), number in any::<u64>(),
        ) {
            let mut rendered = vec![-1.0; 49];
            PAPER.transform(number).render(&image, 7, &mut rendered);
            let low = image.iter().copied().fold(f32::MAX, f32::min);
            let high = image.iter().copied().fold(f32::MIN, f32::max);
            prop_assert!(rendered.iter().all(|&pixel| (low..=high).contains(&pixel)));
        }
    }
}
