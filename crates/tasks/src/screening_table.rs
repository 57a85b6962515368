//! The table of a screening: a row for each object, written and read a piece at a time.

use std::io::Read;

use snafu::{ResultExt, Snafu};

use super::screener::{Scan, Screened};
use super::{Rejection, overlap};
use attrium_api::ScreeningStatus;
use attrium_dataset::Overlap;
use attrium_evaluation::Uncertainty;
use attrium_imaging::{HeartRatios, ScannerModel};

/// What a row says was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The probability of a positive reaches the threshold.
    Positive,
    /// It does not.
    Negative,
    /// The object shows no anterior view.
    OtherView,
    /// The object cannot be used.
    Unusable,
}

impl Verdict {
    const ALL: [Self; 4] = [
        Self::Positive,
        Self::Negative,
        Self::OtherView,
        Self::Unusable,
    ];

    /// The word in the table.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Positive => "positive",
            Self::Negative => "negative",
            Self::OtherView => "other-view",
            Self::Unusable => "unusable",
        }
    }
}

/// What stands among a row's warnings where the object says that it is a phantom.
const SYNTHETIC: &str = "synthetic";

/// A row of the table.
#[derive(Clone, Debug, PartialEq)]
pub struct ScreeningRow {
    /// The object's key below the images' prefix, or the file's name.
    pub object: String,
    /// What was decided.
    pub verdict: Verdict,
    /// The probability of a positive; `None` without a decision.
    pub positive_probability: Option<f64>,
    /// The probability of each class; empty without a decision.
    pub probabilities: Vec<f64>,
    /// How much the heart takes up; nothing without a decision.
    pub ratios: HeartRatios,
    /// The codes of the warnings about the image, and first of all whether it is of a phantom.
    pub warnings: Vec<String>,
    /// Why there is no decision: a short stable word.
    pub reason: String,
    /// Why there is no decision, in a sentence.
    pub sentence: String,
    /// The name of its activation map below the run's prefix, if one was drawn.
    pub activation_map: String,
    /// The model's digest.
    pub model: String,
    /// What of it the model was trained on; `None` without a decision.
    pub overlap: Option<Overlap>,
    /// The counts of the crop; `None` without a decision, and in tables from before they were kept.
    pub crop_counts: Option<f64>,
    /// The camera's model; `None` without a decision, where the object names none, and in tables from before it was
    /// kept.
    pub scanner: Option<ScannerModel>,
    /// Whether the decision is uncertain; unknown without one.
    pub uncertainty: Uncertainty,
}

impl ScreeningRow {
    /// The row of an object.
    pub fn new(object: &str, screened: &Screened, model: &str) -> Self {
        let empty = Self::empty(object, model);
        match screened {
            Screened::Decided(decision) => Self {
                verdict: if decision.positive {
                    Verdict::Positive
                } else {
                    Verdict::Negative
                },
                positive_probability: Some(decision.positive_probability),
                probabilities: decision.probabilities.clone(),
                ratios: decision.scan.heart.map(|it| it.ratios).unwrap_or_default(),
                warnings: warnings(&decision.scan),
                overlap: Some(decision.scan.overlap),
                crop_counts: Some(decision.scan.crop_counts()),
                scanner: decision.scan.scanner.clone(),
                uncertainty: decision.uncertainty.clone(),
                ..empty
            },
            Screened::Rejected(Rejection::OtherView) => Self {
                reason: "no-anterior".to_owned(),
                sentence: "no frame of the object is an anterior view".to_owned(),
                ..empty
            },
            Screened::Rejected(Rejection::Unusable { reason, sentence }) => Self {
                verdict: Verdict::Unusable,
                reason: (*reason).to_owned(),
                sentence: sentence.clone(),
                ..empty
            },
        }
    }

    /// The row of an object that nothing is known of.
    pub(super) fn empty(object: &str, model: &str) -> Self {
        Self {
            object: object.to_owned(),
            verdict: Verdict::OtherView,
            positive_probability: None,
            probabilities: Vec::new(),
            ratios: HeartRatios::default(),
            warnings: Vec::new(),
            reason: String::new(),
            sentence: String::new(),
            activation_map: String::new(),
            model: model.to_owned(),
            uncertainty: Uncertainty::Unknown,
            overlap: None,
            crop_counts: None,
            scanner: None,
        }
    }

    /// Whether the object says that it is a phantom.
    pub(super) fn is_synthetic(&self) -> bool {
        self.warnings.iter().any(|warning| warning == SYNTHETIC)
    }

    /// Whether there is a warning about the image.
    pub(super) fn has_warnings(&self) -> bool {
        self.warnings.iter().any(|warning| warning != SYNTHETIC)
    }

    /// Adds the object to the counts.
    pub fn count(&self, counts: &mut ScreeningStatus) {
        counts.objects += 1;
        if let Some(overlap) = self.overlap {
            overlap::count(overlap, counts.overlap.get_or_insert_default());
        }
        if let Some(is_flagged) = self.uncertainty.is_flagged() {
            *counts.uncertain.get_or_insert_default() += u64::from(is_flagged);
        }
        counts.synthetic += u64::from(self.is_synthetic());
        match self.verdict {
            Verdict::Positive => {
                counts.screened += 1;
                counts.positive += 1;
            }
            Verdict::Negative => {
                counts.screened += 1;
                counts.negative += 1;
            }
            Verdict::OtherView => counts.other_views += 1,
            Verdict::Unusable => {
                counts.unusable += 1;
                let reason = self.reason.clone();
                *counts.unusable_by_reason.entry(reason).or_default() += 1;
            }
        }
    }
}

fn warnings(scan: &Scan) -> Vec<String> {
    let synthetic = scan.synthetic.then_some(SYNTHETIC);
    let codes = scan.warnings.iter().map(|warning| warning.code());
    synthetic
        .into_iter()
        .chain(codes)
        .map(str::to_owned)
        .collect()
}

/// A table that cannot be written or read.
#[derive(Debug, Snafu)]
pub enum TableError {
    /// The CSV itself.
    #[snafu(display("the screening table cannot be written or read"))]
    Csv {
        /// Where and why.
        source: csv::Error,
    },
    /// A field.
    #[snafu(display("row {row} of the screening table has no readable {column}"))]
    Field {
        /// The row, from 1.
        row: u64,
        /// The column.
        column: &'static str,
    },
}

const FIRST: [&str; 3] = ["object", "decision", "positive_probability"];
const OVERLAP: &str = "overlap";
const CROP_COUNTS: &str = "crop_counts";
const SCANNER: &str = "scanner_model";
const UNCERTAIN: &str = "uncertain";
const DOUBTS: &str = "doubts";
/// The last columns: tables from before there was one lack it and those after it.
const LATER: [&str; 5] = [OVERLAP, CROP_COUNTS, SCANNER, UNCERTAIN, DOUBTS];
const LAST: [&str; 13] = [
    HeartRatios::COLUMNS[0],
    HeartRatios::COLUMNS[1],
    HeartRatios::COLUMNS[2],
    "warnings",
    "reason",
    "sentence",
    "activation_map",
    "model",
    LATER[0],
    LATER[1],
    LATER[2],
    LATER[3],
    LATER[4],
];

/// The header for a number of classes.
///
/// # Errors
/// [`TableError::Csv`].
pub fn header(classes: usize) -> Result<Vec<u8>, TableError> {
    let probabilities = (0..classes).map(|class| format!("p_{class}"));
    let first = FIRST.map(str::to_owned).into_iter();
    line(first.chain(probabilities).chain(LAST.map(str::to_owned)))
}

/// One row as text.
///
/// # Errors
/// [`TableError::Csv`].
pub fn write(row: &ScreeningRow, classes: usize) -> Result<Vec<u8>, TableError> {
    // Debug formatting is the shortest text that reads back as the same number.
    let number = |value: Option<f64>| value.map_or(String::new(), |value| format!("{value:?}"));
    let first = [
        row.object.clone(),
        row.verdict.name().to_owned(),
        number(row.positive_probability),
    ];
    let probabilities = (0..classes).map(|class| number(row.probabilities.get(class).copied()));
    let [contralateral, rib, whole_body] = row.ratios.values().map(number);
    let [uncertain, doubts] = row.uncertainty.cells();
    let last = [
        contralateral,
        rib,
        whole_body,
        row.warnings.join(" "),
        row.reason.clone(),
        row.sentence.clone(),
        row.activation_map.clone(),
        row.model.clone(),
        overlap::words(row.overlap),
        number(row.crop_counts),
        row.scanner
            .as_ref()
            .map_or_else(String::new, ToString::to_string),
        uncertain,
        doubts,
    ];
    line(first.into_iter().chain(probabilities).chain(last))
}

fn line(fields: impl Iterator<Item = String>) -> Result<Vec<u8>, TableError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(fields).context(CsvSnafu)?;
    writer
        .into_inner()
        .map_err(|error| csv::Error::from(error.into_error()))
        .context(CsvSnafu)
}

/// The rows of a table, one at a time.
pub fn read(table: impl Read) -> impl Iterator<Item = Result<ScreeningRow, TableError>> {
    let mut reader = csv::Reader::from_reader(table);
    let mut number = 0;
    std::iter::from_fn(move || {
        let mut record = csv::StringRecord::new();
        number += 1;
        let read = reader.read_record(&mut record).context(CsvSnafu);
        let lacking = reader.headers().map_or(0, lacking);
        (0..lacking).for_each(|_| record.push_field(""));
        match read {
            Ok(false) => None,
            Ok(true) => Some(parse(&record, number)),
            Err(error) => Some(Err(error)),
        }
    })
}

/// How many of the last columns a table lacks, since it is from before there were any.
fn lacking(header: &csv::StringRecord) -> usize {
    let is_there = |column: &&&str| header.iter().any(|name| name == **column);
    LATER.len() - LATER.iter().take_while(is_there).count()
}

fn parse(record: &csv::StringRecord, row: u64) -> Result<ScreeningRow, TableError> {
    let classes = record.len().saturating_sub(FIRST.len() + LAST.len());
    let field = |place: usize| record.get(place).unwrap_or_default().to_owned();
    let number = |place: usize, column| match field(place).as_str() {
        "" => Ok(None),
        text => text
            .parse()
            .map(Some)
            .ok()
            .ok_or(TableError::Field { row, column }),
    };
    let verdict = Verdict::ALL
        .into_iter()
        .find(|verdict| verdict.name() == field(1))
        .ok_or(TableError::Field {
            row,
            column: "decision",
        })?;
    let last = FIRST.len() + classes;
    let mut probabilities = Vec::new();
    for place in FIRST.len()..last {
        probabilities.extend(number(place, "p_")?);
    }
    let mut ratios = [None; 3];
    for (at, ratio) in ratios.iter_mut().enumerate() {
        *ratio = number(last + at, HeartRatios::COLUMNS[at])?;
    }
    Ok(ScreeningRow {
        object: field(0),
        verdict,
        positive_probability: number(2, "positive_probability")?,
        probabilities,
        ratios: HeartRatios::from_values(ratios),
        warnings: field(last + 3)
            .split_whitespace()
            .map(str::to_owned)
            .collect(),
        reason: field(last + 4),
        sentence: field(last + 5),
        activation_map: field(last + 6),
        model: field(last + 7),
        overlap: overlap::parse(&field(last + 8))
            .ok()
            .ok_or(TableError::Field {
                row,
                column: OVERLAP,
            })?,
        crop_counts: number(last + 9, CROP_COUNTS)?,
        scanner: match field(last + 10).as_str() {
            "" => None,
            word => Some(word.parse().ok().ok_or(TableError::Field {
                row,
                column: SCANNER,
            })?),
        },
        uncertainty: Uncertainty::parse([&field(last + 11), &field(last + 12)]).ok_or(
            TableError::Field {
                row,
                column: UNCERTAIN,
            },
        )?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use attrium_evaluation::Doubt;
    use attrium_types::CohortKnowledge;

    fn row(verdict: Verdict) -> ScreeningRow {
        let decided = matches!(verdict, Verdict::Positive | Verdict::Negative);
        ScreeningRow {
            object: "a folder/scan, the \"second\".dcm".to_owned(),
            verdict,
            positive_probability: decided.then_some(0.1 + 0.2),
            probabilities: if decided {
                vec![0.7, 0.1 + 0.2]
            } else {
                Vec::new()
            },
            ratios: HeartRatios {
                contralateral: decided.then_some(1.25),
                rib: decided.then_some(0.75),
                whole_body: (verdict == Verdict::Positive).then_some(0.03),
            },
            warnings: vec!["lossy".to_owned(), "turned-upright".to_owned()],
            reason: String::new(),
            sentence: "one, two".to_owned(),
            activation_map: String::new(),
            model: "sha256:00".to_owned(),
            overlap: decided.then_some(Overlap {
                cohort: CohortKnowledge::Known,
                image: verdict == Verdict::Positive,
                ..Overlap::UNKNOWN
            }),
            crop_counts: decided.then_some(201_336.5),
            scanner: decided.then(|| "symbia".parse().unwrap()),
            uncertainty: match verdict {
                Verdict::Positive => Uncertainty::Flagged(vec![Doubt::UnlikeTraining]),
                Verdict::Negative => Uncertainty::NotFlagged,
                Verdict::OtherView | Verdict::Unusable => Uncertainty::Unknown,
            },
        }
    }

    #[test]
    fn rows_read_back_as_they_were_written() {
        let rows: Vec<ScreeningRow> = Verdict::ALL.into_iter().map(row).collect();
        let mut table = header(2).unwrap();
        for row in &rows {
            table.extend(write(row, 2).unwrap());
        }
        let back: Vec<ScreeningRow> = read(table.as_slice()).map(Result::unwrap).collect();
        assert_eq!(back, rows);
    }

    #[test]
    fn a_row_without_a_known_decision_is_an_error_that_names_it() {
        let mut table = header(2).unwrap();
        table.extend_from_slice(b"scan.dcm,perhaps,,,,,,,,,,,,,,,,\n");
        let error = read(table.as_slice()).next().unwrap().unwrap_err();
        assert_eq!(
            error.to_string(),
            "row 1 of the screening table has no readable decision"
        );
    }

    #[test]
    fn a_row_from_before_there_were_the_last_columns_is_read_without_them() {
        let row = row(Verdict::Positive);
        let without = |columns: usize| {
            let cut = |line: Vec<u8>| {
                let line = String::from_utf8(line).unwrap();
                let left = line.trim_end().rsplitn(columns + 1, ',').last().unwrap();
                left.to_owned() + "\n"
            };
            let table = cut(header(2).unwrap()) + &cut(write(&row, 2).unwrap());
            let mut rows = read(table.as_bytes()).map(Result::unwrap);
            rows.next().unwrap()
        };
        let unflagged = ScreeningRow {
            uncertainty: Uncertainty::Unknown,
            ..row.clone()
        };
        let before_counts = ScreeningRow {
            crop_counts: None,
            scanner: None,
            ..unflagged.clone()
        };
        assert_eq!(without(0), row);
        assert_eq!(without(2), unflagged);
        assert_eq!(without(4), before_counts);
        let before_overlap = ScreeningRow {
            overlap: None,
            ..before_counts
        };
        assert_eq!(without(5), before_overlap);
    }

    #[test]
    fn a_word_that_is_no_overlap_is_an_error() {
        let mut table = header(2).unwrap();
        let row = String::from_utf8(write(&row(Verdict::Positive), 2).unwrap()).unwrap();
        table.extend(row.replace(",image,", ",picture,").into_bytes());
        let error = read(table.as_slice()).next().unwrap().unwrap_err();
        assert!(
            error.to_string().ends_with("no readable overlap"),
            "{error}"
        );
    }

    #[test]
    fn a_doubt_without_a_flag_is_an_error() {
        let mut table = header(2).unwrap();
        let row = String::from_utf8(write(&row(Verdict::Positive), 2).unwrap()).unwrap();
        table.extend(row.replace(",true,unlike", ",false,unlike").into_bytes());
        let error = read(table.as_slice()).next().unwrap().unwrap_err();
        let error = error.to_string();
        assert!(error.ends_with("no readable uncertain"), "{error}");
    }

    #[test]
    fn each_row_is_counted_once() {
        let mut counts = ScreeningStatus::default();
        for verdict in Verdict::ALL {
            row(verdict).count(&mut counts);
        }
        assert_eq!(counts.objects, 4);
        assert_eq!(counts.screened, counts.positive + counts.negative);
        assert_eq!((counts.positive, counts.negative), (1, 1));
        assert_eq!((counts.other_views, counts.unusable), (1, 1));
        assert_eq!((counts.synthetic, counts.uncertain), (0, Some(1)));
        let overlap = counts.overlap.unwrap();
        assert_eq!((overlap.objects, overlap.images), (Some(1), Some(1)));
        assert_eq!((overlap.studies, overlap.patients), (Some(0), Some(0)));
    }

    #[test]
    fn a_phantom_is_counted_as_one_when_its_row_is_read_back() {
        let phantom = ScreeningRow {
            warnings: vec![SYNTHETIC.to_owned(), "lossy".to_owned()],
            ..row(Verdict::Negative)
        };
        let mut table = header(2).unwrap();
        table.extend(write(&phantom, 2).unwrap());
        let mut counts = ScreeningStatus::default();
        for row in read(table.as_slice()) {
            row.unwrap().count(&mut counts);
        }
        assert_eq!((counts.screened, counts.synthetic), (1, 1));
    }
}
