//! Which frames of an object show the photopeak of technetium-99m, and which view each is said to show.
//!
//! Never: a frame that is said to be posterior or oblique, whatever else is missing; a text that was not
//! understood taken for silence.

use snafu::ensure;

use super::Acquisition;
use super::dicom::{self, Code, DataSet, DetectorView};
use super::error::{
    Error, FrameVectorsSnafu, NoAnteriorSnafu, NoPhotopeakSnafu, SeveralAnteriorsSnafu,
};
use super::view::{self, View, ViewSource};
use super::warning::Warning;

/// The photopeak of technetium-99m in keV.
const PHOTOPEAK: f64 = 140.5;

/// A frame in the photopeak, and its view as far as codes and texts name it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Candidate {
    /// Its place in the object, from 0.
    pub index: usize,
    /// Its detector's place in the Detector Information Sequence, from 0.
    pub detector: usize,
    pub view: View,
    /// How the view is known; nothing where it is not.
    pub source: Option<ViewSource>,
}

/// What an object says about which frame is the anterior one.
#[derive(Debug, PartialEq)]
pub(crate) enum Choice {
    /// This frame is said to be it.
    Named(Candidate, ViewSource),
    /// It is one of these, if any, whose views nothing names.
    Unnamed(Vec<Candidate>),
}

/// Where a frame comes from; both are counted from 1, as in DICOM.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Frame {
    index: usize,
    detector: usize,
    window: usize,
}

/// Finds the anterior frame among `count` frames, or those that may be it.
///
/// # Errors
/// [`Error::NoAnterior`], [`Error::SeveralAnteriors`], [`Error::NoPhotopeak`],
/// [`Error::FrameVectors`], or an attribute that cannot be used.
pub(crate) fn choose(
    set: &DataSet<'_>,
    count: usize,
    acquisition: Acquisition,
    counts_texts: bool,
    warnings: &mut Vec<Warning>,
) -> Result<Choice, Error> {
    let views = dicom::detector_views(set)?;
    let frames = frames(set, count, views.len(), warnings)?;
    let of_object = dicom::view_code(set)?;
    let of_object = of_object.as_ref().filter(|_| count == 1);
    let window = photopeak(set, &frames, warnings)?;
    let mut candidates: Vec<Candidate> = frames
        .iter()
        .filter(|frame| frame.window == window)
        .map(|frame| coded(frame, &frames, &views, of_object))
        .collect();
    if let Some(choice) = single_anterior(&candidates)? {
        return Ok(choice);
    }
    if counts_texts {
        name_by_texts(set, count, acquisition, &mut candidates)?;
        if let Some(choice) = single_anterior(&candidates)? {
            return Ok(choice);
        }
    }
    candidates.retain(|candidate| candidate.view == View::Unknown);
    // A second detector's image alone is the other half of a scan in two objects.
    if counts_texts && let [only] = candidates[..] {
        let number = frames[only.index].detector;
        let is_first = number == 1 && dicom::ge_detector_number(set).is_none_or(|it| it == 1);
        ensure!(is_first || frames.len() > 1, NoAnteriorSnafu);
    }
    ensure!(!candidates.is_empty(), NoAnteriorSnafu);
    Ok(Choice::Unnamed(candidates))
}

fn single_anterior(candidates: &[Candidate]) -> Result<Option<Choice>, Error> {
    let anteriors = candidates.iter().filter(|it| it.view == View::Anterior);
    let anteriors: Vec<&Candidate> = anteriors.collect();
    match anteriors[..] {
        [] => Ok(None),
        [&only] => Ok(only.source.map(|source| Choice::Named(only, source))),
        _ => SeveralAnteriorsSnafu {
            frames: anteriors.len(),
        }
        .fail(),
    }
}

/// A frame with the view that its detector's code names, or else the code of an object of one frame.
///
/// Where one detector has been taken out of an object, its number may be the old one while a single item
/// is left, which then is its own (PS3.17, MM.2.7).
fn coded(
    frame: &Frame,
    frames: &[Frame],
    views: &[DetectorView],
    of_object: Option<&Code>,
) -> Candidate {
    let is_alone = views.len() == 1 && frames.iter().all(|it| it.detector == frame.detector);
    let detector = if is_alone { 0 } else { frame.detector - 1 };
    let code = views.get(detector).and_then(|view| view.code.as_ref());
    let view = code.or(of_object).map_or(View::Unknown, view::of_code);
    Candidate {
        index: frame.index,
        detector,
        view,
        source: (view != View::Unknown).then_some(ViewSource::ViewCode),
    }
}

/// The detector and the energy window of each frame (PS3.3, C.8.4.8.1).
///
/// Without the vectors the frames run through the detectors within each window, in the order of
/// the Frame Increment Pointer that the standard asks of whole-body and static images. How many detectors
/// there are is then told by their number, or else by the `described` ones.
fn frames(
    set: &DataSet<'_>,
    count: usize,
    described: usize,
    warnings: &mut Vec<Warning>,
) -> Result<Vec<Frame>, Error> {
    let mut detectors = dicom::detector_vector(set)?;
    let mut windows = dicom::energy_window_vector(set)?;
    let window_count = dicom::number_of_energy_windows(set)?;
    // A frame that was taken out of an object may have kept the vectors of all; which it was only tells an
    // object that describes one detector.
    if count == 1 && described <= 1 {
        detectors = detectors.filter(|vector| vector.len() == 1 || described == 0);
        windows = windows.filter(|vector| vector.len() == 1 || window_count > 1);
    }
    let detector_count = match dicom::number_of_detectors(set)? {
        Some(number) => number,
        None if described > 0 => described,
        None => (count / window_count).max(1),
    };
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
fn photopeak(
    set: &DataSet<'_>,
    frames: &[Frame],
    warnings: &mut Vec<Warning>,
) -> Result<usize, Error> {
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

/// Names the views of those that have none by the first text that tells it.
///
/// A text with as many values as the object has frames, or detectors, names each. Another is the whole
/// object's: it tells the view of a single one, and of several nothing but that they are oblique, since not all
/// of them are before or behind the patient.
fn name_by_texts(
    set: &DataSet<'_>,
    count: usize,
    acquisition: Acquisition,
    candidates: &mut [Candidate],
) -> Result<(), Error> {
    let texts = [
        (dicom::image_ids(set)?, ViewSource::ImageId),
        (
            dicom::series_descriptions(set)?,
            ViewSource::SeriesDescription,
        ),
        (dicom::ge_dataset_names(set), ViewSource::GePrivate),
        (dicom::ge_picture_names(set), ViewSource::GePrivate),
    ];
    let detectors = candidates.iter().map(|it| it.detector + 1).max();
    let detectors = detectors.unwrap_or(1);
    for (values, source) in texts {
        let silent = candidates.iter_mut().filter(|it| it.view == View::Unknown);
        let silent: Vec<&mut Candidate> = silent.collect();
        let is_alone = silent.len() == 1;
        for candidate in silent {
            let own = match values.len() {
                0 | 1 => None,
                number if number == count => values.get(candidate.index),
                number if number == detectors => values.get(candidate.detector),
                _ => None,
            };
            let view = match own {
                Some(own) => view::of_text(own),
                None => whole(view::of_text(&values.join(" ")), is_alone),
            };
            if names(view, source, acquisition) {
                candidate.view = view;
                candidate.source = Some(source);
            }
        }
    }
    Ok(())
}

/// What a text of the whole object says of one of its frames.
const fn whole(named: View, is_alone: bool) -> View {
    match named {
        View::Anterior | View::Posterior if !is_alone => View::Unknown,
        named => named,
    }
}

/// A protocol's name may list the views that are taken besides a whole-body scan, which itself is
/// neither oblique nor lateral.
fn names(view: View, source: ViewSource, acquisition: Acquisition) -> bool {
    let is_of_protocol = source == ViewSource::SeriesDescription
        && view == View::Other
        && acquisition == Acquisition::WholeBody;
    view != View::Unknown && !is_of_protocol
}
