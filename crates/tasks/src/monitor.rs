//! A screening beside the cohort of its model: its charts, its table, and what the status is told.

use super::screening_table::{ScreeningRow, Verdict};
use super::{TaskError, csv_table};
use attrium_api::{MOST_OUTSIDE, MonitorStatus, OutsideStatus, ReferenceState};
use attrium_bundle::Model;
use attrium_evaluation::monitoring::{
    Monitor, MonitorRow, MonitorState, MonitoredScan, Monitoring,
};
use attrium_evaluation::positive_at_prevalence;

/// The charts of a screening, to which its rows are given in their order.
pub(super) struct JobMonitor<'a> {
    monitor: Monitor<'a>,
    /// The prevalence that the job's probabilities are stated for, and that of the reference's.
    prevalences: Option<(f64, f64)>,
}

impl<'a> JobMonitor<'a> {
    /// The charts of a model's screening; `None` where its bundle keeps no reference.
    pub(super) fn new(model: &'a Model) -> Option<Self> {
        let stated = model.manifest.prevalence.map(|it| it.stated);
        Some(Self {
            monitor: Monitor::new(model.reference.as_ref()?),
            prevalences: model.prevalence().zip(stated),
        })
    }

    /// Adds a row by its number.
    pub(super) fn add(&mut self, number: u64, row: &ScreeningRow) {
        match (row.verdict, row.positive_probability) {
            (Verdict::Unusable, _) => self.monitor.add_set_aside(number),
            (Verdict::Positive | Verdict::Negative, Some(probability)) => {
                self.monitor.add(&MonitoredScan {
                    row: number,
                    scanner: row.scanner.as_ref().map(|scanner| scanner.as_str()),
                    counts: row.crop_counts,
                    ratio: row.ratios.contralateral,
                    positive_probability: match self.prevalences {
                        Some((from, to)) => positive_at_prevalence(probability, from, to),
                        None => probability,
                    },
                    has_warnings: row.has_warnings(),
                    synthetic: row.is_synthetic(),
                });
            }
            _ => {}
        }
    }

    pub(super) fn finish(self) -> Monitoring {
        self.monitor.finish()
    }
}

/// What the status is told; of a bundle without a reference that there is none.
pub(super) fn status(monitoring: Option<&Monitoring>) -> MonitorStatus {
    let Some(monitoring) = monitoring else {
        return MonitorStatus::default();
    };
    let outside = monitoring.outside().map(|row| OutsideStatus {
        feature: row.feature.to_string(),
        scanner: row.scanner.clone(),
        direction: row.direction.map(|it| it.to_string()).unwrap_or_default(),
        row: row.first_alarm.unwrap_or_default(),
    });
    let new = monitoring
        .new_scanners()
        .filter_map(|row| row.scanner.clone());
    MonitorStatus {
        state: match monitoring.state() {
            MonitorState::Outside => ReferenceState::Outside,
            MonitorState::TooFew => ReferenceState::TooFew,
            MonitorState::Within => ReferenceState::Within,
            _ => ReferenceState::NoReference,
        },
        reference_studies: Some(monitoring.reference_studies),
        outside: outside.take(MOST_OUTSIDE).collect(),
        new_scanners: new.take(MOST_OUTSIDE).collect(),
    }
}

const HEADER: [&str; 15] = [
    "feature",
    "scanner",
    "compared_with",
    "reference_studies",
    "reference_location",
    "reference_spread",
    "scans",
    "location",
    "spread",
    "direction",
    "statistic",
    "limit",
    "first_alarm",
    "state",
    "synthetic",
];

/// `monitor.csv`: a row for each feature of all scans, then of each scanner; no row without a reference.
pub(super) fn table(monitoring: Option<&Monitoring>) -> Result<Vec<u8>, TaskError> {
    let rows = monitoring.into_iter().flat_map(|monitoring| {
        let synthetic = if monitoring.synthetic { "yes" } else { "no" };
        monitoring
            .rows
            .iter()
            .map(move |row| fields(row, synthetic))
    });
    csv_table::table(HEADER, rows)
}

fn fields(row: &MonitorRow, synthetic: &str) -> [String; 15] {
    // Debug formatting is the shortest text that reads back as the same number.
    let number = |value: Option<f64>| value.map_or(String::new(), |value| format!("{value:?}"));
    let count = |value: Option<u64>| value.map_or(String::new(), |value| value.to_string());
    [
        row.feature.to_string(),
        row.scanner.clone().unwrap_or_default(),
        row.compared_with.to_string(),
        count(row.reference_studies),
        number(row.reference_location),
        number(row.reference_spread),
        row.scans.to_string(),
        number(row.location),
        number(row.spread),
        row.direction.map(|it| it.to_string()).unwrap_or_default(),
        number(row.statistic),
        number(row.limit),
        count(row.first_alarm),
        row.state.to_string(),
        synthetic.to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use attrium_evaluation::monitoring::{Reference, ReferenceShare, ReferenceStudy};

    /// A cohort whose counts are from 100,000 to 200,000, on one scanner.
    fn reference() -> Reference {
        let study = |number: u32| ReferenceStudy {
            scanner: Some("symbia".to_owned()),
            counts: 1e5 + 1e3 * f64::from(number),
            ratio: Some(1.0 + 0.001 * f64::from(number)),
            positive_probability: Some(0.01 + 0.001 * f64::from(number)),
            positive: false,
            has_warnings: false,
        };
        let studies: Vec<_> = (0..100).map(study).collect();
        Reference::of(
            &studies,
            ReferenceShare {
                part: 0,
                whole: 100,
            },
            false,
        )
    }

    fn monitored(scans: u64, counts: f64) -> Monitoring {
        let reference = reference();
        let mut monitor = JobMonitor {
            monitor: Monitor::new(&reference),
            prevalences: None,
        };
        for number in 1..=scans {
            let place = (number * 37 % 100) as f64;
            let row = ScreeningRow {
                verdict: Verdict::Negative,
                positive_probability: Some(0.01 + 0.001 * place),
                crop_counts: Some(counts * (1e5 + 1e3 * place)),
                scanner: "symbia".parse().ok(),
                ..ScreeningRow::empty("a key", "sha256:00")
            };
            monitor.add(number, &row);
        }
        monitor.finish()
    }

    #[test]
    fn a_status_names_what_is_outside_and_the_table_has_a_row_for_each_feature_and_scanner() {
        let usual = monitored(100, 1.0);
        assert_eq!(status(Some(&usual)).state, ReferenceState::Within);
        let low = monitored(100, 0.5);
        let told = status(Some(&low));
        assert_eq!(
            (told.state, told.reference_studies),
            (ReferenceState::Outside, Some(100))
        );
        let outside: Vec<_> = told
            .outside
            .iter()
            .map(|it| (it.feature.as_str(), it.scanner.as_deref()))
            .collect();
        assert_eq!(outside, [("counts", None), ("counts", Some("symbia"))]);
        let table = String::from_utf8(table(Some(&low)).expect("a table")).expect("text");
        assert_eq!(table.lines().next(), Some(HEADER.join(",").as_str()));
        assert!(
            table.contains("\ncounts,symbia,own-scanner,100,"),
            "{table}"
        );
        assert_eq!(table.lines().count(), 1 + 6 + 5);
        assert!(!table.contains("a key"));
    }

    #[test]
    fn without_a_reference_nothing_is_told_but_that() {
        assert_eq!(status(None), MonitorStatus::default());
        let table = table(None).expect("a table");
        assert_eq!(table, (HEADER.join(",") + "\n").into_bytes());
    }

    #[test]
    fn as_much_as_can_be_outside_fits_a_termination_message() {
        let outside = OutsideStatus {
            feature: "set-aside".to_owned(),
            scanner: Some("symbia-pro.specta".to_owned()),
            direction: "higher".to_owned(),
            row: 1_234_567,
        };
        let monitor = MonitorStatus {
            state: ReferenceState::Outside,
            reference_studies: Some(1400),
            outside: vec![outside; MOST_OUTSIDE],
            new_scanners: vec!["unlisted-0000".to_owned(); MOST_OUTSIDE],
        };
        let json = serde_json::to_string(&monitor).expect("JSON");
        assert!(
            json.len() + monitor.words().expect("words").len() < 2048,
            "{}",
            json.len()
        );
    }
}
