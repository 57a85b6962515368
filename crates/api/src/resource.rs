//! Either custom resource, and what the two have in common.

use kube::core::ObjectMeta;
use serde::{Deserialize, Serialize};

use super::{
    Compute, Kind, ModelPlace, ModelReference, ModelSource, ScreeningJob, Status, StorageSpec,
    Study, TrainingRun, Uid,
};

/// Group and version of the custom resources, as a manifest names them.
pub const API_VERSION: &str = "attrium.dev/v1alpha1";

/// Any custom resource of attrium.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Resource {
    /// A training.
    TrainingRun(Box<TrainingRun>),
    /// A screening.
    ScreeningJob(Box<ScreeningJob>),
}

impl Resource {
    /// A training.
    pub fn from_training(run: TrainingRun) -> Self {
        Self::TrainingRun(Box::new(run))
    }

    /// A screening.
    pub fn from_screening(job: ScreeningJob) -> Self {
        Self::ScreeningJob(Box::new(job))
    }

    /// Its kind.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::TrainingRun(_) => Kind::TrainingRun,
            Self::ScreeningJob(_) => Kind::ScreeningJob,
        }
    }

    /// What Kubernetes keeps of it.
    pub const fn metadata(&self) -> &ObjectMeta {
        match self {
            Self::TrainingRun(run) => &run.metadata,
            Self::ScreeningJob(job) => &job.metadata,
        }
    }

    /// What Kubernetes keeps of it, to be changed.
    pub const fn metadata_mut(&mut self) -> &mut ObjectMeta {
        match self {
            Self::TrainingRun(run) => &mut run.metadata,
            Self::ScreeningJob(job) => &mut job.metadata,
        }
    }

    /// The resource's name.
    pub fn name(&self) -> &str {
        self.metadata().name.as_deref().unwrap_or_default()
    }

    /// The resource's namespace; `default` where its manifest names none.
    pub fn namespace(&self) -> &str {
        self.metadata().namespace.as_deref().unwrap_or("default")
    }

    /// The uid that it has been given, if it has.
    pub fn uid(&self) -> Option<Uid> {
        Uid::new(self.metadata().uid.as_deref()?)
    }

    /// The bundle that a screening names by itself.
    pub fn model(&self) -> Option<ModelPlace<'_>> {
        match self {
            Self::TrainingRun(_) => None,
            Self::ScreeningJob(job) => job.spec.model.place(),
        }
    }

    /// What somebody should mend who names a bundle by its place alone.
    pub fn model_warning(&self) -> Option<String> {
        let field = match self {
            Self::TrainingRun(run) => {
                let mut models = run.spec.networks.iter().map(|it| it.start_from.as_ref());
                let loose = |model: Option<&ModelSource>| {
                    model.is_some_and(ModelSource::is_any_at_its_place)
                };
                format!("spec.networks[{}].startFrom", models.position(loose)?)
            }
            Self::ScreeningJob(job) if job.spec.model.is_any_at_its_place() => {
                "spec.model".to_owned()
            }
            Self::ScreeningJob(_) => return None,
        };
        Some(format!(
            "{field}.uri has no digest beside it, so that any bundle at that place is used: state \
             {field}.digest, which the next release will ask for"
        ))
    }

    /// The training run of the same namespace whose model it needs.
    pub fn publisher(&self) -> Option<&str> {
        match self {
            Self::TrainingRun(run) => run
                .spec
                .starting_models()
                .find_map(|model| model.training_run.as_deref()),
            Self::ScreeningJob(job) => job.spec.model.training_run.as_deref(),
        }
    }

    /// The model of that run that it has begun with, as its status tells.
    pub fn begun_with(&self) -> Option<&ModelReference> {
        self.status()?.begun_with(self.kind())
    }

    /// Where the scans are.
    pub fn images(&self) -> &str {
        match self {
            Self::TrainingRun(run) => &run.spec.images,
            Self::ScreeningJob(job) => &job.spec.images,
        }
    }

    /// Where results go, before namespace, name and uid.
    pub fn output(&self) -> &str {
        match self {
            Self::TrainingRun(run) => &run.spec.output,
            Self::ScreeningJob(job) => &job.spec.output,
        }
    }

    /// How the object store is reached.
    pub fn storage(&self) -> &StorageSpec {
        match self {
            Self::TrainingRun(run) => &run.spec.storage,
            Self::ScreeningJob(job) => &job.spec.storage,
        }
    }

    /// Where and how tasks run.
    pub const fn compute(&self) -> &Compute {
        match self {
            Self::TrainingRun(run) => &run.spec.compute,
            Self::ScreeningJob(job) => &job.spec.compute,
        }
    }

    /// Where and how its tasks run, to be changed.
    pub const fn compute_mut(&mut self) -> &mut Compute {
        match self {
            Self::TrainingRun(run) => &mut run.spec.compute,
            Self::ScreeningJob(job) => &mut job.spec.compute,
        }
    }

    /// What people have stated of the study.
    pub fn study(&self) -> Option<&Study> {
        match self {
            Self::TrainingRun(run) => run.spec.study.as_ref(),
            Self::ScreeningJob(job) => job.spec.study.as_ref(),
        }
    }

    /// Puts what people have stated of the study in the place of what they had.
    pub fn set_study(&mut self, study: Option<Study>) {
        match self {
            Self::TrainingRun(run) => run.spec.study = study,
            Self::ScreeningJob(job) => job.spec.study = study,
        }
    }

    /// The queue that admits its Jobs.
    pub fn queue_name(&self) -> Option<&str> {
        match self {
            Self::TrainingRun(run) => run.spec.queue_name.as_deref(),
            Self::ScreeningJob(job) => job.spec.queue_name.as_deref(),
        }
    }

    /// Whether it pauses.
    pub const fn suspend(&self) -> bool {
        match self {
            Self::TrainingRun(run) => run.spec.suspend,
            Self::ScreeningJob(job) => job.spec.suspend,
        }
    }

    /// How long a pod may wait to start, in seconds.
    pub const fn start_deadline_seconds(&self) -> u32 {
        match self {
            Self::TrainingRun(run) => run.spec.start_deadline_seconds,
            Self::ScreeningJob(job) => job.spec.start_deadline_seconds,
        }
    }

    /// How long a stage may run, in seconds.
    pub const fn active_deadline_seconds(&self) -> Option<u32> {
        match self {
            Self::TrainingRun(run) => run.spec.active_deadline_seconds,
            Self::ScreeningJob(job) => job.spec.active_deadline_seconds,
        }
    }

    /// How long after its end it is deleted, in seconds.
    pub const fn ttl_seconds_after_finished(&self) -> Option<u32> {
        match self {
            Self::TrainingRun(run) => run.spec.ttl_seconds_after_finished,
            Self::ScreeningJob(job) => job.spec.ttl_seconds_after_finished,
        }
    }

    /// What has become of it.
    pub fn status(&self) -> Option<&Status> {
        match self {
            Self::TrainingRun(run) => run.status.as_ref(),
            Self::ScreeningJob(job) => job.status.as_ref(),
        }
    }

    /// Puts a status, or none, in the place of the one it has.
    pub fn set_status(&mut self, status: Option<Status>) {
        match self {
            Self::TrainingRun(run) => run.status = status,
            Self::ScreeningJob(job) => job.status = status,
        }
    }
}
