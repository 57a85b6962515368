//! Metrics as tables for a terminal: every number beside its interval.

use std::fmt::Write as _;
use std::iter;

use super::interval::{Estimate, Interval};
use super::metrics::Metrics;
use super::operating_point::{OperatingPoint, OperatingPointKind, threshold_text};
use attrium_types::text::table;

/// A row of the first table.
type NamedMetric = (String, Option<Estimate>);

/// What stands for a number that is not defined.
const UNDEFINED: &str = "-";
/// The spaces between two columns of a table.
pub(super) const GAP: usize = 3;

impl Metrics {
    /// The metrics as tables for a terminal, in plain text, ending in a line feed.
    pub fn to_text(&self) -> String {
        let mut text = format!("{}: {}\n", self.target, self.cohort());
        let mut section = |title: &str, rows: Vec<Vec<String>>| {
            // A table without rows is left out.
            if rows.len() > 1 {
                text.push('\n');
                if !title.is_empty() {
                    text.push_str(title);
                    text.push('\n');
                }
                text.push_str(&table(&rows, GAP));
            }
        };
        section("", self.overall());
        section("", self.class_rows());
        section(
            "Studies of each class, and what they were called",
            self.confusion_rows(),
        );
        section(
            "Thresholds on the probability of a positive. EXPECTED is the sensitivity on new positives, which those \
             that were\nlooked for were not chosen on; intervals are of the true rates. ALERTS are the calls of 1,000 \
             scans",
            self.operating_point_rows(),
        );
        section("", self.fold_rows());
        section("", self.subgroup_rows());
        // Writing to a string does not fail.
        if let Some(worth) = self.net_benefit() {
            let _ = write!(text, "\n{worth}");
        }
        for warning in &self.warnings {
            let _ = write!(text, "\nwarning: {warning}");
        }
        if !self.warnings.is_empty() {
            text.push('\n');
        }
        text.push_str("\nResearch use only: not a medical device.\n");
        text
    }

    fn cohort(&self) -> String {
        let mut cohort = format!("{} studies, {} positive", self.studies, self.positives);
        if let Some(patients) = self.patients {
            let _ = write!(cohort, ", of {patients} patients");
        }
        if self.unlabelled > 0 {
            let _ = write!(cohort, " ({} more have no label)", self.unlabelled);
        }
        cohort
    }

    fn overall(&self) -> Vec<Vec<String>> {
        let header = words(&["METRIC", "VALUE", "95 % INTERVAL"]);
        let metrics = self
            .rates()
            .into_iter()
            .chain(self.predictive_values())
            .chain(self.kappas())
            .chain(self.without_interval());
        let rows = metrics.map(|(name, found)| {
            let value = found.map(|found| found.value);
            let interval = found.and_then(|found| found.interval);
            vec![name, number(value), range(interval)]
        });
        iter::once(header).chain(rows).collect()
    }

    fn is_binary(&self) -> bool {
        self.classes.len() == 2
    }

    fn rates(&self) -> Vec<NamedMetric> {
        let auc = if self.is_binary() {
            "AUC"
        } else {
            "AUC, mean of one-versus-rest"
        };
        let mut metrics = vec![
            (auc.to_owned(), self.auc),
            ("AUC of hard labels".to_owned(), self.auc_hard),
        ];
        if !self.is_binary() {
            let name = "AUC of positive v negative".to_owned();
            metrics.push((name, self.positive.auc));
        }
        metrics.push(("Accuracy".to_owned(), self.accuracy));
        metrics.push(("Sensitivity".to_owned(), self.sensitivity));
        metrics.push(("Specificity".to_owned(), self.specificity));
        metrics
    }

    fn predictive_values(&self) -> Vec<NamedMetric> {
        let mut metrics = Vec::new();
        for (values, place) in [(&self.at_cohort, "here"), (&self.at_stated, "stated")] {
            let prevalence = format!("{:.1} % positive, {place}", 100.0 * values.prevalence);
            metrics.push((format!("PPV at {prevalence}"), values.ppv));
            metrics.push((format!("NPV at {prevalence}"), values.npv));
        }
        metrics
    }

    fn kappas(&self) -> Vec<NamedMetric> {
        let mut metrics = vec![("Kappa".to_owned(), self.kappa)];
        if !self.is_binary() {
            let name = "Kappa, quadratic weights".to_owned();
            metrics.push((name, self.quadratic_kappa));
        }
        if let Some(readers) = &self.second_reader {
            let name = format!("Kappa of two readers ({} studies)", readers.studies);
            metrics.push((name, readers.kappa));
        }
        metrics
    }

    fn without_interval(&self) -> Vec<NamedMetric> {
        let alone = |value: f64| Estimate {
            value,
            interval: None,
        };
        let calibration_error = self.expected_calibration_error.map(alone);
        let mut metrics = vec![
            ("Brier score".to_owned(), self.brier.map(alone)),
            ("Expected calibration error".to_owned(), calibration_error),
        ];
        if let Some(spread) = self.fold_auc {
            let name = format!(
                "AUC over {} folds from {:.3} to {:.3}: mean",
                spread.folds, spread.min, spread.max
            );
            metrics.push((name, Some(alone(spread.mean))));
        }
        metrics
    }

    fn class_rows(&self) -> Vec<Vec<String>> {
        let header = ["CLASS", "STUDIES", "CALLED", "AUC", "PRECISION", "RECALL"];
        let classes = self.classes.iter().map(|class| {
            vec![
                class.name.clone(),
                class.studies.to_string(),
                class.called.to_string(),
                estimate(class.auc),
                estimate(class.precision),
                estimate(class.recall),
            ]
        });
        iter::once(words(&header)).chain(classes).collect()
    }

    fn confusion_rows(&self) -> Vec<Vec<String>> {
        let called = self
            .classes
            .iter()
            .map(|class| format!("CALLED {}", class.name));
        let header = iter::once("TRULY".to_owned()).chain(called).collect();
        let names = self.classes.iter().map(|class| class.name.clone());
        let rows = names.zip(self.confusion.counts()).map(|(name, counts)| {
            let counts = counts.iter().map(u64::to_string);
            iter::once(name).chain(counts).collect()
        });
        iter::once(header).chain(rows).collect()
    }

    fn operating_point_rows(&self) -> Vec<Vec<String>> {
        let stated = format!("PPV AT {:.1} %", 100.0 * self.at_stated.prevalence);
        let header = [
            "OPERATING POINT",
            "THRESHOLD",
            "SENSITIVITY",
            "EXPECTED",
            "SPECIFICITY",
            "ALERTS",
            &stated,
        ];
        let points = self.positive.operating_points.iter().map(|point| {
            vec![
                chosen(point),
                threshold_text(point.threshold),
                estimate(point.sensitivity),
                point
                    .expected_sensitivity
                    .map_or(UNDEFINED.to_owned(), |value| format!("{value:.2}")),
                estimate(point.specificity),
                count(point.alerts_per_1000),
                estimate(point.at_stated.ppv),
            ]
        });
        iter::once(words(&header)).chain(points).collect()
    }

    /// At which threshold probabilities screening is worth more than looking at every scan and at none.
    fn net_benefit(&self) -> Option<String> {
        let curve = self.positive.decision_curve.as_ref()?;
        let percent = |share: f64| format!("{:.1} %", 100.0 * share);
        let runs = curve.worth_more();
        let runs = runs
            .iter()
            .map(|(from, to)| format!("from {} to {}", percent(*from), percent(*to)));
        let runs: Vec<String> = runs.collect();
        let places = if runs.is_empty() {
            "no threshold probability from 0.5 to 50 %".to_owned()
        } else {
            format!("threshold probabilities {}", runs.join(" and "))
        };
        Some(format!(
            "Looking at what is called is worth more than looking at every scan or at none, where {} are positive,\nat \
             {places}\n",
            percent(curve.prevalence)
        ))
    }

    fn fold_rows(&self) -> Vec<Vec<String>> {
        let header = [
            "FOLD",
            "STUDIES",
            "POSITIVE",
            "AUC",
            "ACCURACY",
            "SENSITIVITY",
            "SPECIFICITY",
        ];
        let folds = self.folds.iter().map(|fold| {
            vec![
                fold.fold.to_string(),
                fold.studies.to_string(),
                fold.positives.to_string(),
                number(fold.auc),
                number(fold.accuracy),
                number(fold.sensitivity),
                number(fold.specificity),
            ]
        });
        iter::once(words(&header)).chain(folds).collect()
    }

    fn subgroup_rows(&self) -> Vec<Vec<String>> {
        let header = [
            "SUBGROUP",
            "STUDIES",
            "POSITIVE",
            "AUC",
            "ACCURACY",
            "SENSITIVITY",
            "SPECIFICITY",
        ];
        let subgroups = self.subgroups.iter().map(|row| {
            vec![
                format!("{}: {}", row.column, row.value),
                row.studies.to_string(),
                row.positives.to_string(),
                estimate(row.auc),
                estimate(row.accuracy),
                estimate(row.sensitivity),
                estimate(row.specificity),
            ]
        });
        iter::once(words(&header)).chain(subgroups).collect()
    }
}

fn chosen(point: &OperatingPoint) -> String {
    match point.kind {
        OperatingPointKind::Threshold => format!("threshold of {:.2}", point.threshold),
        kind => kind.to_string(),
    }
}

pub(super) fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

fn number(value: Option<f64>) -> String {
    value.map_or(UNDEFINED.to_owned(), |value| format!("{value:.3}"))
}

fn range(interval: Option<Interval>) -> String {
    interval.map_or(UNDEFINED.to_owned(), |Interval { low, high }| {
        format!("{low:.3} to {high:.3}")
    })
}

/// A number of things with its interval.
fn count(estimate: Option<Estimate>) -> String {
    let Some(Estimate { value, interval }) = estimate else {
        return UNDEFINED.to_owned();
    };
    match interval {
        Some(Interval { low, high }) => format!("{value:.0} ({low:.0}-{high:.0})"),
        None => format!("{value:.0}"),
    }
}

pub(super) fn estimate(estimate: Option<Estimate>) -> String {
    match estimate {
        Some(Estimate { value, interval }) => match interval {
            Some(Interval { low, high }) => format!("{value:.2} ({low:.2}-{high:.2})"),
            None => format!("{value:.2}"),
        },
        None => UNDEFINED.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crate::{EvaluationOptions, Predictions, evaluate};
    use attrium_types::Target;

    fn text(table: &str) -> String {
        let predictions = Predictions::parse(table.as_bytes()).expect("a right table");
        let metrics = evaluate(
            Target::Positive,
            &predictions,
            &EvaluationOptions::default(),
        );
        metrics.expect("labelled studies").to_text()
    }

    #[test]
    fn each_number_stands_beside_its_interval() {
        let text = text(
            "study,fold,label,p_0,p_1,sex\n1,0,0,0.9,0.1,F\n2,0,0,0.4,0.6,M\n3,0,1,0.3,0.7,F\n\
             4,0,1,0.8,0.2,M\n5,0,,0.8,0.2,M\n",
        );
        assert!(text.starts_with("Positive: 4 studies, 2 positive (1 more have no label)\n"));
        let line = |start: &str| {
            let mut lines = text.lines();
            let line = lines.find(|line| line.starts_with(start)).expect(start);
            line.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(line("Sensitivity"), "Sensitivity 0.500 0.095 to 0.905");
        assert_eq!(
            line("negative"),
            "negative 2 2 0.75 (0.07-0.99) 0.50 (0.09-0.91) 0.50 (0.09-0.91)"
        );
        assert_eq!(
            line("sex: F"),
            "sex: F 2 1 1.00 (0.21-1.00) 1.00 (0.34-1.00) 1.00 (0.21-1.00) 1.00 (0.21-1.00)"
        );
        assert!(text.ends_with("\nResearch use only: not a medical device.\n"));
    }

    #[test]
    fn a_threshold_tells_what_is_expected_of_it_and_how_much_it_calls() {
        let rows: String = (0..40)
            .map(|study| {
                let (label, p) = (u8::from(study % 4 == 0), f64::from(study % 4) / 1000.0);
                let p = if label == 1 {
                    0.9 - f64::from(study) / 1000.0
                } else {
                    p
                };
                format!("{study},0,{label},{},{p}\n", 1.0 - p)
            })
            .collect();
        let text = text(&format!("study,fold,label,p_0,p_1\n{rows}"));
        let line = |start: &str| {
            let mut lines = text.lines();
            let line = lines.find(|line| line.starts_with(start)).expect(start);
            line.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        // 10 positives, all of them above the others: the lowest finds 10 in 11 new ones.
        assert_eq!(
            line("sensitivity of 1.00"),
            "sensitivity of 1.00 0.8640 1.00 (0.69-1.00) 0.91 1.00 (0.89-1.00) 10 (7-122) 1.00 (0.06-1.00)"
        );
        assert!(line("at threshold").ends_with("threshold probabilities from 0.5 % to 50.0 %"));
    }

    #[test]
    fn what_is_undefined_is_a_dash_and_a_warning() {
        let text = text("study,fold,label,p_0,p_1\n1,0,0,0.9,0.1\n");
        let undefined = |line: &str| line.split_whitespace().eq(["AUC", "-", "-"]);
        assert!(text.lines().any(undefined), "{text}");
        assert!(text.contains("warning: no study is of positive"));
        assert!(!text.contains("NaN"));
    }
}
