//! Tasks on stores in memory that are disturbed: two attempts at once, and bytes that change.

mod attempts;
mod changed;
mod disturbed;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use object_store::memory::InMemory;
use tempfile::TempDir;

use super::tasks::Tasks;
use super::{Interrupt, NoProgress, Summary, TaskContext, TaskError};
use attrium_api::{ModelReference, Publish, PublishMethod, Resource};
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
    model: Option<ModelReference>,
}

impl Job {
    fn new(resource: Resource) -> Self {
        let plan = Plan::new(&resource);
        Self {
            resource,
            plan,
            model: None,
        }
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
        });
        Self::new(Resource::TrainingRun(Box::new(run)))
    }

    fn task(&self, id: TaskRef) -> &TaskSpec {
        self.plan.task(id).unwrap()
    }

    fn with_context<T>(&self, work: impl FnOnce(&TaskContext<'_>) -> T) -> T {
        work(&TaskContext {
            resource: &self.resource,
            plan: &self.plan,
            prefix: "memory:///",
            model: self.model.as_ref().map(|model| model.uri.as_str()),
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
static REFIT: LazyLock<Staged> = LazyLock::new(|| staged(PublishMethod::Refit));
