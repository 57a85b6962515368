//! How the object store is reached.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::limits;

/// How the object store is reached; every URI of the resource uses the same options.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct StorageSpec {
    /// The store's own address, for stores other than the cloud's, such as
    /// `https://minio.hospital.example`. Default: the cloud provider's. At most 1024 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::URI))]
    #[schemars(transform = limits::http_url)]
    pub endpoint: Option<String>,
    /// The region of the bucket, for S3. Default: what the environment says. At most 64 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub region: Option<String>,
    /// The Secret of the same namespace whose keys (such as `AWS_ACCESS_KEY_ID` and
    /// `AWS_SECRET_ACCESS_KEY`) are the pods' credentials. Default: none, so that the pod's own
    /// identity counts. Run locally, the environment's credentials count. At most 253 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::NAME))]
    #[schemars(transform = limits::object_name)]
    pub credentials_secret: Option<String>,
    /// Certificate authorities to trust beside the system's, as PEM in a ConfigMap. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_bundle: Option<CaBundle>,
    /// Whether the endpoint may be spoken to without encryption. Default: false.
    pub allow_http: bool,
}

/// Where a bundle of certificates lies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CaBundle {
    /// The ConfigMap of the same namespace. At most 253 characters.
    #[schemars(length(min = 1, max = limits::NAME))]
    #[schemars(transform = limits::object_name)]
    pub config_map: String,
    /// Its key that holds the certificates as PEM. Default: ca.crt. At most 253 characters.
    #[serde(default = "default_key")]
    #[schemars(length(min = 1, max = limits::NAME))]
    pub key: String,
}

fn default_key() -> String {
    "ca.crt".to_owned()
}
