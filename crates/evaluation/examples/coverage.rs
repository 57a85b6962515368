//! How often the interval of an area below the ROC curve holds the truth, and how often its lower limit is above it.
//!
//!     cargo run --release -p attrium-evaluation --example coverage -- [COHORTS]
//!
//! Of each number of positives and each true area so many cohorts are drawn (2000), with the paper's 1,287 negatives:
//! scores are normal, and those of positives lie higher, or, where it says `mixed`, a fifth of the positives hardly
//! does. Ends with 1 where fewer than 93 % of the intervals hold the truth, or more than 4 % of the lower limits are
//! above it, each by more than three standard errors of the simulation.

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use attrium_evaluation::auc;
use attrium_types::random;
use rand_chacha::ChaCha8Rng;

const NEGATIVES: usize = 1287;
const POSITIVES: [usize; 5] = [5, 10, 24, 36, 47];
/// How often an interval has to hold the truth.
const COVERAGE: f64 = 0.93;
/// How often a lower limit may be above it.
const ABOVE: f64 = 0.04;

/// How positives score where negatives have the standard normal distribution.
struct Population {
    name: &'static str,
    /// The true area below the ROC curve.
    area: f64,
    /// The share of the positives that is faint, and how much higher than negatives those and the others score.
    faint: f64,
    higher: [f64; 2],
}

/// For one kind of positives the area is that of the standard normal distribution at `higher` over the root of 2.
const POPULATIONS: [Population; 5] = [
    normal("0.85", 0.85, 1.465_738),
    normal("0.93", 0.93, 2.087_084),
    normal("0.97", 0.97, 2.659_844),
    normal("0.99", 0.99, 3.289_953),
    Population {
        name: "mixed",
        area: 0.2 * 0.583_998 + 0.8 * 0.988_174,
        faint: 0.2,
        higher: [0.3, 3.2],
    },
];

const fn normal(name: &'static str, area: f64, higher: f64) -> Population {
    Population {
        name,
        area,
        faint: 0.0,
        higher: [higher; 2],
    }
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let cohorts = std::env::args().nth(1);
    let cohorts: u32 = cohorts.map_or(Ok(2000), |cohorts| cohorts.parse())?;
    let mut out = io::stdout();
    writeln!(out, "| positives | true area | held | lower limit above |")?;
    writeln!(out, "|---|---|---|---|")?;
    let mut missed = false;
    for positives in POSITIVES {
        for population in &POPULATIONS {
            let (held, above) = simulate(population, positives, cohorts);
            let name = population.name;
            writeln!(out, "| {positives} | {name} | {held:.3} | {above:.3} |")?;
            let slack = |share: f64| 3.0 * (share * (1.0 - share) / f64::from(cohorts)).sqrt();
            missed |= held < COVERAGE - slack(COVERAGE) || above > ABOVE + slack(ABOVE);
        }
    }
    Ok(if missed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// The share of intervals that hold the true area, and of those that lie above it.
fn simulate(population: &Population, positives: usize, cohorts: u32) -> (f64, f64) {
    let mut stream = random::named(1, &format!("coverage {} {positives}", population.name));
    let patients: Vec<usize> = (0..positives + NEGATIVES).collect();
    let truth: Vec<bool> = patients.iter().map(|&study| study < positives).collect();
    let (mut held, mut above) = (0.0, 0.0);
    for _ in 0..cohorts {
        let scores: Vec<f64> = truth
            .iter()
            .map(|&positive| draw(population, positive, &mut stream))
            .collect();
        let interval = auc(&scores, &truth, &patients).and_then(|area| area.interval);
        let Some(interval) = interval else { continue };
        held += f64::from(u8::from(
            interval.low <= population.area && population.area <= interval.high,
        ));
        above += f64::from(u8::from(interval.low > population.area));
    }
    (held / f64::from(cohorts), above / f64::from(cohorts))
}

fn draw(population: &Population, positive: bool, stream: &mut ChaCha8Rng) -> f64 {
    let [faint, plain] = population.higher;
    let higher = match positive {
        false => 0.0,
        true if unit(stream) < population.faint => faint,
        true => plain,
    };
    higher + random::normal(stream)
}

fn unit(stream: &mut ChaCha8Rng) -> f64 {
    random::uniform(stream, 0.0, 1.0)
}
