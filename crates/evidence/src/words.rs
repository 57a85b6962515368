//! Words and numbers that report and image have in common.

use super::decision::{Decision, ModelName};

/// What every result says of itself.
pub(crate) const NOTICE: &str = "Research use only. Not a medical device; a physician confirms.";

/// Digits of a digest that tell it from others at a glance.
const DIGEST_DIGITS: usize = 12;

/// A share in percent, with at most four decimals.
pub(crate) fn percent(share: f64) -> String {
    decimal(100.0 * share)
}

/// A number with at most four decimals, without zeros at its end: never more than the 16 letters of a DS (PS3.5, 6.2).
pub(crate) fn decimal(value: f64) -> String {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A model's version and digest.
pub(crate) fn version(model: &ModelName) -> String {
    format!("{} {}", model.version, model.digest)
        .trim()
        .to_owned()
}

/// The first digits of a model's digest.
pub(crate) fn short_digest(model: &ModelName) -> &str {
    let digest = &model.digest;
    let digits = digest
        .split_once(':')
        .map_or(digest.as_str(), |(_, digits)| digits);
    digits.get(..DIGEST_DIGITS).unwrap_or(digits)
}

/// "POSITIVE" or "NEGATIVE".
pub(crate) const fn verdict(positive: bool) -> &'static str {
    if positive { "POSITIVE" } else { "NEGATIVE" }
}

/// The probability beside the threshold, with as many decimals as show on which side of it it is.
pub(crate) fn comparison(decision: &Decision) -> String {
    let (probability, threshold) = (decision.positive_probability, decision.threshold);
    let sign = if decision.positive { ">=" } else { "<" };
    let pair = |digits: usize| [probability, threshold].map(|value| format!("{value:.digits$}"));
    let told = (2..=6).map(pair).find(|[one, other]| one != other);
    let [probability, threshold] = told.unwrap_or_else(|| pair(2));
    format!("p {probability} {sign} {threshold}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::decision;

    #[test]
    fn numbers_have_at_most_four_decimals_and_no_zeros_at_their_end() {
        assert_eq!(percent(0.932), "93.2");
        assert_eq!(percent(1.0), "100");
        assert_eq!(percent(0.0), "0");
        assert_eq!(decimal(1.841_249), "1.8412");
        assert_eq!(decimal(1e9).len(), 10);
    }

    #[test]
    fn a_comparison_shows_as_many_decimals_as_tell_its_sides_apart() {
        let mut decision = decision();
        assert_eq!(comparison(&decision), "p 0.93 >= 0.41");
        decision.positive_probability = 0.41;
        assert_eq!(comparison(&decision), "p 0.41 >= 0.41");
        decision.positive_probability = 0.4096;
        decision.positive = false;
        assert_eq!(comparison(&decision), "p 0.4096 < 0.4100");
    }

    #[test]
    fn a_digest_is_cut_to_its_first_digits() {
        let mut model = decision().model;
        assert_eq!(short_digest(&model), "5f0c5f0c5f0c");
        model.digest = "sha256:5f".to_owned();
        assert_eq!(short_digest(&model), "5f");
    }
}
