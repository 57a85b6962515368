//! Two attempts of one task, interleaved at every write.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use object_store::memory::InMemory;
use sha2::{Digest, Sha256};

use super::disturbed::Disturbed;
use super::{ENSEMBLE, EPOCHS, Job, LIMIT, REFIT, SCREENING, Staged, at};
use crate::TaskError;
use crate::task_io::TaskFiles;
use crate::tasks::Tasks;
use attrium_storage::Storage;
use attrium_training::fit::History;
use attrium_workflow::{StageKind, TaskRef, artefacts};

/// All that readers see of a task: its marker, the files that it names, and what is published of them.
type Seen = BTreeMap<String, Vec<u8>>;

/// Reads what readers see, and makes sure that it is whole and of one attempt.
fn seen(job: &Job, store: &Storage, id: TaskRef) -> Seen {
    let marker = job.marker(store, id);
    let mut seen = Seen::new();
    for file in &marker.files {
        let folder = artefacts::attempt(id, &marker.attempt);
        assert_eq!(file.path, format!("{folder}{}", file.name));
        let places = [&file.path, &file.name];
        let published = artefacts::is_published(&file.name);
        for place in places.iter().take(if published { 2 } else { 1 }) {
            let bytes = store.get(place, LIMIT).unwrap();
            assert_eq!(bytes.len() as u64, file.bytes, "{place}");
            assert_eq!(hex::encode(Sha256::digest(&bytes)), file.sha256, "{place}");
            seen.insert((*place).clone(), bytes);
        }
        if file.name.ends_with("history.csv") {
            let history = History::from_csv(&seen[&file.path]).unwrap();
            let epochs: Vec<_> = history.epochs.iter().map(|epoch| epoch.epoch).collect();
            assert_eq!(epochs, (1..=EPOCHS).collect::<Vec<_>>());
        }
    }
    let task = job.task(id);
    for name in task.writes.iter().filter(|name| !name.ends_with('/')) {
        assert!(marker.file(name).is_some(), "{name} is not vouched for");
    }
    let bytes = store.get(&task.marker, LIMIT).unwrap();
    seen.insert(task.marker.clone(), bytes);
    seen
}

/// Lets one attempt pause before its n-th write until another has ended; `None` where it has no n-th write.
fn pause(job: &'static Job, before: &InMemory, id: TaskRef, n: usize) -> Option<()> {
    let store = Arc::new(before.fork());
    let plain = Storage::over(store.clone());
    let other = Arc::new(Mutex::new(None));
    let (kept, beside) = (other.clone(), plain.clone());
    let disturbed = Disturbed::paused(store, n, move || {
        let told = job.run(&beside, id).unwrap();
        *kept.lock().unwrap() = Some((told, seen(job, &beside, id)));
    });
    let told = job
        .run(&Storage::over(Arc::new(disturbed.clone())), id)
        .unwrap();
    let now = seen(job, &plain, id);
    let (other, then) = other.lock().unwrap().take()?;
    assert_eq!(told, other, "at write {n}");
    assert_eq!(now, then, "what woke at write {n} changed what readers see");
    Some(())
}

/// Kills one attempt before its n-th write, and lets another follow.
fn kill(job: &'static Job, before: &InMemory, id: TaskRef, n: usize) -> Option<()> {
    let store = Arc::new(before.fork());
    let plain = Storage::over(store.clone());
    let disturbed = Disturbed::killed(store, n);
    let killed = job.run(&Storage::over(Arc::new(disturbed.clone())), id);
    assert_eq!(killed.is_err(), disturbed.was_disturbed());
    let told = job.run(&plain, id).unwrap();
    seen(job, &plain, id);
    assert_eq!(told, job.run(&plain, id).unwrap(), "it is done");
    killed.is_err().then_some(())
}

/// Lets a task pause at its every write, and kills it at every third; expects so many writes at least.
fn at_every_write(staged: &'static Staged, id: TaskRef, least: usize) {
    let (job, before) = staged;
    let before = &before[&id.stage];
    let writes = (1..).take_while(|&n| pause(job, before, id, n).is_some());
    let writes = writes.count();
    assert!(writes >= least, "only {writes} writes were disturbed");
    let killed = (1..).step_by(3);
    let killed = killed.take_while(|&n| kill(job, before, id, n).is_some());
    assert_eq!(killed.count(), writes.div_ceil(3));
}

#[test]
fn two_preprocessings_of_one_shard_leave_the_files_of_one() {
    at_every_write(&ENSEMBLE, at(StageKind::Preprocess, 0), 5);
}

#[test]
fn two_trainings_of_one_fold_leave_the_files_of_one_and_every_epoch_once() {
    at_every_write(&ENSEMBLE, at(StageKind::Train, 1), 9);
}

#[test]
fn two_evaluations_leave_the_files_of_one() {
    at_every_write(&ENSEMBLE, at(StageKind::Evaluate, 0), 18);
}

#[test]
fn two_refits_leave_the_files_of_one() {
    at_every_write(&REFIT, at(StageKind::Refit, 0), 10);
}

#[test]
fn two_screenings_of_one_shard_leave_the_files_of_one() {
    at_every_write(&SCREENING, at(StageKind::Screen, 0), 3);
}

#[test]
fn two_summaries_of_a_screening_leave_the_files_of_one() {
    at_every_write(&SCREENING, at(StageKind::Summarize, 0), 11);
}

#[test]
fn a_training_goes_on_from_the_checkpoint_of_another_attempt_and_removes_it() {
    let (job, before) = &*ENSEMBLE;
    let id = at(StageKind::Train, 0);
    let store = Arc::new(before[&StageKind::Train].fork());
    // After history and checkpoint of the first epoch.
    let killed = Disturbed::killed(store.clone(), 3);
    job.run(&Storage::over(Arc::new(killed)), id).unwrap_err();
    let store = Storage::over(store);
    let checkpoints = || {
        let keys = store
            .list()
            .unwrap()
            .map(|it| it.unwrap().name().to_owned());
        keys.filter(|key| key.ends_with("checkpoint/state"))
            .collect::<Vec<_>>()
    };
    let first = checkpoints();
    assert_eq!(first.len(), 1);
    job.run(&store, id).unwrap();
    let of_winner = artefacts::attempt(id, &job.marker(&store, id).attempt);
    let left = checkpoints();
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(left[0].starts_with(&of_winner) && left != first);
    let whole = {
        let undisturbed = Storage::over(Arc::new(before[&StageKind::Train].fork()));
        job.run(&undisturbed, id).unwrap();
        seen(job, &undisturbed, id)
    };
    let weights = |seen: &Seen| {
        let of_name = |(key, _): &(&String, &Vec<u8>)| key.ends_with("weights.safetensors");
        seen.iter().find(of_name).map(|(_, bytes)| bytes.clone())
    };
    assert_eq!(weights(&seen(job, &store, id)), weights(&whole));
}

#[test]
fn a_training_stops_once_another_attempt_has_ended() {
    let (job, before) = &*ENSEMBLE;
    let id = at(StageKind::Train, 0);
    let store = Storage::over(Arc::new(before[&StageKind::Train].fork()));
    let mut files = TaskFiles::new(store.clone(), &job.plan, job.task(id), None);
    files.attempt = files.attempt.looking_every(Duration::ZERO);
    let told = job.run(&store, id).unwrap();
    let keys = || store.list().unwrap().count();
    let before = keys();
    let lost = job.with_context(|context| Tasks::default().attempt(&files, context));
    assert_eq!(lost.unwrap(), told);
    assert_eq!(keys(), before, "it has written nothing");
}

#[test]
fn a_marker_with_a_shortfall_is_replaced_by_one_of_two_attempts() {
    let (job, before) = &*ENSEMBLE;
    let id = at(StageKind::Evaluate, 0);
    let store = Arc::new(before[&StageKind::Evaluate].fork());
    let plain = Storage::over(store.clone());
    job.run(&plain, id).unwrap();
    let mut short = job.marker(&plain, id);
    short.summary.shortfall = Some("a fold has failed".to_owned());
    let short = serde_json::to_vec(&short).unwrap();
    plain.put(&job.task(id).marker, short).unwrap();
    let beside = plain.clone();
    let disturbed = Disturbed::paused(store, 1, move || {
        beside
            .put(
                "seen",
                serde_json::to_vec(&job.run(&beside, id).unwrap()).unwrap(),
            )
            .unwrap();
    });
    let told = job.run(&Storage::over(Arc::new(disturbed)), id).unwrap();
    let other = serde_json::from_slice(&plain.get("seen", LIMIT).unwrap()).unwrap();
    assert_eq!(told, other);
    assert_eq!(told.shortfall, None);
    seen(job, &plain, id);
}

#[test]
fn what_was_published_is_there_again_after_the_next_run() {
    let (job, before) = &*ENSEMBLE;
    let id = at(StageKind::Evaluate, 0);
    let store = Storage::over(Arc::new(before[&StageKind::Evaluate].fork()));
    job.run(&store, id).unwrap();
    let then = seen(job, &store, id);
    store.delete(artefacts::REPORT).unwrap();
    store.put(artefacts::METRICS, "{}").unwrap();
    job.run(&store, id).unwrap();
    assert_eq!(seen(job, &store, id), then);
}

#[test]
fn a_task_is_done_anew_once_what_it_was_made_of_is() {
    let (job, before) = &*ENSEMBLE;
    let (fold, evaluate) = (at(StageKind::Train, 1), at(StageKind::Evaluate, 0));
    let store = Storage::over(Arc::new(before[&StageKind::Evaluate].fork()));
    let first = job.run(&store, evaluate).unwrap();
    assert_eq!(job.run(&store, evaluate).unwrap(), first);
    store.delete(&job.task(fold).marker).unwrap();
    job.run(&store, fold).unwrap();
    let second = job.run(&store, evaluate).unwrap();
    assert_ne!(second.marker, first.marker);
    seen(job, &store, evaluate);
    // A fold that was trained on a shard that has been made anew is refused by who reads it.
    let shard = at(StageKind::Preprocess, 0);
    store.delete(&job.task(shard).marker).unwrap();
    job.run(&store, shard).unwrap();
    let error = job.run(&store, evaluate).unwrap_err();
    assert!(matches!(error, TaskError::BadData { .. }), "{error:?}");
    let sentence = error.sentence();
    assert!(
        sentence.contains("delete memory:///tasks/train/"),
        "{sentence}"
    );
}
