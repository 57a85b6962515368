//! What somebody is to be given or told, until they have it.

use rusqlite::{OptionalExtension, Row, params};

use super::Session;

/// What becomes of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemState {
    /// It is tried, or tried again.
    Pending,
    /// It has arrived.
    Done,
    /// It was refused for good.
    Refused,
    /// It was tried for as long as was asked for.
    GivenUp,
    /// A later revision has taken its place.
    Superseded,
}

impl ItemState {
    const ALL: [Self; 5] = [
        Self::Pending,
        Self::Done,
        Self::Refused,
        Self::GivenUp,
        Self::Superseded,
    ];

    /// The word in the table.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Done => "done",
            Self::Refused => "refused",
            Self::GivenUp => "given-up",
            Self::Superseded => "superseded",
        }
    }

    fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.word() == word)
    }
}

/// What is queued for somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Who it is for.
    pub target: String,
    /// The study's number.
    pub study: u64,
    /// The study's revision.
    pub revision: u32,
    /// What it is.
    pub item: String,
    /// The message itself, where it is one.
    pub payload: Option<String>,
}

/// An item with what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxItem {
    /// Its number.
    pub id: u64,
    /// What it is.
    pub item: Item,
    /// What became of it.
    pub state: ItemState,
    /// When it was queued, in milliseconds since 1970.
    pub queued_at: i64,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next.
    pub next_at: i64,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// What was last said of it.
    pub detail: Option<String>,
}

/// What came of a try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// What the item is from here on.
    pub state: ItemState,
    /// When the try ended.
    pub at: i64,
    /// When the next one is, if there is one.
    pub next_at: i64,
    /// What is said of it.
    pub detail: Option<String>,
}

/// How many items are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutboxCounts {
    /// Tried, or to be tried.
    pub pending: u64,
    /// Refused or given up.
    pub failed: u64,
    /// When the oldest of the pending was queued.
    pub oldest_pending: Option<i64>,
}

const ITEM: &str = "SELECT id, target, study, revision, item, state, queued_at, attempts, next_at, \
                    ended_at, detail, payload FROM outbox";

impl OutboxItem {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let word: String = row.get(5)?;
        let unknown = || {
            let kind = rusqlite::types::Type::Text;
            rusqlite::Error::InvalidColumnType(5, "state".to_owned(), kind)
        };
        Ok(Self {
            id: row.get(0)?,
            item: Item {
                target: row.get(1)?,
                study: row.get(2)?,
                revision: row.get(3)?,
                item: row.get(4)?,
                payload: row.get(11)?,
            },
            state: ItemState::of(&word).ok_or_else(unknown)?,
            queued_at: row.get(6)?,
            attempts: row.get(7)?,
            next_at: row.get(8)?,
            ended_at: row.get(9)?,
            detail: row.get(10)?,
        })
    }
}

impl Session<'_> {
    /// Queues an item; one that is queued already stays as it is.
    pub fn queue(&self, item: &Item, at: i64) -> rusqlite::Result<()> {
        self.queue_for(item, at, at)
    }

    /// As [`queue`](Self::queue), of an item that is not to be tried before an instant.
    pub fn queue_for(&self, item: &Item, at: i64, not_before: i64) -> rusqlite::Result<()> {
        let sql = "INSERT INTO outbox (target, study, revision, item, payload, state, queued_at, next_at) \
                   VALUES (?1, ?2, ?3, ?4, ?6, 'pending', ?5, ?7) ON CONFLICT DO NOTHING";
        let mut statement = self.connection.prepare_cached(sql)?;
        statement.execute(params![
            item.target,
            item.study,
            item.revision,
            item.item,
            at,
            item.payload,
            not_before
        ])?;
        Ok(())
    }

    /// The next item of a target, whether it is due or not.
    pub fn next_item(&self, target: &str) -> rusqlite::Result<Option<OutboxItem>> {
        let sql =
            format!("{ITEM} WHERE state = 'pending' AND target = ?1 ORDER BY next_at, id LIMIT 1");
        let mut statement = self.connection.prepare_cached(&sql)?;
        statement.query_row([target], OutboxItem::read).optional()
    }

    /// The pending items of a target that are due, the first first.
    pub fn due_items(
        &self,
        target: &str,
        now: i64,
        most: u32,
    ) -> rusqlite::Result<Vec<OutboxItem>> {
        let sql = format!(
            "{ITEM} WHERE state = 'pending' AND target = ?1 AND next_at <= ?2 ORDER BY next_at, id LIMIT ?3"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map(params![target, now, most], OutboxItem::read)?;
        rows.collect()
    }

    /// All pending items, in the order in which they were queued.
    pub fn pending_items(&self) -> rusqlite::Result<Vec<OutboxItem>> {
        let sql = format!("{ITEM} WHERE state = 'pending' ORDER BY id");
        let mut statement = self.connection.prepare_cached(&sql)?;
        statement.query_map([], OutboxItem::read)?.collect()
    }

    /// The items of a study, in the order in which they were queued.
    pub fn items_of(&self, study: u64) -> rusqlite::Result<Vec<OutboxItem>> {
        let sql = format!("{ITEM} WHERE study = ?1 ORDER BY id");
        let mut statement = self.connection.prepare_cached(&sql)?;
        statement.query_map([study], OutboxItem::read)?.collect()
    }

    /// Says what came of a try.
    pub fn tried(&self, id: u64, attempt: &Attempt) -> rusqlite::Result<()> {
        let sql = "UPDATE outbox SET state = ?2, attempts = attempts + 1, next_at = ?3, ended_at = ?4, \
                   detail = ?5 WHERE id = ?1";
        let has_ended = attempt.state != ItemState::Pending;
        let mut statement = self.connection.prepare_cached(sql)?;
        statement.execute(params![
            id,
            attempt.state.word(),
            attempt.next_at,
            has_ended.then_some(attempt.at),
            attempt.detail,
        ])?;
        Ok(())
    }

    /// Queues the items of a study that failed anew; gives how many there were.
    pub fn queue_again(&self, study: u64, at: i64) -> rusqlite::Result<usize> {
        let sql = "UPDATE outbox SET state = 'pending', queued_at = ?2, next_at = ?2, ended_at = NULL \
                   WHERE study = ?1 AND state IN ('refused', 'given-up')";
        self.connection.execute(sql, params![study, at])
    }

    /// Ends the pending items of earlier revisions of a study whose targets begin with this.
    pub fn supersede(
        &self,
        study: u64,
        before: u32,
        targets: &str,
        at: i64,
    ) -> rusqlite::Result<usize> {
        let sql = "UPDATE outbox SET state = 'superseded', ended_at = ?4 WHERE study = ?1 AND revision < ?2 \
                   AND substr(target, 1, length(?3)) = ?3 AND state = 'pending'";
        self.connection
            .execute(sql, params![study, before, targets, at])
    }

    /// Ends a pending item that nobody needs any more.
    pub fn withdraw(&self, id: u64, at: i64) -> rusqlite::Result<()> {
        let sql = "UPDATE outbox SET state = 'superseded', ended_at = ?2 WHERE id = ?1 AND state = 'pending'";
        self.connection.execute(sql, params![id, at])?;
        Ok(())
    }

    /// How many items whose targets begin with this are pending or have failed.
    pub fn outbox_counts(&self, targets: &str) -> rusqlite::Result<OutboxCounts> {
        let sql = "SELECT count(*) FILTER (WHERE state = 'pending'), \
                   count(*) FILTER (WHERE state IN ('refused', 'given-up')), \
                   min(queued_at) FILTER (WHERE state = 'pending') \
                   FROM outbox WHERE substr(target, 1, length(?1)) = ?1";
        self.connection.query_row(sql, [targets], |row| {
            Ok(OutboxCounts {
                pending: row.get(0)?,
                failed: row.get(1)?,
                oldest_pending: row.get(2)?,
            })
        })
    }
}
