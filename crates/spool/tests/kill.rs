//! The process is killed at any moment, and every object that it has acknowledged is there.
//!
//! `ATTRIUM_TEST_KILLS` says how often; 20 times by itself.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use attrium_spool::audit::{self, Audit, AuditEvent, AuditRecord, Fact};
use attrium_spool::{Error, ObjectFile, RealDisk, Spool, SpoolOptions};

/// The folder of the spool, for the process that is killed.
const FOLDER: &str = "ATTRIUM_TEST_SPOOL";
const THREADS: u64 = 4;

fn open(folder: &Path) -> Result<Spool, Error> {
    let options = SpoolOptions {
        keep_free_percent: 0,
        memory_of_one: 100_000,
        ..SpoolOptions::default()
    };
    Spool::open(Arc::new(RealDisk), folder, options)
}

/// Not a test: what the test below starts and kills.
#[test]
fn keeper() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let spool = open(Path::new(&folder)).unwrap();
    let (audit, _) = Audit::open(&spool).unwrap();
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (spool, audit) = (&spool, &audit);
            scope.spawn(move || {
                (0..u64::MAX).for_each(|number| keep_one(spool, audit, thread, number))
            });
        }
    });
}

fn keep_one(spool: &Spool, audit: &Audit, thread: u64, number: u64) {
    let id = u64::from(std::process::id());
    let seed = [id, thread, number].map(u64::to_le_bytes).concat();
    let length = usize::try_from((number * 37_123 + thread * 91_117) % 250_000 + 24).unwrap();
    let bytes: Vec<u8> = seed.into_iter().cycle().take(length).collect();
    let mut incoming = spool.receive().unwrap();
    for piece in bytes.chunks(16_384) {
        incoming.write(piece).unwrap();
    }
    let object = incoming.keep().unwrap();
    let record = AuditRecord {
        time: "2026-11-30T12:00:00Z".to_owned(),
        event: AuditEvent::ObjectKept,
        study: None,
        who: None,
        detail: vec![("object", Fact::Object(object.digest))],
    };
    audit.append(&record).unwrap();
    let line = format!(
        "kept {} {} {}\n",
        object.digest, object.arrival, object.bytes
    );
    io::stdout().write_all(line.as_bytes()).unwrap();
}

/// A process that does not outlive the test.
struct Killed(Child);

impl Killed {
    fn start(folder: &Path) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "keeper", "--nocapture"])
            .env(FOLDER, folder);
        Self(
            command
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap(),
        )
    }

    /// Waits for the first object and a moment more, kills it, and says what it has acknowledged.
    fn kill(mut self, after: Duration) -> Vec<ObjectFile> {
        let stdout = BufReader::new(self.0.stdout.take().unwrap());
        let (begun, begins) = std::sync::mpsc::channel();
        let reader = thread::spawn(move || {
            let lines = stdout.lines().map_while(Result::ok);
            let told = lines.filter_map(|line| acknowledged(&line));
            told.inspect(|_| _ = begun.send(())).collect()
        });
        let _ = begins.recv_timeout(Duration::from_secs(20));
        thread::sleep(after);
        self.0.kill().unwrap();
        self.0.wait().unwrap();
        reader.join().unwrap()
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a line says, if it was written to its end.
fn acknowledged(line: &str) -> Option<ObjectFile> {
    let mut words = line.split(' ').skip_while(|word| *word != "kept").skip(1);
    let (digest, arrival, bytes) = (words.next()?, words.next()?, words.next()?);
    Some(ObjectFile {
        digest: digest.parse().ok()?,
        arrival: arrival.parse().ok()?,
        bytes: bytes.parse().ok()?,
    })
}

#[test]
fn what_was_acknowledged_is_there_after_the_process_was_killed() {
    let kills = std::env::var("ATTRIUM_TEST_KILLS").map_or(20, |kills| kills.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("spool");
    let (mut last, mut total) = (0, 0);
    for kill in 0..kills {
        let keeper = Killed::start(&root);
        let told = keeper.kill(Duration::from_micros(kill * 7919 % 60_000));
        assert!(!told.is_empty(), "nothing was kept before kill {kill}");
        let spool = open(&root).unwrap();
        let objects = spool.objects().unwrap();
        let lost: Vec<_> = told
            .iter()
            .filter(|object| !objects.contains(object))
            .collect();
        assert!(lost.is_empty(), "{lost:?} are lost after kill {kill}");
        for object in &objects {
            spool.verify(object).unwrap();
        }
        assert!(
            told.iter().all(|object| object.arrival > last),
            "a number was given again"
        );
        last = objects.iter().map(|object| object.arrival).max().unwrap();
        total += told.len() as u64;
        let (audit, _) = Audit::open(&spool).unwrap();
        drop(audit);
        assert!(audit::verify(&RealDisk, &root).unwrap().records >= total);
        // So that each round has as much to check.
        spool.remove(&objects).unwrap();
    }
}
