//! How soon monitoring finds a shift in counts, and how often it raises a false alarm.
//!
//!     cargo run --release -p attrium-evaluation --example monitor -- [JOBS]
//!
//! Cohorts of 300 to 1,400 studies on six scanners are drawn, and of each so many jobs (40) of 2,000 scans that are as the
//! cohort but have a tenth of its positives, and as many of 100 scans for each factor of the counts. Natural logarithms
//! of counts have a standard deviation of 0.46 within a scanner, as those of phantoms have; scanners differ by up to
//! 0.3. A job has the cohort's scanners, or one of them alone. Prints a table, and ends with 1 where a quarter of the
//! counts less is found in fewer than 90 % of the jobs, or more than one alarm in 2,000 scans is false.

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use attrium_evaluation::monitoring::{
    Feature, Monitor, MonitoredScan, Monitoring, Reference, ReferenceShare, ReferenceStudy,
};
use attrium_types::random::{self, ChaCha8Rng};

const COHORTS: [usize; 3] = [300, 600, 1400];
const FACTORS: [f64; 4] = [0.75, 0.8, 1.25, 1.0 / 0.75];
/// The shift that has to be found, and in how many jobs.
const BAR: (f64, f64) = (0.75, 0.9);
const SCANS: u64 = 100;
const LONG: u64 = 2000;
/// A scanner's word, its share of the scans and the logarithm of its counts by the mean of all.
const SCANNERS: [(&str, f64, f64); 6] = [
    ("e.cam", 0.39, -0.05),
    ("symbia", 0.3, 0.1),
    ("brightview", 0.16, -0.1),
    ("forte", 0.07, -0.2),
    ("infinia", 0.06, -0.15),
    ("discovery-670", 0.02, 0.1),
];
const SPREAD: f64 = 0.46;

/// A scanner's scans, of which a share is positive.
#[derive(Clone, Copy)]
struct Site {
    /// Which scanner all scans are of; none for the cohort's mix.
    scanner: Option<usize>,
    prevalence: f64,
    counts: f64,
}

struct Draw(ChaCha8Rng);

impl Draw {
    fn unit(&mut self) -> f64 {
        random::uniform(&mut self.0, 0.0, 1.0)
    }

    fn normal(&mut self) -> f64 {
        random::normal(&mut self.0)
    }

    fn study(&mut self, site: Site) -> ReferenceStudy {
        let scanner = site.scanner.unwrap_or_else(|| self.scanner());
        let (word, _, level) = SCANNERS[scanner];
        let positive = self.unit() < site.prevalence;
        let [ratio, odds] = if positive { [0.55, 3.0] } else { [0.12, -3.0] };
        let scatter = if positive { 0.25 } else { 0.08 };
        let log_odds = odds + 1.3 * self.normal();
        ReferenceStudy {
            scanner: Some(word.to_owned()),
            counts: site.counts * (12.3 + level + SPREAD * self.normal()).exp(),
            ratio: Some((ratio + scatter * self.normal()).exp()),
            positive_probability: Some(1.0 / (1.0 + (-log_odds).exp())),
            positive,
            has_warnings: self.unit() < 0.05,
        }
    }

    fn scanner(&mut self) -> usize {
        let mut left = self.unit();
        let place = SCANNERS.iter().position(|(_, share, _)| {
            left -= share;
            left < 0.0
        });
        place.unwrap_or_default()
    }

    fn job(&mut self, reference: &Reference, site: Site, scans: u64) -> Monitoring {
        let mut monitor = Monitor::new(reference);
        for row in 1..=scans {
            if self.unit() < 0.02 {
                monitor.add_set_aside(row);
            }
            let study = self.study(site);
            monitor.add(&MonitoredScan {
                row,
                scanner: study.scanner.as_deref(),
                counts: Some(study.counts),
                ratio: study.ratio,
                positive_probability: study.positive_probability.unwrap_or_default(),
                has_warnings: study.has_warnings,
                synthetic: false,
            });
        }
        monitor.finish()
    }

    fn cohort(&mut self, studies: usize) -> Reference {
        let site = Site {
            scanner: None,
            prevalence: 0.3,
            counts: 1.0,
        };
        let drawn: Vec<_> = (0..studies).map(|_| self.study(site)).collect();
        let set_aside = (0..studies).filter(|_| self.unit() < 0.02).count() as u64;
        let share = ReferenceShare {
            part: set_aside,
            whole: studies as u64 + set_aside,
        };
        Reference::of(&drawn, share, false)
    }
}

/// What many jobs came to.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    jobs: f64,
    /// Alarms of counts among all scans, and of those of a scanner.
    found: [f64; 2],
    /// Alarms of every chart.
    alarms: f64,
}

impl Tally {
    fn add(&mut self, found: &Monitoring) {
        self.jobs += 1.0;
        self.alarms += found.outside().count() as f64;
        let counts = |by_scanner: bool| {
            let mut rows = found.outside();
            rows.any(|row| row.feature == Feature::Counts && row.scanner.is_some() == by_scanner)
        };
        for (tally, by_scanner) in self.found.iter_mut().zip([false, true]) {
            *tally += f64::from(u8::from(counts(by_scanner)));
        }
    }

    fn power(&self) -> [f64; 2] {
        self.found.map(|found| found / self.jobs)
    }
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let jobs = std::env::args().nth(1);
    let jobs: u32 = jobs.map_or(Ok(40), |jobs| jobs.parse())?;
    let mut out = io::stdout();
    writeln!(
        out,
        "| cohort | scanners | counts | found, all scans | by scanner | false alarms in 2,000 scans |"
    )?;
    writeln!(out, "|---|---|---|---|---|---|")?;
    let mut missed = false;
    for studies in COHORTS {
        for (words, scanner) in [("as the cohort", None), ("e.cam alone", Some(0))] {
            let site = |counts| Site {
                scanner,
                prevalence: 0.03,
                counts,
            };
            let tally = simulate(studies, site(1.0), LONG, jobs);
            let false_alarms = tally.alarms / tally.jobs;
            writeln!(
                out,
                "| {studies} | {words} | as the cohort | | | {false_alarms:.2} |"
            )?;
            missed |= false_alarms > 1.0;
            for factor in FACTORS {
                let [all, by_scanner] = simulate(studies, site(factor), SCANS, 4 * jobs).power();
                let of_scanner = scanner.map_or_else(String::new, |_| format!("{by_scanner:.2}"));
                writeln!(
                    out,
                    "| {studies} | {words} | {factor:.2} | {all:.2} | {of_scanner} | |"
                )?;
                let power = scanner.map_or(all, |_| all.min(by_scanner));
                missed |= factor == BAR.0 && power < BAR.1;
            }
        }
    }
    Ok(if missed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// Jobs of so many scans at a site, each against a cohort of its own.
fn simulate(studies: usize, site: Site, scans: u64, jobs: u32) -> Tally {
    let name = format!("monitor {studies} {:?} {}", site.scanner, site.counts);
    let mut draw = Draw(random::named(1, &name));
    let mut tally = Tally::default();
    for _ in 0..jobs {
        let reference = draw.cohort(studies);
        tally.add(&draw.job(&reference, site, scans));
    }
    tally
}
