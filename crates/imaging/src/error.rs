//! Why an object gives no anterior image or no crop.

use snafu::Snafu;
use strum::{IntoStaticStr, VariantNames};

use super::dicom::AttributeError;
use super::size::{CROP_SIZE, MAX_PIXELS, MAX_SIDE};
use attrium_types::Tracer;

/// Why an object gives no anterior image or no crop.
///
/// It holds none of the object's text, so that every message may be logged.
#[derive(Debug, IntoStaticStr, Snafu, VariantNames)]
#[snafu(visibility(pub(super)))]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum Error {
    /// The bytes are not a DICOM file.
    #[snafu(display("the object is not a DICOM file: it has no file meta information"))]
    NotDicom,

    /// The file ends inside an element or a frame.
    #[snafu(display("the object is cut short at byte {position}: copy it again"))]
    Truncated {
        /// Where, in bytes from the start of its data set or pixel data.
        position: usize,
    },

    /// The data set cannot be parsed.
    #[snafu(display("the object's data set is broken after byte {position}: copy it again"))]
    Malformed {
        /// Where, in bytes from the start of its data set.
        position: usize,
    },

    /// The transfer syntax is missing or not among those attrium reads.
    #[snafu(display(
        "the object's transfer syntax is missing or not one that attrium reads: convert it to explicit VR little endian"
    ))]
    TransferSyntax,

    /// A DICOMDIR.
    #[snafu(display(
        "the object is a DICOMDIR, the directory of a medium and no image: leave it out, its images are read by themselves"
    ))]
    Directory,

    /// An attribute is missing or makes no sense.
    #[snafu(display("an attribute of the object cannot be used"))]
    Attribute {
        /// Which, and why.
        source: AttributeError,
    },

    /// The object comes from another kind of device.
    #[snafu(display(
        "the object's modality is {modality}, not NM: keep other modalities elsewhere"
    ))]
    Modality {
        /// The modality where it is one of DICOM's common terms, else "another".
        modality: &'static str,
    },

    /// Neither NM Image Storage nor Secondary Capture Image Storage.
    #[snafu(display("the object is neither NM Image Storage nor Secondary Capture"))]
    SopClass,

    /// A secondary capture of a screen rather than of counts.
    #[snafu(display(
        "the object is a secondary capture without nuclear medicine attributes: a picture, not counts"
    ))]
    NotCounts,

    /// Dynamic, gated or tomographic frames.
    #[snafu(display("the object is not a planar image: use a whole-body or a static scan"))]
    NotPlanar,

    /// An image that its object says is of another part of the body.
    #[snafu(display(
        "the object says that its image shows another part of the body: use a scan of the thorax or of the whole body"
    ))]
    NotThorax,

    /// An image that does not look like a late bone scan of a thorax, whatever its object says.
    #[snafu(display(
        "the image does not look like a thorax on a late bone scan: look at it; an early phase, another part of the \
         body, or several images on one page cannot be used"
    ))]
    NoThoraxSeen,

    /// Another radiopharmaceutical than a bone tracer with technetium-99m.
    #[snafu(display(
        "the object's radiopharmaceutical is no bone tracer with technetium-99m: use a bone scan, or correct the header"
    ))]
    OtherTracer,

    /// A bone tracer that the manifest does not accept.
    #[snafu(display(
        "the bone tracer is {tracer}, which is not among preprocessing.tracers: add it to use the scan"
    ))]
    TracerNotAccepted {
        /// Which.
        tracer: Tracer,
    },

    /// The blood pool, or another image of the first hour.
    #[snafu(display(
        "the image is of an early phase, in which blood shows rather than bone: use one of 2 hours or more after the injection"
    ))]
    EarlyPhase,

    /// The object has no pixel data.
    #[snafu(display("the object has no pixel data: export it again with its image"))]
    NoPixelData,

    /// Float Pixel Data or Double Float Pixel Data.
    #[snafu(display(
        "the pixels are floating-point numbers, which are computed and no counts: export the acquired image"
    ))]
    FloatPixels,

    /// A picture of 8 bits, or one that is cut at its largest value.
    #[snafu(display(
        "the pixels are scaled or cut as a picture's are and are no counts: export the acquired image"
    ))]
    Picture,

    /// Noise of many times more than that of as many counts.
    #[snafu(display(
        "the pixels have {dispersion:.0} times the noise of counts: they were scaled up; export the acquired image"
    ))]
    ScaledUp {
        /// Variance over mean.
        dispersion: f64,
    },

    /// An image of many more counts than were accumulated.
    #[snafu(display(
        "the image has {found:.0} counts, and Counts Accumulated says {stated:.0}: its pixels were scaled up; export the acquired image"
    ))]
    MoreThanAccumulated {
        /// What the header says.
        stated: f64,
        /// The sum of the image.
        found: f64,
    },

    /// Rescaled to less than one count a pixel.
    #[snafu(display(
        "the rescale slope makes less than one count of most pixels: export the acquired image in counts"
    ))]
    Rescaled,

    /// Rows, columns and frames that no camera makes.
    #[snafu(display(
        "{frames} frames of {rows} x {columns} pixels cannot be a scan: a side has at most {} pixels and the frames at most {} together",
        MAX_SIDE,
        MAX_PIXELS
    ))]
    ImpossibleSize {
        /// Frames as the header claims.
        frames: usize,
        /// Rows as the header claims.
        rows: usize,
        /// Columns as the header claims.
        columns: usize,
    },

    /// Fewer bytes of pixel data than the header's sizes need.
    #[snafu(display(
        "the pixel data have {found} bytes of the {needed} that the header's sizes need"
    ))]
    PixelDataTooShort {
        /// Bytes that rows, columns, frames and bits need.
        needed: usize,
        /// Bytes there are.
        found: usize,
    },

    /// Colour or an inverted scale: not counts.
    #[snafu(display("the pixels are a picture, not counts: only one grey sample is read"))]
    Photometric,

    /// The compressed frame cannot be decoded.
    #[snafu(display("the pixel data cannot be decoded: {problem}"))]
    PixelData {
        /// What is wrong.
        problem: &'static str,
    },

    /// Lossy compression, which [`LossyPolicy::Quarantine`](attrium_types::LossyPolicy) refuses.
    #[snafu(display(
        "the image went through lossy compression: set preprocessing.lossy to Accept to use it"
    ))]
    Lossy,

    /// No frame shows the anterior view.
    #[snafu(display("no frame of the object is an anterior view"))]
    NoAnterior,

    /// Several frames show the anterior view in the photopeak.
    #[snafu(display(
        "{frames} frames of the object are anterior views: it is not known which to use"
    ))]
    SeveralAnteriors {
        /// How many.
        frames: usize,
    },

    /// The header says anterior, and its image orientation or the image itself posterior, or the reverse.
    #[snafu(display(
        "what the header says of the view, the image orientation and the image itself contradict each other: correct the header"
    ))]
    ViewConflict,

    /// No attribute that can be relied on names the view, and the image itself does not tell it.
    #[snafu(display(
        "neither the header nor the image itself tells whether this is the anterior view: name the view in the header, by View Code Sequence or Image ID"
    ))]
    ViewUnknown,

    /// The frames cannot be told apart.
    #[snafu(display(
        "the number of frames, {frames}, does not match the object's detectors and energy windows: export it again"
    ))]
    FrameVectors {
        /// Number of Frames.
        frames: usize,
    },

    /// No energy window holds the photopeak of technetium-99m.
    #[snafu(display(
        "no energy window of the object holds the 140 keV photopeak: use a scan with technetium-99m, \
         or correct the windows in the header"
    ))]
    NoPhotopeak,

    /// The image has no counts.
    #[snafu(display("the image is empty: it has no counts"))]
    Empty,

    /// The image, or the patient on it, is smaller than the crop.
    #[snafu(display(
        "the scan is smaller than the crop: {rows} x {columns} pixels remain of the {needed} x {needed} needed",
        needed = CROP_SIZE
    ))]
    TooSmall {
        /// Rows from the crop's upper edge to the lower end.
        rows: usize,
        /// Columns of the image.
        columns: usize,
    },

    /// A static image that is not square.
    #[snafu(display("a static image of {rows} x {columns} pixels is not square"))]
    NotSquare {
        /// Rows of the image.
        rows: usize,
        /// Columns of the image.
        columns: usize,
    },

    /// A whole-body scan that is hardly longer than wide.
    #[snafu(display(
        "a whole-body scan of {rows} x {columns} pixels is hardly longer than wide, as a page is: export the acquired image"
    ))]
    NotLong {
        /// Rows of the image.
        rows: usize,
        /// Columns of the image.
        columns: usize,
    },

    /// The head is at the lower end, and the header does not say how the patient lay.
    #[snafu(display(
        "the scan lies feet first, which its header does not say: correct the header"
    ))]
    UpsideDown,

    /// Neither the counts nor the header tell which end is the head.
    #[snafu(display(
        "it is not clear which end of the scan is the head: correct the header's orientation"
    ))]
    OrientationUnclear,
}

impl Error {
    /// Every word that [`reason`](Self::reason) gives.
    pub const REASONS: &[&str] = Self::VARIANTS;

    /// A short stable word, for tables of objects that were set aside.
    pub fn reason(&self) -> &'static str {
        self.into()
    }
}

impl From<AttributeError> for Error {
    fn from(source: AttributeError) -> Self {
        Self::Attribute { source }
    }
}
