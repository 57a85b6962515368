//! What `labels.csv` says of a study beside its grade.

use attrium_types::Grade;

/// The covariates of a study; `None` where `labels.csv` has no value.
///
/// Texts are kept as they are written: subgroups are made of equal texts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Covariates {
    /// The patient's age in years.
    pub age: Option<f32>,
    /// The patient's sex.
    pub sex: Option<String>,
    /// Why the scan was made.
    pub indication: Option<String>,
    /// The scanner's type.
    pub scanner: Option<String>,
    /// The acquisition protocol.
    pub protocol: Option<String>,
    /// Whether there are bone metastases.
    pub metastases: Option<bool>,
    /// The grade that a second reader gave.
    pub second_reader: Option<Grade>,
}

impl Covariates {
    /// The names of the columns, as in `labels.csv`.
    pub const COLUMNS: [&'static str; 7] = [
        "age",
        "sex",
        "indication",
        "scanner",
        "protocol",
        "metastases",
        "reader2",
    ];

    /// The columns in order, with their values as text: empty where unknown, metastases `yes` or
    /// `no`.
    pub fn columns(&self) -> [(&'static str, String); 7] {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let values = [
            self.age.map(|age| age.to_string()).unwrap_or_default(),
            text(&self.sex),
            text(&self.indication),
            text(&self.scanner),
            text(&self.protocol),
            self.metastases.map_or("", yes_or_no).to_owned(),
            self.second_reader
                .map(|grade| grade.to_string())
                .unwrap_or_default(),
        ];
        let mut values = values.into_iter();
        Self::COLUMNS.map(|name| (name, values.next().unwrap_or_default()))
    }

    /// Sets a column from its text; an empty text is an unknown value.
    ///
    /// On failure it returns what the column takes.
    pub(super) fn set(&mut self, column: &str, value: &str) -> Result<(), &'static str> {
        let value = (!value.is_empty()).then_some(value);
        let text = value.map(str::to_owned);
        match column {
            "age" => self.age = value.map(age).transpose()?,
            "sex" => self.sex = text,
            "indication" => self.indication = text,
            "scanner" => self.scanner = text,
            "protocol" => self.protocol = text,
            "metastases" => self.metastases = value.map(truth).transpose()?,
            "reader2" => self.second_reader = value.map(grade).transpose()?,
            _ => {}
        }
        Ok(())
    }
}

/// The text of a truth value.
pub(super) const fn yes_or_no(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}

/// Reads a grade; a table of numbers may write 2 as 2.0.
pub(super) fn grade(text: &str) -> Result<Grade, &'static str> {
    let number = text.strip_suffix(".0").unwrap_or(text);
    number
        .parse::<u8>()
        .ok()
        .and_then(|value| Grade::try_from(value).ok())
        .ok_or("a Perugini grade: 0, 1, 2 or 3")
}

fn age(text: &str) -> Result<f32, &'static str> {
    let number: f32 = text.replace(',', ".").parse().map_err(|_| AGE)?;
    if (0.0..=130.0).contains(&number) {
        Ok(number)
    } else {
        Err(AGE)
    }
}

const AGE: &str = "an age in years from 0 to 130, or nothing";

pub(super) fn truth(text: &str) -> Result<bool, &'static str> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "true" | "1" => Ok(true),
        "no" | "false" | "0" => Ok(false),
        _ => Err("yes, no, true, false, 1, 0 or nothing"),
    }
}
