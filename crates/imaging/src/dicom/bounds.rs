//! A walk over an object's headers before it is read.
//!
//! dicom-object sets memory aside by an element's stated length before it reads, and follows nested
//! sequences by recursion: a header of twelve bytes can ask for 4 GiB, 200 kB of nested sequences
//! overflow the stack, which no program survives, and an empty element takes a hundred times as many
//! bytes in memory as in the file. Walking first, with the same tokenizer and without values, makes
//! sure that every length is backed by bytes and is one of whole numbers, no nesting is deep, and elements
//! are not too many.

use std::ops::ControlFlow;

use dicom_core::{Tag, VR};
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

/// Checks the file meta information at the front of `bytes` and the data set after it, up to and
/// including the pixel data; gives the length of both together, and the transfer syntax.
///
/// # Errors
/// [`Error::Truncated`], [`Error::Malformed`], or [`Error::TransferSyntax`] where the transfer syntax
/// is missing or is not one that attrium reads.
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
            ControlFlow::Continue(())
        },
    )?;
    let syntax = TransferSyntax::from_uid(uid).context(TransferSyntaxSnafu)?;
    let data_set = walk(data_set, uid, |tag, _| match tag {
        tags::PIXEL_DATA => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
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

/// How far a walk has come, and how deep in sequences it is.
#[derive(Default)]
struct Progress {
    position: usize,
    depth: usize,
    elements: usize,
    in_fragments: bool,
}

impl Progress {
    /// Counts a token, within bounds; tells whether the fragments of the pixel data end with it.
    fn count<D>(&mut self, token: &LazyDataToken<D>) -> Result<bool, Error> {
        let malformed = MalformedSnafu {
            position: self.position,
        };
        self.elements += usize::from(begins(token));
        ensure!(self.elements <= MAX_ELEMENTS, malformed);
        match token {
            LazyDataToken::SequenceStart { .. } | LazyDataToken::PixelSequenceStart => {
                let is_pixel_data = matches!(token, LazyDataToken::PixelSequenceStart);
                self.in_fragments |= self.depth == 0 && is_pixel_data;
                self.depth += 1;
                ensure!(self.depth <= MAX_DEPTH, malformed);
                Ok(false)
            }
            LazyDataToken::SequenceEnd => {
                self.depth = self.depth.checked_sub(1).context(malformed)?;
                Ok(self.in_fragments)
            }
            _ => Ok(false),
        }
    }
}

/// Visits the elements at the top with their values, empty for sequences, until `visit` breaks off;
/// gives where it stopped.
fn walk<'a>(
    bytes: &'a [u8],
    syntax: &str,
    mut visit: impl FnMut(Tag, &'a [u8]) -> ControlFlow<()>,
) -> Result<usize, Error> {
    let syntax = TransferSyntaxRegistry
        .get(syntax)
        .context(TransferSyntaxSnafu)?;
    let mut reader = LazyDataSetReader::new_with_ts(std::io::Cursor::new(bytes), syntax)
        .or(MalformedSnafu { position: 0_usize }.fail())?;
    let mut progress = Progress::default();
    while let Some(token) = reader.advance() {
        let position = progress.position;
        let token = token.map_err(|error| cut_short_or_malformed(&error, position))?;
        if progress.count(&token)? {
            return Ok(position + DELIMITER);
        }
        let (tag, length, decoder) = match token {
            LazyDataToken::LazyValue { header, decoder } => {
                let length = header.len.get().unwrap_or(0);
                let is_last = progress.depth == 0 && header.tag == tags::PIXEL_DATA;
                let is_whole = length.is_multiple_of(unit(header.vr));
                ensure!(is_whole || is_last, MalformedSnafu { position });
                (Some(header.tag), length, decoder)
            }
            LazyDataToken::LazyItemValue { len, decoder } => (None, len, decoder),
            _ => continue,
        };
        let start = decoder.position() as usize;
        let value = bytes
            .get(start..)
            .and_then(|rest| rest.get(..length as usize))
            .context(TruncatedSnafu { position })?;
        let flow = match tag {
            Some(tag) if progress.depth == 0 => visit(tag, value),
            _ => ControlFlow::Continue(()),
        };
        decoder
            .skip_bytes(length)
            .or(MalformedSnafu { position }.fail())?;
        progress.position = start + value.len();
        if flow.is_break() {
            return Ok(progress.position);
        }
    }
    let position = progress.position;
    ensure!(progress.depth == 0, TruncatedSnafu { position });
    // Delimiters of sequences may follow the last value.
    Ok(bytes.len())
}

/// The bytes of each number of a value (PS3.5, 6.2). dicom-rs reads whole numbers and goes on where the last
/// one ends, so that after any other length it would take values for headers.
const fn unit(vr: VR) -> u32 {
    match vr {
        VR::OW | VR::SS | VR::US => 2,
        VR::AT | VR::FL | VR::OF | VR::OL | VR::SL | VR::UL => 4,
        VR::FD | VR::OD | VR::OV | VR::SV | VR::UV => 8,
        _ => 1,
    }
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
