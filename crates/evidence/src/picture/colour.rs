//! The colours of the picture.

use super::canvas::Rgb;

/// Around the images: dark, as where such pictures are read.
pub(super) const BACKGROUND: Rgb = [0x16, 0x1A, 0x1F];
/// Where an image is missing.
pub(super) const PANEL: Rgb = [0x22, 0x28, 0x2F];
/// Words.
pub(super) const TEXT: Rgb = [0xE6, 0xE8, 0xEA];
/// Words of less weight.
pub(super) const QUIET: Rgb = [0x9A, 0xA4, 0xAE];
/// What nobody may overlook.
pub(super) const AMBER: Rgb = [0xF5, 0xB8, 0x41];
/// A negative decision.
pub(super) const CALM: Rgb = [0x8F, 0xC7, 0xA2];
/// Letters on white.
pub(super) const INK: Rgb = [0x50, 0x58, 0x60];
/// The heart's outline.
pub(super) const RED: Rgb = [0xD0, 0x20, 0x20];
/// The outline of what the heart is compared with.
pub(super) const BLUE: Rgb = [0x20, 0x60, 0xD0];

/// From no heat to most of it: ever darker and redder, so that the order shows without colours too.
const HEAT: [Rgb; 5] = [
    [0xFF, 0xF2, 0xB2],
    [0xFE, 0xD0, 0x60],
    [0xFD, 0x9A, 0x3C],
    [0xF0, 0x4F, 0x2A],
    [0xB8, 0x0A, 0x26],
];

/// The colour of a heat from 0 to 1.
pub(super) fn of_heat(heat: f32) -> Rgb {
    let place = heat.clamp(0.0, 1.0) * (HEAT.len() - 1) as f32;
    let below = (place as usize).min(HEAT.len() - 2);
    mixed(HEAT[below], HEAT[below + 1], place - below as f32)
}

/// One colour over another, by a share of it from 0 to 1.
pub(super) fn mixed(under: Rgb, over: Rgb, share: f32) -> Rgb {
    let mix = |at: usize| {
        let (under, over) = (f32::from(under[at]), f32::from(over[at]));
        (under + share.clamp(0.0, 1.0) * (over - under)).round() as u8
    };
    [mix(0), mix(1), mix(2)]
}
