//! `attrium run`: manifests, run on this machine.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use serde_json::{Value, json};
use snafu::{ResultExt, Snafu};

use super::keys::{self, Signatures};
use super::manifest_file;
use super::output::{self, Format, RESEARCH};
use crate::runner::{self, Display, Ending, Finished, FoundModel, Settings};
use attrium_api::manifest;
use attrium_api::{Condition, Resource, conditions};
use attrium_tasks::{Execute, Interrupt, Tasks};
use attrium_workflow::{TaskExit, Withheld};

/// Runs the training runs and screening jobs of manifests on this machine.
///
/// A manifest is what `kubectl apply` would take. Results go to
/// `<output>/<namespace>/<name>/<uid>/`, and the status to `status.yaml` there. Run again, a run
/// goes on where it stopped. Ctrl-C stops it after a checkpoint; a second one stops it at once.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  attrium run -f examples/demo/training-run.yaml -f examples/demo/screening-job.yaml"
)]
pub(super) struct Args {
    /// A manifest of one or more documents, run in order; `-` reads standard input. May be given
    /// several times.
    #[arg(short, long = "filename", value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// How the results are printed.
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
    /// How many threads tasks may keep busy, all together [default: the machine's cores].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Certificate authorities to trust beside the system's, as PEM.
    #[arg(long, value_name = "FILE")]
    ca_bundle: Option<PathBuf>,
    #[command(flatten)]
    signatures: Signatures,
}

/// Why a run has not succeeded.
#[derive(Debug, Snafu)]
pub(super) enum Error {
    #[snafu(display("cannot read {}", path.display()))]
    Read { path: PathBuf, source: io::Error },
    #[snafu(display("nothing was run, since manifests are not valid:\n{text}"))]
    Invalid { text: String },
    #[snafu(transparent)]
    Key { source: keys::Error },
    #[snafu(transparent)]
    Runner { source: runner::Error },
    #[snafu(display(
        "{name} was stopped before its end: run the same command again, and it goes on"
    ))]
    Stopped { name: String },
    #[snafu(display("{name} has not succeeded: {sentence}"))]
    Unsuccessful {
        name: String,
        sentence: String,
        exit: TaskExit,
    },
    #[snafu(display("cannot write to standard output"))]
    Print { source: io::Error },
}

impl Error {
    /// What the process ends with.
    pub(super) fn exit(&self) -> TaskExit {
        match self {
            Self::Read { .. } | Self::Invalid { .. } | Self::Key { .. } => {
                TaskExit::BadConfiguration
            }
            Self::Runner { source } => source.exit(),
            Self::Stopped { .. } => TaskExit::Interrupted,
            Self::Unsuccessful { exit, .. } => *exit,
            Self::Print { .. } => TaskExit::Retry,
        }
    }
}

/// Runs the manifests' resources, one after the other, until one does not succeed.
pub(super) fn run(args: &Args) -> Result<(), Error> {
    let resources = read(&args.files)?;
    let read_whole = |path: &PathBuf| fs::read(path).context(ReadSnafu { path });
    let ca_bundle = args.ca_bundle.as_ref().map(read_whole).transpose()?;
    let cores = || thread::available_parallelism().map_or(1, usize::from);
    let settings = Settings {
        threads: args.threads.map_or_else(cores, usize::from),
        display: Arc::new(Display::stderr()),
        interrupt: Interrupt::default(),
        ca_bundle: ca_bundle.clone(),
    };
    runner::stop_on_signals(settings.interrupt.clone())?;
    let tasks = Tasks {
        ca_bundle,
        signatures: args.signatures.policy()?,
        ..Tasks::default()
    };
    let mut finished = Vec::new();
    let outcome = run_all(&resources, &tasks, &settings, args.output, &mut finished);
    if args.output != Format::Table && !finished.is_empty() {
        output::print(&document(&finished, args.output)).context(PrintSnafu)?;
    }
    outcome
}

fn run_all(
    resources: &[Resource],
    tasks: &dyn Execute,
    settings: &Settings,
    format: Format,
    finished: &mut Vec<Finished>,
) -> Result<(), Error> {
    for resource in resources {
        let ignored = runner::ignored_fields(resource);
        if !ignored.is_empty() {
            let fields = ignored.join(", ");
            settings
                .display
                .say(&format!("Only a cluster heeds {fields}: ignored here"));
        }
        let model = runner::find_model(resource, finished, settings.ca_bundle.as_deref())?;
        let place = model.as_ref().map(FoundModel::place);
        let ended = runner::run(resource, tasks, place, settings)?;
        if format == Format::Table {
            output::print(&table(&ended)).context(PrintSnafu)?;
        }
        let outcome = success(&ended);
        finished.push(ended);
        outcome?;
    }
    Ok(())
}

/// Reads every document of every file, or says everything that is wrong with them.
fn read(files: &[PathBuf]) -> Result<Vec<Resource>, Error> {
    let mut resources = Vec::new();
    let mut wrong = Vec::new();
    for path in files {
        let text = manifest_file::read(path).context(ReadSnafu { path })?;
        match manifest::parse(&text) {
            Ok(more) => resources.extend(more),
            Err(violations) => wrong.extend(manifest_file::lines(path, &violations)),
        }
    }
    if wrong.is_empty() {
        Ok(resources)
    } else {
        InvalidSnafu {
            text: wrong.join("\n"),
        }
        .fail()
    }
}

/// What is said of results on phantoms.
const SYNTHETIC: &str =
    "Synthetic: the images are of phantoms, and the figures say nothing about patients.\n";

/// What a run has left, for people.
fn table(finished: &Finished) -> String {
    let status = finished.status();
    let done = match finished.ending {
        Ending::Succeeded | Ending::Withheld(_) if finished.was_done => "had nothing left to do",
        Ending::Succeeded => "has succeeded",
        Ending::Withheld(Withheld::GateMissed) => "has missed a gate",
        Ending::Withheld(Withheld::NothingLearned) => "has learned nothing that shows",
        Ending::Withheld(Withheld::NotCalibrated) => "has recalibrated no model",
        Ending::Failed => "has failed",
        Ending::Interrupted => "was stopped",
    };
    let mut text = format!("{} {done}\n", runner::full_name(&finished.resource));
    if !status.results.is_empty() {
        text.push_str(&runner::training_table(&status.results));
    }
    if let Some(counts) = &status.screening {
        text.push_str(&runner::screening_table(counts));
        if let Some(words) = counts.uncertain_words() {
            text.push_str(&format!("{words}: a physician should look at these.\n"));
        }
        if let Some(unanswered) = counts.unanswered_words() {
            text.push_str(&format!(
                "No figure counts {unanswered}: see unanswered.csv.\n"
            ));
        }
        if let Some(words) = counts.overlap_words() {
            text.push_str(&format!("Warning: {words}.\n"));
        }
        let within = attrium_api::condition(&status.conditions, conditions::WITHIN_REFERENCE);
        if let Some(Condition {
            status, message, ..
        }) = within
        {
            text.push_str(&format!("Within its reference: {status:?}. {message}.\n"));
        }
    }
    let of_training = status.data.as_ref().and_then(|data| data.synthetic);
    let of_screening = status.screening.as_ref().map(|counts| counts.synthetic);
    if of_training.or(of_screening).unwrap_or_default() > 0 {
        text.push_str(SYNTHETIC);
    }
    if !status.results.is_empty() || status.screening.is_some() {
        text.push_str(RESEARCH);
    }
    let model = status.model.map(|model| model.uri);
    let calibration = status.screening.and_then(|counts| counts.calibration);
    let recalibrated = calibration.and_then(|calibration| calibration.model);
    let places = [
        ("results", Some(finished.prefix.clone())),
        ("report", status.report),
        ("model", model),
        ("recalibrated model", recalibrated.map(|model| model.uri)),
    ];
    for (what, place) in places {
        if let Some(place) = place {
            text.push_str(&format!("{what}: {place}\n"));
        }
    }
    text
}

/// The resources with their status: one by itself, several as a list, as `kubectl get` does.
fn document(finished: &[Finished], format: Format) -> String {
    let resource = |it: &Finished| serde_json::to_value(&it.resource).unwrap_or_default();
    let document = match finished {
        [one] => resource(one),
        several => {
            let items: Vec<Value> = several.iter().map(resource).collect();
            json!({ "apiVersion": "v1", "kind": "List", "items": items })
        }
    };
    match format {
        Format::Yaml => serde_saphyr::to_string(&document).unwrap_or_default(),
        Format::Json | Format::Table => format!("{document:#}\n"),
    }
}

fn success(finished: &Finished) -> Result<(), Error> {
    let Some(exit) = finished.exit() else {
        return Ok(());
    };
    let name = runner::full_name(&finished.resource);
    if exit == TaskExit::Interrupted {
        return StoppedSnafu { name }.fail();
    }
    let conditions = finished.status().conditions;
    let sentence = |kind: &str| {
        let found = attrium_api::condition(&conditions, kind);
        found
            .map(|condition| condition.message.clone())
            .unwrap_or_default()
    };
    let sentence = match finished.ending {
        Ending::Withheld(Withheld::GateMissed) => sentence(conditions::GATES_PASSED),
        _ => sentence(conditions::SUCCEEDED),
    };
    UnsuccessfulSnafu {
        name,
        sentence,
        exit,
    }
    .fail()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_violation_of_every_file_is_told_with_its_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let (a, b) = (folder.path().join("a.yaml"), folder.path().join("b.yaml"));
        fs::write(&a, "kind: Pod\n").expect("a file");
        fs::write(&b, "kind: [\n").expect("a file");
        let error = read(&[a, b]).expect_err("should be wrong");
        assert_eq!(error.exit(), TaskExit::BadConfiguration);
        let text = error.to_string();
        assert!(
            text.contains("a.yaml: document 1: kind: \"Pod\" is not a kind"),
            "{text}"
        );
        assert!(text.contains("b.yaml: document 1, line "), "{text}");
    }

    #[test]
    fn a_missing_manifest_is_a_bad_configuration() {
        let error = read(&[PathBuf::from("no/such/file.yaml")]).expect_err("should be missing");
        assert_eq!(error.exit(), TaskExit::BadConfiguration);
        assert_eq!(error.to_string(), "cannot read no/such/file.yaml");
    }
}
