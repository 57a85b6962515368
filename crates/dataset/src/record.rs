//! What is kept of a usable object beside its crop, and its row in a shard's table.

use std::str::FromStr;

use csv::StringRecord;
use snafu::{OptionExt, ResultExt, ensure};
use strum::VariantArray;

use super::covariates::{Covariate, parse_grade, parse_yes_or_no, yes_or_no};
use super::error::{Error, RowSnafu, ShardSnafu, TableSnafu};
use super::preference::Preference;
use super::{Covariates, LabelledStudy};
use attrium_imaging::{Acquisition, AnteriorImage, Crop, CropRectangle, ViewSource};
use attrium_types::Grade;

/// A usable object: its study's pseudonym and label, and how its crop was made.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The study's pseudonym.
    pub study: u32,
    /// The patient's pseudonym.
    pub patient: u32,
    /// The reader's grade.
    pub grade: Grade,
    /// What else `labels.csv` says of the study.
    pub covariates: Covariates,
    /// Where the crop lies on the anterior image.
    pub rectangle: CropRectangle,
    /// How the view is known.
    pub view_source: ViewSource,
    /// Whole body or static.
    pub acquisition: Acquisition,
    /// The counts of the whole anterior image.
    pub counts: f64,
    /// Whether the object says that it is a phantom.
    pub synthetic: bool,
    /// The codes of the warnings of image and crop.
    pub warnings: Vec<String>,
}

const IMAGE_COLUMNS: [&str; 10] = [
    "crop_mode",
    "crop_top",
    "crop_left",
    "crop_height",
    "crop_width",
    "view_source",
    "acquisition",
    "counts",
    "synthetic",
    "warnings",
];

impl Record {
    /// Decides which of two objects of a study is used: that of the lesser.
    pub(super) fn preference(&self) -> Preference {
        Preference::new(self.acquisition, self.view_source, self.counts)
    }
}

/// The table of a shard: a header and a row for each record.
pub(super) fn write(records: &[Record]) -> Result<Vec<u8>, Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let header = ["study", "patient", "grade"]
        .into_iter()
        .chain(Covariates::COLUMNS.iter().copied());
    writer
        .write_record(header.chain(IMAGE_COLUMNS))
        .context(TableSnafu)?;
    for record in records {
        let rectangle = &record.rectangle;
        let label = [record.study, record.patient, record.grade.value().into()]
            .map(|number| number.to_string());
        let covariates = record.covariates.columns().map(|(_, value)| value);
        let image = [
            word(rectangle.mode),
            rectangle.top.to_string(),
            rectangle.left.to_string(),
            rectangle.height.to_string(),
            rectangle.width.to_string(),
            word(record.view_source),
            word(record.acquisition),
            record.counts.to_string(),
            yes_or_no(record.synthetic).to_owned(),
            record.warnings.join(" "),
        ];
        let row = label.into_iter().chain(covariates).chain(image);
        writer.write_record(row).context(TableSnafu)?;
    }
    writer
        .into_inner()
        .map_err(|error| error.into_error().into())
        .context(TableSnafu)
}

fn word(variant: impl Into<&'static str>) -> String {
    variant.into().to_owned()
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
        let counts: f64 = self.parsed("counts")?;
        ensure!(counts.is_finite(), self.fault("counts"));
        let warnings = self.value("warnings")?.split_whitespace();
        Ok(Record {
            study: self.parsed("study")?,
            patient: self.parsed("patient")?,
            grade: self.read("grade", parse_grade)?,
            covariates: self.covariates()?,
            rectangle: CropRectangle {
                mode: self.parsed("crop_mode")?,
                top: self.parsed("crop_top")?,
                left: self.parsed("crop_left")?,
                height: self.parsed("crop_height")?,
                width: self.parsed("crop_width")?,
            },
            view_source: self.parsed("view_source")?,
            acquisition: self.parsed("acquisition")?,
            counts,
            synthetic: self.read("synthetic", parse_yes_or_no)?,
            warnings: warnings.map(str::to_owned).collect(),
        })
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

impl LabelledStudy {
    /// The record of an object of this study, from its anterior image and the crop of that.
    pub fn record(&self, image: &AnteriorImage, crop: &Crop) -> Record {
        let warnings = image.warnings.iter().chain(&crop.warnings);
        Record {
            study: self.study,
            patient: self.patient,
            grade: self.grade,
            covariates: self.covariates.clone(),
            rectangle: crop.rectangle,
            view_source: image.view_source,
            acquisition: image.acquisition,
            counts: image.counts.sum(),
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
             crop_mode,crop_top,crop_left,crop_height,crop_width,view_source,acquisition,counts,\
             synthetic,warnings\n\
             7,3,3,77.1,F,\"suspected, \"\"ATTR\"\"; heart\",,Ganzkörper,no,3,\
             Robust,204,64,128,128,ViewCode,WholeBody,3596452.25,yes,stray-counts lossy\n"
        );
    }

    #[test]
    fn a_word_that_no_table_has_is_refused_by_its_column() {
        let table = String::from_utf8(write(&[fixtures::record(7)]).unwrap()).unwrap();
        for (column, word) in [
            ("crop_mode", "Robust"),
            ("view_source", "ViewCode"),
            ("acquisition", "WholeBody"),
            ("synthetic", "yes"),
        ] {
            let changed = table.replace(word, "whole body");
            let error = read(2, changed.as_bytes()).unwrap_err().to_string();
            let expected = format!("shard 2, row 1, column {column}: ");
            assert!(error.starts_with(&expected), "{error}");
        }
    }
}
