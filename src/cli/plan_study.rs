//! `attrium plan-study`: how many scans a study takes.

use std::io;

use serde::Serialize;
use snafu::{ResultExt, Snafu};

use super::output::{self, Format};
use super::shares::part;
use attrium_evaluation::{
    DevelopmentSize, ModelDemand, PlanError, ShareDemand, ShareSize, ValidationSize, scans_for,
};
use attrium_types::{Decimal, text};
use attrium_workflow::TaskExit;

const NOTES: &str = "\
Scans are consecutive ones. A study that chooses its scans takes the positives and the negatives; observed over expected
and predictive values it cannot tell.
Numbers hold for one scan of each patient, intervals are 95 %. What a development takes is that of a regression with so
many parameters: no criterion is known for a network. A recalibration to a site has two.
";

const EXAMPLE: &str = "\
Example:
  attrium plan-study --sensitivity 0.95 --lower 0.90 --prevalence 0.01";

/// Says how many positives and scans the validation and the development of a model take.
///
/// A sensitivity is shown whose lower limit is not below --lower. A validation of probabilities and a development are
/// planned by the criteria of Riley et al.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Args {
    /// The sensitivity that is expected, above 0 and below 1.
    #[arg(long, value_name = "SHARE", value_parser = part)]
    sensitivity: Decimal,
    /// The least that the lower limit of its interval may be, below it.
    #[arg(long, value_name = "SHARE", value_parser = part)]
    lower: Decimal,
    /// The specificity that is expected, above 0 and below 1 [default: none is planned].
    #[arg(long, value_name = "SHARE", value_parser = part, requires = "specificity_lower")]
    specificity: Option<Decimal>,
    /// The least that the lower limit of its interval may be, below it.
    #[arg(long, value_name = "SHARE", value_parser = part, requires = "specificity")]
    specificity_lower: Option<Decimal>,
    /// The share of scans that are positive, above 0 and below 1.
    #[arg(long, value_name = "SHARE", value_parser = part, default_value = "0.01")]
    prevalence: Decimal,
    /// The area below the ROC curve that is expected, above 0.5 and below 1.
    #[arg(long, value_name = "AREA", value_parser = part, default_value = "0.95")]
    auc: Decimal,
    /// How many parameters are fitted in the development.
    #[arg(long, value_name = "NUMBER", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
    parameters: u32,
    /// The probability with which the study is to show what is expected, above 0 and below 1.
    #[arg(long, value_name = "PROBABILITY", value_parser = part, default_value = "0.9")]
    assurance: Decimal,
    /// How the plan is printed.
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

/// Why nothing was planned.
#[derive(Debug, Snafu)]
pub(super) enum Error {
    #[snafu(display("such a study cannot be planned"))]
    Plan { source: PlanError },
    #[snafu(display("cannot write to standard output"))]
    Print { source: io::Error },
}

impl Error {
    /// What the process ends with.
    pub(super) fn exit(&self) -> TaskExit {
        match self {
            Self::Plan { .. } => TaskExit::BadConfiguration,
            Self::Print { .. } => TaskExit::Retry,
        }
    }
}

/// Prints the numbers.
pub(super) fn run(args: &Args) -> Result<(), Error> {
    let plan = Plan::new(args).context(PlanSnafu)?;
    output::print_as(args.output, &plan, Plan::table).context(PrintSnafu)
}

/// What is printed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Plan {
    prevalence: f64,
    assurance: f64,
    auc: f64,
    parameters: u32,
    sensitivity: Share,
    specificity: Option<Share>,
    validation: ValidationSize,
    development: DevelopmentSize,
}

/// A sensitivity or a specificity.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Share {
    expected: f64,
    lower: f64,
    /// Positives, or negatives.
    studies: ShareSize,
    /// Consecutive scans that have as many: on average where all is as expected, else with the assurance.
    scans: Scans,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Scans {
    as_expected: u64,
    assured: u64,
}

impl Plan {
    fn new(args: &Args) -> Result<Self, PlanError> {
        let [prevalence, assurance] = [&args.prevalence, &args.assurance].map(Decimal::value);
        let model = ModelDemand {
            auc: args.auc.value(),
            prevalence,
        };
        let specificity = args
            .specificity
            .as_ref()
            .zip(args.specificity_lower.as_ref());
        Ok(Self {
            prevalence,
            assurance,
            auc: model.auc,
            parameters: args.parameters,
            sensitivity: Share::new(&args.sensitivity, &args.lower, prevalence, assurance)?,
            specificity: match specificity {
                Some((expected, lower)) => {
                    Some(Share::new(expected, lower, 1.0 - prevalence, assurance)?)
                }
                None => None,
            },
            validation: model.validation()?,
            development: model.development(args.parameters)?,
        })
    }

    fn table(&self) -> String {
        let header = ["TO SHOW", "POSITIVES", "NEGATIVES", "SCANS"];
        let mut rows = vec![row(header.map(str::to_owned))];
        rows.push(titled("Validation, of calls"));
        let own = |studies: u64| [studies.to_string(), "-".to_owned()];
        rows.extend(self.share("sensitivity", &self.sensitivity, own));
        let others = |studies: u64| ["-".to_owned(), studies.to_string()];
        if let Some(specificity) = &self.specificity {
            rows.extend(self.share("specificity", specificity, others));
        }
        let Self {
            validation,
            development,
            auc,
            ..
        } = self;
        rows.push(titled("Validation, of probabilities"));
        rows.extend([
            self.criterion(
                "observed over expected, from 0.8 to 1.25",
                validation.observed_over_expected,
            ),
            self.criterion("slope, from 0.8 to 1.2", validation.slope),
            self.criterion(
                &format!("AUC of {auc}, 0.05 to either side"),
                validation.auc,
            ),
        ]);
        rows.push(titled(&format!(
            "Development, of {} parameters",
            self.parameters
        )));
        rows.extend([
            self.criterion(
                "predictions that shrink by at most a tenth",
                development.shrinkage,
            ),
            self.criterion("R² that is at most 0.05 too high", development.optimism),
            self.criterion("the share of positives", development.overall),
        ]);
        format!("{}\n{NOTES}", text::table(&rows, 2))
    }

    /// The rows of a share.
    fn share(
        &self,
        name: &str,
        share: &Share,
        studies: impl Fn(u64) -> [String; 2],
    ) -> [Vec<String>; 2] {
        let Share {
            expected, lower, ..
        } = share;
        let line = |what: String, number: u64, scans: u64| {
            let [positives, negatives] = studies(number);
            row([format!("  {what}"), positives, negatives, scans.to_string()])
        };
        [
            line(
                format!("{name} of {expected}, at least {lower}, if found so"),
                share.studies.as_expected,
                share.scans.as_expected,
            ),
            line(
                format!("the same, {:.0} % sure", 100.0 * self.assurance),
                share.studies.assured,
                share.scans.assured,
            ),
        ]
    }

    /// The row of a criterion that takes so many scans.
    fn criterion(&self, what: &str, scans: u64) -> Vec<String> {
        let positives = (scans as f64 * self.prevalence).ceil() as u64;
        row([
            format!("  {what}"),
            positives.to_string(),
            scans.saturating_sub(positives).to_string(),
            scans.to_string(),
        ])
    }
}

impl Share {
    /// Of studies that make up so large a part of all scans.
    fn new(
        expected: &Decimal,
        lower: &Decimal,
        of_scans: f64,
        assurance: f64,
    ) -> Result<Self, PlanError> {
        let (expected, lower) = (expected.value(), lower.value());
        let studies = ShareDemand { expected, lower }.size(assurance)?;
        let assured = scans_for(studies.assured, of_scans, assurance);
        Ok(Self {
            expected,
            lower,
            studies,
            scans: Scans {
                as_expected: (studies.as_expected as f64 / of_scans).ceil() as u64,
                assured: assured.ok_or(PlanError::TooMany { expected, lower })?,
            },
        })
    }
}

fn row(cells: [String; 4]) -> Vec<String> {
    let [what, numbers @ ..] = cells;
    let numbers = numbers.map(|number| format!("{number:>9}"));
    std::iter::once(what).chain(numbers).collect()
}

fn titled(title: &str) -> Vec<String> {
    vec![title.to_owned()]
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn plan(more: &[&str]) -> Result<Plan, PlanError> {
        let line = ["plan-study", "--sensitivity", "0.95", "--lower", "0.9"];
        let line = Line::parse_from(line.iter().chain(more));
        Plan::new(&line.args)
    }

    #[test]
    fn the_table_says_how_many_positives_and_scans_it_takes() {
        let plan = plan(&["--specificity", "0.95", "--specificity-lower", "0.93"]).unwrap();
        let table = plan.table();
        let rows: Vec<Vec<&str>> = table
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        let numbers = |name: &str| {
            let row = rows.iter().find(|row| row.join(" ").starts_with(name));
            row.map(|row| row[row.len() - 3..].join(" "))
        };
        let found = numbers("sensitivity of 0.95, at least 0.9");
        assert_eq!(found.as_deref(), Some("139 - 13900"));
        assert_eq!(numbers("the same, 90 %").as_deref(), Some("315 - 33783"));
        let found = numbers("specificity of 0.95, at least 0.93");
        assert_eq!(found.as_deref(), Some("- 626 633"));
        assert_eq!(
            numbers("observed over expected").as_deref(),
            Some("77 7561 7638")
        );
    }

    #[test]
    fn scans_are_so_many_that_they_have_the_positives_with_the_assurance() {
        let scans = |assurance| plan(&["--assurance", assurance]).unwrap().sensitivity.scans;
        let (even, sure) = (scans("0.5"), scans("0.9"));
        assert_eq!(even.as_expected, sure.as_expected);
        assert!(even.assured < sure.assured);
    }

    #[test]
    fn a_limit_above_what_is_expected_plans_nothing() {
        let refused = plan(&["--specificity", "0.9", "--specificity-lower", "0.95"]).unwrap_err();
        assert!(refused.to_string().contains("below what is expected"));
    }
}
