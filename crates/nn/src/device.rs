use burn::tensor::Device;

use super::Error;

/// The processor, by Burn's `flex` backend.
///
/// The same numbers come out of every run on one type of processor.
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
