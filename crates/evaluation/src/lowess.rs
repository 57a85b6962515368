//! Locally weighted regression (Cleveland, "Robust locally weighted regression and smoothing scatterplots", 1979),
//! without its robustness iterations, which a truth of 0 and 1 has no use for.

/// The values at `at` of straight lines, each fitted to the nearest share `span` of the points by tricube weights;
/// `None` where the nearest points all lie in one place at a distance.
///
/// `x` and `y` have one value for each point.
pub(super) fn fit(x: &[f64], y: &[f64], span: f64, at: &[f64]) -> Vec<Option<f64>> {
    // The slack takes back what rounding adds, as in statsmodels.
    let nearest = ((span * x.len() as f64 + 1e-10) as usize).clamp(1.min(x.len()), x.len());
    let mut distances = Vec::with_capacity(x.len());
    at.iter()
        .map(|&place| {
            distances.clear();
            distances.extend(x.iter().map(|x| (x - place).abs()));
            let (_, &mut radius, _) = (!distances.is_empty())
                .then(|| distances.select_nth_unstable_by(nearest - 1, f64::total_cmp))?;
            line(x, y, place, radius)
        })
        .collect()
}

fn line(x: &[f64], y: &[f64], place: f64, radius: f64) -> Option<f64> {
    let weight = |x: f64| {
        let distance = (x - place).abs();
        match distance {
            _ if radius == 0.0 => f64::from(u8::from(distance == 0.0)),
            _ if distance >= radius => 0.0,
            _ => (1.0 - (distance / radius).powi(3)).powi(3),
        }
    };
    let (mut total, mut sum_x, mut sum_y) = (0.0, 0.0, 0.0);
    for (&x, &y) in x.iter().zip(y) {
        let weight = weight(x);
        total += weight;
        sum_x += weight * x;
        sum_y += weight * y;
    }
    let (mean_x, mean_y) = (sum_x / total, sum_y / total);
    let (mut square, mut product) = (0.0, 0.0);
    for (&x, &y) in x.iter().zip(y) {
        let weight = weight(x) / total;
        square += weight * (x - mean_x).powi(2);
        product += weight * (x - mean_x) * y;
    }
    // All of the weight may lie in one place, where a line has no slope.
    let slope = if square > 1e-12 {
        product / square
    } else {
        0.0
    };
    let value = mean_y + slope * (place - mean_x);
    (total > 0.0).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_on_a_line_are_fitted_by_it() {
        let x: Vec<f64> = (0..40).map(|point| f64::from(point).sqrt()).collect();
        let y: Vec<f64> = x.iter().map(|x| 3.0 - 2.0 * x).collect();
        for (found, at) in fit(&x, &y, 0.5, &[0.0, 1.7, 6.0])
            .iter()
            .zip([0.0, 1.7, 6.0])
        {
            assert!((found.unwrap() - (3.0 - 2.0 * at)).abs() < 1e-9);
        }
    }

    #[test]
    fn points_in_one_place_have_their_mean_there_and_nothing_without_points() {
        assert_eq!(
            fit(&[1.0; 4], &[0.0, 1.0, 1.0, 1.0], 0.75, &[1.0]),
            [Some(0.75)]
        );
        assert_eq!(fit(&[], &[], 0.75, &[1.0]), [None]);
    }
}
