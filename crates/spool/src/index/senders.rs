//! Who has tried to send and may not.

use rusqlite::params;

use super::Session;

/// The most strangers that are kept: whoever makes up names fills no disk.
const MOST: u32 = 1000;

/// Who has tried to send and may not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StrangerRow {
    /// What it calls itself.
    pub ae_title: String,
    /// Where it is.
    pub address: String,
    /// Why it may not, in a word.
    pub reason: String,
    /// How often it has tried.
    pub times: u64,
    /// When it last tried, in milliseconds since 1970.
    pub last_at: i64,
}

impl Session<'_> {
    /// Counts a stranger's try.
    pub fn add_stranger(
        &self,
        ae_title: &str,
        address: &str,
        reason: &str,
        at: i64,
    ) -> rusqlite::Result<()> {
        let sql = "INSERT INTO stranger (ae_title, address, reason, times, last_at) VALUES (?1, ?2, ?3, 1, ?4) \
                   ON CONFLICT DO UPDATE SET times = times + 1, last_at = ?4";
        let mut statement = self.connection.prepare_cached(sql)?;
        statement.execute(params![ae_title, address, reason, at])?;
        let sql = "DELETE FROM stranger WHERE rowid NOT IN \
                   (SELECT rowid FROM stranger ORDER BY last_at DESC LIMIT ?1)";
        self.connection.prepare_cached(sql)?.execute([MOST])?;
        Ok(())
    }

    /// The strangers since an instant, the last first.
    pub fn strangers_since(&self, since: i64) -> rusqlite::Result<Vec<StrangerRow>> {
        let sql = "SELECT ae_title, address, reason, times, last_at FROM stranger \
                   WHERE last_at >= ?1 ORDER BY last_at DESC";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([since], |row| {
            Ok(StrangerRow {
                ae_title: row.get(0)?,
                address: row.get(1)?,
                reason: row.get(2)?,
                times: row.get(3)?,
                last_at: row.get(4)?,
            })
        })?;
        rows.collect()
    }
}
