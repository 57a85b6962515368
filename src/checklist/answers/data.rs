//! Scans: where they are from, which are used, how they are parted, and what is missing.

use super::super::Answer;
use super::super::facts::{DICOM, Facts, MARKERS, METRICS, README, SPEC};
use super::{counted, listed, of_the_development, participants};
use attrium_api::StudyField;
use attrium_types::{Architecture, CropMode, Intensity, LossyPolicy, PreferredAcquisition, Tracer};

/// What images and labels are, without their places.
pub(crate) fn source(facts: &Facts) -> Answer {
    let known = match facts.training() {
        Some(_) => {
            "DICOM objects of bone scans and a table of grades, the same for development and internal validation"
        }
        None => "DICOM objects of bone scans and a table of grades of their own",
    };
    Answer::default().know(SPEC, known).and(sites(facts)).ask(
        "Are they from routine care, a registry or a trial, why these, and whom do they stand for?",
    )
}

pub(crate) fn sites(facts: &Facts) -> Answer {
    Answer::default().stated(
        facts,
        StudyField::Sites,
        "From which hospitals are the scans, of which kind and where?",
    )
}

pub(crate) fn dates(facts: &Facts) -> Answer {
    Answer::default().stated(
        facts,
        StudyField::Dates,
        "From which year or month to which were the scans made?",
    )
}

pub(crate) fn setting_and_dates(facts: &Facts) -> Answer {
    sites(facts).and(dates(facts))
}

/// Which objects are used at all.
fn criteria(facts: &Facts) -> Option<String> {
    let (tracers, lossy, prefer) = match (facts.training(), facts.job()) {
        (Some(spec), _) => {
            let preprocessing = &spec.preprocessing;
            (
                &preprocessing.tracers,
                preprocessing.lossy,
                preprocessing.prefer,
            )
        }
        (_, Some(spec)) => (&spec.tracers, spec.lossy, spec.prefer),
        _ => return None,
    };
    let lossy = match lossy {
        LossyPolicy::Quarantine => "set aside",
        LossyPolicy::Accept => "used",
    };
    let prefer = match prefer {
        PreferredAcquisition::WholeBody => "a whole-body scan before a static one",
        PreferredAcquisition::Static => "a static scan before a whole-body one",
    };
    Some(format!(
        "Of objects: anterior views of late scans with {}, or of a tracer that is not told; lossy images are {lossy}; \
         one image stands for a study, {prefer}",
        listed(tracers.iter().map(Tracer::to_string), "or")
    ))
}

pub(crate) fn eligibility(facts: &Facts) -> Answer {
    Answer::default()
        .know_or(SPEC, criteria(facts), "Which objects were used?")
        .stated(
            facts,
            StudyField::Population,
            "Which patients were included and excluded, by which criteria?",
        )
}

pub(crate) fn identification(facts: &Facts) -> Answer {
    Answer::default().stated(
        facts,
        StudyField::Population,
        "How were the patients found: by symptoms, by referral, in a registry?",
    )
}

pub(crate) fn series(facts: &Facts) -> Answer {
    Answer::default().stated(
        facts,
        StudyField::Population,
        "Were the patients all in a row, a random choice or a convenient one?",
    )
}

pub(crate) fn subsets(facts: &Facts) -> Answer {
    let known = "Every labelled study with a usable image is used: no subset is chosen, but for one image a study";
    Answer::default()
        .know(DICOM, known)
        .know_or(SPEC, criteria(facts), "Which objects were used?")
}

pub(crate) fn treatments(_: &Facts) -> Answer {
    Answer::default()
        .ask("Were patients under treatment for amyloidosis when they were scanned, and how was that handled?")
}

/// How an object becomes what a network sees.
fn steps(facts: &Facts) -> Option<String> {
    let preprocessing = &facts.training()?.preprocessing;
    let crop = match preprocessing.crop {
        CropMode::Robust => "the thorax, found by the profile of the counts (Robust)",
        CropMode::Paper => "the thorax, found by every non-zero row (Paper)",
        CropMode::Heart => "192 mm x 192 mm around the heart (Heart)",
    };
    let intensity = match preprocessing.intensity {
        Intensity::Normalized => "counts divided by the patient's own uptake (Normalized)",
        Intensity::Paper => "the logarithm of every non-zero count (Paper)",
    };
    Some(format!(
        "A crop of 128 x 128 pixels of {crop}; {intensity}; each pixel's z-score by mean and deviation of the training \
         part"
    ))
}

/// What a network sees, and how it was made of the object.
pub(crate) fn preprocessing(facts: &Facts) -> Answer {
    match steps(facts) {
        Some(steps) => Answer::default().know(SPEC, steps),
        None => of_the_development("How does an image become what the network sees"),
    }
}

pub(crate) fn preparation(facts: &Facts) -> Answer {
    let checks = "Every object that cannot be used has a row with its reason; what is doubtful has a warning";
    preprocessing(facts)
        .know(DICOM, checks)
        .ask("Were scans prepared and checked alike in all groups of patients?")
}

pub(crate) fn acquisition(facts: &Facts) -> Answer {
    let scanners = participants::values(
        facts,
        "scanner",
        "labels.csv: scanner",
        "Which scanners made the scans?",
    );
    scanners
        .ask("Which collimator, delay after injection, dose and speed had the scans?")
        .know_or(SPEC, criteria(facts), "Which tracers were used?")
}

pub(crate) fn acquisition_and_preprocessing(facts: &Facts) -> Answer {
    acquisition(facts).and(preprocessing(facts))
}

pub(crate) fn devices(facts: &Facts) -> Answer {
    participants::values(
        facts,
        "scanner",
        "labels.csv: scanner",
        "Which scanners made the scans?",
    )
    .and(super::model::software(facts))
}

pub(crate) fn de_identification(_: &Facts) -> Answer {
    Answer::default().know(
        README,
        "Crops and pseudonyms alone are kept: no name, identifier, date or UID of an object; pseudonyms follow from a \
         secret shuffle",
    )
}

/// How studies are parted.
pub(crate) fn partitions(facts: &Facts) -> Answer {
    let Some(spec) = facts.training() else {
        return Answer::default()
            .know(SPEC, "Every labelled study is for evaluation: none trains")
            .ask("Is none of these patients among those that the model was trained on?");
    };
    let folds = &spec.cross_validation;
    Answer::default().know(
        SPEC,
        format!(
            "{} folds, stratified by class, drawn by the seed {}; each study is predicted by the network of the fold \
             that has not seen it{}",
            folds.folds,
            folds.seed,
            set_aside_for_validation(facts)
        ),
    )
}

/// What a fold sets aside of its training part.
fn set_aside_for_validation(facts: &Facts) -> String {
    let architecture = facts
        .reported()
        .map(|reported| reported.network.architecture);
    match (facts.training(), architecture) {
        (_, Some(Architecture::Heart)) => {
            ", and none is set aside for a validation loss".to_owned()
        }
        (Some(spec), _) => format!(
            "; {} % of a fold's training studies are set aside for the validation loss",
            spec.training.validation_percent
        ),
        _ => String::new(),
    }
}

/// On which level the parts have nothing in common.
pub(crate) fn disjoint(facts: &Facts) -> Answer {
    if facts.training().is_none() {
        return partitions(facts);
    }
    let answer = Answer::default().know(
        README,
        "The patient: all studies of one patient are in one fold and on one side of each split",
    );
    match facts.data.as_ref().map(|data| data.patient_unknown) {
        Some(Some(0)) => answer,
        Some(Some(unknown)) => answer.ask_for(
            "labels.csv: patient",
            format!(
                "Of {} the patient is not known, so that each counts as one: whose are they?",
                counted(unknown, "study", "studies")
            ),
        ),
        Some(None) | None => answer.ask_for(
            "labels.csv: patient",
            "Are the patients of all studies known?",
        ),
    }
}

pub(crate) fn use_of_data(facts: &Facts) -> Answer {
    if facts.training().is_none() {
        return partitions(facts);
    }
    partitions(facts).and(disjoint(facts))
}

/// What is missing, and what became of it.
pub(crate) fn missing(facts: &Facts) -> Answer {
    let answer = match facts.training() {
        Some(_) => missing_of_training(facts),
        None => missing_of_validation(facts),
    };
    let unknown: Vec<String> = facts
        .covariates()
        .into_iter()
        .filter_map(|column| {
            let rows = facts.subgroups(column);
            let row = rows.into_iter().find(|row| row.value == "unknown")?;
            Some(format!("{column} of {}", row.studies))
        })
        .collect();
    match unknown.is_empty() {
        true => answer,
        false => answer.know(
            METRICS,
            format!(
                "Covariates that are not known, by studies, and make a subgroup of their own: {}",
                unknown.join(", ")
            ),
        ),
    }
}

fn missing_of_training(facts: &Facts) -> Answer {
    let images = facts.data.as_ref().and_then(|data| data.missing_images);
    let images = images.map(|images| match images {
        0 => "Every labelled study has a usable image".to_owned(),
        _ => format!(
            "{} without a usable image: left out, since nothing is imputed",
            counted(images, "labelled study", "labelled studies")
        ),
    });
    Answer::default().know_or(
        MARKERS,
        images,
        "How many labelled studies have no usable image?",
    )
}

fn missing_of_validation(facts: &Facts) -> Answer {
    let unanswered = facts.reported().and_then(|it| it.network.unanswered);
    let unanswered = unanswered.map(|unanswered| match unanswered.studies {
        0 => "Every labelled study has a prediction".to_owned(),
        studies => format!(
            "{} without a prediction, {} of them positive: no figure counts them; were each wrong, sensitivity would \
             be {} and specificity {}",
            counted(studies, "labelled study", "labelled studies"),
            unanswered.positives,
            super::estimate_or_undefined(unanswered.sensitivity),
            super::estimate_or_undefined(unanswered.specificity)
        ),
    });
    Answer::default().know_or(
        METRICS,
        unanswered,
        "How many labelled studies have no prediction?",
    )
}

pub(crate) fn unavailable_input(_: &Facts) -> Answer {
    Answer::default().know(
        DICOM,
        "An image that is absent or cannot be used has no decision and a row with its reason, and is in a count; \
         what is doubtful has a decision and a warning",
    )
}
