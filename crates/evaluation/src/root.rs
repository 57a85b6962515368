//! Where a function changes its sign.

/// The place between `outside`, where the function is positive or zero, and `inside`, where it is
/// negative or zero, at which it changes sign.
pub(super) fn bisect(function: &impl Fn(f64) -> f64, mut outside: f64, mut inside: f64) -> f64 {
    for _ in 0..64 {
        let middle = f64::midpoint(outside, inside);
        if function(middle) > 0.0 {
            outside = middle;
        } else {
            inside = middle;
        }
    }
    f64::midpoint(outside, inside)
}
