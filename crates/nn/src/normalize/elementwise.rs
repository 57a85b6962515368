//! Loops over slices, compiled for the processor at hand.

use crate::engine_operation::isa;
use attrium_engine::Loops;

/// Sums that go on side by side, so that a processor need not wait for one addition.
const LANES: usize = 16;

/// Puts what values become in their place.
pub(super) fn change(values: &mut [f32], to: impl Fn(f32) -> f32) {
    isa().vectorize(Change { values, to });
}

struct Change<'a, F> {
    values: &'a mut [f32],
    to: F,
}

impl<F: Fn(f32) -> f32> Loops for Change<'_, F> {
    #[inline(always)]
    fn run(self) {
        for value in self.values {
            *value = (self.to)(*value);
        }
    }
}

/// Writes something of each value.
pub(super) fn map(from: &[f32], to: &mut [f32], of: impl Fn(f32) -> f32) {
    isa().vectorize(Map { from, to, of });
}

struct Map<'a, F> {
    from: &'a [f32],
    to: &'a mut [f32],
    of: F,
}

impl<F: Fn(f32) -> f32> Loops for Map<'_, F> {
    #[inline(always)]
    fn run(self) {
        for (to, from) in self.to.iter_mut().zip(self.from) {
            *to = (self.of)(*from);
        }
    }
}

/// Writes something of each pair.
pub(super) fn map_pairs(from: [&[f32]; 2], to: &mut [f32], of: impl Fn(f32, f32) -> f32) {
    isa().vectorize(MapPairs { from, to, of });
}

struct MapPairs<'a, F> {
    from: [&'a [f32]; 2],
    to: &'a mut [f32],
    of: F,
}

impl<F: Fn(f32, f32) -> f32> Loops for MapPairs<'_, F> {
    #[inline(always)]
    fn run(self) {
        let [ones, others] = self.from;
        for ((to, one), other) in self.to.iter_mut().zip(ones).zip(others) {
            *to = (self.of)(*one, *other);
        }
    }
}

/// The sum of something of each value.
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

impl<F: Fn(f32) -> f32> Loops for Sum<'_, F> {
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

/// Two sums of something of each pair.
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

impl<F: Fn(f32, f32) -> [f32; 2]> Loops for SumPairs<'_, F> {
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
