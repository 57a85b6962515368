//! The command line: one file a subcommand, no logic.

mod agreement;
mod calibrate;
mod checklist;
mod crds;
mod evaluate;
mod inspect;
mod keys;
mod link;
mod logs;
mod manifest_file;
mod operator;
mod output;
mod phantom;
mod plan_study;
mod run;
mod screen;
mod serve;
mod shares;
mod sign;
mod stage;
mod station;
mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use snafu::Snafu;

use attrium_nn::keep_freed_memory;
use attrium_types::text::causes;
use attrium_workflow::TaskExit;

const EXIT_CODES: &str = "\
Exit codes, of every command:
  0    done
  2    the command line is wrong
  42   the data is bad (objects, tables of predictions, a signature): another try is of no use
  43   the configuration is bad (manifest, places and files that are named, labels, bundle)
  130  stopped by Ctrl-C or SIGTERM; run again, it goes on
  1    anything else, a missed gate or a network that learned nothing among it;
       another try may do

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
    Calibrate(Box<calibrate::Args>),
    Checklist(checklist::Args),
    Crds(crds::Args),
    Inspect(inspect::Args),
    Evaluate(evaluate::Args),
    Link(link::Args),
    Operator(Box<operator::Args>),
    Phantom(phantom::Args),
    PlanStudy(plan_study::Args),
    Run(run::Args),
    Screen(screen::Args),
    Serve(serve::Args),
    Sign(sign::Args),
    Stage(stage::Args),
    Station(station::Args),
    Verify(verify::Args),
}

/// What went wrong, to be printed once with its chain of causes.
#[derive(Debug, Snafu)]
enum Error {
    #[snafu(transparent)]
    Agreement { source: agreement::Error },
    #[snafu(transparent)]
    Calibrate { source: calibrate::Error },
    #[snafu(transparent)]
    Checklist { source: checklist::Error },
    #[snafu(transparent)]
    Crds { source: crds::Error },
    #[snafu(transparent)]
    Evaluate { source: evaluate::Error },
    #[snafu(transparent)]
    Link { source: link::Error },
    #[snafu(transparent)]
    Inspect { source: inspect::Error },
    #[snafu(transparent)]
    Operator { source: attrium_operator::Error },
    #[snafu(transparent)]
    Phantom { source: phantom::Error },
    #[snafu(transparent)]
    PlanStudy { source: plan_study::Error },
    #[snafu(transparent)]
    Run { source: run::Error },
    #[snafu(transparent)]
    Screen { source: screen::Error },
    #[snafu(transparent)]
    Serve { source: serve::Error },
    #[snafu(transparent)]
    Sign { source: sign::Error },
    #[snafu(transparent)]
    Stage { source: stage::Error },
    #[snafu(transparent)]
    Station { source: station::Error },
    #[snafu(transparent)]
    Verify { source: verify::Error },
}

impl Error {
    /// What the process ends with.
    fn exit(&self) -> TaskExit {
        match self {
            Self::Agreement { source } => source.exit(),
            Self::Calibrate { source } => source.exit(),
            Self::Checklist { source } => source.exit(),
            Self::Crds { .. } => TaskExit::Retry,
            Self::Inspect { source } => source.exit(),
            Self::Evaluate { source } => source.exit(),
            Self::Link { source } => source.exit(),
            Self::Operator { source } => source.exit(),
            Self::Phantom { source } => source.exit(),
            Self::PlanStudy { source } => source.exit(),
            Self::Run { source } => source.exit(),
            Self::Screen { source } => source.exit(),
            Self::Serve { source } => source.exit(),
            Self::Sign { source } => source.exit(),
            Self::Stage { source } => source.exit(),
            Self::Station { source } => source.exit(),
            Self::Verify { source } => source.exit(),
        }
    }
}

/// Parses the arguments, runs the subcommand, and turns its error into an exit code.
pub fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            logs::failure(&causes(&error));
            ExitCode::from(error.exit().exit_code())
        }
    }
}

fn run(arguments: Arguments) -> Result<(), Error> {
    let is_service = matches!(arguments.command, Command::Stage(_) | Command::Operator(_))
        || matches!(&arguments.command, Command::Serve(args) if args.serves());
    logs::start(is_service);
    let computes = match &arguments.command {
        Command::Run(_) | Command::Screen(_) | Command::Serve(_) => true,
        Command::Stage(args) => args.computes(),
        _ => false,
    };
    if computes {
        keep_freed_memory();
    }
    match arguments.command {
        Command::Agreement(args) => agreement::run(args)?,
        Command::Calibrate(args) => calibrate::run(&args)?,
        Command::Checklist(args) => checklist::run(&args)?,
        Command::Crds(args) => crds::run(args)?,
        Command::Inspect(args) => inspect::run(args)?,
        Command::Evaluate(args) => evaluate::run(args)?,
        Command::Link(args) => link::run(args)?,
        Command::Operator(args) => operator::run(*args)?,
        Command::PlanStudy(args) => plan_study::run(&args)?,
        Command::Phantom(args) => phantom::run(args)?,
        Command::Run(args) => run::run(&args)?,
        Command::Screen(args) => screen::run(&args)?,
        Command::Serve(args) => serve::run(&args)?,
        Command::Sign(args) => sign::run(&args)?,
        Command::Stage(args) => stage::run(&args)?,
        Command::Station(args) => station::run(&args)?,
        Command::Verify(args) => verify::run(&args)?,
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
        assert_eq!(subcommands, 17);
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
