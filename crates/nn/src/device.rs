//! The devices that networks run on.

use burn::tensor::Device;

use super::Error;

/// The CPU, by Burn's backend flex.
///
/// On one type of processor every run gives the same numbers.
pub fn cpu() -> Device {
    Device::flex()
}

/// The first CUDA device.
///
/// # Errors
///
/// [`Error::NoGpu`] in a build without the feature `cuda`.
#[cfg(feature = "cuda")]
pub fn gpu() -> Result<Device, Error> {
    Ok(Device::cuda(0))
}

/// The first CUDA device.
///
/// # Errors
///
/// [`Error::NoGpu`] in a build without the feature `cuda`.
#[cfg(not(feature = "cuda"))]
pub fn gpu() -> Result<Device, Error> {
    Err(Error::NoGpu)
}
