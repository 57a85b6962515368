//! Studies and their objects.

use rusqlite::{OptionalExtension, Row, params};

use super::Session;

/// A study.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StudyRow {
    /// What people call it.
    pub number: u64,
    /// The keyed digest of its Study Instance UID.
    pub key: String,
    /// A word for what it is in.
    pub state: String,
    /// When its first object was kept, in milliseconds since 1970.
    pub opened_at: i64,
    /// When it last changed.
    pub changed_at: i64,
    /// All that is known of it, in its owner's form.
    pub record: String,
}

/// An object that was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectRow {
    /// The number of its arrival.
    pub arrival: u64,
    /// The SHA-256 of its bytes, in hexadecimal digits.
    pub digest: String,
    /// How many bytes it has.
    pub bytes: u64,
    /// Its study's number; none where it does not say which it is of.
    pub study: Option<u64>,
    /// The keyed digest of its SOP Instance UID, where it has one.
    pub instance: Option<String>,
    /// The AE title of who sent it, where that is known.
    pub sender: Option<String>,
    /// When it was kept.
    pub received_at: i64,
    /// Whether its file is gone.
    pub is_removed: bool,
}

const STUDY: &str = "SELECT number, key, state, opened_at, changed_at, record FROM study";
const OBJECT: &str =
    "SELECT arrival, digest, bytes, study, instance, sender, received_at, removed FROM object";

impl StudyRow {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            number: row.get(0)?,
            key: row.get(1)?,
            state: row.get(2)?,
            opened_at: row.get(3)?,
            changed_at: row.get(4)?,
            record: row.get(5)?,
        })
    }
}

impl ObjectRow {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            arrival: row.get(0)?,
            digest: row.get(1)?,
            bytes: row.get(2)?,
            study: row.get(3)?,
            instance: row.get(4)?,
            sender: row.get(5)?,
            received_at: row.get(6)?,
            is_removed: row.get(7)?,
        })
    }
}

impl Session<'_> {
    /// The study with a key.
    pub fn study_by_key(&self, key: &str) -> rusqlite::Result<Option<StudyRow>> {
        let sql = format!("{STUDY} WHERE key = ?1");
        let mut statement = self.connection.prepare_cached(&sql)?;
        statement.query_row([key], StudyRow::read).optional()
    }

    /// The study with a number.
    pub fn study(&self, number: u64) -> rusqlite::Result<Option<StudyRow>> {
        let sql = format!("{STUDY} WHERE number = ?1");
        let mut statement = self.connection.prepare_cached(&sql)?;
        statement.query_row([number], StudyRow::read).optional()
    }

    /// The studies in a state, the first first.
    pub fn studies_in(&self, state: &str) -> rusqlite::Result<Vec<StudyRow>> {
        let sql = format!("{STUDY} WHERE state = ?1 ORDER BY number");
        let mut statement = self.connection.prepare_cached(&sql)?;
        statement.query_map([state], StudyRow::read)?.collect()
    }

    /// The latest studies that were opened at an instant or after it, the last first.
    pub fn studies_since(&self, since: i64, most: u32) -> rusqlite::Result<Vec<StudyRow>> {
        let sql = format!("{STUDY} WHERE opened_at >= ?1 ORDER BY number DESC LIMIT ?2");
        let mut statement = self.connection.prepare_cached(&sql)?;
        statement
            .query_map(params![since, most], StudyRow::read)?
            .collect()
    }

    /// Makes a study; gives its number.
    pub fn add_study(
        &self,
        key: &str,
        state: &str,
        at: i64,
        record: &str,
    ) -> rusqlite::Result<u64> {
        let sql = "INSERT INTO study (key, state, opened_at, changed_at, record) VALUES (?1, ?2, ?3, ?3, ?4)";
        let mut statement = self.connection.prepare_cached(sql)?;
        let number = statement.insert(params![key, state, at, record])?;
        Ok(number.cast_unsigned())
    }

    /// Changes a study.
    pub fn set_study(
        &self,
        number: u64,
        state: &str,
        at: i64,
        record: &str,
    ) -> rusqlite::Result<()> {
        let sql = "UPDATE study SET state = ?2, changed_at = ?3, record = ?4 WHERE number = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        statement.execute(params![number, state, at, record])?;
        Ok(())
    }

    /// Removes a study with all that is known of it; its objects' rows stay, of no study.
    pub fn remove_study(&self, number: u64) -> rusqlite::Result<()> {
        for sql in [
            "DELETE FROM outbox WHERE study = ?1",
            "DELETE FROM review WHERE study = ?1",
            "DELETE FROM object WHERE study = ?1 AND removed = 1",
            "UPDATE object SET study = NULL WHERE study = ?1",
            "DELETE FROM study WHERE number = ?1",
        ] {
            self.connection.execute(sql, [number])?;
        }
        Ok(())
    }

    /// Adds an object.
    pub fn add_object(&self, object: &ObjectRow) -> rusqlite::Result<()> {
        let sql = "INSERT INTO object (arrival, digest, bytes, study, instance, sender, received_at, removed) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        let mut statement = self.connection.prepare_cached(sql)?;
        statement.execute(params![
            object.arrival,
            object.digest,
            object.bytes,
            object.study,
            object.instance,
            object.sender,
            object.received_at,
            object.is_removed,
        ])?;
        Ok(())
    }

    /// The object of an arrival.
    pub fn object(&self, arrival: u64) -> rusqlite::Result<Option<ObjectRow>> {
        let sql = format!("{OBJECT} WHERE arrival = ?1");
        let mut statement = self.connection.prepare_cached(&sql)?;
        statement.query_row([arrival], ObjectRow::read).optional()
    }

    /// The objects of a study, in the order of their arrival.
    pub fn objects_of(&self, study: u64) -> rusqlite::Result<Vec<ObjectRow>> {
        let sql = format!("{OBJECT} WHERE study = ?1 ORDER BY arrival");
        let mut statement = self.connection.prepare_cached(&sql)?;
        statement.query_map([study], ObjectRow::read)?.collect()
    }

    /// The objects of no study that were kept before an instant and are still there.
    pub fn stray_objects(&self, before: i64) -> rusqlite::Result<Vec<ObjectRow>> {
        let sql = format!("{OBJECT} WHERE study IS NULL AND received_at < ?1 AND removed = 0");
        let mut statement = self.connection.prepare_cached(&sql)?;
        statement.query_map([before], ObjectRow::read)?.collect()
    }

    /// Says that the file of an object is gone.
    pub fn mark_removed(&self, arrival: u64) -> rusqlite::Result<()> {
        let sql = "UPDATE object SET removed = 1 WHERE arrival = ?1";
        self.connection.execute(sql, [arrival])?;
        Ok(())
    }
}
