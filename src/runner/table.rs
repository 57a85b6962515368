//! A run's results as a table for people.

use attrium_api::{ResultStatus, ScreeningStatus};
use attrium_types::{Decimal, text};

/// A row for each network and target: its metrics over all predictions on studies that it has not seen.
pub(crate) fn training_table(results: &[ResultStatus]) -> String {
    let header = [
        "ARCHITECTURE",
        "PRETRAINED",
        "TASK",
        "AUC",
        "95 % INTERVAL",
        "AUC HARD",
        "ACCURACY",
        "SENSITIVITY",
        "SPECIFICITY",
    ];
    let rows = results.iter().map(|result| {
        let interval = result.auc_interval.as_ref();
        vec![
            result.architecture.to_string(),
            result.pretrained.to_string(),
            result.task.to_string(),
            share(result.auc.as_ref()),
            interval.map_or("-".to_owned(), |it| {
                format!("{}-{}", share(Some(&it.low)), share(Some(&it.high)))
            }),
            share(result.auc_hard.as_ref()),
            share(result.accuracy.as_ref()),
            share(result.sensitivity.as_ref()),
            share(result.specificity.as_ref()),
        ]
    });
    with_header(&header, rows)
}

/// The counts of a screening.
pub(crate) fn screening_table(counts: &ScreeningStatus) -> String {
    let header = [
        "OBJECTS",
        "SCREENED",
        "POSITIVE",
        "NEGATIVE",
        "OTHER VIEWS",
        "UNUSABLE",
        "SYNTHETIC",
    ];
    let ScreeningStatus {
        objects,
        other_views,
        screened,
        positive,
        negative,
        unusable,
        unusable_by_reason: _,
        superseded: _,
        ambiguous: _,
        patient_unknown: _,
        unanswered: _,
        unanswered_positive: _,
        overlap: _,
        calibration: _,
        monitor: _,
        uncertain: _,
        synthetic,
    } = counts;
    let row = [
        objects,
        screened,
        positive,
        negative,
        other_views,
        unusable,
        synthetic,
    ];
    with_header(&header, [row.map(ToString::to_string).to_vec()])
}

/// Three decimals; a dash for what is not defined.
fn share(value: Option<&Decimal>) -> String {
    value.map_or("-".to_owned(), |value| format!("{:.3}", value.value()))
}

/// A header and the rows below it, two spaces between columns.
fn with_header(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let header = header.iter().map(ToString::to_string).collect();
    let rows: Vec<_> = std::iter::once(header).chain(rows).collect();
    text::table(&rows, 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use attrium_api::IntervalStatus;
    use attrium_types::{Architecture, Target};

    fn decimal(text: &str) -> Option<Decimal> {
        text.parse().ok()
    }

    #[test]
    fn a_network_is_a_row_of_its_metrics() {
        let interval = IntervalStatus {
            low: "0.8123".parse().expect("a decimal"),
            high: "0.95".parse().expect("a decimal"),
        };
        let result = ResultStatus {
            architecture: Architecture::Residual,
            pretrained: false,
            task: Target::Positive,
            auc: decimal("0.8876"),
            auc_interval: Some(interval),
            auc_hard: None,
            accuracy: decimal("0.97"),
            sensitivity: decimal("0.81"),
            specificity: decimal("0.98"),
            nothing_learned: None,
        };
        let expected = "\
ARCHITECTURE  PRETRAINED  TASK      AUC    95 % INTERVAL  AUC HARD  ACCURACY  SENSITIVITY  SPECIFICITY
Residual      false       Positive  0.888  0.812-0.950    -         0.970     0.810        0.980
";
        assert_eq!(training_table(&[result]), expected);
    }

    #[test]
    fn a_screening_is_its_counts() {
        let counts = ScreeningStatus {
            objects: 12,
            other_views: 1,
            screened: 10,
            positive: 2,
            negative: 8,
            unusable: 1,
            synthetic: 3,
            ..ScreeningStatus::default()
        };
        let expected = "\
OBJECTS  SCREENED  POSITIVE  NEGATIVE  OTHER VIEWS  UNUSABLE  SYNTHETIC
12       10        2         8         1            1         3
";
        assert_eq!(screening_table(&counts), expected);
    }
}
