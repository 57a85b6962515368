//! The command line: one file a subcommand, no logic.

mod agreement;
mod crds;
mod evaluate;
mod inspect;
mod link;
mod logs;
mod operator;
mod output;
mod phantom;
mod run;
mod screen;
mod stage;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use snafu::{ChainCompat, Snafu};

use attrium_nn::keep_freed_memory;

const EXIT_CODES: &str = "\
Exit codes, of every command:
  0    done
  2    the command line is wrong
  42   the data is bad (objects, tables of predictions): another try is of no use
  43   the configuration is bad (manifest, places and files that are named, labels, bundle)
  130  stopped by Ctrl-C or SIGTERM; run again, it goes on
  1    anything else, a missed gate among it; another try may do

Example:
  attrium run -f training-run.yaml

Research use only: not a medical device.";

/// Trains, evaluates and runs networks that find cardiac amyloidosis on bone scans.
#[derive(Debug, Parser)]
#[command(
    name = "attrium",
    version,
    max_term_width = 100,
    after_help = "Research use only: not a medical device.",
    after_long_help = EXIT_CODES
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Agreement(agreement::Args),
    Crds(crds::Args),
    Inspect(inspect::Args),
    Evaluate(evaluate::Args),
    Link(link::Args),
    Operator(operator::Args),
    Phantom(phantom::Args),
    Run(run::Args),
    Screen(screen::Args),
    Stage(stage::Args),
}

/// What went wrong, to be printed once with its chain of causes.
#[derive(Debug, Snafu)]
pub enum Error {
    /// Readers were not compared.
    #[snafu(transparent)]
    Agreement {
        /// The reason.
        source: agreement::Error,
    },
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
    /// The operator was not started.
    #[snafu(transparent)]
    Operator {
        /// The reason.
        source: attrium_operator::Error,
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
    /// The process's exit code: 42 for bad data, 43 for a bad configuration, 130 where it was stopped,
    /// 1 for anything else.
    fn exit_code(&self) -> u8 {
        match self {
            Self::Agreement { source } => source.exit_code(),
            Self::Crds { .. } => 1,
            Self::Inspect { source } => source.exit_code(),
            Self::Evaluate { source } => source.exit_code(),
            Self::Link { source } => source.exit_code(),
            Self::Operator { source } => source.exit_code(),
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
            logs::failure(&causes.join(": "));
            ExitCode::from(error.exit_code())
        }
    }
}

fn run(arguments: Arguments) -> Result<(), Error> {
    let is_service = matches!(arguments.command, Command::Stage(_) | Command::Operator(_));
    logs::start(is_service);
    if matches!(
        arguments.command,
        Command::Run(_) | Command::Screen(_) | Command::Stage(_)
    ) {
        keep_freed_memory();
    }
    match arguments.command {
        Command::Agreement(args) => agreement::run(args)?,
        Command::Crds(args) => crds::run(args)?,
        Command::Inspect(args) => inspect::run(args)?,
        Command::Evaluate(args) => evaluate::run(args)?,
        Command::Link(args) => link::run(args)?,
        Command::Operator(args) => operator::run(args)?,
        Command::Phantom(args) => phantom::run(args)?,
        Command::Run(args) => run::run(&args)?,
        Command::Screen(args) => screen::run(&args)?,
        Command::Stage(args) => stage::run(&args)?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_subcommands_help_has_an_example() {
        let mut command = Arguments::command();
        let mut subcommands = 0;
        for subcommand in command.get_subcommands_mut() {
            let name = subcommand.get_name().to_owned();
            let help = subcommand.render_long_help().to_string();
            assert!(help.contains("Example:"), "{name}: {help}");
            assert!(help.contains(&format!("attrium {name}")), "{name}: {help}");
            subcommands += 1;
        }
        assert_eq!(subcommands, 10);
    }

    #[test]
    fn the_help_and_the_readme_name_the_same_exit_codes() {
        let help = Arguments::command().render_long_help().to_string();
        let readme = include_str!("../../README.md");
        for code in ["0", "2", "42", "43", "130", "1"] {
            assert!(help.contains(&format!("\n  {code} ")), "{code}: {help}");
            assert!(readme.contains(&format!("\n| {code} |")), "{code}");
        }
    }
}
