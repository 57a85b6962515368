//! The time, for what is written down; timers go by tokio's clock, which never jumps.

use jiff::{Timestamp, Unit, Zoned};

use attrium_evidence::Moment;

/// Milliseconds since 1970.
pub(crate) fn now() -> i64 {
    Timestamp::now().as_millisecond()
}

/// An instant as RFC 3339 has it, to the second.
pub(crate) fn text(milliseconds: i64) -> String {
    let instant = Timestamp::from_millisecond(milliseconds).unwrap_or_default();
    instant.round(Unit::Second).unwrap_or(instant).to_string()
}

/// An instant's day and time on the clock on the wall here.
pub(crate) fn day_and_hour(milliseconds: i64) -> String {
    local(milliseconds).strftime("%Y-%m-%d %H:%M").to_string()
}

/// When the day of an instant began here.
pub(crate) fn start_of_day(milliseconds: i64) -> i64 {
    let start = local(milliseconds).start_of_day();
    start.map_or(milliseconds, |it| it.timestamp().as_millisecond())
}

/// An instant as DICOM objects have it, in local time.
pub(crate) fn moment(milliseconds: i64) -> Moment {
    let local = local(milliseconds);
    let part = |value: i8| u8::try_from(value).unwrap_or_default();
    Moment {
        year: u16::try_from(local.year()).unwrap_or_default(),
        month: part(local.month()),
        day: part(local.day()),
        hour: part(local.hour()),
        minute: part(local.minute()),
        second: part(local.second()),
    }
}

fn local(milliseconds: i64) -> Zoned {
    let instant = Timestamp::from_millisecond(milliseconds).unwrap_or_default();
    instant.to_zoned(jiff::tz::TimeZone::system())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_written_to_the_second() {
        assert_eq!(text(1_000_000_000_250), "2001-09-09T01:46:40Z");
    }

    #[test]
    fn a_day_begins_before_its_instants() {
        let now = now();
        let start = start_of_day(now);
        assert!(start <= now && now - start < 26 * 3_600_000);
    }
}
