//! Sends objects (C-STORE, PS3.7 9.3.1).

use std::fmt;

use snafu::{OptionExt, ensure};

use super::Association;
use super::error::{Error, NoContextSnafu, NotSendableSnafu};
use crate::command::{CommandSet, element, field};
use crate::uid::{Hidden, is_uid};

/// Priority (0000,0700) of a request: medium (PS3.7, E.1).
const MEDIUM: u16 = 0;

/// An object to send, as it is.
#[derive(Clone, Copy)]
pub struct ObjectToStore<'a> {
    /// Its SOP Class UID.
    pub sop_class_uid: &'a str,
    /// Its SOP Instance UID.
    pub sop_instance_uid: &'a str,
    /// The transfer syntax of its data set, which is the one that it is sent in.
    pub transfer_syntax_uid: &'a str,
    /// Its data set, without file meta information.
    pub data_set: &'a [u8],
}

impl fmt::Debug for ObjectToStore<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectToStore")
            .field("sop_class_uid", &self.sop_class_uid)
            .field("sop_instance_uid", &Hidden)
            .field("transfer_syntax_uid", &self.transfer_syntax_uid)
            .field("data_set", &self.data_set.len())
            .finish()
    }
}

impl Association {
    /// Sends an object; gives the status that the peer answers (PS3.4, B.2.3): 0000, or a warning or a failure.
    ///
    /// # Errors
    /// [`Error::NoContext`] where the peer did not accept its SOP class in its transfer syntax,
    /// [`Error::NotSendable`] where it has no valid identifier or no data, and what becomes of connections: then
    /// nothing is known of the object.
    pub async fn store(&mut self, object: &ObjectToStore<'_>) -> Result<u16, Error> {
        let reason = "its instance has no valid identifier";
        ensure!(is_uid(object.sop_instance_uid), NotSendableSnafu { reason });
        let reason = "its data set is empty";
        ensure!(!object.data_set.is_empty(), NotSendableSnafu { reason });
        let context = self.contexts.iter().find(|context| {
            context.abstract_syntax == object.sop_class_uid
                && context.transfer_syntax == object.transfer_syntax_uid
        });
        let context = context.context(NoContextSnafu)?.id;
        let request = CommandSet::new(field::C_STORE)
            .with_text(element::AFFECTED_SOP_CLASS_UID, object.sop_class_uid)
            .with_text(element::AFFECTED_SOP_INSTANCE_UID, object.sop_instance_uid)
            .with_number(element::PRIORITY, MEDIUM);
        self.call(context, request, Some(object.data_set)).await
    }
}
