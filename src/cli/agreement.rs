//! `attrium agreement`: how well readers agree.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use snafu::{ResultExt, Snafu, ensure};

use super::output::{self, Format};
use attrium_dataset::{ReaderGrades, Readings, ReadingsError};
use attrium_evaluation::{
    ReaderAgreement, ReaderPair, number_patients, reader_agreement, reader_pairs_text,
};
use attrium_types::{Grade, Target};
use attrium_workflow::TaskExit;

const EXAMPLE: &str = "\
A table is CSV with a column `study`, a column of Perugini grades for each reader, and perhaps a \
column `patient`: intervals then count the studies of one patient together. Readers are compared on \
the studies that both have graded.

Example:
  attrium agreement --a labels.csv --columns grade,reader2
  attrium agreement --a first.csv --b second.csv";

/// Computes Cohen's kappa of each two readers: plain, with quadratic weights, and for grade >= 2.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Args {
    /// A table of readings.
    #[arg(long, value_name = "FILE")]
    a: PathBuf,
    /// Another table of readings.
    #[arg(long, value_name = "FILE")]
    b: Option<PathBuf>,
    /// The columns of the readers, in each table [default: grade,reader2 of one table, grade of
    /// two].
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    columns: Vec<String>,
    /// How the agreement is printed.
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

/// Why no agreement was computed.
#[derive(Debug, Snafu)]
pub(super) enum Error {
    #[snafu(display("cannot read {}", path.display()))]
    Read { path: PathBuf, source: io::Error },
    #[snafu(display("cannot use {}", path.display()))]
    Table {
        path: PathBuf,
        source: ReadingsError,
    },
    #[snafu(display(
        "one reader agrees with nobody: name two --columns, or a second table as --b"
    ))]
    OneReader,
    #[snafu(display("cannot write to standard output"))]
    Print { source: io::Error },
}

impl Error {
    /// What the process ends with: arguments can be changed, a table is bad data.
    pub(super) fn exit(&self) -> TaskExit {
        match self {
            Self::Read { .. } | Self::OneReader => TaskExit::BadConfiguration,
            Self::Table { .. } => TaskExit::BadData,
            Self::Print { .. } => TaskExit::Retry,
        }
    }
}

/// Compares the readers and prints how well they agree.
pub(super) fn run(args: Args) -> Result<(), Error> {
    let usual: &[&str] = match args.b {
        None => &["grade", "reader2"],
        Some(_) => &["grade"],
    };
    let given: Vec<_> = args.columns.iter().map(String::as_str).collect();
    let columns = if given.is_empty() { usual } else { &given };
    let paths: Vec<&PathBuf> = [Some(&args.a), args.b.as_ref()]
        .into_iter()
        .flatten()
        .collect();
    let tables = paths.iter().map(|path| read(path, columns));
    let tables: Vec<Readings> = tables.collect::<Result<_, _>>()?;
    let mut readers = Vec::new();
    for (path, table) in paths.iter().zip(&tables) {
        let name = |reader: &ReaderGrades| match paths.len() {
            1 => reader.name.clone(),
            _ => format!("{}:{}", path.display(), reader.name),
        };
        readers.extend(table.readers.iter().map(|reader| (name(reader), reader)));
    }
    ensure!(readers.len() > 1, OneReaderSnafu);
    let mut pairs = Vec::new();
    for (first, (a, reader)) in readers.iter().enumerate() {
        for (b, other) in &readers[first + 1..] {
            let both = reader.with(other);
            pairs.push(ReaderPair {
                a: a.clone(),
                b: b.clone(),
                agreement: agreement(&both, &tables),
            });
        }
    }
    let text = |pairs: &Vec<ReaderPair>| reader_pairs_text(pairs);
    output::print_as(args.output, &pairs, text).context(PrintSnafu)
}

fn read(path: &Path, columns: &[&str]) -> Result<Readings, Error> {
    let bytes = fs::read(path).context(ReadSnafu { path })?;
    Readings::parse(&bytes, columns).context(TableSnafu { path })
}

fn agreement(both: &[(&str, Grade, Grade)], tables: &[Readings]) -> ReaderAgreement {
    let target = Target::Perugini;
    let pairs = both
        .iter()
        .map(|(_, a, b)| (target.class_of(*a), target.class_of(*b)));
    let patients = number_patients(both.iter().map(|&(study, ..)| {
        // A study without a patient is a patient of its own, whatever their names.
        tables
            .iter()
            .find_map(|table| table.patient(study))
            .ok_or(study)
    }));
    reader_agreement(target, &pairs.collect::<Vec<_>>(), &patients)
}
