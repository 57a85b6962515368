//! What a reader should know about an image that can be used.

use std::fmt;

use strum::{IntoStaticStr, VariantNames};

/// Something about a usable image that its reader should know.
///
/// Each has a [`code`](Self::code) for tables and a sentence, its `Display`, for people.
#[derive(Clone, Copy, Debug, IntoStaticStr, PartialEq, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub enum Warning {
    /// No attribute that can be relied on names the view; the image shows the front of the patient.
    ViewFromImage,
    /// The patient lay prone, where names of views may be those of the camera's heads.
    Prone,
    /// The coded view says anterior and the image orientation says posterior; the code was followed.
    OrientationContradictsView,
    /// The frames' detectors or energy windows are not listed; the standard's order was assumed.
    AssumedFrameOrder,
    /// No energy window states its limits; the first was taken for the photopeak.
    AssumedPhotopeak,
    /// The object of a static image does not say which part of the body it shows, or in words that are not known.
    RegionNotStated,
    /// The image looks only a little like a thorax on a late bone scan.
    DoubtfulThorax,
    /// The image has other noise than counts have.
    NoiseNotOfCounts {
        /// Variance over mean; counts have 1.
        dispersion: f64,
    },
    /// The object does not say which radiopharmaceutical was given.
    TracerNotStated,
    /// The object's radiopharmaceutical is not one that attrium knows, or two are named.
    UnknownTracer,
    /// The tracer is MDP, which a heart with ATTR takes up far less than the others.
    InsensitiveTracer,
    /// The object does not say how long after the injection the image was taken.
    DelayNotStated,
    /// The times of injection and image do not belong together.
    DelayUnclear,
    /// The image was taken sooner or later than bone scans are.
    UnusualDelay {
        /// After the injection.
        minutes: u32,
    },
    /// The image went through lossy compression.
    Lossy,
    /// Pixels below zero were set to zero.
    NegativePixels {
        /// How many.
        count: usize,
    },
    /// Pixels that the header declares to be padding were set to zero.
    Padding {
        /// How many.
        count: usize,
    },
    /// The rescale slope or intercept makes counts that are not whole.
    FractionalCounts,
    /// The image has other counts than Counts Accumulated says.
    CountsDiffer {
        /// What the header says.
        stated: f64,
        /// The sum of the image.
        found: f64,
    },
    /// Pixels that were not square were summed into square ones.
    PixelsNotSquare {
        /// Millimetres between rows.
        height: f64,
        /// Millimetres between columns.
        width: f64,
    },
    /// The object does not state the size of its pixels.
    PixelSizeNotStated,
    /// The image was larger than the paper's and its pixels were summed into fewer.
    Downsampled {
        /// Rows of the stored image.
        rows: usize,
        /// Columns of the stored image.
        columns: usize,
    },
    /// The image was upside down and was turned by 180 degrees.
    TurnedUpright,
    /// The counts do not tell which end is the head; the header does, and was followed.
    OrientationFromHeader,
    /// Pixels are far from the paper's scanners' in size, so the crop shows more or less of the chest.
    UnusualPixelSize {
        /// The pixel's side in millimetres, or the odder of its two sides.
        millimetres: f64,
    },
    /// The patient is shorter or longer on the scan than an adult, so the crop's place is doubtful.
    UnusualExtent {
        /// Height of the patient on the scan in millimetres.
        millimetres: f64,
    },
    /// Counts outside the body moved the paper's crop away from where the body would put it.
    StrayCounts {
        /// Rows by which the paper's crop lies lower (positive) or higher (negative) than the robust one.
        rows: i64,
    },
}

impl Warning {
    /// Every word that [`code`](Self::code) gives.
    pub const CODES: &[&str] = Self::VARIANTS;

    /// A short stable word for tables.
    pub fn code(&self) -> &'static str {
        self.into()
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::ViewFromImage => f.write_str(
                "no attribute that can be relied on names the view: the image itself shows the front, but name it in the header",
            ),
            Self::Prone => f.write_str(
                "the patient lay prone, so that only a coded view was followed: look whether the image shows the front",
            ),
            Self::OrientationContradictsView => f.write_str(
                "the view is coded anterior but the image orientation is that of a posterior view: the code was followed",
            ),
            Self::AssumedFrameOrder => f.write_str(
                "the frames' detectors and energy windows are not listed: the standard's order was assumed",
            ),
            Self::AssumedPhotopeak => f.write_str(
                "no energy window states its limits: the first was taken for the photopeak",
            ),
            Self::RegionNotStated => f.write_str(
                "the object does not say that the image shows the thorax: state Body Part Examined",
            ),
            Self::DoubtfulThorax => f.write_str(
                "the image looks only a little like a thorax on a late bone scan: look at it",
            ),
            Self::NoiseNotOfCounts { dispersion } => write!(
                f,
                "the pixels have {dispersion:.2} times the noise of counts: they were filtered or scaled; use the acquired image if there is one"
            ),
            Self::TracerNotStated => {
                f.write_str("the object does not say which radiopharmaceutical was given")
            }
            Self::UnknownTracer => {
                f.write_str("the object's radiopharmaceutical is not known to be a bone tracer")
            }
            Self::InsensitiveTracer => f.write_str(
                "the tracer is MDP, which a heart with ATTR takes up far less than HMDP, DPD or PYP: a negative means less",
            ),
            Self::DelayNotStated => f.write_str(
                "the object does not say how long after the injection the image was taken",
            ),
            Self::DelayUnclear => f.write_str(
                "the times of injection and image do not belong together: the image may be an early one",
            ),
            Self::UnusualDelay { minutes } => write!(
                f,
                "the image was taken {minutes} minutes after the injection, not the usual 120 to 360"
            ),
            Self::Lossy => f.write_str("the image went through lossy compression"),
            Self::NegativePixels { count } => {
                write!(f, "{count} pixels below zero were set to zero")
            }
            Self::Padding { count } => {
                write!(f, "{count} pixels of padding were set to zero")
            }
            Self::FractionalCounts => f.write_str(
                "the rescale slope or intercept makes counts that are not whole: export the acquired image if there is one",
            ),
            Self::CountsDiffer { stated, found } => write!(
                f,
                "the image has {found:.0} counts, and Counts Accumulated says {stated:.0}: compare it with the acquired image"
            ),
            Self::PixelsNotSquare { height, width } => write!(
                f,
                "pixels {height:.2} mm high and {width:.2} mm wide were summed into square ones"
            ),
            Self::PixelSizeNotStated => f.write_str(
                "the pixel size is not stated, so that how much of the chest the crop shows is not known: state Pixel Spacing",
            ),
            Self::Downsampled { rows, columns } => write!(
                f,
                "the stored image of {rows} x {columns} pixels was summed into fewer pixels"
            ),
            Self::TurnedUpright => {
                f.write_str("the image was upside down and was turned by 180 degrees")
            }
            Self::OrientationFromHeader => f.write_str(
                "the counts do not tell which end is the head: the header's orientation was followed",
            ),
            Self::UnusualPixelSize { millimetres } => write!(
                f,
                "pixels of {millimetres:.2} mm are far from the 1.5 to 3.5 mm that the crop is made for"
            ),
            Self::UnusualExtent { millimetres } => write!(
                f,
                "a patient of {millimetres:.0} mm on the scan is not a whole adult: the crop's place is doubtful"
            ),
            Self::StrayCounts { rows } => write!(
                f,
                "counts outside the body put the crop {} rows too {}",
                rows.unsigned_abs(),
                if rows < 0 { "high" } else { "low" }
            ),
        }
    }
}
