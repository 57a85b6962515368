//! The report of a training run, put together from its sections.

use super::input::TrainingReport;
use super::page::{Page, Section, Synthetic};
use super::sections::{
    Judged, Subject, calibration, confusion, data, gates, images, learning, operating_points,
    provenance, results, roc, subgroups, summary,
};

/// The whole page.
pub(super) fn page(report: &TrainingReport) -> String {
    let names: Vec<String> = report
        .results
        .iter()
        .map(|result| result.architecture.to_string())
        .collect();
    let subjects: Vec<Subject<'_>> = names
        .iter()
        .zip(&report.results)
        .map(|(name, result)| Subject {
            name,
            pretrained: result.pretrained,
            metrics: &result.metrics,
            difference: result.baseline_difference.as_ref(),
        })
        .collect();
    let section = |id, title, content| Section { id, title, content };
    Page {
        title: report.name.clone(),
        kind: format!(
            "Training run for cardiac amyloidosis on bone scans, in {}",
            report.namespace
        ),
        synthetic: Vec::from_iter(Synthetic::images(
            report.synthetic,
            report.data.used,
            "studies",
        )),
        summary: summary::section(report, &subjects),
        sections: vec![
            section("data", "Data", data::section(&report.data)),
            section(
                "results",
                "Results",
                results::section(&subjects, &report.baselines),
            ),
            section("roc", "ROC curves", roc::section(&subjects)),
            section(
                "operating",
                "Operating points",
                operating_points::section(
                    &subjects,
                    Judged::OutOfFold,
                    report.publication.subject().zip(report.scaled.as_ref()),
                ),
            ),
            section(
                "confusion",
                "Confusion matrices",
                confusion::section(&subjects),
            ),
            section(
                "calibration",
                "Calibration",
                calibration::section(&subjects, Judged::OutOfFold),
            ),
            section("subgroups", "Subgroups", subgroups::section(&subjects)),
            section(
                "learning",
                "Learning curves",
                learning::section(&report.histories),
            ),
            section(
                "examples",
                "Example crops",
                images::examples(&report.examples),
            ),
            section(
                "activation",
                "Activation maps",
                images::activation(&report.activation_maps),
            ),
            section(
                "gates",
                "Gates and publication",
                gates::section(&report.gates, &report.publication),
            ),
            section(
                "provenance",
                "Provenance",
                provenance::section(&report.provenance),
            ),
        ],
    }
    .html()
}
