//! Whether a crop shows a thorax as a late bone scan does.
//!
//! A small network looks at it: three convolutions and a linear layer, fitted on crops of phantoms against other
//! parts of the same bodies, other phases and tracers, pages of two images, noise and drawings (see
//! `models/thorax`). It was never shown a real scan, and is tested on one.

use std::sync::LazyLock;

use super::intensity;
use super::network::Network;
use super::size::CROP_SIZE;

/// Blocks along a side of a crop, whose means the network sees.
const BLOCKS: usize = 32;

/// Channels before, between and after the convolutions.
const CHANNELS: [usize; 4] = [1, 8, 16, 16];

/// The output above which a crop is one of a thorax without doubt, and that below which it is not one.
const THORAX: f32 = 2.0;
const OTHER: f32 = 0.0;

/// How much a crop looks like a thorax on a late bone scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Likeness {
    /// Like phantoms of all sizes, scanners and exposures.
    Thorax,
    /// Like one in a hundred of them at most.
    Doubtful,
    /// Not like one.
    Other,
}

/// Looks at a crop of `CROP_SIZE * CROP_SIZE` counts.
pub(crate) fn likeness(counts: &[f32]) -> Likeness {
    match logit(features(counts)) {
        logit if logit > THORAX => Likeness::Thorax,
        logit if logit > OTHER => Likeness::Doubtful,
        _ => Likeness::Other,
    }
}

/// What the network sees of a crop: the means of blocks of 4 x 4 pixels on the scale of
/// [`Intensity::Normalized`](attrium_types::Intensity).
pub fn features(counts: &[f32]) -> Vec<f32> {
    intensity::of_blocks(counts, CROP_SIZE / BLOCKS)
}

/// The logarithm of the odds of a thorax.
fn logit(features: Vec<f32>) -> f32 {
    NETWORK.outputs(features)[0]
}

static NETWORK: LazyLock<Network> = LazyLock::new(|| {
    let weights = include_bytes!("../../../models/thorax/weights.f32");
    Network::new(BLOCKS, &CHANNELS, weights)
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::assert_computes;

    #[test]
    fn the_network_computes_what_it_did_where_it_was_fitted() {
        assert_computes(&NETWORK, include_str!("../../../models/thorax/logits.csv"));
    }

    #[test]
    fn a_crop_without_counts_is_none_of_a_thorax() {
        assert_eq!(likeness(&[0.0; CROP_SIZE * CROP_SIZE]), Likeness::Other);
    }
}
