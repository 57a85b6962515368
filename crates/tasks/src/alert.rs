//! Tells a web address of a screening's positives: counts and where the report is, nothing about a
//! patient.
//!
//! The alert is sent before the task's marker is written, so that a task that was killed sends it again
//! rather than never: a receiver may be told of a screening twice, and knows it by its uid.
//!
//! An alert that cannot be sent costs a screening its success but not its results: they are in the store
//! by then, and its status has them.
//!
//! Only an answer of success means that somebody was told: no redirect is followed, since it may lead to a
//! page that takes anything. An address may hold a key, so that it is told of by its host alone.

use std::time::{Duration, Instant};
use std::{fmt, thread};

use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, StatusCode, Url};
use serde::Serialize;
use snafu::{OptionExt, ResultExt, Snafu, ensure};
use tokio::runtime::Builder;

use super::{Interrupt, Summary, TaskError};
use attrium_api::{API_VERSION, ScreeningJob, ScreeningStatus, Webhook};

/// How long a web address may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// How many seconds to wait before each further try; only some minutes in all, since the results wait
/// meanwhile.
const PAUSES: [u64; 6] = [5, 15, 30, 60, 60, 60];
/// How often a task that waits looks whether it has to stop.
const TICK: Duration = Duration::from_millis(100);

/// Sends alerts, with a token where there is one.
#[derive(Clone, Default)]
pub struct Alerts {
    /// The bearer token.
    pub token: Option<String>,
    /// The address, where a manifest leaves it to a Secret.
    pub url: Option<String>,
}

impl fmt::Debug for Alerts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alerts").finish_non_exhaustive()
    }
}

/// An alert, as JSON.
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

impl<'a> Message<'a> {
    /// What there is to tell of a screening: nothing of one without positives.
    fn new(job: &'a ScreeningJob, summary: &'a Summary) -> Option<Self> {
        let metadata = &job.metadata;
        let counts = summary.screening.as_ref();
        Some(Self {
            api_version: API_VERSION,
            kind: "ScreeningJob",
            namespace: metadata.namespace.as_deref().unwrap_or("default"),
            name: metadata.name.as_deref().unwrap_or_default(),
            uid: metadata.uid.as_deref().unwrap_or_default(),
            screening: counts.filter(|counts| counts.positive > 0)?,
            report: summary.report.as_deref(),
            notice: "research use only: a physician confirms every positive",
        })
    }
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
        "the address of alert.webhook is missing: ATTRIUM_ALERT_URL has to be the key url of the Secret \
         that urlFrom names"
    ))]
    NoAddress,
    #[snafu(display(
        "the address of alert.webhook is no web address: use https://host or https://host/path"
    ))]
    Address,
    #[snafu(display(
        "the address of alert.webhook at {host} is without encryption: use https://, or set allowHttp"
    ))]
    Unencrypted { host: String },
    #[snafu(display(
        "alert.webhook at {host} cannot be reached: check its address and the network; the results are in \
         the store"
    ))]
    Send {
        host: String,
        source: reqwest::Error,
    },
    #[snafu(display(
        "alert.webhook at {host} answered {status}, a redirect, which is not followed: name the address \
         that takes the alert itself; the results are in the store"
    ))]
    Redirected { host: String, status: StatusCode },
    #[snafu(display(
        "alert.webhook at {host} answered {status}: check its address and the token in its secret; the \
         results are in the store"
    ))]
    Refused { host: String, status: StatusCode },
}

impl Error {
    /// Whether another try may do; not where the server, or this program, says that the request is wrong.
    fn may_pass(&self) -> bool {
        match self {
            Self::Start { .. } | Self::Send { .. } => true,
            Self::Refused { status, .. } => !status.is_client_error() || is_temporary(*status),
            Self::CaBundle { .. }
            | Self::Message { .. }
            | Self::NoAddress
            | Self::Address
            | Self::Unencrypted { .. }
            | Self::Redirected { .. } => false,
        }
    }
}

fn is_temporary(status: StatusCode) -> bool {
    status == StatusCode::REQUEST_TIMEOUT || status == StatusCode::TOO_MANY_REQUESTS
}

/// Where an alert is sent.
struct Address {
    url: Url,
    host: String,
}

impl Address {
    /// Reads an address; of what is wrong with it no more than the host is told.
    fn new(text: &str, allow_http: bool) -> Result<Self, Error> {
        let url: Url = text.trim().parse().ok().context(AddressSnafu)?;
        ensure!(matches!(url.scheme(), "http" | "https"), AddressSnafu);
        let host = url.host_str().context(AddressSnafu)?.to_owned();
        let is_encrypted = url.scheme() == "https";
        ensure!(is_encrypted || allow_http, UnencryptedSnafu { host });
        Ok(Self { url, host })
    }
}

/// A client that waits so long for an answer, and follows no redirect.
fn client(patience: Duration, ca_bundle: Option<&[u8]>) -> Result<Client, Error> {
    let mut client = Client::builder()
        .timeout(patience)
        .redirect(Policy::none())
        .user_agent(concat!("attrium/", env!("CARGO_PKG_VERSION")));
    if let Some(ca_bundle) = ca_bundle {
        let certificates = Certificate::from_pem_bundle(ca_bundle).context(CaBundleSnafu)?;
        client = client.tls_certs_merge(certificates);
    }
    client.build().context(CaBundleSnafu)
}

/// What an answer means.
fn judge(host: &str, status: StatusCode) -> Result<(), Error> {
    ensure!(!status.is_redirection(), RedirectedSnafu { host, status });
    ensure!(status.is_success(), RefusedSnafu { host, status });
    Ok(())
}

/// Sends, and after each pause sends again what may go well another time. Returns why nothing was sent.
fn send_with_retries(
    send: impl Fn() -> Result<(), Error>,
    pauses: impl IntoIterator<Item = Duration>,
    interrupt: &Interrupt,
) -> Result<Option<String>, TaskError> {
    let mut pauses = pauses.into_iter();
    loop {
        let Err(error) = send() else {
            return Ok(None);
        };
        let sentence = TaskError::sentence_of(&error);
        match pauses.next() {
            Some(pause) if error.may_pass() => {
                tracing::warn!("No alert was sent yet, it is tried again: {sentence}");
                wait(pause, interrupt)?;
            }
            _ => return Ok(Some(format!("no alert was sent: {sentence}"))),
        }
    }
}

/// Waits, unless the task has to stop.
fn wait(pause: Duration, interrupt: &Interrupt) -> Result<(), TaskError> {
    let end = Instant::now() + pause;
    loop {
        interrupt.check()?;
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        thread::sleep(left.min(TICK));
    }
}

impl Alerts {
    /// Tells of a screening that has positives, if somebody is to be told. Returns why that could not
    /// be done, where the address refuses or has been away for some minutes.
    ///
    /// # Errors
    /// [`TaskError::Interrupted`].
    pub(super) fn send(
        &self,
        job: &ScreeningJob,
        summary: &Summary,
        ca_bundle: Option<&[u8]>,
        interrupt: &Interrupt,
    ) -> Result<Option<String>, TaskError> {
        let (Some(alert), Some(message)) = (&job.spec.alert, Message::new(job, summary)) else {
            return Ok(None);
        };
        let post = || self.post(&alert.webhook, &message, ca_bundle);
        send_with_retries(post, PAUSES.map(Duration::from_secs), interrupt)
    }

    fn post(
        &self,
        webhook: &Webhook,
        message: &Message<'_>,
        ca_bundle: Option<&[u8]>,
    ) -> Result<(), Error> {
        let text = webhook.url.as_ref().or(self.url.as_ref());
        let address = Address::new(text.context(NoAddressSnafu)?, webhook.allow_http)?;
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.context(StartSnafu)?;
        let client = client(PATIENCE, ca_bundle)?;
        runtime.block_on(self.request(&client, &address, message))
    }

    async fn request(
        &self,
        client: &Client,
        address: &Address,
        message: &Message<'_>,
    ) -> Result<(), Error> {
        let body = serde_json::to_vec(message).context(MessageSnafu)?;
        let mut request = client
            .post(address.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .body(body);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let host = &address.host;
        let sent = request.send().await.map_err(reqwest::Error::without_url);
        judge(host, sent.context(SendSnafu { host })?.status())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::thread::{self, JoinHandle};

    use super::*;
    use attrium_api::Alert;
    use attrium_fixtures as fixtures;
    use attrium_workflow::TaskExit;

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
            // Whoever follows a redirect comes a second time.
            drop(stream);
            listener.set_nonblocking(true).unwrap();
            thread::sleep(Duration::from_millis(50));
            assert!(listener.accept().is_err(), "it came again");
            String::from_utf8(request).unwrap()
        });
        (url, heard)
    }

    fn job(url: &str) -> ScreeningJob {
        let mut job = fixtures::screening_job();
        job.metadata.uid = Some("some-uid".to_owned());
        job.spec.alert = Some(Alert {
            webhook: Webhook {
                url: Some(url.to_owned()),
                allow_http: true,
                ..Webhook::default()
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

    fn send(alerts: &Alerts, job: &ScreeningJob, positive: u64) -> Option<String> {
        let sent = alerts.send(job, &summary(positive), None, &Interrupt::default());
        sent.unwrap()
    }

    #[test]
    fn counts_and_the_report_are_sent_with_the_token() {
        let (url, heard) = server("204 No Content");
        let alerts = Alerts {
            token: Some("t0ken".to_owned()),
            url: None,
        };
        assert_eq!(send(&alerts, &job(&url), 2), None);
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
        let job = job("http://127.0.0.1:9/");
        assert_eq!(send(&Alerts::default(), &job, 0), None);
    }

    #[test]
    fn a_refusal_costs_no_result_and_is_told_at_once() {
        let (url, heard) = server("404 Not Found");
        let untold = send(&Alerts::default(), &job(&url), 1).unwrap();
        heard.join().unwrap();
        assert!(untold.starts_with("no alert was sent: "), "{untold}");
        assert!(untold.contains("answered 404 Not Found"), "{untold}");
    }

    #[test]
    fn a_redirect_is_not_followed_and_nobody_counts_as_told() {
        for status in [
            "302 Found",
            "301 Moved Permanently",
            "307 Temporary Redirect",
        ] {
            let answer = format!("{status}\r\nlocation: /login?key=secret");
            let (url, heard) = server(answer.leak());
            let untold = send(&Alerts::default(), &job(&url), 1).unwrap();
            heard.join().unwrap();
            let words = format!("127.0.0.1 answered {status}, a redirect");
            assert!(untold.contains(&words), "{untold}");
            assert!(!untold.contains("login"), "{untold}");
        }
    }

    #[test]
    fn only_an_answer_of_success_counts() {
        for code in 100..600 {
            let told = judge("host", StatusCode::from_u16(code).unwrap());
            assert_eq!(told.is_ok(), (200..300).contains(&code), "{code}");
        }
    }

    #[test]
    fn an_address_that_takes_the_alert_and_never_answers_is_given_up_and_tried_again() {
        // The system takes the connection; nobody reads from it.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let client = client(Duration::from_millis(50), None).unwrap();
        let (job, summary) = (job(&url), summary(1));
        let message = Message::new(&job, &summary).unwrap();
        let address = Address::new(&url, true).unwrap();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let sent = runtime.block_on(Alerts::default().request(&client, &address, &message));
        assert!(sent.unwrap_err().may_pass());
    }

    #[test]
    fn the_address_may_be_a_secrets() {
        let (url, heard) = server("204 No Content");
        let mut job = job("unused");
        job.spec.alert.as_mut().unwrap().webhook.url = None;
        let untold = send(&Alerts::default(), &job, 1).unwrap();
        assert!(
            untold.contains("address of alert.webhook is missing"),
            "{untold}"
        );
        // Secrets that are made of files end in a line feed.
        let alerts = Alerts {
            token: None,
            url: Some(format!("{url}\n")),
        };
        assert_eq!(send(&alerts, &job, 1), None);
        assert!(heard.join().unwrap().starts_with("POST /hook?key=secret "));
    }

    #[test]
    fn an_address_of_no_use_is_told_at_once_by_no_more_than_its_host() {
        let table = [
            (
                "http://hook.example/key=secret",
                "at hook.example is without encryption",
            ),
            (
                "http://secret@hook.example/",
                "at hook.example is without encryption",
            ),
            ("ftp://hook.example/secret", "is no web address"),
            ("/secret", "is no web address"),
            ("https://", "is no web address"),
        ];
        for (url, words) in table {
            let mut job = job(url);
            job.spec.alert.as_mut().unwrap().webhook.allow_http = false;
            let untold = send(&Alerts::default(), &job, 1).unwrap();
            assert!(untold.contains(words), "{untold}");
            assert!(!untold.contains("secret"), "{untold}");
        }
    }

    #[test]
    fn an_outage_may_pass_and_a_refusal_does_not() {
        let may_pass = |status| judge("host", status).unwrap_err().may_pass();
        assert!(!may_pass(StatusCode::UNAUTHORIZED));
        assert!(may_pass(StatusCode::TOO_MANY_REQUESTS));
        assert!(may_pass(StatusCode::SERVICE_UNAVAILABLE));
        assert!(!may_pass(StatusCode::FOUND));
    }

    /// Sends an alert to an address where nothing is there, so often; how it ended and how often it was
    /// tried.
    fn to_nobody(
        pauses: impl IntoIterator<Item = Duration>,
        interrupt: &Interrupt,
    ) -> (Result<String, TaskExit>, usize) {
        let job = job("http://127.0.0.1:9/hook?key=secret");
        let webhook = &job.spec.alert.as_ref().unwrap().webhook;
        let summary = summary(1);
        let message = Message::new(&job, &summary).unwrap();
        let tries = Cell::new(0);
        let post = || {
            tries.set(tries.get() + 1);
            Alerts::default().post(webhook, &message, None)
        };
        let ended = send_with_retries(post, pauses, interrupt);
        let ended = ended.map(Option::unwrap);
        (ended.map_err(|error| error.exit()), tries.get())
    }

    #[test]
    fn an_address_that_is_away_is_tried_again_and_told_without_the_key_that_it_may_hold() {
        let (untold, tries) = to_nobody([Duration::ZERO; 2], &Interrupt::default());
        let untold = untold.unwrap();
        assert_eq!(tries, 3);
        assert!(untold.contains("cannot be reached"), "{untold}");
        assert!(!untold.contains("key=secret"), "{untold}");
    }

    #[test]
    fn a_task_that_has_to_stop_waits_no_longer() {
        let interrupt = Interrupt::default();
        interrupt.set();
        let (ended, tries) = to_nobody([PATIENCE], &interrupt);
        assert_eq!((ended, tries), (Err(TaskExit::Interrupted), 1));
    }
}
