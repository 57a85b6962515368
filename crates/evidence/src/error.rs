//! Why a result cannot be made of an object and a decision.

use dicom_core::Tag;
use snafu::Snafu;

/// Why bytes became no result. Holds no text of an object.
#[derive(Debug, PartialEq, Eq, Snafu)]
#[snafu(visibility(pub(crate)))]
pub enum Error {
    /// No file meta information (PS3.10, 7.1).
    #[snafu(display("The bytes are no DICOM file"))]
    NotDicom,
    /// A length that goes beyond what is there, nesting without end, or more elements than an object has.
    #[snafu(display("The object is damaged at byte {position}"))]
    Malformed {
        /// Where it was noticed.
        position: usize,
    },
    /// The data set is compressed as a whole, or in a way that is unknown.
    #[snafu(display("The object's transfer syntax is none that is read"))]
    TransferSyntax,
    /// What a result has to say of its source is not there, or is none.
    #[snafu(display("The object's attribute {tag} is missing or has no usable value"))]
    Attribute {
        /// The attribute.
        tag: Tag,
    },
    /// A value does not fit the length that its value representation allows in explicit encoding (PS3.5, 7.1.2).
    #[snafu(display("The value of attribute {tag} is too long to be written"))]
    TooLong {
        /// The attribute.
        tag: Tag,
    },
    /// A number of the decision is none, or outside its range.
    #[snafu(display("The decision's {name} is {value}, which cannot be"))]
    Number {
        /// Which one.
        name: &'static str,
        /// What it is, as text: a number that is none equals nothing.
        value: String,
    },
    /// The decision says other than its probability and threshold do.
    #[snafu(display("The decision contradicts its probability and threshold"))]
    Contradiction,
    /// The decision names a frame that the source does not have.
    #[snafu(display("The decision is on frame {frame} of {frames}"))]
    Frame {
        /// The frame, counted from 1.
        frame: u32,
        /// Frames of the source.
        frames: u32,
    },
    /// The crop or the heart lies outside the source's frame.
    #[snafu(display("The decision's region lies outside the image"))]
    Region,
    /// A picture is not of the crop's size.
    #[snafu(display("A picture has {pixels} pixels, and a crop has {expected}"))]
    PictureSize {
        /// Pixels given.
        pixels: usize,
        /// Pixels of a crop.
        expected: usize,
    },
    /// The pixels of an object that is to be de-identified may name the patient.
    #[snafu(display("The object's pixels may show text"))]
    MayShowText,
    /// A key with which pseudonyms could be tried out.
    #[snafu(display("The key has less than {least} bytes"))]
    Key {
        /// The fewest that it may have.
        least: usize,
    },
    /// The PNG encoder failed, which on a valid picture it does not.
    #[snafu(display("The picture could not be encoded"))]
    Png,
}
