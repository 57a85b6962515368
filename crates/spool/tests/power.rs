//! The power is cut at every operation of the disk, and whatever was promised before is there after.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::Path;
use std::sync::Arc;

use attrium_spool::audit::{self, Audit, AuditEvent, AuditRecord, Fact};
use attrium_spool::simulation::SimulatedDisk;
use attrium_spool::{ObjectFile, ResultKind, Spool, SpoolOptions};
use proptest::prelude::*;

const ROOT: &str = "/var/lib/station";

/// How often a test is repeated: `ATTRIUM_TEST_TIMES` as often as by itself.
fn times(times: u64) -> u64 {
    let factor = std::env::var("ATTRIUM_TEST_TIMES").ok();
    times * factor.map_or(1, |factor| factor.parse().unwrap())
}

/// What a station does with its spool.
#[derive(Clone, Debug)]
enum Action {
    /// An object of this many bytes is kept.
    Keep {
        bytes: usize,
    },
    /// One is received, and not to its end.
    Abandon {
        bytes: usize,
    },
    /// The oldest object is removed.
    Remove,
    Result {
        study: u64,
        kind: ResultKind,
    },
    RemoveResults {
        study: u64,
    },
    /// Records are appended in a month.
    Append {
        records: usize,
        month: u8,
    },
    /// The process ends, as it likes or not, and another begins.
    Restart,
}

/// What was promised.
#[derive(Debug, Default)]
struct Promised {
    kept: Vec<(ObjectFile, Vec<u8>)>,
    removed: Vec<ObjectFile>,
    results: Vec<(u64, ResultKind)>,
    removed_results: Vec<u64>,
    records: u64,
    pseudonym: Option<String>,
    greatest: u64,
}

/// A process with a spool.
struct Station {
    spool: Spool,
    audit: Audit,
}

type Done = Result<(), Box<dyn std::error::Error>>;

impl Station {
    fn open(
        disk: &SimulatedDisk,
        promised: &mut Promised,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let options = SpoolOptions {
            memory_of_one: 600,
            memory_of_all: 2000,
            ..SpoolOptions::default()
        };
        let spool = Spool::open(Arc::new(disk.clone()), Path::new(ROOT), options)?;
        let pseudonym = spool.pseudonymizer().keyed("test", b"value");
        let before = promised.pseudonym.get_or_insert_with(|| pseudonym.clone());
        assert_eq!(*before, pseudonym, "the key is another one");
        let (audit, _) = Audit::open(&spool)?;
        Ok(Self { spool, audit })
    }

    fn act(&self, number: usize, action: &Action, promised: &mut Promised) -> Done {
        match action {
            Action::Keep { bytes } => self.keep(&content(number, *bytes), promised),
            Action::Abandon { bytes } => {
                self.spool.receive()?.write(&content(number, *bytes))?;
                Ok(())
            }
            Action::Remove => self.remove(promised),
            Action::Result { study, kind } => {
                // A result that is being written may be there or not.
                promised.removed_results.retain(|removed| removed != study);
                self.spool
                    .put_result(*study, 1, *kind, &result(*study, *kind))?;
                promised.results.push((*study, *kind));
                Ok(())
            }
            Action::RemoveResults { study } => {
                promised.results.retain(|(of, _)| of != study);
                self.spool.remove_results(*study)?;
                promised.removed_results.push(*study);
                Ok(())
            }
            Action::Append { records, month } => {
                let record = record(*month);
                self.audit.append_all(&vec![record; *records])?;
                promised.records += *records as u64;
                Ok(())
            }
            Action::Restart => Ok(()),
        }
    }

    fn keep(&self, bytes: &[u8], promised: &mut Promised) -> Done {
        let mut incoming = self.spool.receive()?;
        for piece in bytes.chunks(250) {
            incoming.write(piece)?;
        }
        let object = incoming.keep()?;
        assert!(
            object.arrival > promised.greatest,
            "{object:?} after {}",
            promised.greatest
        );
        promised.greatest = object.arrival;
        promised.kept.push((object, bytes.to_vec()));
        Ok(())
    }

    fn remove(&self, promised: &mut Promised) -> Done {
        if promised.kept.is_empty() {
            return Ok(());
        }
        let (object, _) = promised.kept.remove(0);
        self.spool.remove([&object])?;
        promised.removed.push(object);
        Ok(())
    }

    /// Everything that was promised is there, and nothing has a name that it does not deserve.
    fn check(&self, promised: &Promised) {
        let objects = self.spool.objects().unwrap();
        for object in &objects {
            self.spool.verify(object).unwrap();
            assert!(!promised.removed.contains(object), "{object:?} came back");
        }
        for (object, bytes) in &promised.kept {
            assert!(objects.contains(object), "{object:?} is lost");
            assert_eq!(self.spool.read(object).unwrap(), *bytes);
        }
        for (study, kind) in &promised.results {
            let read = self.spool.read_result(*study, 1, *kind).unwrap();
            assert_eq!(read, result(*study, *kind));
        }
        for study in &promised.removed_results {
            for kind in [ResultKind::Report, ResultKind::Image] {
                self.spool.read_result(*study, 1, kind).unwrap_err();
            }
        }
        let used: u64 = objects.iter().map(|object| object.bytes).sum();
        assert!(self.spool.used() >= used);
        let verified = audit::verify(self.spool.disk().as_ref(), Path::new(ROOT)).unwrap();
        assert!(verified.records >= promised.records, "{verified:?}");
        assert_eq!(verified.unfinished, 0);
        let incoming = self.spool.disk().list(&Path::new(ROOT).join("incoming"));
        assert_eq!(incoming.unwrap(), []);
    }
}

fn content(number: usize, bytes: usize) -> Vec<u8> {
    let number = number as u64;
    number
        .to_le_bytes()
        .into_iter()
        .cycle()
        .take(bytes)
        .collect()
}

fn result(study: u64, kind: ResultKind) -> Vec<u8> {
    format!("{study} {kind:?}").repeat(100).into_bytes()
}

fn record(month: u8) -> AuditRecord {
    AuditRecord {
        time: format!("2026-{month:02}-01T10:00:00Z"),
        event: AuditEvent::ObjectKept,
        study: Some(1),
        who: None,
        detail: vec![("arrival", Fact::Number(1))],
    }
}

/// Does what is told until it fails.
fn run(disk: &SimulatedDisk, actions: &[Action], promised: &mut Promised) -> Done {
    let mut station = Station::open(disk, promised)?;
    for (number, action) in actions.iter().enumerate() {
        if matches!(action, Action::Restart) {
            drop(station);
            station = Station::open(disk, promised)?;
        }
        station.act(number, action, promised)?;
    }
    Ok(())
}

/// A disk with an empty spool, so that what is made once is not made for each cut.
fn formatted() -> SimulatedDisk {
    let disk = SimulatedDisk::new(1);
    run(&disk, &[], &mut Promised::default()).unwrap();
    disk.restart(1)
}

/// Cuts the power at every operation from `disk` on, and once more while what is left is opened.
fn cut_everywhere(disk: &SimulatedDisk, actions: &[Action], seed: u64) {
    let whole = disk.copy();
    run(&whole, actions, &mut Promised::default()).unwrap();
    for operation in 0..=whole.operations() {
        let (disk, mut promised) = (disk.copy(), Promised::default());
        disk.cut_power_at(operation);
        let ran = run(&disk, actions, &mut promised);
        assert!(ran.is_ok() || disk.is_off(), "{ran:?}");
        let again = disk.restart(seed ^ operation);
        again.cut_power_at(again.operations() + seed % 40);
        let opened = Station::open(&again, &mut promised);
        assert!(
            opened.is_ok() || again.is_off(),
            "it does not open: {:?}",
            opened.err()
        );
        drop(opened);
        let last = again.restart(seed.wrapping_add(operation));
        let station = Station::open(&last, &mut promised).unwrap();
        station.check(&promised);
        station.keep(b"another", &mut promised).unwrap();
        station
            .act(
                0,
                &Action::Append {
                    records: 1,
                    month: 12,
                },
                &mut promised,
            )
            .unwrap();
        station.check(&promised);
    }
}

/// Kills the process at every operation from `disk` on; another does the same again, and then the power goes.
/// What the second has found counts as promised too: it will have gone into an index.
fn kill_everywhere(disk: &SimulatedDisk, actions: &[Action], seed: u64) {
    let whole = disk.copy();
    run(&whole, actions, &mut Promised::default()).unwrap();
    for operation in 0..=whole.operations() {
        let (disk, mut promised) = (disk.copy(), Promised::default());
        disk.cut_power_at(operation);
        let _ = run(&disk, actions, &mut promised);
        let disk = disk.copy();
        let station = Station::open(&disk, &mut promised).unwrap();
        station.check(&promised);
        for object in station.spool.objects().unwrap() {
            promised.greatest = promised.greatest.max(object.arrival);
            if promised.kept.iter().all(|(kept, _)| *kept != object) {
                let bytes = station.spool.read(&object).unwrap();
                promised.kept.push((object, bytes));
            }
        }
        drop(station);
        if seed.is_multiple_of(2) {
            run(&disk, actions, &mut promised).unwrap();
        }
        let disk = disk.restart(seed ^ operation);
        Station::open(&disk, &mut promised)
            .unwrap()
            .check(&promised);
    }
}

#[test]
fn a_spool_is_made_whatever_operation_the_power_is_cut_at() {
    for seed in 0..times(1) {
        let actions = [Action::Keep { bytes: 700 }];
        cut_everywhere(&SimulatedDisk::new(seed), &actions, seed);
        let actions = [Action::Append {
            records: 1,
            month: 1,
        }];
        kill_everywhere(&SimulatedDisk::new(seed), &actions, seed);
    }
}

#[test]
fn what_was_promised_is_there_whatever_operation_the_power_is_cut_at() {
    let disk = formatted();
    let actions = [
        Action::Keep { bytes: 300 },
        Action::Append {
            records: 2,
            month: 1,
        },
        Action::Keep { bytes: 3000 },
        Action::Abandon { bytes: 3000 },
        Action::Result {
            study: 1,
            kind: ResultKind::Report,
        },
        Action::Result {
            study: 1,
            kind: ResultKind::Image,
        },
        Action::Append {
            records: 1,
            month: 2,
        },
        Action::Remove,
        Action::Restart,
        Action::Append {
            records: 3,
            month: 1,
        },
        Action::Result {
            study: 1,
            kind: ResultKind::Report,
        },
        Action::Keep { bytes: 600 },
        Action::RemoveResults { study: 1 },
        Action::Append {
            records: 1,
            month: 3,
        },
    ];
    for seed in 0..times(5) {
        cut_everywhere(&disk, &actions, seed);
        kill_everywhere(&disk, &actions, seed);
    }
}

fn any_action() -> impl Strategy<Value = Action> {
    let kind = prop_oneof![Just(ResultKind::Report), Just(ResultKind::Image)];
    prop_oneof![
        4 => (1_usize..2500).prop_map(|bytes| Action::Keep { bytes }),
        1 => (1_usize..2500).prop_map(|bytes| Action::Abandon { bytes }),
        1 => Just(Action::Remove),
        2 => (1_u64..3, kind).prop_map(|(study, kind)| Action::Result { study, kind }),
        1 => (1_u64..3).prop_map(|study| Action::RemoveResults { study }),
        3 => (1_usize..4, 1_u8..5).prop_map(|(records, month)| Action::Append { records, month }),
        1 => Just(Action::Restart),
    ]
}

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: u32::try_from(times(8)).unwrap(),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn whatever_a_station_does_nothing_promised_is_lost(
        actions in proptest::collection::vec(any_action(), 1..10),
        seed: u64,
    ) {
        cut_everywhere(&formatted(), &actions, seed);
        kill_everywhere(&formatted(), &actions, seed);
    }
}

/// Eight threads keep objects while the power goes: what each was told is there.
#[test]
fn objects_that_are_kept_at_once_are_all_there_after_a_cut() {
    let disk = formatted();
    for seed in 0..times(60) {
        let disk = disk.copy();
        disk.cut_power_at(disk.operations() + 5 + seed);
        let mut promised = Promised::default();
        let station = Station::open(&disk, &mut promised);
        if let Ok(Station { spool, .. }) = station {
            std::thread::scope(|scope| {
                let keep = |thread: usize| {
                    let spool = &spool;
                    scope.spawn(move || {
                        let mut promised = Promised::default();
                        for number in 0..4 {
                            // Equal digests begin alike, so that some share a folder.
                            let bytes = content(number * 8 + thread, 400);
                            if keep_one(spool, &bytes, &mut promised).is_err() {
                                break;
                            }
                        }
                        promised.kept
                    })
                };
                let threads: Vec<_> = (0..8).map(keep).collect();
                for thread in threads {
                    promised.kept.extend(thread.join().unwrap());
                }
            });
        }
        let disk = disk.restart(seed);
        Station::open(&disk, &mut promised)
            .unwrap()
            .check(&promised);
    }
}

fn keep_one(spool: &Spool, bytes: &[u8], promised: &mut Promised) -> Done {
    let mut incoming = spool.receive()?;
    incoming.write(bytes)?;
    promised.kept.push((incoming.keep()?, bytes.to_vec()));
    Ok(())
}
