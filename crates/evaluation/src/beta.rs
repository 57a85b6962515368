//! The beta distribution: its quantiles.

use super::root::bisect;

/// More terms than the continued fraction needs of a million studies.
const MAX_TERMS: u32 = 20_000;

/// The value that the beta distribution of two positive parameters stays below with a probability.
pub(super) fn quantile(probability: f64, a: f64, b: f64) -> f64 {
    let excess = |x: f64| regularized_incomplete(a, b, x) - probability;
    bisect(&excess, 1.0, 0.0)
}

/// The regularized incomplete beta function I_x(a, b), the distribution function (NIST DLMF 8.17).
pub(super) fn regularized_incomplete(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return x.clamp(0.0, 1.0);
    }
    let logarithm = a * x.ln() + b * (-x).ln_1p() - ln_beta(a, b);
    // The fraction converges quickly below the mean; above it the complement does.
    if x < (a + 1.0) / (a + b + 2.0) {
        logarithm.exp() * continued_fraction(a, b, x) / a
    } else {
        1.0 - logarithm.exp() * continued_fraction(b, a, 1.0 - x) / b
    }
}

/// The continued fraction of DLMF 8.17.22, by Lentz's method.
fn continued_fraction(a: f64, b: f64, x: f64) -> f64 {
    // Keeps a denominator off zero.
    let apart = |value: f64| {
        if value.abs() < 1e-300 { 1e-300 } else { value }
    };
    let mut c = 1.0;
    let mut d = 1.0 / apart(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    for term in 1..MAX_TERMS {
        let m = f64::from(term);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for coefficient in [even, odd] {
            d = 1.0 / apart(1.0 + coefficient * d);
            c = apart(1.0 + coefficient / c);
            change = c * d;
            fraction *= change;
        }
        if (change - 1.0).abs() < 1e-16 {
            break;
        }
    }
    fraction
}

fn ln_beta(a: f64, b: f64) -> f64 {
    ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b)
}

/// The logarithm of the gamma function of a positive number: Stirling's series (DLMF 5.11.1) from 15 on, where its
/// sixth term is below the precision of a number.
fn ln_gamma(z: f64) -> f64 {
    let (mut z, mut product) = (z, 1.0);
    while z < 15.0 {
        product *= z;
        z += 1.0;
    }
    let inverse = 1.0 / (z * z);
    let series = [
        1.0 / 1188.0,
        -1.0 / 1680.0,
        1.0 / 1260.0,
        -1.0 / 360.0,
        1.0 / 12.0,
    ];
    let series = series.iter().fold(0.0, |sum, term| sum * inverse + term) / z;
    (z - 0.5) * z.ln() - z + 0.5 * std::f64::consts::TAU.ln() + series - f64::ln(product)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_greatest_of_n_numbers_has_the_quantile_of_a_power() {
        for n in [1.0, 24.0, 47.0, 1334.0_f64] {
            let exact = 0.025_f64.powf(1.0 / n);
            assert!((quantile(0.025, n, 1.0) - exact).abs() < 1e-14, "{n}");
            let exact = 1.0 - 0.975_f64.powf(1.0 / n);
            assert!((quantile(0.025, 1.0, n) - exact).abs() < 1e-14, "{n}");
        }
    }

    #[test]
    fn the_logarithm_of_a_factorial() {
        let factorial: f64 = (1..=20).map(f64::from).map(f64::ln).sum();
        assert!((ln_gamma(21.0) - factorial).abs() < 1e-12);
        assert!((ln_gamma(0.5) - std::f64::consts::PI.sqrt().ln()).abs() < 1e-14);
    }

    proptest! {
        #[test]
        fn a_quantile_lies_between_0_and_1_and_has_its_probability(
            a in 0.5f64..2000.0, b in 0.5f64..2000.0, probability in 0.001f64..0.999,
        ) {
            let found = quantile(probability, a, b);
            prop_assert!(0.0 < found && found < 1.0);
            prop_assert!((regularized_incomplete(a, b, found) - probability).abs() < 1e-9);
            prop_assert!((quantile(1.0 - probability, b, a) - (1.0 - found)).abs() < 1e-12);
            prop_assert!(quantile(0.5 * probability, a, b) < found);
        }
    }
}
