//! The distribution of probabilities, in bins of log odds: where positives are rare most probabilities are small, and
//! in bins of equal width all of them would be one bar.

/// The bins.
pub const SCORE_BINS: usize = 18;
/// The common logarithm of the odds at which the first bin begins.
pub(super) const LEAST: f64 = -6.0;
/// That at which the last one ends.
pub(super) const GREATEST: f64 = 3.0;

/// The bin of a probability in [0, 1]: of half a power of ten of the odds each, from odds of 1 to a million to those of
/// a thousand to 1; what is beyond is in the first or in the last.
pub fn score_bin(probability: f64) -> usize {
    let place = (log_odds(probability) - LEAST) / (GREATEST - LEAST) * SCORE_BINS as f64;
    // A float that is too small or too large for the integer becomes the nearest one.
    (place.floor() as usize).min(SCORE_BINS - 1)
}

/// The common logarithm of the odds at which a bin begins.
pub(super) fn edge(bin: usize) -> f64 {
    LEAST + bin as f64 * (GREATEST - LEAST) / SCORE_BINS as f64
}

/// The common logarithm of a probability's odds, within what is shown.
pub(super) fn log_odds(probability: f64) -> f64 {
    let odds = probability / (1.0 - probability);
    odds.log10().clamp(LEAST, GREATEST)
}

/// A probability in percent by the common logarithm of its odds, as text: `0.001`, `50`, `99.9`.
pub(super) fn percentage(log_odds: f64) -> String {
    let odds = 10_f64.powf(log_odds);
    let percent = 100.0 * odds / (1.0 + odds);
    // As many decimals as tell it from 0 and from 100.
    let nearest = percent.min(100.0 - percent);
    let decimals = (-nearest.log10() - 0.01).ceil().max(0.0) as usize;
    format!("{percent:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bin_is_half_a_power_of_ten_of_the_odds() {
        assert_eq!(score_bin(0.5), 12);
        assert_eq!(score_bin(0.499), 11);
        assert_eq!(score_bin(1.0 / 11.0 + 1e-9), 10);
        assert_eq!(edge(12), 0.0);
        assert_eq!(edge(10), -1.0);
        assert_eq!((score_bin(0.0), score_bin(1.0)), (0, SCORE_BINS - 1));
        assert_eq!(
            (score_bin(1e-12), score_bin(1.0 - 1e-12)),
            (0, SCORE_BINS - 1)
        );
    }

    #[test]
    fn every_probability_lies_between_the_edges_of_its_bin() {
        for step in 1..1000 {
            let probability = f64::from(step) / 1000.0;
            let bin = score_bin(probability);
            let odds = log_odds(probability);
            assert!(
                edge(bin) <= odds + 1e-12 && odds < edge(bin + 1) + 1e-12,
                "{probability}"
            );
        }
    }

    #[test]
    fn a_percentage_has_as_many_decimals_as_tell_it_from_0_and_100() {
        let texts = [-6.0, -4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0].map(percentage);
        let expected = ["0.0001", "0.01", "1", "9", "50", "91", "99", "99.9"];
        assert_eq!(texts, expected);
    }
}
