//! Metrics as text for a terminal: every number beside its interval.

use std::fmt::Write as _;

use super::interval::Interval;
use super::metrics::Metrics;
use super::operating_point::{OperatingPoint, OperatingPointKind, threshold_text};
use attrium_types::text::table;

/// What stands for a number that is not defined.
const UNDEFINED: &str = "-";
/// The spaces between two columns of a table.
pub(super) const GAP: usize = 3;

impl Metrics {
    /// The metrics as tables for a terminal, in plain text, ending in a line feed.
    pub fn to_text(&self) -> String {
        let mut text = format!("{}: {}\n", self.task, self.cohort());
        let mut section = |title: &str, rows: Vec<Vec<String>>| {
            // A header alone says nothing.
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
            "Thresholds on the probability of a positive; all that are looked for flatter themselves, \
             since they were chosen on these very studies",
            self.operating_point_rows(),
        );
        section("", self.fold_rows());
        section("", self.subgroup_rows());
        for warning in &self.warnings {
            // Writing to a string does not fail.
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
        let mut rows = vec![words(&["METRIC", "VALUE", "95 % INTERVAL"])];
        let mut row = |name: String, value: Option<f64>, interval: Option<Interval>| {
            rows.push(vec![name, number(value), range(interval)]);
        };
        let named = |name: &str| name.to_owned();
        let binary = self.classes.len() == 2;
        let auc = if binary {
            "AUC"
        } else {
            "AUC, mean of one-versus-rest"
        };
        row(named(auc), self.auc, self.auc_interval);
        row(
            named("AUC of hard labels"),
            self.auc_hard,
            self.auc_hard_interval,
        );
        if !binary {
            let positive = &self.positive;
            row(
                named("AUC of positive v negative"),
                positive.auc,
                positive.auc_interval,
            );
        }
        row(named("Accuracy"), self.accuracy, self.accuracy_interval);
        row(
            named("Sensitivity"),
            self.sensitivity,
            self.sensitivity_interval,
        );
        row(
            named("Specificity"),
            self.specificity,
            self.specificity_interval,
        );
        for (values, place) in [(&self.at_cohort, "here"), (&self.at_stated, "stated")] {
            let prevalence = format!("{:.1} % positive, {place}", 100.0 * values.prevalence);
            row(
                format!("PPV at {prevalence}"),
                values.ppv,
                values.ppv_interval,
            );
            row(
                format!("NPV at {prevalence}"),
                values.npv,
                values.npv_interval,
            );
        }
        row(named("Kappa"), self.kappa, self.kappa_interval);
        let quadratic = "Kappa, quadratic weights";
        if !binary {
            row(
                named(quadratic),
                self.quadratic_kappa,
                self.quadratic_kappa_interval,
            );
        }
        if let Some(readers) = &self.second_reader {
            let name = format!("Kappa of two readers ({} studies)", readers.studies);
            row(name, readers.kappa, readers.kappa_interval);
        }
        row(named("Brier score"), self.brier, None);
        let error = self.expected_calibration_error;
        row(named("Expected calibration error"), error, None);
        if let Some(spread) = self.fold_auc {
            let name = format!(
                "AUC over {} folds from {:.3} to {:.3}: mean",
                spread.folds, spread.min, spread.max
            );
            row(name, Some(spread.mean), None);
        }
        rows
    }

    fn class_rows(&self) -> Vec<Vec<String>> {
        let header = ["CLASS", "STUDIES", "CALLED", "AUC", "PRECISION", "RECALL"];
        let classes = self.classes.iter().map(|class| {
            vec![
                class.name.clone(),
                class.studies.to_string(),
                class.called.to_string(),
                estimate(class.auc, class.auc_interval),
                estimate(class.precision, class.precision_interval),
                estimate(class.recall, class.recall_interval),
            ]
        });
        [words(&header)].into_iter().chain(classes).collect()
    }

    fn confusion_rows(&self) -> Vec<Vec<String>> {
        let called = self
            .classes
            .iter()
            .map(|class| format!("CALLED {}", class.name));
        let header = ["TRULY".to_owned()].into_iter().chain(called).collect();
        let names = self.classes.iter().map(|class| class.name.clone());
        let rows = names.zip(self.confusion.counts()).map(|(name, counts)| {
            let counts = counts.iter().map(u64::to_string);
            [name].into_iter().chain(counts).collect()
        });
        [header].into_iter().chain(rows).collect()
    }

    fn operating_point_rows(&self) -> Vec<Vec<String>> {
        let stated = format!("PPV AT {:.1} %", 100.0 * self.at_stated.prevalence);
        let header = [
            "OPERATING POINT",
            "THRESHOLD",
            "SENSITIVITY",
            "SPECIFICITY",
            "CALLED",
            &stated,
        ];
        let points = self.positive.operating_points.iter().map(|point| {
            vec![
                chosen(point),
                threshold_text(point.threshold),
                estimate(point.sensitivity, point.sensitivity_interval),
                estimate(point.specificity, point.specificity_interval),
                (point.true_positives + point.false_positives).to_string(),
                estimate(point.at_stated.ppv, point.at_stated.ppv_interval),
            ]
        });
        [words(&header)].into_iter().chain(points).collect()
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
        [words(&header)].into_iter().chain(folds).collect()
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
                estimate(row.auc, row.auc_interval),
                estimate(row.accuracy, row.accuracy_interval),
                estimate(row.sensitivity, row.sensitivity_interval),
                estimate(row.specificity, row.specificity_interval),
            ]
        });
        [words(&header)].into_iter().chain(subgroups).collect()
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

pub(super) fn estimate(value: Option<f64>, interval: Option<Interval>) -> String {
    match (value, interval) {
        (Some(value), Some(Interval { low, high })) => format!("{value:.2} ({low:.2}-{high:.2})"),
        (Some(value), None) => format!("{value:.2}"),
        (None, _) => UNDEFINED.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crate::{Options, Predictions, evaluate};
    use attrium_types::Target;

    fn text(table: &str) -> String {
        let predictions = Predictions::parse(table.as_bytes()).expect("a right table");
        let metrics = evaluate(Target::Positive, &predictions, &Options::default());
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
    fn what_is_undefined_is_a_dash_and_a_warning() {
        let text = text("study,fold,label,p_0,p_1\n1,0,0,0.9,0.1\n");
        let undefined = |line: &str| line.split_whitespace().eq(["AUC", "-", "-"]);
        assert!(text.lines().any(undefined), "{text}");
        assert!(text.contains("warning: no study is of positive"));
        assert!(!text.contains("NaN"));
    }
}
