//! Participants: how many, who they are, how they came to be evaluated, and how they differ from others.

use std::collections::BTreeMap;

use super::super::Answer;
use super::super::facts::{
    DICOM, Facts, GRADE, MARKERS, METRICS, QUARANTINE, REPORT, SCREENING, SPEC,
};
use super::{counted, data};
use attrium_api::{ScreeningStatus, StudyField};
use attrium_evaluation::SubgroupMetrics;

/// How many there are.
fn size(facts: &Facts) -> Option<String> {
    let metrics = facts.reported()?.metrics;
    let patients = metrics.patients.map_or_else(String::new, |patients| {
        format!(" of {}", counted(patients, "patient", "patients"))
    });
    Some(format!(
        "{}{patients}, {} of them positive",
        counted(metrics.studies, "study", "studies"),
        metrics.positives
    ))
}

pub(crate) fn sample_size(facts: &Facts) -> Answer {
    let all = size(facts).map(|size| format!("{size}: all that are labelled and usable"));
    Answer::default()
        .know_or(METRICS, all, "How many studies are there?")
        .ask("How was that number arrived at, and is it enough for the question?")
}

/// From objects to studies.
pub(crate) fn flow(facts: &Facts) -> Answer {
    let objects = match (&facts.data, &facts.screening) {
        (Some(data), _) => Some((MARKERS, data.objects)),
        (_, Some(counts)) => Some((SCREENING, counts.objects)),
        _ => None,
    };
    let answer = match objects {
        Some((from, objects)) => Answer::default().know(
            from,
            format!("{} were read", counted(objects, "object", "objects")),
        ),
        None => Answer::default().ask("How many objects were there?"),
    };
    let answer = answer.and(set_aside(facts));
    let answer = match unlabelled(facts) {
        Some(objects) => answer.know(
            SCREENING,
            format!(
                "{} of studies without a label: given a decision and not evaluated",
                counted(objects, "object", "objects")
            ),
        ),
        None => answer,
    };
    answer.know_or(METRICS, size(facts), "How many studies were evaluated?")
}

/// How many screened objects are of studies that the labels do not have: those that neither stand for a study of the
/// validation nor gave way to one that does.
fn unlabelled(facts: &Facts) -> Option<u64> {
    let counts = facts.screening.as_ref()?;
    let studies = facts.reported()?.metrics.studies;
    let evaluated = studies + counts.superseded? + counts.ambiguous?;
    counts.screened.checked_sub(evaluated).filter(|&it| it > 0)
}

/// The objects that are not used, by their reason.
fn set_aside(facts: &Facts) -> Answer {
    let (from, counts) = match (&facts.set_aside, &facts.screening) {
        (Some(counts), _) => (QUARANTINE, counts.clone()),
        (None, Some(screening)) => (SCREENING, not_screened(screening)),
        (None, None) => return Answer::default().ask("Which objects were not used, and why?"),
    };
    let reasons: Vec<_> = counts
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(reason, count)| format!("{reason} {count}"))
        .collect();
    let total: u64 = counts.values().sum();
    let text = match reasons.is_empty() {
        true => "No object was set aside".to_owned(),
        false => format!(
            "Objects not used, by reason ({total}): {}",
            reasons.join(", ")
        ),
    };
    Answer::default().know(from, text)
}

fn not_screened(counts: &ScreeningStatus) -> BTreeMap<String, u64> {
    let mut reasons = counts.unusable_by_reason.clone();
    reasons.insert("other-view".to_owned(), counts.other_views);
    let left_out = [
        ("superseded", counts.superseded),
        ("ambiguous", counts.ambiguous),
    ];
    for (reason, count) in left_out {
        reasons.insert(reason.to_owned(), count.unwrap_or_default());
    }
    reasons
}

/// The values of a covariate with their studies, or the question for its column.
pub(super) fn values(facts: &Facts, column: &str, field: &'static str, question: &str) -> Answer {
    let rows = facts.subgroups(column);
    if rows.iter().all(|row| row.value == "unknown") {
        return Answer::default().ask_for(field, question);
    }
    Answer::default().know(METRICS, format!("By {column}: {}", in_words(&rows)))
}

fn in_words(rows: &[&SubgroupMetrics]) -> String {
    let rows = rows.iter();
    let rows: Vec<_> = rows
        .map(|row| format!("{} {}", row.value, row.studies))
        .collect();
    rows.join(", ")
}

/// Who the participants are.
fn characteristics(facts: &Facts) -> Answer {
    Answer::default()
        .know_or(METRICS, size(facts), "How many studies were evaluated?")
        .and(severity(facts))
        .and(values(
            facts,
            "age",
            "labels.csv: age",
            "How old were the patients?",
        ))
        .and(values(
            facts,
            "sex",
            "labels.csv: sex",
            "Of which sex were the patients?",
        ))
        .and(values(
            facts,
            "scanner",
            "labels.csv: scanner",
            "Which scanners made the scans?",
        ))
        .and(values(
            facts,
            "indication",
            "labels.csv: indication",
            "Why were the patients scanned?",
        ))
}

/// Who the participants are, and when they were scanned.
pub(crate) fn characteristics_and_dates(facts: &Facts) -> Answer {
    characteristics(facts).and(data::dates(facts))
}

/// The same, where every part has to be told.
pub(crate) fn characteristics_of_parts(facts: &Facts) -> Answer {
    let parts = match facts.training() {
        Some(_) => {
            "Each study is trained on in all folds but one and tested on in that one: parts differ by chance"
        }
        None => "The table of participants sets this validation beside the development",
    };
    let from = if facts.training().is_some() {
        SPEC
    } else {
        REPORT
    };
    characteristics(facts).know(from, parts)
}

/// The studies of each grade.
pub(crate) fn severity(facts: &Facts) -> Answer {
    let rows = facts.subgroups(GRADE);
    let by_grade = (!rows.is_empty()).then(|| format!("By grade: {}", in_words(&rows)));
    Answer::default().know_or(METRICS, by_grade, "How many studies are of each grade?")
}

pub(crate) fn alternative_diagnoses(_: &Facts) -> Answer {
    Answer::default()
        .ask("What had those without the outcome: AL amyloidosis, metastases, nothing?")
}

pub(crate) fn representativeness(facts: &Facts) -> Answer {
    let share = facts.reported().map(|reported| {
        let metrics = reported.metrics;
        format!(
            "{:.1} % of the studies are positive; figures are stated for a prevalence of {:.1} %",
            100.0 * metrics.at_cohort.prevalence,
            100.0 * metrics.at_stated.prevalence
        )
    });
    Answer::default()
        .know_or(METRICS, share, "How many studies are positive?")
        .stated(
            facts,
            StudyField::Population,
            "Are the patients those that it is meant for?",
        )
}

/// How an evaluation's data differ from the development's.
pub(crate) fn differences(facts: &Facts) -> Answer {
    match facts.training() {
        Some(_) => Answer::default().know(
            SPEC,
            "None: development and internal validation share setting, criteria, outcome and images",
        ),
        None => Answer::default()
            .know(
                REPORT,
                "The table of participants sets this validation beside the development",
            )
            .ask("Do setting, criteria, outcome or acquisition differ from the development's?"),
    }
}

pub(crate) fn comparison(facts: &Facts) -> Answer {
    match facts.training() {
        Some(_) => Answer::default().know(
            SPEC,
            "Does not apply: the development has no evaluation on other data",
        ),
        None => differences(facts),
    }
}

pub(crate) fn numbers_per_analysis(facts: &Facts) -> Answer {
    let answer =
        Answer::default().know_or(METRICS, size(facts), "How many studies were evaluated?");
    let Some(reported) = facts.reported() else {
        return answer;
    };
    let folds = &reported.network.metrics.folds;
    let folds: Vec<_> = folds
        .iter()
        .map(|fold| format!("{} ({})", fold.studies, fold.positives))
        .collect();
    match facts.training() {
        Some(_) if !folds.is_empty() => answer.know(
            METRICS,
            format!(
                "Studies that each fold's network is tested on, and how many are positive: {}; it trains on all others",
                folds.join(", ")
            ),
        ),
        _ => answer,
    }
}

pub(crate) fn indeterminate(facts: &Facts) -> Answer {
    let known = "The network always gives a probability, and each is on one side of the threshold; what cannot be \
                 read has no decision";
    Answer::default()
        .know(DICOM, known)
        .and(set_aside(facts))
        .ask("What became of scans that readers could not grade?")
}
