//! How long after the injection an image was taken: late, when blood and soft tissue have cleared, or early.

use super::dicom::{self, AttributeError, DAY, DataSet, Moment, Radiopharmaceutical, tokens};

/// Minutes before which an image shows the blood pool, not bone (EANM and SNMMI take the blood pool of a
/// three-phase scan within 10 minutes and late images after 2 hours at the earliest).
const EARLY: i64 = 60;

/// Minutes after the injection at which bone scans are made: 2 to 5 hours by the guidelines, and an hour for
/// what delays a patient.
const USUAL: std::ops::RangeInclusive<i64> = 120..=360;

/// Seconds beyond which two times do not belong to one another.
const LONGEST: i64 = 2 * DAY;

/// What an object says of the time between injection and image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatedPhase {
    /// Blood pool, by its name or by its times.
    Early,
    /// Late, this many minutes after the injection.
    Late {
        /// At least 60.
        minutes: u32,
    },
    /// Times that contradict each other.
    Unclear,
    /// Nothing.
    NotStated,
}

impl StatedPhase {
    /// Whether it is outside of what guidelines ask for.
    pub fn is_unusual(self) -> bool {
        matches!(self, Self::Late { minutes } if !USUAL.contains(&i64::from(minutes)))
    }
}

/// Words of an early phase, one after another, in plain capital letters.
const EARLY_WORDS: &[&[&str]] = &[
    &["BLOOD", "POOL"],
    &["BLOODPOOL"],
    &["BLUTPOOL"],
    &["BLUTPOOLPHASE"],
    &["POOL", "SANGUIN"],
    &["POOL", "SANGUINEO"],
    &["POOL", "VASCOLARE"],
    &["PHASE", "SANGUINE"],
    &["VERIPOOLI"],
    &["VERIALLAS"],
    &["VERIALLASVAIHE"],
    &["BLODPOOL"],
    &["BLODPOOLSFAS"],
    &["FLOW"],
    &["PERFUSION"],
    &["PERFUSIONSPHASE"],
    &["EARLY"],
    &["IMMEDIATE"],
    &["TISSUE"],
    &["TISSULAIRE"],
    &["TISULAR"],
    &["WEICHTEIL"],
    &["WEICHTEILPHASE"],
    &["FRUEHPHASE"],
    &["FRUHPHASE"],
    &["FRUEHBILD"],
    &["FRUHBILD"],
    &["FRUEHAUFNAHME"],
    &["FRUHAUFNAHME"],
    &["VASCULAR"],
    &["VASCULAIRE"],
    &["VASCOLARE"],
    &["PRECOCE"],
    &["PRECOCES"],
    &["PRECOZ"],
    &["TEMPRANA"],
    &["TEMPRANO"],
    &["ALKUVAIHE"],
    &["VARHAISVAIHE"],
    &["VARHAINEN"],
    &["TIDIG"],
    &["TIDIGFAS"],
];

/// Words of a late phase: a protocol that names both names none.
const LATE_WORDS: &[&str] = &[
    "LATE",
    "DELAYED",
    "DELAY",
    "SPAET",
    "SPAT",
    "SPAETPHASE",
    "SPATPHASE",
    "SPAETAUFNAHME",
    "SPATAUFNAHME",
    "TARDIF",
    "TARDIVE",
    "TARDIVO",
    "TARDIVA",
    "TARDIO",
    "TARDIA",
    "MINERALISATIONSPHASE",
    "MYOHAISVAIHE",
    "SEN",
    "SENFAS",
];

/// What an object says of the time between injection and image: its times and its names.
pub(super) fn stated(
    set: &DataSet<'_>,
    given: &[Radiopharmaceutical],
) -> Result<StatedPhase, AttributeError> {
    let by_times = of_times(dicom::acquisition_moment(set), given);
    Ok(if by_times != StatedPhase::Early && is_named_early(set)? {
        StatedPhase::Early
    } else {
        by_times
    })
}

/// Of several injections the last one counts: what it gave is the youngest on the image.
fn of_times(taken: Option<Moment>, given: &[Radiopharmaceutical]) -> StatedPhase {
    let given = given.iter().filter_map(|given| given.given);
    let delays = given.filter_map(|given| Some(seconds_between(given, taken?)));
    let Some(seconds) = delays.min() else {
        return StatedPhase::NotStated;
    };
    match seconds / 60 {
        _ if !(0..=LONGEST).contains(&seconds) => StatedPhase::Unclear,
        minutes if minutes < EARLY => StatedPhase::Early,
        minutes => StatedPhase::Late {
            minutes: minutes as u32,
        },
    }
}

/// Of times of a day without their dates, the later is within a day of the earlier.
fn seconds_between(given: Moment, taken: Moment) -> i64 {
    match (given, taken) {
        (Moment::Dated(given), Moment::Dated(taken)) => taken - given,
        (
            Moment::Dated(given) | Moment::OfDay(given),
            Moment::Dated(taken) | Moment::OfDay(taken),
        ) => (taken - given).rem_euclid(DAY),
    }
}

fn is_named_early(set: &DataSet<'_>) -> Result<bool, AttributeError> {
    let names = [
        dicom::series_descriptions(set)?,
        dicom::image_ids(set)?,
        dicom::protocol_name(set)?.into_iter().collect(),
        dicom::ge_dataset_names(set),
        dicom::ge_picture_names(set),
    ];
    Ok(names.iter().flatten().any(|name| is_early(name)))
}

fn is_early(name: &str) -> bool {
    let tokens = tokens(name);
    let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
    let is_late = tokens.iter().any(|token| LATE_WORDS.contains(token));
    let names = |phrase: &&[&str]| tokens.windows(phrase.len()).any(|words| words == *phrase);
    !is_late && (EARLY_WORDS.iter().any(names) || is_minutes_after_injection(&tokens))
}

/// "10 min p.i.", "5 MIN POST INJECTION": minutes alone may be how long a scan took.
fn is_minutes_after_injection(tokens: &[&str]) -> bool {
    tokens.windows(3).any(|tokens| {
        let is_early = tokens[0].parse().is_ok_and(|minutes: i64| minutes < EARLY);
        is_early && tokens[1].starts_with("MIN") && ["PI", "P", "POST"].contains(&tokens[2])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_an_early_phase_are_known_in_the_languages_of_sites() {
        for name in [
            "WB BLOOD POOL 5 MIN",
            "Blutpool",
            "Weichteilphase",
            "BONE FLOW",
            "temps tissulaire",
            "précoce",
            "Frühphase",
            "veriallasvaihe",
            "alkuvaihe",
            "fase temprana",
            "WB ANT 5min p.i.",
            "ANT 10 MIN POST INJ",
            "3-PHASE EARLY",
        ] {
            assert!(is_early(name), "{name}");
        }
    }

    #[test]
    fn late_images_and_the_time_that_a_scan_takes_are_not_an_early_phase() {
        for name in [
            "WB 3H",
            "BONE EARLY+DELAYED",
            "WB ANT 20 MIN",
            "180 min p.i.",
            "Whole Body Bone",
            "Spaetphase nach Blutpool",
            "WB post 3h",
            "",
        ] {
            assert!(!is_early(name), "{name}");
        }
    }

    #[test]
    fn a_time_of_day_that_is_earlier_than_the_injections_is_of_the_next_day() {
        let given = Moment::OfDay(23 * 3600);
        assert_eq!(seconds_between(given, Moment::OfDay(2 * 3600)), 3 * 3600);
        let taken = Moment::Dated(10 * DAY + 12 * 3600);
        assert_eq!(seconds_between(Moment::OfDay(9 * 3600), taken), 3 * 3600);
        assert_eq!(seconds_between(Moment::Dated(11 * DAY), taken), -12 * 3600);
    }
}
