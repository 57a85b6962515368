//! Objects that are no late bone scan of a chest, to test that none of them is decided on.
//!
//! Each is made of a phantom, of one kind, by (kind, seed). A part of them say in their attributes what they
//! are, in words of several languages or in codes; of the others only the image tells. All of them are valid
//! objects, name an anterior view, and say that they are synthetic.

mod attributes;
mod bitmap;
mod views;

use dicom_object::InMemDicomObject;
use strum::{Display, VariantArray};

use super::cohort::{Study, SyntheticCohort};
use super::demographics::Protocol;
use super::dicom;
use super::random::{Purpose, Stream};
use super::scanner::{ObjectLayout, SCANNERS, Scanner};

/// What an object is instead of a late bone scan of a chest.
#[derive(Clone, Copy, Debug, Display, PartialEq, Eq, Hash, VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub enum WrongKind {
    /// A whole body within minutes of the injection: blood pool.
    BloodPool,
    /// A static of the chest within minutes of the injection.
    ChestBloodPool,
    /// A static of the pelvis.
    Pelvis,
    /// A static of both knees.
    Knees,
    /// A static of the skull.
    Skull,
    /// A static of both hands on the detector.
    Hands,
    /// A static of both feet.
    Feet,
    /// Nothing but noise, even or in clouds.
    Noise,
    /// A flood source.
    Flood,
    /// 99mTc-sestamibi.
    Perfusion,
    /// 131I.
    Iodide,
    /// 111In-pentetreotide.
    Octreotide,
    /// 67Ga-citrate.
    Gallium,
    /// Both views of a whole body on one bitmap.
    BothViews,
    /// Two tracers of one whole body on one bitmap.
    DualIsotope,
    /// A screen with both views, grey or in colours, 8 bits.
    ScreenCapture,
    /// A whole body in the middle of a square.
    PaddedSquare,
    /// A whole body of few counts where there are many.
    Negative,
    /// A smoothed copy, scaled up to 32767.
    Processed,
    /// A copy windowed to 8 bits.
    Windowed,
}

impl WrongKind {
    /// Every kind.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// Kinds of a static image.
    fn is_static(self) -> bool {
        matches!(
            self,
            Self::ChestBloodPool
                | Self::Pelvis
                | Self::Knees
                | Self::Skull
                | Self::Hands
                | Self::Feet
        )
    }

    /// Kinds that an object of one frame shows.
    fn is_bitmap(self) -> bool {
        matches!(
            self,
            Self::Noise
                | Self::Flood
                | Self::BothViews
                | Self::DualIsotope
                | Self::ScreenCapture
                | Self::PaddedSquare
                | Self::Negative
                | Self::Processed
                | Self::Windowed
        )
    }
}

/// A planted object.
#[derive(Clone, Debug)]
pub struct WrongObject {
    /// What it is.
    pub kind: WrongKind,
    /// Whether its attributes tell; else only its image does.
    pub stated: bool,
    /// Whether it is written in Implicit VR Little Endian.
    pub implicit: bool,
    /// The object.
    pub object: InMemDicomObject,
}

/// Makes an object of a kind. (Kind, seed) decides all of it.
pub fn wrong_object(kind: WrongKind, seed: u64) -> WrongObject {
    let study = study_of(kind, seed);
    let mut stream = Stream::new(seed, Purpose::Planted, kind as u32);
    let stated = seed.is_multiple_of(2);
    let picture = views::draw(kind, &study, &mut stream);
    let mut object = dicom::objects(&study, &picture.views)
        .into_iter()
        .next()
        .unwrap_or_else(InMemDicomObject::new_empty);
    attributes::label(&mut object, kind, stated, &study, &mut stream);
    bitmap::write(&mut object, &picture, stated);
    WrongObject {
        kind,
        stated,
        implicit: study.scanner.implicit,
        object,
    }
}

/// The study that an object is made of: no heart of it would be called positive.
fn study_of(kind: WrongKind, seed: u64) -> Study {
    let mut study = SyntheticCohort::new(u32::MAX, seed).study(kind as u32);
    study.person.protocol = if kind.is_static() {
        Protocol::ThoracicStatic
    } else {
        Protocol::WholeBody
    };
    if kind.is_bitmap() {
        // Scanners that write an object a view.
        let single: Vec<&'static Scanner> = SCANNERS
            .iter()
            .filter(|scanner| scanner.layout == ObjectLayout::TwoObjects)
            .collect();
        study.scanner = single[(seed / 2) as usize % single.len()];
    }
    if kind == WrongKind::BloodPool || kind == WrongKind::ChestBloodPool {
        study.uptake_minutes = 2 + (seed % 14) as u32;
    }
    study
}

/// A valid study for tests: scanners take turns, every fourth is a static, and counts go evenly from the
/// fewest to the most (0.5 to 4 million).
///
/// (Seed, number) decides it; sizes, sexes, grades and findings are those of the cohort of that seed in which
/// the four grades are equally frequent.
pub fn valid_study(seed: u64, number: u32) -> Study {
    const GOLDEN: f64 = 0.618_033_988_749_894_9;
    let cohort = SyntheticCohort::new(u32::MAX, seed);
    let even = cohort.clone().with_grades([1.0; 4]).unwrap_or(cohort);
    let mut study = even.study(number);
    study.scanner = &SCANNERS[number as usize % SCANNERS.len()];
    study.person.protocol = if number % 4 == 3 {
        Protocol::ThoracicStatic
    } else {
        Protocol::WholeBody
    };
    let place = (f64::from(number) * GOLDEN).fract();
    study.million_counts = 0.5 * 8.0_f64.powf(place);
    study
}

#[cfg(test)]
mod tests;
