//! Tasks on stores in memory that are disturbed: two attempts at once, and bytes that change.

mod attempts;
mod changed;
mod disturbed;
mod studies;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use object_store::memory::InMemory;
use tempfile::TempDir;

use super::tasks::Tasks;
use super::{Interrupt, NoProgress, Summary, TaskContext, TaskError};
use attrium_api::{ActivationMaps, Publish, PublishMethod, Resource};
use attrium_fixtures as fixtures;
use attrium_phantom::{SyntheticCohort, archive};
use attrium_storage::Storage;
use attrium_types::{Architecture, Target};
use attrium_workflow::{Marker, Plan, StageKind, TaskRef, TaskSpec};

const LIMIT: u64 = 1 << 30;
/// Epochs of a training.
const EPOCHS: u32 = 2;

/// Scans and labels of a few phantoms.
static SCANS: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let cohort = SyntheticCohort::new(12, 3).with_grades([0.5, 0.0, 0.25, 0.25]);
    archive::write(&cohort.unwrap(), folder.path(), || {}).unwrap();
    folder
});

/// The bundle of a small network.
static BUNDLE: LazyLock<TempDir> = LazyLock::new(|| {
    let (job, before) = &*ENSEMBLE;
    let store = Storage::over(Arc::new(before[&StageKind::Evaluate].fork()));
    job.run(&store, at(StageKind::Evaluate, 0)).unwrap();
    let published = store.at("model/Linear-Positive").unwrap();
    let folder = tempfile::tempdir().unwrap();
    for file in published.list().unwrap() {
        let name = file.unwrap().name().to_owned();
        let bytes = published.get(&name, LIMIT).unwrap();
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
});

fn scans(name: &str) -> String {
    let path: PathBuf = SCANS.path().join(name);
    path.to_str().unwrap().to_owned()
}

fn at(stage: StageKind, index: u32) -> TaskRef {
    TaskRef { stage, index }
}

/// A resource with its plan.
struct Job {
    resource: Resource,
    plan: Plan,
}

impl Job {
    fn new(resource: Resource) -> Self {
        let plan = Plan::new(&resource);
        Self { resource, plan }
    }

    /// A training of one small network, which is published.
    fn training(method: PublishMethod) -> Self {
        let mut run = fixtures::training_run();
        run.spec.images = scans("images");
        run.spec.labels = scans("labels.csv");
        run.spec.networks.truncate(1);
        run.spec.augmentation.images = 8;
        run.spec.training.epochs = EPOCHS;
        run.spec.training.batch_size = 8;
        run.spec.training.learning_rate = "1e-3".parse().unwrap();
        run.spec.publish = Some(Publish {
            architecture: Architecture::Linear,
            task: Target::Positive,
            method,
            force: true,
        });
        Self::new(Resource::TrainingRun(Box::new(run)))
    }

    /// A screening of the scans, with labels, that calls all of them positive.
    fn screening(maps: ActivationMaps) -> Self {
        let mut job = fixtures::screening_job();
        job.spec.images = scans("images");
        job.spec.labels = Some(scans("labels.csv"));
        job.spec.shards = 2;
        job.spec.activation_maps = maps;
        job.spec.operating_point.sensitivity = None;
        job.spec.operating_point.threshold = Some("0".parse().unwrap());
        job.spec.model.uri = Some(BUNDLE.path().to_str().unwrap().to_owned());
        Self::new(Resource::ScreeningJob(Box::new(job)))
    }

    fn task(&self, id: TaskRef) -> &TaskSpec {
        self.plan.task(id).unwrap()
    }

    fn with_context<T>(&self, work: impl FnOnce(&TaskContext<'_>) -> T) -> T {
        work(&TaskContext {
            resource: &self.resource,
            plan: &self.plan,
            prefix: "memory:///",
            model: self.resource.model(),
            interrupt: &Interrupt::default(),
            progress: &NoProgress,
            threads: 1,
        })
    }

    fn run(&self, store: &Storage, id: TaskRef) -> Result<Summary, TaskError> {
        let task = self.task(id);
        self.with_context(|context| Tasks::default().run_on(store, task, context))
    }

    fn marker(&self, store: &Storage, id: TaskRef) -> Marker {
        let marker = store.get(&self.task(id).marker, LIMIT).unwrap();
        serde_json::from_slice(&marker).unwrap()
    }

    /// The stores before each stage, by the stage.
    fn before_each_stage(&self) -> BTreeMap<StageKind, InMemory> {
        let store = Arc::new(InMemory::new());
        let mut before = BTreeMap::new();
        for stage in &self.plan.stages {
            before.insert(stage.kind, store.fork());
            for task in &stage.tasks {
                self.run(&Storage::over(store.clone()), task.id).unwrap();
            }
        }
        before
    }
}

/// A training, and its store before each of its stages.
type Staged = (Job, BTreeMap<StageKind, InMemory>);

fn staged(method: PublishMethod) -> Staged {
    let job = Job::training(method);
    let before = job.before_each_stage();
    (job, before)
}

static ENSEMBLE: LazyLock<Staged> = LazyLock::new(|| staged(PublishMethod::Ensemble));
static SCREENING: LazyLock<Staged> = LazyLock::new(|| {
    let job = Job::screening(ActivationMaps::None);
    let before = job.before_each_stage();
    (job, before)
});
static REFIT: LazyLock<Staged> = LazyLock::new(|| staged(PublishMethod::Refit));
