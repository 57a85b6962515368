//! Whether an image is what a decision may be made on: a thorax on a late image of a bone tracer.
//!
//! An object that says otherwise is set aside with its reason; one that says nothing is used, with a warning,
//! since many exporters leave out what was given, and when, and of what the image is. What the object says is
//! not enough: the crop has to look like it.

use snafu::{OptionExt, ensure};

use super::error::{
    EarlyPhaseSnafu, EmptySnafu, Error, NoThoraxSeenSnafu, NotLongSnafu, NotThoraxSnafu,
    OtherTracerSnafu, ScaledUpSnafu, TracerNotAcceptedSnafu,
};
use super::thorax::{self, Likeness};
use super::warning::Warning;
use super::{
    Acquisition, AnteriorImage, Crop, Heart, StatedPhase, StatedRegion, StatedTracer, crop,
};
use attrium_types::{CropMode, Tracer};

/// How many times as long as wide a whole-body scan is at least: a patient is taller than the bed is wide, and
/// whoever fills a scan up to a square, or puts two beside each other, makes a page.
const LEAST_LENGTH: f64 = 1.5;

/// Variance over mean of counts, within what is found of them: 0.88 to 1.05 on 120 phantoms, 1.00 on a real scan.
const OF_COUNTS: std::ops::RangeInclusive<f64> = 0.7..=1.4;

/// Variance over mean of pixels that somebody multiplied, by more than exposures differ.
const SCALED_UP: f64 = 4.0;

/// A scan that a decision may be made on, and what a reader should know of it.
#[derive(Clone, Debug)]
pub struct Admitted {
    /// The image with its warnings.
    pub image: AnteriorImage,
    /// What a network sees of it, with warnings of its own.
    pub crop: Crop,
    /// Where the heart is and how much it takes up.
    pub heart: Option<Heart>,
}

/// Judges an image and its crop.
///
/// # Errors
/// Those of [`judge`] and [`judged_crop`].
pub fn admit(image: AnteriorImage, accepted: &[Tracer], mode: CropMode) -> Result<Admitted, Error> {
    let image = judge(image, accepted)?;
    let (crop, heart) = judged_crop(&image, mode)?;
    Ok(Admitted { image, crop, heart })
}

/// Judges an image by its shape and noise, and by the region, the tracer and the delay that its object states, and
/// adds what a reader should know.
///
/// # Errors
/// [`Error::NotLong`], [`Error::ScaledUp`], [`Error::NotThorax`], [`Error::OtherTracer`],
/// [`Error::TracerNotAccepted`] for a bone tracer that is not among `accepted`, and [`Error::EarlyPhase`].
pub fn judge(mut image: AnteriorImage, accepted: &[Tracer]) -> Result<AnteriorImage, Error> {
    judge_shape(&image)?;
    image.warnings.extend(judge_noise(image.dispersion)?);
    image.warnings.extend(judge_region(&image)?);
    image.warnings.extend(judge_tracer(image.tracer, accepted)?);
    image.warnings.extend(judge_phase(image.phase)?);
    Ok(image)
}

/// The crop of an image, judged by what it shows, that of a heart by the thorax that it was found in; and the heart,
/// none where it could not be measured.
///
/// # Errors
/// [`Error::NoThoraxSeen`], and those of [`crop`](crop()).
pub fn judged_crop(image: &AnteriorImage, mode: CropMode) -> Result<(Crop, Option<Heart>), Error> {
    if mode == CropMode::Paper {
        return Ok((judged(crop(image, mode)?)?, Heart::find(image)));
    }
    let thorax = judged(crop(image, CropMode::Robust)?)?;
    let heart = Heart::in_thorax(image, &thorax);
    let crop = match mode {
        CropMode::Heart => thorax.narrowed(image, &heart.context(EmptySnafu)?)?,
        CropMode::Robust | CropMode::Paper => thorax,
    };
    Ok((crop, heart))
}

/// Judges the crop of a thorax by what it shows, and adds what a reader should know.
fn judged(mut crop: Crop) -> Result<Crop, Error> {
    match thorax::likeness(&crop.counts) {
        Likeness::Thorax => {}
        Likeness::Doubtful => crop.warnings.push(Warning::DoubtfulThorax),
        Likeness::Other => return NoThoraxSeenSnafu.fail(),
    }
    Ok(crop)
}

fn judge_shape(image: &AnteriorImage) -> Result<(), Error> {
    let (rows, columns) = (image.counts.rows, image.counts.columns);
    let is_long = rows as f64 >= LEAST_LENGTH * columns as f64;
    ensure!(
        is_long || image.acquisition == Acquisition::Static,
        NotLongSnafu { rows, columns }
    );
    Ok(())
}

fn judge_noise(dispersion: Option<f64>) -> Result<Option<Warning>, Error> {
    let Some(dispersion) = dispersion else {
        return Ok(None);
    };
    ensure!(dispersion <= SCALED_UP, ScaledUpSnafu { dispersion });
    let is_of_counts = OF_COUNTS.contains(&dispersion);
    Ok((!is_of_counts).then_some(Warning::NoiseNotOfCounts { dispersion }))
}

/// A whole body holds a thorax, whichever part of it the examination was for.
fn judge_region(image: &AnteriorImage) -> Result<Option<Warning>, Error> {
    match (image.acquisition, image.region) {
        (Acquisition::WholeBody, _) | (_, StatedRegion::Thorax) => Ok(None),
        (Acquisition::Static, StatedRegion::Elsewhere) => NotThoraxSnafu.fail(),
        (Acquisition::Static, StatedRegion::Unknown) => Ok(Some(Warning::RegionNotStated)),
    }
}

fn judge_tracer(stated: StatedTracer, accepted: &[Tracer]) -> Result<Option<Warning>, Error> {
    match stated {
        StatedTracer::Other => OtherTracerSnafu.fail(),
        StatedTracer::Bone(tracer) => {
            ensure!(
                accepted.contains(&tracer),
                TracerNotAcceptedSnafu { tracer }
            );
            Ok((tracer == Tracer::Mdp).then_some(Warning::InsensitiveTracer))
        }
        StatedTracer::Unknown => Ok(Some(Warning::UnknownTracer)),
        StatedTracer::NotStated => Ok(Some(Warning::TracerNotStated)),
    }
}

fn judge_phase(stated: StatedPhase) -> Result<Option<Warning>, Error> {
    match stated {
        StatedPhase::Early => EarlyPhaseSnafu.fail(),
        StatedPhase::Late { minutes } if stated.is_unusual() => {
            Ok(Some(Warning::UnusualDelay { minutes }))
        }
        StatedPhase::Late { .. } => Ok(None),
        StatedPhase::Unclear => Ok(Some(Warning::DelayUnclear)),
        StatedPhase::NotStated => Ok(Some(Warning::DelayNotStated)),
    }
}
