//! `quarantine.csv`: the objects that could not be used, each with its reason.
//!
//! It names objects by their keys, since somebody has to look at them; nothing else of a run does.

use std::{collections::BTreeMap, fmt};

use snafu::{OptionExt, ResultExt};

use super::error::{Error, QuarantineSnafu, TableSnafu};

/// The objects set aside.
///
/// `Debug` shows their number alone.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Quarantine {
    /// By object, so that the table does not depend on the order of work.
    entries: BTreeMap<String, QuarantineEntry>,
}

/// Why an object is set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuarantineEntry {
    /// A short stable word, to count by.
    pub reason: String,
    /// A sentence for a person.
    pub sentence: String,
}

impl Quarantine {
    /// Sets an object aside; `object` is its key below the prefix of the images.
    pub fn add(
        &mut self,
        object: impl Into<String>,
        reason: impl Into<String>,
        sentence: impl Into<String>,
    ) {
        let entry = QuarantineEntry {
            reason: reason.into(),
            sentence: sentence.into(),
        };
        self.entries.insert(object.into(), entry);
    }

    /// Takes over the entries of another table, such as another shard's.
    pub fn extend(&mut self, other: Self) {
        self.entries.extend(other.entries);
    }

    /// How many objects are set aside.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no object is.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many objects are set aside for each reason.
    pub fn by_reason(&self) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for entry in self.entries.values() {
            *counts.entry(entry.reason.as_str()).or_insert(0) += 1;
        }
        counts
    }

    /// The objects, sorted by key, with why each is set aside.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &QuarantineEntry)> {
        self.entries
            .iter()
            .map(|(object, entry)| (object.as_str(), entry))
    }

    /// The table `object,reason,sentence`.
    ///
    /// # Errors
    /// Only when the writer fails.
    pub fn to_csv(&self) -> Result<Vec<u8>, Error> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer
            .write_record(["object", "reason", "sentence"])
            .context(TableSnafu)?;
        for (object, entry) in &self.entries {
            let row = [object, &entry.reason, &entry.sentence];
            writer.write_record(row).context(TableSnafu)?;
        }
        writer
            .into_inner()
            .map_err(|error| error.into_error().into())
            .context(TableSnafu)
    }

    /// Reads what [`Self::to_csv`] wrote.
    ///
    /// # Errors
    /// When a row does not have the three values.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let mut quarantine = Self::default();
        for (number, row) in csv::Reader::from_reader(bytes).records().enumerate() {
            let invalid = QuarantineSnafu { row: number + 1 };
            let row = row.ok().context(invalid)?;
            let [Some(object), Some(reason), Some(sentence)] = [0, 1, 2].map(|at| row.get(at))
            else {
                return invalid.fail();
            };
            quarantine.add(object, reason, sentence);
        }
        Ok(quarantine)
    }
}

impl fmt::Debug for Quarantine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Quarantine")
            .field("objects", &self.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_reads_back_sorted_whatever_the_keys_hold() {
        let mut quarantine = Quarantine::default();
        quarantine.add("b, \"c\"\n.dcm", "not-dicom", "the object is no DICOM file");
        quarantine.add("ä.dcm", "not-dicom", "the object is no DICOM file");
        let mut other = Quarantine::default();
        other.add("a.dcm", "lossy", "an image, compressed with loss");
        quarantine.extend(other);
        let table = quarantine.to_csv().unwrap();
        assert!(table.starts_with(b"object,reason,sentence\na.dcm,lossy,"));
        let read = Quarantine::parse(&table).unwrap();
        assert!(read == quarantine);
        assert_eq!(
            read.iter().map(|(object, _)| object).collect::<Vec<_>>(),
            ["a.dcm", "b, \"c\"\n.dcm", "ä.dcm"]
        );
        assert_eq!(
            read.by_reason().into_iter().collect::<Vec<_>>(),
            [("lossy", 1), ("not-dicom", 2)]
        );
        assert_eq!(format!("{read:?}"), "Quarantine { objects: 3, .. }");
    }

    #[test]
    fn an_empty_table_has_its_header_and_a_torn_one_is_refused() {
        let table = Quarantine::default().to_csv().unwrap();
        assert_eq!(table, b"object,reason,sentence\n");
        assert!(Quarantine::parse(&table).unwrap().is_empty());
        let torn = Quarantine::parse(b"object,reason,sentence\na.dcm,lossy\n").unwrap_err();
        assert!(matches!(torn, Error::Quarantine { row: 1 }));
    }
}
