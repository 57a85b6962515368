//! What thresholds that are chosen on some studies do to others, and how often their intervals hold that.
//!
//!     cargo run --release -p attrium-evaluation --example thresholds -- [COHORTS]
//!
//! Of each number of positives so many cohorts are drawn (1000), with the paper's 1,287 negatives. Scores are normal, and
//! those of positives lie 2.1 higher, so that the true rates of any threshold are known. Ends with 1 where fewer than
//! 93 % of the intervals hold the true rate, or the mean of what is expected is off the mean of the true rates by more
//! than 0.01, each by more than three standard errors of the simulation.

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use attrium_evaluation::{
    Estimate, EvaluationOptions, OperatingPoint, OperatingPointKind, Prediction, Predictions,
    evaluate, proportion,
};
use attrium_types::{Target, random};
use rand_chacha::ChaCha8Rng;

const NEGATIVES: usize = 1287;
const POSITIVES: [usize; 4] = [10, 24, 47, 100];
/// How much higher positives score.
const HIGHER: f64 = 2.1;
/// How often an interval has to hold the truth.
const COVERAGE: f64 = 0.93;
/// How far what is expected may be off what is true.
const BIAS: f64 = 0.01;

/// What became of one rate of one kind of threshold.
#[derive(Default)]
struct Tally {
    name: String,
    cohorts: f64,
    observed: f64,
    expected: f64,
    truth: f64,
    /// The squares of what is expected less what is true.
    squares: f64,
    held: f64,
    /// The same for Wilson's interval, and how often its lower limit is above the truth.
    wilson_held: f64,
    wilson_above: f64,
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let cohorts = std::env::args().nth(1);
    let cohorts: u32 = cohorts.map_or(Ok(1000), |cohorts| cohorts.parse())?;
    let mut out = io::stdout();
    writeln!(
        out,
        "| positives | threshold | rate | observed | expected | true | held | Wilson: held | lower limit above |"
    )?;
    writeln!(out, "|---|---|---|---|---|---|---|---|---|")?;
    let mut missed = false;
    for positives in POSITIVES {
        for tally in simulate(positives, cohorts)? {
            let mean = |sum: f64| sum / tally.cohorts;
            writeln!(
                out,
                "| {positives} | {} | {:.3} | {:.3} | {:.3} | {:.3} | {:.3} | {:.3} |",
                tally.name,
                mean(tally.observed),
                mean(tally.expected),
                mean(tally.truth),
                mean(tally.held),
                mean(tally.wilson_held),
                mean(tally.wilson_above),
            )?;
            missed |= tally.misses();
        }
    }
    Ok(if missed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn simulate(positives: usize, cohorts: u32) -> Result<Vec<Tally>, Box<dyn Error>> {
    let mut stream = random::named(1, &format!("thresholds {positives}"));
    let mut tallies: Vec<Tally> = Vec::new();
    for _ in 0..cohorts {
        let cohort = draw(positives, &mut stream);
        let metrics = evaluate(Target::Positive, &cohort, &EvaluationOptions::default())?;
        let mut place = 0;
        for point in &metrics.positive.operating_points {
            for (name, found, expected, part, truth) in rates(point) {
                if place == tallies.len() {
                    tallies.push(Tally {
                        name: format!("{} | {name}", point.kind),
                        ..Tally::default()
                    });
                }
                tallies[place].add(found, expected, part, truth);
                place += 1;
            }
        }
    }
    Ok(tallies)
}

/// A rate's name, what was found and is expected, the counts that it is of, and what it truly is.
type RateOfPoint = (&'static str, Option<Estimate>, Option<f64>, (u64, u64), f64);

fn rates(point: &OperatingPoint) -> Vec<RateOfPoint> {
    let at = (point.threshold / (1.0 - point.threshold)).ln();
    if point.kind == OperatingPointKind::Threshold {
        return Vec::new();
    }
    vec![
        (
            "sensitivity",
            point.sensitivity,
            point.expected_sensitivity,
            (
                point.true_positives,
                point.true_positives + point.false_negatives,
            ),
            above(at - HIGHER),
        ),
        (
            "specificity",
            point.specificity,
            point.expected_specificity,
            (
                point.true_negatives,
                point.true_negatives + point.false_positives,
            ),
            1.0 - above(at),
        ),
    ]
}

impl Tally {
    fn add(
        &mut self,
        found: Option<Estimate>,
        expected: Option<f64>,
        (part, whole): (u64, u64),
        truth: f64,
    ) {
        let interval = found.and_then(|found| found.interval);
        let wilson = proportion(part, whole).and_then(|share| share.interval);
        let (Some(found), Some(interval), Some(wilson), Some(expected)) =
            (found, interval, wilson, expected)
        else {
            return;
        };
        let holds = |low: f64, high: f64| f64::from(u8::from(low <= truth && truth <= high));
        self.cohorts += 1.0;
        self.observed += found.value;
        self.expected += expected;
        self.truth += truth;
        self.squares += (expected - truth).powi(2);
        self.held += holds(interval.low, interval.high);
        self.wilson_held += holds(wilson.low, wilson.high);
        self.wilson_above += f64::from(u8::from(wilson.low > truth));
    }

    fn misses(&self) -> bool {
        let slack = 3.0 * (COVERAGE * (1.0 - COVERAGE) / self.cohorts).sqrt();
        let error = 3.0 * self.squares.sqrt() / self.cohorts;
        let bias = (self.expected - self.truth).abs() / self.cohorts;
        self.held / self.cohorts < COVERAGE - slack || bias > BIAS + error
    }
}

/// Predictions of so many positives and of the negatives, each of a patient of its own.
fn draw(positives: usize, stream: &mut ChaCha8Rng) -> Predictions {
    let row = |study: usize| {
        let positive = study < positives;
        let score = random::normal(stream) + if positive { HIGHER } else { 0.0 };
        let probability = 1.0 / (1.0 + (-score).exp());
        Prediction {
            study: study.to_string(),
            fold: None,
            label: Some(usize::from(positive)),
            probabilities: vec![1.0 - probability, probability],
            covariates: Vec::new(),
        }
    };
    Predictions {
        classes: 2,
        covariates: Vec::new(),
        rows: (0..positives + NEGATIVES).map(row).collect(),
    }
}

/// The share of the standard normal distribution above a place: one half less Simpson's integral from 0.
fn above(place: f64) -> f64 {
    const STEPS: u32 = 200;
    let step = place / f64::from(STEPS);
    let density = |x: f64| (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt();
    let sum: f64 = (0..=STEPS)
        .map(|number| {
            let weight = match number {
                0 | STEPS => 1.0,
                number if number % 2 == 1 => 4.0,
                _ => 2.0,
            };
            weight * density(f64::from(number) * step)
        })
        .sum();
    0.5 - sum * step / 3.0
}
