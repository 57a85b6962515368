//! What people say of a study.

use rusqlite::params;

use super::Session;

/// What somebody says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Review {
    /// It was seen, for this reason.
    Acknowledged(String),
    /// This grade was read.
    Grade(u8),
}

/// What somebody has said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReviewRow {
    /// The study's number.
    pub study: u64,
    /// The revision that it was said of.
    pub revision: u32,
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// The user's name.
    pub who: String,
    /// What.
    pub review: Review,
}

impl Review {
    fn columns(&self) -> (&'static str, String) {
        match self {
            Self::Acknowledged(reason) => ("acknowledged", reason.clone()),
            Self::Grade(grade) => ("grade", grade.to_string()),
        }
    }

    fn of(kind: &str, value: String) -> Option<Self> {
        match kind {
            "acknowledged" => Some(Self::Acknowledged(value)),
            "grade" => value.parse().ok().map(Self::Grade),
            _ => None,
        }
    }
}

impl Session<'_> {
    /// Adds what somebody says.
    pub fn add_review(&self, review: &ReviewRow) -> rusqlite::Result<()> {
        let (kind, value) = review.review.columns();
        let sql = "INSERT INTO review (study, revision, at, who, kind, value) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let mut statement = self.connection.prepare_cached(sql)?;
        let row = params![
            review.study,
            review.revision,
            review.at,
            review.who,
            kind,
            value
        ];
        statement.execute(row)?;
        Ok(())
    }

    /// What was said of a study, or of all of them, in its order.
    pub fn reviews(&self, study: Option<u64>) -> rusqlite::Result<Vec<ReviewRow>> {
        let sql = "SELECT study, revision, at, who, kind, value FROM review \
                   WHERE ?1 IS NULL OR study = ?1 ORDER BY id";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([study], |row| {
            let kind: String = row.get(4)?;
            let unknown = || {
                let kind = rusqlite::types::Type::Text;
                rusqlite::Error::InvalidColumnType(4, "kind".to_owned(), kind)
            };
            Ok(ReviewRow {
                study: row.get(0)?,
                revision: row.get(1)?,
                at: row.get(2)?,
                who: row.get(3)?,
                review: Review::of(&kind, row.get(5)?).ok_or_else(unknown)?,
            })
        })?;
        rows.collect()
    }
}
