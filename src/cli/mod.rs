//! The command line: one file a subcommand, no logic.

mod crds;
mod evaluate;
mod inspect;
mod link;
mod logs;
mod output;
mod phantom;
mod run;
mod screen;
mod stage;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use snafu::{ChainCompat, Snafu};

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
    Inspect(inspect::Args),
    Evaluate(evaluate::Args),
    Link(link::Args),
    Phantom(phantom::Args),
    Run(run::Args),
    Screen(screen::Args),
    Stage(stage::Args),
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
    /// A table was not evaluated.
    #[snafu(transparent)]
    Evaluate {
        /// The reason.
        source: evaluate::Error,
    },
    /// Predictions were not joined with studies.
    #[snafu(transparent)]
    Link {
        /// The reason.
        source: link::Error,
    },
    /// A file could not be inspected.
    #[snafu(transparent)]
    Inspect {
        /// The reason.
        source: inspect::Error,
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
    /// Nothing was screened.
    #[snafu(transparent)]
    Screen {
        /// The reason.
        source: screen::Error,
    },
    /// A task has not ended well.
    #[snafu(transparent)]
    Stage {
        /// The reason.
        source: stage::Error,
    },
}

impl Error {
    /// The process's exit code: 42 for bad data, 43 for a bad configuration, 1 for anything else.
    fn exit_code(&self) -> u8 {
        match self {
            Self::Crds { .. } => 1,
            Self::Inspect { source } => source.exit_code(),
            Self::Evaluate { source } => source.exit_code(),
            Self::Link { source } => source.exit_code(),
            Self::Phantom { source } => source.exit_code(),
            Self::Run { source } => source.exit_code(),
            Self::Screen { source } => source.exit_code(),
            Self::Stage { source } => source.exit_code(),
        }
    }
}

/// Parses the arguments, runs the subcommand, and turns its error into an exit code.
pub fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let causes: Vec<String> = ChainCompat::new(&error).map(ToString::to_string).collect();
            eprintln!("error: {}", causes.join(": "));
            ExitCode::from(error.exit_code())
        }
    }
}

fn run(arguments: Arguments) -> Result<(), Error> {
    logs::start(matches!(arguments.command, Command::Stage(_)));
    match arguments.command {
        Command::Crds(args) => crds::run(args)?,
        Command::Inspect(args) => inspect::run(args)?,
        Command::Evaluate(args) => evaluate::run(args)?,
        Command::Link(args) => link::run(args)?,
        Command::Phantom(args) => phantom::run(args)?,
        Command::Run(args) => run::run(&args)?,
        Command::Screen(args) => screen::run(&args)?,
        Command::Stage(args) => stage::run(&args)?,
    }
    Ok(())
}
