//! How often the interval of a share holds the truth where patients have several studies, counting studies and taking
//! those of one patient together.
//!
//!     cargo run --release -p attrium-evaluation --example clusters -- [COHORTS]
//!
//! Of each number of patients, each true share and each correlation so many cohorts are drawn (4000). Every patient has
//! two studies; with the probability of the correlation what comes of the second is what came of the first, else it is
//! drawn anew. Ends with 1 where fewer than 93 % of the intervals that take patients together hold the truth, by more
//! than three standard errors of the simulation.

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use attrium_evaluation::{Estimate, clustered_proportion, proportion};
use attrium_types::random;

const PATIENTS: [usize; 4] = [12, 24, 47, 400];
const SHARES: [f64; 3] = [0.8, 0.9, 0.95];
const CORRELATIONS: [f64; 4] = [0.0, 0.3, 0.6, 0.9];
/// How often an interval has to hold the truth.
const COVERAGE: f64 = 0.93;

/// How often intervals held the truth, and how wide they were in the mean.
#[derive(Clone, Copy, Default)]
struct Tally {
    held: f64,
    width: f64,
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let cohorts = std::env::args().nth(1);
    let cohorts: u32 = cohorts.map_or(Ok(4000), |cohorts| cohorts.parse())?;
    let slack = 3.0 * (COVERAGE * (1.0 - COVERAGE) / f64::from(cohorts)).sqrt();
    let mut out = io::stdout();
    writeln!(
        out,
        "| share | patients | correlation | studies: held | width | patients: held | width |"
    )?;
    writeln!(out, "|---|---|---|---|---|---|---|")?;
    let mut missed = false;
    for share in SHARES {
        for patients in PATIENTS {
            for correlation in CORRELATIONS {
                let [plain, clustered] = simulate(share, patients, correlation, cohorts);
                writeln!(
                    out,
                    "| {share} | {patients} | {correlation} | {:.3} | {:.3} | {:.3} | {:.3} |",
                    plain.held, plain.width, clustered.held, clustered.width
                )?;
                missed |= clustered.held < COVERAGE - slack;
            }
        }
    }
    Ok(if missed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// Intervals that count studies, and those that take patients together.
fn simulate(share: f64, patients: usize, correlation: f64, cohorts: u32) -> [Tally; 2] {
    let mut stream = random::named(1, &format!("clusters {share} {patients} {correlation}"));
    let mut unit = || random::uniform(&mut stream, 0.0, 1.0);
    let mut tallies = [Tally::default(); 2];
    for _ in 0..cohorts {
        let mut studies = Vec::with_capacity(2 * patients);
        for patient in 0..patients {
            let first = unit() < share;
            let same = unit() < correlation;
            let second = if same { first } else { unit() < share };
            studies.extend([(patient, first), (patient, second)]);
        }
        let part = studies.iter().filter(|(_, event)| *event).count();
        let plain = proportion(part as u64, studies.len() as u64);
        add(&mut tallies[0], plain, share, cohorts);
        add(
            &mut tallies[1],
            clustered_proportion(studies),
            share,
            cohorts,
        );
    }
    tallies
}

fn add(tally: &mut Tally, found: Option<Estimate>, truth: f64, cohorts: u32) {
    let Some(interval) = found.and_then(|found| found.interval) else {
        return;
    };
    let held = interval.low <= truth && truth <= interval.high;
    tally.held += f64::from(u8::from(held)) / f64::from(cohorts);
    tally.width += (interval.high - interval.low) / f64::from(cohorts);
}
