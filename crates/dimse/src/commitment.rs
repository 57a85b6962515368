//! Storage commitment (PS3.4, annex J): what is asked, and what is reported.
//!
//! Reports come from peers. They are read without descending: no nesting costs a stack.

use std::fmt;

use crate::uid::{Hidden, is_uid, trimmed};

/// The tags that a request and a report have (PS3.4, J.3.2 and J.3.3).
mod tag {
    pub(super) const SOP_CLASS: u32 = 0x0008_1150;
    pub(super) const SOP_INSTANCE: u32 = 0x0008_1155;
    pub(super) const TRANSACTION: u32 = 0x0008_1195;
    pub(super) const FAILURE_REASON: u32 = 0x0008_1197;
    pub(super) const FAILED_SEQUENCE: u32 = 0x0008_1198;
    pub(super) const REFERENCED_SEQUENCE: u32 = 0x0008_1199;
    pub(super) const ITEM: u32 = 0xFFFE_E000;
    /// The group of items and of what ends them, which have no value representation.
    pub(super) const ITEM_GROUP: u32 = 0xFFFE;
}

/// A length that is not stated (PS3.5, 7.5).
const UNDEFINED: u32 = u32::MAX;

/// Event Type ID (0000,1002): everything is committed, or something is not (PS3.4, J.3.3.1).
const COMPLETE: u16 = 1;
const FAILURES_EXIST: u16 = 2;

/// The longest report that is read: some ten thousand instances.
pub(crate) const LONGEST_REPORT: usize = 4 << 20;

/// What became of a request for storage commitment.
#[derive(Clone, PartialEq, Eq)]
pub struct CommitmentReport {
    /// Transaction UID (0008,1195) of the request.
    pub transaction_uid: String,
    /// SOP class and SOP instance of what the peer will keep.
    pub committed: Vec<(String, String)>,
    /// What it will not.
    pub failed: Vec<FailedInstance>,
}

/// An object that a peer does not commit itself to.
#[derive(Clone, PartialEq, Eq)]
pub struct FailedInstance {
    /// Referenced SOP Class UID (0008,1150).
    pub sop_class_uid: String,
    /// Referenced SOP Instance UID (0008,1155).
    pub sop_instance_uid: String,
    /// Failure Reason (0008,1197), PS3.3 C.14.1.1; 0 where none is given.
    pub reason: u16,
}

impl fmt::Debug for CommitmentReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CommitmentReport")
            .field("transaction_uid", &Hidden)
            .field("committed", &self.committed.len())
            .field("failed", &self.failed)
            .finish()
    }
}

impl fmt::Debug for FailedInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FailedInstance")
            .field("sop_class_uid", &self.sop_class_uid)
            .field("sop_instance_uid", &Hidden)
            .field("reason", &format_args!("{:#06x}", self.reason))
            .finish()
    }
}

/// Which sequence an item is in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum List {
    Referenced,
    Failed,
}

/// An item as far as it was read.
#[derive(Default)]
struct Item {
    class: Option<String>,
    instance: Option<String>,
    reason: u16,
}

impl CommitmentReport {
    /// Reads the data set of an N-EVENT-REPORT request (PS3.4, J.3.3.1); none where it is cut, contradicts its event
    /// type, or names something by no valid identifier.
    pub(crate) fn parse(event_type: u16, bytes: &[u8], is_explicit: bool) -> Option<Self> {
        let mut transaction = None;
        let (mut committed, mut failed) = (Vec::new(), Vec::new());
        let mut open: Option<(List, Option<Item>)> = None;
        let mut elements = Elements { bytes, is_explicit };
        while !elements.bytes.is_empty() {
            let (tag, value) = elements.next()?;
            match (tag, &mut open) {
                (tag::TRANSACTION, _) => transaction = Some(uid(value)?),
                (tag::REFERENCED_SEQUENCE | tag::FAILED_SEQUENCE, _) => {
                    close(open.take(), &mut committed, &mut failed)?;
                    let is_failed = tag == tag::FAILED_SEQUENCE;
                    let list = [List::Referenced, List::Failed][usize::from(is_failed)];
                    open = Some((list, None));
                }
                (tag::ITEM, Some((list, _))) => {
                    let list = *list;
                    close(open.take(), &mut committed, &mut failed)?;
                    open = Some((list, Some(Item::default())));
                }
                (tag::SOP_CLASS, Some((_, Some(item)))) => item.class = Some(uid(value)?),
                (tag::SOP_INSTANCE, Some((_, Some(item)))) => item.instance = Some(uid(value)?),
                (tag::FAILURE_REASON, Some((_, Some(item)))) => {
                    item.reason = u16::from_le_bytes(*value.first_chunk()?);
                }
                _ => {}
            }
        }
        close(open, &mut committed, &mut failed)?;
        let is_consistent = match event_type {
            COMPLETE => failed.is_empty(),
            FAILURES_EXIST => !failed.is_empty(),
            _ => false,
        };
        is_consistent.then_some(Self {
            transaction_uid: transaction?,
            committed,
            failed,
        })
    }
}

/// Keeps an item that has ended; none where it does not say what it is of.
fn close(
    open: Option<(List, Option<Item>)>,
    committed: &mut Vec<(String, String)>,
    failed: &mut Vec<FailedInstance>,
) -> Option<()> {
    let Some((list, Some(item))) = open else {
        return Some(());
    };
    let (class, instance) = (item.class?, item.instance?);
    match list {
        List::Referenced => committed.push((class, instance)),
        List::Failed => failed.push(FailedInstance {
            sop_class_uid: class,
            sop_instance_uid: instance,
            reason: item.reason,
        }),
    }
    Some(())
}

/// An identifier, where the value is one.
fn uid(value: &[u8]) -> Option<String> {
    let text = trimmed(std::str::from_utf8(value).ok()?);
    is_uid(text).then(|| text.to_owned())
}

/// The elements of a data set, those of items among them.
struct Elements<'a> {
    bytes: &'a [u8],
    is_explicit: bool,
}

impl<'a> Elements<'a> {
    /// The next element. A sequence and an item have no value: what is in them comes next.
    fn next(&mut self) -> Option<(u32, &'a [u8])> {
        let (&[g0, g1, e0, e1, a, b, c, d], rest) = self.bytes.split_first_chunk()?;
        let group = u32::from(u16::from_le_bytes([g0, g1]));
        let tag = group << 16 | u32::from(u16::from_le_bytes([e0, e1]));
        let is_plain = !self.is_explicit || group == tag::ITEM_GROUP;
        let (length, rest) = match [a, b] {
            _ if is_plain => (u32::from_le_bytes([a, b, c, d]), rest),
            // Those with a length of 32 bits (PS3.5, 7.1.2).
            vr if b"OB OD OF OL OV OW SQ SV UC UN UR UT UV"
                .split(|byte| *byte == b' ')
                .any(|long| long == vr) =>
            {
                let (length, rest) = rest.split_first_chunk()?;
                (u32::from_le_bytes(*length), rest)
            }
            _ => (u32::from(u16::from_le_bytes([c, d])), rest),
        };
        let is_open = matches!(tag, tag::REFERENCED_SEQUENCE | tag::FAILED_SEQUENCE)
            || group == tag::ITEM_GROUP
            || length == UNDEFINED;
        let length = if is_open { 0 } else { length };
        let (value, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
        self.bytes = rest;
        Some((tag, value))
    }
}

/// The data set of an N-ACTION request for storage commitment (PS3.4, J.3.2.1).
pub(crate) fn request(transaction: &str, instances: &[(&str, &str)], is_explicit: bool) -> Vec<u8> {
    let mut items = Vec::new();
    for (class, instance) in instances {
        let mut item = Vec::new();
        write_uid(&mut item, tag::SOP_CLASS, class, is_explicit);
        write_uid(&mut item, tag::SOP_INSTANCE, instance, is_explicit);
        write_tag(&mut items, tag::ITEM);
        items.extend_from_slice(&length(item.len()));
        items.extend_from_slice(&item);
    }
    let mut bytes = Vec::new();
    write_uid(&mut bytes, tag::TRANSACTION, transaction, is_explicit);
    write_tag(&mut bytes, tag::REFERENCED_SEQUENCE);
    if is_explicit {
        bytes.extend_from_slice(b"SQ\0\0");
    }
    bytes.extend_from_slice(&length(items.len()));
    bytes.extend_from_slice(&items);
    bytes
}

/// A length of 32 bits.
fn length(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes).unwrap_or(UNDEFINED).to_le_bytes()
}

fn write_tag(bytes: &mut Vec<u8>, tag: u32) {
    let [e0, e1, g0, g1] = tag.to_le_bytes();
    bytes.extend_from_slice(&[g0, g1, e0, e1]);
}

/// Appends an identifier of at most 64 bytes.
fn write_uid(bytes: &mut Vec<u8>, tag: u32, uid: &str, is_explicit: bool) {
    let even = uid.len().next_multiple_of(2);
    write_tag(bytes, tag);
    let [l0, l1, l2, l3] = length(even);
    match is_explicit {
        true => bytes.extend_from_slice(&[b'U', b'I', l0, l1]),
        false => bytes.extend_from_slice(&[l0, l1, l2, l3]),
    }
    bytes.extend_from_slice(uid.as_bytes());
    bytes.resize(bytes.len() + even - uid.len(), 0);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const INSTANCES: [(&str, &str); 2] = [("1.2.3", "2.25.1"), ("1.2.34", "2.25.22")];

    #[test]
    fn what_is_asked_reads_as_a_report_in_both_encodings() {
        for is_explicit in [false, true] {
            let bytes = request("2.25.9", &INSTANCES, is_explicit);
            let report = CommitmentReport::parse(COMPLETE, &bytes, is_explicit).unwrap();
            assert_eq!(report.transaction_uid, "2.25.9");
            let committed = INSTANCES.map(|(class, instance)| (class.into(), instance.into()));
            assert_eq!(report.committed, committed);
            assert!(report.failed.is_empty());
            assert!(!format!("{report:?}").contains("2.25."));
        }
    }

    #[test]
    fn failures_are_read_from_sequences_of_undefined_length() {
        let mut bytes = request("2.25.9", &INSTANCES[..1], true);
        write_tag(&mut bytes, tag::FAILED_SEQUENCE);
        bytes.extend_from_slice(b"SQ\0\0\xFF\xFF\xFF\xFF");
        write_tag(&mut bytes, tag::ITEM);
        bytes.extend_from_slice(&UNDEFINED.to_le_bytes());
        write_uid(&mut bytes, tag::SOP_CLASS, "1.2.34", true);
        write_uid(&mut bytes, tag::SOP_INSTANCE, "2.25.22", true);
        write_tag(&mut bytes, tag::FAILURE_REASON);
        bytes.extend_from_slice(b"US\x02\0\x12\x01");
        for end in [0xFFFE_E00D, 0xFFFE_E0DD] {
            write_tag(&mut bytes, end);
            bytes.extend_from_slice(&[0; 4]);
        }
        let report = CommitmentReport::parse(FAILURES_EXIST, &bytes, true).unwrap();
        assert_eq!(report.committed.len(), 1);
        assert_eq!(report.failed[0].reason, 0x0112);
        assert_eq!(report.failed[0].sop_instance_uid, "2.25.22");
        assert_eq!(CommitmentReport::parse(COMPLETE, &bytes, true), None);
    }

    #[test]
    fn a_report_that_is_cut_or_names_no_transaction_is_none() {
        let bytes = request("2.25.9", &INSTANCES, false);
        assert_eq!(CommitmentReport::parse(COMPLETE, &bytes[..40], false), None);
        let bytes = request("../x", &INSTANCES, false);
        assert_eq!(CommitmentReport::parse(COMPLETE, &bytes, false), None);
        assert_eq!(CommitmentReport::parse(COMPLETE, &[], false), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), is_explicit: bool) {
            let _ = CommitmentReport::parse(COMPLETE, &bytes, is_explicit);
        }
    }
}
