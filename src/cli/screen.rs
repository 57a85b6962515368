//! `attrium screen`: files, screened with a model.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use serde::Serialize;
use snafu::{ResultExt, Snafu, ensure};

use super::keys::{self, Signatures};
use super::output::{self, Format, RESEARCH};
use super::shares::{part, positive_share, share};
use attrium_api::{OperatingPoint, ScreeningStatus};
use attrium_bundle::{Demands, MissingOperatingPoint, MissingPrevalence};
use attrium_dataset::Overlap;
use attrium_evaluation::threshold_text;
use attrium_imaging::HeartRatios;
use attrium_nn as nn;
use attrium_storage::StorageOptions;
use attrium_tasks::screening_table::{ScreeningRow, Verdict};
use attrium_tasks::{
    Candidate, ModelError, Screened, Screener, ScreeningDecision, ScreeningError, TaskError,
    activation_maps, open_model,
};
use attrium_types::{Decimal, LossyPolicy, Tracer, text};
use attrium_workflow::TaskExit;

/// Screens scans with a trained model: a row of probabilities and a decision for each file.
///
/// A file that cannot be used is a row with its reason; where none can be, the exit code is 42.
/// Research use only: a physician confirms every positive.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  attrium screen scan.dcm --model models/heart-perugini --sensitivity 0.95"
)]
pub(super) struct Args {
    /// DICOM files.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The folder of a model bundle: a path or a URI.
    #[arg(long, value_name = "BUNDLE")]
    model: String,
    /// The digest that the bundle has to have, as the status of the run that has published it or
    /// `attrium verify` tells it: another bundle at that place is refused.
    #[arg(long, value_name = "DIGEST", value_parser = digest)]
    digest: Option<String>,
    #[command(flatten)]
    signatures: Signatures,
    /// The share of such scans that are positive, above 0 and below 1: the model's probabilities are
    /// brought to it [default: what the model states, mostly 0.01].
    #[arg(long, value_name = "PREVALENCE", value_parser = part)]
    prevalence: Option<Decimal>,
    /// The least probability of a positive that counts as one, from 0 to 1.
    #[arg(long, value_name = "PROBABILITY", value_parser = share, conflicts_with = "sensitivity")]
    threshold: Option<Decimal>,
    /// The sensitivity to reach on the model's own out-of-fold predictions, above 0, at most 1
    /// [default: 0.95].
    #[arg(long, value_name = "SENSITIVITY", value_parser = positive_share)]
    sensitivity: Option<Decimal>,
    /// Use images that went through lossy compression too, with a warning.
    #[arg(long)]
    accept_lossy: bool,
    /// The bone tracers whose scans are screened, parted by commas [default: HMDP,DPD,PYP,MDP].
    #[arg(long, value_name = "TRACERS", value_delimiter = ',', hide_default_value = true, value_parser = tracer,
        default_values_t = Tracer::ALL.iter().copied())]
    tracers: Vec<Tracer>,
    /// Draw the activation maps of positives into this folder, as PNG.
    #[arg(long, value_name = "FOLDER")]
    maps: Option<PathBuf>,
    /// How the rows are printed.
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

/// Why nothing, or not everything, was screened.
#[derive(Debug, Snafu)]
pub(super) enum Error {
    #[snafu(transparent)]
    Key { source: keys::Error },
    #[snafu(transparent)]
    Model { source: ModelError },
    #[snafu(transparent)]
    OperatingPoint { source: MissingOperatingPoint },
    #[snafu(transparent)]
    Prevalence { source: MissingPrevalence },
    #[snafu(transparent)]
    Screening { source: ScreeningError },
    #[snafu(display("the activation maps cannot be drawn"))]
    Draw { source: TaskError },
    #[snafu(display("cannot write {}", path.display()))]
    Write { path: PathBuf, source: io::Error },
    #[snafu(display(
        "none of the {files} files can be screened: the table says why of each; give anterior views \
         of bone scans"
    ))]
    NothingScreened { files: usize },
    #[snafu(display("cannot write to standard output"))]
    Print { source: io::Error },
}

impl Error {
    /// What the process ends with: another bundle can be named, and files of which none can be used
    /// are bad data.
    pub(super) fn exit(&self) -> TaskExit {
        match self {
            Self::Model { source } => source.exit(),
            Self::Key { .. } | Self::OperatingPoint { .. } | Self::Prevalence { .. } => {
                TaskExit::BadConfiguration
            }
            Self::NothingScreened { .. } => TaskExit::BadData,
            Self::Screening { .. }
            | Self::Draw { .. }
            | Self::Write { .. }
            | Self::Print { .. } => TaskExit::Retry,
        }
    }
}

/// Files that are read, and then decided on, together: enough for all threads, and their crops are
/// small.
const TOGETHER: usize = 64;

/// Screens the files and prints a row for each, in their order.
/// A file that cannot be used is a row too, and an error only where no file can be.
pub(super) fn run(args: &Args) -> Result<(), Error> {
    let demands = Demands {
        digest: args.digest.clone(),
        signatures: args.signatures.policy()?,
    };
    let model = open_model(
        &args.model,
        &demands,
        &StorageOptions::default(),
        &nn::cpu(),
    )?;
    let model = match &args.prevalence {
        Some(prevalence) => model.at_prevalence(prevalence.value())?,
        None => model,
    };
    let point = match (&args.threshold, &args.sensitivity) {
        (None, None) => OperatingPoint::default(),
        (threshold, sensitivity) => OperatingPoint {
            threshold: threshold.clone(),
            sensitivity: sensitivity.clone(),
        },
    };
    let threshold = model.threshold(&point)?;
    let lossy = if args.accept_lossy {
        LossyPolicy::Accept
    } else {
        LossyPolicy::Quarantine
    };
    let screener = Screener::new(model, threshold, lossy, args.tracers.clone());
    let rows = screen(&screener, &args.files, args.maps.as_deref())?;
    let report = Report::new(&screener, rows);
    output::print_as(args.output, &report, Report::table).context(PrintSnafu)?;
    ensure!(
        report.counts.screened > 0,
        NothingScreenedSnafu {
            files: args.files.len()
        }
    );
    Ok(())
}

/// A row for each file, in their order. Some files are read while those before them are decided on.
fn screen(
    screener: &Screener,
    files: &[PathBuf],
    maps: Option<&Path>,
) -> Result<Vec<ScreeningRow>, Error> {
    let mut rows = Vec::with_capacity(files.len());
    let mut parts = files.chunks(TOGETHER).map(|files| {
        let candidates = files.par_iter().map(|file| read(screener, file));
        (files, candidates.collect())
    });
    let mut part = parts.next();
    while let Some((files, candidates)) = part {
        let (screened, next) = rayon::join(|| screener.decide(candidates), || parts.next());
        for (file, screened) in files.iter().zip(&screened?) {
            let mut row =
                ScreeningRow::new(&file.to_string_lossy(), screened, &screener.model.digest);
            if let (Some(folder), Screened::Decided(decision)) = (maps, screened)
                && decision.positive
            {
                let path = folder.join(map_name(rows.len() + 1, file));
                draw(screener, decision, folder, &path)?;
                row.activation_map = path.to_string_lossy().into_owned();
            }
            rows.push(row);
        }
        part = next;
    }
    Ok(rows)
}

fn read(screener: &Screener, file: &Path) -> Candidate {
    if file.is_dir() {
        return screener.read(Err(io::Error::other(
            "it is a folder: name its files, or give it to a ScreeningJob as images",
        )));
    }
    screener.read(fs::read(file))
}

/// The name of a file's picture: with its row's number, since files of several folders may share
/// their names.
fn map_name(row: usize, file: &Path) -> PathBuf {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    PathBuf::from(format!("{row:06}-{stem}.maps.png"))
}

fn draw(
    screener: &Screener,
    decision: &ScreeningDecision,
    folder: &Path,
    path: &Path,
) -> Result<(), Error> {
    let picture = activation_maps(screener, decision).context(DrawSnafu)?;
    fs::create_dir_all(folder).context(WriteSnafu { path: folder })?;
    output::write_private(path, &picture).context(WriteSnafu { path })
}

/// What is printed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    model: String,
    /// The id of the trusted key that has signed it.
    signed_by: Option<String>,
    architecture: String,
    task: String,
    pretrained: bool,
    /// Of the model; `counts` says how many scans are.
    synthetic: bool,
    threshold: f64,
    counts: ScreeningStatus,
    studies: Vec<Study>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Study {
    object: String,
    decision: &'static str,
    positive_probability: Option<f64>,
    probabilities: Vec<f64>,
    #[serde(flatten)]
    ratios: HeartRatios,
    warnings: Vec<String>,
    /// What of it the model was trained on; empty without a decision.
    overlap: Vec<&'static str>,
    /// Whether the decision is uncertain; null without a decision, and where nobody can tell.
    uncertain: Option<bool>,
    /// Why it is.
    doubts: Vec<&'static str>,
    #[serde(skip_serializing_if = "String::is_empty")]
    reason: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    sentence: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    activation_map: String,
}

impl Report {
    fn new(screener: &Screener, rows: Vec<ScreeningRow>) -> Self {
        let manifest = &screener.model.manifest;
        let mut counts = ScreeningStatus::default();
        for row in &rows {
            row.count(&mut counts);
        }
        Self {
            model: screener.model.digest.clone(),
            signed_by: screener
                .model
                .approval
                .as_ref()
                .map(|it| it.key.to_string()),
            architecture: manifest.architecture.to_string(),
            task: manifest.target.to_string(),
            pretrained: manifest.initial_weights.are_pretrained(),
            synthetic: manifest.synthetic,
            threshold: screener.threshold,
            counts,
            studies: rows.into_iter().map(Study::from).collect(),
        }
    }

    fn table(&self) -> String {
        let header = ["OBJECT", "DECISION", "P(POSITIVE)", "H/CL", "NOTES"].map(str::to_owned);
        let rows = self.studies.iter().map(Study::cells);
        let rows = std::iter::once(header).chain(rows);
        // Words that not every table has do not move the columns.
        let rows: Vec<_> = rows
            .map(|[object, decision, probability, ratio, notes]| {
                let decision = format!("{decision:<10}");
                let probability = format!("{probability:>11}");
                vec![object, decision, probability, format!("{ratio:>5}"), notes]
            })
            .collect();
        let mut text = text::table(&rows, 2);
        text.push_str(&self.footer());
        text
    }

    fn footer(&self) -> String {
        let counts = &self.counts;
        let synthetic = if self.synthetic {
            ", trained on synthetic scans"
        } else {
            ""
        };
        let phantoms = match counts.synthetic {
            0 => String::new(),
            count => format!("{count} of the scans are synthetic\n"),
        };
        let seen = match counts.overlap_words() {
            Some(words) => format!("{words}\n"),
            None => String::new(),
        };
        let uncertain = match counts.uncertain_words() {
            Some(words) => format!("{words}\n"),
            None => String::new(),
        };
        format!(
            "\n{} screened, {} positive, {} negative, {} of another view, {} unusable; positive \
             from {}\n{} for {}{synthetic}, {}\n{phantoms}{seen}{uncertain}{RESEARCH}",
            counts.screened,
            counts.positive,
            counts.negative,
            counts.other_views,
            counts.unusable,
            threshold_text(self.threshold),
            self.architecture,
            self.task,
            self.model,
        )
    }
}

impl Study {
    /// The warnings, in which ways the model has seen it, and why its decision is uncertain.
    fn notes(&self) -> Vec<String> {
        let is_news = |word: &&&str| !["none", "unknown", "partly-known"].contains(*word);
        let seen = self.overlap.iter().filter(is_news);
        let seen = seen.map(|word| format!("seen in training: {word}"));
        let doubts = self
            .doubts
            .iter()
            .map(|doubt| format!("uncertain: {doubt}"));
        let warnings = self.warnings.iter().cloned();
        warnings.chain(seen).chain(doubts).collect()
    }

    /// What the table for people says of it.
    fn cells(&self) -> [String; 5] {
        let figure = |value: Option<f64>, digits| {
            value.map_or("-".to_owned(), |value| format!("{value:.digits$}"))
        };
        let notes = if self.sentence.is_empty() {
            self.notes().join(", ")
        } else {
            self.sentence.clone()
        };
        [
            self.object.clone(),
            self.decision.to_owned(),
            figure(self.positive_probability, 3),
            figure(self.ratios.contralateral, 2),
            notes,
        ]
    }
}

impl From<ScreeningRow> for Study {
    fn from(row: ScreeningRow) -> Self {
        Self {
            object: row.object,
            decision: Verdict::name(row.verdict),
            positive_probability: row.positive_probability,
            probabilities: row.probabilities,
            ratios: row.ratios,
            warnings: row.warnings,
            overlap: row.overlap.map(Overlap::words).unwrap_or_default(),
            uncertain: row.uncertainty.is_flagged(),
            doubts: row
                .uncertainty
                .doubts()
                .iter()
                .map(|it| it.word())
                .collect(),
            reason: row.reason,
            sentence: row.sentence,
            activation_map: row.activation_map,
        }
    }
}

/// A bundle's digest.
pub(super) fn digest(text: &str) -> Result<String, String> {
    let digits = text.strip_prefix("sha256:").unwrap_or_default();
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if digits.len() == 64 && digits.bytes().all(is_digit) {
        Ok(text.to_owned())
    } else {
        Err("use sha256: and 64 small hexadecimal digits".to_owned())
    }
}

/// A bone tracer by its short name, in capitals or not.
fn tracer(text: &str) -> Result<Tracer, String> {
    let known = Tracer::ALL
        .iter()
        .map(Tracer::to_string)
        .collect::<Vec<_>>();
    let parsed = text.trim().to_uppercase().parse();
    parsed.map_err(|_| format!("use {}", known.join(", ")))
}
