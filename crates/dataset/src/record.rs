//! What is kept of a usable object beside its crop, and its row in a shard's table.

use csv::StringRecord;
use snafu::{OptionExt, ResultExt, ensure};

use super::covariates::{grade, truth, yes_or_no};
use super::error::{Error, RowSnafu, ShardSnafu, TableSnafu};
use super::preference::{self, Preference};
use super::{Covariates, LabelledStudy};
use attrium_imaging::{Acquisition, AnteriorImage, Crop, CropRectangle, ViewSource};
use attrium_types::{CropMode, Grade};

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
    /// Which of two objects of a study is used is decided by this: the lesser.
    pub(super) fn preference(&self) -> Preference {
        Preference::new(self.acquisition, self.view_source, self.counts)
    }
}

/// The table of a shard: a header and a row for each record.
pub(super) fn write(records: &[Record]) -> Result<Vec<u8>, Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let header = ["study", "patient", "grade"]
        .into_iter()
        .chain(Covariates::COLUMNS);
    writer
        .write_record(header.chain(IMAGE_COLUMNS))
        .context(TableSnafu)?;
    for record in records {
        let rectangle = &record.rectangle;
        let label = [record.study, record.patient, record.grade.value().into()]
            .map(|number| number.to_string());
        let covariates = record.covariates.columns().map(|(_, value)| value);
        let image = [
            format!("{:?}", rectangle.mode),
            rectangle.top.to_string(),
            rectangle.left.to_string(),
            rectangle.height.to_string(),
            rectangle.width.to_string(),
            format!("{:?}", record.view_source),
            format!("{:?}", record.acquisition),
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
        let row = Row {
            shard,
            number: number + 1,
            header: &header,
            values: row.ok().context(unreadable)?,
        };
        records.push(row.record()?);
    }
    Ok(records)
}

struct Row<'a> {
    shard: u32,
    number: usize,
    header: &'a StringRecord,
    values: StringRecord,
}

impl Row<'_> {
    fn record(&self) -> Result<Record, Error> {
        let mut covariates = Covariates::default();
        for column in Covariates::COLUMNS {
            let value = self.value(column)?;
            covariates
                .set(column, value)
                .ok()
                .context(self.fault(column))?;
        }
        let rectangle = CropRectangle {
            mode: self.named("crop_mode", |name| {
                preference::named(name, &[CropMode::Robust, CropMode::Paper])
            })?,
            top: self.number("crop_top")?,
            left: self.number("crop_left")?,
            height: self.number("crop_height")?,
            width: self.number("crop_width")?,
        };
        let counts: f64 = self.number("counts")?;
        ensure!(counts.is_finite(), self.fault("counts"));
        let warnings = self
            .value("warnings")?
            .split_whitespace()
            .map(str::to_owned)
            .collect();
        Ok(Record {
            study: self.number("study")?,
            patient: self.number("patient")?,
            grade: grade(self.value("grade")?)
                .ok()
                .context(self.fault("grade"))?,
            covariates,
            rectangle,
            view_source: self.named("view_source", preference::view_source)?,
            acquisition: self.named("acquisition", preference::acquisition)?,
            counts,
            synthetic: truth(self.value("synthetic")?)
                .ok()
                .context(self.fault("synthetic"))?,
            warnings,
        })
    }

    fn value(&self, column: &'static str) -> Result<&str, Error> {
        let place = self.header.iter().position(|name| name == column);
        place
            .and_then(|place| self.values.get(place))
            .context(self.fault(column))
    }

    fn number<T: std::str::FromStr>(&self, column: &'static str) -> Result<T, Error> {
        self.value(column)?.parse().ok().context(self.fault(column))
    }

    fn named<T>(
        &self,
        column: &'static str,
        of_name: impl Fn(&str) -> Option<T>,
    ) -> Result<T, Error> {
        of_name(self.value(column)?).context(self.fault(column))
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
