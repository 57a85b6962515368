//! What a bundle keeps of how its cohort was spread.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::reliability::log_odds;
use super::distribution::Distribution;
use super::feature::Feature;

/// The fewest studies that make a distribution: fewer say little, and more of each of them.
pub const LEAST_REFERENCE: usize = 50;

/// The shares of the negatives that a feature may be looked at in.
const BULKS: std::ops::RangeInclusive<usize> = 50..=99;

/// How much smaller the share of positives among them has to be.
const CONTAMINATION: f64 = 0.1;

/// How a model's cohort was spread: of all of its studies, and of each scanner with enough of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reference {
    /// How many studies there are.
    pub studies: u64,
    /// Whether any of them is of a phantom.
    pub synthetic: bool,
    /// Above which value ratio and score are not looked at, since it is not only negatives that have it; a feature
    /// that does not tell negatives from positives has none, nor a distribution.
    pub bulk: BTreeMap<Feature, f64>,
    /// Of all studies.
    pub all: ReferenceGroup,
    /// Of each scanner. Empty where no object named any, and in a cohort that was preprocessed before they were kept.
    pub scanners: BTreeMap<String, ScannerReference>,
    /// Objects that were set aside, of these and the usable ones.
    pub set_aside: ReferenceShare,
}

/// How studies of one scanner, or of all, were spread.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReferenceGroup {
    /// By feature: natural logarithms of counts; ratios and log odds of negatives below [`Reference::bulk`].
    pub distributions: BTreeMap<Feature, Distribution>,
    /// Studies with a warning.
    pub warnings: ReferenceShare,
}

/// How the studies of one scanner were spread.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScannerReference {
    /// How many there are.
    pub studies: u64,
    /// What is known of them; nothing of fewer than [`LEAST_REFERENCE`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<ReferenceGroup>,
}

/// A share of a reference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReferenceShare {
    /// How many are of it.
    pub part: u64,
    /// Of how many.
    pub whole: u64,
}

/// A study that a reference is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct ReferenceStudy {
    /// The word for its scanner, where that is known.
    pub scanner: Option<String>,
    /// The counts of its crop.
    pub counts: f64,
    /// Its heart-to-contralateral ratio.
    pub ratio: Option<f64>,
    /// The probability of a positive by the network that has not seen it.
    pub positive_probability: Option<f64>,
    /// Whether it is a positive.
    pub positive: bool,
    /// Whether it has a warning.
    pub has_warnings: bool,
}

impl ReferenceStudy {
    fn value(&self, feature: Feature) -> Option<f64> {
        value(feature, self.counts, self.ratio, self.positive_probability)
    }
}

/// The value of a feature on the scale on which it is compared; `None` where there is none.
pub(super) fn value(
    feature: Feature,
    counts: f64,
    ratio: Option<f64>,
    positive_probability: Option<f64>,
) -> Option<f64> {
    let value = match feature {
        Feature::Counts => (counts > 0.0).then(|| counts.ln()),
        Feature::Ratio => ratio,
        Feature::Score => positive_probability.map(log_odds),
        Feature::Warnings | Feature::SetAside | Feature::Scanner => None,
    };
    value.filter(|value| value.is_finite())
}

impl Reference {
    /// What is kept of a cohort, and of what was set aside for it.
    pub fn of(studies: &[ReferenceStudy], set_aside: ReferenceShare, synthetic: bool) -> Self {
        let bulks = [Feature::Ratio, Feature::Score].into_iter();
        let bulk = bulks
            .filter_map(|feature| Some((feature, bulk(feature, studies)?)))
            .collect();
        let every: Vec<_> = studies.iter().collect();
        let mut by_scanner: BTreeMap<String, Vec<&ReferenceStudy>> = BTreeMap::new();
        for study in studies {
            if let Some(scanner) = &study.scanner {
                by_scanner.entry(scanner.clone()).or_default().push(study);
            }
        }
        let scanners = by_scanner.into_iter().map(|(scanner, studies)| {
            let is_enough = studies.len() >= LEAST_REFERENCE;
            let of_scanner = ScannerReference {
                studies: studies.len() as u64,
                group: is_enough.then(|| group(&studies, &bulk)),
            };
            (scanner, of_scanner)
        });
        Self {
            studies: studies.len() as u64,
            synthetic,
            scanners: scanners.collect(),
            all: group(&every, &bulk),
            set_aside,
            bulk,
        }
    }

    /// The same of a model whose log odds of a positive are `slope` times these, with `intercept` added.
    #[must_use]
    pub fn with_scores(mut self, slope: f64, intercept: f64) -> Self {
        let change = |value: &mut f64| *value = intercept + slope * *value;
        self.bulk.get_mut(&Feature::Score).map(change);
        let of_scanners = self
            .scanners
            .values_mut()
            .filter_map(|it| it.group.as_mut());
        for group in of_scanners.chain([&mut self.all]) {
            if let Some(scores) = group.distributions.get_mut(&Feature::Score) {
                scores.change(slope, intercept);
            }
        }
        self
    }

    /// Whether it can be one: its numbers are finite and in their order, and its shares no more than all.
    pub fn is_sound(&self) -> bool {
        let of_scanners = self.scanners.values().filter_map(|it| it.group.as_ref());
        let mut groups = of_scanners.chain([&self.all]);
        self.bulk.values().all(|value| value.is_finite())
            && self.set_aside.is_sound()
            && groups.all(ReferenceGroup::is_sound)
    }

    /// What the values of a scanner's scans are compared with: those of their own where there are enough, else of all;
    /// and whether they are its own.
    pub(super) fn distribution(
        &self,
        feature: Feature,
        scanner: Option<&str>,
    ) -> Option<(&Distribution, bool)> {
        let of_scanner = self
            .own(scanner)
            .and_then(|own| own.distributions.get(&feature));
        let of_all = || self.all.distributions.get(&feature);
        let own = of_scanner.map(|it| (it, true));
        own.or_else(|| Some((of_all()?, false)))
    }

    /// The same of the share of scans with a warning.
    pub(super) fn warnings(&self, scanner: Option<&str>) -> (ReferenceShare, bool) {
        let own = self.own(scanner);
        (own.unwrap_or(&self.all).warnings, own.is_some())
    }

    fn own(&self, scanner: Option<&str>) -> Option<&ReferenceGroup> {
        self.scanners.get(scanner?)?.group.as_ref()
    }
}

impl ReferenceGroup {
    fn is_sound(&self) -> bool {
        let mut distributions = self.distributions.values();
        distributions.all(Distribution::is_sound) && self.warnings.is_sound()
    }
}

impl ReferenceShare {
    const fn is_sound(self) -> bool {
        self.part <= self.whole
    }

    /// The share itself; `None` of nothing.
    pub fn share(self) -> Option<f64> {
        (self.whole > 0).then(|| self.part as f64 / self.whole as f64)
    }
}

fn group(studies: &[&ReferenceStudy], bulk: &BTreeMap<Feature, f64>) -> ReferenceGroup {
    let values = |feature: Feature| {
        let values = studies.iter().filter_map(|study| {
            let value = study.value(feature)?;
            let is_looked_at = match bulk.get(&feature) {
                Some(bulk) => !study.positive && value <= *bulk,
                None => feature == Feature::Counts,
            };
            is_looked_at.then_some(value)
        });
        values.collect::<Vec<_>>()
    };
    let distributions = Feature::VALUES.into_iter().filter_map(|feature| {
        let values = Some(values(feature)).filter(|values| values.len() >= LEAST_REFERENCE);
        Some((feature, Distribution::of(values?)?))
    });
    let warnings = studies.iter().filter(|study| study.has_warnings);
    ReferenceGroup {
        distributions: distributions.collect(),
        warnings: ReferenceShare {
            part: warnings.count() as u64,
            whole: studies.len() as u64,
        },
    }
}

/// The value below which as many negatives as possible are and hardly a positive, so that what lies there looks the
/// same at any prevalence; `None` where there is no such value.
fn bulk(feature: Feature, studies: &[ReferenceStudy]) -> Option<f64> {
    let values = |positive: bool| {
        let of_class = studies.iter().filter(|study| study.positive == positive);
        let values = of_class.filter_map(|study| study.value(feature));
        values.collect::<Vec<_>>()
    };
    let (negatives, positives) = (values(false), values(true));
    let quantiles = Distribution::of(negatives)?.quantiles;
    let below = |value: f64| {
        let below = positives.iter().filter(|other| **other <= value).count();
        below as f64 / positives.len().max(1) as f64
    };
    let found = BULKS.rev().find(|&percentage| {
        let share = percentage as f64 / 100.0;
        below(quantiles[percentage - 1]) <= CONTAMINATION * share
    });
    found.map(|percentage| quantiles[percentage - 1])
}
