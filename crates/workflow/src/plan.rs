//! The plan of a resource: its stages, their tasks, and what each of them reads and writes.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::artefacts;
use attrium_api::{PublishMethod, Resource, ScreeningJobSpec, TrainingRunSpec};
use attrium_types::{Architecture, Decimal, Target};

/// A step of a plan; all its tasks have to be over before the next one begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StageKind {
    /// DICOM objects become pseudonymous crops.
    Preprocess,
    /// One network, one target, one fold.
    Train,
    /// Out-of-fold predictions become metrics, the report and the ensemble's bundle.
    Evaluate,
    /// The published network is trained once more, on all data.
    Refit,
    /// DICOM objects become rows of probabilities.
    Screen,
    /// The rows of all shards become one table with its counts.
    Summarize,
}

impl StageKind {
    /// Every stage, in the order of a plan.
    pub const ALL: [Self; 6] = [
        Self::Preprocess,
        Self::Train,
        Self::Evaluate,
        Self::Refit,
        Self::Screen,
        Self::Summarize,
    ];

    /// The stage's name: of its Job, of its folder and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Preprocess => "preprocess",
            Self::Train => "train",
            Self::Evaluate => "evaluate",
            Self::Refit => "refit",
            Self::Screen => "screen",
            Self::Summarize => "summarize",
        }
    }
}

impl fmt::Display for StageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A task's address within its plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TaskRef {
    /// The stage that it belongs to.
    pub stage: StageKind,
    /// Its number within the stage, from 0: the completion index of the stage's Indexed Job.
    pub index: u32,
}

impl fmt::Display for TaskRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.stage, self.index)
    }
}

/// What a task does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Work {
    /// Preprocesses the objects whose key's hash falls into a shard.
    Preprocess {
        /// The shard, from 0.
        shard: u32,
        /// The number of shards.
        shards: u32,
    },
    /// Trains one network on all folds but one, and predicts that one.
    Train {
        /// The network.
        architecture: Architecture,
        /// What it predicts.
        target: Target,
        /// The fold that is left out, from 0.
        fold: u32,
    },
    /// Evaluates every network and target.
    Evaluate,
    /// Trains one network on all data.
    Refit {
        /// The network.
        architecture: Architecture,
        /// What it predicts.
        target: Target,
    },
    /// Screens the objects whose key's hash falls into a shard.
    Screen {
        /// The shard, from 0.
        shard: u32,
        /// The number of shards.
        shards: u32,
    },
    /// Joins the shards' results.
    Summarize,
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Preprocess { shard, shards } => {
                write!(f, "preprocess shard {} of {shards}", shard + 1)
            }
            Self::Train {
                architecture,
                target,
                fold,
            } => {
                write!(f, "train {architecture} {target} fold {fold}")
            }
            Self::Evaluate => f.write_str("evaluate"),
            Self::Refit {
                architecture,
                target,
            } => write!(f, "refit {architecture} {target}"),
            Self::Screen { shard, shards } => write!(f, "screen shard {} of {shards}", shard + 1),
            Self::Summarize => f.write_str("summarize"),
        }
    }
}

/// A task: what it does, and the names of what it reads and writes below the run's prefix.
///
/// A name that ends in `/` is a folder. What lies outside the run's prefix (the images, the
/// labels, a screening's model) is not listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskSpec {
    /// The task's address.
    pub id: TaskRef,
    /// What it does.
    pub work: Work,
    /// Names that have to be there before it starts.
    pub reads: Vec<String>,
    /// Names that are there when it has ended.
    pub writes: Vec<String>,
    /// The name of its marker: written last, it holds the task's summary.
    pub marker: String,
}

/// A stage and its tasks; the place of a task in the list is its index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// Which stage it is.
    pub kind: StageKind,
    /// Whether its tasks run on the accelerator that the resource asks for.
    pub accelerated: bool,
    /// The tasks.
    pub tasks: Vec<TaskSpec>,
}

/// Everything that has to be done for a resource, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The stages, in order.
    pub stages: Vec<Stage>,
    /// How many tasks may run at a time; no limit but the machine's where absent.
    pub max_parallel: Option<u32>,
    /// The share of objects that may be unusable.
    pub max_unusable: Decimal,
}

impl Plan {
    /// The plan for a resource.
    pub fn new(resource: &Resource) -> Self {
        match resource {
            Resource::TrainingRun(run) => Self::for_training(&run.spec),
            Resource::ScreeningJob(job) => Self::for_screening(&job.spec),
        }
    }

    /// The plan for a training run.
    pub fn for_training(spec: &TrainingRunSpec) -> Self {
        let shards = spec.preprocessing.shards;
        let mut stages = vec![preprocess(shards), train(spec), evaluate(spec)];
        if let Some(publish) = &spec.publish
            && publish.method == PublishMethod::Refit
        {
            stages.push(refit(shards, publish.architecture, publish.task));
        }
        Self {
            stages,
            max_parallel: spec.compute.parallelism,
            max_unusable: spec.max_unusable.clone(),
        }
    }

    /// The plan for a screening job.
    pub fn for_screening(spec: &ScreeningJobSpec) -> Self {
        Self {
            stages: vec![screen(spec.shards, spec.labels.is_some()), summarize(spec)],
            max_parallel: spec.compute.parallelism,
            max_unusable: spec.max_unusable.clone(),
        }
    }

    /// The task at an address, if the plan has it.
    pub fn task(&self, id: TaskRef) -> Option<&TaskSpec> {
        let stage = self.stages.iter().find(|stage| stage.kind == id.stage)?;
        stage.tasks.get(usize::try_from(id.index).ok()?)
    }

    /// Every task, in order.
    pub fn tasks(&self) -> impl Iterator<Item = &TaskSpec> {
        self.stages.iter().flat_map(|stage| &stage.tasks)
    }
}

/// Numbers the tasks of a stage.
fn stage(
    kind: StageKind,
    accelerated: bool,
    tasks: impl IntoIterator<Item = (Work, Vec<String>, Vec<String>)>,
) -> Stage {
    let tasks = (0..)
        .zip(tasks)
        .map(|(index, (work, reads, writes))| {
            let id = TaskRef { stage: kind, index };
            TaskSpec {
                id,
                work,
                reads,
                writes,
                marker: artefacts::marker(id),
            }
        })
        .collect();
    Stage {
        kind,
        accelerated,
        tasks,
    }
}

fn preprocess(shards: u32) -> Stage {
    let tasks = (0..shards).map(|shard| {
        let writes = vec![
            artefacts::shard(shard),
            artefacts::shard_table(shard),
            artefacts::quarantine_part(shard),
        ];
        (Work::Preprocess { shard, shards }, Vec::new(), writes)
    });
    stage(StageKind::Preprocess, false, tasks)
}

fn dataset(shards: u32) -> Vec<String> {
    (0..shards)
        .flat_map(|shard| [artefacts::shard(shard), artefacts::shard_table(shard)])
        .collect()
}

fn train(spec: &TrainingRunSpec) -> Stage {
    let reads = dataset(spec.preprocessing.shards);
    let tasks = combinations(spec).flat_map(|(architecture, target)| {
        let reads = &reads;
        (0..spec.cross_validation.folds).map(move |fold| {
            let folder = artefacts::Fold::new(architecture, target, fold);
            let writes = vec![
                folder.weights(),
                folder.normalization(),
                folder.history(),
                folder.predictions(),
            ];
            (
                Work::Train {
                    architecture,
                    target,
                    fold,
                },
                reads.clone(),
                writes,
            )
        })
    });
    stage(StageKind::Train, true, tasks)
}

fn combinations(spec: &TrainingRunSpec) -> impl Iterator<Item = (Architecture, Target)> {
    let targets = &spec.tasks;
    spec.networks.iter().flat_map(move |network| {
        targets
            .iter()
            .map(move |target| (network.architecture, *target))
    })
}

fn evaluate(spec: &TrainingRunSpec) -> Stage {
    let mut reads = dataset(spec.preprocessing.shards);
    reads.extend((0..spec.preprocessing.shards).map(artefacts::quarantine_part));
    let mut writes = vec![
        artefacts::QUARANTINE.to_owned(),
        artefacts::METRICS.to_owned(),
        artefacts::REPORT.to_owned(),
    ];
    for (architecture, target) in combinations(spec) {
        writes.push(artefacts::predictions(architecture, target));
        for fold in 0..spec.cross_validation.folds {
            let folder = artefacts::Fold::new(architecture, target, fold);
            reads.extend([
                folder.weights(),
                folder.normalization(),
                folder.history(),
                folder.predictions(),
            ]);
        }
    }
    if let Some(publish) = &spec.publish
        && publish.method == PublishMethod::Ensemble
    {
        writes.push(artefacts::bundle(publish.architecture, publish.task));
    }
    stage(
        StageKind::Evaluate,
        false,
        [(Work::Evaluate, reads, writes)],
    )
}

fn refit(shards: u32, architecture: Architecture, target: Target) -> Stage {
    let mut reads = dataset(shards);
    reads.extend([
        artefacts::METRICS.to_owned(),
        artefacts::predictions(architecture, target),
    ]);
    let writes = vec![
        artefacts::REFIT.to_owned(),
        artefacts::bundle(architecture, target),
    ];
    stage(
        StageKind::Refit,
        true,
        [(
            Work::Refit {
                architecture,
                target,
            },
            reads,
            writes,
        )],
    )
}

fn screen(shards: u32, is_labelled: bool) -> Stage {
    let tasks = (0..shards).map(|shard| {
        let mut writes = vec![artefacts::screening_part(shard)];
        if is_labelled {
            writes.push(artefacts::screening_predictions(shard));
        }
        (Work::Screen { shard, shards }, Vec::new(), writes)
    });
    stage(StageKind::Screen, true, tasks)
}

/// The bundle alone knows for which network and target the joined predictions are: they are named by
/// their folder.
fn summarize(spec: &ScreeningJobSpec) -> Stage {
    let shards = spec.shards;
    let mut reads: Vec<_> = (0..shards).map(artefacts::screening_part).collect();
    let mut writes = vec![
        artefacts::SCREENING.to_owned(),
        artefacts::SCREENING_SUMMARY.to_owned(),
        artefacts::REPORT.to_owned(),
    ];
    if spec.publish_calibrated.is_some() {
        writes.push(artefacts::MODELS.to_owned());
    }
    if spec.labels.is_some() {
        reads.extend((0..shards).map(artefacts::screening_predictions));
        let validation = [
            artefacts::METRICS,
            artefacts::PREDICTIONS,
            artefacts::LEFT_OUT,
            artefacts::UNANSWERED,
            artefacts::OVERLAP,
        ];
        writes.extend(validation.map(str::to_owned));
    }
    stage(
        StageKind::Summarize,
        false,
        [(Work::Summarize, reads, writes)],
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use attrium_api::Publish;
    use attrium_fixtures as fixtures;

    /// The stages of a plan, each with its number of tasks.
    fn outline(plan: &Plan) -> Vec<(StageKind, usize)> {
        plan.stages
            .iter()
            .map(|stage| (stage.kind, stage.tasks.len()))
            .collect()
    }

    fn spec_publishing(method: PublishMethod) -> TrainingRunSpec {
        let mut spec = fixtures::training_run().spec;
        let (architecture, task) = (Architecture::Residual, Target::Positive);
        spec.publish = Some(Publish {
            architecture,
            task,
            method,
            force: false,
        });
        spec
    }

    #[test]
    fn a_training_run_is_preprocessed_trained_and_evaluated() {
        use StageKind::{Evaluate, Preprocess, Refit, Train};
        let plain = fixtures::training_run().spec;
        let ensemble = spec_publishing(PublishMethod::Ensemble);
        let refit = spec_publishing(PublishMethod::Refit);
        let mut three_targets = plain.clone();
        three_targets.tasks = vec![Target::Perugini, Target::Positive, Target::HighGrade];
        three_targets.cross_validation.folds = 5;
        let table = [
            (plain, vec![(Preprocess, 2), (Train, 4), (Evaluate, 1)]),
            (ensemble, vec![(Preprocess, 2), (Train, 4), (Evaluate, 1)]),
            (
                refit,
                vec![(Preprocess, 2), (Train, 4), (Evaluate, 1), (Refit, 1)],
            ),
            (
                three_targets,
                vec![(Preprocess, 2), (Train, 30), (Evaluate, 1)],
            ),
        ];
        for (spec, expected) in table {
            assert_eq!(outline(&Plan::for_training(&spec)), expected);
        }
    }

    #[test]
    fn a_screening_job_is_screened_and_summed_up() {
        let plan = Plan::for_screening(&fixtures::screening_job().spec);
        assert_eq!(
            outline(&plan),
            [(StageKind::Screen, 3), (StageKind::Summarize, 1)]
        );
    }

    #[test]
    fn a_network_is_trained_for_every_target_and_fold_in_the_order_of_the_manifest() {
        let plan = Plan::for_training(&fixtures::training_run().spec);
        let names: Vec<_> = plan.stages[1]
            .tasks
            .iter()
            .map(|task| task.work.to_string())
            .collect();
        let expected = [
            "train Linear Positive fold 0",
            "train Linear Positive fold 1",
            "train Residual Positive fold 0",
            "train Residual Positive fold 1",
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn a_task_reads_only_what_earlier_stages_write_and_none_writes_what_another_does() {
        for method in [PublishMethod::Ensemble, PublishMethod::Refit] {
            let plan = Plan::for_training(&spec_publishing(method));
            let mut written = BTreeSet::new();
            for stage in &plan.stages {
                for name in stage.tasks.iter().flat_map(|task| &task.reads) {
                    assert!(
                        written.contains(name),
                        "{} reads {name} too early",
                        stage.kind
                    );
                }
                for task in &stage.tasks {
                    for name in task.writes.iter().chain([&task.marker]) {
                        assert!(written.insert(name), "{} writes {name} again", task.id);
                    }
                }
            }
        }
    }

    #[test]
    fn a_task_is_found_at_its_address_alone() {
        let plan = Plan::for_training(&fixtures::training_run().spec);
        for task in plan.tasks() {
            assert_eq!(plan.task(task.id), Some(task));
        }
        assert_eq!(
            plan.task(TaskRef {
                stage: StageKind::Train,
                index: 4
            }),
            None
        );
        assert_eq!(
            plan.task(TaskRef {
                stage: StageKind::Refit,
                index: 0
            }),
            None
        );
    }

    #[test]
    fn only_networks_run_on_an_accelerator() {
        let plan = Plan::for_training(&spec_publishing(PublishMethod::Refit));
        let accelerated: Vec<_> = plan
            .stages
            .iter()
            .filter(|stage| stage.accelerated)
            .map(|stage| stage.kind)
            .collect();
        assert_eq!(accelerated, [StageKind::Train, StageKind::Refit]);
    }
}
