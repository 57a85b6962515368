//! What an object says of itself by which the objects of one study, and the studies of one patient, are told
//! apart.

use std::fmt;

use serde::Serialize;
use strum::{EnumString, IntoStaticStr};

use super::dicom::{self, AttributeError, DataSet, Moment};

/// Whether an image is as the camera made it, by the first value of Image Type (0008,0008) (PS3.3,
/// C.7.6.1.1.2); what is closer to the camera comes first.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, EnumString, IntoStaticStr,
)]
pub enum Origin {
    /// ORIGINAL: its pixels are those of the acquisition.
    Original,
    /// Neither word.
    NotStated,
    /// DERIVED: its pixels were made of those of another image.
    Derived,
}

/// Patient ID (0010,0020), where it tells patients apart.
///
/// It identifies a patient, so its `Debug` hides it and it has no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct PatientId(String);

/// What exporters and de-identifiers write where they do not tell the patient, without letters' case, blanks
/// and signs.
const PLACEHOLDERS: &[&str] = &[
    "ANON",
    "ANONYM",
    "ANONYME",
    "ANONYMOUS",
    "ANONYMIZED",
    "ANONYMISED",
    "ANONYMISE",
    "ANONIMO",
    "ANONIMIZADO",
    "ANONYMISIERT",
    "ANONYMISOITU",
    "ANONYMISERAD",
    "DEIDENTIFIED",
    "DEID",
    "REMOVED",
    "REDACTED",
    "HIDDEN",
    "BLANK",
    "EMPTY",
    "MASKED",
    "UNKNOWN",
    "UNK",
    "UNBEKANNT",
    "INCONNU",
    "DESCONOCIDO",
    "SCONOSCIUTO",
    "IGNOTO",
    "TUNTEMATON",
    "OKAND",
    "OKÄND",
    "NONE",
    "NIL",
    "NULL",
    "NA",
    "NAN",
    "NOID",
    "NOTAVAILABLE",
    "NOTSTATED",
    "UNSPECIFIED",
    "UNDEFINED",
    "MISSING",
    "DEFAULT",
    "DUMMY",
    "TEST",
    "TESTPATIENT",
    "PATIENT",
    "PATIENTID",
    "PAT",
    "ID",
    "12345",
    "123456",
    "1234567",
    "12345678",
    "123456789",
];

impl PatientId {
    /// The identifier, whose case, blanks and leading zeros do not matter; none where it is a placeholder, or
    /// is of a single letter or of one that is repeated.
    pub fn new(text: &str) -> Option<Self> {
        let text: String = text
            .chars()
            .filter(|letter| !letter.is_whitespace() && *letter != '\0')
            .flat_map(char::to_uppercase)
            .collect();
        let letters: String = text.chars().filter(|it| it.is_alphanumeric()).collect();
        let id = text.trim_start_matches('0');
        let first = letters.chars().next()?;
        let tells = letters.chars().any(|letter| letter != first)
            && id.chars().count() > 1
            && !PLACEHOLDERS.contains(&letters.as_str());
        tells.then(|| Self(id.to_owned()))
    }

    /// The identifier itself, to be blinded; never for a log or an artefact.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PatientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PatientId(redacted)")
    }
}

/// Whose image an object holds, when it was made and of what.
///
/// `Debug` shows the origin alone.
#[derive(Clone, PartialEq)]
pub struct Provenance {
    /// Whether it is as the camera made it.
    pub origin: Origin,
    /// Whose it is, where the object tells.
    pub patient: Option<PatientId>,
    /// When that patient was born, in days since one of no meaning, where the object tells. Never for a log or an
    /// artefact.
    pub birth_date: Option<i64>,
    /// When its acquisition began, in minutes since a moment of no meaning; of a time without a date, since
    /// midnight. Never for a log or an artefact.
    pub acquired: Option<i64>,
}

impl Provenance {
    pub(super) fn read(set: &DataSet<'_>) -> Result<Self, AttributeError> {
        let origin = match dicom::image_type(set)?.first().map(String::as_str) {
            Some("ORIGINAL") => Origin::Original,
            Some("DERIVED") => Origin::Derived,
            _ => Origin::NotStated,
        };
        // A Patient ID that cannot be read is one that tells nothing, and no reason to lose the scan.
        let patient = dicom::patient_id(set).ok().flatten();
        let acquired = dicom::acquisition_moment(set).map(|moment| match moment {
            Moment::Dated(seconds) | Moment::OfDay(seconds) => seconds.div_euclid(60),
        });
        Ok(Self {
            origin,
            patient: patient.as_deref().and_then(PatientId::new),
            birth_date: dicom::birth_date(set),
            acquired,
        })
    }
}

impl fmt::Debug for Provenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provenance")
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> Option<String> {
        PatientId::new(text).map(|id| id.0)
    }

    #[test]
    fn one_patient_is_one_identifier_however_it_is_typed() {
        for text in ["pat 00-17", " PAT 00-17\0", "PAT00-17"] {
            assert_eq!(id(text).as_deref(), Some("PAT00-17"), "{text}");
        }
        assert_eq!(id("0004711"), id("4711"));
        assert_ne!(id("4711"), id("4712"));
        assert_eq!(id("ANON0042").as_deref(), Some("ANON0042"));
    }

    #[test]
    fn a_placeholder_tells_no_patient() {
        for text in [
            "",
            "  ",
            "0",
            "1",
            "7",
            "000000",
            "9999",
            "XXX",
            "x",
            "001",
            "Anonymous",
            "ANON",
            "^anonym^",
            "not available",
            "N/A",
            "unknown",
            "(removed)",
            "Patient ID",
            "123456",
            "-",
            "unbekannt",
        ] {
            assert_eq!(id(text), None, "{text}");
        }
    }

    #[test]
    fn an_identifier_is_not_printed() {
        let id = PatientId::new("4711-SECRET");
        assert_eq!(format!("{id:?}"), "Some(PatientId(redacted))");
    }
}
