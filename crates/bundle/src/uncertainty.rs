//! When a single decision of a model is uncertain: limits that a bundle keeps, and how a decision is held against them.
//!
//! All limits are fitted at publication, to out-of-fold predictions and to the scans of the training, and to nothing
//! that is screened.

use attrium_evaluation::{
    Doubt, FeatureDistribution, Surroundings, Uncertainty, WeightedChance, chance_of_error,
    error_limit, positive_at_prevalence,
};
use attrium_imaging::{DESCRIPTOR, DESCRIPTOR_VERSION, descriptor};
use serde::{Deserialize, Serialize};

use super::{BundleManifest, StatedPrevalence};

/// The greatest share of out-of-fold decisions that lie near the threshold.
pub const NEAR_THRESHOLD: f64 = 0.05;

/// The share of an ensemble's networks that decide otherwise, from which on they disagree.
const DISAGREEING: f64 = 0.25;

/// What a bundle keeps so that it can tell which decisions are uncertain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UncertaintyLimits {
    /// The greatest share of the out-of-fold decisions that lie near a threshold, in (0, 1): of the cohort, and of
    /// one with the prevalence that is stated.
    pub near_threshold: f64,
    /// The out-of-fold probabilities, on the bundle's scale, of a positive of the studies that are negative, from the
    /// highest.
    pub negative_scores: Vec<f64>,
    /// What the descriptors of the training's scans are like.
    pub training: TrainingLikeness,
}

/// What the descriptors of a training's scans are like.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrainingLikeness {
    /// [`DESCRIPTOR_VERSION`] of the attrium that has measured them. Those of another version are not compared.
    pub descriptor: u32,
    /// The distribution.
    #[serde(flatten)]
    pub distribution: FeatureDistribution,
}

impl TrainingLikeness {
    /// That of scans: of each its crop's counts, and the fold that it is in. `None` where they are too few to tell, or
    /// one has no counts.
    pub fn new<'a>(scans: impl IntoIterator<Item = (&'a [f32], usize)>) -> Option<Self> {
        let scans = scans.into_iter();
        let described: Option<Vec<_>> = scans
            .map(|(counts, fold)| Some((descriptor(counts)?.to_vec(), fold)))
            .collect();
        Some(Self {
            descriptor: DESCRIPTOR_VERSION,
            distribution: FeatureDistribution::new(&described?)?,
        })
    }

    fn is_known(&self) -> bool {
        self.descriptor == DESCRIPTOR_VERSION
    }

    /// What distances are measured by, and the greatest that is within; `None` of descriptors of another version.
    fn surroundings(&self) -> Option<(Surroundings, f64)> {
        let surroundings = || self.distribution.surroundings(DESCRIPTOR);
        let surroundings = self.is_known().then(surroundings).flatten();
        surroundings.zip(Some(self.distribution.limit))
    }
}

impl UncertaintyLimits {
    /// What is wrong with them, where they cannot be limits of a bundle.
    pub(super) fn fault(&self) -> Option<&'static str> {
        let is_part = self.near_threshold > 0.0 && self.near_threshold < 1.0;
        let are_probabilities = self
            .negative_scores
            .iter()
            .all(|it| (0.0..=1.0).contains(it));
        let is_broken = self.training.is_known() && self.training.surroundings().is_none();
        if !is_part || !are_probabilities {
            Some("has limits of uncertainty that are no shares")
        } else if is_broken {
            Some("has no distribution of the training's scans where it should have one")
        } else {
            None
        }
    }
}

/// What a model answers on one scan.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The probability of each class.
    pub probabilities: Vec<f64>,
    /// The probability of a positive by each of the networks alone.
    pub members: Vec<f64>,
}

/// How decisions at one threshold are held against the limits of a bundle.
#[derive(Debug)]
pub struct UncertaintyRule {
    /// The threshold, at the prevalence that is stated to whoever screens.
    threshold: f64,
    /// From what prevalence to that of the cohort probabilities are brought.
    prevalence: StatedPrevalence,
    /// The least chance of an error that is flagged; `None` where none is.
    limit: Option<f64>,
    training: Option<(Surroundings, f64)>,
}

impl UncertaintyRule {
    /// The rule of a bundle at a threshold, both at the prevalence `stated`; `None` where the bundle has no limits.
    pub(super) fn new(manifest: &BundleManifest, stated: f64, threshold: f64) -> Option<Self> {
        let limits = manifest.uncertainty.as_ref()?;
        let of_bundle = manifest.prevalence?;
        let prevalence = StatedPrevalence {
            stated,
            ..of_bundle
        };
        let at_cohort =
            |score: &f64| positive_at_prevalence(*score, of_bundle.stated, of_bundle.cohort);
        let scores = [&limits.negative_scores, &manifest.positive_scores];
        let scores = scores.map(|scores| scores.iter().map(at_cohort).collect::<Vec<_>>());
        Some(Self {
            threshold,
            prevalence,
            limit: limit(&scores, &prevalence, threshold, limits.near_threshold),
            training: limits.training.surroundings(),
        })
    }

    /// Whether the decision on a scan is uncertain; `positive` is the probability of a positive of the answer.
    pub fn uncertainty(&self, answer: &Answer, positive: f64, counts: &[f32]) -> Uncertainty {
        Uncertainty::of(|doubt| match doubt {
            Doubt::NearThreshold => Some(self.is_near(positive)),
            Doubt::MembersDisagree => Some(self.do_members_disagree(answer, positive)),
            Doubt::UnlikeTraining => self.is_unlike(counts),
        })
    }

    fn is_near(&self, positive: f64) -> bool {
        let chance = self.prevalence.chance_of_error(positive, self.threshold);
        self.limit.is_some_and(|limit| chance >= limit)
    }

    fn do_members_disagree(&self, answer: &Answer, positive: f64) -> bool {
        let is_positive = |probability: f64| probability >= self.threshold;
        let others = answer.members.iter();
        let others = others.filter(|own| is_positive(**own) != is_positive(positive));
        others.count() as f64 >= DISAGREEING * answer.members.len() as f64
    }

    /// `None` where nobody knows what the training's scans are like.
    fn is_unlike(&self, counts: &[f32]) -> Option<bool> {
        let (surroundings, limit) = self.training.as_ref()?;
        let is_far = |numbers: [f64; DESCRIPTOR]| surroundings.distance(&numbers) > *limit;
        // An image without counts is like none.
        Some(descriptor(counts).is_none_or(is_far))
    }
}

impl StatedPrevalence {
    /// The chance of an error of a decision that is stated at the one prevalence, among scans like the cohort's.
    fn chance_of_error(&self, positive: f64, threshold: f64) -> f64 {
        let at_cohort = positive_at_prevalence(positive, self.stated, self.cohort);
        chance_of_error(at_cohort, positive >= threshold)
    }
}

/// The least chance of an error that is flagged at a threshold: no more than the share is, neither of the cohort as it
/// is nor of one with the prevalence that is stated. `scores` are those of the negatives and of the positives, at the
/// cohort's prevalence.
fn limit(
    scores: &[Vec<f64>; 2],
    prevalence: &StatedPrevalence,
    threshold: f64,
    share: f64,
) -> Option<f64> {
    let threshold = positive_at_prevalence(threshold, prevalence.stated, prevalence.cohort);
    let at = |of_positives: f64| {
        let shares = [1.0 - of_positives, of_positives];
        let classes = scores.iter().zip(shares);
        let decisions = classes.flat_map(|(scores, share)| {
            let weight = share / scores.len() as f64;
            let chances = scores
                .iter()
                .map(|it| chance_of_error(*it, *it >= threshold));
            chances.map(move |chance| WeightedChance { chance, weight })
        });
        error_limit(&decisions.collect::<Vec<_>>(), share)
    };
    let limits = at(prevalence.cohort).zip(at(prevalence.stated));
    limits.map(|(own, stated)| own.max(stated))
}

#[cfg(test)]
mod tests {
    use super::*;
    use attrium_imaging::CROP_PIXELS;

    const HALF: StatedPrevalence = StatedPrevalence {
        cohort: 0.5,
        stated: 0.5,
    };

    fn rule(threshold: f64, limit: Option<f64>, prevalence: StatedPrevalence) -> UncertaintyRule {
        UncertaintyRule {
            threshold,
            prevalence,
            limit,
            training: None,
        }
    }

    fn answer(members: &[f64]) -> Answer {
        Answer {
            probabilities: Vec::new(),
            members: members.to_vec(),
        }
    }

    /// A crop of a bright and a dark half, with so many counts a pixel.
    fn crop(bright: u64, scan: u64) -> Vec<f32> {
        let count = |at: u64| match at % 128 < 40 + scan % 7 {
            true => at * 7919 % (2 * bright + scan % 3),
            false => at * 7919 % (bright + scan % 5),
        };
        (0..CROP_PIXELS as u64).map(|at| count(at) as f32).collect()
    }

    #[test]
    fn decisions_are_near_the_threshold_whose_chance_of_an_error_among_the_cohort_is_high() {
        let rule = rule(0.4, Some(0.3), HALF);
        for (positive, expected) in [
            (0.2, false),
            (0.31, true),
            (0.4, true),
            (0.69, true),
            (0.71, false),
        ] {
            assert_eq!(rule.is_near(positive), expected, "{positive}");
        }
        assert!(!self::rule(0.4, None, HALF).is_near(0.4));
    }

    #[test]
    fn the_same_scans_are_near_the_threshold_whatever_prevalence_they_are_stated_for() {
        let rare = StatedPrevalence {
            cohort: 0.5,
            stated: 0.01,
        };
        let at_rare = |it| positive_at_prevalence(it, 0.5, 0.01);
        let (common, rare) = (
            rule(0.4, Some(0.3), HALF),
            rule(at_rare(0.4), Some(0.3), rare),
        );
        for positive in [0.2, 0.35, 0.45, 0.65, 0.8] {
            assert_eq!(rare.is_near(at_rare(positive)), common.is_near(positive));
        }
    }

    #[test]
    fn no_more_than_the_share_is_flagged_of_the_cohort_and_at_the_stated_prevalence() {
        let spread = |of: u32| {
            (0..100)
                .map(|it| f64::from(of + it) / 200.0)
                .collect::<Vec<_>>()
        };
        let scores = [spread(0), spread(100)];
        let flagged = |scores: &[f64], limit: f64, threshold: f64| {
            let chance = |it: &&f64| chance_of_error(**it, **it >= threshold) >= limit;
            scores.iter().filter(chance).count() as f64 / scores.len() as f64
        };
        for (stated, threshold) in [(0.5, 0.5), (0.01, 0.5), (0.01, 0.2), (0.9, 0.7)] {
            let prevalence = StatedPrevalence {
                cohort: 0.5,
                stated,
            };
            let shown = positive_at_prevalence(threshold, 0.5, stated);
            let limit = limit(&scores, &prevalence, shown, 0.06).expect("a limit");
            let shares = [0, 1].map(|class| flagged(&scores[class], limit, threshold));
            for positives in [0.5, stated] {
                let all = (1.0 - positives) * shares[0] + positives * shares[1];
                assert!(all <= 0.06 + 1e-9, "{stated}, {threshold}: {all}");
            }
            assert!(shares.iter().any(|share| *share > 0.0));
        }
    }

    #[test]
    fn a_quarter_of_the_networks_that_decides_otherwise_is_a_doubt() {
        let rule = rule(0.5, None, HALF);
        for (members, expected) in [
            (vec![0.6], false),
            (vec![0.9, 0.4, 0.9], true),
            (vec![0.9, 0.9, 0.9, 0.4], true),
            (vec![0.9, 0.9, 0.9, 0.9, 0.4], false),
            (vec![0.5; 5], false),
        ] {
            let found = rule.do_members_disagree(&answer(&members), 0.6);
            assert_eq!(found, expected, "{members:?}");
        }
    }

    #[test]
    fn an_image_far_from_those_of_the_training_is_unlike_them_and_one_of_theirs_is_not() {
        let crops: Vec<_> = (0..60).map(|scan| crop(20, scan)).collect();
        let folds = (0..).map(|scan: usize| scan % 3);
        let scans = crops.iter().map(Vec::as_slice).zip(folds);
        let training = TrainingLikeness::new(scans).expect("scans enough");
        let known = UncertaintyRule {
            training: training.surroundings(),
            ..rule(0.5, None, HALF)
        };
        assert_eq!(known.is_unlike(&crops[7]), Some(false));
        let even = vec![1.0; CROP_PIXELS];
        assert_eq!(known.is_unlike(&even), Some(true));
        assert_eq!(known.is_unlike(&vec![0.0; CROP_PIXELS]), Some(true));
        assert_eq!(rule(0.5, None, HALF).is_unlike(&even), None);
        let sure = answer(&[0.99]);
        let flag = known.uncertainty(&sure, 0.99, &even);
        assert_eq!(flag, Uncertainty::Flagged(vec![Doubt::UnlikeTraining]));
        let unknown = rule(0.5, None, HALF).uncertainty(&sure, 0.99, &even);
        assert_eq!(unknown, Uncertainty::Unknown);
    }

    #[test]
    fn scans_of_which_one_shows_nothing_tell_nothing() {
        let crops = [
            vec![0.0; CROP_PIXELS],
            crop(20, 1),
            crop(20, 2),
            crop(20, 3),
        ];
        let scans = crops.iter().map(Vec::as_slice).zip([0, 1, 0, 1]);
        assert_eq!(TrainingLikeness::new(scans), None);
    }
}
