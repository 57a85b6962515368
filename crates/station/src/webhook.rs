//! Messages to web addresses.
//!
//! Only an answer of success means that somebody was told; no redirect is followed, since it may lead to a page that
//! takes anything. A message that is sent again, as after a crash, has the same bytes and the same key.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use reqwest::Client;
use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;
use sha2::{Digest, Sha256};
use snafu::{ResultExt, Snafu};

use crate::delivery::{self, Answer};
use crate::secrets::{SecretError, Secrets};
use attrium_api::StationWebhook;
use attrium_spool::Item;

/// How long an address may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The header by which a receiver knows a message again.
pub const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
/// The header with the HMAC-SHA256 of the body, as `sha256=` and hexadecimal digits.
pub const SIGNATURE: &str = "X-Attrium-Signature";

/// A web address that cannot be used.
#[derive(Debug, Snafu)]
pub enum WebhookError {
    /// Its secret.
    #[snafu(transparent)]
    Secret {
        /// The reason.
        source: SecretError,
    },
    /// The client.
    #[snafu(display("the HTTP client cannot be made"))]
    Client {
        /// The reason.
        source: reqwest::Error,
    },
}

/// A web address that is told.
pub(crate) struct WebhookClient {
    client: Client,
    url: String,
    token: Option<String>,
    key: Option<Vec<u8>>,
}

/// A client that follows no redirect.
pub(crate) fn client(patience: Duration, ca: Option<&[u8]>) -> Result<Client, reqwest::Error> {
    let mut builder = Client::builder()
        .timeout(patience)
        .redirect(Policy::none())
        .user_agent(concat!("attrium/", env!("CARGO_PKG_VERSION")));
    if let Some(ca) = ca {
        builder = builder.tls_certs_merge(reqwest::Certificate::from_pem_bundle(ca)?);
    }
    builder.build()
}

impl WebhookClient {
    /// The client of an address with its secrets.
    ///
    /// # Errors
    /// [`WebhookError`].
    pub(crate) fn new(webhook: &StationWebhook, secrets: &Secrets) -> Result<Self, WebhookError> {
        let secret = secrets.of(webhook.secret.as_deref());
        Ok(Self {
            client: client(PATIENCE, secret.find("ca.crt")?.as_deref()).context(ClientSnafu)?,
            url: webhook.url.clone(),
            token: secret.text("token")?,
            key: secret.text("hmac")?.map(String::into_bytes),
        })
    }

    /// Sends a message; gives what the answer means, and what is written down of it.
    pub(crate) async fn send(&self, station: &str, item: &Item) -> (Answer, Option<String>) {
        let body = item.payload.clone().unwrap_or_default();
        let mut request = self
            .client
            .post(&self.url)
            .header(CONTENT_TYPE, "application/json")
            .header(IDEMPOTENCY_KEY, idempotency_key(station, item));
        if let Some(key) = &self.key {
            request = request.header(SIGNATURE, signature(key, body.as_bytes()));
        }
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        match request.body(body).send().await {
            Ok(response) => {
                let status = response.status().as_u16();
                (
                    delivery::of_http_status(status),
                    Some(format!("HTTP {status}")),
                )
            }
            // An address may hold a key: it is left out.
            Err(error) => {
                let causes = attrium_types::text::causes(&error.without_url());
                (Answer::Transient, Some(causes))
            }
        }
    }

    /// Whether the address can be reached at all; nothing is told to it.
    ///
    /// # Errors
    /// Why not.
    pub(crate) async fn greet(&self) -> Result<(), reqwest::Error> {
        let sent = self.client.head(&self.url).send().await;
        sent.map(drop).map_err(reqwest::Error::without_url)
    }
}

/// The same for every try of a message, and another for every other message.
pub(crate) fn idempotency_key(station: &str, item: &Item) -> String {
    let Item {
        target,
        study,
        revision,
        item,
        ..
    } = item;
    let text = format!("{station}\n{target}\n{study}\n{revision}\n{item}");
    hex::encode(&Sha256::digest(text)[..16])
}

/// What [`SIGNATURE`] says of a body.
fn signature(key: &[u8], body: &[u8]) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key).expect("HMAC should take a key of any length");
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(revision: u32) -> Item {
        Item {
            target: "alert/console".to_owned(),
            study: 7,
            revision,
            item: "Positive".to_owned(),
            payload: None,
        }
    }

    #[test]
    fn a_signature_is_that_of_rfc_4231() {
        // Test case 2.
        let expected = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(
            signature(b"Jefe", b"what do ya want for nothing?"),
            expected
        );
    }

    #[test]
    fn a_message_has_a_key_of_its_own() {
        let key = idempotency_key("bone-scans", &item(1));
        assert_eq!(key, idempotency_key("bone-scans", &item(1)));
        assert_ne!(key, idempotency_key("bone-scans", &item(2)));
        assert_ne!(key, idempotency_key("other", &item(1)));
        assert_eq!(key.len(), 32);
    }
}
