//! One sync for all who wait for it.

use std::io;
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};

/// Joins calls that want the same thing synced: each returns after a sync that began after it was called,
/// and those that come while one runs share the next.
#[derive(Debug, Default)]
pub(crate) struct Joined {
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct State {
    is_running: bool,
    /// The sync that begins next.
    next: Arc<Run>,
}

/// What one sync ended with, for all who waited for it. A failure is nobody's alone, and the success of a
/// later sync would not undo it.
#[derive(Debug, Default)]
struct Run {
    end: OnceLock<Result<(), Failure>>,
}

/// An error of the system that many get.
#[derive(Clone, Copy, Debug)]
struct Failure {
    kind: io::ErrorKind,
    code: Option<i32>,
}

impl Joined {
    /// Returns after a sync that began after this call.
    pub(crate) fn sync(&self, sync: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let run = Arc::clone(&state.next);
        loop {
            if let Some(end) = run.end.get() {
                return end.map_err(io::Error::from);
            }
            if !state.is_running {
                break;
            }
            let woken = self.ended.wait(state);
            state = woken.unwrap_or_else(PoisonError::into_inner);
        }
        state.is_running = true;
        state.next = Arc::default();
        drop(state);
        let end = sync();
        let told = end.as_ref().copied().map_err(Failure::from);
        self.finish(&run, told);
        end
    }

    fn finish(&self, run: &Run, end: Result<(), Failure>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        run.end.get_or_init(|| end);
        state.is_running = false;
        self.ended.notify_all();
    }
}

impl From<&io::Error> for Failure {
    fn from(error: &io::Error) -> Self {
        Self {
            kind: error.kind(),
            code: error.raw_os_error(),
        }
    }
}

impl From<Failure> for io::Error {
    fn from(failure: Failure) -> Self {
        let of_code = failure.code.map(Self::from_raw_os_error);
        of_code.unwrap_or_else(|| failure.kind.into())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::thread;
    use std::time::Duration;

    use super::*;

    #[test]
    fn threads_that_wait_share_a_sync_that_began_after_each_of_them() {
        let (joined, begun) = (Joined::default(), AtomicU64::new(0));
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        let before = begun.load(Ordering::SeqCst);
                        let sync = || {
                            begun.fetch_add(1, Ordering::SeqCst);
                            thread::sleep(Duration::from_millis(1));
                            Ok(())
                        };
                        joined.sync(sync).unwrap();
                        assert!(begun.load(Ordering::SeqCst) > before);
                    }
                });
            }
        });
        let begun = begun.into_inner();
        assert!(begun < 120, "{begun} syncs for 160 calls");
    }

    #[test]
    fn a_failure_is_everybodys_who_waited_for_it_and_nobody_elses() {
        let joined = Joined::default();
        let (entered, failed) = (AtomicU64::new(0), AtomicU64::new(0));
        let fail = || {
            entered.fetch_add(1, Ordering::SeqCst);
            thread::sleep(Duration::from_millis(50));
            Err(io::Error::from_raw_os_error(5))
        };
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let error = joined.sync(fail).unwrap_err();
                    assert_eq!(error.raw_os_error(), Some(5));
                    failed.fetch_add(1, Ordering::SeqCst);
                });
            }
        });
        assert_eq!(failed.into_inner(), 4);
        assert!(entered.into_inner() <= 4);
        joined.sync(|| Ok(())).unwrap();
    }
}
