//! What of a value is kept. Each function reads what it keeps, so that nothing passes that was not understood.

use dicom_core::chrono::{Days, NaiveDate};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;

use super::keep::rule;
use super::vocabulary::{SCHEMES, TERMS, WORDS};
use crate::element::DataSet;
use crate::encoding::Encoding;

/// The longest that a UID may be (PS3.5, 9.1).
const UID_LENGTH: usize = 64;

/// What the standard's own UIDs begin with.
const STANDARD: &str = "1.2.840.10008.";

/// The age in years above which ages are rare enough to tell patients apart.
const OLDEST: u32 = 90;

/// The most that a vector of frames counts to: less than any two letters are as a number.
const LAST: u16 = 8_191;

/// A number of 16 bits, which is too short for a text.
pub(super) fn word(bytes: &[u8]) -> Option<Vec<u8>> {
    (bytes.len() == 2).then(|| bytes.to_vec())
}

/// Numbers of 16 bits that count something.
pub(super) fn vector(bytes: &[u8], encoding: Encoding) -> Option<Vec<u8>> {
    let (numbers, rest) = bytes.as_chunks();
    let are_small = numbers.iter().all(|number| encoding.u16(*number) <= LAST);
    (are_small && rest.is_empty()).then(|| bytes.to_vec())
}

/// Tags of attributes that are kept.
pub(super) fn pointers(bytes: &[u8], encoding: Encoding) -> Option<Vec<u8>> {
    let (pointers, rest) = bytes.as_chunks();
    let is_kept = |[g0, g1, e0, e1]: &[u8; 4]| {
        rule(Tag(encoding.u16([*g0, *g1]), encoding.u16([*e0, *e1]))).is_some()
    };
    (pointers.iter().all(is_kept) && rest.is_empty()).then(|| bytes.to_vec())
}

/// A UID of the standard's.
pub(super) fn class(text: &str) -> Option<&str> {
    let uid = trimmed(text);
    let of_digits = |uid: &str| uid.bytes().all(|it| it == b'.' || it.is_ascii_digit());
    (uid.len() <= UID_LENGTH && uid.starts_with(STANDARD) && of_digits(uid)).then_some(uid)
}

/// A date, so many days later.
pub(super) fn date(text: &str, days: i64) -> Option<String> {
    let digits: String = trimmed(text).split('.').collect();
    let is_date = digits.len() == 8 && digits.bytes().all(|digit| digit.is_ascii_digit());
    let digits = is_date.then_some(digits)?;
    let date = NaiveDate::parse_from_str(&digits, "%Y%m%d").ok()?;
    let distance = Days::new(days.unsigned_abs());
    let shifted = if days < 0 {
        date.checked_sub_days(distance)
    } else {
        date.checked_add_days(distance)
    };
    let text = shifted?.format("%Y%m%d").to_string();
    // Years of more than four digits are no DICOM.
    (text.len() == 8).then_some(text)
}

/// A date so many days later, and a time of day, without an offset from UTC.
pub(super) fn date_time(text: &str, days: i64) -> Option<String> {
    let text = trimmed(text);
    let (day, rest) = text.split_at_checked(8)?;
    let (time_of_day, _) = rest.split_at(rest.find(['+', '-']).unwrap_or(rest.len()));
    let day = date(day, days)?;
    match time_of_day {
        "" => Some(day),
        time_of_day => Some(day + &time(time_of_day)?),
    }
}

/// A time of day.
pub(super) fn time(text: &str) -> Option<String> {
    let text: String = trimmed(text).split(':').collect();
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let are_digits = |text: &str| text.bytes().all(|digit| digit.is_ascii_digit());
    let is_time = matches!(whole.len(), 2 | 4 | 6) && part.len() <= 6;
    (is_time && are_digits(whole) && are_digits(part)).then_some(text)
}

/// An age of at most 90 years.
pub(super) fn age(text: &str) -> Option<String> {
    let (digits, unit) = trimmed(text).split_at_checked(3)?;
    let age: u32 = digits
        .bytes()
        .all(|it| it.is_ascii_digit())
        .then(|| digits.parse().ok())??;
    match unit {
        "Y" => Some(format!("{:03}Y", age.min(OLDEST))),
        "M" | "W" | "D" => Some(format!("{age:03}{unit}")),
        _ => None,
    }
}

/// Decimal or integer strings.
pub(super) fn numbers(text: &str) -> Option<String> {
    let numbers: Vec<&str> = text.split('\\').map(trimmed).collect();
    let is_number = |text: &&str| {
        // No words for what is no number, which Rust reads too.
        let has_letters = text
            .bytes()
            .all(|it| matches!(it, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
        text.is_empty() || has_letters && text.len() <= 16 && text.parse::<f64>().is_ok()
    };
    numbers.iter().all(is_number).then(|| numbers.join("\\"))
}

/// Those values that are words of the standard's; in the place of others nothing.
pub(super) fn terms(text: &str) -> String {
    let known = |term: &str| TERMS.iter().find(|known| **known == term).copied();
    let terms = text
        .split('\\')
        .map(|term| known(trimmed(term)).unwrap_or(""));
    terms.collect::<Vec<_>>().join("\\")
}

/// The known words of a text, and single digits, which count hours and detectors.
pub(super) fn words(text: &str) -> String {
    let is_digit = |word: &str| word.len() == 1 && word.bytes().all(|it| it.is_ascii_digit());
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric());
    let known =
        words.filter(|word| is_digit(word) || WORDS.contains(&word.to_ascii_uppercase().as_str()));
    known.collect::<Vec<_>>().join(" ")
}

/// A value of one of the public schemes: digits, or as SNOMED-RT has them.
pub(super) fn code_value(text: &str) -> Option<&str> {
    let code = trimmed(text);
    let is_number = code.bytes().all(|it| it.is_ascii_digit());
    let of_srt = |(axis, rest): (&str, &str)| {
        let is_axis = matches!(axis.as_bytes(), [b'A'..=b'Z'] | [b'A'..=b'Z', b'0'..=b'9']);
        let is_hexadecimal = |it: u8| matches!(it, b'0'..=b'9' | b'A'..=b'F');
        is_axis && rest.len() <= 6 && rest.bytes().all(is_hexadecimal)
    };
    let is_code = is_number || code.split_once('-').is_some_and(of_srt);
    (is_code && !code.is_empty() && code.len() <= 16).then_some(code)
}

/// A public scheme of codes.
pub(super) fn scheme(text: &str) -> Option<&'static str> {
    let known = SCHEMES.iter().find(|known| **known == trimmed(text));
    known.copied()
}

/// An item of a code sequence, if it still is one; its meaning may be gone, and is told by its value then.
pub(super) fn coded(item: DataSet) -> Option<DataSet> {
    let value = item.ascii(tags::CODE_VALUE)?.to_owned();
    item.ascii(tags::CODING_SCHEME_DESIGNATOR)?;
    if item.ascii(tags::CODE_MEANING).is_some() {
        return Some(item);
    }
    Some(item.text(tags::CODE_MEANING, VR::LO, &value))
}

fn trimmed(text: &str) -> &str {
    text.trim_matches([' ', '\0'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_shifted_by_whole_days() {
        assert_eq!(date("20240228", 2).as_deref(), Some("20240301"));
        assert_eq!(date("2024.03.01 ", -2).as_deref(), Some("20240228"));
        assert_eq!(
            date_time("20240228235900.5+0200", 1).as_deref(),
            Some("20240229235900.5")
        );
        assert_eq!(date_time("20240228", 1).as_deref(), Some("20240229"));
        for text in [
            "",
            "2024",
            "20241301",
            "SECRET01",
            "99991231",
            "+2024022",
            "2024022é",
        ] {
            assert_eq!(date(text, 1), None, "{text}");
        }
        assert_eq!(date("20240228", i64::MIN), None);
    }

    #[test]
    fn times_ages_and_numbers_are_what_they_say() {
        assert_eq!(time("12:30:01").as_deref(), Some("123001"));
        assert_eq!(time("0930.123"), Some("0930.123".to_owned()));
        assert_eq!(time("12SECR"), None);
        assert_eq!(age("093Y").as_deref(), Some("090Y"));
        assert_eq!(age("011M").as_deref(), Some("011M"));
        assert_eq!(age("ABCY"), None);
        assert_eq!(numbers("2.26\\ 2.26").as_deref(), Some("2.26\\2.26"));
        assert_eq!(numbers("NaN"), None);
        assert_eq!(numbers("infinity"), None);
        assert_eq!(numbers("1\\SECRET"), None);
    }

    #[test]
    fn of_texts_known_words_stay() {
        assert_eq!(words("WB_ANT Smith"), "WB ANT");
        assert_eq!(words("Tc-99m HMDP 3h 19010203"), "Tc 99m HMDP 3h");
        assert_eq!(
            terms("ORIGINAL\\PRIMARY\\SMITH\\EMISSION"),
            "ORIGINAL\\PRIMARY\\\\EMISSION"
        );
    }

    #[test]
    fn codes_of_public_schemes_stay() {
        assert_eq!(code_value("399321004"), Some("399321004"));
        assert_eq!(code_value("G-5215 "), Some("G-5215"));
        assert_eq!(code_value("P5-0A006"), Some("P5-0A006"));
        assert_eq!(code_value("SMITH-1"), None);
        assert_eq!(scheme("99SMITH"), None);
        assert_eq!(scheme("SRT "), Some("SRT"));
    }
}
