//! The page for technicians and physicians.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::limits;

/// The page, and who may see what of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct WebSpec {
    /// The address that is listened on, without encryption, which is a reverse proxy's part. Default: 127.0.0.1, so
    /// that only this machine gets in; another address needs usersSecret. At most 45 characters.
    #[schemars(length(min = 1, max = 45))]
    pub address: String,
    /// The TCP port. Default: 8080. From 1 to 65535.
    #[schemars(range(min = 1, max = 65_535))]
    pub port: u16,
    /// The address under which people open the page, which alerts name. Default: `http://` with address and port. At
    /// most 1024 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::URI))]
    #[schemars(transform = limits::http_url)]
    pub url: Option<String>,
    /// The Secret, or folder below `--secrets`, with a file `users`: a line for each user with name, role and the
    /// SHA-256 of a token, as `attrium station users` writes them. Default: none, and then the page is for this machine
    /// alone. At most 253 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::NAME))]
    #[schemars(transform = limits::object_name)]
    pub users_secret: Option<String>,
}

impl Default for WebSpec {
    fn default() -> Self {
        Self {
            address: "127.0.0.1".to_owned(),
            port: 8080,
            url: None,
            users_secret: None,
        }
    }
}
