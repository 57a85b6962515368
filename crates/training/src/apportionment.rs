//! Apportionment of a total in whole numbers, by the method of the largest remainder.

/// Splits `total` in proportion to `sizes`; the sum of the shares is `total` exactly.
///
/// Each share is its exact quota rounded down; what is left goes, one each, to the largest
/// remainders (the first of equals). All shares are zero if every size is.
pub(super) fn apportion(total: usize, sizes: &[usize]) -> Vec<usize> {
    let sum: u128 = sizes.iter().map(|&size| size as u128).sum();
    if sum == 0 {
        return vec![0; sizes.len()];
    }
    let exact = |size: usize| total as u128 * size as u128;
    let mut shares: Vec<usize> = sizes
        .iter()
        .map(|&size| (exact(size) / sum) as usize)
        .collect();
    let mut by_remainder: Vec<usize> = (0..sizes.len()).collect();
    by_remainder.sort_by_key(|&i| std::cmp::Reverse(exact(sizes[i]) % sum));
    let left = total - shares.iter().sum::<usize>();
    for &index in by_remainder.iter().take(left) {
        shares[index] += 1;
    }
    shares
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::apportion;

    #[test]
    fn the_largest_remainders_get_what_is_left() {
        assert_eq!(apportion(10, &[991, 296, 23, 24]), [8, 2, 0, 0]);
        assert_eq!(apportion(5330, &[793, 237, 18, 19]), [3961, 1184, 90, 95]);
        assert_eq!(apportion(7, &[0, 0]), [0, 0]);
        assert_eq!(apportion(3, &[]), Vec::<usize>::new());
    }

    proptest! {
        #[test]
        fn shares_add_up_and_are_within_one_of_their_quota(
            total in 0_usize..10_000,
            sizes in prop::collection::vec(0_usize..2_000, 1..6),
        ) {
            let shares = apportion(total, &sizes);
            let sum: usize = sizes.iter().sum();
            prop_assume!(sum > 0);
            prop_assert_eq!(shares.iter().sum::<usize>(), total);
            for (share, size) in shares.iter().zip(&sizes) {
                let quota = total as f64 * *size as f64 / sum as f64;
                prop_assert!((*share as f64 - quota).abs() < 1.0 + 1e-9);
            }
        }
    }
}
