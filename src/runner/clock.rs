//! Instants as a status has them.

use std::time::{Duration, SystemTime};

use k8s_openapi::jiff::{Timestamp, Unit};

/// Now, as RFC 3339 has it, to the second.
pub(super) fn now() -> String {
    text(SystemTime::now())
}

/// The instant after a time from now.
pub(super) fn after(remaining: Duration) -> String {
    text(SystemTime::now() + remaining)
}

fn text(instant: SystemTime) -> String {
    let instant = Timestamp::try_from(instant).unwrap_or_default();
    instant.round(Unit::Second).unwrap_or(instant).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_written_to_the_second() {
        let instant = SystemTime::UNIX_EPOCH + Duration::from_millis(1_000_000_000_250);
        assert_eq!(text(instant), "2001-09-09T01:46:40Z");
    }
}
