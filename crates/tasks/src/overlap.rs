//! What of a screening the model was trained on: counted, by object and by validated study, and its table.

use std::collections::BTreeMap;

use super::study_selection::StudyOverlap;
use super::{TaskError, csv_table};
use attrium_api::OverlapStatus;
use attrium_dataset::{Overlap, Pseudonyms};
use attrium_evaluation::{Predictions, ValidationOverlap};
use attrium_types::CohortKnowledge;

/// Adds an object that was given a decision.
pub(super) fn count(overlap: Overlap, counts: &mut OverlapStatus) {
    counts.cohort = overlap.cohort;
    if overlap.cohort == CohortKnowledge::Unknown {
        return;
    }
    let found = [
        (&mut counts.objects, overlap.is_any()),
        (&mut counts.studies, overlap.study),
        (&mut counts.images, overlap.image),
        (&mut counts.patients, overlap.patient),
        (&mut counts.patient_ids, overlap.patient_id),
    ];
    for (count, is_found) in found {
        *count = Some(count.unwrap_or_default() + u64::from(is_found));
    }
}

/// The words of a table; none without a decision.
pub(super) fn words(overlap: Option<Overlap>) -> String {
    overlap.map_or_else(String::new, |overlap| overlap.words().join(" "))
}

/// A text that holds other words.
pub(super) struct NoOverlap;

/// Reads [`words`].
pub(super) fn parse(text: &str) -> Result<Option<Overlap>, NoOverlap> {
    match text {
        "" => Ok(None),
        text => Overlap::parse(text).map(Some).ok_or(NoOverlap),
    }
}

/// What of the validated studies a model was trained on; the metrics of all of them are not there yet.
pub(super) fn of_validation(studies: &[StudyOverlap]) -> ValidationOverlap {
    let overlaps = studies.iter().map(|study| study.overlap);
    let cohort = overlaps.clone().map(|overlap| overlap.cohort).max();
    let cohort = cohort.unwrap_or_default();
    let number = |is: fn(Overlap) -> bool| {
        let found = overlaps.clone().filter(|overlap| is(*overlap)).count();
        (cohort != CohortKnowledge::Unknown).then_some(found as u64)
    };
    ValidationOverlap {
        cohort,
        studies: studies.len() as u64,
        seen: number(Overlap::is_any),
        doubtful: number(|overlap| overlap.is_any() && !overlap.is_certain()),
        by_study: number(|overlap| overlap.study),
        by_image: number(|overlap| overlap.image),
        by_patient: number(|overlap| overlap.patient),
        by_patient_id: number(|overlap| overlap.patient_id),
        all: None,
    }
}

/// Tells the status what of the validated studies the model was trained on.
pub(super) fn tell(validation: &ValidationOverlap, counts: &mut OverlapStatus) {
    counts.seen_studies = validation.seen;
    counts.doubtful_studies = validation.doubtful;
    counts.unseen_studies = validation.seen.map(|_| validation.unseen());
}

/// The predictions of the studies of which the model has seen nothing; `None` where these are none or all.
pub(super) fn unseen(studies: &[StudyOverlap], all: &Predictions) -> Option<Predictions> {
    let unseen = independent(studies, all);
    let is_a_part = !unseen.rows.is_empty() && unseen.rows.len() < all.rows.len();
    is_a_part.then_some(unseen)
}

/// The predictions of the studies of which the model has seen nothing, as far as is known.
pub(super) fn independent(studies: &[StudyOverlap], all: &Predictions) -> Predictions {
    let by_study: BTreeMap<String, Overlap> = studies
        .iter()
        .map(|study| (study.study.to_string(), study.overlap))
        .collect();
    let is_unseen = |study: &str| by_study.get(study).is_none_or(|overlap| !overlap.is_any());
    let rows = all.rows.iter().filter(|row| is_unseen(&row.study));
    Predictions {
        rows: rows.cloned().collect(),
        ..all.clone()
    }
}

/// The table `study,patient,grade,overlap`, by pseudonyms, of the validated studies of which the model has seen
/// something, or may have.
pub(super) fn table(
    studies: &[StudyOverlap],
    pseudonyms: &Pseudonyms,
) -> Result<Vec<u8>, TaskError> {
    let grades: BTreeMap<_, _> = pseudonyms
        .studies()
        .map(|it| (it.study, it.grade))
        .collect();
    let seen = studies.iter().filter(|study| study.overlap.is_any());
    let rows = seen.map(|study| {
        let grade = grades.get(&study.study).map(ToString::to_string);
        [
            study.study.to_string(),
            study.patient.to_string(),
            grade.unwrap_or_default(),
            words(Some(study.overlap)),
        ]
    });
    csv_table::table(["study", "patient", "grade", "overlap"], rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use attrium_dataset::Labels;
    use attrium_evaluation::Prediction;

    const KNOWN: Overlap = Overlap {
        cohort: CohortKnowledge::Known,
        ..Overlap::UNKNOWN
    };
    const BY_IMAGE: Overlap = Overlap {
        image: true,
        ..KNOWN
    };
    const BY_NUMBER: Overlap = Overlap {
        patient_id: true,
        ..KNOWN
    };

    fn studies(overlaps: &[Overlap]) -> Vec<StudyOverlap> {
        let studies = (1..).zip(overlaps);
        let study = |(study, &overlap)| StudyOverlap {
            study,
            patient: study + 10,
            overlap,
        };
        studies.map(study).collect()
    }

    fn predictions(studies: u32) -> Predictions {
        let row = |study: u32| Prediction {
            study: study.to_string(),
            fold: None,
            label: Some(1),
            probabilities: vec![0.5, 0.5],
            covariates: Vec::new(),
        };
        Predictions {
            classes: 2,
            covariates: Vec::new(),
            rows: (1..=studies).map(row).collect(),
        }
    }

    #[test]
    fn the_figures_are_of_what_is_surely_not_seen_where_anything_is() {
        let rows = |overlaps: &[Overlap]| {
            let unseen = unseen(&studies(overlaps), &predictions(3))?;
            let rows = unseen.rows.into_iter().map(|row| row.study);
            Some(rows.collect::<Vec<_>>())
        };
        let found = rows(&[BY_IMAGE, KNOWN, BY_NUMBER]);
        assert_eq!(found, Some(vec!["2".to_owned()]));
        assert_eq!(rows(&[BY_IMAGE, BY_IMAGE, BY_NUMBER]), None);
        assert_eq!(rows(&[KNOWN; 3]), None);
        assert_eq!(rows(&[Overlap::UNKNOWN; 3]), None);
    }

    #[test]
    fn studies_are_counted_by_how_they_are_known_and_not_at_all_where_nothing_is() {
        let found = of_validation(&studies(&[
            BY_IMAGE,
            KNOWN,
            BY_NUMBER,
            BY_IMAGE.or(BY_NUMBER),
        ]));
        assert_eq!(
            (found.studies, found.seen, found.doubtful),
            (4, Some(3), Some(1))
        );
        assert_eq!((found.by_image, found.by_patient_id), (Some(2), Some(2)));
        assert_eq!((found.by_study, found.by_patient), (Some(0), Some(0)));
        let mut counts = OverlapStatus::default();
        tell(&found, &mut counts);
        assert_eq!(
            (counts.seen_studies, counts.unseen_studies),
            (Some(3), Some(1))
        );
        let unknown = of_validation(&studies(&[Overlap::UNKNOWN]));
        assert_eq!((unknown.studies, unknown.seen), (1, None));
        tell(&unknown, &mut counts);
        assert_eq!((counts.seen_studies, counts.unseen_studies), (None, None));
    }

    #[test]
    fn objects_are_counted_unless_nothing_is_known() {
        let mut counts = OverlapStatus::default();
        for overlap in [BY_IMAGE, KNOWN, BY_NUMBER] {
            count(overlap, &mut counts);
        }
        assert_eq!(
            (counts.cohort, counts.objects),
            (CohortKnowledge::Known, Some(2))
        );
        assert_eq!(
            (counts.images, counts.patient_ids, counts.studies),
            (Some(1), Some(1), Some(0))
        );
        let mut unknown = OverlapStatus::default();
        count(Overlap::UNKNOWN, &mut unknown);
        assert_eq!(unknown, OverlapStatus::default());
    }

    #[test]
    fn the_table_has_a_row_for_each_study_that_was_seen_by_its_pseudonym() {
        let labels = Labels::parse(b"study,grade\n1.2.1,2\n1.2.2,2\n1.2.3,2\n").expect("labels");
        let studies = studies(&[BY_IMAGE, KNOWN, BY_NUMBER]);
        let table = table(&studies, &labels.pseudonymise(0)).expect("a table");
        let expected = "study,patient,grade,overlap\n1,11,2,image\n3,13,2,patient-id\n";
        assert_eq!(String::from_utf8_lossy(&table), expected);
    }
}
