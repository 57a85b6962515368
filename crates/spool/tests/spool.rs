//! What a spool takes, refuses and gives back.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use attrium_spool::simulation::{Fault, Operation, SimulatedDisk};
use attrium_spool::{
    Disk, Error, Full, ObjectDigest, ObjectFile, RealDisk, ResultKind, Space, Spool, SpoolOptions,
};

const ROOT: &str = "/spool";
const NO_SPACE: i32 = 28;
const IO: i32 = 5;

fn open(disk: &SimulatedDisk, options: SpoolOptions) -> Result<Spool, Error> {
    Spool::open(Arc::new(disk.clone()), Path::new(ROOT), options)
}

/// On this machine's disk, however full it is.
fn on_disk(root: &Path) -> Result<Spool, Error> {
    let options = SpoolOptions {
        keep_free_percent: 0,
        ..SpoolOptions::default()
    };
    Spool::open(Arc::new(RealDisk), root, options)
}

fn simulated() -> (SimulatedDisk, Spool) {
    let disk = SimulatedDisk::new(7);
    let spool = open(&disk, SpoolOptions::default()).unwrap();
    (disk, spool)
}

fn keep(spool: &Spool, bytes: &[u8]) -> Result<ObjectFile, Error> {
    let mut incoming = spool.receive()?;
    incoming.write(bytes)?;
    incoming.keep()
}

fn parts(spool: &Spool) -> usize {
    let listed = spool.disk().list(&spool.root().join("incoming"));
    listed.unwrap().len()
}

fn is_stopped(spool: &Spool) -> bool {
    matches!(
        spool.accepts(),
        Err(Error::Full {
            source: Full::Stopped
        })
    )
}

#[test]
fn an_object_is_read_as_it_was_received() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("a/new/folder");
    let spool = on_disk(&root).unwrap();
    for length in [0, 1, 1 << 20, (1 << 20) + 1, 3 << 20] {
        let bytes: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
        let mut incoming = spool.receive().unwrap();
        for piece in bytes.chunks(100_003) {
            incoming.write(piece).unwrap();
        }
        assert_eq!(incoming.bytes(), length as u64);
        let object = incoming.keep().unwrap();
        assert_eq!(
            (object.digest, object.bytes),
            (ObjectDigest::of(&bytes), length as u64)
        );
        assert_eq!(spool.read(&object).unwrap(), bytes);
        spool.verify(&object).unwrap();
    }
    assert_eq!(spool.objects().unwrap().len(), 5);
    assert_eq!(parts(&spool), 0);
}

#[test]
fn nobody_else_may_look_into_a_spool() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("spool");
    let spool = on_disk(&root).unwrap();
    let object = keep(&spool, b"abc").unwrap();
    let mode = |path: &Path| fs::metadata(root.join(path)).unwrap().permissions().mode() & 0o777;
    for name in ["", "incoming", "objects", "objects/ba", "results", "audit"] {
        assert_eq!(mode(Path::new(name)), 0o700, "{name}");
    }
    for name in ["key", "lock", "arrivals"] {
        assert_eq!(mode(Path::new(name)), 0o600, "{name}");
    }
    assert_eq!(mode(&object.path()), 0o600);
}

#[test]
fn a_second_process_is_refused_until_the_first_has_ended() {
    let folder = tempfile::tempdir().unwrap();
    let open = || on_disk(folder.path());
    let first = open().unwrap();
    let error = open().unwrap_err();
    assert!(
        error.to_string().contains("is in use by another process"),
        "{error}"
    );
    // An object that is being received still needs it.
    let incoming = first.receive().unwrap();
    drop(first);
    assert!(matches!(open(), Err(Error::Locked { .. })));
    drop(incoming);
    open().unwrap();
}

#[test]
fn a_network_file_system_is_refused_before_anything_is_written() {
    let disk = SimulatedDisk::new(1);
    disk.set_network("NFS");
    let error = open(&disk, SpoolOptions::default()).unwrap_err();
    assert!(error.to_string().contains("is on NFS"), "{error}");
    assert_eq!(disk.list(Path::new(ROOT)).unwrap(), []);
}

#[test]
fn a_key_is_made_once_and_never_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let open = || on_disk(folder.path());
    let pseudonym = |spool: &Spool| spool.pseudonymizer().keyed("study", b"1.2");
    let spool = open().unwrap();
    let before = pseudonym(&spool);
    keep(&spool, b"abc").unwrap();
    drop(spool);
    assert_eq!(pseudonym(&open().unwrap()), before);
    let path = folder.path().join("key");
    let key = fs::read(&path).unwrap();
    assert_eq!(key.len(), 32);
    fs::write(&path, &key[..31]).unwrap();
    assert!(matches!(open(), Err(Error::WrongKey { bytes: 31, .. })));
    fs::remove_file(&path).unwrap();
    assert!(matches!(open(), Err(Error::NoKey { .. })));
    assert!(!path.exists());
    fs::write(&path, &key).unwrap();
    assert_eq!(pseudonym(&open().unwrap()), before);
}

#[test]
fn equal_bytes_get_a_file_of_their_own() {
    let (_, spool) = simulated();
    let (first, second) = (keep(&spool, b"abc").unwrap(), keep(&spool, b"abc").unwrap());
    assert_eq!(first.digest, second.digest);
    assert!(second.arrival > first.arrival);
    spool.remove([&second]).unwrap();
    assert_eq!(spool.read(&first).unwrap(), b"abc");
    assert!(matches!(spool.read(&second), Err(Error::NotFound)));
    spool.remove([&second]).unwrap();
}

#[test]
fn a_number_is_not_given_again_when_its_object_is_gone() {
    let (disk, spool) = simulated();
    let object = keep(&spool, b"abc").unwrap();
    spool.remove([&object]).unwrap();
    drop(spool);
    let spool = open(&disk, SpoolOptions::default()).unwrap();
    assert!(keep(&spool, b"abc").unwrap().arrival > object.arrival);
}

#[test]
fn numbers_that_cannot_be_read_are_not_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    let open = || on_disk(folder.path());
    keep(&open().unwrap(), b"abc").unwrap();
    fs::write(folder.path().join("arrivals"), "12").unwrap();
    assert!(matches!(open(), Err(Error::WrongArrivals { .. })));
}

#[test]
fn what_is_not_received_to_its_end_leaves_nothing() {
    let (disk, spool) = simulated();
    let mut incoming = spool.receive().unwrap();
    incoming.write(&vec![0; 2 << 20]).unwrap();
    assert_eq!((parts(&spool), spool.used()), (1, 2 << 20));
    drop(incoming);
    assert_eq!((parts(&spool), spool.used()), (0, 0));
    // And the next process removes what this one could not.
    let mut incoming = spool.receive().unwrap();
    incoming.write(&vec![0; 2 << 20]).unwrap();
    std::mem::forget(incoming);
    let spool = open(&disk.copy(), SpoolOptions::default()).unwrap();
    assert_eq!(parts(&spool), 0);
}

#[test]
fn memory_is_limited_for_one_object_and_for_all() {
    let options = SpoolOptions {
        memory_of_one: 1000,
        memory_of_all: 2500,
        ..SpoolOptions::default()
    };
    let spool = open(&SimulatedDisk::new(1), options).unwrap();
    let receive = |bytes: usize| {
        let mut incoming = spool.receive().unwrap();
        incoming.write(&vec![1; bytes]).unwrap();
        incoming
    };
    let first = receive(1000);
    assert_eq!(parts(&spool), 0);
    drop(receive(1001));
    let second = receive(1000);
    assert_eq!(parts(&spool), 0);
    let third = receive(501);
    assert_eq!(parts(&spool), 1);
    drop((first, second));
    let fourth = receive(1000);
    assert_eq!(parts(&spool), 1);
    third.keep().unwrap();
    fourth.keep().unwrap();
    let again = [receive(1000), receive(1000)];
    assert_eq!(parts(&spool), 0);
    drop(again);
}

#[test]
fn a_spool_takes_nothing_over_its_size_or_on_a_disk_that_is_nearly_full() {
    let disk = SimulatedDisk::new(1);
    let options = SpoolOptions {
        size: 1000,
        ..SpoolOptions::default()
    };
    let spool = open(&disk, options).unwrap();
    let object = keep(&spool, &[0; 1000]).unwrap();
    let full = |spool: &Spool| match spool.receive() {
        Err(Error::Full { source }) => source,
        received => panic!("{received:?}"),
    };
    let expected = Full::Size {
        used: 1000,
        limit: 1000,
    };
    assert_eq!(full(&spool), expected);
    drop(spool);
    let spool = open(&disk, options).unwrap();
    assert_eq!(full(&spool), expected, "after a restart");
    spool.remove([&object]).unwrap();
    spool.accepts().unwrap();
    disk.set_space(Space {
        total: 1 << 30,
        free: 100 << 20,
    });
    assert_eq!(full(&spool), Full::Space { free: 9, keep: 10 });
    disk.set_space(Space {
        total: 1 << 30,
        free: 103 << 20,
    });
    spool.accepts().unwrap();
}

#[test]
fn after_a_failure_nothing_is_taken_until_a_probe_succeeds() {
    use Operation::{Create, Rename, SyncData, SyncFolder, Write};
    for (operation, code) in [
        (Create, NO_SPACE),
        (Write, NO_SPACE),
        (SyncData, IO),
        (Rename, IO),
        (SyncFolder, IO),
    ] {
        let (disk, spool) = simulated();
        let before = keep(&spool, b"before").unwrap();
        let fault = |times| Fault {
            operation: Some(operation),
            after: 0,
            times,
            code,
        };
        disk.fail(fault(1));
        let error = keep(&spool, b"lost").unwrap_err();
        assert!(
            matches!(error, Error::Disk { .. }),
            "{operation:?}: {error:?}"
        );
        assert!(is_stopped(&spool), "{operation:?}");
        assert!(spool.receive().is_err());
        disk.fail(fault(u64::MAX));
        let probed = spool.probe();
        assert_eq!(probed.is_err(), operation != Rename, "{operation:?}");
        disk.repair();
        spool.probe().unwrap();
        let after = keep(&spool, b"after").unwrap();
        drop(spool);
        let spool = open(&disk.restart(3), SpoolOptions::default()).unwrap();
        let objects = spool.objects().unwrap();
        for object in [before, after] {
            assert!(objects.contains(&object), "{operation:?}");
            spool.verify(&object).unwrap();
        }
    }
}

#[test]
fn a_file_whose_sync_has_failed_is_removed_and_not_synced_again() {
    let (disk, spool) = simulated();
    keep(&spool, b"before").unwrap();
    let operations = disk.operations();
    disk.fail(Fault {
        operation: Some(Operation::SyncData),
        after: 0,
        times: 1,
        code: IO,
    });
    keep(&spool, b"lost").unwrap_err();
    assert_eq!(parts(&spool), 0);
    // Made, written, synced without success, removed.
    assert_eq!(disk.operations() - operations, 4);
    assert_eq!(spool.used(), 6);
}

#[test]
fn an_object_whose_name_was_not_synced_is_taken_back() {
    let (disk, spool) = simulated();
    disk.fail(Fault {
        operation: Some(Operation::SyncFolder),
        after: 1,
        times: 1,
        code: IO,
    });
    keep(&spool, b"lost").unwrap_err();
    assert_eq!((spool.objects().unwrap(), spool.used()), (vec![], 0));
}

#[test]
fn an_object_with_a_hole_is_not_kept() {
    let (disk, spool) = simulated();
    let mut incoming = spool.receive().unwrap();
    disk.fail(Fault {
        operation: Some(Operation::Write),
        after: 0,
        times: 1,
        code: NO_SPACE,
    });
    incoming.write(&vec![0; 2 << 20]).unwrap_err();
    assert!(incoming.write(b"more").is_err());
    assert!(matches!(incoming.keep(), Err(Error::Incomplete)));
    assert_eq!((parts(&spool), spool.used()), (0, 0));
}

#[test]
fn a_spool_opens_and_is_emptied_on_a_full_disk() {
    let (disk, spool) = simulated();
    let object = keep(&spool, b"abc").unwrap();
    drop(spool);
    disk.set_space(Space {
        total: 1 << 30,
        free: 0,
    });
    disk.fail(Fault {
        operation: Some(Operation::Create),
        after: 0,
        times: u64::MAX,
        code: NO_SPACE,
    });
    let spool = open(&disk, SpoolOptions::default()).unwrap();
    spool.remove([&object]).unwrap();
    assert_eq!(spool.used(), 0);
}

#[test]
fn a_damaged_object_is_found() {
    let (disk, spool) = simulated();
    let object = keep(&spool, &[9; 5000]).unwrap();
    spool.verify(&object).unwrap();
    disk.damage(&Path::new(ROOT).join(object.path()), 4321)
        .unwrap();
    assert!(matches!(spool.verify(&object), Err(Error::Damaged)));
}

#[test]
fn files_that_a_spool_has_not_written_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let spool = on_disk(folder.path()).unwrap();
    let object = keep(&spool, b"abc").unwrap();
    let (path, name) = (folder.path().join("objects/00/notes.txt"), object.path());
    fs::write(&path, "mine").unwrap();
    // In the wrong folder.
    fs::copy(
        folder.path().join(&name),
        path.with_file_name(name.file_name().unwrap()),
    )
    .unwrap();
    assert_eq!(spool.objects().unwrap(), [object]);
    assert!(path.exists());
}

#[test]
fn a_result_is_written_once() {
    let (_, spool) = simulated();
    let read = |revision, kind| spool.read_result(3, revision, kind);
    assert!(matches!(read(1, ResultKind::Report), Err(Error::NotFound)));
    spool
        .put_result(3, 1, ResultKind::Report, b"report")
        .unwrap();
    spool.put_result(3, 1, ResultKind::Image, b"image").unwrap();
    spool
        .put_result(3, 2, ResultKind::Report, b"amended")
        .unwrap();
    spool
        .put_result(3, 1, ResultKind::Report, b"report")
        .unwrap();
    let other = spool.put_result(3, 1, ResultKind::Report, b"other");
    assert!(matches!(other, Err(Error::OtherResult)));
    spool.accepts().unwrap();
    assert_eq!(read(1, ResultKind::Report).unwrap(), b"report");
    assert_eq!(read(1, ResultKind::Image).unwrap(), b"image");
    assert_eq!(read(2, ResultKind::Report).unwrap(), b"amended");
    assert_eq!(spool.used(), 6 + 5 + 7);
    spool
        .put_result(4, 1, ResultKind::Report, b"of another")
        .unwrap();
    spool.remove_results(3).unwrap();
    spool.remove_results(3).unwrap();
    assert!(matches!(read(2, ResultKind::Report), Err(Error::NotFound)));
    assert_eq!(
        spool.read_result(4, 1, ResultKind::Report).unwrap(),
        b"of another"
    );
    assert_eq!(spool.used(), 10);
}

#[test]
fn objects_that_are_kept_at_once_get_numbers_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let spool = on_disk(folder.path()).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..8_u8 {
            let spool = &spool;
            scope.spawn(move || {
                (0..10_u8).for_each(|i| assert!(keep(spool, &[thread % 2, i]).is_ok()))
            });
        }
    });
    let mut numbers: Vec<u64> = spool.objects().unwrap().iter().map(|o| o.arrival).collect();
    numbers.dedup();
    assert_eq!(numbers.len(), 80);
}
