//! The transforms of Winograd's F(4x4, 3x3) for the points 0, 1, -1, 2, -2 and infinity.
//!
//! With `B`, `G` and `A` as in Lavin and Gray (2015), a tile of 4x4 outputs is `A^T [(G w G^T) *
//! (B^T d B)] A` for a 3x3 filter `w` and 6x6 data `d`. The gradient of the filter is F(3x3, 4x4)
//! with the same points, in which 4x4 pixels take the place of the filter.

use super::Simd;

/// One dimension of a transform: `FROM` values become `TO`.
pub(super) trait Transform<const FROM: usize, const TO: usize> {
    fn apply<S: Simd>(s: S, from: [S::V; FROM]) -> [S::V; TO];
}

/// `B^T`: data.
pub(super) struct Data;
/// `G`: a filter of 3 taps.
pub(super) struct Filter3;
/// The filter's transform for 4 pixels, without a factor for each point, which [`Gradient`] makes
/// up for.
pub(super) struct Filter4;
/// `A^T`: 4 outputs.
pub(super) struct Output;
/// `A^T` of 3 outputs, with the factors that [`Filter4`] leaves out.
pub(super) struct Gradient;

impl Transform<6, 6> for Data {
    #[inline(always)]
    fn apply<S: Simd>(s: S, d: [S::V; 6]) -> [S::V; 6] {
        let [two, four, five] = [s.splat(2.0), s.splat(4.0), s.splat(5.0)];
        let even = s.fnma(four, d[2], d[4]);
        let odd = s.fnma(four, d[1], d[3]);
        let even2 = s.sub(d[4], d[2]);
        let odd2 = s.sub(d[3], d[1]);
        [
            s.fma(four, d[0], s.fnma(five, d[2], d[4])),
            s.add(even, odd),
            s.sub(even, odd),
            s.fma(two, odd2, even2),
            s.fnma(two, odd2, even2),
            s.fma(four, d[1], s.fnma(five, d[3], d[5])),
        ]
    }
}

impl Transform<3, 6> for Filter3 {
    #[inline(always)]
    fn apply<S: Simd>(s: S, w: [S::V; 3]) -> [S::V; 6] {
        let sixth = s.splat(-1.0 / 6.0);
        let part = s.splat(1.0 / 24.0);
        let ends = s.add(w[0], w[2]);
        let ends2 = s.fma(s.splat(4.0), w[2], w[0]);
        let middle2 = s.add(w[1], w[1]);
        [
            s.mul(s.splat(0.25), w[0]),
            s.mul(sixth, s.add(ends, w[1])),
            s.mul(sixth, s.sub(ends, w[1])),
            s.mul(part, s.add(ends2, middle2)),
            s.mul(part, s.sub(ends2, middle2)),
            w[2],
        ]
    }
}

impl Transform<4, 6> for Filter4 {
    #[inline(always)]
    fn apply<S: Simd>(s: S, x: [S::V; 4]) -> [S::V; 6] {
        let [two, four] = [s.splat(2.0), s.splat(4.0)];
        let even = s.add(x[0], x[2]);
        let odd = s.add(x[1], x[3]);
        let even2 = s.fma(four, x[2], x[0]);
        let odd2 = s.fma(four, x[3], x[1]);
        [
            x[0],
            s.add(even, odd),
            s.sub(even, odd),
            s.fma(two, odd2, even2),
            s.fnma(two, odd2, even2),
            x[3],
        ]
    }
}

impl Transform<6, 4> for Output {
    #[inline(always)]
    fn apply<S: Simd>(s: S, m: [S::V; 6]) -> [S::V; 4] {
        let sum = s.add(m[1], m[2]);
        let difference = s.sub(m[1], m[2]);
        let sum2 = s.add(m[3], m[4]);
        let difference2 = s.sub(m[3], m[4]);
        [
            s.add(s.add(m[0], sum), sum2),
            s.fma(s.splat(2.0), difference2, difference),
            s.fma(s.splat(4.0), sum2, sum),
            s.add(s.fma(s.splat(8.0), difference2, difference), m[5]),
        ]
    }
}

impl Transform<6, 3> for Gradient {
    #[inline(always)]
    fn apply<S: Simd>(s: S, m: [S::V; 6]) -> [S::V; 3] {
        let sixth = s.splat(-1.0 / 6.0);
        let part = s.splat(1.0 / 24.0);
        let sum = s.mul(sixth, s.add(m[1], m[2]));
        let difference = s.mul(sixth, s.sub(m[1], m[2]));
        let sum2 = s.mul(part, s.add(m[3], m[4]));
        let difference2 = s.mul(part, s.sub(m[3], m[4]));
        [
            s.fma(s.splat(0.25), m[0], s.add(sum, sum2)),
            s.fma(s.splat(2.0), difference2, difference),
            s.add(s.fma(s.splat(4.0), sum2, sum), m[5]),
        ]
    }
}

/// Applies a transform to the columns of a square, then to the rows of the result.
#[inline(always)]
pub(super) fn both<S: Simd, T: Transform<FROM, TO>, const FROM: usize, const TO: usize>(
    s: S,
    square: [[S::V; FROM]; FROM],
) -> [[S::V; TO]; TO] {
    let half = columns::<S, T, FROM, TO, FROM>(s, square);
    let mut all = [[s.splat(0.0); TO]; TO];
    for row in 0..TO {
        all[row] = T::apply(s, half[row]);
    }
    all
}

/// Applies a transform to columns.
#[inline(always)]
pub(super) fn columns<
    S: Simd,
    T: Transform<FROM, TO>,
    const FROM: usize,
    const TO: usize,
    const N: usize,
>(
    s: S,
    square: [[S::V; N]; FROM],
) -> [[S::V; N]; TO] {
    let mut done = [[s.splat(0.0); N]; TO];
    for column in 0..N {
        let mut from = [s.splat(0.0); FROM];
        for row in 0..FROM {
            from[row] = square[row][column];
        }
        let to = T::apply(s, from);
        for row in 0..TO {
            done[row][column] = to[row];
        }
    }
    done
}
