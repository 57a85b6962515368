//! Who did what, written into the audit; a disk that fails there stops the intake, as anywhere in the spool.

use crate::clock;
use crate::shared::Shared;
use attrium_spool::audit::{AuditEvent, AuditRecord, Fact, Name};
use attrium_types::text::causes;

/// A record of now.
pub(crate) fn record(event: AuditEvent, study: Option<u64>, who: Option<&str>) -> AuditRecord {
    AuditRecord {
        time: clock::text(clock::now()),
        event,
        study,
        // Whoever acts is a configured sender, receiver or user: nobody else gets so far.
        who: who.and_then(|name| Name::new(name).ok()),
        detail: Vec::new(),
    }
}

/// The same with a detail.
pub(crate) fn with(mut record: AuditRecord, word: &'static str, fact: Fact) -> AuditRecord {
    record.detail.push((word, fact));
    record
}

impl Shared {
    /// Writes records; what cannot be written is told in the log.
    pub(crate) fn journal(&self, records: &[AuditRecord]) {
        if let Err(error) = self.audit.append_all(records) {
            tracing::error!(
                "The audit lacks {} records: {}",
                records.len(),
                causes(&error)
            );
        }
    }
}
