//! `MODEL_CARD.md`: the bundle in words, for people.

use std::fmt::Write;

use super::{BundleManifest, SiteRecalibration};
use attrium_api::{Study, StudyField};
use attrium_dataset::{CohortDigests, SaltedDigests};
use attrium_evaluation::{
    Estimate, Interval, Metrics, OperatingPoint, nothing_learned, threshold_text,
};
use attrium_types::{Architecture, Intensity, Target};

/// `MODEL_CARD.md`: the bundle in words, for people; with what its digests are of, where it has some.
pub fn model_card(manifest: &BundleManifest, cohort: Option<&CohortDigests>) -> String {
    let mut card = format!("# {} for {}\n\n", manifest.architecture, manifest.target);
    if manifest.synthetic {
        card.push_str("**Synthetic: trained on phantoms, not on patients.**\n\n");
    }
    if let Some(recalibration) = &manifest.recalibration {
        let _ = write!(card, "{}\n\n", recalibrated(recalibration));
    }
    if let Some(reason) = nothing_learned(&manifest.metrics) {
        let _ = write!(
            card,
            "**Published because it was asked for, though nothing shows that it has learned anything: {reason}.**\n\n"
        );
    }
    for section in [
        ("Intended use", manifest.intended_use.clone()),
        ("Input", input(manifest)),
        ("Output", output(manifest)),
        (
            "Training",
            training(manifest) + &cohort.map(seen).unwrap_or_default(),
        ),
        (results_title(manifest), results(&manifest.metrics)),
        (
            "Operating points",
            operating_points(&manifest.metrics, chosen_on(manifest)),
        ),
        ("Uncertain decisions", uncertain(manifest)),
        ("Study", study(manifest.training.study.as_ref())),
        ("Limits", LIMITS.to_owned()),
    ]
    .into_iter()
    .filter(|(_, text)| !text.is_empty())
    {
        // Writing to a string cannot fail.
        let _ = write!(card, "## {}\n\n{}\n\n", section.0, section.1);
    }
    card.truncate(card.trim_end().len());
    card.push('\n');
    card
}

/// What a recalibrated bundle is, and of which.
fn recalibrated(recalibration: &SiteRecalibration) -> String {
    let SiteRecalibration {
        parent,
        intercept,
        slope,
        studies,
        positives,
        ..
    } = recalibration;
    let doubt = if recalibration.proven {
        ""
    } else {
        " Nothing proves that the predictions that it was recalibrated on are of that bundle."
    };
    format!(
        "**Recalibrated on {studies} scans of a site, {positives} of them positive**, from the bundle `{parent}`, whose \
         networks it has: the log odds of a positive are multiplied by {slope:.3}, and {intercept:.3} is added. Results, \
         thresholds and the prevalence of its cohort are of those scans; calibration on the scans that it was fitted to \
         flatters it.{doubt}"
    )
}

fn results_title(manifest: &BundleManifest) -> &'static str {
    match manifest.recalibration {
        Some(_) => "Results on the site's scans",
        None => "Out-of-fold results",
    }
}

/// What the predictions are that thresholds were chosen on, behind a comma.
fn chosen_on(manifest: &BundleManifest) -> &'static str {
    match manifest.recalibration {
        Some(_) => "",
        None => ", of networks that each saw a part of the studies",
    }
}

/// What stands over what people have stated.
const STATED: &str = "As stated by whoever asked for the training; nothing of it was checked.";

/// What people have stated of the study, and what they have not.
fn study(study: Option<&Study>) -> String {
    let nothing = Study::default();
    let study = study.unwrap_or(&nothing);
    let stated: Vec<String> = StudyField::ALL
        .into_iter()
        .filter_map(|field| Some(format!("- {}: {}", field.title(), study.stated(field)?)))
        .collect();
    let missing: Vec<_> = study.not_stated();
    let missing: Vec<_> = missing.into_iter().map(StudyField::title).collect();
    let mut parts = Vec::new();
    if !stated.is_empty() {
        parts.push(format!("{STATED}\n\n{}", stated.join("\n")));
    }
    if !missing.is_empty() {
        parts.push(format!("Not stated: {}.", missing.join(", ")));
    }
    parts.join("\n\n")
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
        "The probability of each class, averaged over {} after {}scaling by a temperature of {:.2} \
         (above 1: the networks were too certain){}: {}.",
        match manifest.members.len() {
            1 => "one network".to_owned(),
            members => format!("{members} networks"),
        },
        if manifest
            .prior_correction
            .iter()
            .any(|&logarithm| logarithm != 0.0)
        {
            "taking out the weights of classes in the training and "
        } else {
            ""
        },
        manifest.temperature,
        manifest
            .prevalence
            .map_or_else(String::new, |prevalence| format!(
                ", and stated for a prevalence of {:.1} %, where that of its cohort is {:.1} %",
                100.0 * prevalence.stated,
                100.0 * prevalence.cohort
            )),
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
    let unknown = if cohort.tells_all_before() {
        ""
    } else {
        " One of the models before it keeps none: what that was trained on is not known."
    };
    let others = if cohort.is_recalibrated_on_others() {
        " Of the scans that it was recalibrated on it keeps none."
    } else {
        ""
    };
    format!(
        "\n\n`cohort.json` keeps digests of {counts}, by which a screening tells that it was trained on a scan, on another \
         of the study or on another of the patient.{earlier}{unknown}{others} No identifier can be read from them; whoever has \
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
        "\n{} studies, {} of them positive. Accuracy, sensitivity and specificity are of the class that is most probable at \
         the prevalence of these studies.",
        metrics.studies, metrics.positives
    );
    table
}

/// The thresholds that may be stated to screen with the bundle.
fn operating_points(metrics: &Metrics, chosen_on: &str) -> String {
    let points = &metrics.positive.operating_points;
    // Metrics of before do not tell what a threshold is expected to find and to call.
    let told = points
        .iter()
        .any(|point| point.expected_sensitivity.is_some());
    let mut table = format!(
        "Positive is called where the probability of a positive, scaled as above, reaches the \
         threshold. Thresholds were chosen on the predictions that they are judged on{chosen_on}: expect \
         somewhat less on new ones.{}\n\n",
        if told { EXPECTATIONS } else { "" }
    );
    let percent = 100.0 * metrics.at_stated.prevalence;
    let mut header =
        "| chosen for | threshold | sensitivity | 95 % interval | specificity | 95 % interval |"
            .to_owned();
    if told {
        let _ = write!(
            header,
            " expected of new positives | alerts per 1,000 at {percent:.1} % | PPV at {percent:.1} % |"
        );
    }
    let rule = "|---".repeat(header.matches('|').count() - 1);
    let _ = writeln!(table, "{header}\n{rule}|");
    for point in points {
        let _ = writeln!(table, "{}", operating_point(point, told));
    }
    table.truncate(table.trim_end().len());
    table
}

const EXPECTATIONS: &str = " What a threshold is expected to find of new positives is told, and intervals are those of \
    its true rates. Alerts are the scans of 1,000 that are called positive, rightly or not, at a prevalence.";

/// Which of its decisions are uncertain; nothing of a bundle that keeps no limits.
fn uncertain(manifest: &BundleManifest) -> String {
    let Some(limits) = &manifest.uncertainty else {
        return String::new();
    };
    let members = match manifest.members.len() {
        1 => "",
        _ => "where a quarter of its networks or more decide otherwise (`members-disagree`), ",
    };
    format!(
        "A screening flags a decision where its chance of being wrong, by the probability, is among the greatest {:.0} % \
         of the out-of-fold decisions at the threshold (`near-threshold`), {members}and where the image is unlike those \
         of the training: farther from their mean, by {} coarse numbers, than 99 % of these {} scans from that of the \
         others (`unlike-training`). A physician should look at a flagged decision whatever it says. One that is not \
         flagged may be wrong, too.",
        100.0 * limits.near_threshold,
        limits.training.distribution.mean.len(),
        limits.training.distribution.scans,
    )
}

/// A row of the table, with what is expected where it is told.
fn operating_point(point: &OperatingPoint, told: bool) -> String {
    let mut row = format!(
        "| {} | {} | {} | {} |",
        point.kind,
        threshold_text(point.threshold),
        cells(point.sensitivity),
        cells(point.specificity),
    );
    if told {
        let _ = write!(
            row,
            " {} | {} | {} |",
            value(point.expected_sensitivity, 3),
            with_interval(point.alerts_per_1000, 0),
            with_interval(point.at_stated.ppv, 2),
        );
    }
    row
}

/// A value and its interval as two cells of a table.
fn cells(estimate: Option<Estimate>) -> String {
    let interval = estimate.and_then(|estimate| estimate.interval);
    let range = interval.map_or_else(undefined, |interval| {
        format!("{:.3} to {:.3}", interval.low, interval.high)
    });
    format!(
        "{} | {range}",
        value(estimate.map(|estimate| estimate.value), 3)
    )
}

fn value(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(undefined, |value| format!("{value:.digits$}"))
}

/// A value and its interval in one cell.
fn with_interval(estimate: Option<Estimate>, digits: usize) -> String {
    let text = value(estimate.map(|estimate| estimate.value), digits);
    match estimate.and_then(|estimate| estimate.interval) {
        Some(Interval { low, high }) => format!("{text} ({low:.digits$} to {high:.digits$})"),
        None => text,
    }
}

fn undefined() -> String {
    "undefined".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use attrium_evaluation::{EvaluationOptions, Predictions, evaluate};

    #[test]
    fn what_is_stated_of_a_study_has_a_line_each_and_what_is_not_one_line_together() {
        let stated = Study {
            sites: vec!["a university hospital".to_owned()],
            ethics: Some("approved by the committee\n## Results\n".to_owned()),
            ..Study::default()
        };
        let card = study(Some(&stated));
        let lines: Vec<&str> = card.lines().filter(|line| !line.is_empty()).collect();
        assert_eq!(
            lines[..3],
            [
                STATED,
                "- sites: a university hospital",
                "- ethics: approved by the committee ## Results",
            ]
        );
        assert!(
            lines[3].starts_with("Not stated: dates, population,"),
            "{card}"
        );
        assert_eq!(lines.len(), 4, "{card}");
        let none = study(None);
        assert!(none.starts_with("Not stated: sites, dates,"), "{none}");
        assert_eq!(study(Some(&Study::default())), none);
    }

    #[test]
    fn a_threshold_stands_beside_what_it_is_expected_to_find_and_to_call() {
        let rows: String = (0..40)
            .map(|study| {
                let (label, p) = (study % 4 / 3, 0.9 * f64::from(study % 4) / 3.0);
                format!("{study},0,{label},{},{p}\n", 1.0 - p)
            })
            .collect();
        let table = format!("study,fold,label,p_0,p_1\n{rows}");
        let predictions = Predictions::parse(table.as_bytes()).unwrap();
        let options = EvaluationOptions {
            prevalence: Some(0.01),
            ..EvaluationOptions::default()
        };
        let metrics = evaluate(Target::Positive, &predictions, &options).unwrap();
        let card = operating_points(&metrics, "");
        assert!(
            card.contains("| alerts per 1,000 at 1.0 % | PPV at 1.0 % |"),
            "{card}"
        );
        // All 10 positives share the highest score: as few as the place asked for, 10 of 10, is expected of new ones.
        let row = "| sensitivity of 1.00 | 0.9000 | 1.000 | 0.692 to 1.000 | 1.000 | 0.886 to 1.000 | 0.909 | 10 (7 to 122) |";
        assert!(card.contains(row), "{card}");
        let mut before = metrics;
        for point in &mut before.positive.operating_points {
            (point.expected_sensitivity, point.alerts_per_1000) = (None, None);
        }
        let card = operating_points(&before, "");
        assert!(
            !card.contains("alerts") && !card.contains("undefined"),
            "{card}"
        );
    }
}
