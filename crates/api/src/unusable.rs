//! How many objects may be of no use, and the counts of those that are.

use std::collections::BTreeMap;

use schemars::{Schema, SchemaGenerator, json_schema};

use attrium_types::Decimal;

/// The share that may be unusable where a manifest does not say.
pub(super) fn default_share() -> Decimal {
    Decimal::literal("0.1")
}

/// Objects by the word for why they cannot be used; there are some thirty words.
pub(super) fn counts_by_reason(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": 64,
        "additionalProperties": { "type": "integer", "format": "int64", "minimum": 0 },
    })
}

/// Adds the counts of another shard.
pub(super) fn add(sum: &mut BTreeMap<String, u64>, other: &BTreeMap<String, u64>) {
    for (what, count) in other {
        *sum.entry(what.clone()).or_default() += count;
    }
}
