//! `attrium calibrate`: a model, recalibrated to the scans of a site.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use snafu::{OptionExt, ResultExt, Snafu, ensure};

use super::keys::{self, Signatures};
use super::output::{self, Format, RESEARCH};
use super::shares::part;
use attrium_bundle::Demands;
use attrium_evaluation as evaluation;
use attrium_evaluation::{Estimate, Predictions, Reliability};
use attrium_storage::StorageOptions;
use attrium_tasks::{CalibratedModel, Calibration, CalibrationError, calibrate_model};
use attrium_types::{Decimal, text};
use attrium_workflow::{TaskExit, artefacts};

const EXAMPLE: &str = "\
The predictions are those of a ScreeningJob with labels: predictions/<architecture>-<task>.csv below its results. Where \
its screening.json lies there too, they are compared with the model; studies that overlap.csv names are left out, since \
the model was trained on them.

Example:
  attrium calibrate --model models/heart-perugini --predictions results/predictions/Heart-Perugini.csv --out models/here";

/// Recalibrates a model to a site, on its predictions of scans of the site whose grades are known.
///
/// The new bundle has the networks of the old one, whose digest it names, and an intercept and a slope of the log odds of a
/// positive, the prevalence and operating points of the site. Some 200 scans with 10 positives do; 5 positives are the
/// least.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Args {
    /// The folder of a model bundle: a path or a URI.
    #[arg(long, value_name = "BUNDLE")]
    model: String,
    /// The digest that the bundle has to have: another bundle at that place is refused.
    #[arg(long, value_name = "DIGEST", value_parser = super::screen::digest)]
    digest: Option<String>,
    #[command(flatten)]
    signatures: Signatures,
    /// The table of the model's predictions, with labels.
    #[arg(long, value_name = "FILE")]
    predictions: PathBuf,
    /// The share of positives that the predictions are stated for, above 0 and below 1 [default: what screening.json says,
    /// else what the model states].
    #[arg(long, value_name = "SHARE", value_parser = part)]
    stated_for: Option<Decimal>,
    /// The share of positives that the new bundle states its probabilities for, above 0 and below 1: that of the site, where
    /// the scans were chosen [default: the share among the scans].
    #[arg(long, value_name = "SHARE", value_parser = part)]
    prevalence: Option<Decimal>,
    /// The folder of the new bundle: a path or a URI.
    #[arg(long, value_name = "FOLDER")]
    out: String,
    /// Recalibrate a model, too, that tells the site's positives from its negatives no better than chance.
    #[arg(long)]
    force: bool,
    /// How the result is printed.
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

/// Why no model was recalibrated.
#[derive(Debug, Snafu)]
pub(super) enum Error {
    #[snafu(transparent)]
    Key { source: keys::Error },
    #[snafu(display("cannot read {}", path.display()))]
    Read { path: PathBuf, source: io::Error },
    #[snafu(display("cannot use {}", path.display()))]
    Table {
        path: PathBuf,
        source: evaluation::Error,
    },
    #[snafu(display("{} is no summary of a screening", path.display()))]
    Summary {
        path: PathBuf,
        source: serde_json::Error,
    },
    #[snafu(display("{} is no table of studies: it has no column `study`", path.display()))]
    Overlap { path: PathBuf },
    #[snafu(display(
        "{} are predictions of the model {found}, not of {expected}: name the model that has made them",
        path.display()
    ))]
    OtherModel {
        path: PathBuf,
        found: String,
        expected: String,
    },
    #[snafu(transparent)]
    Calibrate { source: CalibrationError },
    #[snafu(display("cannot write to standard output"))]
    Print { source: io::Error },
}

impl Error {
    /// What the process ends with: arguments can be changed, a table is bad data.
    pub(super) fn exit(&self) -> TaskExit {
        match self {
            Self::Key { .. } | Self::Read { .. } | Self::OtherModel { .. } => {
                TaskExit::BadConfiguration
            }
            Self::Table { .. } | Self::Summary { .. } | Self::Overlap { .. } => TaskExit::BadData,
            Self::Calibrate { source } => source.exit(),
            Self::Print { .. } => TaskExit::Retry,
        }
    }
}

/// Writes the new bundle and prints what it is.
pub(super) fn run(args: &Args) -> Result<(), Error> {
    let site = Site::read(&args.predictions)?;
    if !site.is_proven() {
        tracing::warn!(
            "no {} lies beside the predictions, so that nothing proves which model has made them: the new bundle says so",
            artefacts::SCREENING_SUMMARY
        );
    }
    let demands = Demands {
        digest: args.digest.clone().or_else(|| site.model.clone()),
        signatures: args.signatures.policy()?,
    };
    if let (Some(expected), Some(found)) = (&args.digest, &site.model) {
        let path = &args.predictions;
        ensure!(
            expected == found,
            OtherModelSnafu {
                path,
                found,
                expected
            }
        );
    }
    let stated_for = args.stated_for.as_ref().map(Decimal::value);
    let calibration = Calibration {
        predictions: &site.predictions,
        stated_for: stated_for.or(site.prevalence),
        proven: site.is_proven(),
        prevalence: args.prevalence.as_ref().map(Decimal::value),
        force: args.force,
    };
    let calibrated = calibrate_model(
        &args.model,
        &demands,
        &StorageOptions::default(),
        &calibration,
        &args.out,
    )?;
    let report = Report {
        uri: args.out.clone(),
        left_out: site.left_out,
        calibrated,
    };
    output::print_as(args.output, &report, Report::table).context(PrintSnafu)
}

/// Predictions of a site's scans, and what lies beside them.
struct Site {
    /// Those of studies that the model was not trained on.
    predictions: Predictions,
    /// How many others there are.
    left_out: u64,
    /// The digest of the model that has made them, where that is known.
    model: Option<String>,
    /// The prevalence that they are stated for, where that is known.
    prevalence: Option<f64>,
}

/// `screening.json`, as far as it is read here.
#[derive(Deserialize)]
struct ScreeningSummary {
    model: ScreeningModel,
}

#[derive(Deserialize)]
struct ScreeningModel {
    digest: String,
    #[serde(default)]
    prevalence: Option<f64>,
}

impl Site {
    fn read(path: &Path) -> Result<Self, Error> {
        let bytes = fs::read(path).context(ReadSnafu { path })?;
        let mut predictions = Predictions::parse(&bytes).context(TableSnafu { path })?;
        let folder = path.parent().and_then(Path::parent);
        let folder = folder.map(Path::to_owned).unwrap_or_default();
        let summary = summary(&folder.join(artefacts::SCREENING_SUMMARY))?;
        let all = predictions.rows.len();
        if summary.is_some() {
            let seen = seen(&folder.join(artefacts::OVERLAP))?;
            predictions.rows.retain(|row| !seen.contains(&row.study));
        }
        let model = summary.map(|summary| summary.model);
        Ok(Self {
            left_out: (all - predictions.rows.len()) as u64,
            predictions,
            prevalence: model.as_ref().and_then(|model| model.prevalence),
            model: model.map(|model| model.digest),
        })
    }

    fn is_proven(&self) -> bool {
        self.model.is_some()
    }
}

/// The summary of a screening, where there is one.
fn summary(path: &Path) -> Result<Option<ScreeningSummary>, Error> {
    let Some(bytes) = read_if_there(path)? else {
        return Ok(None);
    };
    serde_json::from_slice(&bytes)
        .map(Some)
        .context(SummarySnafu { path })
}

/// The pseudonyms of the studies that the model was trained on.
fn seen(path: &Path) -> Result<BTreeSet<String>, Error> {
    let Some(bytes) = read_if_there(path)? else {
        return Ok(BTreeSet::new());
    };
    let mut table = csv::Reader::from_reader(bytes.as_slice());
    let place = table.headers().ok();
    let place = place.and_then(|header| header.iter().position(|name| name == "study"));
    let place = place.context(OverlapSnafu { path })?;
    let studies = table
        .records()
        .map(|row| Some(row.ok()?.get(place)?.to_owned()));
    let studies: Option<_> = studies.collect();
    studies.context(OverlapSnafu { path })
}

fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some).context(ReadSnafu { path }),
    }
}

/// What is printed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    /// The folder of the new bundle.
    uri: String,
    /// Studies of the table that the model was trained on.
    left_out: u64,
    #[serde(flatten)]
    calibrated: CalibratedModel,
}

impl Report {
    fn table(&self) -> String {
        let calibrated = &self.calibrated;
        let recalibration = &calibrated.recalibration;
        let seen = match self.left_out {
            0 => String::new(),
            studies => {
                format!("; {studies} more were left out, since the model was trained on them")
            }
        };
        format!(
            "recalibrated on {} scans, {} of them positive{seen}\n\n{}\n\
             log odds of a positive: {:.3} times what they were, and {:.3} added\n\
             stated for: a prevalence of {:.1} %, that of the scans is {:.1} %\n\
             from: {}{}\n\
             digest: {}\n{}\n{RESEARCH}",
            recalibration.studies,
            recalibration.positives,
            reliabilities(calibrated.before.as_ref(), calibrated.after.as_ref()),
            recalibration.slope,
            recalibration.intercept,
            100.0 * calibrated.prevalence.stated,
            100.0 * calibrated.prevalence.cohort,
            recalibration.parent,
            if recalibration.proven {
                ""
            } else {
                ", though nothing proves that the predictions are its own"
            },
            calibrated.digest,
            self.uri,
        )
    }
}

/// How far probabilities could and can be taken at their word, side by side.
fn reliabilities(before: Option<&Reliability>, after: Option<&Reliability>) -> String {
    let header = ["", "BEFORE", "AFTER, ON THE SAME SCANS"].map(str::to_owned);
    let of = |name: &str, figure: fn(&Reliability) -> Option<Estimate>| {
        let cell =
            |judged: Option<&Reliability>| judged.and_then(figure).map_or("-".to_owned(), cell);
        vec![name.to_owned(), cell(before), cell(after)]
    };
    let plain = |value: f64| {
        Some(Estimate {
            value,
            interval: None,
        })
    };
    let error = |judged: Option<&Reliability>| {
        let error = judged.and_then(|it| plain(it.expected_calibration_error));
        error.map_or("-".to_owned(), cell)
    };
    let rows = [
        header.to_vec(),
        of("observed over expected", |it| it.observed_over_expected),
        of("slope", |it| it.slope),
        of("intercept", |it| it.intercept),
        vec!["calibration error".to_owned(), error(before), error(after)],
    ];
    text::table(&rows, 2)
}

fn cell(estimate: Estimate) -> String {
    let value = format!("{:.2}", estimate.value);
    match estimate.interval {
        Some(interval) => format!("{value} [{:.2}, {:.2}]", interval.low, interval.high),
        None => value,
    }
}
