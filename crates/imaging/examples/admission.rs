//! What becomes of objects that are no late bone scan of a thorax, and of valid ones.
//!
//! `cargo run --release -p attrium-imaging --example admission -- SEED PLANTED VALID` plants so many objects of each
//! kind and draws so many valid studies, and prints the table of `docs/results/admission.md`. It fails where one of
//! the planted is used, or more than one in a hundred of the valid is not.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io::{self, Write};

use attrium_imaging::{admit, read_anterior};
use attrium_phantom::wrong::{WrongKind, valid_study, wrong_object};
use attrium_phantom::{dicom, scan};
use attrium_types::{CropMode, LossyPolicy, Tracer};
use rayon::iter::{IntoParallelIterator, ParallelIterator};

/// How often each thing became of objects.
type Outcomes = BTreeMap<&'static str, usize>;

/// What becomes of an object that is used.
const USED: &str = "used";
const DOUBTFUL: &str = "used, doubtful-thorax";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [seed, planted, valid] = &arguments[..] else {
        return Err("give a seed, and how many planted objects of a kind and valid studies".into());
    };
    let seed: u64 = seed.parse()?;
    let mut table =
        String::from("| objects | how many | used | set aside as |\n|---|---|---|---|\n");
    let mut wrongly_used = 0;
    for kind in WrongKind::ALL {
        for stated in [true, false] {
            let outcomes = of_kind(*kind, stated, seed, planted.parse()?);
            let told = if stated { "stated" } else { "only seen" };
            wrongly_used += row(&mut table, &format!("{kind}, {told}"), &outcomes);
        }
    }
    let studies: u32 = valid.parse()?;
    let mut lost = 0;
    for grade in 0..4 {
        let outcomes = of_valid(seed, studies, grade);
        let count: usize = outcomes.values().sum();
        lost += count - row(&mut table, &format!("valid, grade {grade}"), &outcomes);
    }
    let real = fs::read("tests/data/nm-wholebody-anterior.dcm")?;
    row(&mut table, "the real scan", &counted([outcome(&real)]));
    io::stdout().write_all(table.as_bytes())?;
    if wrongly_used > 0 || lost * 100 > studies as usize {
        return Err(
            format!("{wrongly_used} planted objects are used, {lost} valid ones are not").into(),
        );
    }
    Ok(())
}

fn of_kind(kind: WrongKind, stated: bool, seed: u64, planted: u64) -> Outcomes {
    let numbers = (0..planted).filter(|number| number.is_multiple_of(2) == stated);
    let numbers: Vec<u64> = numbers.collect();
    counted(outcomes(numbers, |number| {
        let planted = wrong_object(kind, 2 * seed * 100_000 + number);
        dicom::encode(planted.object, planted.implicit)
            .map_or("not written", |bytes| outcome(&bytes))
    }))
}

fn of_valid(seed: u64, studies: u32, grade: u8) -> Outcomes {
    let numbers: Vec<u32> = (0..studies).collect();
    let found = outcomes(numbers, |number| {
        let study = valid_study(seed, number);
        if u8::from(study.grade) != grade {
            return "";
        }
        // The image of the other detector is set aside as such.
        let outcomes = dicom::objects(&study, &scan(&study))
            .into_iter()
            .map(|object| {
                dicom::encode(object, study.scanner.implicit)
                    .map_or("not written", |bytes| outcome(&bytes))
            });
        let mut of_anterior = outcomes.filter(|outcome| *outcome != "no-anterior");
        of_anterior.next().unwrap_or("no-anterior")
    });
    counted(found.into_iter().filter(|outcome| !outcome.is_empty()))
}

fn outcomes<N: Send>(
    numbers: Vec<N>,
    of: impl Fn(N) -> &'static str + Sync + Send,
) -> Vec<&'static str> {
    numbers.into_par_iter().map(of).collect()
}

fn outcome(bytes: &[u8]) -> &'static str {
    let judged = read_anterior(bytes, LossyPolicy::Quarantine)
        .and_then(|image| admit(image, Tracer::ALL, CropMode::Robust));
    match judged {
        Err(error) => error.reason(),
        Ok(admitted) => {
            let mut warnings = admitted.crop.warnings.iter();
            if warnings.any(|warning| warning.code() == "doubtful-thorax") {
                DOUBTFUL
            } else {
                USED
            }
        }
    }
}

fn counted(outcomes: impl IntoIterator<Item = &'static str>) -> Outcomes {
    let mut counts = Outcomes::new();
    for outcome in outcomes {
        *counts.entry(outcome).or_default() += 1;
    }
    counts
}

/// Adds a row, and says how many are used.
fn row(table: &mut String, objects: &str, outcomes: &Outcomes) -> usize {
    let of = |outcome| outcomes.get(outcome).copied().unwrap_or(0);
    let used = of(USED) + of(DOUBTFUL);
    let count: usize = outcomes.values().sum();
    let reasons = outcomes.iter().filter(|(outcome, _)| **outcome != USED);
    let reasons: Vec<String> = reasons
        .map(|(outcome, count)| format!("{outcome} {count}"))
        .collect();
    *table += &format!(
        "| {objects} | {count} | {used} | {} |\n",
        reasons.join(", ")
    );
    used
}
