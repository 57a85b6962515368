//! What an answer to a delivery or a message means, and when the next try is: pure.
//!
//! | answer | class |
//! |---|---|
//! | C-STORE 0000 and the warnings B000, B006, B007 (PS3.4, B.2.3); HTTP 2xx; | done |
//! | A7xx, 0210, a transient reject, a connection that fails or is silent; HTTP 408, 429, 5xx | transient |
//! | every other status, no accepted presentation context, a permanent reject; every other HTTP answer | permanent |
//!
//! What is permanent is never tried again by itself: somebody has to ask for it.

use attrium_spool::{Attempt, ItemState};

/// What an answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It has arrived.
    Done,
    /// Another try may do.
    Transient,
    /// No other try will do.
    Permanent,
}

/// The first pause before another try, and the longest, in milliseconds.
const FIRST: i64 = 5_000;
const LONGEST: i64 = 600_000;

/// What the status of a C-STORE response means.
pub fn of_store_status(status: u16) -> Answer {
    match status {
        0x0000 | 0xB000 | 0xB006 | 0xB007 => Answer::Done,
        0x0210 | 0xA700..=0xA7FF => Answer::Transient,
        _ => Answer::Permanent,
    }
}

/// What the status of an HTTP response means.
pub fn of_http_status(status: u16) -> Answer {
    match status {
        200..=299 => Answer::Done,
        408 | 429 | 500..=599 => Answer::Transient,
        _ => Answer::Permanent,
    }
}

/// How long to wait after so many tries that failed, in milliseconds: 5 s, twice as long each time, 10 min at most, and
/// up to a quarter less, as `jitter` from 0 to 1 says, so that many do not come back at once.
pub fn pause(failures: u32, jitter: f64) -> i64 {
    let doubled = FIRST.saturating_mul(1 << failures.saturating_sub(1).min(30));
    let longest = doubled.min(LONGEST);
    longest - (longest as f64 * 0.25 * jitter.clamp(0.0, 1.0)) as i64
}

/// What becomes of an item after a try.
#[derive(Clone, Debug)]
pub struct Tried {
    /// When it was queued, in milliseconds since 1970.
    pub queued_at: i64,
    /// How often it was tried, this time included.
    pub attempts: u32,
    /// The time.
    pub now: i64,
    /// For how long it is tried, in milliseconds.
    pub patience: i64,
    /// From 0 to 1.
    pub jitter: f64,
}

impl Tried {
    /// What is written down of the try.
    pub fn attempt(&self, answer: Answer, detail: Option<String>) -> Attempt {
        let is_over = self.now.saturating_sub(self.queued_at) >= self.patience;
        let state = match answer {
            Answer::Done => ItemState::Done,
            Answer::Permanent => ItemState::Refused,
            Answer::Transient if is_over => ItemState::GivenUp,
            Answer::Transient => ItemState::Pending,
        };
        Attempt {
            state,
            at: self.now,
            next_at: self.now.saturating_add(pause(self.attempts, self.jitter)),
            detail,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_of_a_store_has_a_class() {
        let table = [
            (0x0000, Answer::Done),
            (0xB000, Answer::Done),
            (0xB006, Answer::Done),
            (0xB007, Answer::Done),
            (0xA700, Answer::Transient),
            (0xA7FF, Answer::Transient),
            (0x0210, Answer::Transient),
            (0xA900, Answer::Permanent),
            (0xC000, Answer::Permanent),
            (0x0110, Answer::Permanent),
            (0x0124, Answer::Permanent),
            (0xFE00, Answer::Permanent),
            (0xB001, Answer::Permanent),
        ];
        for (status, answer) in table {
            assert_eq!(of_store_status(status), answer, "{status:04X}");
        }
    }

    #[test]
    fn only_an_answer_of_success_means_that_something_has_arrived() {
        let table = [
            (200, Answer::Done),
            (299, Answer::Done),
            (302, Answer::Permanent),
            (401, Answer::Permanent),
            (404, Answer::Permanent),
            (409, Answer::Permanent),
            (408, Answer::Transient),
            (429, Answer::Transient),
            (503, Answer::Transient),
            (100, Answer::Permanent),
        ];
        for (status, answer) in table {
            assert_eq!(of_http_status(status), answer, "{status}");
        }
    }

    #[test]
    fn pauses_double_up_to_ten_minutes_and_are_never_much_shorter() {
        let pauses = [1, 2, 3, 8, 40, u32::MAX].map(|failures| pause(failures, 0.0));
        assert_eq!(pauses, [5_000, 10_000, 20_000, 600_000, 600_000, 600_000]);
        assert_eq!(pause(1, 1.0), 3_750);
        assert_eq!(pause(1, 9.0), 3_750);
    }

    #[test]
    fn an_item_is_tried_until_its_time_is_over() {
        let tried = |now| Tried {
            queued_at: 0,
            attempts: 1,
            now,
            patience: 1_000,
            jitter: 0.0,
        };
        let state = |now, answer| tried(now).attempt(answer, None).state;
        assert_eq!(state(999, Answer::Transient), ItemState::Pending);
        assert_eq!(state(1_000, Answer::Transient), ItemState::GivenUp);
        assert_eq!(state(5_000, Answer::Done), ItemState::Done);
        assert_eq!(state(0, Answer::Permanent), ItemState::Refused);
        assert_eq!(tried(10).attempt(Answer::Transient, None).next_at, 5_010);
    }
}
