//! What a station listens for, and to whom.

use kube::core::Rule;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use crate::limits;

/// A DICOM storage provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Listener {
    /// The AE title that scanners call (PS3.8, 9.3.2). Default: ATTRIUM. At most 16 characters.
    #[serde(default = "default_ae_title")]
    #[schemars(length(min = 1, max = 16))]
    #[schemars(transform = ae_title)]
    pub ae_title: String,
    /// The address that is listened on, such as 127.0.0.1 or `::`. Default: every address of the machine. At most 45
    /// characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 45))]
    #[schemars(transform = address)]
    pub address: Option<String>,
    /// The TCP port. Default: 11112; with TLS 2762 is usual. From 1 to 65535.
    #[serde(default = "default_port")]
    #[schemars(range(min = 1, max = 65_535))]
    pub port: u16,
    /// TLS by BCP 195 (PS3.15, B.9). Default: none, so that everything is sent in the clear.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<ListenerTls>,
    /// Who may send; nobody else gets in. At least 1, at most 256.
    #[schemars(length(min = 1, max = 256))]
    pub senders: Vec<Sender>,
    /// What becomes of objects that are no images of nuclear medicine: Refuse does so when an association is
    /// negotiated, Discard acknowledges them and keeps nothing, for senders that send all of a study or nothing.
    /// Default: Refuse.
    #[serde(default)]
    pub other_objects: OtherObjects,
    /// How much is taken at a time, and how long is waited.
    #[serde(default)]
    pub limits: ListenerLimits,
}

/// Certificates of a listener.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListenerTls {
    /// The Secret, or folder below `--secrets`, with tls.crt and tls.key, and ca.crt for clients' certificates. At most
    /// 253 characters.
    #[schemars(length(min = 1, max = limits::NAME))]
    #[schemars(transform = limits::object_name)]
    pub secret: String,
    /// Whether a sender has to show a certificate that ca.crt has signed: Required, Optional. Default: Required.
    #[serde(default)]
    pub clients: ClientCertificates,
}

/// Whether a client shows a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ClientCertificates {
    /// It has to.
    #[default]
    Required,
    /// It may.
    Optional,
}

/// A scanner, a workstation or an archive that may send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Sender {
    /// The AE title that it calls itself. At most 16 characters.
    #[schemars(length(min = 1, max = 16))]
    #[schemars(transform = ae_title)]
    pub ae_title: String,
    /// The addresses that it sends from: 10.1.2.3, or 10.1.2.0/28 for a range. Default: any. At most 16, of at most 49
    /// characters each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), inner(length(min = 1, max = 49)))]
    #[schemars(transform = networks)]
    pub addresses: Vec<String>,
    /// The SHA-256 of the certificate that it shows: `sha256:` and 64 small hexadecimal digits. Default: any that the
    /// listener's ca.crt has signed. At most 71 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 71, max = 71))]
    #[schemars(transform = limits::digest)]
    pub certificate: Option<String>,
}

/// What becomes of objects that are no images of nuclear medicine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OtherObjects {
    /// They are refused when an association is negotiated.
    #[default]
    Refuse,
    /// They are acknowledged and not kept.
    Discard,
}

/// How much a listener takes at a time, and how long it waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ListenerLimits {
    /// Associations at a time. Default: 128. From 1 to 1024.
    #[schemars(range(min = 1, max = 1024))]
    pub associations: u32,
    /// Associations at a time of one sender. Default: 16. From 1 to 1024.
    #[schemars(range(min = 1, max = 1024))]
    pub per_sender: u32,
    /// The largest object, in MiB. Default: 64. From 1 to 1024.
    #[serde(rename = "objectMiB")]
    #[schemars(range(min = 1, max = 1024))]
    pub object_mib: u32,
    /// How long one PDU may take to arrive, in seconds. Default: 30. From 1 to 3600.
    #[schemars(range(min = 1, max = 3600))]
    pub pdu_seconds: u32,
    /// How long an association may be silent, in seconds. Default: 120. From 1 to 86400.
    #[schemars(range(min = 1, max = 86_400))]
    pub idle_seconds: u32,
}

impl Default for ListenerLimits {
    fn default() -> Self {
        Self {
            associations: 128,
            per_sender: 16,
            object_mib: 64,
            pdu_seconds: 30,
            idle_seconds: 120,
        }
    }
}

fn default_ae_title() -> String {
    "ATTRIUM".to_owned()
}

const fn default_port() -> u16 {
    11112
}

/// An AE title: no control characters, no backslash, not only spaces (PS3.5, 6.2).
pub(super) fn ae_title(schema: &mut Schema) {
    let rule = Rule::new(r"self.matches('^[!-\\[\\]-~]([ -\\[\\]-~]*[!-\\[\\]-~])?$')");
    limits::add(
        schema,
        rule.message(
            "is no AE title: use letters, digits and signs without a backslash, with no space at either end",
        ),
    );
}

const ADDRESS: &str = "[0-9]{1,3}([.][0-9]{1,3}){3}|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*";

fn address(schema: &mut Schema) {
    let rule = Rule::new(format!("self.matches('^({ADDRESS})$')"));
    limits::add(
        schema,
        rule.message("is no address: use one such as 127.0.0.1 or ::"),
    );
}

fn networks(schema: &mut Schema) {
    let rule = Rule::new(format!(
        "self.all(it, it.matches('^({ADDRESS})(/[0-9]{{1,3}})?$'))"
    ));
    limits::add(
        schema,
        rule.message("has one that is no address: use 10.1.2.3, or 10.1.2.0/28 for a range"),
    );
}
