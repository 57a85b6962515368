//! What a screening's page says where the model was trained on what is validated.

use super::fixture;
use crate::{ScreeningReport, screening_report};
use attrium_evaluation::ValidationOverlap;
use attrium_types::CohortKnowledge;

/// A page of a validation of which so many studies were seen, by a Patient ID alone so many.
fn page(cohort: CohortKnowledge, seen: Option<u64>, doubtful: Option<u64>) -> String {
    let overlap = fixture::overlap();
    let is_part = seen.is_some_and(|seen| seen > 0 && seen < overlap.studies);
    screening_report(&ScreeningReport {
        overlap: Some(ValidationOverlap {
            cohort,
            seen,
            doubtful,
            all: overlap.all.filter(|_| is_part),
            ..overlap
        }),
        monitoring: None,
        ..fixture::screening()
    })
}

/// The heading of the validation.
fn heading(page: &str) -> &str {
    let (_, section) = page
        .split_once("id=\"validation\"><h2>")
        .expect("a section");
    section.split('<').next().unwrap_or_default()
}

#[test]
fn a_validation_is_called_external_only_where_nothing_was_seen() {
    use CohortKnowledge::{Known, PartlyKnown, Unknown};
    for (cohort, seen, doubtful, expected) in [
        (Known, Some(0), Some(0), "External validation"),
        (
            Known,
            Some(24),
            Some(3),
            "Validation that overlaps with training",
        ),
        (
            PartlyKnown,
            Some(24),
            Some(3),
            "Validation that overlaps with training",
        ),
        (
            Known,
            Some(24),
            Some(24),
            "Validation that may overlap with training",
        ),
        (
            Known,
            Some(213),
            Some(213),
            "Validation that may overlap with training",
        ),
        (
            Known,
            Some(213),
            Some(0),
            "No external validation: the model was trained on these studies",
        ),
        (
            PartlyKnown,
            Some(0),
            Some(0),
            "Validation, overlap with training unknown",
        ),
        (
            Unknown,
            None,
            None,
            "Validation, overlap with training unknown",
        ),
    ] {
        let page = page(cohort, seen, doubtful);
        assert_eq!(heading(&page), expected);
        let is_external = expected == "External validation";
        assert_eq!(
            page.contains("that its row is an external validation"),
            is_external || seen == Some(24)
        );
        assert_eq!(
            page.matches("class=\"banner\"").count(),
            if is_external { 1 } else { 2 }
        );
    }
}

#[test]
fn the_figures_without_what_was_seen_stand_beside_those_of_all() {
    let page = page(CohortKnowledge::Known, Some(24), Some(3));
    assert!(page.contains("The model was trained on 24 of the 213 validated studies"));
    let words = "3 of them are known by a Patient ID alone, which may be somebody else’s. The figures are of the 189";
    assert!(page.contains(words));
    assert!(page.contains("labelled positives that the model has not seen"));
    assert!(page.contains("9 of 222 labelled studies have no prediction"));
    let (_, table) = page
        .split_once("With and without what the model has seen")
        .expect("a table");
    let (table, _) = table.split_once("</table>").expect("its end");
    for cell in ["<td>189</td>", "<td>213</td>"] {
        assert!(table.contains(cell), "{cell}");
    }
}

#[test]
fn figures_of_what_the_model_was_trained_on_are_called_that() {
    let page = page(CohortKnowledge::Known, Some(213), Some(0));
    assert!(page.contains("The model was trained on all 213 validated studies"));
    assert!(page.contains("labelled positives that the model was trained on"));
    assert!(!page.contains("chosen on other studies"));
    assert!(!page.contains("With and without"));
}

#[test]
fn what_nobody_knows_is_said() {
    let of_unknown = page(CohortKnowledge::Unknown, None, None);
    assert!(of_unknown.contains("Nobody can tell whether the model was trained on these studies"));
    assert!(!of_unknown.contains("overlap.csv") && !of_unknown.contains("chosen on other studies"));
    let of_part = page(CohortKnowledge::PartlyKnown, Some(24), Some(0));
    assert!(of_part.contains("What else the model was trained on is not known."));
    let of_all = page(CohortKnowledge::Known, Some(24), Some(0));
    assert!(!of_all.contains("What else"));
}
