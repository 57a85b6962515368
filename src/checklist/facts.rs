//! What is known of a finished run, once it has been read.

use std::collections::BTreeMap;

use attrium_api::{
    DataStatus, ModelReference, Resource, ScreeningJobSpec, ScreeningStatus, StudyField,
    TrainingRunSpec,
};
use attrium_bundle::BundleManifest;
use attrium_evaluation::{Metrics, MetricsDocument, NetworkMetrics, SubgroupMetrics};

/// Everything that answers are made of.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    /// What was asked for, with what people have stated of the study.
    pub resource: Resource,
    /// What was measured.
    pub metrics: MetricsDocument,
    /// Of a training, what became of its data.
    pub data: Option<DataStatus>,
    /// Of a screening, its counts.
    pub screening: Option<ScreeningStatus>,
    /// The objects that were set aside by their reason; `None` where there is no table of them.
    pub set_aside: Option<BTreeMap<String, u64>>,
    /// Of a training, the model that it has published.
    pub model: Option<PublishedModel>,
}

/// A published model.
#[derive(Clone, Debug)]
pub(crate) struct PublishedModel {
    /// Where it lies, and its digest.
    pub reference: ModelReference,
    /// What it says of itself.
    pub manifest: BundleManifest,
}

/// The network that a checklist is about: the published one, else the first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reported<'a> {
    /// The network and how it was evaluated.
    pub network: &'a NetworkMetrics,
    /// Its figures: of a published model those on the scale of its probabilities.
    pub metrics: &'a Metrics,
    /// The file that these are in.
    pub from: &'static str,
}

impl Facts {
    /// What a training was asked for; `None` for a screening.
    pub(crate) fn training(&self) -> Option<&TrainingRunSpec> {
        match &self.resource {
            Resource::TrainingRun(run) => Some(&run.spec),
            Resource::ScreeningJob(_) => None,
        }
    }

    /// What a screening was asked for; `None` for a training.
    pub(crate) fn job(&self) -> Option<&ScreeningJobSpec> {
        match &self.resource {
            Resource::TrainingRun(_) => None,
            Resource::ScreeningJob(job) => Some(&job.spec),
        }
    }

    /// What people have stated in a field.
    pub(crate) fn stated(&self, field: StudyField) -> Option<String> {
        self.resource.study()?.stated(field)
    }

    /// Whether any image, or the model, is of phantoms.
    pub(crate) fn is_synthetic(&self) -> bool {
        let of_model = self.model.as_ref().is_some_and(|it| it.manifest.synthetic);
        let studies = self.data.as_ref().and_then(|data| data.synthetic);
        let objects = self.screening.as_ref().map(|counts| counts.synthetic);
        let images = studies.or(objects).unwrap_or_default();
        self.metrics.synthetic || of_model || images > 0
    }

    /// The network that the checklist is about; `None` where none was evaluated.
    pub(crate) fn reported(&self) -> Option<Reported<'_>> {
        let results = &self.metrics.results;
        let wanted = self.training().and_then(|spec| spec.publish.as_ref());
        let is_wanted = |result: &&NetworkMetrics| {
            wanted.is_some_and(|publish| {
                publish.architecture == result.architecture && publish.task == result.metrics.target
            })
        };
        let network = results.iter().find(is_wanted).or(results.first())?;
        let published = self.model.as_ref().filter(|model| {
            let manifest = &model.manifest;
            manifest.architecture == network.architecture
                && manifest.target == network.metrics.target
        });
        Some(match published {
            Some(model) => Reported {
                network,
                metrics: &model.manifest.metrics,
                from: BUNDLE,
            },
            None => Reported {
                network,
                metrics: &network.metrics,
                from: METRICS,
            },
        })
    }

    /// How many networks and tasks were evaluated besides.
    pub(crate) fn others(&self) -> usize {
        self.metrics.results.len().saturating_sub(1)
    }

    /// The rows of a covariate, as the evaluation of the network itself has them.
    pub(crate) fn subgroups(&self, column: &str) -> Vec<&SubgroupMetrics> {
        let Some(reported) = self.reported() else {
            return Vec::new();
        };
        let rows = reported.network.metrics.subgroups.iter();
        rows.filter(|row| row.column == column).collect()
    }

    /// The covariates that have rows, in their order; the grade, which is the outcome, is none.
    pub(crate) fn covariates(&self) -> Vec<&str> {
        let mut columns: Vec<&str> = Vec::new();
        let Some(reported) = self.reported() else {
            return columns;
        };
        for row in &reported.network.metrics.subgroups {
            if row.column != GRADE && !columns.contains(&row.column.as_str()) {
                columns.push(&row.column);
            }
        }
        columns
    }
}

/// The covariate that is the outcome.
pub(super) const GRADE: &str = "grade";
/// The resource as it was asked for.
pub(super) const SPEC: &str = "manifest.yaml";
/// What was measured.
pub(super) const METRICS: &str = "metrics.json";
/// What the published model says of itself.
pub(super) const BUNDLE: &str = "bundle.json";
/// What the tasks have told.
pub(super) const MARKERS: &str = "tasks/";
/// The objects that are not used.
pub(super) const QUARANTINE: &str = "quarantine.csv";
/// The counts of a screening.
pub(super) const SCREENING: &str = "screening.json";
/// The report.
pub(super) const REPORT: &str = "report/index.html";
/// How scans are read.
pub(super) const DICOM: &str = "docs/dicom.md";
/// What each figure is.
pub(super) const DEFINITIONS: &str = "docs/metrics.md";
/// What each artefact is.
pub(super) const ARTEFACTS: &str = "docs/artefacts.md";
/// What attrium says of itself.
pub(super) const ATTRIUM: &str = "attrium";
/// What attrium is and what it keeps.
pub(super) const README: &str = "README.md";
