//! The report of a training run, put together from its sections.

use super::input::TrainingReport;
use super::page::{Page, Section, SyntheticNotice};
use super::sections::{
    EvaluatedModel, Validation, calibration, confusion, data, gates, images, learning, net_benefit,
    operating_points, provenance, results, roc, subgroups, summary,
};

/// The whole page.
pub(super) fn page(report: &TrainingReport) -> String {
    let results = &report.results;
    let names: Vec<String> = results
        .iter()
        .map(|result| result.architecture.to_string())
        .collect();
    let models: Vec<EvaluatedModel<'_>> = names
        .iter()
        .zip(results)
        .map(|(name, result)| EvaluatedModel {
            name,
            initial_weights: &result.initial_weights,
            metrics: &result.metrics,
            baseline_difference: result.baseline_difference.as_ref(),
        })
        .collect();
    let images = SyntheticNotice::of_images(report.synthetic, report.data.used, "studies");
    Page {
        title: report.name.clone(),
        kind: format!(
            "Training run for cardiac amyloidosis on bone scans, in {}",
            report.namespace
        ),
        synthetic: Vec::from_iter(images),
        summary: summary::section(report, &models),
        sections: sections(report, &models),
    }
    .html()
}

fn sections(report: &TrainingReport, models: &[EvaluatedModel<'_>]) -> Vec<Section> {
    let results = results::section(models, &report.baselines);
    let published = report
        .publication
        .model()
        .zip(report.scaled_operating_points.as_ref());
    let operating_points = operating_points::section(models, Validation::OutOfFold, published);
    let calibration = calibration::section(models, Validation::OutOfFold);
    let gates = gates::section(&report.gates, &report.publication);
    let activation = images::activation(&report.activation_maps);
    let learning = learning::section(&report.histories);
    let provenance = provenance::section(&report.provenance);
    vec![
        Section::new("data", "Data", data::section(&report.data)),
        Section::new("results", "Results", results),
        Section::new("roc", "ROC curves", roc::section(models)),
        Section::new("operating", "Operating points", operating_points),
        Section::new(
            "benefit",
            "Net benefit",
            net_benefit::section(models, published),
        ),
        Section::new(
            "confusion",
            "Confusion matrices",
            confusion::section(models),
        ),
        Section::new("calibration", "Calibration", calibration),
        Section::new("subgroups", "Subgroups", subgroups::section(models)),
        Section::new("learning", "Learning curves", learning),
        Section::new(
            "examples",
            "Example crops",
            images::examples(&report.examples),
        ),
        Section::new("activation", "Activation maps", activation),
        Section::new("gates", "Gates and publication", gates),
        Section::new("provenance", "Provenance", provenance),
    ]
}
