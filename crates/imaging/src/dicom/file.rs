//! DICOM files in memory, read up to their pixel data.

use std::panic::{AssertUnwindSafe, catch_unwind};

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use dicom_object::file::ReadPreamble;
use dicom_object::{DefaultDicomObject, OpenFileOptions};
use snafu::OptionExt;

use super::{TransferSyntax, bounds};
use crate::error::{Error, MalformedSnafu, NotDicomSnafu};

/// What file meta information starts with (PS3.10, 7.1).
const PREFIX: &[u8] = b"DICM";

/// Length of the preamble before that.
const PREAMBLE: usize = 128;

/// How to display the pixels, which attrium does not need; dicom-pixeldata refuses odd values.
const DISPLAY: [Tag; 4] = [
    tags::WINDOW_CENTER,
    tags::WINDOW_WIDTH,
    tags::VOILUT_FUNCTION,
    tags::VOILUT_SEQUENCE,
];

/// A DICOM file in memory.
pub(crate) struct DicomFile {
    pub transfer_syntax: TransferSyntax,
    pub object: DefaultDicomObject,
}

/// Reads a DICOM file up to its pixel data, whether or not it has a preamble.
///
/// # Errors
/// [`Error::NotDicom`], [`Error::Truncated`], [`Error::Malformed`] and [`Error::TransferSyntax`].
pub(crate) fn open(bytes: &[u8]) -> Result<DicomFile, Error> {
    let file = bytes
        .get(PREAMBLE..)
        .filter(|rest| rest.starts_with(PREFIX))
        .or_else(|| bytes.starts_with(PREFIX).then_some(bytes))
        .context(NotDicomSnafu)?;
    without_panic(|| {
        let (length, transfer_syntax) = bounds::check(&file[PREFIX.len()..])?;
        let object = OpenFileOptions::new()
            .read_preamble(ReadPreamble::Never)
            .read_to(tags::PIXEL_DATA)
            .from_reader(&file[..PREFIX.len() + length]);
        // The cause is left out because dicom-rs quotes values.
        let mut object = object.or_else(|_| MalformedSnafu { position: 0_usize }.fail())?;
        for tag in DISPLAY {
            object.remove_element(tag);
        }
        Ok(DicomFile {
            transfer_syntax,
            object,
        })
    })
    .unwrap_or_else(|| MalformedSnafu { position: 0_usize }.fail())
}

/// Runs code of dicom-rs; gives nothing where it panics.
///
/// dicom-rs and its decoders index and unwrap what a damaged object states, as in
/// `read_rle_header` of dicom-transfer-syntax-registry 0.10.1, so that one bad object of an archive
/// would end the run. Nowhere else does reading an image catch a panic.
pub(crate) fn without_panic<T>(code: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(code)).ok()
}
