//! Where along the scan the patient lies, from the sums of its rows.

use std::ops::Range;

/// A row belongs to the body above this share of the profile's maximum.
///
/// On a real scan stray counts beside the patient reach half of it, and the toes twice.
const BODY_SHARE: f64 = 0.01;

/// The maximum is taken for at most this many medians of the rows with counts, so that a hot injection
/// site does not lift the threshold above the legs. A real scan's bladder reaches 3.9 medians.
const LARGEST_PEAK: f64 = 4.0;

/// Gaps of at most this many rows (18 mm at the usual pixel size) do not end the body.
const LARGEST_GAP: usize = 8;

/// The rows from the first to the last with counts (paper, "Preprocessing").
pub(crate) fn with_counts(profile: &[f64]) -> Option<Range<usize>> {
    let first = profile.iter().position(|&sum| sum > 0.0)?;
    let last = profile.iter().rposition(|&sum| sum > 0.0)?;
    Some(first..last + 1)
}

/// The rows of the body: of all runs of rows above the threshold, small gaps closed, the one with
/// the most counts.
pub(crate) fn of_body(profile: &[f64]) -> Option<Range<usize>> {
    let threshold = threshold(profile)?;
    let mut best: Option<(f64, Range<usize>)> = None;
    let mut run: Option<(f64, Range<usize>)> = None;
    for (row, &sum) in profile
        .iter()
        .enumerate()
        .filter(|&(_, &sum)| sum > threshold)
    {
        run = match run {
            Some((counts, rows)) if row - rows.end <= LARGEST_GAP => {
                Some((counts + sum, rows.start..row + 1))
            }
            ended => {
                best = larger(best, ended);
                Some((sum, row..row + 1))
            }
        };
    }
    larger(best, run).map(|(_, rows)| rows)
}

fn threshold(profile: &[f64]) -> Option<f64> {
    let maximum = profile.iter().copied().max_by(f64::total_cmp)?;
    Some(BODY_SHARE * maximum.min(LARGEST_PEAK * median(profile)?))
}

/// The median of the rows with counts.
pub(crate) fn median(profile: &[f64]) -> Option<f64> {
    let mut sums: Vec<f64> = profile.iter().copied().filter(|&sum| sum > 0.0).collect();
    sums.sort_unstable_by(f64::total_cmp);
    sums.get(sums.len() / 2).copied()
}

type RowRun = Option<(f64, Range<usize>)>;

fn larger(one: RowRun, other: RowRun) -> RowRun {
    match (&one, &other) {
        (Some((counts, _)), Some((others, _))) if others > counts => other,
        (None, _) => other,
        _ => one,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A body of 1,000 counts a row in rows 30..70.
    fn profile() -> Vec<f64> {
        let mut profile = vec![0.0; 100];
        profile[30..70].fill(1000.0);
        profile
    }

    #[test]
    fn stray_counts_are_in_the_papers_extent_and_not_in_the_bodys() {
        let mut profile = profile();
        profile[10] = 5.0;
        profile[90] = 1.0;
        assert_eq!(with_counts(&profile), Some(10..91));
        assert_eq!(of_body(&profile), Some(30..70));
    }

    #[test]
    fn small_gaps_are_closed_and_large_ones_are_not() {
        let mut gap = profile();
        gap[40..48].fill(0.0);
        assert_eq!(of_body(&gap), Some(30..70));
        gap[40..49].fill(0.0);
        assert_eq!(of_body(&gap), Some(49..70));
    }

    #[test]
    fn an_injection_site_does_not_hide_the_rest_of_the_body() {
        let mut hot = profile();
        hot[50..55].fill(1_000_000.0);
        assert_eq!(of_body(&hot), Some(30..70));
    }

    #[test]
    fn an_empty_profile_has_no_extent() {
        assert_eq!(with_counts(&[0.0; 9]), None);
        assert_eq!(of_body(&[0.0; 9]), None);
        assert_eq!(of_body(&[]), None);
    }
}
