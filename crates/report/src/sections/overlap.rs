//! What of a screening the model was trained on, and what its validation is worth then.

use attrium_evaluation::{Independence, Metrics, ValidationOverlap};
use attrium_types::CohortKnowledge;
use maud::{Markup, html};

use super::{Validation, caption, estimate_cell, note};
use crate::input::ScreeningReport;
use crate::number;
use crate::table::Table;

/// What a validation is worth; one from before anybody looked is taken as it was called.
fn independence(overlap: Option<&ValidationOverlap>) -> Independence {
    overlap.map_or(Independence::External, ValidationOverlap::independence)
}

/// What a validation is called.
pub(crate) fn heading(overlap: Option<&ValidationOverlap>) -> &'static str {
    match independence(overlap) {
        Independence::External => "External validation",
        Independence::Unknown => "Validation, overlap with training unknown",
        Independence::MayOverlap => "Validation that may overlap with training",
        Independence::Overlaps => "Validation that overlaps with training",
        Independence::Seen => "No external validation: the model was trained on these studies",
    }
}

/// Of which studies the figures are.
pub(crate) fn validation(overlap: Option<&ValidationOverlap>) -> Validation {
    let is_of_the_unseen = overlap.is_some_and(|overlap| overlap.all.is_some());
    match independence(overlap) {
        Independence::External => Validation::External,
        _ if is_of_the_unseen => Validation::External,
        _ => Validation::PerhapsSeen,
    }
}

/// What a labelled study of a figure is, where that has to be said.
pub(crate) fn qualification(overlap: Option<&ValidationOverlap>) -> &'static str {
    let is_of_the_unseen = overlap.is_some_and(|overlap| overlap.all.is_some());
    match independence(overlap) {
        Independence::External => "",
        _ if is_of_the_unseen => " that the model has not seen",
        Independence::Seen | Independence::Overlaps => " that the model was trained on",
        Independence::Unknown | Independence::MayOverlap => {
            " that the model may have been trained on"
        }
    }
}

/// What nobody may overlook who reads the figures of a validation.
pub(crate) fn notice(overlap: Option<&ValidationOverlap>) -> Markup {
    let Some((overlap, name)) = overlap.zip(name(overlap)) else {
        return html! {};
    };
    html! {
        p.banner { strong { (name) "." } " " (explanation(overlap)) }
    }
}

fn name(overlap: Option<&ValidationOverlap>) -> Option<&'static str> {
    Some(match independence(overlap) {
        Independence::External => return None,
        Independence::Unknown => "Overlap with training unknown",
        Independence::MayOverlap => "Perhaps seen in training",
        Independence::Overlaps => "Seen in training",
        Independence::Seen => "No external validation",
    })
}

/// What was seen, or is not known, and of which studies the figures are.
fn explanation(overlap: &ValidationOverlap) -> String {
    let is_partly = overlap.seen > Some(0) && overlap.cohort != CohortKnowledge::Known;
    let sentences = [
        finding(overlap),
        doubtful(overlap),
        figures(overlap),
        is_partly.then(|| "What else the model was trained on is not known.".to_owned()),
    ];
    sentences
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" ")
}

fn finding(overlap: &ValidationOverlap) -> Option<String> {
    let (seen, studies) = (overlap.seen.unwrap_or_default(), overlap.studies);
    let which = if seen == studies {
        format!("all {}", number::count(seen))
    } else {
        format!("{} of the {}", number::count(seen), number::count(studies))
    };
    Some(match overlap.independence() {
        Independence::External => return None,
        Independence::Unknown => {
            "Nobody can tell whether the model was trained on these studies, since its bundle, or one that it started \
             from, keeps no digests of its scans."
                .to_owned()
        }
        Independence::MayOverlap => format!(
            "The Patient IDs of {which} validated studies are among those that the model was trained on, with another \
             date of birth or none that is stated: they may be somebody else’s."
        ),
        Independence::Overlaps | Independence::Seen => format!(
            "The model was trained on {which} validated studies, or on other scans of their patients."
        ),
    })
}

/// Of which studies the figures are.
fn figures(overlap: &ValidationOverlap) -> Option<String> {
    let unseen = number::count(overlap.unseen());
    match (overlap.independence(), &overlap.all) {
        (Independence::External | Independence::Unknown, _) => None,
        (_, Some(_)) => Some(format!("The figures are of the {unseen} others.")),
        (Independence::Seen, None) => Some(
            "The figures show how well it remembers them, and nothing of how it does on others."
                .to_owned(),
        ),
        (Independence::MayOverlap | Independence::Overlaps, None) => {
            Some("The figures are of all of them.".to_owned())
        }
    }
}

/// That some are known by a number alone, beside others that are surely known.
fn doubtful(overlap: &ValidationOverlap) -> Option<String> {
    let is_mixed = matches!(
        overlap.independence(),
        Independence::Overlaps | Independence::Seen
    );
    let doubtful = overlap
        .doubtful
        .filter(|doubtful| is_mixed && *doubtful > 0)?;
    Some(format!(
        "{} of them {} known by a Patient ID alone, which may be somebody else’s.",
        number::count(doubtful),
        if doubtful == 1 { "is" } else { "are" },
    ))
}

/// What was seen of a validation, in which ways it is known, and what all of it comes to.
pub(crate) fn of_validation(metrics: &Metrics, overlap: &ValidationOverlap) -> Markup {
    if overlap.independence() == Independence::External {
        return html! {
            p {
                "The model was trained on none of these " (number::count(overlap.studies))
                " studies and on no other scan of their patients, as far as Study Instance UIDs, Patient IDs and the \
                 images themselves tell."
            }
        };
    }
    html! {
        p { strong { (explanation(overlap)) } }
        @if overlap.seen.unwrap_or_default() > 0 {
            (ways(overlap))
        }
        @if let Some(all) = &overlap.all {
            (beside(metrics, all))
        }
    }
}

fn ways(overlap: &ValidationOverlap) -> Markup {
    let counts = [
        (overlap.by_study, "by their Study Instance UID"),
        (overlap.by_image, "by the image itself"),
        (overlap.by_patient, "by their patient"),
        (overlap.by_patient_id, "by a Patient ID alone"),
    ];
    let known = counts.into_iter().filter_map(|(count, how)| {
        let count = count.filter(|count| *count > 0)?;
        Some(format!("{} {how}", number::count(count)))
    });
    let known: Vec<_> = known.collect();
    note(format!(
        "Known are {}; a study may be known in several ways. overlap.csv has a row for each.",
        known.join(", ")
    ))
}

/// The figures of the studies that the model has not seen beside those of all.
fn beside(unseen: &Metrics, all: &Metrics) -> Table {
    let about = "At this job’s threshold; what the model was trained on flatters it.";
    let headers = [
        "Studies",
        "Number",
        "Positive",
        "AUC",
        "Sensitivity",
        "Specificity",
    ];
    let mut table = Table::new(
        caption("With and without what the model has seen", about),
        headers,
    );
    let cells = |metrics: &Metrics| {
        let point = metrics.positive.chosen();
        [
            html! { (number::count(metrics.studies)) },
            html! { (number::count(metrics.positives)) },
            estimate_cell(metrics.positive.auc),
            estimate_cell(point.and_then(|point| point.sensitivity)),
            estimate_cell(point.and_then(|point| point.specificity)),
        ]
    };
    table.row("Not seen by the model", cells(unseen));
    table.reference_row("All that were validated", cells(all));
    table
}

/// What the model was trained on among the objects, in a sentence; nothing where it has seen none, or nobody knows.
pub(crate) fn of_objects(report: &ScreeningReport) -> Markup {
    let Some(seen @ 1..) = report.seen else {
        return html! {};
    };
    html! {
        " Of " (number::count(seen)) " of the screened objects the model was trained on the study, on the image or on \
         the patient, or may have been: the column overlap of the table of results says which."
    }
}
