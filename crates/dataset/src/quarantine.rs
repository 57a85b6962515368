//! `quarantine.csv`: the objects that are not used, each with its reason.
//!
//! It names objects by their keys, since somebody has to look at them; nothing else of a run does.

use std::{collections::BTreeMap, fmt};

use snafu::{OptionExt, ResultExt};

use super::error::{Error, QuarantineSnafu, SealedSnafu, TableSnafu};
use super::{LeftOut, Pseudonyms};

/// The objects set aside.
///
/// `Debug` shows their number alone.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Quarantine {
    /// By object, so that the table does not depend on the order of work; of two objects that are written alike
    /// each keeps its row.
    entries: BTreeMap<String, Vec<QuarantineEntry>>,
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
        self.entries.entry(object.into()).or_default().push(entry);
    }

    /// Sets aside the objects that do not stand for their study.
    ///
    /// # Errors
    /// When a key was sealed with other labels than these.
    pub fn add_left_out(
        &mut self,
        objects: &[LeftOut],
        pseudonyms: &Pseudonyms,
    ) -> Result<(), Error> {
        for LeftOut { object, standing } in objects {
            if let Some(reason) = standing.reason() {
                let key = pseudonyms.open(object).context(SealedSnafu)?;
                self.add(key, reason, standing.sentence());
            }
        }
        Ok(())
    }

    /// Takes over the entries of another table, such as another shard's.
    pub fn extend(&mut self, other: Self) {
        for (object, entries) in other.entries {
            self.entries.entry(object).or_default().extend(entries);
        }
    }

    /// How many objects are set aside.
    pub fn len(&self) -> usize {
        self.entries.values().map(Vec::len).sum()
    }

    /// Whether no object is.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many objects are set aside for each reason.
    pub fn by_reason(&self) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for entry in self.entries.values().flatten() {
            *counts.entry(entry.reason.as_str()).or_insert(0) += 1;
        }
        counts
    }

    /// The objects, sorted by key, with why each is set aside.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &QuarantineEntry)> {
        self.entries.iter().flat_map(|(object, entries)| {
            let object = object.as_str();
            entries.iter().map(move |entry| (object, entry))
        })
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
        for (object, entry) in self.iter() {
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
    fn objects_whose_keys_are_written_alike_have_a_row_each() {
        let mut quarantine = Quarantine::default();
        quarantine.add("K\\xF6ln.dcm", "impossible-key", "a name that is not UTF-8");
        let mut other = Quarantine::default();
        other.add("K\\xF6ln.dcm", "truncated", "cut short");
        quarantine.extend(other);
        assert_eq!(quarantine.len(), 2);
        let read = Quarantine::parse(&quarantine.to_csv().unwrap()).unwrap();
        assert!(read == quarantine);
        assert_eq!(read.iter().count(), 2);
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
