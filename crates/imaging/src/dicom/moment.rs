//! Points in time, from dates and times as texts (PS3.5, 6.2: DA, TM, DT).

use dicom_core::chrono::{Datelike, NaiveDate};

use super::name::AttributeName;
use super::value::{DataSet, text};

/// A point in time, in seconds of no time zone: a date's days count 86,400 each.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Moment {
    /// On a date.
    Dated(i64),
    /// On a day that is not stated.
    OfDay(i64),
}

/// Seconds in a day.
pub(crate) const DAY: i64 = 86_400;

/// The moment that a date and time (DT), or a time (TM) with a date (DA) or without, states; none where it is
/// absent or cannot be understood.
pub(super) fn moment(
    set: &DataSet<'_>,
    date_time: AttributeName,
    time: AttributeName,
    date: Option<AttributeName>,
) -> Option<Moment> {
    let stated = |name| text(set, name).ok().flatten();
    let whole = stated(date_time).and_then(|text| dated(&text));
    whole.or_else(|| {
        let time = seconds(&stated(time)?)?;
        let days = date.and_then(stated).and_then(|date| days(&date));
        Some(days.map_or(Moment::OfDay(time), |days| Moment::Dated(days * DAY + time)))
    })
}

fn dated(text: &str) -> Option<Moment> {
    let (date, time) = text.split_at_checked(8)?;
    Some(Moment::Dated(days(date)? * DAY + seconds(time)?))
}

/// Seconds from midnight of HHMM, HHMMSS or HHMMSS.F, or with the colons that older objects have.
fn seconds(time: &str) -> Option<i64> {
    let whole = time.split(['.', '+', '-']).next()?.replace(':', "");
    let part = |from: usize| whole.get(from..from + 2)?.parse::<i64>().ok();
    let (hours, minutes) = (part(0)?, part(2)?);
    let seconds = part(4).unwrap_or(0);
    let is_time = hours < 24 && minutes < 60 && seconds <= 60;
    is_time.then_some(hours * 3600 + minutes * 60 + seconds)
}

/// Days, from one that means nothing, of YYYYMMDD, or with the dots that older objects have.
pub(super) fn days(date: &str) -> Option<i64> {
    let date = date.replace('.', "");
    let year = date.get(..4)?.parse().ok()?;
    let month = date.get(4..6)?.parse().ok()?;
    let day = date.get(6..8)?.parse().ok()?;
    let date = NaiveDate::from_ymd_opt(year, month, day)?;
    Some(date.num_days_from_ce().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_the_standard_and_as_older_objects_write_them() {
        for (time, expected) in [
            ("0905", Some(32_700)),
            ("090507", Some(32_707)),
            ("090507.123", Some(32_707)),
            ("09:05:07", Some(32_707)),
            ("2460", None),
            ("09", None),
            ("noon", None),
            ("\u{e9}\u{e9}05", None),
        ] {
            assert_eq!(seconds(time), expected, "{time}");
        }
        assert_eq!(days("2020.03.01"), days("20200301"));
        assert_eq!(
            days("20200301").zip(days("20200228")).map(|(a, b)| a - b),
            Some(2)
        );
        assert_eq!(days("20200230"), None);
        let expected = days("20200301").map(|days| Moment::Dated(days * DAY + 32_707));
        assert_eq!(dated("20200301090507.5+0200"), expected);
        assert_eq!(dated("2020"), None);
    }
}
