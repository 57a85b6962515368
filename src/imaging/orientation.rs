//! Which end of a whole-body scan is the head, and from where the header says it is seen.
//!
//! Three things tell: the direction of rows and columns in the patient, where the header states
//! it; whether the patient lay feet first; and the counts themselves. A scan is turned only where
//! two of them agree. Never: a mirrored image, which would move the heart to the other side.

use snafu::ensure;

use super::Image;
use super::dicom::{self, Code, DataSet};
use super::error::{Error, OrientationUnclearSnafu, UpsideDownSnafu};
use super::extent;
use super::warning::Warning;

/// What the header says about the directions of rows and columns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stated {
    /// Whether the head is at the top.
    pub is_upright: bool,
    /// Whether the patient is seen from the front.
    pub is_anterior: bool,
}

impl Stated {
    /// Reads Image Orientation (Patient) of the frame's detector or of the object, or else Patient
    /// Orientation (PS3.3, C.7.6.2.1.1 and C.7.6.1.1.1); none where they state no frontal plane.
    pub fn read(set: &DataSet<'_>, detector: usize) -> Result<Option<Self>, Error> {
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

    fn from_letters(letters: &[&[u8]]) -> Option<Self> {
        let [row, column] = letters else {
            return None;
        };
        let row = match row.first()? {
            b'L' => 1.0,
            b'R' => -1.0,
            _ => return None,
        };
        let column = match column.first()? {
            b'H' => 1.0,
            b'F' => -1.0,
            _ => return None,
        };
        Self::from_cosines([row, 0.0, 0.0, 0.0, 0.0, column])
    }
}

/// Whether the patient lay feet first: Patient Gantry Relationship (PS3.3, C.8.4.6; PS3.16,
/// CID 21), or else Patient Position (C.7.3.1.1.2).
pub fn lies_feet_first(set: &DataSet<'_>) -> Result<bool, Error> {
    if let Some(code) = dicom::patient_gantry_relationship(set)?
        && let Some(feet_first) = feet_first_code(code)
    {
        return Ok(feet_first);
    }
    Ok(dicom::patient_position(set)?.is_some_and(|position| position.starts_with(b"FF")))
}

fn feet_first_code(code: Code<'_>) -> Option<bool> {
    match code.value {
        b"102541007" | b"F-10480" => Some(true),
        b"102540008" | b"F-10470" => Some(false),
        _ => None,
    }
}

/// Where the head is by the counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head {
    Top,
    Bottom,
    Unclear,
}

/// One end looks like trunk and the other like legs from this ratio on.
///
/// On a real scan the ratios are 2.2 (counts) and above 15 (midline).
const CLEAR: f64 = 1.5;

impl Head {
    /// Tells head from feet by two properties of every bone scan, either of which may abstain.
    ///
    /// Most of the skeleton's uptake is in head, chest and pelvis: the 40 % of the body at the
    /// head's end have more counts than the 40 % at the feet's. Square roots keep an injection
    /// site or a full bladder from deciding. And the spine lies on the midline, where legs leave a
    /// gap: compared are the shares of counts beside the midline from 10 to 40 % of the height.
    pub fn of(image: &Image<f32>) -> Self {
        let Some(body) = extent::of_body(&image.row_sums()) else {
            return Self::Unclear;
        };
        let rows: Vec<&[f32]> = image
            .pixels
            .chunks_exact(image.columns)
            .skip(body.start)
            .take(body.len())
            .collect();
        let tenth = |tenths: usize| tenths * rows.len() / 10;
        let (top, bottom) = (&rows[..tenth(4)], &rows[tenth(6)..]);
        let (trunk, legs) = (&rows[tenth(1)..tenth(4)], &rows[tenth(6)..tenth(9)]);
        let midline = midline(&rows);
        let votes = [
            vote(roots(top), roots(bottom)),
            vote(share(trunk, midline), share(legs, midline)),
        ];
        match (votes.contains(&Self::Top), votes.contains(&Self::Bottom)) {
            (true, false) => Self::Top,
            (false, true) => Self::Bottom,
            _ => Self::Unclear,
        }
    }
}

fn vote(top: f64, bottom: f64) -> Head {
    if top > CLEAR * bottom {
        Head::Top
    } else if bottom > CLEAR * top {
        Head::Bottom
    } else {
        Head::Unclear
    }
}

/// The column that halves the counts, each as its square root.
fn midline(rows: &[&[f32]]) -> usize {
    let mut columns = vec![0.0; rows.first().map_or(0, |row| row.len())];
    for row in rows {
        for (column, &count) in columns.iter_mut().zip(*row) {
            *column += f64::from(count.sqrt());
        }
    }
    let half = columns.iter().sum::<f64>() / 2.0;
    let mut below = 0.0;
    columns
        .iter()
        .position(|column| {
            below += column;
            below >= half
        })
        .unwrap_or(0)
}

fn roots(rows: &[&[f32]]) -> f64 {
    rows.iter()
        .flat_map(|row| row.iter())
        .map(|count| f64::from(count.sqrt()))
        .sum()
}

/// The share of counts within a fortieth of the width beside the midline.
fn share(rows: &[&[f32]], midline: usize) -> f64 {
    let total = roots(rows);
    if total == 0.0 {
        return 0.0;
    }
    let beside = rows.iter().map(|row| {
        let reach = row.len() / 40;
        let end = row.len().min(midline + reach + 1);
        &row[midline.saturating_sub(reach)..end]
    });
    roots(&beside.collect::<Vec<_>>()) / total
}

/// Decides whether a whole-body scan has to be turned, by all that is known.
///
/// # Errors
/// [`Error::UpsideDown`] where only the counts say so or the header says the opposite;
/// [`Error::OrientationUnclear`] where neither says anything or the header contradicts the counts.
pub fn decide(
    head: Head,
    stated: Option<Stated>,
    feet_first: bool,
) -> Result<(bool, Option<Warning>), Error> {
    let upright = stated.map(|stated| stated.is_upright);
    match head {
        Head::Top => {
            ensure!(upright != Some(false), OrientationUnclearSnafu);
            Ok((false, None))
        }
        Head::Bottom => {
            let is_stated = upright == Some(false) || (upright.is_none() && feet_first);
            ensure!(is_stated, UpsideDownSnafu);
            Ok((true, Some(Warning::TurnedUpright)))
        }
        Head::Unclear => match upright {
            Some(upright) => Ok((!upright, Some(Warning::OrientationFromHeader))),
            None => OrientationUnclearSnafu.fail(),
        },
    }
}

/// Turns an image by 180 degrees, as a patient lies who went in feet first.
pub fn turn(image: &mut Image<f32>) {
    image.pixels.reverse();
}
