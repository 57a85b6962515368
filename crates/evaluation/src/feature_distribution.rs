//! How far a scan is from those of a cohort, by the mean and the covariance of a few features.
//!
//! The distance is Mahalanobis': the length of what a scan differs by from the mean, in units of how far the cohort's
//! scans differ that way. Few scans tell the covariance of many features badly; it is taken as if as many scans more as
//! there are features had been seen, whose features vary as much and know nothing of each other.

use serde::{Deserialize, Serialize};

/// The share of the cohort's scans that lie within the limit.
const WITHIN: f64 = 0.99;

/// The least variance of a feature: one that never varies would make everything else infinitely far.
const LEAST_VARIANCE: f64 = 1e-6;

/// The mean and the covariance of features over a cohort, and how far its scans are from the others. No scan can be
/// made of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FeatureDistribution {
    /// The number of scans.
    pub scans: u64,
    /// The mean of each feature.
    pub mean: Vec<f64>,
    /// The covariance, each row up to its diagonal, one after another.
    pub covariance: Vec<f64>,
    /// The distance within which 99 % of the scans lie, each from the mean of the folds that it is not in.
    pub limit: f64,
}

/// A mean, and the triangle whose product with its transpose is the covariance.
#[derive(Clone, Debug, PartialEq)]
pub struct Surroundings {
    mean: Vec<f64>,
    triangle: Vec<Vec<f64>>,
}

impl FeatureDistribution {
    /// That of scans, with their folds. `None` of features that are not as many for each scan, of scans of fewer than
    /// two folds, and of folds outside which there are fewer than two scans.
    pub fn new(scans: &[(Vec<f64>, usize)]) -> Option<Self> {
        let features: Vec<&[f64]> = scans.iter().map(|(row, _)| row.as_slice()).collect();
        let (mean, covariance) = moments(&features)?;
        let mut folds: Vec<usize> = scans.iter().map(|(_, fold)| *fold).collect();
        folds.sort_unstable();
        folds.dedup();
        let mut distances = Vec::with_capacity(scans.len());
        for left_out in folds {
            let others = scans.iter().filter(|(_, fold)| *fold != left_out);
            let others: Vec<_> = others.map(|(row, _)| row.as_slice()).collect();
            let (mean, covariance) = moments(&others)?;
            let others = Surroundings::new(&mean, &covariance)?;
            let own = scans.iter().filter(|(_, fold)| *fold == left_out);
            distances.extend(own.map(|(row, _)| others.distance(row)));
        }
        distances.sort_by(f64::total_cmp);
        let place = (WITHIN * (distances.len() + 1) as f64).ceil() as usize;
        Some(Self {
            scans: scans.len() as u64,
            limit: *distances.get(place.min(distances.len()) - 1)?,
            mean,
            covariance,
        })
    }

    /// What distances are measured by; `None` of numbers that are no mean and covariance of as many features as are
    /// said, or no limit.
    pub fn surroundings(&self, features: usize) -> Option<Surroundings> {
        let is_whole = self.mean.len() == features && self.limit.is_finite() && self.limit > 0.0;
        let surroundings = || Surroundings::new(&self.mean, &self.covariance);
        is_whole.then(surroundings).flatten()
    }
}

impl Surroundings {
    /// Cholesky's decomposition; `None` where the covariance is not that of as many features, or not positive.
    fn new(mean: &[f64], covariance: &[f64]) -> Option<Self> {
        let features = mean.len();
        let is_finite = mean.iter().chain(covariance).all(|value| value.is_finite());
        if !is_finite || covariance.len() != features * (features + 1) / 2 {
            return None;
        }
        let mut triangle: Vec<Vec<f64>> = Vec::with_capacity(features);
        let mut covariance = covariance.iter();
        for row in 0..features {
            let mut own = Vec::with_capacity(row + 1);
            for (column, covariance) in (0..=row).zip(&mut covariance) {
                let above = triangle.get(column).unwrap_or(&own);
                let known: f64 = own.iter().zip(&above[..column]).map(|(a, b)| a * b).sum();
                let rest = covariance - known;
                own.push(match above.get(column) {
                    Some(diagonal) => rest / diagonal,
                    None if rest > 0.0 => rest.sqrt(),
                    None => return None,
                });
            }
            triangle.push(own);
        }
        let mean = mean.to_vec();
        Some(Self { mean, triangle })
    }

    /// How far features are from the mean; those of as many features as it has.
    pub fn distance(&self, features: &[f64]) -> f64 {
        let mut solved: Vec<f64> = Vec::with_capacity(self.mean.len());
        for ((row, mean), feature) in self.triangle.iter().zip(&self.mean).zip(features) {
            let known: f64 = row.iter().zip(&solved).map(|(a, b)| a * b).sum();
            solved.push((feature - mean - known) / row[solved.len()]);
        }
        solved.iter().map(|part| part * part).sum::<f64>().sqrt()
    }
}

/// The mean and the covariance of at least two rows, the latter shrunken.
fn moments(rows: &[&[f64]]) -> Option<(Vec<f64>, Vec<f64>)> {
    let features = rows.first()?.len();
    if rows.len() < 2 || rows.iter().any(|row| row.len() != features) {
        return None;
    }
    let scans = rows.len() as f64;
    let sum = |feature: usize| rows.iter().map(|row| row[feature]).sum::<f64>();
    let mean: Vec<f64> = (0..features).map(|feature| sum(feature) / scans).collect();
    let kept = scans / (scans + features as f64);
    let mut covariance = Vec::with_capacity(features * (features + 1) / 2);
    for a in 0..features {
        for b in 0..=a {
            let product = |row: &&[f64]| (row[a] - mean[a]) * (row[b] - mean[b]);
            let own = rows.iter().map(product).sum::<f64>() / (scans - 1.0);
            covariance.push(match a == b {
                true => own.max(LEAST_VARIANCE),
                false => kept * own,
            });
        }
    }
    Some((mean, covariance))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Scans of two features in three folds.
    fn scans() -> Vec<(Vec<f64>, usize)> {
        let features = |scan: usize| {
            let turned = (scan * 37 % 41) as f64 / 10.0;
            vec![scan as f64 / 10.0, turned + scan as f64 / 20.0]
        };
        (0..40).map(|scan| (features(scan), scan % 3)).collect()
    }

    #[test]
    fn a_distance_is_in_units_of_how_far_scans_differ_that_way() {
        // A variance of 4 and one of 1 that know nothing of each other.
        let found = Surroundings::new(&[1.0, 2.0], &[4.0, 0.0, 1.0]).unwrap();
        assert_eq!(found.distance(&[1.0, 2.0]), 0.0);
        assert_eq!(found.distance(&[3.0, 2.0]), 1.0);
        assert_eq!(found.distance(&[1.0, 4.0]), 2.0);
    }

    #[test]
    fn all_but_one_in_a_hundred_of_the_scans_lie_within_the_limit() {
        let found = FeatureDistribution::new(&scans()).unwrap();
        let surroundings = found.surroundings(2).unwrap();
        let within = |(row, _): &(Vec<f64>, usize)| surroundings.distance(row) <= found.limit;
        assert!(scans().iter().all(within));
        assert!(surroundings.distance(&[20.0, -20.0]) > found.limit);
    }

    #[test]
    fn scans_that_tell_no_distance_have_no_distribution() {
        let of_one_fold: Vec<_> = scans().into_iter().map(|(row, _)| (row, 0)).collect();
        let mut ragged = scans();
        ragged[7].0.push(0.0);
        for scans in [
            vec![],
            scans()[..1].to_vec(),
            scans()[..2].to_vec(),
            of_one_fold,
            ragged,
        ] {
            assert_eq!(FeatureDistribution::new(&scans), None);
        }
    }

    #[test]
    fn a_feature_that_never_varies_leaves_distances_finite() {
        let constant = |(row, fold): (Vec<f64>, usize)| (vec![row[0], 5.0], fold);
        let scans: Vec<_> = scans().into_iter().map(constant).collect();
        let found = FeatureDistribution::new(&scans).unwrap();
        let distance = found.surroundings(2).unwrap().distance(&[1.0, 5.0]);
        assert!(distance.is_finite() && found.limit.is_finite());
    }

    #[test]
    fn numbers_that_are_no_covariance_measure_nothing() {
        let sound = FeatureDistribution::new(&scans()).unwrap();
        let broken: [fn(&mut FeatureDistribution); 5] = [
            |it| it.mean.push(0.0),
            |it| it.covariance.truncate(1),
            |it| it.covariance[0] = 0.0,
            |it| it.covariance[1] = 1e9,
            |it| it.limit = f64::NAN,
        ];
        assert!(sound.surroundings(2).is_some() && sound.surroundings(3).is_none());
        for break_it in broken {
            let mut found = sound.clone();
            break_it(&mut found);
            assert!(found.surroundings(2).is_none(), "{found:?}");
        }
    }

    proptest! {
        #[test]
        fn few_scans_of_many_features_have_finite_distances(
            rows in prop::collection::vec(prop::collection::vec(-5.0..5.0, 6), 3..12),
        ) {
            let scans: Vec<_> = rows.into_iter().zip((0..).map(|it: usize| it % 3)).collect();
            let found = FeatureDistribution::new(&scans).expect("three folds");
            let surroundings = found.surroundings(6).expect("a covariance");
            prop_assert!(surroundings.distance(&[9.0; 6]).is_finite());
        }
    }
}
