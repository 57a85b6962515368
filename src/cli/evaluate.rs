use std::fs;
use std::io;
use std::path::PathBuf;

use snafu::{OptionExt, ResultExt, Snafu};

use super::output::{self, Format};
use attrium_evaluation as evaluation;
use attrium_evaluation::{EvaluationOptions, Predictions};
use attrium_types::Target;

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
    #[arg(long, value_parser = task)]
    task: Option<Target>,
    /// The share of positives, between 0 and 1, to state predictive values for. Default: that of
    /// the paper, 0.035 (0.018 for HighGrade).
    #[arg(long, value_name = "SHARE")]
    prevalence: Option<f64>,
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
pub enum Error {
    /// The file could not be read.
    #[snafu(display("cannot read {}", path.display()))]
    Read {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The table is wrong.
    #[snafu(display("cannot evaluate {}", path.display()))]
    Table {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: evaluation::Error,
    },
    /// No task has that many classes.
    #[snafu(display(
        "cannot evaluate {}: it has {classes} classes, where Perugini has 4 and Positive and \
         HighGrade have 2",
        path.display()
    ))]
    UnknownTask {
        /// The file.
        path: PathBuf,
        /// The table's classes.
        classes: usize,
    },
    /// Standard output could not be written to.
    #[snafu(display("cannot write to standard output"))]
    Print {
        /// The reason.
        source: io::Error,
    },
}

impl Error {
    /// 43 where the arguments are to be changed, 42 where the table is.
    pub(super) fn exit_code(&self) -> u8 {
        match self {
            Self::Read { .. } => 43,
            Self::Table { source, .. } => match source {
                evaluation::Error::Classes { .. }
                | evaluation::Error::Prevalence { .. }
                | evaluation::Error::Threshold { .. } => 43,
                _ => 42,
            },
            Self::UnknownTask { .. } => 42,
            Self::Print { .. } => 1,
        }
    }
}

/// Evaluates the table and prints its metrics.
///
/// # Errors
/// [`Error`].
pub(super) fn run(args: Args) -> Result<(), Error> {
    let path = &args.predictions;
    let bytes = fs::read(path).context(ReadSnafu { path })?;
    let predictions = Predictions::parse(&bytes).context(TableSnafu { path })?;
    let classes = predictions.classes;
    let task = args.task.or_else(|| usual_task(classes));
    let task = task.context(UnknownTaskSnafu { path, classes })?;
    let options = EvaluationOptions {
        prevalence: args.prevalence,
        threshold: args.threshold,
    };
    let metrics =
        evaluation::evaluate(task, &predictions, &options).context(TableSnafu { path })?;
    output::print_as(args.output, &metrics, evaluation::Metrics::to_text).context(PrintSnafu)
}

fn usual_task(classes: usize) -> Option<Target> {
    match classes {
        4 => Some(Target::Perugini),
        2 => Some(Target::Positive),
        _ => None,
    }
}

/// Reads a task's name; small letters will do.
pub(super) fn task(text: &str) -> Result<Target, String> {
    let tasks = [Target::Perugini, Target::Positive, Target::HighGrade];
    let found = tasks
        .into_iter()
        .find(|task| task.to_string().eq_ignore_ascii_case(text));
    found.ok_or_else(|| "use Perugini, Positive or HighGrade".to_owned())
}
