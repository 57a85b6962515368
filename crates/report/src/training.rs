//! The report of a training run, put together from its sections.

use maud::html;

use super::input::TrainingReport;
use super::page::{Page, Section, SyntheticNotice};
use super::sections::{
    EvaluatedModel, Validation, calibration, confusion, data, deviations, folded, gates, images,
    learning, misclassified, net_benefit, operating_points, participants, provenance, results, roc,
    study, subgroups, summary,
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
    let first = models.first().map(|model| ("This run", model.metrics));
    let data = html! {
        (data::section(&report.data))
        (folded("Participants", participants::table(first.as_slice())))
    };
    let misclassified = misclassified::section(&report.misclassified);
    let networks: Vec<_> = report
        .results
        .iter()
        .map(|result| result.architecture)
        .collect();
    let deviations = deviations::section(&networks, &report.method);
    let gates = gates::section(&report.gates, report.earlier_runs, &report.publication);
    let activation = images::activation(&report.activation_maps);
    let learning = learning::section(&report.histories);
    let provenance = provenance::section(&report.provenance);
    vec![
        Section::new("data", "Data", data),
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
        Section::new("misclassified", "Misses and false alarms", misclassified),
        Section::new("activation", "Activation maps", activation),
        Section::new("gates", "Gates and publication", gates),
        Section::new("differences", "Differences from the paper", deviations),
        Section::new("study", "Study", study::section(&report.study)),
        Section::new("provenance", "Provenance", provenance),
    ]
}
