//! `labels.csv`: `study,grade[,patient,age,sex,indication,scanner,protocol,metastases,reader2]`.

use std::{collections::HashMap, fmt};

use csv::ByteRecord;
use snafu::{OptionExt, ensure};
use strum::VariantArray;

use super::covariates::{Covariate, Covariates, parse_grade};
use super::error::{
    DuplicateColumnSnafu, DuplicateStudySnafu, Error, MissingColumnSnafu, NoLabelsSnafu,
    RowLengthSnafu, ValueSnafu,
};
use super::spreadsheet::{SpreadsheetReader, value};
use attrium_types::Grade;

/// The labels of all studies: whose they are, and what a reader saw.
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
        let mut reader = SpreadsheetReader::new(bytes)?;
        ensure!(reader.advance()?, NoLabelsSnafu);
        let header = Header::read(&reader.record, reader.line)?;
        let mut rows: Vec<Label> = Vec::new();
        let mut lines = HashMap::new();
        while reader.advance()? {
            let line = reader.line;
            let label = header.label(&reader.record, line)?;
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
    covariates: Vec<(Covariate, usize)>,
    width: usize,
    unknown: Vec<String>,
}

impl Header {
    fn read(record: &ByteRecord, line: u64) -> Result<Self, Error> {
        let mut names = Vec::with_capacity(record.len());
        for position in 0..record.len() {
            names.push(value(record, position, line)?.to_lowercase());
        }
        let find = |column: &'static str| -> Result<_, Error> {
            let mut places = (0..names.len()).filter(|&place| names[place] == column);
            let place = places.next();
            ensure!(
                places.next().is_none(),
                DuplicateColumnSnafu { line, column }
            );
            Ok(place)
        };
        let required = |column| find(column)?.context(MissingColumnSnafu { line, column });
        let mut covariates = Vec::new();
        for &covariate in Covariate::VARIANTS {
            if let Some(place) = find(covariate.into())? {
                covariates.push((covariate, place));
            }
        }
        let known = |name: &str| {
            [STUDY, GRADE, PATIENT].contains(&name) || Covariates::COLUMNS.contains(&name)
        };
        Ok(Self {
            study: required(STUDY)?,
            grade: required(GRADE)?,
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
        let study = value(record, self.study, line)?;
        ensure!(
            !study.is_empty(),
            ValueSnafu {
                line,
                column: STUDY,
                expected: "a Study Instance UID"
            }
        );
        let grade = value(record, self.grade, line)?;
        let grade = parse_grade(grade).map_err(|expected| invalid(line, GRADE, expected))?;
        let patient = match self.patient {
            Some(place) => Some(value(record, place, line)?).filter(|patient| !patient.is_empty()),
            None => None,
        };
        Ok(Label {
            study: study.to_owned(),
            patient: patient.map(str::to_owned),
            grade,
            covariates: self.covariates(record, line)?,
        })
    }

    fn covariates(&self, record: &ByteRecord, line: u64) -> Result<Covariates, Error> {
        let mut covariates = Covariates::default();
        for &(covariate, place) in &self.covariates {
            let set = covariates.set(covariate, value(record, place, line)?);
            set.map_err(|expected| invalid(line, covariate.into(), expected))?;
        }
        Ok(covariates)
    }
}

fn invalid(line: u64, column: &'static str, expected: &'static str) -> Error {
    Error::Value {
        line,
        column,
        expected,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Labels {
        Labels::parse(text.as_bytes()).unwrap()
    }

    /// Why a table is refused, in a sentence without any of its values.
    fn refused(text: &str) -> String {
        let error = Labels::parse(text.as_bytes()).unwrap_err();
        let sentence = snafu::Report::from_error(&error).to_string();
        for secret in ["1.2.840", "Doe"] {
            assert!(!sentence.contains(secret), "{sentence}");
        }
        error.to_string()
    }

    const FULL: &str = "\
study,grade,patient,age,sex,indication,scanner,protocol,metastases,reader2
1.2.840.1,2,p1,77.5,F,\"breast, left\",Symbia,whole body,yes,3
1.2.840.2,0,p1,,,,,,,
1.2.840.3,1,,80,M,prostate,e.cam,static,0,1
";

    #[test]
    fn every_column_is_read() {
        let labels = parse(FULL);
        assert_eq!(labels.studies(), 3);
        assert_eq!(labels.by_grade(), [1, 1, 1, 0]);
        let first = &labels.rows[0];
        assert_eq!(
            (first.study.as_str(), first.patient.as_deref()),
            ("1.2.840.1", Some("p1"))
        );
        let columns = first.covariates.columns().map(|(_, value)| value);
        let columns: Vec<_> = columns.collect();
        assert_eq!(
            columns,
            [
                "77.5",
                "F",
                "breast, left",
                "Symbia",
                "whole body",
                "yes",
                "3"
            ]
        );
        assert_eq!(labels.rows[1].covariates, Covariates::default());
        assert_eq!(labels.rows[2].patient, None);
        assert_eq!(labels.rows[2].covariates.metastases, Some(false));
    }

    #[test]
    fn a_byte_order_mark_semicolons_and_windows_line_ends_do_not_matter() {
        let commas = FULL.replace("\"breast, left\"", "breast");
        let expected = parse(&commas);
        let semicolons = commas.replace(',', ";");
        assert_eq!(parse(&semicolons), expected);
        assert_eq!(
            parse(&format!("\u{feff}{}", semicolons.replace('\n', "\r\n"))),
            expected
        );
        assert_eq!(parse(&commas.replace('\n', "\r")), expected);
        assert_eq!(parse(&commas.replace('\n', "\n\n")), expected);
        assert_eq!(parse(&commas.replace(",2,p1", " , 2.0 , p1\0 ")), expected);
        assert_eq!(parse(&semicolons.replace("77.5", "77,5")), expected);
    }

    #[test]
    fn columns_come_in_any_order_and_case_and_others_are_told_of() {
        let labels = parse("Grade,Name,STUDY,Ward,\n3,Doe,1.2.840.1,7,\n,,,,\n");
        assert_eq!(labels.studies(), 1);
        assert_eq!(labels.rows[0].grade.value(), 3);
        assert_eq!(labels.unknown_columns(), ["name", "ward"]);
    }

    #[test]
    fn a_fault_is_told_with_its_line_and_column() {
        for (text, sentence) in [
            (
                "",
                "labels.csv is empty: give a header with study and grade, and a row a study",
            ),
            (
                "study,grade\n",
                "labels.csv is empty: give a header with study and grade, and a row a study",
            ),
            (
                "1.2.840.1,2\n1.2.840.2,1\n",
                "labels.csv, line 1: the column \"study\" is missing: the first line names the \
                 columns, and study and grade must be among them",
            ),
            (
                "study,Perugini\n1.2.840.1,2\n",
                "labels.csv, line 1: the column \"grade\" is missing: the first line names the \
                 columns, and study and grade must be among them",
            ),
            (
                "study,grade,Grade\n1.2.840.1,2,2\n",
                "labels.csv, line 1: the column \"grade\" is there twice: keep one",
            ),
            (
                "study,grade\n1.2.840.1,2\n\n1.2.840.2,4\n",
                "labels.csv, line 4, column grade: expected a Perugini grade: 0, 1, 2 or 3",
            ),
            (
                "study,grade\r\r1.2.840.1,2\r,\r1.2.840.2,4",
                "labels.csv, line 5, column grade: expected a Perugini grade: 0, 1, 2 or 3",
            ),
            (
                "study,grade,ward\r\n1.2.840.1,2,\"a\r\nb\"\r\n1.2.840.2,4,\r\n",
                "labels.csv, line 4, column grade: expected a Perugini grade: 0, 1, 2 or 3",
            ),
            (
                "study,grade\n1.2.840.1,\n",
                "labels.csv, line 2, column grade: expected a Perugini grade: 0, 1, 2 or 3",
            ),
            (
                "study,grade\n1.2.840.1,2\n1.2.840.2,1\n1.2.840.1,2\n",
                "labels.csv, line 4, column study: the study of line 2 again: keep one of them",
            ),
            (
                "study,grade\n,2\n",
                "labels.csv, line 2, column study: expected a Study Instance UID",
            ),
            (
                "study,grade,patient\r\n1.2.840.1,2,Doe, John\r\n",
                "labels.csv, line 2: 4 values where the header has 3: put quotes around a value \
                 that holds the separator",
            ),
            (
                "study,grade,age\n1.2.840.1,2,Doe\n",
                "labels.csv, line 2, column age: expected an age in years from 0 to 130, or nothing",
            ),
            (
                "study,grade,metastases\n1.2.840.1,2,perhaps\n",
                "labels.csv, line 2, column metastases: expected yes, no, true, false, 1, 0 or nothing",
            ),
            (
                "study,grade,reader2\n1.2.840.1,2,5\n",
                "labels.csv, line 2, column reader2: expected a Perugini grade: 0, 1, 2 or 3",
            ),
        ] {
            assert_eq!(refused(text), sentence, "{text:?}");
        }
    }

    #[test]
    fn other_encodings_are_told_of() {
        let latin = b"study,grade,indication\n1.2.840.1,2,m\xe4nnlich\n";
        let error = Labels::parse(latin).unwrap_err().to_string();
        assert_eq!(
            error,
            "labels.csv, line 2: not UTF-8: save the table as \"CSV UTF-8\""
        );
        let utf16: Vec<u8> = "\u{feff}study,grade"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert!(matches!(
            Labels::parse(&utf16),
            Err(Error::Encoding { line: 1 })
        ));
    }

    #[test]
    fn debug_shows_no_study() {
        assert_eq!(format!("{:?}", parse(FULL)), "Labels { studies: 3, .. }");
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Labels::parse(&bytes);
            let mut table = b"study,grade,age,metastases\n".to_vec();
            table.extend(bytes);
            let _ = Labels::parse(&table);
        }

        #[test]
        fn what_is_written_is_read(
            rows in prop::collection::vec((0_u8..4, prop::option::of("[ -~äöß]{1,12}"), any::<bool>()), 1..20),
        ) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(["study", "grade", "scanner", "metastases"]).unwrap();
            for (number, (grade, scanner, metastases)) in rows.iter().enumerate() {
                let scanner = scanner.as_deref().unwrap_or_default();
                let metastases = if *metastases { "TRUE" } else { "No" };
                writer.write_record([&format!("1.{number}"), &grade.to_string(), scanner, metastases]).unwrap();
            }
            let labels = Labels::parse(&writer.into_inner().unwrap()).unwrap();
            prop_assert_eq!(labels.studies(), rows.len());
            for (label, (grade, scanner, metastases)) in labels.rows.iter().zip(&rows) {
                prop_assert_eq!(label.grade.value(), *grade);
                let scanner = scanner.as_deref().map(str::trim).filter(|text| !text.is_empty());
                prop_assert_eq!(label.covariates.scanner.as_deref(), scanner);
                prop_assert_eq!(label.covariates.metastases, Some(*metastases));
            }
        }
    }
}
