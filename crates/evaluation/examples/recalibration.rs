//! What a recalibration on few scans of a site does to other scans of it.
//!
//!     cargo run --release -p attrium-evaluation --example recalibration -- [SAMPLES]
//!
//! Log odds of a model are normal, those of positives higher; at a site they are stretched, shifted and told apart as well
//! as at home or worse. So many times (200) the model is recalibrated on 200 scans with 10 positives, and judged on other
//! 20,000 with the same share of positives. Ends with 1 where the median of observed over expected leaves 0.8 to 1.25, or
//! where more than three in ten samples do.

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use attrium_evaluation::{Prediction, Predictions, Recalibration};
use attrium_types::{Target, random};
use rand_chacha::ChaCha8Rng;

const SCANS: usize = 200;
const POSITIVES: usize = 10;
const OTHERS: usize = 20_000;
/// The log odds of positives are so many deviations higher where the model was trained.
const AT_HOME: f64 = 2.66;
const RANGE: std::ops::RangeInclusive<f64> = 0.8..=1.25;
/// The least share of samples that come out within the range.
const WITHIN: f64 = 0.7;

/// Where a model is used.
struct Site {
    /// By how many deviations it tells positives from negatives there.
    separation: f64,
    /// What its log odds are multiplied by.
    stretch: f64,
    /// What is added to them.
    shift: f64,
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let samples = std::env::args().nth(1);
    let samples: usize = samples.map_or(Ok(200), |samples| samples.parse())?;
    let mut out = io::stdout();
    writeln!(
        out,
        "| deviations | stretched | shifted | before | after: median | 5 to 95 % | within 0.8 to 1.25 |"
    )?;
    writeln!(out, "|---|---|---|---|---|---|---|")?;
    let mut missed = false;
    for separation in [AT_HOME, 1.8] {
        for stretch in [0.6, 1.0, 1.6] {
            for shift in [-2.0, 0.0, 2.0] {
                let site = Site {
                    separation,
                    stretch,
                    shift,
                };
                missed |= site.simulate(samples, &mut out)?;
            }
        }
    }
    Ok(ExitCode::from(u8::from(missed)))
}

impl Site {
    fn simulate(&self, samples: usize, out: &mut impl Write) -> Result<bool, Box<dyn Error>> {
        let name = format!("{} {} {}", self.separation, self.stretch, self.shift);
        let mut stream = random::named(1, &name);
        let others = self.draw(OTHERS, OTHERS * POSITIVES / SCANS, &mut stream);
        let mut found = Vec::with_capacity(samples);
        for _ in 0..samples {
            let scans = self.draw(SCANS, POSITIVES, &mut stream);
            let recalibration = Recalibration::fit(Target::Positive, &scans)?;
            found.push(observed_over_expected(
                &recalibration.apply_to(Target::Positive, &others),
            ));
        }
        found.sort_by(f64::total_cmp);
        let quantile = |share: f64| found[((found.len() - 1) as f64 * share).round() as usize];
        let held = found.iter().filter(|it| RANGE.contains(it)).count();
        let within = held as f64 / found.len() as f64;
        writeln!(
            out,
            "| {} | {} | {} | {:.2} | {:.2} | {:.2} to {:.2} | {within:.2} |",
            self.separation,
            self.stretch,
            self.shift,
            observed_over_expected(&others),
            quantile(0.5),
            quantile(0.05),
            quantile(0.95),
        )?;
        Ok(!RANGE.contains(&quantile(0.5)) || within < WITHIN)
    }

    /// Predictions of so many scans, as the model states them for the share of positives among them.
    fn draw(&self, scans: usize, positives: usize, stream: &mut ChaCha8Rng) -> Predictions {
        let prior = (positives as f64 / (scans - positives) as f64).ln();
        let row = |scan: usize| {
            let positive = scan < positives;
            let side = if positive { 0.5 } else { -0.5 };
            let place = random::normal(stream) + side * self.separation;
            let log_odds = self.stretch * AT_HOME * place + self.shift + prior;
            let probability = (1.0 + (-log_odds).exp()).recip();
            Prediction {
                study: scan.to_string(),
                fold: None,
                label: Some(usize::from(positive)),
                probabilities: vec![1.0 - probability, probability],
                covariates: Vec::new(),
            }
        };
        Predictions {
            classes: 2,
            covariates: Vec::new(),
            rows: (0..scans).map(row).collect(),
        }
    }
}

fn observed_over_expected(predictions: &Predictions) -> f64 {
    let observed = predictions.rows.iter().filter(|row| row.label == Some(1));
    let expected: f64 = predictions
        .rows
        .iter()
        .map(|row| row.probabilities[1])
        .sum();
    observed.count() as f64 / expected
}
