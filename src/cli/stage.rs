//! `attrium stage`: one task, as a pod does it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use snafu::{OptionExt, ResultExt, Snafu};

use super::keys::{self, Signatures};
use super::logs;
use crate::runner;
use attrium_api::manifest::{self, Violations};
use attrium_api::{ModelPlace, Resource};
use attrium_tasks::{
    Alerts, Execute, Interrupt, Progress, ProgressSink, Summary, TaskContext, TaskError, Tasks,
};
use attrium_workflow as workflow;
use attrium_workflow::{Plan, StageKind, TaskExit, TaskRef};

/// Does one task of a stage: what a pod runs.
///
/// The task writes its results and then its marker; started again it goes on from what it finds.
/// The exit code is 0, 42 for bad data, 43 for a bad configuration, 130 where it was stopped after
/// a checkpoint, 1 for what may go well another time.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  attrium stage preprocess --manifest training-run.yaml --index 0"
)]
pub(super) struct Args {
    /// The stage: preprocess, train, evaluate, refit, screen or summarize.
    #[arg(value_parser = stage)]
    stage: StageKind,
    /// The resource, as `kubectl apply` would take it.
    #[arg(long, value_name = "FILE")]
    manifest: PathBuf,
    /// The task's number within its stage, from 0.
    #[arg(long, env = "JOB_COMPLETION_INDEX", value_name = "N")]
    index: u32,
    /// How many threads the task may keep busy [default: the machine's cores, or as many as its
    /// control group may use].
    #[arg(
        long,
        env = "ATTRIUM_THREADS",
        value_name = "N",
        value_parser = clap::value_parser!(u16).range(1..=1024)
    )]
    threads: Option<u16>,
    /// The folder of the model bundle, for a screening that names a training run.
    #[arg(long, value_name = "URI")]
    model: Option<String>,
    /// The digest that this bundle has to have [default: the manifest's].
    #[arg(long, value_name = "DIGEST", requires = "model")]
    model_digest: Option<String>,
    #[command(flatten)]
    signatures: Signatures,
    /// Certificate authorities to trust beside the system's, as PEM.
    #[arg(long, value_name = "FILE")]
    ca_bundle: Option<PathBuf>,
    /// The bearer token for `alert.webhook`.
    #[arg(
        long,
        env = "ATTRIUM_ALERT_TOKEN",
        value_name = "TOKEN",
        hide_env_values = true
    )]
    alert_token: Option<String>,
    /// The address of `alert.webhook`, where its manifest leaves it to a Secret.
    #[arg(
        long,
        env = "ATTRIUM_ALERT_URL",
        value_name = "URL",
        hide_env_values = true
    )]
    alert_url: Option<String>,
    /// Where the task's summary, or the sentence of its failure, is written to at its end.
    #[arg(long, value_name = "FILE")]
    termination_message: Option<PathBuf>,
}

/// Why a task has not ended well.
#[derive(Debug, Snafu)]
pub(super) enum Error {
    #[snafu(display("cannot read {}", path.display()))]
    Read { path: PathBuf, source: io::Error },
    #[snafu(display("{} is not valid:\n{violations}", path.display()))]
    Invalid {
        path: PathBuf,
        violations: Violations,
    },
    #[snafu(display("{} has {found} documents: a task belongs to one resource", path.display()))]
    Documents { path: PathBuf, found: usize },
    #[snafu(display(
        "the plan of this manifest has no task {task}: name one of its stages, and an index below \
         the number of the stage's tasks"
    ))]
    NoTask { task: TaskRef },
    #[snafu(transparent)]
    Key { source: keys::Error },
    #[snafu(transparent)]
    Runner { source: runner::Error },
    #[snafu(transparent)]
    Task { source: TaskError },
}

impl Error {
    /// What the process ends with.
    pub(super) fn exit(&self) -> TaskExit {
        match self {
            Self::Read { .. }
            | Self::Invalid { .. }
            | Self::Documents { .. }
            | Self::Key { .. }
            | Self::NoTask { .. } => TaskExit::BadConfiguration,
            Self::Runner { source } => source.exit(),
            Self::Task { source } => source.exit(),
        }
    }
}

/// Does the task, and leaves its termination message.
pub(super) fn run(args: &Args) -> Result<(), Error> {
    let ended = task(args);
    if let Some(path) = &args.termination_message {
        let message = match &ended {
            Ok(summary) => summary.to_message(),
            Err(Error::Task { source }) => source.sentence(),
            Err(error) => TaskError::sentence_of(error),
        };
        if let Err(error) = fs::write(path, message) {
            tracing::warn!(%error, "The termination message cannot be written");
        }
    }
    let summary = ended?;
    match summary.shortfall {
        Some(shortfall) => Err(TaskError::shortfall(args.stage, &shortfall).into()),
        None => {
            tracing::info!(summary = summary.message, "The task has ended well");
            Ok(())
        }
    }
}

fn task(args: &Args) -> Result<Summary, Error> {
    // Before anything else: the kernel drops signals to the first process of a container until it listens.
    let interrupt = Interrupt::default();
    runner::stop_on_signals(interrupt.clone())?;
    let resource = read(&args.manifest)?;
    let plan = Plan::new(&resource);
    let id = TaskRef {
        stage: args.stage,
        index: args.index,
    };
    announce(&resource, id);
    let task = plan.task(id).context(NoTaskSnafu { task: id })?;
    let read_whole = |path: &PathBuf| fs::read(path).context(ReadSnafu { path });
    let ca_bundle = args.ca_bundle.as_ref().map(read_whole).transpose()?;
    let cores = || thread::available_parallelism().map_or(1, usize::from);
    let threads = args.threads.map_or_else(cores, usize::from);
    let uid = resource
        .uid()
        .unwrap_or_else(|| workflow::local_uid(&resource));
    if plan
        .stages
        .first()
        .is_some_and(|first| first.kind == id.stage)
    {
        // The tasks of later stages come after one that has kept it.
        runner::keep_manifest(&resource, &uid, ca_bundle.as_deref())?;
    }
    let context = TaskContext {
        resource: &resource,
        plan: &plan,
        prefix: &workflow::prefix(&resource, &uid),
        model: model(args, &resource),
        interrupt: &interrupt,
        progress: &Lines::default(),
        threads,
    };
    tracing::info!(threads, "The task begins: {}", task.work);
    let tasks = Tasks {
        ca_bundle,
        alerts: Some(Alerts {
            token: args.alert_token.clone(),
            url: args.alert_url.clone(),
        }),
        signatures: args.signatures.policy()?,
        ..Tasks::default()
    };
    Ok(runner::in_pool(threads, || tasks.run(task, &context))?)
}

/// The bundle that the arguments name, or else the manifest; a digest that the manifest states holds for
/// either.
fn model<'a>(args: &'a Args, resource: &'a Resource) -> Option<ModelPlace<'a>> {
    let stated = resource.model();
    let Some(uri) = args.model.as_deref() else {
        return stated;
    };
    let digest = args.model_digest.as_deref();
    Some(ModelPlace {
        uri,
        digest: digest.or(stated.and_then(|model| model.digest)),
    })
}

/// Names the resource and the task in every line that this process logs.
fn announce(resource: &Resource, task: TaskRef) {
    logs::about(&[
        ("kind", resource.kind().name()),
        ("namespace", resource.namespace()),
        ("resource", resource.name()),
        ("task", &task.to_string()),
    ]);
}

fn read(path: &Path) -> Result<Resource, Error> {
    let bytes = fs::read(path).context(ReadSnafu { path })?;
    let parsed = manifest::parse(&String::from_utf8_lossy(&bytes));
    let mut resources = match parsed {
        Ok(resources) => resources,
        Err(violations) => return InvalidSnafu { path, violations }.fail(),
    };
    let found = resources.len();
    match resources.pop() {
        Some(resource) if found == 1 => Ok(resource),
        _ => DocumentsSnafu { path, found }.fail(),
    }
}

/// How long there is silence between two lines of progress.
const SILENCE: Duration = Duration::from_secs(10);

/// Progress as JSON lines on standard error, at most six a minute.
#[derive(Debug, Default)]
struct Lines {
    last: Mutex<Option<Instant>>,
}

impl ProgressSink for Lines {
    fn update(&self, progress: Progress) {
        let Ok(mut last) = self.last.lock() else {
            return;
        };
        if last.is_none_or(|last| last.elapsed() >= SILENCE) {
            *last = Some(Instant::now());
            logs::object(&serde_json::json!({ "progress": progress }));
        }
    }
}

impl Args {
    /// Whether the stage computes with networks.
    pub(super) const fn computes(&self) -> bool {
        matches!(
            self.stage,
            StageKind::Train | StageKind::Refit | StageKind::Screen
        )
    }
}

fn stage(name: &str) -> Result<StageKind, String> {
    StageKind::ALL
        .into_iter()
        .find(|stage| stage.name() == name)
        .ok_or_else(|| {
            format!(
                "use one of {}",
                StageKind::ALL.map(StageKind::name).join(", ")
            )
        })
}
