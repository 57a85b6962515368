//! Monitoring against SciPy, statsmodels and a Markov chain: `tests/golden/evaluation/monitoring.json`.

use serde::Deserialize;

use super::chart::{ShareChart, ShiftChart};
use super::limit;
use super::mix::MixChart;
use super::*;
use crate::normal;
use std::collections::BTreeMap;

const REFERENCE: &str = include_str!("../../../../tests/golden/evaluation/monitoring.json");
const TOLERANCE: f64 = 1e-12;
/// Siegmund's run lengths are approximations.
const APPROXIMATION: f64 = 0.04;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Golden {
    normal_quantiles: Vec<[f64; 2]>,
    distribution: GoldenDistribution,
    run_lengths: Vec<[f64; 3]>,
    limits: Vec<[f64; 4]>,
    shift: Shift,
    share: Share,
    mix: Mix,
}

#[derive(Deserialize)]
struct GoldenDistribution {
    values: Vec<f64>,
    mean: f64,
    deviation: f64,
    quantiles: Vec<f64>,
    probes: Vec<[f64; 3]>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shift {
    scores: Vec<f64>,
    allowance: f64,
    limit: f64,
    lower: f64,
    higher: f64,
    first_alarm: u64,
}

#[derive(Deserialize)]
struct Share {
    part: u64,
    whole: u64,
    events: Vec<bool>,
    greatest: f64,
}

#[derive(Deserialize)]
struct Mix {
    reference: BTreeMap<String, u64>,
    scanners: Vec<String>,
    greatest: f64,
}

fn golden() -> Golden {
    serde_json::from_str(REFERENCE).expect("JSON")
}

fn near(found: f64, expected: f64) {
    let off = (found - expected).abs();
    assert!(
        off <= TOLERANCE * expected.abs().max(1.0),
        "{found} for {expected}"
    );
}

#[test]
fn quantiles_of_a_normal_variable_are_those_of_scipy() {
    for [level, expected] in golden().normal_quantiles {
        near(normal::quantile(level), expected);
        near(
            normal::quantile(1.0 - level),
            normal::quantile(1.0 - level).abs().copysign(0.5 - level),
        );
    }
}

#[test]
fn a_distribution_is_that_of_numpy_and_scores_lie_where_scipy_has_them() {
    let golden = golden().distribution;
    let found = Distribution::of(golden.values).expect("a distribution");
    near(found.mean, golden.mean);
    near(found.deviation, golden.deviation);
    for (found, expected) in found.quantiles.iter().zip(&golden.quantiles) {
        near(*found, *expected);
    }
    assert_eq!(found.quantiles.len(), golden.quantiles.len());
    for [value, share, score] in golden.probes {
        near(found.share_below(value), share);
        near(found.normal_score(value), score);
    }
}

#[test]
fn run_lengths_and_limits_are_those_of_a_markov_chain() {
    let golden = golden();
    for [drift, limit, expected] in golden.run_lengths {
        let found = limit::run_length(drift, limit);
        assert!(
            (found / expected - 1.0).abs() < APPROXIMATION,
            "{drift}, {limit}: {found} for {expected}"
        );
    }
    for [allowance, reference, probability, expected] in golden.limits {
        let found = limit::of_shift(allowance, reference, probability);
        assert!(
            (found / expected - 1.0).abs() < APPROXIMATION,
            "{reference}: {found} for {expected}"
        );
    }
}

#[test]
fn a_limit_between_two_references_is_near_its_own() {
    for feature in Feature::VALUES {
        let limits = limit::ShiftLimits::new(feature);
        for reference in [50.0, 61.0, 130.0, 777.0, 1400.0, 1e5] {
            let [allowance, probability] = [feature.allowance(reference), feature.false_alarms()];
            let expected = limit::of_shift(allowance, reference, probability);
            let found = limits.at(reference);
            assert!(
                (found / expected - 1.0).abs() < 0.01,
                "{reference}: {found} for {expected}"
            );
        }
    }
}

#[test]
fn the_sum_of_a_chart_is_the_greatest_of_any_last_scans() {
    let golden = golden();
    let Shift { scores, limit, .. } = golden.shift;
    let allowance = golden.shift.allowance;
    let mut chart = ShiftChart::new();
    for (row, score) in (1..).zip(&scores) {
        chart.add(*score, allowance, limit, row);
    }
    let reading = chart.reading();
    near(reading.statistic, golden.shift.lower);
    assert_eq!(reading.first_alarm, Some(golden.shift.first_alarm));
    assert_eq!(reading.direction, Direction::Lower);
    let mut mirrored = ShiftChart::new();
    for (row, score) in (1..).zip(&scores) {
        mirrored.add(-score, allowance, f64::INFINITY, row);
    }
    let reading = mirrored.reading();
    near(reading.statistic, golden.shift.lower);
    assert_eq!(
        (reading.direction, reading.first_alarm),
        (Direction::Higher, None)
    );
    assert!(golden.shift.higher <= golden.shift.lower);
}

#[test]
fn the_sum_of_a_share_is_that_of_its_likelihood_ratios() {
    let Share {
        part,
        whole,
        events,
        greatest,
    } = golden().share;
    let mut chart =
        ShareChart::new(Feature::Warnings, ReferenceShare { part, whole }).expect("a chart");
    for (row, event) in (1..).zip(events) {
        chart.add(event, row);
    }
    near(chart.reading().statistic, greatest);
    assert_eq!(
        ShareChart::new(Feature::Warnings, ReferenceShare::default()).map(|it| it.reading()),
        None
    );
}

#[test]
fn the_bayes_factor_of_a_mix_is_that_of_its_counts() {
    let Mix {
        reference,
        scanners,
        greatest,
    } = golden().mix;
    let mut chart = MixChart::new(reference);
    for scanner in scanners {
        chart.add(&scanner);
    }
    near(chart.statistic(), greatest);
}
