//! `attrium checklist`: what a finished run answers of a reporting checklist, and what a person has to.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use snafu::{OptionExt, ResultExt, Snafu, ensure};

use super::output::{self, Format};
use crate::checklist::{self, CLAIM, Facts, List, PublishedModel, STARD_AI, TRIPOD_AI};
use attrium_api::manifest::{self, Violations};
use attrium_api::{ModelReference, Resource};
use attrium_bundle as bundle;
use attrium_bundle::BundleManifest;
use attrium_dataset as dataset;
use attrium_dataset::Quarantine;
use attrium_evaluation::MetricsDocument;
use attrium_storage as storage;
use attrium_storage::{Storage, StorageOptions};
use attrium_tasks::{ArtefactError, Summary, read_artefact, read_summaries};
use attrium_workflow::{Plan, StageKind, TaskExit, artefacts};

/// The largest artefact that is read, in bytes: a quarantine has a row for each object.
const LARGEST: u64 = 1 << 30;

const EXAMPLE: &str = "\
Each item has a state: known, partly or open. What is known has the artefact or the field of the manifest \
that says so, what is open the question that a person has to answer, and the field of the manifest's study \
or the column of the labels that takes the answer. Write them there, and run the manifest again: the study \
of a run that has ended may still change. A screening has a checklist of its own if it has labels.

Example:
  attrium checklist --run results/default/demo/2f0c6f7e-5a53-8c1e-9d0a-3f1d1b7a6c55 --as tripod+ai";

/// Answers a reporting checklist as far as a finished run can, and asks for the rest.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Args {
    /// The run's prefix, as `results` of `attrium run` tells it: the folder or URI that holds manifest.yaml, tasks/
    /// and attempts/.
    #[arg(long, value_name = "PREFIX")]
    run: String,
    /// The checklist.
    #[arg(long = "as", value_name = "LIST", value_enum)]
    list: Name,
    /// A manifest of the same resource, whose study is taken in place of the one that the run began with, as that of
    /// `kubectl get --output yaml`.
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// How the checklist is printed.
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

/// The name of a checklist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Name {
    /// For prediction models (2024).
    #[value(name = "tripod+ai")]
    TripodAi,
    /// For artificial intelligence in medical imaging (2024).
    Claim,
    /// For diagnostic accuracy of artificial intelligence (2025).
    StardAi,
}

impl Name {
    const fn list(self) -> &'static List {
        match self {
            Self::TripodAi => &TRIPOD_AI,
            Self::Claim => &CLAIM,
            Self::StardAi => &STARD_AI,
        }
    }
}

/// Why a checklist was not answered.
#[derive(Debug, Snafu)]
pub(super) enum Error {
    #[snafu(display("cannot read {}", path.display()))]
    Read { path: PathBuf, source: io::Error },
    #[snafu(display("cannot use {}", path.display()))]
    Given { path: PathBuf, source: Violations },
    #[snafu(display("{} has no {kind} {namespace}/{name}: name a manifest of that resource", path.display()))]
    Other {
        path: PathBuf,
        kind: String,
        namespace: String,
        name: String,
    },
    #[snafu(display("cannot read the run {run}"))]
    Run {
        run: String,
        #[snafu(source(from(storage::Error, Box::new)))]
        source: Box<storage::Error>,
    },
    #[snafu(display("cannot use {run}/{}", artefacts::MANIFEST))]
    Manifest { run: String, source: Violations },
    #[snafu(display("{run}/{} holds no resource", artefacts::MANIFEST))]
    Empty { run: String },
    #[snafu(display("cannot use {name} of the run"))]
    Artefact { name: String, source: ArtefactError },
    #[snafu(display("cannot use {name} of the run"))]
    Json {
        name: String,
        source: serde_json::Error,
    },
    #[snafu(display("cannot use {name} of the run"))]
    Bundle { name: String, source: bundle::Error },
    #[snafu(display("cannot use {name} of the run"))]
    Table {
        name: String,
        #[snafu(source(from(dataset::Error, Box::new)))]
        source: Box<dataset::Error>,
    },
    #[snafu(display(
        "{run} is a screening without labels: nothing was evaluated that a checklist could be about"
    ))]
    NoLabels { run: String },
    #[snafu(display(
        "{run} has no metrics: its evaluation has not ended well; see status.yaml there, and run the manifest again"
    ))]
    NoMetrics { run: String },
    #[snafu(display("cannot write to standard output"))]
    Print { source: io::Error },
}

impl Error {
    /// What the process ends with: a manifest and a place can be mended, an artefact that cannot be read is bad data.
    pub(super) fn exit(&self) -> TaskExit {
        match self {
            Self::Artefact { source, .. } => source.exit(),
            Self::Read { .. }
            | Self::Given { .. }
            | Self::Other { .. }
            | Self::Run { .. }
            | Self::Manifest { .. }
            | Self::Empty { .. }
            | Self::NoLabels { .. } => TaskExit::BadConfiguration,
            Self::Json { .. } | Self::Bundle { .. } | Self::Table { .. } => TaskExit::BadData,
            Self::NoMetrics { .. } | Self::Print { .. } => TaskExit::Retry,
        }
    }
}

/// Answers the checklist, and prints it.
pub(super) fn run(args: &Args) -> Result<(), Error> {
    let run = args.run.as_str();
    let store = Storage::open(run, &StorageOptions::default()).context(RunSnafu { run })?;
    let mut facts = Run::open(run, store)?.facts()?;
    if let Some(path) = &args.manifest {
        facts.resource = same_resource(path, &facts.resource)?;
    }
    let answered = checklist::answer(args.list.list(), &facts);
    output::print_as(args.output, &answered, checklist::to_text).context(PrintSnafu)
}

/// A run that has ended.
struct Run<'a> {
    run: &'a str,
    store: Storage,
    resource: Resource,
    plan: Plan,
}

impl<'a> Run<'a> {
    fn open(run: &'a str, store: Storage) -> Result<Self, Error> {
        let text = store.get(artefacts::MANIFEST, manifest::MAX_BYTES as u64);
        let text = text.context(RunSnafu { run })?;
        let resources = manifest::parse(&String::from_utf8_lossy(&text));
        let resources = resources.context(ManifestSnafu { run })?;
        let resource = resources.into_iter().next().context(EmptySnafu { run })?;
        Ok(Self {
            run,
            store,
            plan: Plan::new(&resource),
            resource,
        })
    }

    /// All that answers are made of.
    fn facts(self) -> Result<Facts, Error> {
        let run = self.run;
        if let Resource::ScreeningJob(job) = &self.resource {
            ensure!(job.spec.labels.is_some(), NoLabelsSnafu { run });
        }
        let metrics: Option<MetricsDocument> = self.json(artefacts::METRICS)?;
        let metrics = metrics.context(NoMetricsSnafu { run })?;
        let evaluation = self.summaries(StageKind::Evaluate)?;
        let screening = self.summaries(StageKind::Summarize)?;
        let refit = self.summaries(StageKind::Refit)?;
        let reference = evaluation.iter().chain(&refit);
        let reference = reference
            .filter_map(|summary| summary.model.clone())
            .next_back();
        let model = reference
            .map(|reference| self.model(reference))
            .transpose()?;
        Ok(Facts {
            data: evaluation.into_iter().find_map(|summary| summary.data),
            screening: screening.into_iter().find_map(|summary| summary.screening),
            set_aside: self.set_aside()?,
            model: model.flatten(),
            metrics,
            resource: self.resource,
        })
    }

    fn summaries(&self, stage: StageKind) -> Result<Vec<Summary>, Error> {
        let name = stage.name();
        read_summaries(&self.store, &self.plan, stage).context(ArtefactSnafu { name })
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let bytes = read_artefact(&self.store, &self.plan, name, LARGEST);
        bytes.context(ArtefactSnafu { name })
    }

    fn json<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Error> {
        let bytes = self.read(name)?;
        let value = bytes.map(|bytes| serde_json::from_slice(&bytes));
        value.transpose().context(JsonSnafu { name })
    }

    /// How many objects a training has set aside, by their reason.
    fn set_aside(&self) -> Result<Option<BTreeMap<String, u64>>, Error> {
        if matches!(self.resource, Resource::ScreeningJob(_)) {
            return Ok(None);
        }
        let name = artefacts::QUARANTINE;
        let Some(bytes) = self.read(name)? else {
            return Ok(None);
        };
        let quarantine = Quarantine::parse(&bytes).context(TableSnafu { name })?;
        let counts = quarantine.by_reason().into_iter();
        let counts = counts.map(|(reason, count)| (reason.to_owned(), count as u64));
        Ok(Some(counts.collect()))
    }

    /// What the published model says of itself.
    fn model(&self, reference: ModelReference) -> Result<Option<PublishedModel>, Error> {
        let Resource::TrainingRun(training) = &self.resource else {
            return Ok(None);
        };
        let Some(publish) = &training.spec.publish else {
            return Ok(None);
        };
        let folder = artefacts::bundle(publish.architecture, publish.task);
        let name = &format!("{folder}{}", bundle::MANIFEST);
        let Some(json) = self.read(name)? else {
            return Ok(None);
        };
        let manifest = BundleManifest::from_json(&json).context(BundleSnafu { name })?;
        Ok(Some(PublishedModel {
            reference,
            manifest,
        }))
    }
}

/// The resource with the study of a manifest of it; nothing else of that manifest counts.
fn same_resource(path: &Path, resource: &Resource) -> Result<Resource, Error> {
    let mut text = String::new();
    let most = manifest::MAX_BYTES as u64 + 1;
    let read = File::open(path).and_then(|file| file.take(most).read_to_string(&mut text));
    read.context(ReadSnafu { path })?;
    let resources = manifest::parse(&text).context(GivenSnafu { path })?;
    let is_same = |other: &Resource| {
        let name = |it: &Resource| (it.kind(), it.namespace().to_owned(), it.name().to_owned());
        name(other) == name(resource)
    };
    let other = resources.into_iter().find(is_same).context(OtherSnafu {
        path,
        kind: resource.kind().to_string(),
        namespace: resource.namespace(),
        name: resource.name(),
    })?;
    let mut resource = resource.clone();
    resource.set_study(other.study().cloned());
    Ok(resource)
}
