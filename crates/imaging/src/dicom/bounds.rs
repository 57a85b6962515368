//! A walk over an object's headers before it is read.
//!
//! dicom-object sets memory aside by an element's stated length before it reads, and follows nested
//! sequences by recursion: a header of twelve bytes can ask for 4 GiB, and 200 kB of nested
//! sequences overflow the stack, which no program survives; and an element in memory has a hundred times
//! the bytes of an empty one in a file. Walking first, with the same tokenizer and without values, makes
//! sure that every length is backed by bytes, no nesting is deep, and elements are not too many.

use dicom_core::Tag;
use dicom_dictionary_std::{tags, uids};
use dicom_encoding::TransferSyntaxIndex;
use dicom_parser::dataset::LazyDataToken;
use dicom_parser::dataset::lazy_read::LazyDataSetReader;
use dicom_parser::stateful::decode::StatefulDecode;
use dicom_transfer_syntax_registry::TransferSyntaxRegistry;
use snafu::{OptionExt, ensure};

use super::TransferSyntax;
use crate::error::{Error, MalformedSnafu, TransferSyntaxSnafu, TruncatedSnafu};

/// How deep sequences may nest; real objects stay below ten.
const MAX_DEPTH: usize = 32;

/// How many elements and items an object may have, nested ones and fragments of pixel data included; real
/// objects have a few hundred, and a few for each frame.
const MAX_ELEMENTS: usize = 200_000;

/// The header of File Meta Information Group Length (0002,0000) (PS3.10, 7.1).
const GROUP_LENGTH: &[u8] = b"\x02\x00\x00\x00UL\x04\x00";

/// Bytes of the delimiter after the last fragment (PS3.5, A.4).
const DELIMITER: usize = 8;

/// Checks the file meta information that `bytes` start with and the data set after it up to and
/// with the pixel data; gives the length of both together, and the transfer syntax.
///
/// # Errors
/// [`Error::Truncated`], [`Error::Malformed`], or [`Error::TransferSyntax`] where attrium does not
/// read the data set's, or there is none.
pub(super) fn check(bytes: &[u8]) -> Result<(usize, TransferSyntax), Error> {
    let meta = meta_length(bytes)?;
    let (information, data_set) = bytes
        .split_at_checked(meta)
        .context(TruncatedSnafu { position: 0_usize })?;
    let mut uid = "";
    walk(
        information,
        uids::EXPLICIT_VR_LITTLE_ENDIAN,
        |tag, value| {
            if tag == tags::TRANSFER_SYNTAX_UID {
                let value = std::str::from_utf8(value).unwrap_or_default();
                uid = value.trim_end_matches(['\0', ' ']);
            }
            Next::GoOn
        },
    )?;
    let syntax = TransferSyntax::from_uid(uid).context(TransferSyntaxSnafu)?;
    let data_set = walk(data_set, uid, |tag, _| match tag {
        tags::PIXEL_DATA => Next::Stop,
        _ => Next::GoOn,
    })?;
    Ok((meta + data_set, syntax))
}

/// The length of the file meta information, by its first element, which states the rest.
fn meta_length(bytes: &[u8]) -> Result<usize, Error> {
    let (header, rest) = bytes
        .split_at_checked(8)
        .context(TruncatedSnafu { position: 0_usize })?;
    let length = rest.first_chunk().filter(|_| header == GROUP_LENGTH);
    let length = length.context(MalformedSnafu { position: 0_usize })?;
    Ok(header.len() + length.len() + u32::from_le_bytes(*length) as usize)
}

/// What to do after an element at the top of the data set.
enum Next {
    GoOn,
    Stop,
}

/// Visits the elements at the top with their values, empty for sequences; gives where it stopped.
fn walk<'a>(
    bytes: &'a [u8],
    syntax: &str,
    mut visit: impl FnMut(Tag, &'a [u8]) -> Next,
) -> Result<usize, Error> {
    let syntax = TransferSyntaxRegistry
        .get(syntax)
        .context(TransferSyntaxSnafu)?;
    let malformed = |position| MalformedSnafu { position }.build();
    let mut reader = LazyDataSetReader::new_with_ts(std::io::Cursor::new(bytes), syntax)
        .map_err(|_| malformed(0))?;
    let mut position = 0;
    let mut depth = 0_usize;
    let mut elements = 0;
    let mut in_fragments = false;
    while let Some(token) = reader.advance() {
        let token = token.map_err(|error| cut_short_or_malformed(&error, position))?;
        elements += usize::from(begins(&token));
        ensure!(elements <= MAX_ELEMENTS, MalformedSnafu { position });
        in_fragments |= depth == 0 && matches!(token, LazyDataToken::PixelSequenceStart);
        let (tag, length, decoder) = match token {
            LazyDataToken::SequenceStart { .. } | LazyDataToken::PixelSequenceStart => {
                depth += 1;
                ensure!(depth <= MAX_DEPTH, MalformedSnafu { position });
                continue;
            }
            LazyDataToken::SequenceEnd => {
                depth = depth.checked_sub(1).ok_or_else(|| malformed(position))?;
                if in_fragments {
                    return Ok(position + DELIMITER);
                }
                continue;
            }
            LazyDataToken::LazyValue { header, decoder } => {
                (Some(header.tag), header.len.get().unwrap_or(0), decoder)
            }
            LazyDataToken::LazyItemValue { len, decoder } => (None, len, decoder),
            _ => continue,
        };
        let start = decoder.position() as usize;
        let length = length as usize;
        let value = bytes
            .get(start..)
            .and_then(|rest| rest.get(..length))
            .context(TruncatedSnafu { position })?;
        let next = match tag {
            Some(tag) if depth == 0 => visit(tag, value),
            _ => Next::GoOn,
        };
        decoder
            .skip_bytes(length as u32)
            .map_err(|_| malformed(position))?;
        position = start + length;
        if matches!(next, Next::Stop) {
            return Ok(position);
        }
    }
    ensure!(depth == 0, TruncatedSnafu { position });
    // Delimiters of sequences may follow the last value.
    Ok(bytes.len())
}

/// Whether an element or an item begins here.
const fn begins<D>(token: &LazyDataToken<D>) -> bool {
    matches!(
        token,
        LazyDataToken::SequenceStart { .. }
            | LazyDataToken::PixelSequenceStart
            | LazyDataToken::ItemStart { .. }
            | LazyDataToken::LazyValue { .. }
            | LazyDataToken::LazyItemValue { .. }
    )
}

fn cut_short_or_malformed(error: &(dyn std::error::Error + 'static), position: usize) -> Error {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let is_end = error
            .downcast_ref::<std::io::Error>()
            .is_some_and(|error| error.kind() == std::io::ErrorKind::UnexpectedEof);
        if is_end {
            return TruncatedSnafu { position }.build();
        }
        cause = error.source();
    }
    MalformedSnafu { position }.build()
}
