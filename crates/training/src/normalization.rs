//! Pixel-wise z-scores from the training images' mean and standard deviation image (paper,
//! "Training").
//!
//! The images of a validation or test part must never be among those it is fitted on.

use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use snafu::{OptionExt, ResultExt, Snafu, ensure};

/// The least deviation that a pixel is divided by, in the units of the images
/// ([`intensities`](attrium_imaging::intensities)).
///
/// Outside the body a pixel is zero in nearly every training image; divided by its own deviation,
/// a stray count of a new image would dwarf the patient. Within the body deviations are several
/// times larger, so the paper's definition is unchanged there.
pub const DEVIATION_FLOOR: f32 = 0.1;

/// Why images or a file give no normalisation.
#[derive(Debug, Snafu)]
pub enum Error {
    /// There are no images to fit on.
    #[snafu(display("there are no training images to normalise by: add studies to the fold"))]
    NoImages,
    /// An image has another size than the first.
    #[snafu(display("image {image} has {found} pixels where the first has {expected}"))]
    Size {
        /// The image's number.
        image: usize,
        /// Its pixels.
        found: usize,
        /// The first image's pixels.
        expected: usize,
    },
    /// The bytes are not a safetensors file.
    #[snafu(display("the normalisation is not a safetensors file: restore it, or train again"))]
    Format {
        /// What the reader found.
        source: safetensors::SafeTensorError,
    },
    /// The file lacks what it should hold.
    #[snafu(display(
        "the normalisation's tensor {name:?} is missing or not of 32-bit floats, finite and \
         (for the deviation) positive: restore the file, or train again"
    ))]
    Tensor {
        /// The tensor's name.
        name: &'static str,
    },
}

/// The mean and the standard deviation of every pixel over the training images.
#[derive(Clone, Debug, PartialEq)]
pub struct Normalization {
    /// The mean image, row-major.
    pub mean: Vec<f32>,
    /// The population standard deviation (`n` in the denominator), at least [`DEVIATION_FLOOR`].
    pub deviation: Vec<f32>,
}

impl Normalization {
    /// Fits on training images, each of the same number of pixels, in one pass (Welford's) and in
    /// double precision, so that images can be rendered as they are asked for.
    ///
    /// # Errors
    /// When there is no image, and when two images differ in size.
    pub fn fit<I>(images: I) -> Result<Self, Error>
    where
        I: IntoIterator,
        I::Item: AsRef<[f32]>,
    {
        let mut count = 0_usize;
        let mut mean: Vec<f64> = Vec::new();
        let mut squares: Vec<f64> = Vec::new();
        for (number, image) in images.into_iter().enumerate() {
            let image = image.as_ref();
            if number == 0 {
                mean = vec![0.0; image.len()];
                squares = vec![0.0; image.len()];
            }
            ensure!(
                image.len() == mean.len(),
                SizeSnafu {
                    image: number,
                    found: image.len(),
                    expected: mean.len()
                }
            );
            count += 1;
            for ((&value, mean), squares) in image.iter().zip(&mut mean).zip(&mut squares) {
                let before = f64::from(value) - *mean;
                *mean += before / count as f64;
                *squares += before * (f64::from(value) - *mean);
            }
        }
        ensure!(count > 0, NoImagesSnafu);
        let deviation = |squares: f64| (squares / count as f64).sqrt() as f32;
        Ok(Self {
            mean: mean.into_iter().map(|mean| mean as f32).collect(),
            deviation: squares
                .into_iter()
                .map(|squares| deviation(squares).max(DEVIATION_FLOOR))
                .collect(),
        })
    }

    /// Replaces each pixel of an image by its z-score.
    ///
    /// The image may be a batch: its length is a multiple of the mean image's.
    pub fn apply(&self, images: &mut [f32]) {
        for image in images.chunks_exact_mut(self.mean.len().max(1)) {
            for ((pixel, mean), deviation) in image.iter_mut().zip(&self.mean).zip(&self.deviation)
            {
                *pixel = (*pixel - mean) / deviation;
            }
        }
    }

    /// The normalisation as a safetensors file: `mean` and `deviation`, 32-bit floats of shape
    /// `[pixels]`.
    ///
    /// # Errors
    /// Only when the library cannot describe the tensors.
    pub fn to_safetensors(&self) -> Result<Vec<u8>, Error> {
        let bytes = |values: &[f32]| {
            values
                .iter()
                .flat_map(|v| v.to_le_bytes())
                .collect::<Vec<u8>>()
        };
        let tensors = [
            ("deviation", bytes(&self.deviation)),
            ("mean", bytes(&self.mean)),
        ];
        let views = tensors
            .iter()
            .map(|(name, bytes)| {
                TensorView::new(Dtype::F32, vec![bytes.len() / 4], bytes).map(|view| (*name, view))
            })
            .collect::<Result<Vec<_>, _>>()
            .context(FormatSnafu)?;
        safetensors::serialize(views, None).context(FormatSnafu)
    }

    /// Reads what [`Self::to_safetensors`] wrote, for images of `pixels` pixels.
    ///
    /// # Errors
    /// When the bytes are not a safetensors file, when a tensor is missing or of another type or
    /// size, and when a value is not finite or a deviation not positive.
    pub fn from_safetensors(bytes: &[u8], pixels: usize) -> Result<Self, Error> {
        let file = SafeTensors::deserialize(bytes).context(FormatSnafu)?;
        let read = |name: &'static str, lowest: f32| {
            let tensor = file.tensor(name).ok().context(TensorSnafu { name })?;
            let (values, rest) = tensor.data().as_chunks::<4>();
            let values: Vec<f32> = values
                .iter()
                .map(|&value| f32::from_le_bytes(value))
                .collect();
            let sound = values
                .iter()
                .all(|&value| value.is_finite() && value > lowest);
            ensure!(
                tensor.dtype() == Dtype::F32 && rest.is_empty() && values.len() == pixels && sound,
                TensorSnafu { name }
            );
            Ok(values)
        };
        Ok(Self {
            mean: read("mean", f32::NEG_INFINITY)?,
            deviation: read("deviation", 0.0)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Golden {
        images: Vec<Vec<f32>>,
        mean: Vec<f32>,
        deviation: Vec<f32>,
    }

    fn golden() -> Golden {
        let text = include_str!("../../../tests/golden/training/normalization.json");
        serde_json::from_str(text).unwrap()
    }

    fn close(a: f32, b: f32) -> bool {
        (a - b).abs() < 1e-6
    }

    #[test]
    fn mean_and_deviation_are_those_of_numpy() {
        let golden = golden();
        let fitted = Normalization::fit(&golden.images).unwrap();
        assert_eq!(fitted.mean.len(), 12);
        assert!(
            fitted
                .mean
                .iter()
                .zip(&golden.mean)
                .all(|(a, b)| close(*a, *b))
        );
        let floored = golden.deviation.iter().map(|d| d.max(DEVIATION_FLOOR));
        assert!(
            fitted
                .deviation
                .iter()
                .zip(floored)
                .all(|(a, b)| close(*a, b))
        );
        assert_eq!(
            fitted.deviation[3..5],
            [DEVIATION_FLOOR; 2],
            "constant pixels"
        );
        assert!(golden.deviation[4] > 0.0 && golden.deviation[0] > DEVIATION_FLOOR);
    }

    #[test]
    fn normalised_training_images_have_mean_0_and_deviation_1() {
        let golden = golden();
        let fitted = Normalization::fit(&golden.images).unwrap();
        let mut batch = golden.images.concat();
        fitted.apply(&mut batch);
        let first: Vec<f32> = batch.iter().copied().step_by(12).collect();
        let mean = first.iter().sum::<f32>() / 7.0;
        let variance = first.iter().map(|z| (z - mean).powi(2)).sum::<f32>() / 7.0;
        assert!(
            close(mean, 0.0) && (variance - 1.0).abs() < 1e-5,
            "{mean} {variance}"
        );
    }

    #[test]
    fn a_file_gives_the_same_numbers_and_the_same_bytes() {
        let fitted = Normalization::fit(&golden().images).unwrap();
        let bytes = fitted.to_safetensors().unwrap();
        let read = Normalization::from_safetensors(&bytes, 12).unwrap();
        assert_eq!(read, fitted);
        assert_eq!(read.to_safetensors().unwrap(), bytes);
    }

    #[test]
    fn a_file_of_another_size_or_with_bad_numbers_is_refused() {
        let mut fitted = Normalization::fit(&golden().images).unwrap();
        let bytes = fitted.to_safetensors().unwrap();
        let refused =
            |bytes: &[u8], pixels| Normalization::from_safetensors(bytes, pixels).unwrap_err();
        assert!(matches!(
            refused(&bytes, 13),
            Error::Tensor { name: "mean" }
        ));
        assert!(matches!(refused(&bytes[..40], 12), Error::Format { .. }));
        fitted.deviation[5] = 0.0;
        let bytes = fitted.to_safetensors().unwrap();
        assert!(matches!(
            refused(&bytes, 12),
            Error::Tensor { name: "deviation" }
        ));
    }

    #[test]
    fn nothing_to_fit_on_is_an_error() {
        let none: [Vec<f32>; 0] = [];
        assert!(matches!(Normalization::fit(none), Err(Error::NoImages)));
        let uneven = [vec![1.0, 2.0], vec![1.0]];
        assert!(matches!(
            Normalization::fit(uneven),
            Err(Error::Size { image: 1, .. })
        ));
    }
}
