//! Messages by mail.
//!
//! A mail names no patient: the station, the study's number and where its page is. Sent again, as after a crash, it has
//! the same Message-ID.

use std::time::Duration;

use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use serde_json::Value;
use snafu::{OptionExt, ResultExt, Snafu};

use crate::archive::Outcome;
use crate::delivery::Answer;
use crate::secrets::{OptionalSecret, SecretError, Secrets};
use crate::webhook;
use attrium_api::{MailEncryption, StationEmail};
use attrium_spool::Item;
use attrium_types::text::causes;

/// How long a relay may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A relay or an address that cannot be used.
#[derive(Debug, Snafu)]
pub enum EmailError {
    /// Its secret.
    #[snafu(transparent)]
    Secret {
        /// The reason.
        source: SecretError,
    },
    /// The relay.
    #[snafu(display("{relay} is no relay: use a host name and a port, such as smtp.example:587"))]
    Relay {
        /// What stands there.
        relay: String,
    },
    /// The certificates.
    #[snafu(display("the relay cannot be spoken to with encryption"))]
    Tls {
        /// The reason.
        source: lettre::transport::smtp::Error,
    },
    /// An address.
    #[snafu(display("{address} is no mail address"))]
    Address {
        /// What stands there.
        address: String,
        /// The reason.
        source: lettre::address::AddressError,
    },
}

/// Somebody who is sent mail.
pub(crate) struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    to: Vec<Mailbox>,
}

impl Mailer {
    /// The mailer of a manifest's addresses.
    ///
    /// # Errors
    /// [`EmailError`].
    pub(crate) fn new(email: &StationEmail, secrets: &Secrets) -> Result<Self, EmailError> {
        let relay = &email.relay;
        let place = relay.split_once(':').context(RelaySnafu { relay })?;
        let port: u16 = place.1.parse().ok().context(RelaySnafu { relay })?;
        let secret = secrets.of(email.secret.as_deref());
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(place.0)
            .port(port)
            .tls(encryption(email, place.0, secret)?)
            .timeout(Some(PATIENCE));
        if let Some((name, password)) = secret.login()? {
            builder = builder.credentials(Credentials::new(name, password));
        }
        Ok(Self {
            transport: builder.build(),
            from: mailbox(&email.from)?,
            to: email
                .to
                .iter()
                .map(|it| mailbox(it))
                .collect::<Result<_, _>>()?,
        })
    }

    /// Sends a message.
    pub(crate) async fn send(&self, station: &str, item: &Item) -> Outcome {
        let message = match self.message(station, item) {
            Ok(message) => message,
            Err(error) => return (Answer::Permanent, Some(causes(&error))),
        };
        match self.transport.send(message).await {
            Ok(_) => (Answer::Done, Some("taken by the relay".to_owned())),
            Err(error) if error.is_permanent() => (Answer::Permanent, Some(causes(&error))),
            Err(error) => (Answer::Transient, Some(causes(&error))),
        }
    }

    fn message(&self, station: &str, item: &Item) -> Result<Message, lettre::error::Error> {
        let said: Value = item
            .payload
            .as_deref()
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default();
        let key = webhook::idempotency_key(station, item);
        let mut message = Message::builder()
            .from(self.from.clone())
            .message_id(Some(format!("<{key}@attrium>")))
            .subject(subject(station, &said));
        for receiver in &self.to {
            message = message.to(receiver.clone());
        }
        message.body(body(station, &said))
    }

    /// Whether the relay answers; nothing is sent.
    ///
    /// # Errors
    /// Why not, in a sentence.
    pub(crate) async fn greet(&self) -> Result<(), String> {
        match self.transport.test_connection().await {
            Ok(true) => Ok(()),
            Ok(false) => Err("the relay does not answer as one".to_owned()),
            Err(error) => Err(causes(&error)),
        }
    }
}

fn encryption(
    email: &StationEmail,
    host: &str,
    secret: OptionalSecret<'_>,
) -> Result<Tls, EmailError> {
    if email.encryption == MailEncryption::None {
        return Ok(Tls::None);
    }
    let mut parameters = TlsParameters::builder(host.to_owned());
    if let Some(ca) = secret.find("ca.crt")? {
        parameters = parameters.add_root_certificate(Certificate::from_pem(&ca).context(TlsSnafu)?);
    }
    let parameters = parameters.build().context(TlsSnafu)?;
    Ok(match email.encryption {
        MailEncryption::Tls => Tls::Wrapper(parameters),
        MailEncryption::StartTls | MailEncryption::None => Tls::Required(parameters),
    })
}

fn mailbox(address: &str) -> Result<Mailbox, EmailError> {
    let parsed = address.parse().context(AddressSnafu { address })?;
    Ok(Mailbox::new(None, parsed))
}

/// What a message's event is called in a mail.
fn words(said: &Value) -> &'static str {
    match said["event"].as_str() {
        Some("Positive") => "positive",
        Some("Amended") => "not positive any more",
        _ => "a result could not be stored",
    }
}

fn subject(station: &str, said: &Value) -> String {
    let synthetic = if said["synthetic"] == true {
        "[synthetic] "
    } else {
        ""
    };
    format!(
        "{synthetic}{station}: study {} {}",
        said["study"],
        words(said)
    )
}

fn body(station: &str, said: &Value) -> String {
    let mut text = format!("Study {} of {station}: {}.\n", said["study"], words(said));
    if let Some(probability) = said["positiveProbability"].as_f64() {
        let threshold = said["threshold"].as_f64().unwrap_or_default();
        text.push_str(&format!(
            "Probability {probability:.3}, positive from {threshold:.3}.\n"
        ));
    }
    if said["synthetic"] == true {
        text.push_str("The scan is of a phantom, not of a patient.\n");
    }
    if said["syntheticModel"] == true {
        text.push_str(
            "The model was trained on synthetic scans: what it says of a patient means nothing.\n",
        );
    }
    let words = |name: &str| said[name].as_str().unwrap_or_default().to_owned();
    text.push_str(&format!("\n{}\n\n{}.\n", words("page"), words("notice")));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_says_which_study_and_where_and_nothing_else() {
        let said = serde_json::json!({
            "event": "Positive", "study": 7, "positiveProbability": 0.93, "threshold": 0.41, "synthetic": true,
            "syntheticModel": false, "page": "https://attrium.example/studies/7", "notice": "research use only",
        });
        assert_eq!(
            subject("bone-scans", &said),
            "[synthetic] bone-scans: study 7 positive"
        );
        let expected = "Study 7 of bone-scans: positive.\nProbability 0.930, positive from 0.410.\nThe scan is of a \
            phantom, not of a patient.\n\nhttps://attrium.example/studies/7\n\nresearch use only.\n";
        assert_eq!(body("bone-scans", &said), expected);
    }
}
