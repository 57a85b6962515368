//! What a station knows of its studies: an SQLite database beside the objects.
//!
//! It holds no identifier: studies and instances go by keyed digests, senders by their AE titles. What a study is in is
//! one text that this module does not look into. A change is one transaction, durable when it returns; files can
//! rebuild what a lost database knew of objects, and not what people have said, which the audit has too.
//!
//! Never: a decision; a path that is made of what it holds.

mod outbox;
mod reviews;
mod senders;
mod studies;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior};
use snafu::{ResultExt, Snafu, ensure};

pub use outbox::{Attempt, Item, ItemState, OutboxCounts, OutboxItem};
pub use reviews::{Review, ReviewRow};
pub use senders::StrangerRow;
pub use studies::{ObjectRow, StudyRow};

/// The layout of the tables; a database of another one is not opened.
const VERSION: i64 = 1;

const SCHEMA: &str = include_str!("schema.sql");

/// Why the index cannot be used.
#[derive(Debug, Snafu)]
pub enum IndexError {
    /// SQLite's own reason.
    #[snafu(display("the index of the station cannot be read or written"))]
    Database {
        /// The reason.
        source: rusqlite::Error,
    },
    /// A database of a later version of the program.
    #[snafu(display(
        "the index of the station has version {found}, and this program knows {VERSION}: use the later program, or \
         another spool"
    ))]
    Version {
        /// Its version.
        found: i64,
    },
    /// A broken database that cannot be put out of the way.
    #[snafu(display("the broken index of the station cannot be moved aside"))]
    MoveAside {
        /// The reason.
        source: std::io::Error,
    },
}

/// The database's own results and errors, for whoever works within a [`Session`].
pub mod database {
    use std::error::Error;

    pub use rusqlite::Result;

    /// A row whose text is not what its owner writes.
    pub fn unreadable(reason: Box<dyn Error + Send + Sync>) -> rusqlite::Error {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, reason)
    }
}

/// What was found where the index is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A sound index.
    Sound,
    /// Nothing: a new one was made.
    Nothing,
    /// A broken one, which was moved to this file name; a new one was made.
    Broken(String),
}

/// The index of a station, which one process has at a time.
#[derive(Debug)]
pub struct Index {
    connection: Mutex<Connection>,
}

/// A look at the index, or a change of it.
#[derive(Debug)]
pub struct Session<'a> {
    connection: &'a Connection,
}

impl Index {
    /// Opens the index, or makes it; one that SQLite finds broken is moved aside, since files can rebuild it.
    ///
    /// # Errors
    /// A disk that fails, and an index of a later version.
    pub fn open(path: &Path) -> Result<(Self, Found), IndexError> {
        let is_new = !path.exists();
        match Self::sound(path) {
            Ok(index) if is_new => Ok((index, Found::Nothing)),
            Ok(index) => Ok((index, Found::Sound)),
            Err(IndexError::Database { source }) if is_broken(&source) => {
                let name = move_aside(path)?;
                Ok((Self::sound(path)?, Found::Broken(name)))
            }
            Err(error) => Err(error),
        }
    }

    fn sound(path: &Path) -> Result<Self, IndexError> {
        let connection = Connection::open(path).context(DatabaseSnafu)?;
        prepare(&connection).context(DatabaseSnafu)?;
        let found: i64 = connection
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .context(DatabaseSnafu)?;
        ensure!(found <= VERSION, VersionSnafu { found });
        if found == 0 {
            connection.execute_batch(SCHEMA).context(DatabaseSnafu)?;
        }
        Ok(Self {
            connection: Mutex::new(connection),
        })
    }

    /// Looks at one state of the index.
    ///
    /// # Errors
    /// What the look meets.
    pub fn read<T>(
        &self,
        look: impl FnOnce(&Session<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, IndexError> {
        self.within(TransactionBehavior::Deferred, look)
    }

    /// Changes the index: all of it, durably, or nothing.
    ///
    /// # Errors
    /// What the change meets.
    pub fn write<T>(
        &self,
        change: impl FnOnce(&Session<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, IndexError> {
        self.within(TransactionBehavior::Immediate, change)
    }

    fn within<T>(
        &self,
        behavior: TransactionBehavior,
        work: impl FnOnce(&Session<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, IndexError> {
        let connection = self.lock();
        let transaction =
            Transaction::new_unchecked(&connection, behavior).context(DatabaseSnafu)?;
        let session = Session {
            connection: &transaction,
        };
        let result = work(&session).context(DatabaseSnafu)?;
        transaction.commit().context(DatabaseSnafu)?;
        Ok(result)
    }

    /// A panic within a transaction has rolled it back.
    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Every commit is synced, and no second process gets in.
fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    let sound: String = connection.pragma_query_value(None, "quick_check", |row| row.get(0))?;
    if sound == "ok" {
        return Ok(());
    }
    Err(rusqlite::Error::SqliteFailure(
        rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT),
        None,
    ))
}

fn is_broken(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    matches!(
        error.sqlite_error_code(),
        Some(DatabaseCorrupt | NotADatabase)
    )
}

/// Renames the database and what SQLite keeps beside it; returns the new name.
fn move_aside(path: &Path) -> Result<String, IndexError> {
    let sibling = |number: u32, suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".broken-{number}{suffix}"));
        PathBuf::from(name)
    };
    let mut number = 1;
    while sibling(number, "").exists() {
        number += 1;
    }
    for suffix in ["-wal", "-shm", ""] {
        let mut from = path.as_os_str().to_owned();
        from.push(suffix);
        let from = PathBuf::from(from);
        if from.exists() {
            fs::rename(from, sibling(number, suffix)).context(MoveAsideSnafu)?;
        }
    }
    let name = sibling(number, "");
    Ok(name
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned())
}

#[cfg(test)]
mod tests;
