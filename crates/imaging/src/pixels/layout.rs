//! How pixels are laid out, by a header whose every claim is checked.

use snafu::{OptionExt, ensure};

use crate::dicom::{self, AttributeName, DataSet};
use crate::error::{
    Error, FloatPixelsSnafu, ImpossibleSizeSnafu, NoPixelDataSnafu, PhotometricSnafu,
    PixelDataTooShortSnafu, TooSmallSnafu,
};
use crate::size::{CROP_SIZE, MAX_PIXELS, MAX_SIDE};

/// How pixels are laid out, after every claim of the header has been checked.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PixelLayout {
    pub rows: usize,
    pub columns: usize,
    pub frames: usize,
    /// 8 or 16.
    pub bits_allocated: u32,
    /// From 1 to `bits_allocated`.
    pub bits_stored: u32,
    /// From `bits_stored - 1` to `bits_allocated - 1`.
    pub high_bit: u32,
    pub is_signed: bool,
    pub slope: f64,
    pub intercept: f64,
    /// The first and the last stored value that is padding, if any.
    pub padding: Option<[i32; 2]>,
}

impl PixelLayout {
    /// Reads and checks what the header says about the pixels (PS3.3, C.7.6.3 and C.8.4.7).
    ///
    /// # Errors
    /// [`Error::FloatPixels`], [`Error::NoPixelData`], [`Error::ImpossibleSize`], [`Error::TooSmall`],
    /// [`Error::Photometric`], [`Error::PixelDataTooShort`], or an attribute that cannot be used.
    pub(crate) fn read(set: &DataSet<'_>) -> Result<Self, Error> {
        ensure!(!dicom::has_float_pixels(set), FloatPixelsSnafu);
        let pixel_data = set
            .get(AttributeName::PixelData.tag())
            .context(NoPixelDataSnafu)?;
        let rows = dicom::rows(set)?;
        let columns = dicom::columns(set)?;
        let frames = dicom::number_of_frames(set)?;
        check_size(rows, columns, frames)?;
        check_photometric(set)?;
        let bits_allocated = dicom::bits_allocated(set)?;
        let bits_stored = dicom::bits_stored(set, bits_allocated)?;
        let is_signed = dicom::is_signed(set)?;
        let layout = Self {
            rows,
            columns,
            frames,
            bits_allocated,
            bits_stored,
            high_bit: dicom::high_bit(set, bits_allocated, bits_stored)?,
            is_signed,
            slope: dicom::rescale_slope(set)?,
            intercept: dicom::rescale_intercept(set)?,
            padding: dicom::pixel_padding(set, is_signed)?,
        };
        if let Some(pixels) = pixel_data.bytes() {
            let needed = layout.frame_bytes() * frames;
            let found = pixels.len();
            ensure!(found >= needed, PixelDataTooShortSnafu { needed, found });
        }
        Ok(layout)
    }

    /// Pixels of a frame.
    pub(crate) const fn frame_pixels(&self) -> usize {
        self.rows * self.columns
    }

    /// Bytes of a frame that is not compressed.
    pub(crate) const fn frame_bytes(&self) -> usize {
        self.frame_pixels() * (self.bits_allocated as usize / 8)
    }
}

/// A frame below the crop's size is of no use, and would let a short object claim many frames.
fn check_size(rows: usize, columns: usize, frames: usize) -> Result<(), Error> {
    ensure!(
        rows <= MAX_SIDE && columns <= MAX_SIDE && frames <= MAX_PIXELS / (rows * columns),
        ImpossibleSizeSnafu {
            frames,
            rows,
            columns
        }
    );
    ensure!(
        rows >= CROP_SIZE && columns >= CROP_SIZE,
        TooSmallSnafu { rows, columns }
    );
    Ok(())
}

/// Counts are one grey sample that rises with brightness; a palette only colours them (PS3.3,
/// C.8.4.7 allows both).
fn check_photometric(set: &DataSet<'_>) -> Result<(), Error> {
    let interpretation = dicom::photometric_interpretation(set)?;
    ensure!(
        dicom::samples_per_pixel(set)? == 1
            && matches!(interpretation.as_str(), "MONOCHROME2" | "PALETTE COLOR"),
        PhotometricSnafu
    );
    Ok(())
}
