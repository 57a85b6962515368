//! The report of a screening job, put together from its sections.

use attrium_evaluation::Metrics;
use maud::html;

use super::input::ScreeningReport;
use super::page::{Page, Section, SyntheticNotice};
use super::sections::{
    EvaluatedModel, calibration, confusion, monitor, net_benefit, operating_points, overlap,
    participants, provenance, results, roc, screened, study, subgroups, uncertain,
};

/// The whole page.
pub(super) fn page(report: &ScreeningReport) -> String {
    let unusable = screened::unusable(report);
    let within_reference = monitor::section(report.monitoring.as_ref());
    let mut sections = vec![
        Section::new("positives", "Positives", screened::positives(report)),
        Section::new(
            "uncertain",
            "Uncertain decisions",
            uncertain::section(report),
        ),
        Section::new("scores", "Scores", screened::scores(report)),
        Section::new("unusable", "Not usable and warnings", unusable),
        Section::new("reference", "Within its reference", within_reference),
        Section::new("model", "Model", screened::model(report)),
    ];
    if let Some(metrics) = &report.validation {
        sections.extend(validation(report, metrics));
    }
    sections.push(Section::new(
        "study",
        "Study",
        study::section(&report.study),
    ));
    let provenance = provenance::section(&report.provenance);
    sections.push(Section::new("provenance", "Provenance", provenance));
    Page {
        title: report.name.clone(),
        kind: format!(
            "Screening of bone scans for cardiac amyloidosis, in {}",
            report.namespace
        ),
        synthetic: synthetic_notices(report),
        summary: screened::summary(report),
        sections,
    }
    .html()
}

/// The evaluation on the job's own labels.
fn validation(report: &ScreeningReport, metrics: &Metrics) -> [Section; 7] {
    let name = report.model.architecture.to_string();
    let models = [EvaluatedModel {
        name: &name,
        initial_weights: &report.model.initial_weights,
        metrics,
        baseline_difference: None,
    }];
    let results = html! {
        (screened::validation(report, metrics))
        (participants::table(&[("Development", &report.development), ("This validation", metrics)]))
        (results::section(&models, &[]))
    };
    let overlap = report.overlap.as_ref();
    let validation = overlap::validation(overlap);
    let operating_points = operating_points::section(&models, validation, None);
    let calibration = calibration::section(&models, validation);
    [
        Section::new("validation", overlap::heading(overlap), results),
        Section::new("roc", "ROC curves", roc::section(&models)),
        Section::new("operating", "Operating points", operating_points),
        Section::new(
            "benefit",
            "Net benefit",
            net_benefit::section(&models, None),
        ),
        Section::new("confusion", "Confusion matrix", confusion::section(&models)),
        Section::new("calibration", "Calibration", calibration),
        Section::new("subgroups", "Subgroups", subgroups::section(&models)),
    ]
}

fn synthetic_notices(report: &ScreeningReport) -> Vec<SyntheticNotice> {
    let images = SyntheticNotice::of_images(report.synthetic, report.screened, "objects");
    let model = report.model.synthetic.then(SyntheticNotice::of_model);
    images.into_iter().chain(model).collect()
}
