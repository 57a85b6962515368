//! The predictions table: one row a study, `study,fold,label,p_0..p_K`, then covariates.
//!
//! A byte-order mark, semicolons or tabs for commas, blanks around values and Windows line ends are
//! read as if they were not there. Numbers are written with as many digits as it takes to read the
//! same number back. Errors never quote a value, which might name a patient.

use std::collections::HashMap;

use csv::{ReaderBuilder, StringRecord, Trim, WriterBuilder};
use snafu::{OptionExt, ResultExt, ensure};

use super::error::{
    ColumnNameSnafu, CsvSnafu, DuplicateSnafu, Error, FieldsSnafu, HeaderSnafu, NotTextSnafu,
    SumSnafu, ValueSnafu,
};
use super::labelled_predictions::hard_label;
use super::prior::{at_prevalence, corrected};
use super::temperature::at_temperature;
use attrium_types::Target;

/// How far the sum of a study's probabilities may be from 1: tables rounded to three decimals pass.
pub const SUM_TOLERANCE: f64 = 0.005;

/// The columns before the probabilities.
const LEADING: [&str; 3] = ["study", "fold", "label"];

/// One study's prediction.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// The study's pseudonym or whatever else names it; unique in a table.
    pub study: String,
    /// The fold whose network made the prediction; `None` outside cross-validation.
    pub fold: Option<usize>,
    /// The index of the true class; `None` for a study without a label.
    pub label: Option<usize>,
    /// One probability for each class, in [0, 1]; they sum to 1 within [`SUM_TOLERANCE`].
    pub probabilities: Vec<f64>,
    /// One value for each of [`Predictions::covariates`]; empty where unknown.
    pub covariates: Vec<String>,
}

/// A table of predictions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Predictions {
    /// The number of classes, at least 2.
    pub classes: usize,
    /// The names of the covariate columns, in order.
    ///
    /// A column named `patient` says which studies are of one patient: intervals of AUC and kappa
    /// then count patients, and it makes no subgroups.
    pub covariates: Vec<String>,
    /// One row a study.
    pub rows: Vec<Prediction>,
}

/// The probability of a positive: the sum over the classes that count as positive.
///
/// `probabilities` holds one value for each class of the target.
pub fn positive_probability(target: Target, probabilities: &[f64]) -> f64 {
    let positive = probabilities.iter().skip(target.first_positive_class());
    positive.sum()
}

impl Prediction {
    /// The class of the highest probability, the first of equals.
    pub fn hard_label(&self) -> usize {
        hard_label(&self.probabilities)
    }

    /// The same prediction after a [correction](super::AssumedPrior::correction).
    pub fn corrected(&self, correction: &[f64]) -> Self {
        Self {
            probabilities: corrected(&self.probabilities, correction),
            ..self.clone()
        }
    }

    /// The same prediction, stated for the prevalence `to` in place of `from`.
    pub fn at_prevalence(&self, target: Target, from: f64, to: f64) -> Self {
        Self {
            probabilities: at_prevalence(target, &self.probabilities, from, to),
            ..self.clone()
        }
    }

    /// The same prediction at a temperature.
    pub fn at_temperature(&self, temperature: f64) -> Self {
        Self {
            probabilities: at_temperature(&self.probabilities, temperature),
            ..self.clone()
        }
    }
}

impl Predictions {
    /// The same table with every prediction at a temperature.
    pub fn at_temperature(&self, temperature: f64) -> Self {
        self.map(|row| row.at_temperature(temperature))
    }

    /// The same table with every prediction after a [correction](super::AssumedPrior::correction).
    pub fn corrected(&self, correction: &[f64]) -> Self {
        self.map(|row| row.corrected(correction))
    }

    /// The same table, stated for the prevalence `to` in place of `from`.
    pub fn at_prevalence(&self, target: Target, from: f64, to: f64) -> Self {
        self.map(|row| row.at_prevalence(target, from, to))
    }

    fn map(&self, row: impl Fn(&Prediction) -> Prediction) -> Self {
        Self {
            classes: self.classes,
            covariates: self.covariates.clone(),
            rows: self.rows.iter().map(row).collect(),
        }
    }

    /// The index of a covariate among [`Self::covariates`].
    pub(super) fn column(&self, name: &str) -> Option<usize> {
        self.covariates.iter().position(|column| column == name)
    }

    /// Reads a table.
    ///
    /// # Errors
    /// Anything that is not as this module's description says; the error names line and column.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text.trim_start_matches('\u{feff}'),
            Err(error) => {
                let before = &bytes[..error.valid_up_to()];
                let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
                return NotTextSnafu { line }.fail();
            }
        };
        let mut reader = ReaderBuilder::new()
            .delimiter(delimiter(text))
            .trim(Trim::All)
            .from_reader(text.as_bytes());
        let header = reader.headers().context(CsvSnafu)?.clone();
        let (classes, covariates) = read_header(&header)?;
        let mut rows = Vec::new();
        let mut lines = HashMap::new();
        for record in reader.into_records() {
            let record = record.map_err(unequal_fields)?;
            let line = record.position().map_or(0, csv::Position::line);
            let row = Row {
                header: &header,
                record: &record,
                line,
            };
            let row = row.prediction(classes)?;
            check(&row, classes, line)?;
            if let Some(first) = lines.insert(row.study.clone(), line) {
                return DuplicateSnafu { line, first }.fail();
            }
            rows.push(row);
        }
        Ok(Self {
            classes,
            covariates,
            rows,
        })
    }

    /// Writes the table; [`Self::parse`] reads the same table back.
    ///
    /// # Errors
    /// A row has another number of probabilities or covariates than the table.
    pub fn to_csv(&self) -> Result<Vec<u8>, Error> {
        let mut writer = WriterBuilder::new().from_writer(Vec::new());
        let probabilities = (0..self.classes).map(|class| format!("p_{class}"));
        let header = LEADING.map(str::to_owned).into_iter().chain(probabilities);
        writer
            .write_record(header.chain(self.covariates.iter().cloned()))
            .context(CsvSnafu)?;
        let number = |value: Option<usize>| value.map_or(String::new(), |value| value.to_string());
        for row in &self.rows {
            let leading = [row.study.clone(), number(row.fold), number(row.label)];
            // Debug formatting is the shortest text that reads back as the same number.
            let probabilities = row.probabilities.iter().map(|p| format!("{p:?}"));
            let fields = leading.into_iter().chain(probabilities);
            writer
                .write_record(fields.chain(row.covariates.iter().cloned()))
                .context(CsvSnafu)?;
        }
        writer
            .into_inner()
            .map_err(|error| csv::Error::from(error.into_error()))
            .context(CsvSnafu)
    }

    /// Checks what [`Self::parse`] checks, of a table that was made otherwise.
    pub(super) fn check(&self) -> Result<(), Error> {
        for (line, row) in (2..).zip(&self.rows) {
            check(row, self.classes, line)?;
        }
        Ok(())
    }
}

/// What separates the first two columns, whose names hold none: the names of covariates may.
fn delimiter(text: &str) -> u8 {
    let mut all = text.bytes().filter(|byte| b"\t;,".contains(byte));
    all.next().unwrap_or(b',')
}

fn read_header(header: &StringRecord) -> Result<(usize, Vec<String>), Error> {
    let expect = |index: usize, expected: &str| {
        let found = header.get(index) == Some(expected);
        let position = index + 1;
        ensure!(found, HeaderSnafu { position, expected });
        Ok(())
    };
    for (index, name) in LEADING.iter().enumerate() {
        expect(index, name)?;
    }
    expect(LEADING.len(), "p_0")?;
    expect(LEADING.len() + 1, "p_1")?;
    let classes = (0..)
        .take_while(|class| header.get(LEADING.len() + class) == Some(&format!("p_{class}")))
        .count();
    for (index, name) in header.iter().enumerate() {
        let own = !name.is_empty() && header.iter().take(index).all(|other| other != name);
        ensure!(
            own,
            ColumnNameSnafu {
                position: index + 1
            }
        );
    }
    let covariates = header.iter().skip(LEADING.len() + classes);
    Ok((classes, covariates.map(str::to_owned).collect()))
}

fn unequal_fields(error: csv::Error) -> Error {
    match *error.kind() {
        csv::ErrorKind::UnequalLengths {
            ref pos,
            expected_len,
            len,
        } => Error::Fields {
            line: pos.as_ref().map_or(0, csv::Position::line),
            expected: expected_len,
            found: len,
        },
        _ => Error::Csv { source: error },
    }
}

/// A row of the file and the header that names its fields.
struct Row<'a> {
    header: &'a StringRecord,
    record: &'a StringRecord,
    line: u64,
}

impl<'a> Row<'a> {
    fn field(&self, index: usize) -> &'a str {
        self.record.get(index).unwrap_or_default()
    }

    /// The error of a field.
    fn fault(&self, index: usize, problem: &'static str) -> ValueSnafu<u64, &'a str, &'static str> {
        ValueSnafu {
            line: self.line,
            column: self.header.get(index).unwrap_or_default(),
            problem,
        }
    }

    /// A whole number; `None` for an empty field.
    fn number(&self, index: usize, problem: &'static str) -> Result<Option<usize>, Error> {
        match self.field(index) {
            "" => Ok(None),
            text => {
                let number = text.parse().ok();
                number.context(self.fault(index, problem)).map(Some)
            }
        }
    }

    fn probability(&self, class: usize) -> Result<f64, Error> {
        let index = LEADING.len() + class;
        let number = self.field(index).parse().ok();
        number.with_context(|| self.fault(index, "it is not a number; a probability is expected"))
    }

    fn prediction(&self, classes: usize) -> Result<Prediction, Error> {
        let study = self.field(0).to_owned();
        let unnamed = self.fault(0, "it is empty; name the study");
        ensure!(!study.is_empty(), unnamed);
        let probabilities = (0..classes).map(|class| self.probability(class));
        let probabilities = probabilities.collect::<Result<_, _>>()?;
        let covariates = self.record.iter().skip(LEADING.len() + classes);
        Ok(Prediction {
            study,
            fold: self.number(
                1,
                "it is not a whole number; a fold's number is expected, or nothing",
            )?,
            label: self.number(
                2,
                "it is not a whole number; a class's number is expected, or nothing",
            )?,
            probabilities,
            covariates: covariates.map(str::to_owned).collect(),
        })
    }
}

/// Checks lengths and ranges; NaN and infinity are outside of every range.
fn check(row: &Prediction, classes: usize, line: u64) -> Result<(), Error> {
    let found = row.probabilities.len();
    ensure!(
        found == classes,
        FieldsSnafu {
            line,
            expected: classes as u64,
            found: found as u64
        }
    );
    if let Some(label) = row.label {
        ensure!(
            label < classes,
            ValueSnafu {
                line,
                column: "label",
                problem: format!(
                    "it is {label}; classes are numbered from 0 to {}",
                    classes - 1
                ),
            }
        );
    }
    for (class, &probability) in row.probabilities.iter().enumerate() {
        ensure!(
            (0.0..=1.0).contains(&probability),
            ValueSnafu {
                line,
                column: format!("p_{class}"),
                problem: format!("it is {probability}; a probability lies between 0 and 1"),
            }
        );
    }
    let sum: f64 = row.probabilities.iter().sum();
    let tolerance = SUM_TOLERANCE;
    ensure!(
        (sum - 1.0).abs() <= tolerance,
        SumSnafu {
            line,
            sum,
            tolerance
        }
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TABLE: &str = "study,fold,label,p_0,p_1,sex,age\n\
                         7,0,1,0.25,0.75,F,71\n\
                         8,1,,0.5,0.5,,\n";

    fn message(table: &str) -> String {
        Predictions::parse(table.as_bytes())
            .expect_err("the table is wrong")
            .to_string()
    }

    #[test]
    fn a_table_is_read_with_its_gaps() {
        let table = Predictions::parse(TABLE.as_bytes()).expect("the table is right");
        assert_eq!(table.classes, 2);
        assert_eq!(table.covariates, ["sex", "age"]);
        assert_eq!(table.rows[0].label, Some(1));
        assert_eq!(table.rows[0].probabilities, [0.25, 0.75]);
        assert_eq!(table.rows[1].label, None);
        assert_eq!(table.rows[1].fold, Some(1));
        assert_eq!(table.rows[1].covariates, ["", ""]);
    }

    #[test]
    fn what_spreadsheets_do_to_a_table_is_read_as_if_undone() {
        let plain = Predictions::parse(TABLE.as_bytes()).expect("the table is right");
        let spreadsheet = format!("\u{feff}{}", TABLE.replace(',', ";").replace('\n', "\r\n"));
        let read = Predictions::parse(spreadsheet.as_bytes()).expect("the table is right");
        assert_eq!(read, plain);
    }

    #[test]
    fn a_covariate_may_have_more_of_another_separator_in_its_name() {
        let table = TABLE.replace("age", "age; years; at the scan; rounded; by hand; twice");
        let read = Predictions::parse(table.as_bytes()).expect("the table is right");
        assert_eq!(read.covariates.len(), 2);
        let written = read.to_csv().expect("should be written");
        assert_eq!(
            Predictions::parse(&written).expect("what was written"),
            read
        );
    }

    #[test]
    fn errors_name_line_and_column() {
        let with = |row: &str| message(&format!("study,fold,label,p_0,p_1\n1,0,0,1,0\n{row}\n"));
        assert_eq!(
            with("2,0,2,0.5,0.5"),
            "line 3, column `label` of the predictions table: it is 2; classes are numbered from \
             0 to 1"
        );
        assert_eq!(
            with("2,0,1,0.5,half"),
            "line 3, column `p_1` of the predictions table: it is not a number; a probability is \
             expected"
        );
        assert!(with("2,0,1,-0.5,1.5").contains("column `p_0`"));
        assert!(with("2,0,1,NaN,0.5").contains("it is NaN"));
        assert!(with("2,0,1,0,inf").contains("it is inf"));
        assert!(with("2,x,1,0,1").contains("column `fold`"));
        assert!(with(",0,1,0,1").contains("column `study`"));
        assert_eq!(
            with("2,0,1,0.25,0.25"),
            "line 3 of the predictions table: the probabilities sum to 0.5 where 1 is expected \
             (within 0.005)"
        );
        assert_eq!(
            with("2,0,1,1"),
            "line 3 of the predictions table has 4 fields where the header has 5: give it as many, \
             and put a field that holds a comma in quotation marks"
        );
        assert!(
            with("1,0,1,0,1")
                .starts_with("line 3 of the predictions table names the study of line 2")
        );
    }

    #[test]
    fn a_header_that_lacks_a_column_is_told_which() {
        assert!(message("study,label,fold,p_0,p_1\n").starts_with("column 2"));
        assert!(message("study,fold,label,p_0\n").contains("`p_1`"));
        assert!(message("study,fold,label,p_0,p_1,sex,sex\n").starts_with("column 7"));
        assert!(message("").contains("`study`"));
        assert!(message("study,fold,label,p_0,p_1,\n").starts_with("column 6"));
    }

    #[test]
    fn an_error_never_quotes_a_value_that_may_name_a_patient() {
        let table = "study,fold,label,p_0,p_1\n1,0,0,Virtanen,0.5\n";
        assert!(!message(table).contains("Virtanen"));
        assert!(!message("Virtanen,Aino,1,0.5,0.5\n").contains("Virtanen"));
    }

    #[test]
    fn a_table_that_is_not_text_is_refused_with_the_line() {
        let error = Predictions::parse(b"study,fold\n\xff\n").expect_err("not text");
        assert!(error.to_string().contains("line 2"));
    }

    #[test]
    fn the_probability_of_a_positive_is_that_of_grades_2_and_3() {
        assert_eq!(
            positive_probability(Target::Perugini, &[0.5, 0.25, 0.125, 0.125]),
            0.25
        );
        assert_eq!(positive_probability(Target::HighGrade, &[0.5, 0.5]), 0.5);
    }

    fn table() -> impl Strategy<Value = Predictions> {
        let row = (
            prop::option::of(0usize..9),
            prop::option::of(0usize..3),
            (0.0f64..1.0, 0.0f64..1.0),
            "[ -~]{0,8}",
        );
        prop::collection::vec(row, 0..20).prop_map(|rows| Predictions {
            classes: 3,
            covariates: vec!["note".to_owned()],
            rows: rows
                .into_iter()
                .enumerate()
                .map(|(study, (fold, label, (a, b), note))| Prediction {
                    study: study.to_string(),
                    fold,
                    label,
                    probabilities: vec![a, (1.0 - a) * b, (1.0 - a) * (1.0 - b)],
                    covariates: vec![note.trim().to_owned()],
                })
                .collect(),
        })
    }

    proptest! {
        #[test]
        fn a_written_table_reads_back_to_the_bit(table in table()) {
            let written = table.to_csv().expect("rows are of one length");
            prop_assert_eq!(Predictions::parse(&written).expect("what was written"), table);
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Predictions::parse(&bytes);
            let with_header = [b"study,fold,label,p_0,p_1\n".as_slice(), &bytes].concat();
            let _ = Predictions::parse(&with_header);
        }
    }
}
