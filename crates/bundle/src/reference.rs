//! `reference.json`: how the cohort of a model was spread, which a screening is compared with.

use attrium_evaluation::monitoring::Reference;
use attrium_imaging::ScannerModel;
use serde::{Deserialize, Serialize};
use snafu::{ResultExt, ensure};

use super::error::{
    Error, ReferenceSnafu, ReferenceVersionSnafu, UnreadableReferenceSnafu, UnwritableSnafu,
};

/// The version of `reference.json` that is written and read here.
const VERSION: u32 = 1;

/// `reference.json`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct File<R> {
    format_version: u32,
    #[serde(flatten)]
    reference: R,
}

/// What `reference.json` of any version has.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Versioned {
    format_version: u64,
}

/// The file of a reference.
///
/// # Errors
/// [`Error::Unwritable`], which does not happen while its numbers are finite.
pub fn reference_to_json(reference: &Reference) -> Result<Vec<u8>, Error> {
    let file = File {
        format_version: VERSION,
        reference,
    };
    let mut json = serde_json::to_vec_pretty(&file).context(UnwritableSnafu)?;
    json.push(b'\n');
    Ok(json)
}

/// Reads what [`reference_to_json`] wrote.
///
/// # Errors
/// [`Error`], for a file of another version, and for one that no cohort can have.
pub fn reference_from_json(json: &[u8]) -> Result<Reference, Error> {
    let Versioned { format_version } =
        serde_json::from_slice(json).context(UnreadableReferenceSnafu)?;
    ensure!(
        format_version == u64::from(VERSION),
        ReferenceVersionSnafu {
            found: format_version,
            expected: VERSION
        }
    );
    let File { reference, .. } =
        serde_json::from_slice::<File<Reference>>(json).context(UnreadableReferenceSnafu)?;
    let mut scanners = reference.scanners.keys();
    let are_words = scanners.all(|scanner| scanner.parse::<ScannerModel>().is_ok());
    ensure!(are_words && reference.is_sound(), ReferenceSnafu);
    Ok(reference)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::reference;

    #[test]
    fn a_reference_is_read_back_as_it_was_written() {
        let json = reference_to_json(&reference()).unwrap();
        assert_eq!(reference_from_json(&json).unwrap(), reference());
    }

    #[test]
    fn what_no_cohort_can_have_is_refused() {
        let json = String::from_utf8(reference_to_json(&reference()).unwrap()).unwrap();
        for (from, to) in [
            ("\"formatVersion\": 1", "\"formatVersion\": 2"),
            ("\"symbia\"", "\"MAIER 4711\""),
            ("\"part\": 2", "\"part\": 1000"),
            ("\"deviation\": ", "\"deviation\": -"),
            ("\"quantiles\": [", "\"quantiles\": [1e300,"),
            ("\"counts\"", "\"colour\""),
        ] {
            let changed = json.replacen(from, to, 1);
            assert_ne!(changed, json, "{from}");
            assert!(reference_from_json(changed.as_bytes()).is_err(), "{from}");
        }
    }
}
