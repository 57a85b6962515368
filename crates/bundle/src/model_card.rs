//! `MODEL_CARD.md`: the bundle in words, for people.

use std::fmt::Write;

use super::BundleManifest;
use attrium_dataset::{CohortDigests, SaltedDigests};
use attrium_evaluation::{Estimate, Metrics, threshold_text};
use attrium_types::{Architecture, CohortKnowledge, Intensity, Target};

/// `MODEL_CARD.md`: the bundle in words, for people; with what its digests are of, where it has some.
pub fn model_card(manifest: &BundleManifest, cohort: Option<&CohortDigests>) -> String {
    let mut card = format!("# {} for {}\n\n", manifest.architecture, manifest.target);
    if manifest.synthetic {
        card.push_str("**Synthetic: trained on phantoms, not on patients.**\n\n");
    }
    for section in [
        ("Intended use", manifest.intended_use.clone()),
        ("Input", input(manifest)),
        ("Output", output(manifest)),
        (
            "Training",
            training(manifest) + &cohort.map(seen).unwrap_or_default(),
        ),
        ("Out-of-fold results", results(&manifest.metrics)),
        ("Operating points", operating_points(&manifest.metrics)),
        ("Limits", LIMITS.to_owned()),
    ] {
        // Writing to a string cannot fail.
        let _ = write!(card, "## {}\n\n{}\n\n", section.0, section.1);
    }
    card.truncate(card.trim_end().len());
    card.push('\n');
    card
}

const LIMITS: &str = "Results hold for scans like the ones that it was trained on: another tracer, \
    collimator, delay after injection or scanner may change them. Intervals are 95 %; where the \
    cohort has few positives they are wide. Subgroups are in the report of the run.";

fn input(manifest: &BundleManifest) -> String {
    format!(
        "The anterior view of a whole-body or thoracic static bone scan. The crop of 128 x 128 \
         pixels is found by the mode {:?}; {}, then each pixel's z-score by the member's own mean and \
         standard deviation image.",
        manifest.crop,
        match manifest.intensity {
            Intensity::Normalized =>
                "counts are divided by the median uptake of the patient in it, and the natural logarithm \
                 of one more is taken",
            Intensity::Paper => "the natural logarithm of every non-zero count is taken",
        }
    )
}

fn output(manifest: &BundleManifest) -> String {
    format!(
        "The probability of each class, averaged over {} after scaling by a temperature of {:.2} \
         (above 1: the networks were too certain): {}.",
        match manifest.members.len() {
            1 => "one network".to_owned(),
            members => format!("{members} networks"),
        },
        manifest.temperature,
        manifest.classes.join(", ")
    )
}

fn training(manifest: &BundleManifest) -> String {
    let provenance = &manifest.training;
    let grades: Vec<_> = provenance
        .by_grade
        .iter()
        .map(|(grade, studies)| format!("{studies} of grade {grade}"))
        .collect();
    format!(
        "Run `{}`, attrium {}, method {:?}. {} studies ({}). {} folds, seed {}; {}, thinned by up to {} % of \
         their counts; {}. It started from {} (pretrained: {}).",
        provenance.run,
        provenance.attrium,
        provenance.method,
        provenance.studies,
        grades.join(", "),
        provenance.cross_validation.folds,
        provenance.cross_validation.seed,
        copies(manifest),
        provenance.augmentation.exposure_percent,
        fit(manifest),
        manifest.initial_weights,
        manifest.initial_weights.are_pretrained(),
    )
}

/// What tells its scans again, as a paragraph of its own.
fn seen(cohort: &CohortDigests) -> String {
    let counts = cohort.own().map_or_else(String::new, counted);
    let earlier = match cohort.earlier() {
        [] => String::new(),
        earlier => {
            let all: Vec<_> = earlier.iter().map(counted).collect();
            format!(
                " So it does of the models before it, from which it started: {}.",
                all.join("; ")
            )
        }
    };
    let unknown = match cohort.knowledge() {
        CohortKnowledge::Known => "",
        CohortKnowledge::PartlyKnown | CohortKnowledge::Unknown => {
            " One of the models before it keeps none: what that was trained on is not known."
        }
    };
    format!(
        "\n\n`cohort.json` keeps digests of {counts}, by which a screening tells that it was trained on a scan, on another \
         of the study or on another of the patient.{earlier}{unknown} No identifier can be read from them; whoever has \
         the bundle and an identifier can try whether it is among them."
    )
}

fn counted(cohort: &SaltedDigests) -> String {
    format!(
        "{} studies, {} images and {} patients",
        cohort.studies(),
        cohort.images(),
        cohort.patients()
    )
}

fn copies(manifest: &BundleManifest) -> String {
    match manifest.architecture {
        Architecture::Heart => "a copy of each study drawn anew for each epoch".to_owned(),
        _ => format!(
            "{} augmented images a fold",
            manifest.training.augmentation.images
        ),
    }
}

fn fit(manifest: &BundleManifest) -> String {
    let training = &manifest.training.training;
    match manifest.architecture {
        Architecture::Heart => {
            let heart = &training.heart;
            format!(
                "{} steps or more, batches of {}, AdamW in one cycle of the learning rate up to {} with a \
                 weight decay of {}, and the average of the weights",
                heart.steps, heart.batch_size, heart.learning_rate, heart.weight_decay
            )
        }
        _ => format!(
            "{} epochs, batches of {}, Adam from {}",
            training.epochs, training.batch_size, training.learning_rate
        ),
    }
}

fn results(metrics: &Metrics) -> String {
    let mut table = String::from("| metric | value | 95 % interval |\n|---|---|---|\n");
    let rows = [
        ("AUC", metrics.auc),
        ("accuracy", metrics.accuracy),
        ("sensitivity", metrics.sensitivity),
        ("specificity", metrics.specificity),
    ];
    let of_positives = ("AUC, grade 2 or more", metrics.positive.auc);
    let asked = (metrics.target == Target::Perugini).then_some(of_positives);
    for (name, estimate) in rows.into_iter().chain(asked) {
        let _ = writeln!(table, "| {name} | {} |", cells(estimate));
    }
    let _ = write!(
        table,
        "\n{} studies, {} of them positive.",
        metrics.studies, metrics.positives
    );
    table
}

/// The thresholds that may be stated to screen with the bundle.
fn operating_points(metrics: &Metrics) -> String {
    let mut table = String::from(
        "Positive is called where the probability of a positive, scaled as above, reaches the \
         threshold. Thresholds were chosen on the predictions that they are judged on, of networks \
         that each saw a part of the studies: expect somewhat less on new ones.\n\n\
         | chosen for | threshold | sensitivity | 95 % interval | specificity | 95 % interval |\n\
         |---|---|---|---|---|---|\n",
    );
    for point in &metrics.positive.operating_points {
        let _ = writeln!(
            table,
            "| {} | {} | {} | {} |",
            point.kind,
            threshold_text(point.threshold),
            cells(point.sensitivity),
            cells(point.specificity),
        );
    }
    table.truncate(table.trim_end().len());
    table
}

/// A value and its interval as two cells of a table.
fn cells(estimate: Option<Estimate>) -> String {
    let undefined = || "undefined".to_owned();
    let interval = estimate.and_then(|estimate| estimate.interval);
    let value = estimate.map_or_else(undefined, |estimate| format!("{:.3}", estimate.value));
    let range = interval.map_or_else(undefined, |interval| {
        format!("{:.3} to {:.3}", interval.low, interval.high)
    });
    format!("{value} | {range}")
}
