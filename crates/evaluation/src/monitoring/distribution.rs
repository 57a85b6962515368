//! How a feature was spread in a cohort, and where a scan lies in it.

use serde::{Deserialize, Serialize};

use crate::normal;

/// The percentages whose quantiles are kept: 1 to 99.
const PERCENTAGES: usize = 99;

/// What lies below the first percentage or above the last counts as half of what is there.
const OUTERMOST: f64 = 0.005;

/// How a feature was spread in a cohort: in steps of 1 %, without its extremes, which are single studies'.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Distribution {
    /// Of how many studies.
    pub studies: u64,
    /// Their mean; of counts that of natural logarithms.
    pub mean: f64,
    /// Their standard deviation.
    pub deviation: f64,
    /// The values that 1, 2, ... 99 % of the studies lie below.
    pub quantiles: Vec<f64>,
}

impl Distribution {
    /// Multiplies every value by a factor above 0, and adds another number.
    pub(super) fn change(&mut self, factor: f64, added: f64) {
        let change = |value: &mut f64| *value = added + factor * *value;
        self.quantiles.iter_mut().for_each(change);
        change(&mut self.mean);
        self.deviation *= factor;
    }

    /// The distribution of values of studies, which have to be finite; `None` of fewer than two.
    ///
    /// The quantile of a share p of n values is the one in place p (n + 1), between two by a straight line
    /// (definition 6 of Hyndman and Fan, "Sample quantiles in statistical packages", 1996), so that a new value lies
    /// below it with the probability p.
    pub fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let studies = values.len();
        let (first, last) = (*values.first()?, *values.last()?);
        if studies < 2 {
            return None;
        }
        let mean = values.iter().sum::<f64>() / studies as f64;
        let squares = values.iter().map(|value| (value - mean).powi(2));
        let quantile = |percentage: usize| {
            let place = percentage as f64 / 100.0 * (studies + 1) as f64;
            let below = place.floor() as usize;
            match below {
                0 => first,
                _ if below >= studies => last,
                _ => {
                    let (low, high) = (values[below - 1], values[below]);
                    low + (high - low) * place.fract()
                }
            }
        };
        Some(Self {
            studies: studies as u64,
            mean,
            deviation: (squares.sum::<f64>() / (studies - 1) as f64).sqrt(),
            quantiles: (1..=PERCENTAGES).map(quantile).collect(),
        })
    }

    /// Whether it can be one: all numbers finite, and quantiles in their order.
    pub fn is_sound(&self) -> bool {
        let numbers = self.quantiles.iter().chain([&self.mean, &self.deviation]);
        self.quantiles.len() == PERCENTAGES
            && numbers.copied().all(f64::is_finite)
            && self.quantiles.is_sorted()
            && self.deviation >= 0.0
            && self.studies > 1
    }

    /// The share of the reference below a value, between 0.005 and 0.995; among equal ones the middle.
    pub fn share_below(&self, value: f64) -> f64 {
        let quantiles = &self.quantiles;
        let below = quantiles.partition_point(|quantile| *quantile < value);
        let not_above = quantiles.partition_point(|quantile| *quantile <= value);
        if below < not_above {
            return (below + 1 + not_above) as f64 / 200.0;
        }
        if below == 0 {
            return OUTERMOST;
        }
        if below == quantiles.len() {
            return 1.0 - OUTERMOST;
        }
        let (low, high) = (quantiles[below - 1], quantiles[below]);
        (below as f64 + (value - low) / (high - low)) / 100.0
    }

    /// The normal score of a value (van der Waerden, 1952): what a standard normal variable would be in its place. No
    /// score is beyond 2.58, so that one odd scan is no alarm.
    pub fn normal_score(&self, value: f64) -> f64 {
        normal::quantile(self.share_below(value))
    }
}
