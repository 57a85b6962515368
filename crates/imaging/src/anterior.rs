//! From what an object says about its frames to the one that shows the front of the patient, upright.
//!
//! Where no code and no text names the view, the directions of rows and columns may; where they do not
//! either, the image itself is looked at. Never: a guess by a frame's place or its detector's number.

use snafu::ensure;

use super::dicom::{DataSet, DicomFile};
use super::error::{EmptySnafu, Error, NoAnteriorSnafu, ViewConflictSnafu, ViewUnknownSnafu};
use super::facing::Facing;
use super::frames::{self, Candidate, Choice};
use super::orientation::{self, HeadEnd, Posture, Stated, Turn};
use super::pixels::{self, PixelLayout};
use super::warning::Warning;
use super::{Acquisition, Image, ViewSource};

/// An object whose header has been read.
pub(crate) struct Scan<'a> {
    pub file: &'a DicomFile<'a>,
    pub layout: &'a PixelLayout,
    pub acquisition: Acquisition,
}

/// The anterior frame: upright, in counts.
pub(crate) struct AnteriorFrame {
    pub counts: Image<f32>,
    /// From 0.
    pub index: usize,
    pub is_turned: bool,
    pub source: ViewSource,
    pub warnings: Vec<Warning>,
}

/// A frame as it is seen with the head at the top.
struct Upright {
    index: usize,
    is_turned: bool,
    counts: Image<f32>,
    stated: Option<Stated>,
    warnings: Vec<Warning>,
}

impl<'a> Scan<'a> {
    fn set(&self) -> &'a DataSet<'a> {
        &self.file.set
    }

    /// Finds and decodes the anterior frame.
    ///
    /// # Errors
    /// [`Error`] says why there is none.
    pub(crate) fn anterior(&self) -> Result<AnteriorFrame, Error> {
        let mut warnings = Vec::new();
        let is_prone = orientation::posture(self.set())? == Some(Posture::Prone);
        // Of a prone patient the camera's front head sees the back, and a text may be either's.
        let counts_texts = !is_prone;
        let (set, frames) = (self.set(), self.layout.frames);
        let choice = frames::choose(set, frames, self.acquisition, counts_texts, &mut warnings)?;
        warnings.extend(is_prone.then_some(Warning::Prone));
        let (frame, source) = match choice {
            Choice::Named(candidate, source) => {
                let frame = self.upright(&candidate)?;
                let is_back = is_prone && self.facing(&frame) == Facing::Back;
                ensure!(!is_back, ViewConflictSnafu);
                warnings.extend(check_view(frame.stated, source)?);
                (frame, source)
            }
            Choice::Unnamed(candidates) => self.unnamed(&candidates)?,
        };
        warnings.extend((source == ViewSource::Image).then_some(Warning::ViewFromImage));
        warnings.extend(frame.warnings);
        Ok(AnteriorFrame {
            counts: frame.counts,
            index: frame.index,
            is_turned: frame.is_turned,
            source,
            warnings,
        })
    }

    /// The anterior one of frames whose views nothing names, by the directions of their rows and columns or
    /// else by their looks.
    fn unnamed(&self, candidates: &[Candidate]) -> Result<(Upright, ViewSource), Error> {
        ensure!(candidates.len() <= 2, ViewUnknownSnafu);
        let frames = candidates.iter().map(|candidate| self.upright(candidate));
        let mut frames: Vec<Upright> = frames.collect::<Result<_, _>>()?;
        let (stated, looks) = match &frames[..] {
            [only] => (stated_of(only), self.facing(only)),
            [one, other] => (
                first_of_two(stated_of(one), stated_of(other)),
                Facing::of_first(&one.counts, &other.counts, self.acquisition),
            ),
            _ => (Facing::Unclear, Facing::Unclear),
        };
        let contradict = stated != Facing::Unclear && looks != Facing::Unclear && stated != looks;
        ensure!(!contradict, ViewConflictSnafu);
        let (first, source) = match stated {
            Facing::Unclear => (looks, ViewSource::Image),
            stated => (stated, ViewSource::Orientation),
        };
        let place = match first {
            Facing::Front => 0,
            Facing::Back if frames.len() == 2 => 1,
            Facing::Back => return NoAnteriorSnafu.fail(),
            Facing::Unclear => return ViewUnknownSnafu.fail(),
        };
        Ok((frames.swap_remove(place), source))
    }

    fn facing(&self, frame: &Upright) -> Facing {
        Facing::of(&frame.counts, self.acquisition)
    }

    /// Decodes a frame, and turns it where the head is at the lower end.
    fn upright(&self, candidate: &Candidate) -> Result<Upright, Error> {
        let stated = Stated::read(self.set(), candidate.detector)?;
        let (mut counts, mut warnings) = self.counts(candidate.index)?;
        let turn = self.needed_turn(&counts, stated)?;
        if turn.by_header_alone {
            warnings.push(Warning::OrientationFromHeader);
        }
        if turn.is_needed {
            warnings.push(Warning::TurnedUpright);
            orientation::rotate_180(&mut counts);
        }
        Ok(Upright {
            index: candidate.index,
            is_turned: turn.is_needed,
            counts,
            stated,
            warnings,
        })
    }

    /// The counts of a frame, of which there have to be some.
    fn counts(&self, frame: usize) -> Result<(Image<f32>, Vec<Warning>), Error> {
        let samples = pixels::decode(self.file, self.layout, frame)?;
        let (counts, left_out) = pixels::to_counts(&samples, self.layout);
        ensure!(counts.pixels.iter().any(|&count| count > 0.0), EmptySnafu);
        Ok((counts, left_out.warnings()))
    }

    /// Whether the image has to be turned by 180 degrees. A static shows neither head nor feet, so its
    /// header alone decides.
    fn needed_turn(&self, counts: &Image<f32>, stated: Option<Stated>) -> Result<Turn, Error> {
        match self.acquisition {
            Acquisition::WholeBody => {
                let feet_first = orientation::lies_feet_first(self.set())?;
                Turn::decide(HeadEnd::of(counts), stated, feet_first)
            }
            Acquisition::Static => Ok(Turn {
                is_needed: stated.is_some_and(|stated| !stated.is_upright),
                by_header_alone: false,
            }),
        }
    }
}

/// The side that the directions of rows and columns say.
fn stated_of(frame: &Upright) -> Facing {
    match frame.stated {
        Some(stated) if stated.is_anterior => Facing::Front,
        Some(_) => Facing::Back,
        None => Facing::Unclear,
    }
}

/// The side of the first of two images, which are of opposite sides. Exporters that copy one detector's
/// orientation to the next say nothing of either.
fn first_of_two(one: Facing, other: Facing) -> Facing {
    match (one, other) {
        (Facing::Front, Facing::Back) | (Facing::Back, Facing::Front) => one,
        _ => Facing::Unclear,
    }
}

/// A code outweighs the orientation, which some exporters copy from one detector to the next; a
/// text does not.
fn check_view(stated: Option<Stated>, source: ViewSource) -> Result<Option<Warning>, Error> {
    let contradicts = stated.is_some_and(|stated| !stated.is_anterior);
    ensure!(
        !contradicts || source == ViewSource::ViewCode,
        ViewConflictSnafu
    );
    Ok(contradicts.then_some(Warning::OrientationContradictsView))
}
