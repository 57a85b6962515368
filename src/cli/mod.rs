//! The command line: one file a subcommand, no logic.

mod crds;
mod output;
mod phantom;
mod run;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use snafu::Snafu;

/// Trains, evaluates and runs networks that find cardiac amyloidosis on bone scans.
#[derive(Debug, Parser)]
#[command(
    name = "attrium",
    version,
    max_term_width = 100,
    after_help = "Research use only: not a medical device."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Crds(crds::Args),
    Phantom(phantom::Args),
    Run(run::Args),
}

/// What went wrong, to be printed once with its chain of causes.
#[derive(Debug, Snafu)]
pub enum Error {
    /// The definitions could not be written.
    #[snafu(transparent)]
    Crds {
        /// The reason.
        source: crds::Error,
    },
    /// No cohort was drawn.
    #[snafu(transparent)]
    Phantom {
        /// The reason.
        source: phantom::Error,
    },
    /// A run has not succeeded.
    #[snafu(transparent)]
    Run {
        /// The reason.
        source: run::Error,
    },
}

impl Error {
    /// The process's exit code: 42 for bad data, 43 for a bad configuration, 1 for anything else.
    fn exit_code(&self) -> u8 {
        match self {
            Self::Crds { .. } => 1,
            Self::Phantom { source } => source.exit_code(),
            Self::Run { source } => source.exit_code(),
        }
    }
}

/// Parses the arguments, runs the subcommand, and turns its error into an exit code.
pub fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!(
                "error: {}",
                snafu::Report::from_error(&error).to_string().trim_end()
            );
            ExitCode::from(error.exit_code())
        }
    }
}

fn run(arguments: Arguments) -> Result<(), Error> {
    match arguments.command {
        Command::Crds(args) => crds::run(args)?,
        Command::Phantom(args) => phantom::run(args)?,
        Command::Run(args) => run::run(&args)?,
    }
    Ok(())
}
