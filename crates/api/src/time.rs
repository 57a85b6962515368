//! The schema of an instant.

use schemars::{Schema, SchemaGenerator, json_schema};

/// An instant as RFC 3339 has it.
pub(super) fn schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "format": "date-time" })
}
