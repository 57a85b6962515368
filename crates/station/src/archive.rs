//! Archives that results are stored in: by C-STORE, and by STOW-RS.
//!
//! What has arrived is what the archive has said that it has: a connection that was closed in order is no success, and
//! an item that failed outweighs an HTTP status of success.

use std::time::Duration;

use reqwest::Client;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use serde_json::Value;
use snafu::{ResultExt, Snafu};

use crate::delivery::{self, Answer};
use crate::secrets::{SecretError, Secrets};
use crate::webhook;
use attrium_api::{DicomDestination, DicomWebDestination};
use attrium_dimse as dimse;
use attrium_dimse::{DestinationDeadlines, NotSendable, StoredFile, VERIFICATION};
use attrium_types::text::causes;

/// How long an archive may take to answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Comprehensive 3D SR Storage (PS3.4, B.5).
const REPORT_CLASS: &str = "1.2.840.10008.5.1.4.1.1.88.34";
/// Secondary Capture Image Storage.
const IMAGE_CLASS: &str = "1.2.840.10008.5.1.4.1.1.7";
/// Explicit VR Little Endian, as results are written.
const EXPLICIT: &str = "1.2.840.10008.1.2.1";

/// An archive that cannot be spoken to as the manifest says.
#[derive(Debug, Snafu)]
pub enum ArchiveError {
    /// Its secret.
    #[snafu(transparent)]
    Secret {
        /// The reason.
        source: SecretError,
    },
    /// Its certificates.
    #[snafu(display("the certificates of the secret {secret} cannot be used"))]
    Certificates {
        /// The secret's name.
        secret: String,
        /// The reason.
        source: dimse::tls::Error,
    },
    /// The client.
    #[snafu(display("the HTTP client cannot be made"))]
    Client {
        /// The reason.
        source: reqwest::Error,
    },
}

/// An archive.
pub(crate) enum Archive {
    Dicom(Box<dimse::Destination>),
    DicomWeb(DicomWeb),
}

/// An archive that is spoken to by DICOMweb.
pub(crate) struct DicomWeb {
    client: Client,
    url: String,
    token: Option<String>,
    login: Option<(String, String)>,
}

/// What came of a try, and what is written down of it.
pub(crate) type Outcome = (Answer, Option<String>);

impl Archive {
    /// An archive that is spoken to by DICOM.
    ///
    /// # Errors
    /// [`ArchiveError`].
    pub(crate) fn dicom(
        destination: &DicomDestination,
        own_ae_title: &str,
        secrets: &Secrets,
    ) -> Result<Self, ArchiveError> {
        let tls = match &destination.tls_secret {
            None => None,
            Some(secret) => {
                let ca = secrets.file(secret, "ca.crt")?;
                let certificate = secrets.find(secret, "tls.crt")?;
                let key = secrets.find(secret, "tls.key")?;
                let identity = |(certificate_chain, key)| dimse::tls::Identity {
                    certificate_chain,
                    key,
                };
                let own = certificate.as_deref().zip(key.as_deref());
                let tls = dimse::tls::client(&ca, own.map(identity));
                Some(tls.context(CertificatesSnafu { secret })?)
            }
        };
        let calling = destination.calling_ae_title.as_deref();
        Ok(Self::Dicom(Box::new(dimse::Destination {
            host: destination.host.clone(),
            port: destination.port,
            called_ae_title: destination.ae_title.clone(),
            calling_ae_title: calling.unwrap_or(own_ae_title).to_owned(),
            tls,
            deadlines: DestinationDeadlines::default(),
        })))
    }

    /// An archive that is spoken to by DICOMweb.
    ///
    /// # Errors
    /// [`ArchiveError`].
    pub(crate) fn dicom_web(
        destination: &DicomWebDestination,
        secrets: &Secrets,
    ) -> Result<Self, ArchiveError> {
        let secret = secrets.of(destination.secret.as_deref());
        let client = webhook::client(PATIENCE, secret.find("ca.crt")?.as_deref());
        Ok(Self::DicomWeb(DicomWeb {
            client: client.context(ClientSnafu)?,
            url: format!("{}/studies", destination.url.trim_end_matches('/')),
            token: secret.text("token")?,
            login: secret.login()?,
        }))
    }

    /// Stores results, in their order; what one costs is not what the next one costs.
    pub(crate) async fn store(&self, results: &[Vec<u8>]) -> Vec<Outcome> {
        match self {
            Self::Dicom(destination) => store_dicom(destination, results).await,
            Self::DicomWeb(service) => {
                let mut outcomes = Vec::new();
                for result in results {
                    outcomes.push(service.store(result).await);
                }
                outcomes
            }
        }
    }

    /// Whether the archive answers and takes both kinds of results; nothing is stored.
    ///
    /// # Errors
    /// Why not, in a sentence.
    pub(crate) async fn greet(&self) -> Result<(), String> {
        match self {
            Self::Dicom(destination) => greet(destination).await,
            Self::DicomWeb(service) => {
                let sent =
                    service.authorized(service.client.get(&service.url).query(&[("limit", "0")]));
                match sent.send().await {
                    Ok(response) if matches!(response.status().as_u16(), 401 | 403) => {
                        Err(format!("it answered {}", response.status()))
                    }
                    Ok(_) => Ok(()),
                    Err(error) => Err(causes(&error.without_url())),
                }
            }
        }
    }
}

const CONTEXTS: [(&str, &[&str]); 3] = [
    (REPORT_CLASS, &[EXPLICIT]),
    (IMAGE_CLASS, &[EXPLICIT]),
    (VERIFICATION, &[EXPLICIT]),
];

/// Stores results over one association.
async fn store_dicom(destination: &dimse::Destination, results: &[Vec<u8>]) -> Vec<Outcome> {
    let mut association = match dimse::Association::request(destination, &CONTEXTS).await {
        Ok(association) => association,
        Err(error) => return vec![outcome(&error); results.len()],
    };
    let mut outcomes = Vec::new();
    for result in results {
        match store_one(&mut association, result).await {
            Ok(status) => {
                let said = Some(format!("status {status:04X}"));
                outcomes.push((delivery::of_store_status(status), said));
            }
            Err(error) if error.is_of_object() => outcomes.push(outcome(&error)),
            Err(error) => {
                // The association is gone: the rest was not sent.
                outcomes.resize(results.len(), outcome(&error));
                return outcomes;
            }
        }
    }
    // Every result has its answer, so that nothing hangs on how the peer parts.
    let _ = association.release().await;
    outcomes
}

async fn store_one(
    association: &mut dimse::Association,
    result: &[u8],
) -> Result<u16, dimse::Error> {
    let file = StoredFile::read(result).map_err(|error| not_sendable(&error))?;
    association.store(&file.object(result)).await
}

fn not_sendable(_: &NotSendable) -> dimse::Error {
    dimse::Error::NotSendable {
        reason: "it is no DICOM file",
    }
}

fn outcome(error: &dimse::Error) -> Outcome {
    let answer = if error.is_transient() {
        Answer::Transient
    } else {
        Answer::Permanent
    };
    (answer, Some(causes(error)))
}

async fn greet(destination: &dimse::Destination) -> Result<(), String> {
    let association = dimse::Association::request(destination, &CONTEXTS).await;
    let mut association = association.map_err(|error| causes(&error))?;
    for (class, name) in [
        (REPORT_CLASS, "Comprehensive 3D SR"),
        (IMAGE_CLASS, "Secondary Capture"),
    ] {
        if !association.accepts(class, EXPLICIT) {
            return Err(format!("it does not take {name}"));
        }
    }
    match association.echo().await {
        Ok(0) => {}
        Ok(status) => return Err(format!("it answered C-ECHO with status {status:04X}")),
        Err(error) => return Err(causes(&error)),
    }
    association.release().await.map_err(|error| causes(&error))
}

/// What parts the parts of a request; no result holds it, since the text is random but for its name.
const BOUNDARY: &str = "attrium-5f1d0c5b1a7e4bb69b0cf3b1f4d2a7e8";

impl DicomWeb {
    /// Stores an object (PS3.18, 10.5).
    async fn store(&self, result: &[u8]) -> Outcome {
        let content = format!("multipart/related; type=\"application/dicom\"; boundary={BOUNDARY}");
        let request = self
            .client
            .post(&self.url)
            .header(CONTENT_TYPE, content)
            .header(ACCEPT, "application/dicom+json")
            .body(multipart(result));
        match self.authorized(request).send().await {
            Ok(response) => judge(response).await,
            Err(error) => (Answer::Transient, Some(causes(&error.without_url()))),
        }
    }

    fn authorized(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        match (&self.token, &self.login) {
            (Some(token), _) => request.bearer_auth(token),
            (None, Some((name, password))) => request.basic_auth(name, Some(password)),
            (None, None) => request,
        }
    }
}

fn multipart(result: &[u8]) -> Vec<u8> {
    let head = format!("--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n");
    let tail = format!("\r\n--{BOUNDARY}--\r\n");
    [head.as_bytes(), result, tail.as_bytes()].concat()
}

/// What an answer means: one of success has to name what was stored, and 409 says why it was not.
async fn judge(response: reqwest::Response) -> Outcome {
    let status = response.status().as_u16();
    let class = delivery::of_http_status(status);
    let body = response.bytes().await.unwrap_or_default();
    let said = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let said = Stored::read(&said);
    let answer = match (class, &said) {
        (Answer::Done, Some(Stored::Yes)) => Answer::Done,
        (Answer::Done | Answer::Permanent, Some(Stored::No(reason))) => {
            delivery::of_store_status(*reason)
        }
        // An archive that answers in another form than asked for has still answered for one object.
        (class, _) => class,
    };
    let detail = match said {
        Some(Stored::No(reason)) => format!("HTTP {status}, reason {reason:04X}"),
        _ => format!("HTTP {status}"),
    };
    (answer, Some(detail))
}

/// What an archive says of the object (PS3.18, table 6.6.1-4 and I.2).
enum Stored {
    Yes,
    /// With its Failure Reason (0008,1197).
    No(u16),
}

impl Stored {
    fn read(said: &Value) -> Option<Self> {
        let item = |tag: &str| {
            let value = &said[tag]["Value"][0];
            value.is_object().then(|| value.clone())
        };
        // Failed SOP Sequence (0008,1198), and Referenced SOP Sequence (0008,1199).
        if let Some(failed) = item("00081198") {
            let reason = failed["00081197"]["Value"][0].as_u64();
            let reason = reason.and_then(|reason| u16::try_from(reason).ok());
            return Some(Self::No(reason.unwrap_or(0x0110)));
        }
        item("00081199").map(|_| Self::Yes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_holds_the_bytes_as_they_are() {
        let body = multipart(b"\r\n--\0");
        let text = String::from_utf8_lossy(&body);
        assert!(
            text.contains("application/dicom\r\n\r\n\r\n--\0\r\n--attrium-"),
            "{text:?}"
        );
        assert!(text.ends_with("--\r\n"), "{text:?}");
    }

    #[test]
    fn a_failed_item_outweighs_a_status_of_success() {
        let failed = serde_json::json!({
            "00081198": { "vr": "SQ", "Value": [{ "00081197": { "vr": "US", "Value": [42752] } }] },
        });
        assert!(matches!(Stored::read(&failed), Some(Stored::No(0xA700))));
        let stored = serde_json::json!({ "00081199": { "vr": "SQ", "Value": [{}] } });
        assert!(matches!(Stored::read(&stored), Some(Stored::Yes)));
        assert!(Stored::read(&Value::Null).is_none());
    }
}
