//! `attrium serve`: a station that scanners send to.

use std::fs;
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};

use snafu::{ResultExt, Snafu, ensure};
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

use super::keys::{self, Signatures};
use super::{manifest_file, output};
use attrium_api::{ScreeningStation, manifest};
use attrium_bundle::{Demands, MissingOperatingPoint, MissingPrevalence};
use attrium_nn as nn;
use attrium_station::{Check, Secrets, Station, StationError, check};
use attrium_storage::StorageOptions;
use attrium_tasks::{ModelError, Screener, open_model};
use attrium_types::text;
use attrium_workflow::TaskExit;

/// Runs a station: takes in the scans that scanners send, decides on each study, tells of positives and stores results.
///
/// It goes on until Ctrl-C or SIGTERM; what it has acknowledged is on its disk, and what is unfinished goes on the next
/// time. Research use only: a physician confirms every positive.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  attrium serve -f examples/station/station.yaml --check\n  attrium serve -f examples/station/station.yaml"
)]
pub(super) struct Args {
    /// The manifest of a ScreeningStation, or - for standard input.
    #[arg(short, long, value_name = "FILE")]
    file: PathBuf,
    /// Where secrets are: a folder for each, with a file for each of its keys.
    #[arg(long, value_name = "FOLDER")]
    secrets: Option<PathBuf>,
    /// Look at everything that the station needs, the model, the disk, archives and addresses, say what is wrong, and
    /// end; nothing is stored and nobody told.
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    signatures: Signatures,
    /// Certificate authorities in PEM to trust beside the system's, for the store of the model.
    #[arg(long, value_name = "FILE")]
    ca_bundle: Option<PathBuf>,
}

impl Args {
    /// Whether a station is to run, and not only to be looked at.
    pub(super) fn serves(&self) -> bool {
        !self.check
    }
}

/// Why the station does not run.
#[derive(Debug, Snafu)]
pub(super) enum Error {
    #[snafu(display("cannot read {}", path.display()))]
    Read { path: PathBuf, source: io::Error },
    #[snafu(display("the manifest is wrong:\n{text}"))]
    Invalid { text: String },
    #[snafu(transparent)]
    Key { source: keys::Error },
    #[snafu(display(
        "the station's model is that of a TrainingRun, which only a cluster looks up: name model.uri"
    ))]
    NoModel,
    #[snafu(transparent)]
    Model { source: ModelError },
    #[snafu(transparent)]
    OperatingPoint { source: MissingOperatingPoint },
    #[snafu(transparent)]
    Prevalence { source: MissingPrevalence },
    #[snafu(transparent)]
    Station { source: StationError },
    #[snafu(display("the process cannot be started"))]
    Start { source: io::Error },
    #[snafu(display("{failed} of {all} checks have failed"))]
    Checks { failed: usize, all: usize },
    #[snafu(display("cannot write to standard output"))]
    Print { source: io::Error },
}

impl Error {
    /// What the process ends with.
    pub(super) fn exit(&self) -> TaskExit {
        match self {
            Self::Model { source } => source.exit(),
            Self::Station { source } if source.is_transient() => TaskExit::Retry,
            Self::Read { .. }
            | Self::Invalid { .. }
            | Self::Key { .. }
            | Self::NoModel
            | Self::OperatingPoint { .. }
            | Self::Prevalence { .. }
            | Self::Station { .. } => TaskExit::BadConfiguration,
            Self::Start { .. } | Self::Checks { .. } | Self::Print { .. } => TaskExit::Retry,
        }
    }
}

/// Runs the station, or looks whether it could.
///
/// # Errors
/// What keeps it from running.
pub(super) fn run(args: &Args) -> Result<(), Error> {
    let manifest = read(&args.file)?;
    let secrets = Secrets::new(args.secrets.as_deref());
    let screener = screener(args, &manifest)?;
    let runtime = Runtime::new().context(StartSnafu)?;
    if args.check {
        return runtime.block_on(look(&manifest, &screener, &secrets));
    }
    runtime.block_on(serve(manifest, screener, &secrets))
}

async fn serve(
    manifest: ScreeningStation,
    screener: Screener,
    secrets: &Secrets,
) -> Result<(), Error> {
    let stop = stop().context(StartSnafu)?;
    let ae_title = manifest.spec.listener.ae_title.clone();
    let station = Station::open(manifest, screener, secrets).await?;
    let address = station.address().context(StartSnafu)?;
    tracing::info!(
        "{ae_title} takes images on port {}; page: {}",
        address.port(),
        station.page()
    );
    station.run(stop).await;
    tracing::info!("The station has stopped");
    Ok(())
}

/// Until Ctrl-C or SIGTERM.
fn stop() -> io::Result<impl Future<Output = ()> + Send> {
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
        }
    })
}

/// The station of a manifest.
pub(super) fn read(path: &Path) -> Result<ScreeningStation, Error> {
    let text = manifest_file::read(path).context(ReadSnafu { path })?;
    manifest::parse_station(&text).map_err(|violations| Error::Invalid {
        text: manifest_file::lines(path, &violations).join("\n"),
    })
}

fn screener(args: &Args, manifest: &ScreeningStation) -> Result<Screener, Error> {
    let spec = &manifest.spec;
    let Some(place) = spec.model.place() else {
        return NoModelSnafu.fail();
    };
    if spec.model.is_any_at_its_place() {
        tracing::warn!(
            "spec.model.uri has no digest beside it, so that any bundle at that place is used: state \
             spec.model.digest"
        );
    }
    let mut signatures = args.signatures.policy()?;
    signatures.required |= spec.model.require_signed;
    let demands = Demands {
        digest: place.digest.map(str::to_owned),
        signatures,
    };
    let options = match &args.ca_bundle {
        Some(path) => StorageOptions {
            ca_bundle: Some(fs::read(path).context(ReadSnafu { path })?),
            ..StorageOptions::default()
        },
        None => StorageOptions::default(),
    };
    let model = open_model(place.uri, &demands, &options, &nn::cpu())?;
    let model = match &spec.prevalence {
        Some(prevalence) => model.at_prevalence(prevalence.value())?,
        None => model,
    };
    let threshold = model.threshold(&spec.operating_point)?;
    Ok(Screener::new(
        model,
        threshold,
        spec.lossy,
        spec.tracers.clone(),
    ))
}

/// Says what was found of everything that the station needs.
async fn look(
    manifest: &ScreeningStation,
    screener: &Screener,
    secrets: &Secrets,
) -> Result<(), Error> {
    let model = Check {
        what: "model".to_owned(),
        found: Ok(format!(
            "{}, positive from {:.3}",
            screener.model.digest, screener.threshold
        )),
    };
    let mut checks = vec![model];
    checks.extend(check(manifest, secrets).await);
    let rows: Vec<_> = checks.iter().map(row).collect();
    output::print(&text::table(&rows, 2)).context(PrintSnafu)?;
    let all = checks.len();
    let failed = checks.iter().filter(|check| check.found.is_err()).count();
    ensure!(failed == 0, ChecksSnafu { failed, all });
    Ok(())
}

fn row(check: &Check) -> Vec<String> {
    let (word, said) = match &check.found {
        Ok(said) => ("well", said),
        Err(said) => ("FAILED", said),
    };
    vec![check.what.clone(), word.to_owned(), said.clone()]
}
