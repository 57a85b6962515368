//! The outcome: what a positive is, who has told, and to what they were blind.

use super::super::Answer;
use super::super::facts::{DICOM, Facts, METRICS, SPEC};
use super::{estimate, positive_grades};
use attrium_api::StudyField;
use attrium_types::Target;

/// What the outcome is.
fn definition(facts: &Facts) -> Option<String> {
    let target = facts.reported()?.metrics.target;
    let task = match target {
        Target::Perugini => "The Perugini grade, 0 to 3; a positive is",
        Target::Positive | Target::HighGrade => "The Perugini grade in two classes; a positive is",
    };
    Some(format!(
        "{task} {}. It is the column grade of the labels",
        positive_grades(target)
    ))
}

/// The definition, and what people say of it.
pub(crate) fn reference_standard(facts: &Facts) -> Answer {
    Answer::default()
        .know_or(SPEC, definition(facts), "What is the outcome?")
        .stated(
            facts,
            StudyField::ReferenceStandard,
            "What do the grades rest on beside the image, and what confirmed them?",
        )
}

pub(crate) fn outcome(facts: &Facts) -> Answer {
    reference_standard(facts).ask("Why this outcome, and was it told alike in all groups?")
}

pub(crate) fn rationale(_: &Facts) -> Answer {
    Answer::default().ask("Why this reference standard, where biopsy and others exist?")
}

/// What counts as positive by the reference.
pub(crate) fn cut_offs(facts: &Facts) -> Answer {
    Answer::default()
        .know_or(SPEC, definition(facts), "What is a positive?")
        .ask("Why this grade, and was it chosen before the study?")
}

/// Who has read the scans.
fn stated_readers(facts: &Facts) -> Answer {
    Answer::default().stated(
        facts,
        StudyField::Readers,
        "Who read the scans, how many, with which experience?",
    )
}

/// How well two readers agree, where the labels have a second one.
fn agreement(facts: &Facts) -> Option<String> {
    let readers = facts.reported()?.network.metrics.second_reader?;
    let kappa = estimate(readers.kappa)?;
    let weighted = estimate(readers.quadratic_kappa);
    let weighted = weighted.map_or_else(String::new, |kappa| {
        format!(", with quadratic weights {kappa}")
    });
    Some(format!(
        "Two readers of {} studies agree with a kappa of {kappa}{weighted}",
        readers.studies
    ))
}

pub(crate) fn readers(facts: &Facts) -> Answer {
    let answer = stated_readers(facts);
    match agreement(facts) {
        Some(agreement) => answer.know(METRICS, agreement),
        None => answer,
    }
}

pub(crate) fn test_set_annotation(facts: &Facts) -> Answer {
    let known = match facts.training() {
        Some(_) => "Each study is tested on in turn, by the same grades that others train on",
        None => "The grades of this validation's own labels",
    };
    Answer::default()
        .know(SPEC, known)
        .and(stated_readers(facts))
}

pub(crate) fn variability(facts: &Facts) -> Answer {
    let answer = Answer::default();
    match agreement(facts) {
        Some(agreement) => answer
            .know(METRICS, agreement)
            .ask("How well does one reader agree with himself or herself?"),
        None => answer.ask_for(
            "labels.csv: reader2",
            "How well do readers agree with each other, and each with himself or herself?",
        ),
    }
}

/// To what those who graded were blind.
pub(crate) fn readers_blinding(facts: &Facts) -> Answer {
    Answer::default().stated(
        facts,
        StudyField::Readers,
        "To what were the readers blinded: the clinic, biopsies, each other, the network?",
    )
}

/// To what the network is blind.
pub(crate) fn network_blinding(_: &Facts) -> Answer {
    Answer::default().know(
        DICOM,
        "The network sees the crop of the image alone: no column of the labels, and no text of the object, goes \
         into it",
    )
}

pub(crate) fn interval_between(_: &Facts) -> Answer {
    Answer::default()
        .know(
            SPEC,
            "Grade and image are of one study: the labels name it by its UID",
        )
        .ask("When was what confirmed the grade done, and did anything happen to the patient between?")
}
