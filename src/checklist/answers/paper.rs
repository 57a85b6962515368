//! What the paper says and no run can, and what people have stated of the study.

use super::super::Answer;
use super::super::facts::{ATTRIUM, Facts, README, SPEC};
use super::positive_grades;
use attrium_api::StudyField;
use attrium_bundle::INTENDED_USE;

/// What kind of study it is, and of what.
fn kind(facts: &Facts) -> String {
    let target = facts.reported().map(|reported| reported.metrics.target);
    let of = target.map_or_else(String::new, |target| {
        format!(" of Perugini {} on bone scans", positive_grades(target))
    });
    match facts.training() {
        Some(_) => {
            format!("Development of a deep-learning model with internal validation by folds{of}")
        }
        None => format!("External validation of a deep-learning model{of}"),
    }
}

pub(crate) fn title(facts: &Facts) -> Answer {
    Answer::default()
        .know(SPEC, kind(facts))
        .ask("Does the title say so, with the patients and the outcome?")
}

pub(crate) fn summary(_: &Facts) -> Answer {
    Answer::default().ask("Has the abstract design, methods, results and conclusion, with figures?")
}

pub(crate) fn background(_: &Facts) -> Answer {
    Answer::default().ask("Which clinical question is it, why a model, and which models are there?")
}

pub(crate) fn intended_use(facts: &Facts) -> Answer {
    Answer::default().know(README, INTENDED_USE).stated(
        facts,
        StudyField::IntendedUsers,
        "Who is to use it, where in the care of which patients?",
    )
}

pub(crate) fn background_and_use(facts: &Facts) -> Answer {
    background(facts).and(intended_use(facts))
}

pub(crate) fn expertise(facts: &Facts) -> Answer {
    Answer::default()
        .know(
            README,
            "A physician looks at every positive; nobody prepares the image or its crop",
        )
        .stated(
            facts,
            StudyField::IntendedUsers,
            "Who is to use it, and with which experience?",
        )
}

pub(crate) fn inequalities(_: &Facts) -> Answer {
    Answer::default().ask("Which inequalities of care between groups of patients are known here?")
}

pub(crate) fn objectives(facts: &Facts) -> Answer {
    Answer::default()
        .know(SPEC, kind(facts))
        .ask("Which aims and hypotheses were there?")
}

pub(crate) fn goal(facts: &Facts) -> Answer {
    Answer::default().know(SPEC, kind(facts))
}

pub(crate) fn prospective(_: &Facts) -> Answer {
    Answer::default()
        .ask("Was it planned before the scans were made and read (prospective), or after?")
}

pub(crate) fn ethics(facts: &Facts) -> Answer {
    Answer::default().stated(
        facts,
        StudyField::Ethics,
        "Which committee approved it, or why was none needed, and what became of consent?",
    )
}

pub(crate) fn funding(facts: &Facts) -> Answer {
    Answer::default().stated(
        facts,
        StudyField::Funding,
        "Who paid for it, and what say did they have?",
    )
}

pub(crate) fn conflicts(_: &Facts) -> Answer {
    Answer::default().ask("Which interests, commercial ones among them, has each author?")
}

pub(crate) fn protocol(facts: &Facts) -> Answer {
    Answer::default().stated(
        facts,
        StudyField::Protocol,
        "Where does the protocol lie, or is there none?",
    )
}

/// A protocol, and what stands in for its technical part.
pub(crate) fn protocol_or_details(facts: &Facts) -> Answer {
    let known = "manifest.yaml has every setting of the run, docs/ what each does";
    Answer::default().know(SPEC, known).and(protocol(facts))
}

pub(crate) fn registration(facts: &Facts) -> Answer {
    Answer::default().stated(
        facts,
        StudyField::Registration,
        "Where is it registered, under which number, or is it not?",
    )
}

pub(crate) fn data_availability(facts: &Facts) -> Answer {
    Answer::default().stated(
        facts,
        StudyField::DataAvailability,
        "Who may have the data, and from whom?",
    )
}

pub(crate) fn code_availability(facts: &Facts) -> Answer {
    Answer::default()
        .know(
            README,
            "attrium trains, evaluates and screens; its source is under the Apache License 2.0",
        )
        .stated(
            facts,
            StudyField::CodeAvailability,
            "Where is it and any other code of the study, and who may have it?",
        )
}

pub(crate) fn public_involvement(_: &Facts) -> Answer {
    Answer::default().ask("How did patients or the public take part, or did they not?")
}

pub(crate) fn interpretation(_: &Facts) -> Answer {
    Answer::default().ask("What do the results mean beside earlier studies, fairness among it?")
}

pub(crate) fn implications(facts: &Facts) -> Answer {
    intended_use(facts).ask("What follows from the results for practice?")
}

pub(crate) fn fairness_in_use(_: &Facts) -> Answer {
    Answer::default().ask("Which ethical questions, and which of fairness, come with its use?")
}

pub(crate) fn next_steps(_: &Facts) -> Answer {
    Answer::default().ask("What has to be studied next before it can be used elsewhere?")
}

pub(crate) fn adverse_events(_: &Facts) -> Answer {
    Answer::default()
        .know(
            ATTRIUM,
            "The network reads scans that were made anyway: it does nothing to a patient",
        )
        .ask("Did the reference standard, such as a biopsy, harm anyone?")
}
