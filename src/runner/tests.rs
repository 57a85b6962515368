//! Runs of scripted tasks, in memory and in folders.

mod script;

use std::io::Write;
use std::path::PathBuf;
use std::sync::mpsc;

use super::*;
use attrium_api::{
    ConditionStatus, DataStatus, GateOutcome, ModelPlace, ModelReference, ModelSource, Phase,
    Publish, PublishMethod, ScreeningJob, TrainingRun, condition, conditions, reasons,
};
use attrium_fixtures as fixtures;
use attrium_storage::Storage;
use attrium_tasks::{Progress, Summary, TaskContext, TaskError};
use attrium_types::{Architecture, Metric, Target};
use attrium_workflow::artefacts::{MANIFEST, STATUS};
use attrium_workflow::{StageKind, TaskExit, TaskRef, Withheld};
use script::{Act, Latch, Script};

fn settings(threads: usize) -> Settings {
    Settings {
        threads,
        display: Arc::new(Display::lines(Box::new(std::io::sink()))),
        interrupt: Interrupt::default(),
        ca_bundle: None,
    }
}

fn resource(run: TrainingRun) -> Resource {
    Resource::TrainingRun(Box::new(run))
}

fn task(stage: StageKind, index: u32) -> TaskRef {
    TaskRef { stage, index }
}

/// Runs the small training run (two shards, four folds of training, one evaluation).
fn try_run(script: &Script, run: TrainingRun, settings: &Settings) -> Result<Finished, Error> {
    let resource = resource(run);
    let store = RunStore::in_memory(&resource, script.store.clone());
    run_on(store, &resource, script, None, settings)
}

fn run_small(script: &Script) -> Finished {
    try_run(script, fixtures::training_run(), &settings(2)).expect("should run")
}

fn condition_of(finished: &Finished, kind: &str) -> (ConditionStatus, String, String) {
    let all = finished.status().conditions;
    let found = condition(&all, kind).expect("a condition");
    (found.status, found.reason.clone(), found.message.clone())
}

fn stored_status(store: &Storage) -> Status {
    let bytes = store.get(STATUS, 1 << 20).expect("a status");
    serde_saphyr::from_str(&String::from_utf8(bytes).expect("text")).expect("a status")
}

#[test]
fn every_task_runs_once_and_the_status_says_so() {
    let store = Storage::memory();
    let script = Script::new(&store, []);
    let finished = run_small(&script);
    assert_eq!(finished.ending, Ending::Succeeded);
    assert_eq!(finished.exit(), None);
    assert!(!finished.was_done);
    assert_eq!(script.ran().len(), 7);
    let status = finished.status();
    assert_eq!(status, stored_status(&store));
    assert_eq!(status.phase, Some(Phase::Succeeded));
    assert_eq!(
        status.progress.as_ref().map(|progress| progress.percent),
        Some(100)
    );
    let counts: Vec<_> = status
        .stages
        .iter()
        .map(|it| (it.name.as_str(), it.tasks, it.succeeded))
        .collect();
    assert_eq!(
        counts,
        [("preprocess", 2, 2), ("train", 4, 4), ("evaluate", 1, 1)]
    );
    assert!(
        status
            .stages
            .iter()
            .all(|stage| stage.completion_time.is_some())
    );
    let (is, reason, _) = condition_of(&finished, conditions::SUCCEEDED);
    assert_eq!(
        (is, reason.as_str()),
        (ConditionStatus::True, reasons::COMPLETED)
    );
}

#[test]
fn the_manifest_that_is_kept_is_the_resource_with_its_uid() {
    let store = Storage::memory();
    run_small(&Script::new(&store, []));
    let text = String::from_utf8(store.get(MANIFEST, 1 << 20).expect("it")).expect("text");
    let kept = attrium_api::manifest::parse(&text).expect("should be valid");
    let Resource::TrainingRun(run) = &kept[0] else {
        panic!("should be a run")
    };
    assert_eq!(run.spec, fixtures::training_run().spec);
    assert_eq!(run.metadata.uid.as_deref().map(str::len), Some(36));
}

/// Tasks of training that wait until as many run at once.
fn wait_for_each_other(tasks: usize) -> Vec<(TaskRef, Act)> {
    let all = Latch::new(tasks);
    let act = Act::new(move |_| {
        all.count_down();
        all.wait();
    });
    (0..4)
        .map(|index| (task(StageKind::Train, index), act.clone()))
        .collect()
}

/// The most tasks of training at once of which lines of progress tell.
fn most_at_once(lines: &str) -> usize {
    let (mut running, mut most) = (0, 0);
    for line in lines.lines().filter(|line| line.starts_with("train")) {
        running = if line.ends_with(": started") {
            running + 1
        } else {
            running - 1
        };
        most = most.max(running);
    }
    most
}

#[test]
fn as_many_tasks_run_at_once_as_the_machine_has_cores_and_the_spec_allows() {
    for (cores, parallelism, expected) in [(3, None, 3), (4, Some(2), 2), (1, Some(4), 1)] {
        let script = Script::new(&Storage::memory(), wait_for_each_other(expected));
        let mut run = fixtures::training_run();
        run.spec.compute.parallelism = parallelism;
        let (settings, lines) = told(cores);
        try_run(&script, run, &settings).expect("should run");
        drop(settings);
        let lines: String = lines.try_iter().collect();
        assert_eq!(most_at_once(&lines), expected, "{cores} cores: {lines}");
    }
}

#[test]
fn tasks_share_the_cores_and_a_lone_one_has_them_all() {
    let store = Storage::memory();
    let script = Script::new(&store, []);
    try_run(&script, fixtures::training_run(), &settings(4)).expect("should run");
    let preprocess = script.threads(StageKind::Preprocess);
    assert!(preprocess.iter().all(|threads| *threads >= 2));
    let evaluate = script.threads(StageKind::Evaluate);
    assert!(evaluate.iter().all(|threads| *threads == 4));
    assert_eq!(script.threads(StageKind::Train).first(), Some(&1));
}

#[test]
fn the_last_task_of_a_stage_has_the_cores_of_those_that_are_about_to_end() {
    let (half_done, last_began) = (Latch::new(2), Latch::new(1));
    let begin = last_began.clone();
    let ends_first = half_done.clone();
    let goes_on = Act::new(move |context: &TaskContext<'_>| {
        context.progress.update(Progress {
            done: 4,
            total: 5,
            ..Progress::default()
        });
        half_done.count_down();
        last_began.wait();
    });
    let acts = [
        Act::new(move |_| ends_first.wait()),
        goes_on.clone(),
        goes_on,
        Act::new(move |_| begin.count_down()),
    ];
    let acts = (0..)
        .zip(acts)
        .map(|(index, act)| (task(StageKind::Train, index), act));
    let script = Script::new(&Storage::memory(), acts);
    try_run(&script, fixtures::training_run(), &settings(3)).expect("should run");
    assert_eq!(script.threads(StageKind::Train), [1, 1, 1, 3]);
}

#[test]
fn run_again_nothing_is_done_twice_and_it_says_so() {
    let store = Storage::memory();
    let first = run_small(&Script::new(&store, []));
    let script = Script::new(&store, []);
    let again = run_small(&script);
    assert!(again.was_done);
    assert_eq!(again.ending, Ending::Succeeded);
    assert_eq!(script.ran(), []);
    assert_eq!(again.status(), first.status());
}

#[test]
fn a_failed_fold_costs_itself_alone_and_is_tried_again_by_the_next_run() {
    let store = Storage::memory();
    let failing = task(StageKind::Train, 1);
    let script = Script::new(&store, [(failing, Act::BadData)]);
    let finished = run_small(&script);
    assert_eq!(finished.ending, Ending::Failed);
    assert_eq!(finished.exit(), Some(TaskExit::BadData));
    assert_eq!(script.ran().len(), 7);
    let (is, reason, message) = condition_of(&finished, conditions::SUCCEEDED);
    assert_eq!(
        (is, reason.as_str()),
        (ConditionStatus::False, reasons::BAD_DATA)
    );
    assert_eq!(
        message,
        "train Linear Positive fold 1: the loss is NaN at step 3"
    );
    let script = Script::new(&store, []);
    let again = run_small(&script);
    assert_eq!(again.ending, Ending::Succeeded);
    assert_eq!(script.ran(), [failing, task(StageKind::Evaluate, 0)]);
}

#[test]
fn a_bad_configuration_stops_the_run() {
    let store = Storage::memory();
    let acts = [
        (task(StageKind::Preprocess, 0), Act::BadConfiguration),
        (task(StageKind::Preprocess, 1), Act::WaitForInterrupt),
    ];
    let script = Script::new(&store, acts);
    let finished = run_small(&script);
    assert_eq!(finished.ending, Ending::Failed);
    assert_eq!(finished.exit(), Some(TaskExit::BadConfiguration));
    assert_eq!(finished.failures.len(), 1);
    assert!(
        script
            .ran()
            .iter()
            .all(|id| id.stage == StageKind::Preprocess)
    );
    let (_, reason, _) = condition_of(&finished, conditions::SUCCEEDED);
    assert_eq!(reason, reasons::BAD_CONFIGURATION);
}

#[test]
fn where_another_try_may_mend_one_task_neither_code_nor_reason_say_that_none_is_of_use() {
    let acts = [
        (task(StageKind::Train, 0), Act::BadData),
        (task(StageKind::Train, 2), Act::DiskFull),
    ];
    let finished = run_small(&Script::new(&Storage::memory(), acts));
    assert_eq!(finished.exit(), Some(TaskExit::Retry));
    let (_, reason, message) = condition_of(&finished, conditions::SUCCEEDED);
    assert_eq!(reason, reasons::TASK_FAILED);
    assert!(message.ends_with("no space is left"), "{message}");
}

#[test]
fn a_failed_shard_of_the_data_ends_a_run_before_it_trains() {
    let store = Storage::memory();
    let script = Script::new(&store, [(task(StageKind::Preprocess, 1), Act::DiskFull)]);
    let finished = run_small(&script);
    let ended = (finished.ending, finished.exit());
    assert_eq!(ended, (Ending::Failed, Some(TaskExit::Retry)));
    assert!(
        script
            .ran()
            .iter()
            .all(|id| id.stage == StageKind::Preprocess)
    );
    assert_eq!(finished.failures[0].sentence, "no space is left");
}

#[test]
fn without_a_usable_image_nothing_is_trained_and_the_next_run_looks_again() {
    let quarantined = DataStatus {
        objects: 5,
        quarantined: 5,
        ..DataStatus::default()
    };
    let told = Summary {
        data: Some(quarantined),
        ..Summary::default()
    };
    let shards: Vec<_> = (0..2)
        .map(|index| task(StageKind::Preprocess, index))
        .collect();
    let acts = shards
        .iter()
        .map(|id| (*id, Act::Succeed(Box::new(told.clone()))));
    let script = Script::new(&Storage::memory(), acts);
    for round in 1..=2 {
        let finished = run_small(&script);
        assert_eq!(
            (finished.ending, finished.exit()),
            (Ending::Failed, Some(TaskExit::BadData))
        );
        let (_, reason, message) = condition_of(&finished, conditions::SUCCEEDED);
        assert_eq!(reason, "NoUsableImages");
        assert!(message.contains("of 10, 10 are in quarantine"), "{message}");
        assert_eq!(script.ran().len(), shards.len() * round);
    }
}

#[test]
fn a_defect_in_one_task_is_its_failure_and_nothing_else() {
    let store = Storage::memory();
    let script = Script::new(&store, [(task(StageKind::Train, 0), Act::Panic)]);
    let finished = run_small(&script);
    let ended = (finished.ending, finished.exit());
    assert_eq!(ended, (Ending::Failed, Some(TaskExit::Retry)));
    assert_eq!(script.ran().len(), 7);
}

#[test]
fn asked_to_stop_a_run_ends_soon_and_goes_on_later() {
    let store = Storage::memory();
    let settings = settings(2);
    let interrupt = settings.interrupt.clone();
    let both_run = Latch::new(2);
    let stopped = both_run.clone();
    let acts = [
        (
            task(StageKind::Train, 0),
            Act::Stop(Arc::new(move || {
                both_run.count_down();
                both_run.wait();
                interrupt.set();
            })),
        ),
        (
            task(StageKind::Train, 1),
            Act::Stop(Arc::new(move || stopped.count_down())),
        ),
    ];
    let script = Script::new(&store, acts);
    let finished = try_run(&script, fixtures::training_run(), &settings).expect("should run");
    assert_eq!(
        (finished.ending, finished.exit()),
        (Ending::Interrupted, Some(TaskExit::Interrupted))
    );
    assert_eq!(finished.status().phase, Some(Phase::Suspended));
    let (is, reason, _) = condition_of(&finished, conditions::SUCCEEDED);
    assert_eq!(
        (is, reason.as_str()),
        (ConditionStatus::Unknown, reasons::INTERRUPTED)
    );
    let script = Script::new(&store, []);
    assert_eq!(run_small(&script).ending, Ending::Succeeded);
    assert_eq!(script.ran().len(), 5);
}

#[test]
fn a_changed_spec_is_refused_once_a_task_has_ended_well() {
    let store = Storage::memory();
    run_small(&Script::new(&store, []));
    let mut changed = fixtures::training_run();
    changed.spec.training.epochs = 3;
    let error = try_run(&Script::new(&store, []), changed, &settings(2));
    let error = error.expect_err("should be refused");
    assert_eq!(error.exit(), TaskExit::BadConfiguration);
    let told = "spec.training.epochs of TrainingRun hospital/small may not change";
    assert!(error.to_string().starts_with(told), "{error}");
    let mut allowed = fixtures::training_run();
    allowed.spec.compute.parallelism = Some(1);
    let again = try_run(&Script::new(&store, []), allowed, &settings(2)).expect("should run");
    assert!(again.was_done);
}

#[test]
fn before_any_task_has_ended_well_a_spec_may_be_corrected() {
    let store = Storage::memory();
    let acts = (0..2).map(|index| (task(StageKind::Preprocess, index), Act::BadConfiguration));
    let finished = run_small(&Script::new(&store, acts));
    assert_eq!(finished.exit(), Some(TaskExit::BadConfiguration));
    let mut corrected = fixtures::training_run();
    corrected.spec.labels = "elsewhere/labels.csv".to_owned();
    let again = try_run(&Script::new(&store, []), corrected, &settings(2)).expect("should run");
    assert_eq!(again.ending, Ending::Succeeded);
}

#[test]
fn what_an_evaluation_could_not_publish_is_a_failure_that_keeps_its_results() {
    let mut run = fixtures::training_run();
    run.spec.publish = Some(Publish {
        architecture: Architecture::Linear,
        task: Target::Positive,
        method: PublishMethod::Ensemble,
        force: false,
    });
    let store = Storage::memory();
    let evaluation = task(StageKind::Evaluate, 0);
    let short = Summary {
        report: Some("report/index.html".to_owned()),
        shortfall: Some("Linear cannot be published".to_owned()),
        ..Summary::default()
    };
    let script = Script::new(&store, [(evaluation, Act::Succeed(Box::new(short)))]);
    let finished = try_run(&script, run.clone(), &settings(2)).expect("should run");
    assert_eq!(finished.ending, Ending::Failed);
    assert_eq!(finished.exit(), Some(TaskExit::BadData));
    let status = finished.status();
    assert_eq!(status.report.as_deref(), Some("report/index.html"));
    assert!(status.progress.expect("progress").percent < 100);
    for kind in [conditions::PUBLISHED, conditions::SUCCEEDED] {
        let (is_so, _, message) = condition_of(&finished, kind);
        assert_eq!(is_so, ConditionStatus::False);
        assert!(message.contains("Linear cannot be published"), "{message}");
    }

    let again = Script::new(&store, []);
    let finished = try_run(&again, run, &settings(2)).expect("should run");
    assert_eq!(again.ran(), [evaluation]);
    assert_eq!(finished.ending, Ending::Succeeded);
}

fn gate(passed: bool) -> GateOutcome {
    GateOutcome {
        architecture: Architecture::Linear,
        task: Target::Positive,
        metric: Metric::Auc,
        min: "0.88".parse().expect("a decimal"),
        value: "0.5".parse().ok(),
        passed,
    }
}

#[test]
fn a_missed_gate_is_no_success_and_says_by_how_much() {
    let store = Storage::memory();
    let evaluated = Summary {
        gates: vec![gate(false)],
        ..Summary::default()
    };
    let acts = [(
        task(StageKind::Evaluate, 0),
        Act::Succeed(Box::new(evaluated)),
    )];
    let mut run = fixtures::training_run();
    run.spec.gates = vec![attrium_api::Gate {
        architecture: Architecture::Linear,
        task: Target::Positive,
        metric: Metric::Auc,
        min: "0.88".parse().expect("a decimal"),
    }];
    let finished = try_run(&Script::new(&store, acts), run, &settings(2)).expect("should run");
    assert_eq!(
        (finished.ending, finished.exit()),
        (
            Ending::Withheld(Withheld::GateMissed),
            Some(TaskExit::Retry)
        )
    );
    let (is, reason, message) = condition_of(&finished, conditions::GATES_PASSED);
    assert_eq!(
        (is, reason.as_str()),
        (ConditionStatus::False, reasons::GATE_MISSED)
    );
    assert_eq!(message, "Linear Positive auc is 0.5, below 0.88");
    let (is, reason, _) = condition_of(&finished, conditions::SUCCEEDED);
    assert_eq!(
        (is, reason.as_str()),
        (ConditionStatus::False, reasons::GATE_MISSED)
    );
}

#[test]
fn shards_are_added_up_and_a_later_stage_takes_their_place() {
    let data = |used| {
        Some(DataStatus {
            objects: used,
            used: Some(used),
            ..DataStatus::default()
        })
    };
    let shard = |index| {
        let summary = Summary {
            data: data(10),
            ..Summary::default()
        };
        (
            task(StageKind::Preprocess, index),
            Act::Succeed(Box::new(summary)),
        )
    };
    let fails = (task(StageKind::Train, 0), Act::DiskFull);
    let also = (task(StageKind::Train, 2), Act::DiskFull);
    let script = Script::new(&Storage::memory(), [shard(0), shard(1), fails, also]);
    assert_eq!(run_small(&script).status().data, data(20));
    let whole = Summary {
        data: data(19),
        ..Summary::default()
    };
    let evaluate = (task(StageKind::Evaluate, 0), Act::Succeed(Box::new(whole)));
    let script = Script::new(&Storage::memory(), [shard(0), shard(1), evaluate]);
    assert_eq!(run_small(&script).status().data, data(19));
}

/// Settings under which progress is told in lines, and the lines.
fn told(threads: usize) -> (Settings, mpsc::Receiver<String>) {
    let (sender, receiver) = mpsc::channel();
    let settings = Settings {
        display: Arc::new(Display::lines(Box::new(Told(sender)))),
        ..settings(threads)
    };
    (settings, receiver)
}

/// A writer whose text can be read.
struct Told(mpsc::Sender<String>);

impl Write for Told {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let _ = self.0.send(String::from_utf8_lossy(bytes).into_owned());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn without_a_terminal_each_task_is_told_of_in_plain_lines() {
    let (settings, receiver) = told(1);
    let script = Script::new(
        &Storage::memory(),
        [(task(StageKind::Train, 0), Act::DiskFull)],
    );
    try_run(&script, fixtures::training_run(), &settings).expect("should run");
    drop(settings);
    let text: String = receiver.try_iter().collect();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 14, "{text}");
    assert_eq!(lines[0], "preprocess shard 1 of 2: started");
    assert_eq!(lines[1], "preprocess shard 1 of 2: done in 0 s");
    assert_eq!(
        lines[5],
        "train Linear Positive fold 0: failed: no space is left (0 s)"
    );
    assert_eq!(lines[13], "evaluate: done in 0 s");
}

fn published(uri: &str) -> Finished {
    let model = Some(ModelReference {
        uri: uri.to_owned(),
        digest: "sha256:0".to_owned(),
    });
    let evaluated = Summary {
        model,
        ..Summary::default()
    };
    let acts = [(
        task(StageKind::Evaluate, 0),
        Act::Succeed(Box::new(evaluated)),
    )];
    run_small(&Script::new(&Storage::memory(), acts))
}

fn screening(job: &ScreeningJob) -> Resource {
    Resource::from_screening(job.clone())
}

/// The model that a screening uses.
fn found(job: &ScreeningJob, earlier: &[Finished]) -> FoundModel {
    let found = find_model(&screening(job), earlier, None);
    found.expect("should be found").expect("a model")
}

#[test]
fn a_training_goes_on_from_the_model_that_it_began_with() {
    let mut run = fixtures::training_run();
    run.spec.networks[0].start_from = Some(ModelSource {
        training_run: Some("other".to_owned()),
        ..ModelSource::default()
    });
    let run = resource(run);
    let storage = Storage::memory();
    let begin = |digest| {
        let store = RunStore::in_memory(&run, storage.clone());
        let place = ModelPlace {
            uri: "elsewhere/",
            digest: Some(digest),
        };
        let script = Script::new(&storage, []);
        let ended = super::run_on(store, &run, &script, Some(place), &settings(2));
        ended.expect("should run").status().started_from
    };
    let first = ModelReference {
        uri: "elsewhere/".to_owned(),
        digest: "sha256:1".to_owned(),
    };
    assert_eq!(begin("sha256:1"), Some(first.clone()));
    assert_eq!(begin("sha256:2"), Some(first));
}

#[test]
fn a_screening_finds_the_model_of_a_run_that_was_run_before_it() {
    let mut job = fixtures::screening_job();
    assert_eq!(
        found(&job, &[]).place(),
        ModelPlace {
            uri: "results/model/Residual-Positive/",
            digest: None,
        }
    );
    job.spec.model.uri = None;
    job.spec.model.training_run = Some("small".to_owned());
    let earlier = [published("file:///results/model/Linear-Positive")];
    let found = found(&job, &earlier);
    let place = ModelPlace {
        uri: "file:///results/model/Linear-Positive/",
        digest: Some("sha256:0"),
    };
    assert_eq!(found.place(), place);
    let unpublished = [run_small(&Script::new(&Storage::memory(), []))];
    let error = find_model(&screening(&job), &unpublished, None).expect_err("nothing is published");
    assert!(
        error.to_string().contains("has published no model"),
        "{error}"
    );
}

#[test]
fn a_screening_finds_the_model_of_a_run_of_another_day_below_its_output() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = folder.path().to_str().expect("text").to_owned();
    let mut run = fixtures::training_run();
    run.spec.output = output.clone();
    let mut job = fixtures::screening_job();
    job.spec.output = output.clone();
    job.spec.model.uri = None;
    job.spec.model.training_run = Some("small".to_owned());
    let error = find_model(&screening(&job), &[], None).expect_err("nothing has been run");
    assert_eq!(error.exit(), TaskExit::BadConfiguration);
    assert!(
        error
            .to_string()
            .contains("no model of TrainingRun small is found"),
        "{error}"
    );

    let run = resource(run);
    let run_store = RunStore::open(&run, None).expect("should open");
    let store = Storage::open(run_store.prefix(), &Default::default()).expect("should open");
    let model = Some(ModelReference {
        uri: "elsewhere/".to_owned(),
        digest: "d".to_owned(),
    });
    let evaluated = Summary {
        model,
        ..Summary::default()
    };
    let script = Script::new(
        &store,
        [(
            task(StageKind::Evaluate, 0),
            Act::Succeed(Box::new(evaluated)),
        )],
    );
    super::run(&run, &script, None, &settings(2)).expect("should run");
    assert_eq!(
        found(&job, &[]).place(),
        ModelPlace {
            uri: "elsewhere/",
            digest: Some("d"),
        }
    );
}

#[test]
fn a_status_that_cannot_be_written_ends_the_run_with_its_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("occupied");
    std::fs::write(&file, "").expect("a file");
    let mut run = fixtures::training_run();
    run.spec.output = file.to_str().expect("text").to_owned();
    let script = Script::new(&Storage::memory(), []);
    let error = super::run(&resource(run), &script, None, &settings(2)).expect_err("no folder");
    assert_eq!(error.exit(), TaskExit::BadConfiguration);
    assert_eq!(script.ran(), []);
}

/// The small training run in a folder, where `status.yaml` cannot be written from its first fold
/// until its evaluation, or for good.
fn run_without_status(freed: bool) -> (Script, Result<Finished, Error>, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut run = fixtures::training_run();
    run.spec.output = folder.path().to_str().expect("text").to_owned();
    let run = resource(run);
    let run_store = RunStore::open(&run, None).expect("should open");
    let store = Storage::open(run_store.prefix(), &Default::default()).expect("should open");
    let status = PathBuf::from(run_store.prefix()).join(STATUS);
    let mut acts = vec![(task(StageKind::Train, 0), Act::Occupy(status.clone()))];
    if freed {
        acts.push((task(StageKind::Evaluate, 0), Act::Free(status)));
    }
    let script = Script::new(&store, acts);
    let finished = super::run(&run, &script, None, &settings(1));
    (script, finished, folder)
}

#[test]
fn a_status_that_cannot_be_written_on_the_way_costs_no_task() {
    let (script, finished, _folder) = run_without_status(true);
    let finished = finished.expect("should run");
    assert_eq!(finished.ending, Ending::Succeeded);
    assert_eq!(script.ran().len(), 7);
    assert_eq!(stored_status(&script.store), finished.status());
}

#[test]
fn a_status_that_cannot_be_written_at_the_end_is_an_error() {
    let (script, finished, _folder) = run_without_status(false);
    let error = finished.expect_err("has no status");
    let sentence = TaskError::sentence_of(&error);
    assert!(sentence.contains("status.yaml"), "{sentence}");
    assert_eq!(script.ran().len(), 7);
}
