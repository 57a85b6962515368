//! DICOM files in memory, read up to their pixel data.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use dicom_core::VR;
use dicom_dictionary_std::tags;
use snafu::{OptionExt, ensure};

use super::data_set::{DataSet, Value, trim};
use super::{TransferSyntax, parse};
use crate::error::{DirectorySnafu, Error, NotDicomSnafu, TransferSyntaxSnafu};

/// What file meta information starts with (PS3.10, 7.1).
const PREFIX: &[u8] = b"DICM";

/// Length of the preamble before that.
const PREAMBLE: usize = 128;

/// Media Storage Directory Storage (PS3.4, B.5): what a DICOMDIR is.
const DIRECTORY: &str = "1.2.840.10008.1.3.10";

/// A DICOM file in memory.
pub(crate) struct DicomFile<'a> {
    pub transfer_syntax: TransferSyntax,
    pub set: DataSet<'a>,
}

/// Reads a DICOM file up to its pixel data, whether or not it has a preamble.
///
/// # Errors
/// [`Error::NotDicom`], [`Error::Truncated`], [`Error::Malformed`], [`Error::TransferSyntax`] and
/// [`Error::Directory`].
pub(crate) fn open(bytes: &[u8]) -> Result<DicomFile<'_>, Error> {
    let file = bytes
        .get(PREAMBLE..)
        .filter(|rest| rest.starts_with(PREFIX))
        .unwrap_or(bytes);
    let information = file.strip_prefix(PREFIX).context(NotDicomSnafu)?;
    let (meta, length) = parse::meta_information(information)?;
    let uid = |tag| {
        let bytes = meta.get(tag)?.bytes()?;
        std::str::from_utf8(bytes).ok().map(trim)
    };
    let class = uid(tags::MEDIA_STORAGE_SOP_CLASS_UID);
    ensure!(class != Some(DIRECTORY), DirectorySnafu);
    let transfer_syntax = uid(tags::TRANSFER_SYNTAX_UID)
        .and_then(TransferSyntax::from_uid)
        .context(TransferSyntaxSnafu)?;
    let set = parse::data_set(&information[length..], transfer_syntax.encoding())?;
    let lists_records = set.get(tags::DIRECTORY_RECORD_SEQUENCE).is_some();
    ensure!(!lists_records, DirectorySnafu);
    Ok(DicomFile {
        transfer_syntax,
        set,
    })
}

impl DicomFile<'_> {
    /// The bytes of a frame of `size` bytes that is not compressed, the least significant byte first.
    pub(crate) fn native_frame(&self, frame: usize, size: usize) -> Option<Cow<'_, [u8]>> {
        let pixels = self.set.get(tags::PIXEL_DATA)?;
        // Of either size of pixels, words of 16 bits are what a big-endian object swaps (PS3.5, 7.3 and 8.1).
        let is_swapped = pixels.is_big_endian && pixels.vr == VR::OW;
        let bytes = pixels.little_endian(if is_swapped { 2 } else { 1 })?;
        let frame = frame * size..(frame + 1) * size;
        match bytes {
            Cow::Borrowed(bytes) => bytes.get(frame).map(Cow::Borrowed),
            Cow::Owned(bytes) => bytes.get(frame).map(|frame| Cow::Owned(frame.to_vec())),
        }
    }

    /// The bytes of a compressed frame out of `frames` (PS3.5, A.4): its fragment where each frame has
    /// one, all of them where there is one frame, and else those that the offset table says.
    pub(crate) fn coded_frame(&self, frame: usize, frames: usize) -> Option<Cow<'_, [u8]>> {
        let Value::Fragments(fragments) = &self.set.get(tags::PIXEL_DATA)?.value else {
            return None;
        };
        let (table, fragments) = fragments.split_first()?;
        if fragments.len() == frames {
            return fragments.get(frame).map(|bytes| Cow::Borrowed(*bytes));
        }
        if frames == 1 {
            return Some(Cow::Owned(fragments.concat()));
        }
        let (offsets, _) = table.as_chunks();
        let offset = |frame: usize| Some(u32::from_le_bytes(*offsets.get(frame)?) as usize);
        let start = offset(frame)?;
        let end = offset(frame + 1).unwrap_or(usize::MAX);
        let mut position = 0;
        let mut coded = Vec::new();
        for fragment in fragments {
            if (start..end).contains(&position) {
                coded.extend_from_slice(fragment);
            }
            // The offsets count the items' headers.
            position += fragment.len() + 8;
        }
        (!coded.is_empty()).then_some(Cow::Owned(coded))
    }
}

/// Runs a decoder of a library; gives nothing where it panics.
///
/// Decoders index and unwrap what a damaged frame states, so that one bad object of an archive would end
/// the run. Nowhere else does reading an image catch a panic.
pub(crate) fn without_panic<T>(code: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(code)).ok()
}
