//! `attrium link`: a run's predictions beside the studies that they are of.

use std::fs;
use std::io;
use std::path::PathBuf;

use snafu::{OptionExt, ResultExt, Snafu, ensure};

use super::output;
use attrium_api::manifest::{self, Violations};
use attrium_api::{Resource, TrainingRun};
use attrium_dataset as dataset;
use attrium_dataset::{LabelledStudy, Labels, Pseudonyms};
use attrium_evaluation as evaluation;
use attrium_evaluation::{Prediction, Predictions, positive_probability};
use attrium_storage as storage;
use attrium_storage::{Storage, StorageOptions};
use attrium_tasks::{ArtefactError, read_artefact};
use attrium_types::{Architecture, Target};
use attrium_workflow::{Plan, TaskExit, artefacts};

/// The largest table of predictions that is read, in bytes.
const MAX_TABLE: u64 = 1 << 30;
/// The covariate that holds the patient's pseudonym.
const PATIENT: &str = "patient";
/// The most classes of a target.
const MAX_CLASSES: usize = 4;

const EXAMPLE: &str = "\
The result names studies and patients: keep it as carefully as labels.csv. It is CSV, one row for \
each study and network, with the probability of a positive and of each class. The labels must be \
those that the run was given, since pseudonyms depend on all of them.

Example:
  attrium link --run results/default/demo/2f0c6f7e-5a53-8c1e-9d0a-3f1d1b7a6c55 \
    --labels labels.csv --out linked.csv";

/// Joins the predictions of a run with the studies that they are of.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Args {
    /// The run's prefix: the folder or URI that holds manifest.yaml, tasks/ and attempts/.
    #[arg(long, value_name = "PREFIX")]
    run: String,
    /// The labels that the run was given.
    #[arg(long, value_name = "FILE")]
    labels: PathBuf,
    /// The file to write, which the user alone may then read; it must not exist. Default: standard
    /// output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Why predictions were not joined with studies.
#[derive(Debug, Snafu)]
pub(super) enum Error {
    #[snafu(display("cannot read {}", path.display()))]
    Read { path: PathBuf, source: io::Error },
    #[snafu(display("cannot use {}", path.display()))]
    Labels {
        path: PathBuf,
        #[snafu(source(from(dataset::Error, Box::new)))]
        source: Box<dataset::Error>,
    },
    #[snafu(display("cannot read the run {run}"))]
    Run {
        run: String,
        #[snafu(source(from(storage::Error, Box::new)))]
        source: Box<storage::Error>,
    },
    #[snafu(display("cannot use {name} of the run"))]
    Artefact { name: String, source: ArtefactError },
    #[snafu(display("cannot use {run}/{}", artefacts::MANIFEST))]
    Manifest { run: String, source: Violations },
    #[snafu(display(
        "{run} is no training run: a screening already names the objects that its rows came from"
    ))]
    NotATraining { run: String },
    #[snafu(display(
        "{run} has no predictions: its evaluate stage has not ended well; see status.yaml there, \
         and run the manifest again"
    ))]
    NoPredictions { run: String },
    #[snafu(display("cannot use {name} of the run"))]
    Table {
        name: String,
        source: evaluation::Error,
    },
    #[snafu(display(
        "{} does not fit {name} of the run: use the labels that the run was given, unchanged",
        path.display()
    ))]
    OtherLabels { path: PathBuf, name: String },
    #[snafu(display("cannot write {place}"))]
    Write { place: String, source: io::Error },
}

impl Error {
    /// What the process ends with: labels, a manifest and a place can be mended, a table is bad data.
    pub(super) fn exit(&self) -> TaskExit {
        match self {
            Self::Artefact { source, .. } => source.exit(),
            Self::Read { .. }
            | Self::Run { .. }
            | Self::NotATraining { .. }
            | Self::OtherLabels { .. }
            | Self::Labels { .. }
            | Self::Manifest { .. } => TaskExit::BadConfiguration,
            Self::Table { .. } => TaskExit::BadData,
            Self::NoPredictions { .. } | Self::Write { .. } => TaskExit::Retry,
        }
    }
}

/// Joins and writes.
pub(super) fn run(args: Args) -> Result<(), Error> {
    let path = &args.labels;
    let labels = fs::read(path).context(ReadSnafu { path })?;
    let labels = Labels::parse(&labels).context(LabelsSnafu { path })?;
    let run = &args.run;
    let storage = Storage::open(run, &StorageOptions::default()).context(RunSnafu { run })?;
    let training = training(run, &storage)?;
    let plan = Plan::for_training(&training.spec);
    let pseudonyms = labels.pseudonymise(training.spec.cross_validation.seed.into());
    let studies = pseudonyms.link();

    let mut rows = vec![header()];
    let mut found = false;
    for network in &training.spec.networks {
        for &target in &training.spec.tasks {
            let name = &artefacts::predictions(network.architecture, target);
            let bytes = read_artefact(&storage, &plan, name, MAX_TABLE);
            let bytes = bytes.context(ArtefactSnafu { name })?;
            let Some(bytes) = bytes else { continue };
            let table = Predictions::parse(&bytes).context(TableSnafu { name })?;
            for row in &table.rows {
                let study = row
                    .study
                    .parse()
                    .ok()
                    .and_then(|number: u32| studies.get(&number));
                let fitting = study.filter(|&&study| {
                    let labelled = pseudonyms.of(study);
                    labelled
                        .is_some_and(|labelled| fits(&pseudonyms, labelled, target, &table, row))
                });
                let study = fitting.context(OtherLabelsSnafu { path, name })?;
                rows.push(joined(study, network.architecture, target, row));
            }
            found = true;
        }
    }
    ensure!(found, NoPredictionsSnafu { run });
    write(args.out, &rows)
}

fn training(run: &str, storage: &Storage) -> Result<Box<TrainingRun>, Error> {
    let manifest = storage.get(artefacts::MANIFEST, manifest::MAX_BYTES as u64);
    let manifest = manifest.context(RunSnafu { run })?;
    let manifest = String::from_utf8_lossy(&manifest);
    let resources = manifest::parse(&manifest).context(ManifestSnafu { run })?;
    match resources.into_iter().next() {
        Some(Resource::TrainingRun(training)) => Ok(training),
        _ => NotATrainingSnafu { run }.fail(),
    }
}

/// Whether a prediction can be of this study: other labels give a study's number to another, whose
/// grade or patient then differs.
fn fits(
    pseudonyms: &Pseudonyms,
    labelled: &LabelledStudy,
    target: Target,
    table: &Predictions,
    row: &Prediction,
) -> bool {
    let label = row.label == Some(target.class_of(labelled.grade));
    let patient = table.covariates.iter().position(|name| name == PATIENT);
    let patient = patient.and_then(|column| row.covariates.get(column));
    let may_be = |patient: &String| {
        let patient = patient.parse();
        patient.is_ok_and(|patient| pseudonyms.may_be_of(labelled, patient))
    };
    label && patient.is_none_or(may_be)
}

fn header() -> Vec<String> {
    let leading = ["study", "architecture", "task", "fold", "label", "positive"].map(str::to_owned);
    let classes = (0..MAX_CLASSES).map(|class| format!("p_{class}"));
    leading.into_iter().chain(classes).collect()
}

fn joined(
    study: &str,
    architecture: Architecture,
    target: Target,
    row: &Prediction,
) -> Vec<String> {
    let number = |value: Option<usize>| value.map_or(String::new(), |value| value.to_string());
    let mut fields = vec![
        study.to_owned(),
        architecture.to_string(),
        target.to_string(),
        number(row.fold),
        number(row.label),
        format!("{:?}", positive_probability(target, &row.probabilities)),
    ];
    fields.extend(
        row.probabilities
            .iter()
            .map(|probability| format!("{probability:?}")),
    );
    fields.resize(header().len(), String::new());
    fields
}

fn write(out: Option<PathBuf>, rows: &[Vec<String>]) -> Result<(), Error> {
    let place = out.as_ref().map_or("to standard output".to_owned(), |out| {
        out.display().to_string()
    });
    let context = WriteSnafu { place };
    let table = to_csv(rows).context(context.clone())?;
    match out {
        Some(out) => output::write_new(&out, table.as_bytes()),
        None => output::print(&table),
    }
    .context(context)
}

fn to_csv(rows: &[Vec<String>]) -> io::Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.write_record(row)?;
    }
    let bytes = writer
        .into_inner()
        .map_err(csv::IntoInnerError::into_error)?;
    String::from_utf8(bytes).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use sha2::{Digest, Sha256};

    use super::*;
    use attrium_workflow::{MarkedFile, Marker, StageKind, TaskRef};

    const EVALUATE: TaskRef = TaskRef {
        stage: StageKind::Evaluate,
        index: 0,
    };
    const LABELS: &str = "study,grade,patient\n1.2.3,0,A\n1.2.4,3,A\n1.2.5,1,B\n1.2.6,2,C\n";

    /// A run of one network and two tasks over the studies of `LABELS`.
    fn run_folder(folder: &Path) {
        let manifest = "apiVersion: attrium.dev/v1alpha1\nkind: TrainingRun\nmetadata: {name: demo}\n\
                        spec: {images: scans/, labels: labels.csv, output: results/, \
                        tasks: [Perugini, Positive], networks: [{architecture: Linear}], \
                        crossValidation: {folds: 2, seed: 7}}\n";
        let pseudonyms = Labels::parse(LABELS.as_bytes())
            .expect("labels")
            .pseudonymise(7);
        let table = |target: Target| Predictions {
            classes: target.classes().len(),
            covariates: vec![PATIENT.to_owned()],
            rows: ["1.2.3", "1.2.4", "1.2.5", "1.2.6"]
                .map(|uid| {
                    let labelled = pseudonyms.of(uid).expect("a labelled study");
                    let class = target.class_of(labelled.grade);
                    let mut probabilities = vec![0.0; target.classes().len()];
                    probabilities[class] = 1.0;
                    Prediction {
                        study: labelled.study.to_string(),
                        fold: Some(0),
                        label: Some(class),
                        probabilities,
                        covariates: vec![labelled.patient.to_string()],
                    }
                })
                .into(),
        };
        let tables = [Target::Perugini, Target::Positive].map(|target| {
            let name = artefacts::predictions(Architecture::Linear, target);
            (name, table(target).to_csv().expect("a table"))
        });
        leave(folder, manifest, tables);
    }

    /// Leaves a manifest and what an evaluation has written.
    fn leave(folder: &Path, manifest: &str, tables: [(String, Vec<u8>); 2]) {
        let store = Storage::open(&folder.display().to_string(), &StorageOptions::default());
        let store = store.expect("a folder");
        let put = |name: &str, bytes: Vec<u8>| store.put(name, bytes).expect("a file");
        let attempt = "0190".to_owned();
        let files = tables.map(|(name, table)| {
            let path = format!("{}{name}", artefacts::attempt(EVALUATE, &attempt));
            let (sha256, bytes) = (hex::encode(Sha256::digest(&table)), table.len() as u64);
            put(&path, table);
            MarkedFile {
                name,
                path,
                sha256,
                bytes,
            }
        });
        let marker = Marker {
            files: files.into(),
            attempt,
            ..Marker::default()
        };
        put(artefacts::MANIFEST, manifest.into());
        let marker = serde_json::to_vec(&marker).expect("a marker");
        put(&artefacts::marker(EVALUATE), marker);
    }

    fn link(folder: &Path, labels: &str) -> Result<String, Error> {
        let (labels_path, out) = (folder.join("labels.csv"), folder.join("linked.csv"));
        fs::write(&labels_path, labels).expect("labels");
        run(Args {
            run: folder.display().to_string(),
            labels: labels_path,
            out: Some(out.clone()),
        })?;
        Ok(fs::read_to_string(out).expect("the result"))
    }

    #[test]
    fn each_prediction_is_given_back_to_its_study() {
        let folder = tempfile::tempdir().expect("a folder");
        run_folder(folder.path());
        let linked = link(folder.path(), LABELS).expect("the labels of the run");
        let lines: Vec<&str> = linked.lines().collect();
        assert_eq!(lines.len(), 9);
        assert_eq!(
            lines[0],
            "study,architecture,task,fold,label,positive,p_0,p_1,p_2,p_3"
        );
        for line in [
            "1.2.4,Linear,Perugini,0,3,1.0,0.0,0.0,0.0,1.0",
            "1.2.5,Linear,Perugini,0,1,0.0,0.0,1.0,0.0,0.0",
            "1.2.6,Linear,Positive,0,1,1.0,0.0,1.0,,",
        ] {
            assert!(lines.contains(&line), "{line} is missing");
        }
    }

    #[test]
    fn labels_of_another_cohort_are_refused_rather_than_linked_wrongly() {
        for other in [
            // One study more, one grade changed, one patient changed.
            format!("{LABELS}1.2.7,0,D\n"),
            LABELS.replace("1.2.3,0", "1.2.3,2"),
            LABELS.replace("1.2.4,3,A", "1.2.4,3,D"),
        ] {
            let folder = tempfile::tempdir().expect("a folder");
            run_folder(folder.path());
            let error = link(folder.path(), &other).expect_err("other labels");
            assert!(matches!(error, Error::OtherLabels { .. }), "{error}");
            assert_eq!(error.exit(), TaskExit::BadConfiguration);
        }
    }

    #[test]
    fn an_existing_file_is_never_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        run_folder(folder.path());
        link(folder.path(), LABELS).expect("the labels of the run");
        let error = link(folder.path(), LABELS).expect_err("the result is there");
        assert!(matches!(error, Error::Write { .. }), "{error}");
    }

    #[test]
    fn a_run_without_predictions_says_so() {
        let folder = tempfile::tempdir().expect("a folder");
        run_folder(folder.path());
        fs::remove_dir_all(folder.path().join("tasks")).expect("it was there");
        let error = link(folder.path(), LABELS).expect_err("no predictions");
        assert!(matches!(error, Error::NoPredictions { .. }), "{error}");
    }

    #[test]
    fn predictions_that_have_changed_since_they_were_written_are_linked_with_nobody() {
        let folder = tempfile::tempdir().expect("a folder");
        run_folder(folder.path());
        let name = artefacts::predictions(Architecture::Linear, Target::Positive);
        let path = artefacts::attempt(EVALUATE, "0190") + &name;
        let path = folder.path().join(path);
        let table = fs::read_to_string(&path).expect("a table");
        fs::write(path, table.replace("1.0", "0.9")).expect("a table");
        let error = link(folder.path(), LABELS).expect_err("other predictions");
        assert!(matches!(error, Error::Artefact { .. }), "{error}");
        assert_eq!(error.exit(), TaskExit::BadData);
    }
}
