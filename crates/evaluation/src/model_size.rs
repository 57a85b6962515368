//! How many studies the development and the validation of a model's probabilities take.
//!
//! The criteria are those of Riley et al. for binary outcomes: of a development, "Minimum sample size for developing a
//! multivariable prediction model", Statistics in Medicine 2019 (part II), with the Cox-Snell R² of an area below the ROC
//! curve as in their note of 2021; of a validation, "Minimum sample size for external validation of a clinical prediction
//! model with a binary outcome", Statistics in Medicine 2021. Log odds are taken to be normal in either class with the same
//! deviation, so that the area decides everything.

use serde::Serialize;

use super::interval::Z;
use super::normal;
use super::root::bisect;
use super::sample_size::{PlanError, ensure_part};

/// By how much a development may overfit: predictions shrink by a tenth.
const SHRINKAGE: f64 = 0.9;
/// How far Nagelkerke's R² may be off by optimism.
const OPTIMISM: f64 = 0.05;
/// How far the share of positives may be off, and at most half of what it is.
const MARGIN: f64 = 0.05;
/// How far observed over expected may be off 1, as a factor.
const OBSERVED_OVER_EXPECTED: f64 = 1.25;
/// How far the slope may be off 1.
const SLOPE: f64 = 0.2;
/// How far the area below the ROC curve may be off.
const AREA: f64 = 0.05;
/// The log odds of each class are integrated over so many deviations to either side, in so many steps.
const DEVIATIONS: f64 = 9.0;
const STEPS: u32 = 2000;

/// The model that is planned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ModelDemand {
    /// The area below the ROC curve that is expected, above 0.5 and below 1.
    pub auc: f64,
    /// The share of positives, in (0, 1).
    pub prevalence: f64,
}

/// How many studies each criterion of a development takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DevelopmentSize {
    /// So that predictions have to be shrunk by no more than a tenth.
    pub shrinkage: u64,
    /// So that Nagelkerke's R² is no more than 0.05 too high.
    pub optimism: u64,
    /// So that the share of positives is known within 0.05, and within half of it.
    pub overall: u64,
}

/// How many studies each criterion of a validation takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ValidationSize {
    /// So that the interval of observed over expected reaches from 0.8 to 1.25 where it is 1.
    pub observed_over_expected: u64,
    /// So that the interval of the slope reaches from 0.8 to 1.2 where it is 1.
    pub slope: u64,
    /// So that the interval of the area below the ROC curve is no wider than 0.1.
    pub auc: u64,
}

impl DevelopmentSize {
    /// The number that meets every criterion.
    pub fn studies(&self) -> u64 {
        self.shrinkage.max(self.optimism).max(self.overall)
    }
}

impl ValidationSize {
    /// The number that meets every criterion.
    pub fn studies(&self) -> u64 {
        self.observed_over_expected.max(self.slope).max(self.auc)
    }
}

impl ModelDemand {
    /// How many studies it takes to fit so many parameters, at least 1.
    ///
    /// # Errors
    /// [`PlanError`] of numbers out of their ranges.
    pub fn development(self, parameters: u32) -> Result<DevelopmentSize, PlanError> {
        self.check()?;
        let explained = self.cox_snell();
        let greatest = 1.0 - (-2.0 * self.entropy()).exp();
        let of_shrinkage = |shrinkage: f64| {
            f64::from(parameters.max(1)) / ((shrinkage - 1.0) * (-explained / shrinkage).ln_1p())
        };
        let Self { prevalence, .. } = self;
        let margin = MARGIN.min(prevalence / 2.0).min((1.0 - prevalence) / 2.0);
        Ok(DevelopmentSize {
            shrinkage: whole(of_shrinkage(SHRINKAGE)),
            optimism: whole(of_shrinkage(explained / (explained + OPTIMISM * greatest))),
            overall: whole((Z / margin).powi(2) * prevalence * (1.0 - prevalence)),
        })
    }

    /// How many studies it takes to judge it.
    ///
    /// # Errors
    /// [`PlanError`] of numbers out of their ranges.
    pub fn validation(self) -> Result<ValidationSize, PlanError> {
        self.check()?;
        let Self { auc, prevalence } = self;
        let error = OBSERVED_OVER_EXPECTED.ln() / Z;
        let [of_intercept, of_both, of_slope] = self.information();
        let of_slopes = of_slope - of_both.powi(2) / of_intercept;
        // The variance of the area by Newcombe's fourth method falls with the number of studies, but not quite as its
        // inverse.
        let variance = |studies: f64| {
            let others = studies / 2.0 - 1.0;
            let spread = 1.0 + others * ((1.0 - auc) / (2.0 - auc) + auc / (1.0 + auc));
            auc * (1.0 - auc) * spread / (studies.powi(2) * prevalence * (1.0 - prevalence))
        };
        let excess = |studies: f64| (AREA / Z).powi(2) - variance(studies);
        Ok(ValidationSize {
            observed_over_expected: whole((1.0 - prevalence) / (prevalence * error.powi(2))),
            slope: whole((Z / SLOPE).powi(2) / of_slopes),
            auc: whole(bisect(&excess, 1e12, 1.0)),
        })
    }

    fn check(self) -> Result<(), PlanError> {
        ensure_part("the prevalence", self.prevalence)?;
        if self.auc > 0.5 && self.auc < 1.0 {
            return Ok(());
        }
        Err(PlanError::OutOfRange {
            name: "the AUC",
            value: self.auc,
            range: "state a number above 0.5 and below 1",
        })
    }

    /// The log odds of positives are so many of their deviations above those of negatives.
    fn separation(self) -> f64 {
        std::f64::consts::SQRT_2 * normal::quantile(self.auc)
    }

    /// The mean over all studies of a function of whether it is positive and of its log odds, which are calibrated.
    fn mean(self, function: impl Fn(bool, f64) -> f64) -> f64 {
        let separation = self.separation();
        let odds = (self.prevalence / (1.0 - self.prevalence)).ln();
        let step = 2.0 * DEVIATIONS / f64::from(STEPS);
        let of_class = |positive: bool, share: f64| {
            let middle = if positive { separation } else { -separation } / 2.0;
            let places = (0..=STEPS).map(|place| step * f64::from(place) - DEVIATIONS);
            let terms = places.map(|place| {
                let density = (-place * place / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
                density * function(positive, odds + separation * (middle + place))
            });
            share * step * terms.sum::<f64>()
        };
        of_class(true, self.prevalence) + of_class(false, 1.0 - self.prevalence)
    }

    /// The mean logarithmic loss of one probability for all, in nats.
    fn entropy(self) -> f64 {
        let Self { prevalence, .. } = self;
        -prevalence * prevalence.ln() - (1.0 - prevalence) * (1.0 - prevalence).ln()
    }

    /// The R² of Cox and Snell.
    fn cox_snell(self) -> f64 {
        let loss = self.mean(|positive, log_odds| {
            let signed = if positive { -log_odds } else { log_odds };
            signed.max(0.0) + (-signed.abs()).exp().ln_1p()
        });
        1.0 - (-2.0 * (self.entropy() - loss)).exp()
    }

    /// The information that a study has of the intercept, of both together and of the slope of its log odds.
    fn information(self) -> [f64; 3] {
        [0, 1, 2].map(|power| {
            self.mean(|_, log_odds| {
                let p = (1.0 + (-log_odds).exp()).recip();
                log_odds.powi(power) * p * (1.0 - p)
            })
        })
    }
}

/// A whole number that is not less, but for what rounding adds.
fn whole(studies: f64) -> u64 {
    (studies - 1e-6).ceil().max(1.0) as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_interval_of_observed_over_expected_takes_some_76_positives() {
        let planned = ModelDemand {
            auc: 0.9,
            prevalence: 0.01,
        };
        let found = planned.validation().unwrap().observed_over_expected;
        // 99 over the square of ln 1.25 / 1.96.
        assert_eq!(found, 7638);
    }

    #[test]
    fn what_is_no_area_and_no_prevalence_is_named() {
        for (auc, prevalence, name) in [
            (0.5, 0.1, "the AUC is 0.5"),
            (1.0, 0.1, "the AUC is 1"),
            (f64::NAN, 0.1, "the AUC is NaN"),
            (0.9, 0.0, "the prevalence is 0"),
            (0.9, 1.0, "the prevalence is 1"),
        ] {
            let planned = ModelDemand { auc, prevalence };
            for refused in [
                planned.validation().map(drop),
                planned.development(3).map(drop),
            ] {
                let sentence = refused.unwrap_err().to_string();
                assert!(sentence.starts_with(name), "{sentence}");
            }
        }
    }

    proptest! {
        #[test]
        fn more_parameters_and_fewer_positives_take_more(
            auc in 0.55f64..0.99, prevalence in 0.005f64..0.4, parameters in 1u32..40,
        ) {
            let planned = |prevalence| ModelDemand { auc, prevalence };
            let of = |prevalence, parameters| planned(prevalence).development(parameters).unwrap();
            let (some, more) = (of(prevalence, parameters), of(prevalence, parameters + 1));
            prop_assert!(some.shrinkage <= more.shrinkage && some.optimism <= more.optimism);
            prop_assert!(of(prevalence / 2.0, parameters).shrinkage >= some.shrinkage);
            let validation = |prevalence| planned(prevalence).validation().unwrap().studies();
            prop_assert!(validation(prevalence / 2.0) >= validation(prevalence));
        }
    }
}
