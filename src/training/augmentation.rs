//! Augmented training images: shifted, turned and scaled copies, drawn once a fold.
//!
//! The plan (which source, which transform) is separate from the rendering, so that images can be
//! rendered lazily and on any thread: an image's numbers are decided by the seed, the fold and the
//! image's own number. Nothing here looks at validation or test images.

use super::apportionment::apportion;
use crate::random;

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
                let transform = self.transform(plan.len() as u64);
                plan.push(AugmentedImage { source, transform });
            }
        }
        plan
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
