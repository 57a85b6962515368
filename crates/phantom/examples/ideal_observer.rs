//! What an observer would reach who knows each patient's cardiac uptake, but not what the reader has said of it:
//! no network can be better on these labels, but by chance.
//!
//!     cargo run --release -p attrium-phantom --example ideal_observer -- STUDIES SEED [SHARES]
//!
//! SHARES are those of the four grades, as of `attrium phantom --grades`. Writes a table of predictions to standard
//! output, for `attrium evaluate --predictions`.

use std::env;
use std::error::Error;
use std::io;

use attrium_phantom::SyntheticCohort;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [studies, seed, shares @ ..] = arguments.as_slice() else {
        return Err(
            "give the number of studies, a seed and, if wanted, the shares of grades".into(),
        );
    };
    let mut cohort = SyntheticCohort::new(studies.parse()?, seed.parse()?);
    if let [shares] = shares {
        let shares: Result<Vec<f64>, _> = shares.split(',').map(str::parse).collect();
        let shares = <[f64; 4]>::try_from(shares?).map_err(|_| "give four shares")?;
        cohort = cohort.with_grades(shares)?;
    }
    let mut table = csv::Writer::from_writer(io::stdout());
    table.write_record(["study", "fold", "label", "p_0", "p_1", "p_2", "p_3"])?;
    for number in 0..cohort.len() {
        let study = cohort.study(number);
        let mut row = vec![
            number.to_string(),
            String::new(),
            study.grade.value().to_string(),
        ];
        row.extend(study.uptake.readings().map(|chance| chance.to_string()));
        table.write_record(row)?;
    }
    Ok(table.flush()?)
}
