//! `attrium evaluate`: the metrics of a table of predictions.

use std::fs;
use std::io;
use std::path::PathBuf;

use snafu::{OptionExt, ResultExt, Snafu};

use super::output::{self, Format};
use attrium_evaluation as evaluation;
use attrium_evaluation::{AssumedPrior, EvaluationOptions, Predictions};
use attrium_types::Target;
use attrium_workflow::TaskExit;

const EXAMPLE: &str = "\
The table is CSV: study,fold,label,p_0,p_1 (and p_2,p_3 for four grades), then any covariates. Each \
covariate makes subgroups; a column `patient` says which studies are of one patient; `label` is the \
number of the true class, or empty.

Example:
  attrium evaluate --predictions predictions/Residual-Positive.csv --prevalence 0.035";

/// Computes AUC, sensitivity, calibration and all other metrics of a predictions table.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Args {
    /// The table of predictions.
    #[arg(long, value_name = "FILE")]
    predictions: PathBuf,
    /// What was predicted: Perugini, Positive or HighGrade. Default: Perugini for four classes,
    /// Positive for two.
    #[arg(long = "task", value_name = "TASK", value_parser = target)]
    target: Option<Target>,
    /// The share of positives, between 0 and 1, to state predictive values for [default: 0.01].
    #[arg(long, value_name = "SHARE")]
    prevalence: Option<f64>,
    /// The share of positives, between 0 and 1, that the probabilities are stated for, as those of a
    /// screening are: their reliability is judged at the share in the table [default: that share].
    #[arg(long, value_name = "SHARE")]
    stated_for: Option<f64>,
    /// A threshold on the probability of a positive, from 0 to 1, that was chosen on other studies,
    /// to be judged on these.
    #[arg(long, value_name = "PROBABILITY")]
    threshold: Option<f64>,
    /// How the metrics are printed.
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

/// Why a table was not evaluated.
#[derive(Debug, Snafu)]
pub(super) enum Error {
    #[snafu(display("cannot read {}", path.display()))]
    Read { path: PathBuf, source: io::Error },
    #[snafu(display("cannot evaluate {}", path.display()))]
    Table {
        path: PathBuf,
        source: evaluation::Error,
    },
    #[snafu(display(
        "cannot evaluate {}: it has {classes} classes, where Perugini has 4 and Positive and \
         HighGrade have 2",
        path.display()
    ))]
    UnknownTarget { path: PathBuf, classes: usize },
    #[snafu(display("cannot write to standard output"))]
    Print { source: io::Error },
}

impl Error {
    /// What the process ends with: arguments can be changed, a table is bad data.
    pub(super) fn exit(&self) -> TaskExit {
        match self {
            Self::Read { .. } => TaskExit::BadConfiguration,
            Self::Table { source, .. } => match source {
                evaluation::Error::Classes { .. }
                | evaluation::Error::Prevalence { .. }
                | evaluation::Error::Threshold { .. } => TaskExit::BadConfiguration,
                _ => TaskExit::BadData,
            },
            Self::UnknownTarget { .. } => TaskExit::BadData,
            Self::Print { .. } => TaskExit::Retry,
        }
    }
}

/// Evaluates the table and prints its metrics.
pub(super) fn run(args: Args) -> Result<(), Error> {
    let path = &args.predictions;
    let bytes = fs::read(path).context(ReadSnafu { path })?;
    let predictions = Predictions::parse(&bytes).context(TableSnafu { path })?;
    let classes = predictions.classes;
    let target = args.target.or_else(|| usual_target(classes));
    let target = target.context(UnknownTargetSnafu { path, classes })?;
    let options = EvaluationOptions {
        prevalence: args.prevalence,
        threshold: args.threshold,
        prior: args
            .stated_for
            .map_or(AssumedPrior::Cohort, AssumedPrior::Prevalence),
    };
    let metrics =
        evaluation::evaluate(target, &predictions, &options).context(TableSnafu { path })?;
    output::print_as(args.output, &metrics, evaluation::Metrics::to_text).context(PrintSnafu)
}

fn usual_target(classes: usize) -> Option<Target> {
    match classes {
        4 => Some(Target::Perugini),
        2 => Some(Target::Positive),
        _ => None,
    }
}

/// Reads a target's name; small letters will do.
fn target(text: &str) -> Result<Target, String> {
    let targets = [Target::Perugini, Target::Positive, Target::HighGrade];
    let found = targets
        .into_iter()
        .find(|target| target.to_string().eq_ignore_ascii_case(text));
    found.ok_or_else(|| "use Perugini, Positive or HighGrade".to_owned())
}
