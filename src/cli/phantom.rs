//! `attrium phantom`: a synthetic cohort in a folder.

use std::io::{self, IsTerminal};
use std::path::PathBuf;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use snafu::{ResultExt, Snafu};

use super::output;
use attrium_phantom as phantom;
use attrium_phantom::{SyntheticCohort, archive};
use attrium_types::Grade;
use attrium_workflow::TaskExit;

/// Draw a synthetic cohort: bone scans as DICOM, with labels.
///
/// Whole-body scans and some thoracic statics of patients who never were, with the demographics,
/// scanners and grades of Halme 2022, as Nuclear Medicine Image objects below OUT/images and their
/// grades in OUT/labels.csv. The seed decides everything. Run again, it goes on where it stopped.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  attrium phantom --studies 400 --seed 1 --prevalence 0.3 --out cohort
  attrium inspect \"$(find cohort/images -name IM000001.dcm | head -n 1)\"

Every object says that it is synthetic (Quality Control Image is YES), and OUT/phantom.json does too.")]
pub(super) struct Args {
    /// Number of studies.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    studies: u32,
    /// Seed: the same seed gives the same studies, however many there are.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Folder to write; it is made, and must be empty or hold a part of this very cohort.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Share of studies of grade 2 or 3, from 0 to 1 [default: 47 of 1334].
    #[arg(long, value_name = "SHARE", conflicts_with = "grades")]
    prevalence: Option<f64>,
    /// Shares of the grades 0, 1, 2 and 3 [default: 991,296,23,24].
    #[arg(long, value_name = "SHARES", value_parser = shares)]
    grades: Option<Shares>,
    /// Share of patients who were scanned twice, from 0 to 1.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    patients_with_two_scans: f64,
}

/// The shares of the four grades.
type Shares = [f64; 4];

/// Four numbers with commas between them.
fn shares(text: &str) -> Result<Shares, String> {
    let numbers: Result<Vec<f64>, _> = text
        .split(',')
        .map(|number| number.trim().parse())
        .collect();
    let numbers = numbers.map_err(|error| error.to_string())?;
    Shares::try_from(numbers).map_err(|numbers| {
        format!(
            "{} shares are not the four of grades 0, 1, 2 and 3",
            numbers.len()
        )
    })
}

/// Why no cohort was drawn.
#[derive(Debug, Snafu)]
pub(super) enum Error {
    #[snafu(transparent)]
    Phantom { source: phantom::Error },
    #[snafu(display("cannot write to standard output"))]
    Print { source: io::Error },
}

impl Error {
    /// What the process ends with: shares that make no sense can be changed.
    pub(super) fn exit(&self) -> TaskExit {
        match self {
            Self::Phantom { source } if source.is_configuration() => TaskExit::BadConfiguration,
            Self::Phantom { .. } | Self::Print { .. } => TaskExit::Retry,
        }
    }
}

/// Draws the cohort and prints what it is made of.
///
/// # Errors
/// Shares that make no sense; a folder in use; a failure to write.
pub(super) fn run(args: Args) -> Result<(), Error> {
    let cohort = cohort(&args)?;
    let bar = progress_bar(u64::from(args.studies));
    archive::write(&cohort, &args.out, || bar.inc(1))?;
    bar.finish_and_clear();
    output::print(&summary(&cohort, &args)).context(PrintSnafu)
}

fn cohort(args: &Args) -> Result<SyntheticCohort, phantom::Error> {
    let cohort = SyntheticCohort::new(args.studies, args.seed)
        .with_two_scans(args.patients_with_two_scans)?;
    match (args.prevalence, args.grades) {
        (Some(share), _) => cohort.with_prevalence(share),
        (None, Some(shares)) => cohort.with_grades(shares),
        (None, None) => Ok(cohort),
    }
}

fn progress_bar(studies: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} studies, {per_sec}, {eta} left")
        .expect("should be a valid template");
    let target = if io::stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    ProgressBar::with_draw_target(Some(studies), target).with_style(style)
}

fn summary(cohort: &SyntheticCohort, args: &Args) -> String {
    let mut studies = [0u32; Grade::ALL.len()];
    for number in 0..cohort.len() {
        studies[usize::from(cohort.study(number).grade.value())] += 1;
    }
    let [none, low, equal, high] = studies;
    format!(
        "{} synthetic studies: {none} of grade 0, {low} of grade 1, {equal} of grade 2, {high} of grade 3\n\
         images  {}\n\
         labels  {}\n",
        cohort.len(),
        args.out.join(archive::IMAGES).display(),
        args.out.join(archive::LABELS).display(),
    )
}
