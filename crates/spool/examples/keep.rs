//! How many objects a second are kept on this machine's disk, by one thread and by eight, beside what the
//! system gives when each object is synced, renamed and its folder synced by itself.
//!
//! `cargo run --release -p attrium-spool --example keep [FOLDER]`

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use attrium_spool::{RealDisk, Spool, SpoolOptions};

const OBJECTS: usize = 400;
const BYTES: usize = 1 << 20;
/// Between two measurements: many disks of rented machines are fast for a while, and then slow for a while.
const PAUSE: Duration = Duration::from_secs(15);
/// What a peer sends at a time.
const PIECE: usize = 1 << 17;

type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

fn main() -> Outcome {
    let folder = std::env::args_os()
        .nth(1)
        .map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = folder.join(format!("attrium-spool-{}", std::process::id()));
    fs::create_dir(&folder)?;
    let measured = measure(&folder);
    fs::remove_dir_all(&folder)?;
    measured
}

fn measure(folder: &Path) -> Outcome {
    let options = SpoolOptions {
        keep_free_percent: 1,
        ..SpoolOptions::default()
    };
    // Each time in folders of their own, and nothing is removed in between: ext4 looks long for a file's place
    // where others have just been removed.
    for (turn, threads) in [1, 8, 1, 8].into_iter().enumerate() {
        let spool = folder.join(format!("spool-{turn}"));
        let spool = Spool::open(Arc::new(RealDisk), &spool, options)?;
        let plain = folder.join(format!("plain-{turn}"));
        fs::create_dir(&plain)?;
        thread::sleep(PAUSE);
        let rate = run(threads, &|number| keep(&spool, number))?;
        writeln!(
            io::stdout(),
            "spool, {threads} threads: {rate:.0} objects/s"
        )?;
        thread::sleep(PAUSE);
        let rate = run(threads, &|number| keep_plainly(&plain, number))?;
        writeln!(
            io::stdout(),
            "plain, {threads} threads: {rate:.0} objects/s"
        )?;
    }
    Ok(())
}

/// Does a thing for each object, and says how many were done in a second.
fn run(
    threads: usize,
    one: &(dyn Fn(usize) -> Outcome + Sync),
) -> Result<f64, Box<dyn Error + Send + Sync>> {
    let (next, begin) = (AtomicUsize::new(0), Instant::now());
    let work = || {
        let numbers = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
        numbers
            .take_while(|number| *number < OBJECTS)
            .try_for_each(one)
    };
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let ended = running
            .into_iter()
            .map(|thread| thread.join().map_err(|_| "a thread has panicked")?);
        ended.collect::<Outcome>()
    })?;
    Ok(OBJECTS as f64 / begin.elapsed().as_secs_f64())
}

fn keep(spool: &Spool, number: usize) -> Outcome {
    let mut incoming = spool.receive()?;
    for piece in object(number).chunks(PIECE) {
        incoming.write(piece)?;
    }
    incoming.keep()?;
    Ok(())
}

fn keep_plainly(folder: &Path, number: usize) -> Outcome {
    let (part, whole) = (
        folder.join(format!("{number}.part")),
        folder.join(format!("{number}.dcm")),
    );
    let mut file = File::create_new(&part)?;
    for piece in object(number).chunks(PIECE) {
        file.write_all(piece)?;
    }
    file.sync_data()?;
    fs::rename(&part, &whole)?;
    File::open(folder)?.sync_all()?;
    Ok(())
}

/// Bytes of which no two objects have the same.
fn object(number: usize) -> Vec<u8> {
    let mut bytes = vec![0x5a; BYTES];
    bytes[..8].copy_from_slice(&(number as u64).to_le_bytes());
    bytes
}
