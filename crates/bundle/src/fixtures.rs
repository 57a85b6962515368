//! A reference for this crate's tests.

use attrium_evaluation::monitoring::{Reference, ReferenceShare, ReferenceStudy};

/// Of 120 studies, a fifth of them positive.
pub(super) fn reference() -> Reference {
    let study = |number: u32| ReferenceStudy {
        scanner: Some(["symbia", "forte"][number as usize % 2].to_owned()),
        counts: 1e5 + 1e3 * f64::from(number),
        ratio: Some(1.0 + 0.001 * f64::from(number) + f64::from(number % 5 / 4)),
        positive_probability: Some(if number % 5 == 4 { 0.9 } else { 0.01 }),
        positive: number % 5 == 4,
        has_warnings: number.is_multiple_of(9),
    };
    let studies: Vec<_> = (0..120).map(study).collect();
    Reference::of(
        &studies,
        ReferenceShare {
            part: 2,
            whole: 122,
        },
        true,
    )
}
