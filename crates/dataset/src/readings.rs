//! Tables of what readers saw: `study`, any number of columns of grades, and perhaps `patient`.

use std::collections::HashMap;

use snafu::{OptionExt, Snafu, ensure};

use super::covariates::parse_grade;
use super::spreadsheet::{NotUtf8, SpreadsheetReader, value};
use attrium_types::Grade;

/// Why a table of readings cannot be read; no message holds a value.
#[derive(Debug, Snafu)]
pub enum ReadingsError {
    /// The table has no header or no row.
    #[snafu(display(
        "the table is empty: give a header with study and the readers, and a row a study"
    ))]
    Empty,
    /// The table is not UTF-8.
    #[snafu(display("line {line}: not UTF-8: save the table as \"CSV UTF-8\""))]
    Encoding {
        /// The line, from 1.
        line: u64,
    },
    /// A column that is asked for is not there once.
    #[snafu(display(
        "the column {column:?} is there {times} times: the first line has to name it once"
    ))]
    Column {
        /// The column.
        column: String,
        /// How often it is there.
        times: usize,
    },
    /// A value is not a grade.
    #[snafu(display("line {line}, column {column}: expected {expected}, or nothing"))]
    Grade {
        /// The line, from 1.
        line: u64,
        /// The column.
        column: String,
        /// What the column takes.
        expected: &'static str,
    },
    /// A row names no study.
    #[snafu(display("line {line}, column study: expected a Study Instance UID"))]
    NoStudy {
        /// The line, from 1.
        line: u64,
    },
    /// A study is read twice.
    #[snafu(display(
        "line {line}, column study: the study of line {first} again: keep one of them"
    ))]
    DuplicateStudy {
        /// The second line, from 1.
        line: u64,
        /// The first line, from 1.
        first: u64,
    },
}

impl From<NotUtf8> for ReadingsError {
    fn from(error: NotUtf8) -> Self {
        let NotUtf8 { line } = error;
        Self::Encoding { line }
    }
}

/// What readers saw.
///
/// Like [`Labels`](super::Labels) it identifies studies and patients, and is never shown.
#[derive(Clone)]
pub struct Readings {
    /// The readers, in the order of the columns that were asked for.
    pub readers: Vec<ReaderGrades>,
    /// The patient of each study that has one.
    patients: HashMap<String, String>,
}

/// The grades that one reader gave.
#[derive(Clone)]
pub struct ReaderGrades {
    /// The column's name.
    pub name: String,
    grades: HashMap<String, Grade>,
}

impl Readings {
    /// Reads the columns of a table; an empty value is a study that the reader has not graded.
    ///
    /// Separators, line ends and capital letters in names do not matter, as in `labels.csv`.
    ///
    /// # Errors
    /// One sentence with the line and the column.
    pub fn parse(bytes: &[u8], columns: &[&str]) -> Result<Self, ReadingsError> {
        let mut reader = SpreadsheetReader::new(bytes)?;
        ensure!(reader.advance()?, EmptySnafu);
        let mut names = Vec::with_capacity(reader.record.len());
        for place in 0..reader.record.len() {
            names.push(value(&reader.record, place, reader.line)?.to_lowercase());
        }
        let study = place(&names, "study")?;
        let patient = names.iter().position(|name| name == "patient");
        let places = columns.iter().map(|column| place(&names, column));
        let places: Vec<usize> = places.collect::<Result<_, _>>()?;
        let readers = columns.iter().map(|name| ReaderGrades {
            name: (*name).to_owned(),
            grades: HashMap::new(),
        });
        let mut readings = Self {
            readers: readers.collect(),
            patients: HashMap::new(),
        };
        let mut lines = HashMap::new();
        while reader.advance()? {
            let line = reader.line;
            let study = value(&reader.record, study, line)?.to_owned();
            ensure!(!study.is_empty(), NoStudySnafu { line });
            if let Some(first) = lines.insert(study.clone(), line) {
                return DuplicateStudySnafu { line, first }.fail();
            }
            for (grades, place) in readings.readers.iter_mut().zip(&places) {
                grades.add(&study, value(&reader.record, *place, line)?, line)?;
            }
            if let Some(place) = patient {
                let patient = value(&reader.record, place, line)?;
                if !patient.is_empty() {
                    readings.patients.insert(study, patient.to_owned());
                }
            }
        }
        ensure!(!lines.is_empty(), EmptySnafu);
        Ok(readings)
    }

    /// The patient of a study, where the table says.
    pub fn patient(&self, study: &str) -> Option<&str> {
        self.patients.get(study).map(String::as_str)
    }
}

impl ReaderGrades {
    fn add(&mut self, study: &str, value: &str, line: u64) -> Result<(), ReadingsError> {
        if value.is_empty() {
            return Ok(());
        }
        let grade = parse_grade(value).map_err(|expected| {
            let column = self.name.clone();
            ReadingsError::Grade {
                line,
                column,
                expected,
            }
        })?;
        self.grades.insert(study.to_owned(), grade);
        Ok(())
    }

    /// What both readers saw in each study that both have graded, with the study, in its order.
    pub fn with<'a>(&'a self, other: &Self) -> Vec<(&'a str, Grade, Grade)> {
        let both = self.grades.iter().filter_map(|(study, grade)| {
            let again = other.grades.get(study)?;
            Some((study.as_str(), *grade, *again))
        });
        let mut both: Vec<_> = both.collect();
        both.sort_unstable_by_key(|(study, ..)| *study);
        both
    }
}

fn place(names: &[String], column: &str) -> Result<usize, ReadingsError> {
    let mut places = (0..names.len()).filter(|place| names[*place] == column.to_lowercase());
    let times = places.clone().count();
    let place = places.next().filter(|_| times == 1);
    place.context(ColumnSnafu { column, times })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(table: &str, columns: &[&str]) -> String {
        let refused = Readings::parse(table.as_bytes(), columns).err();
        refused.expect("should be refused").to_string()
    }

    #[test]
    fn two_readers_have_in_common_what_both_have_graded() {
        let table = "Study;Grade;reader2;patient\r\nb;2;3;P1\r\na;0;;P2\r\nc;1.0;1;\r\n";
        let readings = Readings::parse(table.as_bytes(), &["grade", "reader2"]).unwrap();
        let [first, second] = &readings.readers[..] else {
            panic!("two readers");
        };
        let both: Vec<_> = first
            .with(second)
            .into_iter()
            .map(|(study, a, b)| (study, a.value(), b.value()))
            .collect();
        assert_eq!(both, [("b", 2, 3), ("c", 1, 1)]);
        assert_eq!(readings.patient("b"), Some("P1"));
        assert_eq!(readings.patient("c"), None);
    }

    #[test]
    fn a_table_that_cannot_be_read_is_refused_in_a_sentence_with_its_place() {
        for (table, expected) in [
            ("", "the table is empty"),
            ("study,grade\n", "the table is empty"),
            ("study\na\n", "\"grade\" is there 0 times"),
            ("study,grade,GRADE\na,1,1\n", "\"grade\" is there 2 times"),
            ("study,grade\n,1\n", "line 2, column study"),
            (
                "study,grade\n\na,4\n",
                "line 3, column grade: expected a Perugini grade",
            ),
            (
                "study,grade\na,1\na,1\n",
                "line 3, column study: the study of line 2",
            ),
        ] {
            let sentence = refused(table, &["grade"]);
            assert!(sentence.contains(expected), "{table:?}: {sentence}");
        }
    }
}
