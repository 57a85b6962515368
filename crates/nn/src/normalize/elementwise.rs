//! Element-wise loops and sums over slices, vectorised for the processor at hand.

use crate::isa::isa;
use attrium_engine::VectorizedLoop;

/// Independent partial sums, so that the processor need not wait for one addition after another.
const LANES: usize = 16;

/// Replaces each value by what `to` makes of it.
pub(super) fn replace(values: &mut [f32], to: impl Fn(f32) -> f32) {
    isa().vectorize(Replace { values, to });
}

struct Replace<'a, F> {
    values: &'a mut [f32],
    to: F,
}

impl<F: Fn(f32) -> f32> VectorizedLoop for Replace<'_, F> {
    #[inline(always)]
    fn run(self) {
        for value in self.values {
            *value = (self.to)(*value);
        }
    }
}

/// Writes what `of` makes of each value.
pub(super) fn map(from: &[f32], to: &mut [f32], of: impl Fn(f32) -> f32) {
    isa().vectorize(Map { from, to, of });
}

struct Map<'a, F> {
    from: &'a [f32],
    to: &'a mut [f32],
    of: F,
}

impl<F: Fn(f32) -> f32> VectorizedLoop for Map<'_, F> {
    #[inline(always)]
    fn run(self) {
        for (to, from) in self.to.iter_mut().zip(self.from) {
            *to = (self.of)(*from);
        }
    }
}

/// Writes what `of` makes of each pair.
pub(super) fn map_pairs(from: [&[f32]; 2], to: &mut [f32], of: impl Fn(f32, f32) -> f32) {
    isa().vectorize(MapPairs { from, to, of });
}

struct MapPairs<'a, F> {
    from: [&'a [f32]; 2],
    to: &'a mut [f32],
    of: F,
}

impl<F: Fn(f32, f32) -> f32> VectorizedLoop for MapPairs<'_, F> {
    #[inline(always)]
    fn run(self) {
        let [ones, others] = self.from;
        for ((to, one), other) in self.to.iter_mut().zip(ones).zip(others) {
            *to = (self.of)(*one, *other);
        }
    }
}

/// The sum of what `of` makes of each value.
pub(super) fn sum(values: &[f32], of: impl Fn(f32) -> f32) -> f64 {
    let mut sum = 0.0;
    isa().vectorize(Sum {
        values,
        of,
        sum: &mut sum,
    });
    sum
}

struct Sum<'a, F> {
    values: &'a [f32],
    of: F,
    sum: &'a mut f64,
}

impl<F: Fn(f32) -> f32> VectorizedLoop for Sum<'_, F> {
    #[inline(always)]
    fn run(self) {
        let (chunks, rest) = self.values.as_chunks::<LANES>();
        let mut lanes = [0.0f32; LANES];
        for chunk in chunks {
            for lane in 0..LANES {
                lanes[lane] += (self.of)(chunk[lane]);
            }
        }
        let rest = rest.iter().map(|value| (self.of)(*value));
        *self.sum = lanes.into_iter().chain(rest).map(f64::from).sum();
    }
}

/// Two sums of what `of` makes of each pair.
pub(super) fn sum_pairs(pairs: [&[f32]; 2], of: impl Fn(f32, f32) -> [f32; 2]) -> [f64; 2] {
    let mut sums = [0.0; 2];
    isa().vectorize(SumPairs {
        pairs,
        of,
        sums: &mut sums,
    });
    sums
}

struct SumPairs<'a, F> {
    pairs: [&'a [f32]; 2],
    of: F,
    sums: &'a mut [f64; 2],
}

impl<F: Fn(f32, f32) -> [f32; 2]> VectorizedLoop for SumPairs<'_, F> {
    #[inline(always)]
    fn run(self) {
        let [one, other] = self.pairs;
        let (ones, ones_left) = one.as_chunks::<LANES>();
        let (others, others_left) = other.as_chunks::<LANES>();
        let mut lanes = [[0.0f32; LANES]; 2];
        for (one, other) in ones.iter().zip(others) {
            for lane in 0..LANES {
                let [first, second] = (self.of)(one[lane], other[lane]);
                lanes[0][lane] += first;
                lanes[1][lane] += second;
            }
        }
        *self.sums = lanes.map(|lanes| lanes.into_iter().map(f64::from).sum::<f64>());
        for (one, other) in ones_left.iter().zip(others_left) {
            let [first, second] = (self.of)(*one, *other).map(f64::from);
            self.sums[0] += first;
            self.sums[1] += second;
        }
    }
}
