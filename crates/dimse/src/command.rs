//! Command sets (PS3.7, 6.3.1): the elements of group 0000, in Implicit VR Little Endian.
//!
//! Never: a copy of a value that a command only claims to have, or a panic on any bytes.

use std::collections::BTreeMap;

use crate::uid::{is_uid, trimmed};
use crate::violation::Violation;

/// Command Field (0000,0100) of each message that is sent or taken here (PS3.7, E.1).
pub(crate) mod field {
    pub(crate) const C_STORE: u16 = 0x0001;
    pub(crate) const C_ECHO: u16 = 0x0030;
    pub(crate) const C_CANCEL: u16 = 0x0FFF;
    pub(crate) const N_EVENT_REPORT: u16 = 0x0100;
    pub(crate) const N_ACTION: u16 = 0x0130;
    /// Requests that are refused: C-GET, C-FIND, C-MOVE, N-GET, N-SET, N-CREATE and N-DELETE.
    pub(crate) const OTHERS: [u16; 7] = [0x0010, 0x0020, 0x0021, 0x0110, 0x0120, 0x0140, 0x0150];
    /// What a response has set beside the field of its request.
    pub(crate) const RESPONSE: u16 = 0x8000;
}

/// Element numbers of group 0000 (PS3.7, E.1).
pub(crate) mod element {
    pub(crate) const GROUP_LENGTH: u16 = 0x0000;
    pub(crate) const AFFECTED_SOP_CLASS_UID: u16 = 0x0002;
    pub(crate) const REQUESTED_SOP_CLASS_UID: u16 = 0x0003;
    pub(crate) const COMMAND_FIELD: u16 = 0x0100;
    pub(crate) const MESSAGE_ID: u16 = 0x0110;
    pub(crate) const MESSAGE_ID_BEING_RESPONDED_TO: u16 = 0x0120;
    pub(crate) const PRIORITY: u16 = 0x0700;
    pub(crate) const COMMAND_DATA_SET_TYPE: u16 = 0x0800;
    pub(crate) const STATUS: u16 = 0x0900;
    pub(crate) const AFFECTED_SOP_INSTANCE_UID: u16 = 0x1000;
    pub(crate) const REQUESTED_SOP_INSTANCE_UID: u16 = 0x1001;
    pub(crate) const EVENT_TYPE_ID: u16 = 0x1002;
    pub(crate) const ACTION_TYPE_ID: u16 = 0x1008;
}

/// Command Data Set Type (0000,0800) of a message without a data set; every other value says that one follows.
const NO_DATA_SET: u16 = 0x0101;

/// Command Data Set Type (0000,0800) that is written where a data set follows.
const DATA_SET: u16 = 0x0001;

/// Length of an element's tag and length.
const HEADER: usize = 8;

/// A command: its elements by their numbers, the group's length left out.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct CommandSet {
    elements: BTreeMap<u16, Vec<u8>>,
}

impl CommandSet {
    /// A command with a field and without a data set.
    pub(crate) fn new(field: u16) -> Self {
        Self::default()
            .with_number(element::COMMAND_FIELD, field)
            .with_number(element::COMMAND_DATA_SET_TYPE, NO_DATA_SET)
    }

    /// A response to a request (PS3.7, 9.3 and 10.3), with the identifiers that the request has.
    pub(crate) fn response(request: &Self, status: u16) -> Option<Self> {
        let id = request.number(element::MESSAGE_ID)?;
        let mut response = Self::new(request.field()? | field::RESPONSE)
            .with_number(element::MESSAGE_ID_BEING_RESPONDED_TO, id)
            .with_number(element::STATUS, status);
        if let Some(class) = request.sop_class() {
            response = response.with_text(element::AFFECTED_SOP_CLASS_UID, class);
        }
        if let Some(instance) = request.sop_instance() {
            response = response.with_text(element::AFFECTED_SOP_INSTANCE_UID, instance);
        }
        if let Some(event) = request.number(element::EVENT_TYPE_ID) {
            response = response.with_number(element::EVENT_TYPE_ID, event);
        }
        Some(response)
    }

    /// The same command with a number of 16 bits.
    pub(crate) fn with_number(mut self, element: u16, number: u16) -> Self {
        self.elements.insert(element, number.to_le_bytes().to_vec());
        self
    }

    /// The same command with an identifier, its length made even by a zero (PS3.5, 9.1).
    pub(crate) fn with_text(mut self, element: u16, text: &str) -> Self {
        let mut bytes = text.as_bytes().to_vec();
        bytes.resize(bytes.len().next_multiple_of(2), 0);
        self.elements.insert(element, bytes);
        self
    }

    /// The same command with a data set that follows.
    pub(crate) fn with_data_set(self) -> Self {
        self.with_number(element::COMMAND_DATA_SET_TYPE, DATA_SET)
    }

    /// Reads a command set.
    ///
    /// # Errors
    /// [`Violation::MalformedCommand`] where an element is cut, of another group or there twice.
    pub(crate) fn parse(mut bytes: &[u8]) -> Result<Self, Violation> {
        let mut elements = BTreeMap::new();
        while !bytes.is_empty() {
            let (number, value, rest) = first(bytes).ok_or(Violation::MalformedCommand)?;
            let before = elements.insert(number, value.to_vec());
            if before.is_some() {
                return Err(Violation::MalformedCommand);
            }
            bytes = rest;
        }
        // It says nothing that the fragments do not say, and some senders write it wrong.
        elements.remove(&element::GROUP_LENGTH);
        Ok(Self { elements })
    }

    /// Writes the command set, with the length of its group in front.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut elements = Vec::new();
        for (number, value) in &self.elements {
            write(&mut elements, *number, value);
        }
        let mut bytes = Vec::with_capacity(elements.len() + HEADER + 4);
        let length = u32::try_from(elements.len()).unwrap_or(u32::MAX);
        write(&mut bytes, element::GROUP_LENGTH, &length.to_le_bytes());
        bytes.extend_from_slice(&elements);
        bytes
    }

    /// A number of 16 bits.
    pub(crate) fn number(&self, element: u16) -> Option<u16> {
        let bytes = self.elements.get(&element)?;
        Some(u16::from_le_bytes(*bytes.first_chunk()?))
    }

    /// An identifier, where it is one.
    pub(crate) fn uid(&self, element: u16) -> Option<&str> {
        let text = std::str::from_utf8(self.elements.get(&element)?).ok()?;
        Some(trimmed(text)).filter(|text| is_uid(text))
    }

    /// Command Field (0000,0100).
    pub(crate) fn field(&self) -> Option<u16> {
        self.number(element::COMMAND_FIELD)
    }

    /// Affected or Requested SOP Class UID.
    pub(crate) fn sop_class(&self) -> Option<&str> {
        self.uid(element::AFFECTED_SOP_CLASS_UID)
            .or_else(|| self.uid(element::REQUESTED_SOP_CLASS_UID))
    }

    /// Affected or Requested SOP Instance UID.
    pub(crate) fn sop_instance(&self) -> Option<&str> {
        self.uid(element::AFFECTED_SOP_INSTANCE_UID)
            .or_else(|| self.uid(element::REQUESTED_SOP_INSTANCE_UID))
    }

    /// Whether a data set follows.
    pub(crate) fn announces_data(&self) -> Result<bool, Violation> {
        let kind = self.number(element::COMMAND_DATA_SET_TYPE);
        let kind = kind.ok_or(Violation::MalformedCommand)?;
        Ok(kind != NO_DATA_SET)
    }
}

/// The first element: its number, its value and what comes after.
fn first(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let (header, rest) = bytes.split_first_chunk::<HEADER>()?;
    let [g0, g1, e0, e1, l0, l1, l2, l3] = *header;
    if [g0, g1] != [0, 0] {
        return None;
    }
    let length = usize::try_from(u32::from_le_bytes([l0, l1, l2, l3])).ok()?;
    let (value, rest) = rest.split_at_checked(length)?;
    Some((u16::from_le_bytes([e0, e1]), value, rest))
}

/// Appends an element. Values are written here, or came in a command: their lengths fit.
fn write(bytes: &mut Vec<u8>, number: u16, value: &[u8]) {
    bytes.extend_from_slice(&[0, 0]);
    bytes.extend_from_slice(&number.to_le_bytes());
    let length = u32::try_from(value.len()).unwrap_or(u32::MAX);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(value);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn echo() -> CommandSet {
        CommandSet::new(field::C_ECHO)
            .with_number(element::MESSAGE_ID, 7)
            .with_text(element::AFFECTED_SOP_CLASS_UID, "1.2.840.10008.1.1")
    }

    #[test]
    fn a_command_is_written_as_the_standard_says() {
        let bytes = echo().encode();
        assert_eq!(bytes[..12], [0, 0, 0, 0, 4, 0, 0, 0, 56, 0, 0, 0]);
        assert_eq!(bytes[12..20], [0, 0, 2, 0, 18, 0, 0, 0]);
        assert_eq!(&bytes[20..38], b"1.2.840.10008.1.1\0");
        assert_eq!(bytes[38..48], [0, 0, 0, 1, 2, 0, 0, 0, 0x30, 0]);
        assert_eq!(bytes.len(), 12 + 56);
    }

    #[test]
    fn a_response_has_the_message_id_and_the_identifiers_of_its_request() {
        let response = CommandSet::response(&echo(), 0x0211).unwrap();
        assert_eq!(response.field(), Some(0x8030));
        let id = element::MESSAGE_ID_BEING_RESPONDED_TO;
        assert_eq!(response.number(id), Some(7));
        assert_eq!(response.number(element::STATUS), Some(0x0211));
        assert_eq!(response.sop_class(), Some("1.2.840.10008.1.1"));
        assert_eq!(response.announces_data(), Ok(false));
    }

    #[test]
    fn a_hostile_identifier_is_none() {
        for bad in ["../../etc", "1.2/3", "one", &"1".repeat(65)] {
            let command = echo().with_text(element::AFFECTED_SOP_INSTANCE_UID, bad);
            assert_eq!(command.sop_instance(), None, "{bad}");
        }
    }

    #[test]
    fn an_element_of_another_group_or_there_twice_is_malformed() {
        let mut bytes = echo().encode();
        bytes.extend_from_slice(&[8, 0, 0x18, 0, 0, 0, 0, 0]);
        assert!(CommandSet::parse(&bytes).is_err());
        let mut bytes = echo().encode();
        bytes.extend_from_slice(&[0, 0, 0, 1, 2, 0, 0, 0, 1, 0]);
        assert!(CommandSet::parse(&bytes).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(command) = CommandSet::parse(&bytes) {
                let again = CommandSet::parse(&command.encode()).ok();
                prop_assert!(again == Some(command));
            }
        }

        #[test]
        fn damaged_commands_are_taken_or_refused(at in 0usize..60, byte in any::<u8>(), cut in 0usize..60) {
            let mut bytes = echo().encode();
            bytes[at] = byte;
            bytes.truncate(cut.max(1));
            if let Ok(command) = CommandSet::parse(&bytes) {
                let _ = (command.field(), command.sop_class(), command.announces_data());
                let _ = CommandSet::response(&command, 0);
            }
        }
    }
}
