//! What is kept of a usable object beside its crop, and its row in a shard's table.

use std::str::FromStr;

use csv::StringRecord;
use snafu::{OptionExt, ResultExt, ensure};
use strum::VariantArray;

use super::covariates::{Covariate, parse_grade, parse_yes_or_no, yes_or_no};
use super::error::{Error, RowSnafu, ShardSnafu, TableSnafu};
use super::{
    Covariates, LabelledStudy, PatientClue, Preference, Pseudonyms, ScanDigests, ScanIdentity,
};
use super::{patients, preference};
use attrium_imaging::{Admitted, CropRectangle, HeartRatios, ScannerModel};
use attrium_types::Grade;

/// A usable object: its study's pseudonym and label, and how its crop was made.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The study's pseudonym.
    pub study: u32,
    /// The patient's pseudonym: by `labels.csv`, and in a cohort by Patient ID too.
    pub patient: u32,
    /// Whether `labels.csv` names the patient.
    pub names_patient: bool,
    /// The object's Patient ID, blinded; in no cohort.
    pub patient_id: Option<String>,
    /// The object's key, sealed.
    pub object: String,
    /// What tells the scan again; none of a shard from before there were any, and in no cohort.
    pub digests: Option<ScanDigests>,
    /// The reader's grade.
    pub grade: Grade,
    /// What else `labels.csv` says of the study.
    pub covariates: Covariates,
    /// Where the crop lies on the anterior image.
    pub rectangle: CropRectangle,
    /// What it is chosen by among the objects of its study.
    pub preference: Preference,
    /// The camera's model, where the object names one; none of a shard from before it was kept.
    pub scanner_model: Option<ScannerModel>,
    /// The counts of the whole anterior image.
    pub counts: f64,
    /// How much the heart takes up.
    pub ratios: HeartRatios,
    /// Whether the object says that it is a phantom.
    pub synthetic: bool,
    /// The codes of the warnings of image and crop.
    pub warnings: Vec<String>,
}

const RECTANGLE_COLUMNS: [&str; 5] = [
    "crop_mode",
    "crop_top",
    "crop_left",
    "crop_height",
    "crop_width",
];
const COUNTS_COLUMN: &str = "counts";
const WARNING_COLUMNS: [&str; 2] = ["synthetic", "warnings"];
const OBJECT_COLUMN: &str = "object";
/// The last column, which tables from before it lack.
const SCANNER_COLUMN: &str = "scanner_model";

impl Record {
    /// What tells whose the object is.
    pub(super) fn patient_clue(&self) -> PatientClue {
        PatientClue {
            patient: self.patient,
            is_named: self.names_patient,
            id: self.patient_id.clone(),
        }
    }
}

/// The table of a shard: a header and a row for each record.
pub(super) fn write(records: &[Record]) -> Result<Vec<u8>, Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let header = ["study", "patient", "grade"]
        .into_iter()
        .chain(Covariates::COLUMNS.iter().copied())
        .chain(RECTANGLE_COLUMNS)
        .chain(Preference::COLUMNS)
        .chain([COUNTS_COLUMN])
        .chain(HeartRatios::COLUMNS)
        .chain(WARNING_COLUMNS)
        .chain(PatientClue::COLUMNS)
        .chain([OBJECT_COLUMN])
        .chain(ScanDigests::COLUMNS)
        .chain([SCANNER_COLUMN]);
    writer.write_record(header).context(TableSnafu)?;
    for record in records {
        let rectangle = &record.rectangle;
        let label = [record.study, record.patient, record.grade.value().into()]
            .map(|number| number.to_string());
        let covariates = record.covariates.columns().map(|(_, value)| value);
        let mode: &str = rectangle.mode.into();
        let crop = [
            mode.to_owned(),
            rectangle.top.to_string(),
            rectangle.left.to_string(),
            rectangle.height.to_string(),
            rectangle.width.to_string(),
        ];
        let ratios = record.ratios.values().map(ratio);
        let warnings = [
            yes_or_no(record.synthetic).to_owned(),
            record.warnings.join(" "),
        ];
        let row = label.into_iter().chain(covariates).chain(crop);
        let row = row.chain(record.preference.columns());
        let row = row
            .chain([record.counts.to_string()])
            .chain(ratios)
            .chain(warnings);
        let row = row.chain(record.patient_clue().columns());
        let digests = record.digests.map(|digests| digests.columns());
        let row = row.chain([record.object.clone()]);
        let row = row.chain(digests.unwrap_or_default());
        let scanner = record.scanner_model.as_ref().map(ToString::to_string);
        let row = row.chain([scanner.unwrap_or_default()]);
        writer.write_record(row).context(TableSnafu)?;
    }
    writer
        .into_inner()
        .map_err(|error| error.into_error().into())
        .context(TableSnafu)
}

fn ratio(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

fn parse_ratio(text: &str) -> Result<Option<f64>, &'static str> {
    if text.is_empty() {
        return Ok(None);
    }
    let ratio = text.parse().ok().filter(|ratio: &f64| ratio.is_finite());
    ratio.map(Some).ok_or("no finite number")
}

/// Reads the table of a shard back.
pub(super) fn read(shard: u32, table: &[u8]) -> Result<Vec<Record>, Error> {
    let mut reader = csv::Reader::from_reader(table);
    let unreadable = ShardSnafu {
        shard,
        problem: "its table cannot be read",
    };
    let header = reader.headers().ok().context(unreadable)?.clone();
    let mut records = Vec::new();
    for (number, row) in reader.records().enumerate() {
        let row = RecordRow {
            shard,
            number: number + 1,
            header: &header,
            values: row.ok().context(unreadable)?,
        };
        records.push(row.record()?);
    }
    Ok(records)
}

/// A row of a shard's table and the header that names its values.
struct RecordRow<'a> {
    shard: u32,
    number: usize,
    header: &'a StringRecord,
    values: StringRecord,
}

impl RecordRow<'_> {
    fn record(&self) -> Result<Record, Error> {
        let counts: f64 = self.parsed(COUNTS_COLUMN)?;
        ensure!(counts.is_finite(), self.fault(COUNTS_COLUMN));
        let warnings = self.value("warnings")?.split_whitespace();
        Ok(Record {
            study: self.parsed("study")?,
            patient: self.parsed("patient")?,
            names_patient: self.read("names_patient", parse_yes_or_no)?,
            patient_id: patients::parse_id(self.value("patient_id")?),
            object: self.value(OBJECT_COLUMN)?.to_owned(),
            digests: self.digests()?,
            grade: self.read("grade", parse_grade)?,
            covariates: self.covariates()?,
            rectangle: CropRectangle {
                mode: self.parsed("crop_mode")?,
                top: self.parsed("crop_top")?,
                left: self.parsed("crop_left")?,
                height: self.parsed("crop_height")?,
                width: self.parsed("crop_width")?,
            },
            preference: self.preference()?,
            scanner_model: self.scanner_model()?,
            counts,
            ratios: self.ratios()?,
            synthetic: self.read("synthetic", parse_yes_or_no)?,
            warnings: warnings.map(str::to_owned).collect(),
        })
    }

    fn ratios(&self) -> Result<HeartRatios, Error> {
        let mut values = [None; 3];
        for (value, column) in values.iter_mut().zip(HeartRatios::COLUMNS) {
            *value = self.read(column, parse_ratio)?;
        }
        Ok(HeartRatios::from_values(values))
    }

    fn preference(&self) -> Result<Preference, Error> {
        Ok(Preference {
            origin: self.parsed("origin")?,
            view_source: self.parsed("view_source")?,
            delay: self.parsed("delay")?,
            acquired: self.read("acquired", preference::parse_minutes)?,
            acquisition: self.parsed("acquisition")?,
        })
    }

    /// The digests, where the table has any.
    fn digests(&self) -> Result<Option<ScanDigests>, Error> {
        let [study, patient, image] = ScanDigests::COLUMNS;
        let has_columns = self.header.iter().any(|name| name == study);
        if !has_columns || self.value(study)?.is_empty() {
            return Ok(None);
        }
        let values = [self.value(study)?, self.value(patient)?, self.value(image)?];
        let digests = ScanDigests::parse(values);
        Ok(Some(digests.ok().context(self.fault(study))?))
    }

    /// The camera, where the table has the column and the object named one.
    fn scanner_model(&self) -> Result<Option<ScannerModel>, Error> {
        let has_column = self.header.iter().any(|name| name == SCANNER_COLUMN);
        if !has_column || self.value(SCANNER_COLUMN)?.is_empty() {
            return Ok(None);
        }
        self.parsed(SCANNER_COLUMN).map(Some)
    }

    fn covariates(&self) -> Result<Covariates, Error> {
        let mut covariates = Covariates::default();
        for &covariate in Covariate::VARIANTS {
            let column = covariate.into();
            let set = covariates.set(covariate, self.value(column)?);
            set.ok().context(self.fault(column))?;
        }
        Ok(covariates)
    }

    fn value(&self, column: &'static str) -> Result<&str, Error> {
        let place = self.header.iter().position(|name| name == column);
        place
            .and_then(|place| self.values.get(place))
            .context(self.fault(column))
    }

    fn parsed<T: FromStr>(&self, column: &'static str) -> Result<T, Error> {
        self.read(column, str::parse)
    }

    fn read<T, E>(
        &self,
        column: &'static str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Result<T, Error> {
        parse(self.value(column)?).ok().context(self.fault(column))
    }

    fn fault(&self, column: &'static str) -> RowSnafu<u32, usize, &'static str> {
        RowSnafu {
            shard: self.shard,
            row: self.number,
            column,
        }
    }
}

impl Pseudonyms {
    /// The record of an object of a study, from its key and its scan.
    pub fn record(&self, labelled: &LabelledStudy, key: &str, scan: &Admitted) -> Record {
        let Admitted { image, crop, heart } = scan;
        let warnings = image.warnings.iter().chain(&crop.warnings);
        Record {
            study: labelled.study,
            patient: labelled.patient,
            names_patient: labelled.names_patient,
            patient_id: self.patient_clue(labelled, &image.provenance).id,
            object: self.seal(key),
            digests: Some(ScanIdentity::of(image).under(self.salt())),
            grade: labelled.grade,
            covariates: labelled.covariates.clone(),
            rectangle: crop.rectangle,
            preference: self.dated(labelled.study, Preference::of(image), &image.provenance),
            scanner_model: image.scanner.clone(),
            counts: image.counts.sum(),
            ratios: heart.map(|heart| heart.ratios).unwrap_or_default(),
            synthetic: image.synthetic,
            warnings: warnings.map(|warning| warning.code().to_owned()).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    #[test]
    fn a_table_has_these_columns_and_words() {
        let table = write(&[fixtures::record(7)]).unwrap();
        assert_eq!(
            String::from_utf8(table).unwrap(),
            "study,patient,grade,age,sex,indication,scanner,protocol,metastases,reader2,\
             crop_mode,crop_top,crop_left,crop_height,crop_width,origin,view_source,delay,acquired,\
             acquisition,counts,contralateral_ratio,rib_ratio,whole_body_ratio,synthetic,warnings,names_patient,patient_id,object,study_digest,patient_digest,image_digest,scanner_model\n\
             7,3,3,77.1,F,\"suspected, \"\"ATTR\"\"; heart\",,Ganzkörper,no,3,\
             Robust,204,64,128,128,Original,ViewCode,Usual,1000,WholeBody,3596452.25,1.25,1.5,,yes,\
             stray-counts lossy,yes,,sealed 7,0000000000000007,0000000000000003-0a,0000000000000007,symbia\n"
        );
    }

    #[test]
    fn a_word_that_no_table_has_is_refused_by_its_column() {
        let table = String::from_utf8(write(&[fixtures::record(7)]).unwrap()).unwrap();
        for (column, word, other) in [
            ("crop_mode", "Robust", "whole body"),
            ("origin", "Original", "ORIGINAL"),
            ("view_source", "ViewCode", "whole body"),
            ("delay", "Usual", "late"),
            ("acquired", ",1000,", ",10:00,"),
            ("acquisition", "WholeBody", "whole body"),
            ("contralateral_ratio", ",1.25,", ",high,"),
            ("contralateral_ratio", ",1.25,", ",inf,"),
            ("synthetic", "yes,stray", "maybe,stray"),
            ("names_patient", "lossy,yes", "lossy,Maier"),
            ("study_digest", ",0000000000000007,", ",7,"),
            ("study_digest", "-0a,", "-zz,"),
            ("scanner_model", ",symbia", ",SYMBIA T2"),
        ] {
            let changed = table.replace(word, other);
            let error = read(2, changed.as_bytes()).unwrap_err().to_string();
            let expected = format!("shard 2, row 1, column {column}: ");
            assert!(error.starts_with(&expected), "{error}");
        }
    }

    #[test]
    fn a_table_from_before_scanners_were_kept_is_read_without_any() {
        let table = String::from_utf8(write(&[fixtures::record(7)]).unwrap()).unwrap();
        let without = |line: &str| line.rsplit_once(',').unwrap_or_default().0.to_owned();
        let earlier: String = table.lines().map(|line| without(line) + "\n").collect();
        let record = read(2, earlier.as_bytes()).unwrap().remove(0);
        let expected = Record {
            scanner_model: None,
            ..fixtures::record(7)
        };
        assert_eq!(record, expected);
    }

    #[test]
    fn a_table_from_before_there_were_digests_is_read_without_any() {
        let table = String::from_utf8(write(&[fixtures::record(7)]).unwrap()).unwrap();
        let without = |line: &str| line.rsplitn(5, ',').last().unwrap_or_default().to_owned();
        let earlier: String = table.lines().map(|line| without(line) + "\n").collect();
        assert!(earlier.ends_with(",sealed 7\n"), "{earlier}");
        let record = read(2, earlier.as_bytes()).unwrap().remove(0);
        let expected = Record {
            digests: None,
            scanner_model: None,
            ..fixtures::record(7)
        };
        assert_eq!(record, expected);
        let empty = write(std::slice::from_ref(&expected)).unwrap();
        assert_eq!(read(2, &empty).unwrap(), [expected]);
    }
}
