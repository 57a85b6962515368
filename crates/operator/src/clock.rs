//! The API server's clock, by which the times of objects were written.
//!
//! The clock of the operator's own node may be wrong, and may be set at any moment. The time is taken from the
//! `Date` of the API server's answers, and goes on from there by a clock that only goes forward.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use http::HeaderMap;
use http::header::DATE;
use k8s_openapi::jiff::fmt::rfc2822;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// What an answer's way and the whole seconds of its `Date` may take: no more is believed to be an error of a
/// clock.
const TOLERANCE: SignedDuration = SignedDuration::from_secs(5);

/// The API server's clock. Clones share what is known of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct ServerClock {
    /// A time that an answer has told, and when.
    told: Arc<Mutex<Option<(Instant, Timestamp)>>>,
    /// Whether this node's clock is known to be another.
    differs: Arc<AtomicBool>,
}

impl ServerClock {
    /// Now, as the API server has it; before its first answer, as this node has it.
    pub(crate) fn now(&self) -> Timestamp {
        self.at(Instant::now()).unwrap_or_else(own)
    }

    fn at(&self, now: Instant) -> Option<Timestamp> {
        let told = *self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let (instant, time) = told?;
        let passed = SignedDuration::try_from(now.duration_since(instant)).ok()?;
        time.checked_add(passed).ok()
    }

    /// Takes the time from the headers of an answer that has just come, and warns of clocks that differ.
    pub(crate) fn observe(&self, headers: &HeaderMap) {
        let date = headers.get(DATE).and_then(|date| date.to_str().ok());
        if let Some(date) = date.and_then(|date| rfc2822::parse(date).ok()) {
            self.take(date.timestamp(), Instant::now());
            self.compare(date.timestamp(), own());
        }
    }

    /// An answer is never younger than its date, and may be a little older.
    fn take(&self, date: Timestamp, now: Instant) {
        let known = self.at(now);
        if known.is_none_or(|known| date > known || known.duration_since(date) > TOLERANCE) {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            *told = Some((now, date));
        }
    }

    fn compare(&self, server: Timestamp, own: Timestamp) {
        let ahead = server.duration_since(own);
        let differs = ahead.abs() > TOLERANCE;
        let before = self.differs.swap(differs, Ordering::Relaxed);
        if differs && !before {
            tracing::warn!(
                seconds = ahead.as_secs(),
                "The API server's clock is ahead of this node's, or behind where negative: set the clocks; the API server's counts meanwhile"
            );
        } else if before && !differs {
            tracing::info!("The clocks of this node and of the API server agree again");
        }
    }
}

/// Now, as this node has it; a simulation gives each of its processes a clock of its own.
pub(crate) fn own() -> Timestamp {
    #[cfg(test)]
    if let Ok(now) = simulated::CLOCK.try_with(simulated::Clock::now) {
        return now;
    }
    Timestamp::now()
}

#[cfg(test)]
pub(crate) mod simulated {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    use k8s_openapi::jiff::{SignedDuration, Timestamp};
    use tokio::time::Instant;

    tokio::task_local! {
        /// The clock of the node on which a task runs.
        pub(crate) static CLOCK: Clock;
    }

    /// A clock that goes with the paused time of a test, and may be wrong.
    #[derive(Clone, Debug)]
    pub(crate) struct Clock {
        pub(crate) began: (Instant, Timestamp),
        /// How many seconds it is ahead.
        pub(crate) ahead: Arc<AtomicI64>,
    }

    impl Clock {
        pub(crate) fn now(&self) -> Timestamp {
            let (instant, timestamp) = self.began;
            let passed = SignedDuration::try_from(instant.elapsed()).expect("a short while");
            let ahead = SignedDuration::from_secs(self.ahead.load(Ordering::Relaxed));
            timestamp + passed + ahead
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::simulated::{CLOCK, Clock};
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("an instant")
    }

    #[test]
    fn a_wrong_clock_is_corrected_by_the_servers_and_a_slow_answer_is_no_wrong_clock() {
        let (clock, first) = (ServerClock::default(), Instant::now());
        let now = |second: u64| clock.at(first + Duration::from_secs(second));
        let take =
            |date: i64, second: u64| clock.take(at(date), first + Duration::from_secs(second));
        assert_eq!(now(0), None);
        take(4600, 0);
        assert_eq!(now(10), Some(at(4610)));
        // Its way took three seconds.
        take(4617, 20);
        assert_eq!(now(20), Some(at(4620)));
        // The first one's way took two.
        take(4632, 30);
        assert_eq!(now(30), Some(at(4632)));
        take(1000, 40);
        assert_eq!(now(40), Some(at(1000)));
    }

    fn told(clock: &ServerClock, date: &str) {
        let mut headers = HeaderMap::new();
        headers.insert(DATE, date.parse().expect("a value"));
        clock.observe(&headers);
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_is_set_between_two_answers_changes_nothing() {
        let own = Clock {
            began: (Instant::now(), at(0)),
            ahead: Arc::default(),
        };
        let ahead = own.ahead.clone();
        let clock = ServerClock::default();
        CLOCK.sync_scope(own, || {
            assert_eq!(clock.now(), at(0));
            told(&clock, "Thu, 01 Jan 1970 00:00:02 GMT");
            ahead.store(3600, Ordering::Relaxed);
            assert_eq!(clock.now(), at(2));
        });
    }

    #[test]
    fn the_time_is_read_from_the_date_of_an_answer() {
        let clock = ServerClock::default();
        clock.observe(&HeaderMap::new());
        told(&clock, "nonsense");
        assert_eq!(clock.at(Instant::now()), None);
        told(&clock, "Sun, 06 Nov 1994 08:49:37 GMT");
        let year = clock.now().strftime("%Y").to_string();
        assert_eq!(year, "1994");
    }
}
