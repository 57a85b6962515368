//! The API server's clock, by which the times of objects were written.
//!
//! The clock of the operator's own node may be wrong. How far it is off is told by the `Date` of the API
//! server's answers; waits of this process are measured by a clock that only goes forward.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use http::HeaderMap;
use http::header::DATE;
use k8s_openapi::jiff::fmt::rfc2822;
use k8s_openapi::jiff::{SignedDuration, Timestamp};

/// What an answer's way and the whole seconds of its `Date` may take, in seconds: no more is believed to be
/// an error of a clock.
const TOLERANCE: i64 = 5;

/// The API server's clock. Clones share what is known of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct ServerClock {
    /// How many seconds it is ahead of this node's.
    ahead: Arc<AtomicI64>,
}

impl ServerClock {
    /// Now, as the API server has it.
    pub(crate) fn now(&self) -> Timestamp {
        self.of(own())
    }

    fn of(&self, now: Timestamp) -> Timestamp {
        let ahead = SignedDuration::from_secs(self.ahead.load(Ordering::Relaxed));
        now.checked_add(ahead).unwrap_or(now)
    }

    /// Takes the time from the headers of an answer that has just come, and warns of clocks that differ.
    pub(crate) fn observe(&self, headers: &HeaderMap) {
        let date = headers.get(DATE).and_then(|date| date.to_str().ok());
        if let Some(date) = date.and_then(|date| rfc2822::parse(date).ok()) {
            self.compare(date.timestamp(), own());
        }
    }

    fn compare(&self, server: Timestamp, own: Timestamp) {
        let ahead = server.duration_since(own).as_secs();
        let ahead = if ahead.abs() > TOLERANCE { ahead } else { 0 };
        let before = self.ahead.load(Ordering::Relaxed);
        if (ahead - before).abs() <= TOLERANCE && (ahead == 0) == (before == 0) {
            return;
        }
        self.ahead.store(ahead, Ordering::Relaxed);
        if ahead == 0 {
            tracing::info!("The clocks of this node and of the API server agree again");
        } else {
            tracing::warn!(
                seconds = ahead,
                "The API server's clock is ahead of this node's, or behind where negative: set the clocks; the API server's counts meanwhile"
            );
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
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("an instant")
    }

    #[test]
    fn a_wrong_clock_is_corrected_by_the_servers_and_a_slow_answer_is_no_wrong_clock() {
        let clock = ServerClock::default();
        for (server, now) in [(1003, 1000), (997, 1000)] {
            clock.compare(at(server), at(1000));
            assert_eq!(clock.of(at(now)), at(now));
        }
        clock.compare(at(4600), at(1000));
        assert_eq!(clock.of(at(1010)), at(4610));
        clock.compare(at(1000), at(4600));
        assert_eq!(clock.of(at(4610)), at(1010));
        clock.compare(at(5000), at(5000));
        assert_eq!(clock.of(at(5000)), at(5000));
    }

    #[test]
    fn the_time_is_read_from_the_date_of_an_answer() {
        let clock = ServerClock::default();
        let mut headers = HeaderMap::new();
        clock.observe(&headers);
        headers.insert(DATE, "nonsense".parse().expect("a value"));
        clock.observe(&headers);
        assert_eq!(clock.of(at(7)), at(7));
        headers.insert(
            DATE,
            "Sun, 06 Nov 1994 08:49:37 GMT".parse().expect("a value"),
        );
        clock.observe(&headers);
        let year = clock.now().strftime("%Y").to_string();
        assert_eq!(year, "1994");
    }
}
