//! The report of a screening job, put together from its sections.

use super::input::ScreeningReport;
use super::page::{Page, Section, Synthetic};
use super::sections::{
    Judged, Subject, calibration, confusion, operating_points, provenance, results, roc, screened,
    subgroups,
};

/// The whole page.
pub(super) fn page(report: &ScreeningReport) -> String {
    let section = |id, title, content| Section { id, title, content };
    let mut sections = vec![
        section("positives", "Positives", screened::positives(report)),
        section("scores", "Scores", screened::scores(report)),
        section(
            "unusable",
            "Not usable and warnings",
            screened::unusable(report),
        ),
        section("model", "Model", screened::model(report)),
    ];
    if let Some(metrics) = &report.validation {
        let name = report.model.architecture.to_string();
        let subjects = [Subject {
            name: &name,
            pretrained: report.model.pretrained,
            metrics,
            difference: None,
        }];
        sections.extend([
            section(
                "validation",
                "External validation",
                screened::validation(metrics).with(results::section(&subjects, &[])),
            ),
            section("roc", "ROC curves", roc::section(&subjects)),
            section(
                "operating",
                "Operating points",
                operating_points::section(&subjects, Judged::Externally, None),
            ),
            section(
                "confusion",
                "Confusion matrix",
                confusion::section(&subjects),
            ),
            section(
                "calibration",
                "Calibration",
                calibration::section(&subjects, Judged::Externally),
            ),
            section("subgroups", "Subgroups", subgroups::section(&subjects)),
        ]);
    }
    sections.push(section(
        "provenance",
        "Provenance",
        provenance::section(&report.provenance),
    ));
    Page {
        title: report.name.clone(),
        kind: format!(
            "Screening of bone scans for cardiac amyloidosis, in {}",
            report.namespace
        ),
        synthetic: synthetic(report),
        summary: screened::summary(report),
        sections,
    }
    .html()
}

fn synthetic(report: &ScreeningReport) -> Vec<Synthetic> {
    let images = Synthetic::images(report.synthetic, report.screened, "objects");
    let model = report.model.synthetic.then(Synthetic::model);
    images.into_iter().chain(model).collect()
}
