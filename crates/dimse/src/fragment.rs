//! Presentation data values: the fragments that messages travel in (PS3.8, 9.3.5 and annex E).
//!
//! They are read in place: the data of an object is copied by nobody between the socket and its receiver.

use dicom_ul::pdu::UserVariableItem;

use crate::violation::Violation;

/// Length of a PDU's type, reserved byte and length (PS3.8, 9.3.1).
pub(crate) const PDU_HEADER: usize = 6;

/// The type of a P-DATA-TF PDU (PS3.8, 9.3.5).
pub(crate) const P_DATA: u8 = 0x04;

/// Length of a fragment's own length, its context and its message control header (PS3.8, 9.3.5.1).
pub(crate) const FRAGMENT_HEADER: usize = 6;

/// The longest PDU that is sent: longer ones are no faster, and are held in memory.
const LONGEST: usize = 131_072;

/// What a fragment is part of (PS3.8, E.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Command,
    Data,
}

/// One fragment of a message.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fragment<'a> {
    pub context: u8,
    pub part: Part,
    pub is_last: bool,
    pub bytes: &'a [u8],
}

/// The fragments of a P-DATA-TF PDU's variable field; ends after the first that is malformed.
pub(crate) struct Fragments<'a>(pub &'a [u8]);

impl<'a> Iterator for Fragments<'a> {
    type Item = Result<Fragment<'a>, Violation>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let rest = std::mem::take(&mut self.0);
        let Some((fragment, rest)) = first(rest) else {
            return Some(Err(Violation::MalformedPdu));
        };
        self.0 = rest;
        Some(Ok(fragment))
    }
}

/// The first fragment and what comes after it.
fn first(bytes: &[u8]) -> Option<(Fragment<'_>, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (item, rest) = rest.split_at_checked(length)?;
    let (&[context, control], bytes) = item.split_first_chunk()?;
    let part = match control & 1 {
        1 => Part::Command,
        _ => Part::Data,
    };
    let is_last = control & 2 != 0;
    let fragment = Fragment {
        context,
        part,
        is_last,
        bytes,
    };
    Some((fragment, rest))
}

/// Writes a PDU of one fragment over what `pdu` holds.
pub(crate) fn write_pdu_of(fragment: &Fragment<'_>, pdu: &mut Vec<u8>) {
    let length = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX).to_be_bytes();
    let control = u8::from(fragment.part == Part::Command) | u8::from(fragment.is_last) << 1;
    pdu.clear();
    pdu.extend_from_slice(&[P_DATA, 0]);
    pdu.extend_from_slice(&length(fragment.bytes.len() + FRAGMENT_HEADER));
    pdu.extend_from_slice(&length(fragment.bytes.len() + 2));
    pdu.extend_from_slice(&[fragment.context, control]);
    pdu.extend_from_slice(fragment.bytes);
}

/// How many bytes of a message a PDU holds for a peer, by the longest that it takes (PS3.8, D.1): an even number
/// (PS3.8, annex E).
pub(crate) fn room(variables: &[UserVariableItem]) -> usize {
    let length = variables.iter().find_map(|variable| match variable {
        UserVariableItem::MaxLength(length) => Some(*length),
        _ => None,
    });
    let length = match length {
        // It takes any; so does one that does not say.
        None | Some(0) => LONGEST,
        Some(length) => usize::try_from(length).unwrap_or(LONGEST).min(LONGEST),
    };
    // A peer that takes less than a fragment of two bytes takes nothing.
    (length.saturating_sub(FRAGMENT_HEADER) & !1).max(2)
}

/// A message's part in fragments of at most `room` bytes; of an empty one there is one, which is empty.
pub(crate) fn pieces(
    context: u8,
    part: Part,
    bytes: &[u8],
    room: usize,
) -> impl Iterator<Item = Fragment<'_>> {
    let room = room.max(1);
    let count = bytes.len().div_ceil(room).max(1);
    (0..count).map(move |piece| Fragment {
        context,
        part,
        is_last: piece + 1 == count,
        bytes: bytes.chunks(room).nth(piece).unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_peer_of_any_length_gets_pieces_that_fit_its_pdus() {
        let lengths = [0, 16_384, u32::MAX, 4_097, 1];
        let rooms = lengths.map(|length| room(&[UserVariableItem::MaxLength(length)]));
        assert_eq!(rooms, [131_066, 16_378, 131_066, 4_090, 2]);
        assert_eq!(room(&[]), 131_066);
    }

    #[test]
    fn a_fragment_that_claims_more_than_there_is_ends_the_walk() {
        let bytes = [0, 0, 0, 3, 1, 0, 9, 0, 0, 0, 200, 1, 0];
        let walk: Vec<_> = Fragments(&bytes).map(|f| f.map(|f| f.bytes)).collect();
        assert_eq!(walk, [Ok(&[9][..]), Err(Violation::MalformedPdu)]);
    }

    proptest! {
        #[test]
        fn pieces_put_together_are_the_part(bytes in proptest::collection::vec(any::<u8>(), 0..500), room in 1usize..90) {
            let mut joined = Vec::new();
            let mut pdu = Vec::new();
            let mut last = 0;
            for piece in pieces(3, Part::Data, &bytes, room) {
                write_pdu_of(&piece, &mut pdu);
                prop_assert!(pdu.len() <= room + PDU_HEADER + FRAGMENT_HEADER);
                let read: Vec<_> = Fragments(&pdu[PDU_HEADER..]).collect();
                prop_assert!(read == [Ok(piece)]);
                joined.extend_from_slice(piece.bytes);
                last += usize::from(piece.is_last);
            }
            prop_assert_eq!(joined, bytes);
            prop_assert_eq!(last, 1);
        }

        #[test]
        fn no_bytes_make_the_walk_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let taken: usize = Fragments(&bytes).flatten().map(|f| f.bytes.len() + FRAGMENT_HEADER).sum();
            prop_assert!(taken <= bytes.len());
        }
    }
}
