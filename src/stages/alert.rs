//! Tells a web address of a screening's positives: counts and where the report is, nothing about a
//! patient.
//!
//! It is told before the task's marker is written, so that a killed task tells it again rather
//! than never: who listens may hear of the same screening twice, and knows it by its uid.

use std::fmt;
use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Certificate, Client, StatusCode};
use serde::Serialize;
use snafu::{ResultExt, Snafu};
use tokio::runtime::Builder;

use super::{Summary, TaskError};
use crate::api::{API_VERSION, ScreeningJob, ScreeningStatus, Webhook};

/// How long a web address may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Who sends alerts, and as whom.
#[derive(Clone, Default)]
pub struct Alerts {
    /// What is sent as the bearer token.
    pub token: Option<String>,
}

impl fmt::Debug for Alerts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alerts").finish_non_exhaustive()
    }
}

/// What is sent, as JSON.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Message<'a> {
    api_version: &'static str,
    kind: &'static str,
    namespace: &'a str,
    name: &'a str,
    uid: &'a str,
    screening: &'a ScreeningStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<&'a str>,
    notice: &'static str,
}

/// Why an alert was not sent.
#[derive(Debug, Snafu)]
enum Error {
    #[snafu(display("the CA bundle cannot be used: it has to be PEM"))]
    CaBundle { source: reqwest::Error },
    #[snafu(display("the client of alert.webhook cannot be started"))]
    Start { source: std::io::Error },
    #[snafu(display("the alert cannot be written as JSON"))]
    Message { source: serde_json::Error },
    #[snafu(display(
        "alert.webhook cannot be reached: check its url and the network; the results are in the store"
    ))]
    Send { source: reqwest::Error },
    #[snafu(display(
        "alert.webhook answered {status}: check its url and the token in its secret; the results are \
         in the store"
    ))]
    Refused { status: StatusCode },
}

impl From<Error> for TaskError {
    /// Another try is of no use where the address itself says that the request is wrong.
    fn from(error: Error) -> Self {
        match &error {
            Error::CaBundle { .. } => Self::configuration(error),
            Error::Refused { status } if status.is_client_error() && !is_temporary(*status) => {
                Self::configuration(error)
            }
            _ => Self::other(error),
        }
    }
}

fn is_temporary(status: StatusCode) -> bool {
    status == StatusCode::REQUEST_TIMEOUT || status == StatusCode::TOO_MANY_REQUESTS
}

impl Alerts {
    /// Tells of a screening that has positives, if somebody is to be told.
    pub(super) fn send(
        &self,
        job: &ScreeningJob,
        summary: &Summary,
        ca_bundle: Option<&[u8]>,
    ) -> Result<(), TaskError> {
        let (Some(alert), Some(counts)) = (&job.spec.alert, &summary.screening) else {
            return Ok(());
        };
        if counts.positive == 0 {
            return Ok(());
        }
        let metadata = &job.metadata;
        let message = Message {
            api_version: API_VERSION,
            kind: "ScreeningJob",
            namespace: metadata.namespace.as_deref().unwrap_or("default"),
            name: metadata.name.as_deref().unwrap_or_default(),
            uid: metadata.uid.as_deref().unwrap_or_default(),
            screening: counts,
            report: summary.report.as_deref(),
            notice: "research use only: a physician confirms every positive",
        };
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.context(StartSnafu)?;
        Ok(runtime.block_on(self.post(&alert.webhook, &message, ca_bundle))?)
    }

    async fn post(
        &self,
        webhook: &Webhook,
        message: &Message<'_>,
        ca_bundle: Option<&[u8]>,
    ) -> Result<(), Error> {
        let mut client = Client::builder()
            .timeout(PATIENCE)
            .user_agent(concat!("attrium/", env!("CARGO_PKG_VERSION")));
        if let Some(ca_bundle) = ca_bundle {
            let certificates = Certificate::from_pem_bundle(ca_bundle).context(CaBundleSnafu)?;
            client = client.tls_certs_merge(certificates);
        }
        let client = client.build().context(CaBundleSnafu)?;
        let body = serde_json::to_vec(message).context(MessageSnafu)?;
        let mut request = client
            .post(&webhook.url)
            .header(CONTENT_TYPE, "application/json")
            .body(body);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        // The address may hold a key.
        let sent = request.send().await.map_err(reqwest::Error::without_url);
        let status = sent.context(SendSnafu)?.status();
        if status.is_success() {
            Ok(())
        } else {
            RefusedSnafu { status }.fail()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::thread::{self, JoinHandle};

    use super::*;
    use crate::api::Alert;
    use crate::workflow::fixtures;

    /// A server that answers one request; its thread returns what it was sent.
    fn server(answer: &'static str) -> (String, JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook?key=secret", listener.local_addr().unwrap());
        let heard = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            let mut buffer = [0; 4096];
            while !request.ends_with(b"}") {
                let read = stream.read(&mut buffer).unwrap();
                assert!(read > 0, "the request should end in a JSON object");
                request.extend_from_slice(&buffer[..read]);
            }
            let head = "content-length: 0\r\nconnection: close";
            write!(stream, "HTTP/1.1 {answer}\r\n{head}\r\n\r\n").unwrap();
            String::from_utf8(request).unwrap()
        });
        (url, heard)
    }

    fn job(url: &str) -> ScreeningJob {
        let mut job = fixtures::screening_job();
        job.metadata.uid = Some("some-uid".to_owned());
        job.spec.alert = Some(Alert {
            webhook: Webhook {
                url: url.to_owned(),
                secret: None,
            },
        });
        job
    }

    fn summary(positive: u64) -> Summary {
        Summary {
            report: Some("s3://results/report/index.html".to_owned()),
            screening: Some(ScreeningStatus {
                objects: 9,
                screened: 8,
                positive,
                ..ScreeningStatus::default()
            }),
            ..Summary::default()
        }
    }

    #[test]
    fn counts_and_the_report_are_sent_with_the_token() {
        let (url, heard) = server("204 No Content");
        let token = Some("t0ken".to_owned());
        Alerts { token }
            .send(&job(&url), &summary(2), None)
            .unwrap();
        let request = heard.join().unwrap();
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("POST /hook?key=secret "), "{head}");
        assert!(head.contains("authorization: Bearer t0ken"), "{head}");
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["name"], "archive");
        assert_eq!(body["uid"], "some-uid");
        assert_eq!(body["screening"]["positive"], 2);
        assert_eq!(body["report"], "s3://results/report/index.html");
    }

    #[test]
    fn nobody_is_told_of_a_screening_without_positives() {
        // Nothing listens at this port.
        let sent = Alerts::default().send(&job("http://127.0.0.1:9/"), &summary(0), None);
        assert!(sent.is_ok());
    }

    #[test]
    fn a_refusal_is_a_bad_configuration_and_an_outage_may_pass() {
        let send = |answer| {
            let (url, heard) = server(answer);
            let sent = Alerts::default().send(&job(&url), &summary(1), None);
            heard.join().unwrap();
            sent.unwrap_err()
        };
        assert_eq!(send("401 Unauthorized").exit_code(), 43);
        assert_eq!(send("429 Too Many Requests").exit_code(), 1);
        assert_eq!(send("503 Service Unavailable").exit_code(), 1);
        let sentence = send("404 Not Found").sentence();
        assert!(sentence.contains("answered 404 Not Found"), "{sentence}");
    }

    #[test]
    fn an_address_that_is_not_there_is_told_without_the_key_that_it_may_hold() {
        let url = "http://127.0.0.1:9/hook?key=secret";
        let error = Alerts::default().send(&job(url), &summary(1), None);
        let error = error.unwrap_err();
        assert_eq!(error.exit_code(), 1);
        let sentence = error.sentence();
        assert!(sentence.contains("cannot be reached"), "{sentence}");
        assert!(!sentence.contains("secret="), "{sentence}");
        assert!(!sentence.contains("key=secret"), "{sentence}");
    }
}
