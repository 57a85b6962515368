//! Which end of a whole-body scan is the head, and from which side the header says it is seen.
//!
//! Three things tell: the direction of rows and columns in the patient, where the header states
//! it; whether the patient lay feet first; and the counts themselves. A scan is turned where the
//! header says so and the counts do not contradict it. Never: a scan turned by the counts alone,
//! or a mirrored image, which would move the heart to the other side.

use std::ops::Range;

use snafu::{OptionExt, ensure};

use super::dicom::{self, Code, DataSet};
use super::error::{Error, OrientationUnclearSnafu, UpsideDownSnafu};
use super::extent;
use super::{Image, image};

/// What the header says about the directions of rows and columns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stated {
    /// Whether the head is at the top.
    pub is_upright: bool,
    /// Whether the patient is seen from the front.
    pub is_anterior: bool,
}

impl Stated {
    /// Reads Image Orientation (Patient) of the frame's detector or of the object, or else Patient
    /// Orientation (PS3.3, C.7.6.2.1.1 and C.7.6.1.1.1); none where they state no frontal plane.
    pub(crate) fn read(set: &DataSet<'_>, detector: usize) -> Result<Option<Self>, Error> {
        let of_detector = dicom::detector_views(set)?
            .get(detector)
            .and_then(|view| view.orientation);
        let cosines = match of_detector {
            Some(cosines) => Some(cosines),
            None => dicom::image_orientation(set)?,
        };
        if let Some(stated) = cosines.and_then(Self::from_cosines) {
            return Ok(Some(stated));
        }
        Ok(Self::from_letters(&dicom::patient_orientation(set)?))
    }

    /// DICOM's x axis points to the patient's left, its z axis to the head. The cross product of
    /// row and column points away from the viewer, and to the back where the view is anterior.
    fn from_cosines(cosines: [f64; 6]) -> Option<Self> {
        const ALONG: f64 = 0.9;
        let [row_x, _, row_z, column_x, _, column_z] = cosines;
        (row_x.abs() > ALONG && column_z.abs() > ALONG).then_some(Self {
            is_upright: column_z < 0.0,
            is_anterior: row_z * column_x - row_x * column_z > 0.0,
        })
    }

    fn from_letters(letters: &[String]) -> Option<Self> {
        let [row, column] = letters else {
            return None;
        };
        let row = match row.as_bytes().first()? {
            b'L' => 1.0,
            b'R' => -1.0,
            _ => return None,
        };
        let column = match column.as_bytes().first()? {
            b'H' => 1.0,
            b'F' => -1.0,
            _ => return None,
        };
        Self::from_cosines([row, 0.0, 0.0, 0.0, 0.0, column])
    }
}

/// Whether the patient lay feet first: Patient Gantry Relationship (PS3.3, C.8.4.6; PS3.16,
/// CID 21), or else Patient Position (C.7.3.1.1.2).
pub(crate) fn lies_feet_first(set: &DataSet<'_>) -> Result<bool, Error> {
    if let Some(code) = dicom::patient_gantry_relationship(set)?
        && let Some(feet_first) = feet_first_code(&code)
    {
        return Ok(feet_first);
    }
    Ok(dicom::patient_position(set)?.is_some_and(|position| position.starts_with("FF")))
}

fn feet_first_code(code: &Code) -> Option<bool> {
    match code.value.as_str() {
        "102541007" | "F-10480" => Some(true),
        "102540008" | "F-10470" => Some(false),
        _ => None,
    }
}

/// How the patient lay on the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Posture {
    Supine,
    Prone,
}

/// How the patient lay, by the posture's code (PS3.3, C.8.4.6; PS3.16, CID 20) or else by Patient Position
/// (PS3.3, C.7.3.1.1.2); nothing where neither says one of the two.
pub(crate) fn posture(set: &DataSet<'_>) -> Result<Option<Posture>, Error> {
    let coded = dicom::patient_posture(set)?;
    if let Some(posture) = coded.and_then(|code| posture_of(&code)) {
        return Ok(Some(posture));
    }
    let position = dicom::patient_position(set)?.unwrap_or_default();
    Ok(match position.as_str() {
        "HFS" | "FFS" => Some(Posture::Supine),
        "HFP" | "FFP" => Some(Posture::Prone),
        _ => None,
    })
}

fn posture_of(code: &Code) -> Option<Posture> {
    match code.value.as_str() {
        "40199007" | "F-10340" => Some(Posture::Supine),
        "1240000" | "F-10310" => Some(Posture::Prone),
        _ if code.meaning.eq_ignore_ascii_case("prone") => Some(Posture::Prone),
        _ => None,
    }
}

/// At which end the head is, by the counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeadEnd {
    Top,
    Bottom,
    Unclear,
}

/// The least ratio by which one end looks like the trunk and the other like legs.
///
/// On a real scan the ratios are 2.4 (counts) and above 20 (midline).
const CLEAR: f64 = 1.5;

impl HeadEnd {
    /// Tells head from feet by two properties of every bone scan, either of which may abstain.
    ///
    /// Most of the skeleton's uptake is in head, chest and pelvis: the 40 % of the body at the
    /// head's end have more counts than the 40 % at the feet's. And the spine lies on the midline,
    /// where legs leave a gap: the shares of the counts that are near the midline are compared, from
    /// 10 to 40 % of the height at either end. No pixel counts for more than bone does, so that an
    /// injection site or a full bladder decides nothing.
    pub(crate) fn of(image: &Image<f32>) -> Self {
        let profile = image.row_sums();
        let (Some(body), Some(median)) = (extent::of_body(&profile), extent::median(&profile))
        else {
            return Self::Unclear;
        };
        let limit = bone(median, image.columns);
        let tenth = |tenths: usize| body.start + tenths * body.len() / 10;
        // The profile across the patient, tenth by tenth: what is asked for is made of these.
        let lines: Vec<Vec<f64>> = (0..10)
            .map(|it| image::capped_line(image, tenth(it)..tenth(it + 1), limit))
            .collect();
        let line = |part: &[Vec<f64>]| {
            let column = |column: usize| part.iter().map(|line| line[column]).sum();
            (0..image.columns).map(column).collect::<Vec<f64>>()
        };
        let midline = image::half(&line(&lines));
        let spine = beside(midline, image.columns);
        let counts = |part: &[Vec<f64>]| line(part).iter().sum::<f64>();
        let share = |part: &[Vec<f64>]| {
            let line = line(part);
            let near: f64 = line[spine.clone()].iter().sum();
            near / line.iter().sum::<f64>().max(f64::MIN_POSITIVE)
        };
        let votes = [
            vote(counts(&lines[..4]), counts(&lines[6..])),
            vote(share(&lines[1..4]), share(&lines[6..9])),
        ];
        match (votes.contains(&Self::Top), votes.contains(&Self::Bottom)) {
            (true, false) => Self::Top,
            (false, true) => Self::Bottom,
            _ => Self::Unclear,
        }
    }
}

/// Which end has clearly the more.
fn vote(top: f64, bottom: f64) -> HeadEnd {
    if top > CLEAR * bottom {
        HeadEnd::Top
    } else if bottom > CLEAR * top {
        HeadEnd::Bottom
    } else {
        HeadEnd::Unclear
    }
}

/// Roughly the count of a pixel of bone: a patient is about a quarter as wide as the image.
fn bone(median_row: f64, columns: usize) -> f32 {
    (4.0 * median_row / columns as f64) as f32
}

/// The columns within a fortieth of the width beside the midline.
fn beside(midline: usize, columns: usize) -> Range<usize> {
    let reach = columns / 40;
    midline.saturating_sub(reach)..columns.min(midline + reach + 1)
}

/// Whether a scan has to be turned by 180 degrees to be upright.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    pub is_needed: bool,
    /// Whether the counts could not tell, so that the header alone decided.
    pub by_header_alone: bool,
}

impl Turn {
    /// Decides for a whole-body scan, by all that is known.
    ///
    /// # Errors
    /// [`Error::UpsideDown`] where the counts alone say that it is upside down, or the header
    /// contradicts them; [`Error::OrientationUnclear`] where neither says anything, or the header says
    /// that a scan is upside down which by its counts is not.
    pub(crate) fn decide(
        head: HeadEnd,
        stated: Option<Stated>,
        feet_first: bool,
    ) -> Result<Self, Error> {
        let by_counts = |is_needed| {
            Ok(Self {
                is_needed,
                by_header_alone: false,
            })
        };
        let upright = stated.map(|stated| stated.is_upright);
        match head {
            HeadEnd::Top => {
                ensure!(upright != Some(false), OrientationUnclearSnafu);
                by_counts(false)
            }
            HeadEnd::Bottom => {
                let is_stated = upright == Some(false) || (upright.is_none() && feet_first);
                ensure!(is_stated, UpsideDownSnafu);
                by_counts(true)
            }
            HeadEnd::Unclear => Ok(Self {
                is_needed: !upright.context(OrientationUnclearSnafu)?,
                by_header_alone: true,
            }),
        }
    }
}

/// Rotates an image by 180 degrees: how a patient appears who went in feet first.
pub(crate) fn rotate_180(image: &mut Image<f32>) {
    image.pixels.reverse();
}
