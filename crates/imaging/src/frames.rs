//! Which frame of an object is the anterior view in the photopeak of technetium-99m.
//!
//! Never: a frame that is said to be posterior or oblique, whatever else is missing.

use snafu::ensure;

use super::dicom::{self, DataSet, DetectorView};
use super::error::{
    Error, FrameVectorsSnafu, NoAnteriorSnafu, NoPhotopeakSnafu, SeveralAnteriorsSnafu,
};
use super::view::{self, View, ViewSource};
use super::warning::Warning;

/// The photopeak of technetium-99m in keV.
const PHOTOPEAK: f64 = 140.5;

/// The frame that was found.
#[derive(Debug, PartialEq)]
pub(crate) struct AnteriorFrame {
    /// Its place in the object, from 0.
    pub index: usize,
    /// Its detector's place in the Detector Information Sequence, from 0.
    pub detector: usize,
    pub source: ViewSource,
    pub warnings: Vec<Warning>,
}

/// Where a frame comes from; both are counted from 1, as in DICOM.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Frame {
    index: usize,
    detector: usize,
    window: usize,
}

/// Finds the anterior frame among `count` frames.
///
/// # Errors
/// [`Error::NoAnterior`], [`Error::SeveralAnteriors`], [`Error::NoPhotopeak`],
/// [`Error::FrameVectors`], or an attribute that cannot be used.
pub(crate) fn find_anterior(set: &DataSet, count: usize) -> Result<AnteriorFrame, Error> {
    let mut warnings = Vec::new();
    let frames = frames(set, count, &mut warnings)?;
    let window = photopeak(set, &frames, &mut warnings)?;
    let frames: Vec<Frame> = frames
        .into_iter()
        .filter(|frame| frame.window == window)
        .collect();
    let (detector, source) = anterior_detector(set, &frames)?;
    if source == ViewSource::FirstDetector {
        warnings.push(Warning::AssumedFirstDetector);
    }
    let anteriors: Vec<&Frame> = frames
        .iter()
        .filter(|frame| frame.detector == detector)
        .collect();
    match anteriors[..] {
        [frame] => Ok(AnteriorFrame {
            index: frame.index,
            detector: detector - 1,
            source,
            warnings,
        }),
        [] => NoAnteriorSnafu.fail(),
        _ => SeveralAnteriorsSnafu {
            frames: anteriors.len(),
        }
        .fail(),
    }
}

/// The detector and the energy window of each frame (PS3.3, C.8.4.8.1).
///
/// Without the vectors the frames run through the detectors within each window, in the order of
/// the Frame Increment Pointer that the standard asks of whole-body and static images.
fn frames(set: &DataSet, count: usize, warnings: &mut Vec<Warning>) -> Result<Vec<Frame>, Error> {
    let detectors = dicom::detector_vector(set)?;
    let windows = dicom::energy_window_vector(set)?;
    let detector_count = dicom::number_of_detectors(set)?;
    let window_count = dicom::number_of_energy_windows(set)?;
    let lists_every_frame =
        |vector: &Option<Vec<usize>>| vector.as_ref().is_none_or(|vector| vector.len() == count);
    ensure!(
        lists_every_frame(&detectors) && lists_every_frame(&windows),
        FrameVectorsSnafu { frames: count }
    );
    let is_listed =
        (detectors.is_some() || detector_count == 1) && (windows.is_some() || window_count == 1);
    if !is_listed && count > 1 {
        ensure!(
            Some(count) == detector_count.checked_mul(window_count),
            FrameVectorsSnafu { frames: count }
        );
        warnings.push(Warning::AssumedFrameOrder);
    }
    let nth = |vector: &Option<Vec<usize>>, index: usize, assumed: usize| {
        vector
            .as_ref()
            .and_then(|vector| vector.get(index).copied())
            .unwrap_or(assumed)
    };
    Ok((0..count)
        .map(|index| Frame {
            index,
            detector: nth(&detectors, index, index % detector_count + 1),
            window: nth(&windows, index, index / detector_count % window_count + 1),
        })
        .collect())
}

/// The number of the energy window whose range holds the photopeak and is centred closest to it.
fn photopeak(set: &DataSet, frames: &[Frame], warnings: &mut Vec<Warning>) -> Result<usize, Error> {
    let stated = dicom::energy_windows(set)?;
    let mut used: Vec<usize> = frames.iter().map(|frame| frame.window).collect();
    used.sort_unstable();
    used.dedup();
    let ranges = |window: usize| {
        window
            .checked_sub(1)
            .and_then(|index| stated.get(index))
            .map_or(&[][..], Vec::as_slice)
    };
    let off_centre = |window: usize| {
        ranges(window)
            .iter()
            .filter(|[lower, upper]| *lower <= PHOTOPEAK && PHOTOPEAK <= *upper)
            .map(|[lower, upper]| (lower.midpoint(*upper) - PHOTOPEAK).abs())
            .min_by(f64::total_cmp)
    };
    let best = used
        .iter()
        .filter_map(|&window| off_centre(window).map(|distance| (distance, window)))
        .min_by(|one, other| one.0.total_cmp(&other.0));
    if let Some((_, window)) = best {
        return Ok(window);
    }
    let silent: Vec<usize> = used
        .iter()
        .copied()
        .filter(|&window| ranges(window).is_empty())
        .collect();
    match silent[..] {
        // Many objects with one window do not state it: a bone scan needs no other.
        [window] if used.len() == 1 => Ok(window),
        [window, ..] if silent.len() == used.len() => {
            warnings.push(Warning::AssumedPhotopeak);
            Ok(window)
        }
        _ => NoPhotopeakSnafu.fail(),
    }
}

/// The number of the detector that looks at the patient from the front, and how that is known.
fn anterior_detector(set: &DataSet, frames: &[Frame]) -> Result<(usize, ViewSource), Error> {
    let views = dicom::detector_views(set)?;
    let coded = |detector: usize| coded_view(&views, detector);
    let mut detectors: Vec<usize> = frames.iter().map(|frame| frame.detector).collect();
    detectors.sort_unstable();
    detectors.dedup();
    let anteriors: Vec<usize> = detectors
        .iter()
        .copied()
        .filter(|&detector| coded(detector) == Some(View::Anterior))
        .collect();
    match anteriors[..] {
        [detector] => return Ok((detector, ViewSource::ViewCode)),
        [_, _, ..] => {
            return SeveralAnteriorsSnafu {
                frames: anteriors.len(),
            }
            .fail();
        }
        [] => {}
    }
    let silent: Vec<usize> = detectors
        .into_iter()
        .filter(|&detector| coded(detector).is_none())
        .collect();
    uncoded_detector(set, &silent)
}

/// As [`anterior_detector`], among detectors whose views have no code.
///
/// A text is about the whole object, so it tells the view only of a single detector: of several, not
/// all are behind the patient, and "post" may mean "after". An oblique view is one of all detectors.
fn uncoded_detector(set: &DataSet, silent: &[usize]) -> Result<(usize, ViewSource), Error> {
    let named = view_by_text(set)?;
    match (silent, named) {
        (&[_], Some((View::Posterior, _))) | (_, Some((View::Other, _))) => NoAnteriorSnafu.fail(),
        (&[detector], Some((View::Anterior, source))) => Ok((detector, source)),
        (&[1, ..], _) if dicom::ge_detector_number(set).is_none_or(|number| number == 1) => {
            Ok((1, ViewSource::FirstDetector))
        }
        _ => NoAnteriorSnafu.fail(),
    }
}

fn coded_view(views: &[DetectorView], detector: usize) -> Option<View> {
    let index = detector.checked_sub(1)?;
    views.get(index)?.code.as_ref().and_then(view::of_code)
}

/// The view by the first text that names one.
fn view_by_text(set: &DataSet) -> Result<Option<(View, ViewSource)>, Error> {
    let texts = [
        (dicom::image_id(set)?, ViewSource::ImageId),
        (
            dicom::series_description(set)?,
            ViewSource::SeriesDescription,
        ),
        (dicom::ge_dataset_name(set), ViewSource::GePrivate),
        (dicom::ge_picture_name(set), ViewSource::GePrivate),
    ];
    Ok(texts
        .into_iter()
        .find_map(|(text, source)| Some((view::of_text(&text?)?, source))))
}
