//! Where a station's results are stored.

use kube::core::Rule;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use super::listener::ae_title;
use crate::limits;

/// An archive that results are stored in: exactly one of dicom and dicomWeb.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = one_way)]
pub struct Destination {
    /// What the page and the status call it. At most 63 characters.
    #[schemars(length(min = 1, max = 63))]
    #[schemars(transform = limits::object_name)]
    pub name: String,
    /// By C-STORE (PS3.4, annex B). Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dicom: Option<DicomDestination>,
    /// By STOW-RS (PS3.18, 10.5). Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dicom_web: Option<DicomWebDestination>,
    /// Of which studies: Positives, All. Default: Positives.
    #[serde(default)]
    pub send: Send,
    /// What of them: Report, a structured report with the region and the probability; Image, a secondary capture of what
    /// was decided on. Default: both. At least 1.
    #[serde(default = "both")]
    #[schemars(length(min = 1, max = 2))]
    pub objects: Vec<ResultObject>,
    /// For how long a delivery is tried before it is given up, in hours. Default: 72. From 1 to 8760.
    #[serde(default = "default_hours")]
    #[schemars(range(min = 1, max = 8760))]
    pub give_up_hours: u32,
}

/// An archive that is spoken to by DICOM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DicomDestination {
    /// The archive's AE title. At most 16 characters.
    #[schemars(length(min = 1, max = 16))]
    #[schemars(transform = ae_title)]
    pub ae_title: String,
    /// Its host name or address. At most 253 characters.
    #[schemars(length(min = 1, max = limits::NAME))]
    pub host: String,
    /// Its port. Default: 104. From 1 to 65535.
    #[serde(default = "default_port")]
    #[schemars(range(min = 1, max = 65_535))]
    pub port: u16,
    /// The AE title that the station calls itself. Default: the listener's. At most 16 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 16))]
    #[schemars(transform = ae_title)]
    pub calling_ae_title: Option<String>,
    /// TLS: the Secret, or folder below `--secrets`, with ca.crt of the archive, and tls.crt and tls.key to show.
    /// Default: none, so that results are sent in the clear. At most 253 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::NAME))]
    #[schemars(transform = limits::object_name)]
    pub tls_secret: Option<String>,
}

/// An archive that is spoken to by DICOMweb.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = encrypted)]
pub struct DicomWebDestination {
    /// The service's address, to which /studies is added, such as `https://vna.example/dicom-web`. At most 1024
    /// characters.
    #[schemars(length(min = 1, max = limits::URI))]
    #[schemars(transform = limits::http_url)]
    pub url: String,
    /// The Secret, or folder below `--secrets`, whose `token` is sent as a bearer token, or whose `username` and
    /// `password` are sent, and whose `ca.crt` is trusted beside the system's authorities. Default: none. At most 253
    /// characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::NAME))]
    #[schemars(transform = limits::object_name)]
    pub secret: Option<String>,
    /// Whether the address may be spoken to without encryption. Default: false.
    #[serde(default)]
    pub allow_http: bool,
}

/// Of which studies results are stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Send {
    /// Of positive ones, and of those that once were.
    #[default]
    Positives,
    /// Of all that were decided on.
    All,
}

/// What is stored of a study.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum ResultObject {
    /// A structured report.
    Report,
    /// A secondary capture.
    Image,
}

impl ResultObject {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Report, Self::Image];
}

fn both() -> Vec<ResultObject> {
    ResultObject::ALL.to_vec()
}

const fn default_hours() -> u32 {
    72
}

const fn default_port() -> u16 {
    104
}

fn one_way(schema: &mut Schema) {
    let rule = Rule::new("has(self.dicom) != has(self.dicomWeb)");
    limits::add(
        schema,
        rule.message("needs exactly one of dicom and dicomWeb"),
    );
}

pub(super) fn encrypted(schema: &mut Schema) {
    let rule = Rule::new("self.allowHttp || self.url.startsWith('https://')");
    limits::add(
        schema,
        rule.message("has a url without encryption: use https://, or set allowHttp"),
    );
}

/// Deliveries are kept by these names.
pub(super) fn distinct_names(schema: &mut Schema) {
    let rule = Rule::new("self.all(it, self.exists_one(other, other.name == it.name))");
    limits::add(
        schema,
        rule.message("has two of one name: give each a name of its own"),
    );
}
