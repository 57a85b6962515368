//! `labels.csv`: `study,grade[,patient,age,sex,indication,scanner,protocol,metastases,reader2]`.

use std::{collections::HashMap, fmt};

use csv::{ByteRecord, Reader, ReaderBuilder};
use snafu::{OptionExt, ensure};

use super::covariates::{Covariates, grade};
use super::error::{
    DuplicateColumnSnafu, DuplicateStudySnafu, EncodingSnafu, Error, MissingColumnSnafu,
    NoLabelsSnafu, RowLengthSnafu, ValueSnafu,
};
use crate::api::Grade;

/// The labels of all studies: who they are, and what a reader saw.
///
/// This is the one type of a run that identifies studies and patients. `Debug` shows the number
/// of studies alone.
#[derive(Clone, PartialEq)]
pub struct Labels {
    pub(super) rows: Vec<Label>,
    unknown_columns: Vec<String>,
}

/// A row of `labels.csv`.
#[derive(Clone, PartialEq)]
pub(super) struct Label {
    /// The Study Instance UID.
    pub(super) study: String,
    /// The patient's identifier, where there is one.
    pub(super) patient: Option<String>,
    pub(super) grade: Grade,
    pub(super) covariates: Covariates,
}

const STUDY: &str = "study";
const GRADE: &str = "grade";
const PATIENT: &str = "patient";

impl Labels {
    /// Reads the table.
    ///
    /// The first line names the columns, in any order and in small or capital letters. Separators
    /// are commas, or semicolons where the first line has more of those; a byte-order mark, the
    /// line ends of any system, blank lines and blanks around a value do not matter. Columns of
    /// another name are left out and listed by [`Self::unknown_columns`].
    ///
    /// # Errors
    /// One sentence with the line and the column, without the value: an unknown grade, a study
    /// that is labelled twice, a missing column, a row of another length than the header, a value
    /// that its column does not take, bytes that are not UTF-8, no row at all.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        ensure!(
            !bytes.starts_with(b"\xff\xfe") && !bytes.starts_with(b"\xfe\xff"),
            EncodingSnafu { line: 1_u64 }
        );
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let mut reader = reader(bytes);
        let mut record = ByteRecord::new();
        ensure!(next(&mut reader, &mut record)?, NoLabelsSnafu);
        let header = Header::read(&record)?;
        let mut rows: Vec<Label> = Vec::new();
        let mut lines = HashMap::new();
        while next(&mut reader, &mut record)? {
            if record.iter().all(<[u8]>::is_empty) {
                continue;
            }
            let line = line(&record);
            let label = header.label(&record, line)?;
            if let Some(first) = lines.insert(label.study.clone(), line) {
                return DuplicateStudySnafu { line, first }.fail();
            }
            rows.push(label);
        }
        ensure!(!rows.is_empty(), NoLabelsSnafu);
        Ok(Self {
            rows,
            unknown_columns: header.unknown,
        })
    }

    /// How many studies are labelled; at least one.
    pub fn studies(&self) -> usize {
        self.rows.len()
    }

    /// The names of the columns that were left out, to be told of once.
    pub fn unknown_columns(&self) -> &[String] {
        &self.unknown_columns
    }

    /// How many studies have each grade.
    pub fn by_grade(&self) -> [usize; 4] {
        let mut counts = [0; 4];
        for row in &self.rows {
            counts[usize::from(row.grade.value())] += 1;
        }
        counts
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Labels")
            .field("studies", &self.rows.len())
            .finish_non_exhaustive()
    }
}

/// Where each known column is.
struct Header {
    study: usize,
    grade: usize,
    patient: Option<usize>,
    covariates: Vec<(&'static str, usize)>,
    width: usize,
    unknown: Vec<String>,
}

impl Header {
    fn read(record: &ByteRecord) -> Result<Self, Error> {
        let mut names = Vec::with_capacity(record.len());
        for position in 0..record.len() {
            names.push(text(record, position, 1)?.to_lowercase());
        }
        let find = |column: &'static str| {
            let mut places = (0..names.len()).filter(|&place| names[place] == column);
            let place = places.next();
            ensure!(places.next().is_none(), DuplicateColumnSnafu { column });
            Ok(place)
        };
        let mut covariates = Vec::new();
        for column in Covariates::COLUMNS {
            if let Some(place) = find(column)? {
                covariates.push((column, place));
            }
        }
        let known = |name: &str| {
            [STUDY, GRADE, PATIENT].contains(&name) || Covariates::COLUMNS.contains(&name)
        };
        Ok(Self {
            study: find(STUDY)?.context(MissingColumnSnafu { column: STUDY })?,
            grade: find(GRADE)?.context(MissingColumnSnafu { column: GRADE })?,
            patient: find(PATIENT)?,
            covariates,
            width: names.len(),
            unknown: names
                .into_iter()
                .filter(|name| !name.is_empty() && !known(name))
                .collect(),
        })
    }

    fn label(&self, record: &ByteRecord, line: u64) -> Result<Label, Error> {
        ensure!(
            record.len() == self.width,
            RowLengthSnafu {
                line,
                found: record.len(),
                expected: self.width
            }
        );
        let study = text(record, self.study, line)?;
        ensure!(
            !study.is_empty(),
            ValueSnafu {
                line,
                column: STUDY,
                expected: "a Study Instance UID"
            }
        );
        let invalid = |column| {
            move |expected| Error::Value {
                line,
                column,
                expected,
            }
        };
        let grade = grade(text(record, self.grade, line)?).map_err(invalid(GRADE))?;
        let patient = match self.patient {
            Some(place) => Some(text(record, place, line)?).filter(|patient| !patient.is_empty()),
            None => None,
        };
        let mut covariates = Covariates::default();
        for &(column, place) in &self.covariates {
            let value = text(record, place, line)?;
            covariates.set(column, value).map_err(invalid(column))?;
        }
        Ok(Label {
            study: study.to_owned(),
            patient: patient.map(str::to_owned),
            grade,
            covariates,
        })
    }
}

/// A reader for the separator that the first line has more of.
fn reader(bytes: &[u8]) -> Reader<&[u8]> {
    let header = bytes
        .split(|byte| matches!(byte, b'\n' | b'\r'))
        .find(|line| !line.is_empty())
        .unwrap_or_default();
    let count = |separator| header.iter().filter(|&&byte| byte == separator).count();
    let delimiter = if count(b';') > count(b',') {
        b';'
    } else {
        b','
    };
    ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(bytes)
}

fn next(reader: &mut Reader<&[u8]>, record: &mut ByteRecord) -> Result<bool, Error> {
    let line = reader.position().line();
    reader
        .read_byte_record(record)
        .ok()
        .context(EncodingSnafu { line })
}

fn line(record: &ByteRecord) -> u64 {
    record.position().map_or(1, csv::Position::line)
}

/// A value of a record, without the zero byte that pads a UID in DICOM.
fn text(record: &ByteRecord, place: usize, line: u64) -> Result<&str, Error> {
    let value = record.get(place).unwrap_or_default();
    let value = std::str::from_utf8(value)
        .ok()
        .context(EncodingSnafu { line })?;
    Ok(value.trim_matches(|c: char| c.is_whitespace() || c == '\0'))
}
