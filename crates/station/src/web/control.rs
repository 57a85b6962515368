//! The socket in the spool's folder by which `attrium station` asks a running station.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use axum::extract::{Path as Segment, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::de::DeserializeOwned;
use snafu::{OptionExt, ResultExt, Snafu, ensure};
use tokio::net::UnixListener;
use tokio::task::spawn_blocking;

use crate::clock;
use crate::journal;
use crate::labels::Labels;
use crate::outbox;
use crate::overview::{Overview, StudyView, Whole};
use crate::shared::Shared;
use attrium_spool::IndexError;
use attrium_spool::audit::AuditEvent;

/// The socket's name in the spool's folder.
const CONTROL: &str = "control";

/// How many studies are listed at most.
const MOST: u32 = 10_000;

/// Why a station gives no answer.
#[derive(Debug, Snafu)]
pub enum ControlError {
    /// Nobody listens.
    #[snafu(display("no station runs on the spool in {folder}: start it with `attrium serve`"))]
    NotRunning {
        /// The folder.
        folder: String,
        /// The reason.
        source: reqwest::Error,
    },
    /// There is no such study.
    #[snafu(display("the station knows no study {number}"))]
    NoStudy {
        /// Its number.
        number: u64,
    },
    /// Another answer than one of success.
    #[snafu(display("the station answered {status}: its log says why"))]
    Refused {
        /// The answer.
        status: u16,
    },
}

/// Binds the socket, for its folder's owner alone. The spool's lock says that no other process has it.
pub(super) fn listen(root: &Path) -> io::Result<UnixListener> {
    let path = root.join(CONTROL);
    if path.exists() {
        fs::remove_file(&path)?;
    }
    let listener = UnixListener::bind(&path)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// What can be asked.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/status", get(status))
        .route("/studies", get(studies))
        .route("/studies/{number}", get(study))
        .route("/labels", get(labels))
        .route("/studies/{number}/resend", post(resend))
        .with_state(shared)
}

/// An error that the log tells of.
pub(super) struct Failed;

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}

/// Does what blocks, and tells the log why it could not be done.
pub(super) async fn blocking<T: Send + 'static>(
    shared: &Arc<Shared>,
    work: impl FnOnce(&Shared) -> Result<T, IndexError> + Send + 'static,
) -> Result<T, Failed> {
    let shared = shared.clone();
    match spawn_blocking(move || work(&shared)).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => {
            tracing::error!("Not answered: {}", attrium_types::text::causes(&error));
            Err(Failed)
        }
        Err(_) => Err(Failed),
    }
}

async fn status(State(shared): State<Arc<Shared>>) -> Result<Json<Overview>, Failed> {
    blocking(&shared, Shared::overview).await.map(Json)
}

async fn studies(State(shared): State<Arc<Shared>>) -> Result<Json<Vec<StudyView>>, Failed> {
    let studies = blocking(&shared, |shared| shared.studies(0, MOST)).await?;
    Ok(Json(studies.iter().map(Whole::view).collect()))
}

async fn study(
    State(shared): State<Arc<Shared>>,
    Segment(number): Segment<u64>,
) -> Result<Response, Failed> {
    let study = blocking(&shared, move |shared| shared.whole(number)).await?;
    Ok(match study {
        Some(study) => Json(study.view()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    })
}

async fn resend(
    State(shared): State<Arc<Shared>>,
    Segment(number): Segment<u64>,
) -> Result<Json<usize>, Failed> {
    let count = blocking(&shared, move |shared| resend_study(shared, number, None)).await?;
    shared.outbox.notify_waiters();
    Ok(Json(count))
}

async fn labels(State(shared): State<Arc<Shared>>) -> Result<Json<Labels>, Failed> {
    blocking(&shared, Labels::of).await.map(Json)
}

/// Queues what has failed of a study anew; gives how much that is.
pub(super) fn resend_study(
    shared: &Shared,
    number: u64,
    who: Option<&str>,
) -> Result<usize, IndexError> {
    shared.journal(&[journal::record(AuditEvent::Resent, Some(number), who)]);
    shared.index.write(|session| {
        let count = session.queue_again(number, clock::now())?;
        outbox::settle_delivery(shared, session, number)?;
        Ok(count)
    })
}

/// Asks a station about itself and its studies.
#[derive(Debug)]
pub struct Control {
    client: reqwest::Client,
    folder: String,
}

impl Control {
    /// The station whose spool is in a folder.
    ///
    /// # Errors
    /// [`ControlError::NotRunning`].
    pub fn new(spool: &Path) -> Result<Self, ControlError> {
        let folder = spool.display().to_string();
        let client = reqwest::Client::builder()
            .unix_socket(spool.join(CONTROL))
            .build()
            .context(NotRunningSnafu { folder: &folder })?;
        Ok(Self { client, folder })
    }

    /// How it is.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn status(&self) -> Result<Overview, ControlError> {
        let answer = self.ask(reqwest::Method::GET, "status").await?;
        answer.context(RefusedSnafu { status: 404_u16 })
    }

    /// Its studies, the last first.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn studies(&self) -> Result<Vec<StudyView>, ControlError> {
        let answer = self.ask(reqwest::Method::GET, "studies").await?;
        answer.context(RefusedSnafu { status: 404_u16 })
    }

    /// One of them.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn study(&self, number: u64) -> Result<StudyView, ControlError> {
        let path = format!("studies/{number}");
        let answer = self.ask(reqwest::Method::GET, &path).await?;
        answer.context(NoStudySnafu { number })
    }

    /// The grades that its readers gave, with the studies' identifiers.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn labels(&self) -> Result<Labels, ControlError> {
        let answer = self.ask(reqwest::Method::GET, "labels").await?;
        answer.context(RefusedSnafu { status: 404_u16 })
    }

    /// Sends what has failed of a study again; gives how much that is.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn resend(&self, number: u64) -> Result<usize, ControlError> {
        self.study(number).await?;
        let path = format!("studies/{number}/resend");
        let answer = self.ask(reqwest::Method::POST, &path).await?;
        answer.context(NoStudySnafu { number })
    }

    /// An answer, none where there is no such thing.
    async fn ask<T: DeserializeOwned>(
        &self,
        method: reqwest::Method,
        path: &str,
    ) -> Result<Option<T>, ControlError> {
        let folder = &self.folder;
        let request = self
            .client
            .request(method, format!("http://station/{path}"));
        let response = request.send().await.context(NotRunningSnafu { folder })?;
        let status = response.status();
        if status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        ensure!(
            status.is_success(),
            RefusedSnafu {
                status: status.as_u16()
            }
        );
        let answer = response.json().await.context(NotRunningSnafu { folder })?;
        Ok(Some(answer))
    }
}
