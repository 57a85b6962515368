//! What the convolutions of a program are given and what they give, in the order of the program.

use super::error::check;
use super::{Error, Program};

/// The weights of a convolution and the parameters of its normalisation.
#[derive(Clone, Copy, Debug)]
pub struct Parameters<'a> {
    /// `[channels_out][channels_in][3][3]`
    pub weight: &'a [f32],
    /// The factors of the normalised values, `[channels_out]`.
    pub scale: &'a [f32],
    /// The offsets that are added to them, `[channels_out]`.
    pub offset: &'a [f32],
}

/// The statistics of a convolution's outputs, one mean and one variance for each channel.
#[derive(Clone, Copy, Debug)]
pub struct Statistics<'a> {
    /// The means, `[channels_out]`.
    pub mean: &'a [f32],
    /// The population variances, `[channels_out]`.
    pub variance: &'a [f32],
}

/// Where a batch's [`Statistics`] are written.
#[derive(Debug)]
pub struct StatisticsMut<'a> {
    /// The means, `[channels_out]`.
    pub mean: &'a mut [f32],
    /// The population variances, `[channels_out]`.
    pub variance: &'a mut [f32],
}

/// Where the gradients of [`Parameters`] are written.
#[derive(Debug)]
pub struct Gradients<'a> {
    /// As [`Parameters::weight`].
    pub weight: &'a mut [f32],
    /// As [`Parameters::scale`].
    pub scale: &'a mut [f32],
    /// As [`Parameters::offset`].
    pub offset: &'a mut [f32],
}

/// Checks that there is one entry for each convolution, and the lengths of its parts.
fn check_all<T, const N: usize>(
    program: &Program,
    given: &[T],
    parts: impl Fn(&T) -> [(&'static str, usize); N],
    expected: impl Fn([usize; 2]) -> [usize; N],
) -> Result<(), Error> {
    check(
        "the list of convolutions",
        given.len(),
        program.convolutions().count(),
    )?;
    for ((_, channels), given) in program.convolutions().zip(given) {
        for ((what, found), expected) in parts(given).into_iter().zip(expected(channels)) {
            check(what, found, expected)?;
        }
    }
    Ok(())
}

fn weights([channels_in, channels_out]: [usize; 2]) -> [usize; 3] {
    [9 * channels_in * channels_out, channels_out, channels_out]
}

impl Parameters<'_> {
    pub(super) fn check(program: &Program, given: &[Self]) -> Result<(), Error> {
        let parts = |of: &Self| {
            [
                ("a weight", of.weight.len()),
                ("a scale", of.scale.len()),
                ("an offset", of.offset.len()),
            ]
        };
        check_all(program, given, parts, weights)
    }
}

impl Gradients<'_> {
    pub(super) fn check(program: &Program, given: &[Self]) -> Result<(), Error> {
        let parts = |of: &Self| {
            [
                ("the gradient of a weight", of.weight.len()),
                ("the gradient of a scale", of.scale.len()),
                ("the gradient of an offset", of.offset.len()),
            ]
        };
        check_all(program, given, parts, weights)
    }
}

impl Statistics<'_> {
    pub(super) fn check(program: &Program, given: &[Self]) -> Result<(), Error> {
        let parts = |of: &Self| [("a mean", of.mean.len()), ("a variance", of.variance.len())];
        check_all(program, given, parts, |[_, channels]| [channels; 2])
    }
}

impl StatisticsMut<'_> {
    pub(super) fn check(program: &Program, given: &[Self]) -> Result<(), Error> {
        let parts = |of: &Self| [("a mean", of.mean.len()), ("a variance", of.variance.len())];
        check_all(program, given, parts, |[_, channels]| [channels; 2])
    }
}
