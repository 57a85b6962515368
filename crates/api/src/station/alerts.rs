//! Who a station tells, of what.

use kube::core::Rule;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use super::destinations;
use crate::limits;

/// Somebody who is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = one_way)]
pub struct StationAlert {
    /// What the page and the status call it. At most 63 characters.
    #[schemars(length(min = 1, max = 63))]
    #[schemars(transform = limits::object_name)]
    pub name: String,
    /// A web address that is sent a message as JSON, which names no patient. Only an answer from 200 to 299 means that
    /// it has arrived; no redirect is followed. Exactly one of webhook and email. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<StationWebhook>,
    /// Addresses that are sent a mail, which names no patient. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<StationEmail>,
    /// Tells of a positive only where nobody has acknowledged it after so many minutes. Default: at once. From 1 to
    /// 10080.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_080))]
    pub unacknowledged_minutes: Option<u32>,
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

/// Mail by a relay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StationEmail {
    /// The relay's host name and port, such as `smtp.example:587`. At most 260 characters.
    #[schemars(length(min = 3, max = 260))]
    #[schemars(transform = host_and_port)]
    pub relay: String,
    /// StartTls begins in the clear and goes on encrypted or not at all, Tls is encrypted from the start, None is for a
    /// relay on this machine. Default: StartTls.
    #[serde(default)]
    pub encryption: MailEncryption,
    /// The sender's address. At most 254 characters.
    #[schemars(length(min = 3, max = 254))]
    #[schemars(transform = mail_address)]
    pub from: String,
    /// The receivers' addresses. At least 1, at most 16 of 254 characters each.
    #[schemars(length(min = 1, max = 16), inner(length(min = 3, max = 254)))]
    #[schemars(transform = mail_addresses)]
    pub to: Vec<String>,
    /// The Secret, or folder below `--secrets`, whose `username` and `password` the relay is given, and whose `ca.crt` is
    /// trusted beside the usual authorities. Default: none. At most 253 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::NAME))]
    #[schemars(transform = limits::object_name)]
    pub secret: Option<String>,
}

/// How a relay is spoken to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum MailEncryption {
    /// In the clear first, then encrypted, or not at all.
    #[default]
    StartTls,
    /// Encrypted from the start.
    Tls,
    /// In the clear.
    None,
}

fn one_way(schema: &mut Schema) {
    let rule = Rule::new("has(self.webhook) != has(self.email)");
    limits::add(
        schema,
        rule.message("needs exactly one of webhook and email"),
    );
}

fn host_and_port(schema: &mut Schema) {
    let rule = Rule::new("self.matches('^[A-Za-z0-9.-]+:[0-9]{1,5}$')");
    limits::add(
        schema,
        rule.message("is no relay: use a host name and a port, such as smtp.example:587"),
    );
}

const MAIL: &str = "^[^@ ]+@[^@ ]+$";

fn mail_address(schema: &mut Schema) {
    let rule = Rule::new(format!("self.matches('{MAIL}')"));
    limits::add(
        schema,
        rule.message("is no mail address: use one such as nm@hospital.example"),
    );
}

fn mail_addresses(schema: &mut Schema) {
    let rule = Rule::new(format!("self.all(it, it.matches('{MAIL}'))"));
    limits::add(
        schema,
        rule.message("has one that is no mail address: use those such as nm@hospital.example"),
    );
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
