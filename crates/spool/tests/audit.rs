//! The audit: what is written stays, and what is changed is found.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use attrium_spool::audit::{
    Audit, AuditError, AuditEvent, AuditRecord, Fact, Name, Unverified, Verified, verify,
};
use attrium_spool::simulation::{Fault, Operation, SimulatedDisk};
use attrium_spool::{Disk, RealDisk, Spool, SpoolOptions};

fn spool(disk: Arc<dyn Disk>, root: &Path) -> Spool {
    let options = SpoolOptions {
        keep_free_percent: 0,
        ..SpoolOptions::default()
    };
    Spool::open(disk, root, options).unwrap()
}

fn record(month: u8, number: u64) -> AuditRecord {
    AuditRecord {
        time: format!("2026-{month:02}-03T04:05:06+02:00"),
        event: AuditEvent::Delivered,
        study: Some(number),
        who: Some(Name::new("PACS").unwrap()),
        detail: vec![
            ("revision", Fact::Number(1)),
            ("kind", Fact::Word("report")),
        ],
    }
}

fn verified(records: u64) -> Verified {
    Verified {
        records,
        unfinished: 0,
    }
}

/// A folder with six records in three files, the fourth to sixth from one call.
fn written() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let spool = spool(Arc::new(RealDisk), folder.path());
    let (audit, cut) = Audit::open(&spool).unwrap();
    assert_eq!(cut, None);
    for (month, number) in [(1, 1), (1, 2), (2, 3)] {
        audit.append(&record(month, number)).unwrap();
    }
    audit
        .append_all(&[record(3, 4), record(3, 5), record(2, 6)])
        .unwrap();
    let files = folder.path().join("audit");
    (folder, files)
}

fn broken(root: &Path) -> (String, u64) {
    match verify(&RealDisk, root) {
        Err(Unverified::Broken { file, line }) => (file, line),
        other => panic!("{other:?}"),
    }
}

fn change(path: PathBuf, change: impl FnOnce(Vec<&str>) -> String) {
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(path, change(text.split_inclusive('\n').collect())).unwrap();
}

#[test]
fn records_follow_each_other_over_months_and_restarts() {
    let (folder, files) = written();
    let mut names: Vec<_> = std::fs::read_dir(&files)
        .unwrap()
        .map(|f| f.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["2026-01.jsonl", "2026-02.jsonl", "2026-03.jsonl"]);
    assert_eq!(verify(&RealDisk, folder.path()).unwrap(), verified(6));
    let spool = spool(Arc::new(RealDisk), folder.path());
    let (audit, cut) = Audit::open(&spool).unwrap();
    assert_eq!(cut, None);
    // The clock has gone back.
    audit.append(&record(1, 7)).unwrap();
    audit.append(&record(4, 8)).unwrap();
    assert_eq!(verify(&RealDisk, folder.path()).unwrap(), verified(8));
    let march = std::fs::read_to_string(files.join("2026-03.jsonl")).unwrap();
    assert_eq!(march.lines().count(), 4);
}

#[test]
fn a_line_that_was_changed_removed_or_added_is_found() {
    let (folder, files) = written();
    change(files.join("2026-01.jsonl"), |lines| {
        lines.concat().replace("\"study\":1", "\"study\":9")
    });
    assert_eq!(broken(folder.path()), ("2026-01.jsonl".to_owned(), 2));
    let (folder, files) = written();
    change(files.join("2026-01.jsonl"), |lines| lines[1..].concat());
    assert_eq!(broken(folder.path()), ("2026-01.jsonl".to_owned(), 1));
    let (folder, files) = written();
    change(files.join("2026-01.jsonl"), |lines| lines[..1].concat());
    assert_eq!(broken(folder.path()), ("2026-02.jsonl".to_owned(), 1));
    let (folder, files) = written();
    change(files.join("2026-02.jsonl"), |lines| {
        lines.concat().repeat(2)
    });
    assert_eq!(broken(folder.path()), ("2026-02.jsonl".to_owned(), 2));
    let (folder, files) = written();
    std::fs::remove_file(files.join("2026-02.jsonl")).unwrap();
    assert_eq!(broken(folder.path()), ("2026-03.jsonl".to_owned(), 1));
}

#[test]
fn nothing_is_written_behind_a_broken_chain() {
    let (folder, files) = written();
    let spool = spool(Arc::new(RealDisk), folder.path());
    Audit::open(&spool)
        .unwrap()
        .0
        .append(&record(3, 7))
        .unwrap();
    let march = files.join("2026-03.jsonl");
    let whole = std::fs::read_to_string(&march).unwrap();
    // Each line but the last, on which nothing depends; with another number, and unreadable.
    for (study, with) in [
        (4, "9"),
        (5, "9"),
        (6, "9"),
        (4, "\n"),
        (5, "\n"),
        (6, "\n"),
    ] {
        let changed = whole.replace(&format!("\"study\":{study}"), &format!("\"study\":{with}"));
        std::fs::write(&march, &changed).unwrap();
        let opened = Audit::open(&spool);
        assert!(
            matches!(opened, Err(AuditError::Broken { .. })),
            "{study} {with:?}: {opened:?}"
        );
        assert!(verify(&RealDisk, folder.path()).is_err());
        assert_eq!(std::fs::read_to_string(&march).unwrap(), changed);
    }
}

#[test]
fn what_a_crash_has_left_of_a_record_is_cut_off_and_told() {
    let half = |line: &str| line[..line.len() / 2].to_owned();
    let none = |line: &str| line.trim_end().to_owned();
    let zeros = |line: &str| "\0".repeat(line.len());
    let garbage = |_: &str| "\u{1}\n{\"record\":\n\n".to_owned();
    let cuts: [&dyn Fn(&str) -> String; 4] = [&half, &none, &zeros, &garbage];
    for damage in cuts {
        let (folder, files) = written();
        let march = files.join("2026-03.jsonl");
        // The last call wrote three lines, and the middle one did not reach the disk.
        change(march.clone(), |lines| {
            format!("{}{}{}", lines[0], damage(lines[1]), lines[2])
        });
        let told = verify(&RealDisk, folder.path()).unwrap();
        assert_eq!(told.records, 3);
        let spool = spool(Arc::new(RealDisk), folder.path());
        let (audit, cut) = Audit::open(&spool).unwrap();
        assert_eq!(cut.unwrap().bytes, told.unfinished);
        audit.append(&record(3, 7)).unwrap();
        assert_eq!(verify(&RealDisk, folder.path()).unwrap(), verified(4));
    }
}

#[test]
fn records_of_one_call_are_there_together_or_not_at_all() {
    let (folder, files) = written();
    change(files.join("2026-03.jsonl"), |lines| lines[..2].concat());
    let told = verify(&RealDisk, folder.path()).unwrap();
    assert_eq!(told.records, 3);
    let spool = spool(Arc::new(RealDisk), folder.path());
    let (_, cut) = Audit::open(&spool).unwrap();
    assert_eq!(cut.unwrap().bytes, told.unfinished);
    assert_eq!(verify(&RealDisk, folder.path()).unwrap(), verified(3));
}

#[test]
fn a_failed_record_leaves_the_chain_whole() {
    let root = Path::new("/spool");
    for operation in [
        Operation::Create,
        Operation::Write,
        Operation::SyncData,
        Operation::SyncFolder,
    ] {
        for (month, next) in [(1, 1), (2, 1), (2, 2), (1, 3)] {
            let disk = SimulatedDisk::new(u64::from(month));
            let spool = spool(Arc::new(disk.clone()), root);
            let (audit, _) = Audit::open(&spool).unwrap();
            audit.append(&record(1, 1)).unwrap();
            disk.fail(Fault {
                operation: Some(operation),
                after: 0,
                times: 1,
                code: 5,
            });
            let failed = audit.append(&record(month, 2)).is_err();
            assert_eq!(spool.accepts().is_err(), failed);
            disk.repair();
            audit.append(&record(next, 3)).unwrap();
            let records = if failed { 2 } else { 3 };
            assert_eq!(
                verify(&disk, root).unwrap(),
                verified(records),
                "{operation:?}"
            );
            drop((audit, spool));
            for seed in 0..20 {
                let disk = disk.restart(seed);
                assert_eq!(
                    verify(&disk, root).unwrap(),
                    verified(records),
                    "{operation:?}"
                );
            }
        }
    }
}

#[test]
fn what_a_killed_process_has_written_is_synced_before_a_new_month_follows_it() {
    let root = Path::new("/spool");
    for seed in 0..40 {
        let disk = SimulatedDisk::new(seed);
        let first = spool(Arc::new(disk.clone()), root);
        let (audit, _) = Audit::open(&first).unwrap();
        audit.append(&record(1, 1)).unwrap();
        // It is written, and the process killed as it begins to sync.
        disk.cut_power_at(disk.operations() + 1);
        audit.append(&record(1, 2)).unwrap_err();
        let disk = disk.copy();
        let second = spool(Arc::new(disk.clone()), root);
        let (audit, _) = Audit::open(&second).unwrap();
        audit.append(&record(2, 3)).unwrap();
        assert_eq!(verify(&disk.restart(seed), root).unwrap(), verified(3));
    }
}

#[test]
fn a_time_that_is_none_writes_nothing() {
    let (folder, _) = written();
    let spool = spool(Arc::new(RealDisk), folder.path());
    let (audit, _) = Audit::open(&spool).unwrap();
    let mut wrong = record(3, 7);
    "../../etc/passwd".clone_into(&mut wrong.time);
    assert!(matches!(
        audit.append_all(&[record(3, 7), wrong]),
        Err(AuditError::NoTime)
    ));
    audit.append_all(&[]).unwrap();
    assert_eq!(verify(&RealDisk, folder.path()).unwrap(), verified(6));
}

#[test]
fn threads_may_append_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let spool = spool(Arc::new(RealDisk), folder.path());
    let (audit, _) = Audit::open(&spool).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let audit = &audit;
            scope.spawn(move || (0..10).for_each(|_| audit.append(&record(1, thread)).unwrap()));
        }
    });
    assert_eq!(verify(&RealDisk, folder.path()).unwrap(), verified(40));
}
