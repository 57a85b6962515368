//! Whose scan it is, for a page that a person looks at.

use std::fmt;

use super::dicom;
use super::error::Error;

/// What tells a person whose scan an object is.
///
/// It identifies a patient, so its `Debug` hides it, it has no `Display`, and nothing writes it down.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PatientLabel {
    /// Patient's Name (0010,0010), family name first, its parts with blanks between them.
    pub name: Option<String>,
    /// Patient ID (0010,0020).
    pub id: Option<String>,
    /// Accession Number (0008,0050).
    pub accession: Option<String>,
}

impl PatientLabel {
    /// Reads it from an object; none where that is no DICOM.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        Self::of(bytes).ok()
    }

    fn of(bytes: &[u8]) -> Result<Self, Error> {
        let file = dicom::open(bytes)?;
        let set = &file.set;
        Ok(Self {
            name: dicom::patient_name(set)?.map(|name| written(&name)),
            id: dicom::patient_id(set)?,
            accession: dicom::accession_number(set)?,
        })
    }
}

impl fmt::Debug for PatientLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PatientLabel(redacted)")
    }
}

/// A name's components, which `^` parts, of the first of its representations, which `=` parts (PS3.5, 6.2.1).
fn written(name: &str) -> String {
    let representation = name
        .split('=')
        .find(|it| !it.is_empty())
        .unwrap_or_default();
    let components = representation.split('^').filter(|it| !it.is_empty());
    components.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_written_as_people_write_it() {
        assert_eq!(written("Doe^Jane^^Dr"), "Doe Jane Dr");
        assert_eq!(written("Yamada^Tarou=山田^太郎"), "Yamada Tarou");
        assert_eq!(written("=山田^太郎"), "山田 太郎");
        assert_eq!(written(""), "");
    }

    #[test]
    fn what_identifies_a_patient_is_not_printed() {
        let label = PatientLabel {
            name: Some("Doe".to_owned()),
            ..PatientLabel::default()
        };
        assert_eq!(format!("{label:?}"), "PatientLabel(redacted)");
    }

    #[test]
    fn what_is_no_dicom_has_no_label() {
        assert_eq!(PatientLabel::read(b"nothing"), None);
    }
}
