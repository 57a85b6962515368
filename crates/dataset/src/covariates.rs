//! What `labels.csv` says of a study beside its grade.

use attrium_types::Grade;
use strum::{IntoStaticStr, VariantArray, VariantNames};

/// A covariate by its column in `labels.csv`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, VariantArray, VariantNames)]
#[strum(serialize_all = "lowercase")]
pub(super) enum Covariate {
    Age,
    Sex,
    Indication,
    Scanner,
    Protocol,
    Metastases,
    #[strum(serialize = "reader2")]
    SecondReader,
}

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
    pub const COLUMNS: &[&str] = <Covariate as VariantNames>::VARIANTS;

    /// The columns in order, with their values as text.
    pub fn columns(&self) -> impl Iterator<Item = (&'static str, String)> {
        let covariates = <Covariate as VariantArray>::VARIANTS.iter();
        covariates.map(|&covariate| (covariate.into(), self.value(covariate)))
    }

    /// A value as text: empty where unknown, metastases `yes` or `no`.
    fn value(&self, covariate: Covariate) -> String {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        match covariate {
            Covariate::Age => self.age.map(|age| age.to_string()).unwrap_or_default(),
            Covariate::Sex => text(&self.sex),
            Covariate::Indication => text(&self.indication),
            Covariate::Scanner => text(&self.scanner),
            Covariate::Protocol => text(&self.protocol),
            Covariate::Metastases => self.metastases.map_or("", yes_or_no).to_owned(),
            Covariate::SecondReader => {
                let grade = self.second_reader.map(|grade| grade.to_string());
                grade.unwrap_or_default()
            }
        }
    }

    /// Sets a covariate from its text; an empty text is an unknown value.
    ///
    /// On failure it returns what the column takes.
    pub(super) fn set(&mut self, covariate: Covariate, value: &str) -> Result<(), &'static str> {
        let value = (!value.is_empty()).then_some(value);
        let text = value.map(str::to_owned);
        match covariate {
            Covariate::Age => self.age = value.map(parse_age).transpose()?,
            Covariate::Sex => self.sex = text,
            Covariate::Indication => self.indication = text,
            Covariate::Scanner => self.scanner = text,
            Covariate::Protocol => self.protocol = text,
            Covariate::Metastases => self.metastases = value.map(parse_yes_or_no).transpose()?,
            Covariate::SecondReader => self.second_reader = value.map(parse_grade).transpose()?,
        }
        Ok(())
    }
}

/// The text of a truth value.
pub(super) const fn yes_or_no(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}

/// Reads a grade; a table of numbers may write 2 as 2.0.
pub(super) fn parse_grade(text: &str) -> Result<Grade, &'static str> {
    let number = text.strip_suffix(".0").unwrap_or(text);
    number
        .parse::<u8>()
        .ok()
        .and_then(|value| Grade::try_from(value).ok())
        .ok_or("a Perugini grade: 0, 1, 2 or 3")
}

fn parse_age(text: &str) -> Result<f32, &'static str> {
    let number: f32 = text.replace(',', ".").parse().map_err(|_| AGE)?;
    if (0.0..=130.0).contains(&number) {
        Ok(number)
    } else {
        Err(AGE)
    }
}

const AGE: &str = "an age in years from 0 to 130, or nothing";

pub(super) fn parse_yes_or_no(text: &str) -> Result<bool, &'static str> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "true" | "1" => Ok(true),
        "no" | "false" | "0" => Ok(false),
        _ => Err("yes, no, true, false, 1, 0 or nothing"),
    }
}
