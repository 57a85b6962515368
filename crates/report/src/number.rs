//! Numbers as the literature prints them.

use attrium_evaluation::{Estimate, Interval};

/// What stands where a value is not defined, such as a recall without a case.
pub(super) const UNDEFINED: &str = "–";

/// A fraction to two decimals: `0.89`.
pub(super) fn fraction(value: f64) -> String {
    decimals(value, 2)
}

/// A value to a number of decimals, with a real minus sign.
pub(super) fn decimals(value: f64, digits: usize) -> String {
    if !value.is_finite() {
        return UNDEFINED.to_owned();
    }
    let text = format!("{value:.digits$}");
    match text.strip_prefix('-') {
        Some(zero) if zero.chars().all(|c| c == '0' || c == '.') => zero.to_owned(),
        Some(size) => format!("−{size}"),
        None => text,
    }
}

/// A fraction that may be undefined.
pub(super) fn optional(value: Option<f64>) -> String {
    optional_decimals(value, 2)
}

/// A value to a number of decimals that may be undefined.
pub(super) fn optional_decimals(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| UNDEFINED.to_owned(), |value| decimals(value, digits))
}

/// An estimate with its interval: `0.89 [0.84, 0.93]`.
pub(super) fn estimate(estimate: Option<Estimate>) -> String {
    let Some(Estimate { value, interval }) = estimate else {
        return UNDEFINED.to_owned();
    };
    match interval {
        None => fraction(value),
        Some(limits) => format!("{} {}", fraction(value), self::interval(limits)),
    }
}

/// An estimated number of things with its interval: `35 [21, 48]`, to one decimal below 10.
pub(super) fn estimated_count(estimate: Option<Estimate>) -> [String; 2] {
    let digits = |value: f64| decimals(value, usize::from(value < 9.95));
    let value = estimate.map_or_else(|| UNDEFINED.to_owned(), |of| digits(of.value));
    let interval = estimate.and_then(|of| of.interval);
    let interval = interval.map(|of| format!("[{}, {}]", digits(of.low), digits(of.high)));
    [value, interval.unwrap_or_default()]
}

/// An interval: `[0.84, 0.93]`.
pub(super) fn interval(Interval { low, high }: Interval) -> String {
    format!("[{}, {}]", fraction(low), fraction(high))
}

/// A difference of fractions, with its sign: `+0.03`.
pub(super) fn signed(value: f64) -> String {
    let text = fraction(value);
    let is_zero = text.chars().all(|c| c == '0' || c == '.');
    if value > 0.0 && !is_zero {
        format!("+{text}")
    } else {
        text
    }
}

/// A difference with its interval: `+0.03 [−0.01, +0.06]`.
pub(super) fn difference(estimate: Option<Estimate>) -> String {
    let Some(Estimate { value, interval }) = estimate else {
        return UNDEFINED.to_owned();
    };
    match interval {
        None => signed(value),
        Some(Interval { low, high }) => {
            format!("{} [{}, {}]", signed(value), signed(low), signed(high))
        }
    }
}

/// A number of things, with a comma at each thousand: `1,334`.
pub(super) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of things with its noun: `1 study`, `2 studies`.
pub(super) fn counted(value: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(value), if value == 1 { one } else { many })
}

/// A part of a whole in percent, which no line break parts: `3.5 %`; undefined of nothing.
pub(super) fn percentage(part: u64, whole: u64) -> String {
    if whole == 0 {
        return UNDEFINED.to_owned();
    }
    let percent = 100.0 * part as f64 / whole as f64;
    format!("{}\u{a0}%", decimals(percent, 1))
}

/// A time span in its two largest units: `1 h 12 min`, `43 s`.
pub(super) fn duration(seconds: u64) -> String {
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{rest} s"),
        (0, _) => format!("{minutes} min {rest} s"),
        _ => format!("{hours} h {minutes} min"),
    }
}

/// A small positive number such as a learning rate: `1.0e-4`.
pub(super) fn scientific(value: f64) -> String {
    if value.is_finite() {
        format!("{value:.1e}")
    } else {
        UNDEFINED.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn estimated(value: f64, interval: Option<(f64, f64)>) -> Option<Estimate> {
        let interval = match interval {
            Some((low, high)) => Some(Interval { low, high }),
            None => None,
        };
        Some(Estimate { value, interval })
    }

    #[test]
    fn an_estimate_reads_as_in_the_literature() {
        assert_eq!(
            estimate(estimated(0.893, Some((0.8412, 0.929)))),
            "0.89 [0.84, 0.93]"
        );
        assert_eq!(estimate(estimated(1.0, None)), "1.00");
        assert_eq!(estimate(None), "–");
        assert_eq!(estimate(estimated(f64::NAN, None)), "–");
    }

    #[test]
    fn a_few_things_are_estimated_to_one_decimal() {
        let found = estimated_count(estimated(35.18, Some((9.4, 128.0))));
        assert_eq!(found, ["35", "[9.4, 128]"]);
        assert_eq!(estimated_count(estimated(9.96, None)), ["10", ""]);
        assert_eq!(estimated_count(None), ["–", ""]);
    }

    #[test]
    fn a_minus_is_a_minus_and_never_before_zero() {
        assert_eq!(decimals(-0.204, 2), "−0.20");
        assert_eq!(decimals(-0.001, 2), "0.00");
    }

    #[test]
    fn a_difference_has_its_sign_unless_it_is_nothing() {
        let found = [0.034, -0.034, 0.001, -0.001].map(signed);
        assert_eq!(found, ["+0.03", "−0.03", "0.00", "0.00"]);
        let interval = Some((-0.012, 0.056));
        assert_eq!(
            difference(estimated(0.03, interval)),
            "+0.03 [−0.01, +0.06]"
        );
        assert_eq!(difference(estimated(0.03, None)), "+0.03");
        assert_eq!(difference(None), "–");
    }

    #[test]
    fn thousands_are_grouped() {
        let texts = [0, 999, 1000, 1334, 3_596_452].map(count);
        assert_eq!(texts, ["0", "999", "1,000", "1,334", "3,596,452"]);
    }

    #[test]
    fn a_percentage_of_nothing_is_undefined() {
        assert_eq!(percentage(0, 0), "–");
        assert_eq!(percentage(47, 1334), "3.5\u{a0}%");
    }

    #[test]
    fn a_duration_has_its_two_largest_units() {
        let texts = [0, 43, 61, 3600, 4329].map(duration);
        assert_eq!(
            texts,
            ["0 s", "43 s", "1 min 1 s", "1 h 0 min", "1 h 12 min"]
        );
    }

    #[test]
    fn one_thing_is_singular() {
        assert_eq!(counted(1, "study", "studies"), "1 study");
        assert_eq!(counted(1200, "study", "studies"), "1,200 studies");
    }
}
