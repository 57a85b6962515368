//! Readers' grades as labels, by the identifiers that only the objects have.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::coordinator;
use crate::journal;
use crate::overview::Whole;
use crate::shared::Shared;
use attrium_evidence::Source;
use attrium_spool::audit::AuditEvent;
use attrium_spool::{IndexError, Review};

/// The grades of all studies that somebody has graded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Labels {
    /// A row for each study.
    pub rows: Vec<LabelRow>,
    /// Graded studies whose files are gone, so that nothing says which they were.
    pub without_files: u64,
}

/// A study's grade.
///
/// It identifies a study, so its `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelRow {
    /// The Study Instance UID.
    pub study: String,
    /// The last grade of the reader who graded last.
    pub grade: u8,
    /// The last grade of the reader who graded last before that one, of another name.
    pub reader2: Option<u8>,
}

impl fmt::Debug for LabelRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LabelRow(redacted)")
    }
}

/// The most studies that are looked through.
const MOST: u32 = 1_000_000;

impl Labels {
    /// Collects what readers have said; that somebody asked for it is written down.
    ///
    /// # Errors
    /// An index that cannot be read.
    pub(crate) fn of(shared: &Shared) -> Result<Self, IndexError> {
        let mut labels = Self {
            rows: Vec::new(),
            without_files: 0,
        };
        for whole in shared.studies(0, MOST)? {
            let Some((grade, reader2)) = grades(&whole) else {
                continue;
            };
            match study_uid(shared, whole.row.number)? {
                Some(study) => labels.rows.push(LabelRow {
                    study,
                    grade,
                    reader2,
                }),
                None => labels.without_files += 1,
            }
        }
        shared.journal(&[journal::record(AuditEvent::Exported, None, None)]);
        Ok(labels)
    }
}

/// The last grades of the two readers who graded a study last, the last first.
fn grades(whole: &Whole) -> Option<(u8, Option<u8>)> {
    let mut last: BTreeMap<&str, (usize, u8)> = BTreeMap::new();
    for (place, row) in whole.reviews.iter().enumerate() {
        if let Review::Grade(grade) = row.review {
            last.insert(&row.who, (place, grade));
        }
    }
    let mut grades: Vec<(usize, u8)> = last.into_values().collect();
    grades.sort_unstable();
    let mut grades = grades.into_iter().rev().map(|(_, grade)| grade);
    Some((grades.next()?, grades.next()))
}

/// The identifier of a study, by any of its objects that is still there.
fn study_uid(shared: &Shared, number: u64) -> Result<Option<String>, IndexError> {
    let objects = shared.index.read(|session| session.objects_of(number))?;
    let files = objects
        .iter()
        .filter_map(|row| coordinator::file(row, row.arrival));
    let read = |file| {
        let bytes = shared.spool.read(&file).ok()?;
        Some(Source::read(&bytes).ok()?.study_instance_uid().to_owned())
    };
    Ok(files.filter_map(read).next())
}
