//! Who a station tells, of what.

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use super::destinations;
use crate::limits;

/// Somebody who is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StationAlert {
    /// What the page and the status call it. At most 63 characters.
    #[schemars(length(min = 1, max = 63))]
    #[schemars(transform = limits::object_name)]
    pub name: String,
    /// A web address that is sent a message as JSON, which names no patient. Only an answer from 200 to 299 means that
    /// it has arrived; no redirect is followed.
    pub webhook: StationWebhook,
    /// What is told: Positive, a study is positive; Amended, one that was told of is not; Undelivered, a result could
    /// not be stored. Default: all of them. At least 1.
    #[serde(default = "all")]
    #[schemars(length(min = 1, max = 3))]
    pub on: Vec<AlertEvent>,
}

/// A web address that is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = destinations::encrypted)]
pub struct StationWebhook {
    /// The address, such as `https://hook.example/a`. At most 1024 characters.
    #[schemars(length(min = 1, max = limits::URI))]
    #[schemars(transform = limits::http_url)]
    pub url: String,
    /// The Secret, or folder below `--secrets`, whose `token` is sent as a bearer token and whose `hmac` signs the
    /// message. Default: none. At most 253 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::NAME))]
    #[schemars(transform = limits::object_name)]
    pub secret: Option<String>,
    /// Whether the address may be spoken to without encryption. Default: false.
    #[serde(default)]
    pub allow_http: bool,
}

/// What is told of.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum AlertEvent {
    /// A study is positive.
    Positive,
    /// A study that was told of as positive is not.
    Amended,
    /// A result could not be stored.
    Undelivered,
}

impl AlertEvent {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Positive, Self::Amended, Self::Undelivered];

    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Positive => "Positive",
            Self::Amended => "Amended",
            Self::Undelivered => "Undelivered",
        }
    }
}

fn all() -> Vec<AlertEvent> {
    AlertEvent::ALL.to_vec()
}

/// Messages are kept by these names.
pub(super) fn distinct_names(schema: &mut Schema) {
    destinations::distinct_names(schema);
}
