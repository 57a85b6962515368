//! What a record of the audit says.

use std::fmt;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use snafu::{Snafu, ensure};

use crate::objects::ObjectDigest;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// When, as RFC 3339 writes it. The caller has the clock.
    pub time: String,
    /// What.
    pub event: AuditEvent,
    /// The station's number of the study.
    pub study: Option<u64>,
    /// The user or the application entity that did it.
    pub who: Option<Name>,
    /// What else there is to say, each under a word of the program's own.
    pub detail: Vec<(&'static str, Fact)>,
}

/// What may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum AuditEvent {
    /// The station began.
    Started,
    /// The station ended as it was told to.
    Stopped,
    /// Records that a crash had cut short were cut off.
    AuditCut,
    /// The configuration, or the model, is another one.
    Configured,
    /// The index was damaged and made anew.
    IndexRebuilt,
    /// An object was acknowledged.
    ObjectKept,
    /// An object, or its sender, was refused.
    ObjectRefused,
    /// Objects and results of a study were removed after their time.
    Expired,
    /// A study was decided.
    Decided,
    /// A study was found to be of no use.
    Unusable,
    /// A result was delivered, as its destination has said.
    Delivered,
    /// A result was not delivered.
    Undelivered,
    /// An alert was sent.
    Alerted,
    /// An alert was acknowledged.
    Acknowledged,
    /// A reader gave a verdict.
    Verdict,
    /// A delivery was started again by hand.
    Resent,
    /// Somebody looked at a study.
    Viewed,
    /// Data were exported.
    Exported,
    /// Somebody signed in.
    SignedIn,
    /// Somebody was not let in.
    SignInRefused,
}

/// A detail of a record. None of them can be text that a peer has sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Fact {
    /// A number.
    Number(u64),
    /// A word of the program's own.
    Word(&'static str),
    /// Which object, by the digest of its bytes.
    #[serde(serialize_with = "digest")]
    Object(ObjectDigest),
    /// A name from the configuration.
    Name(Name),
}

fn digest<S: Serializer>(digest: &ObjectDigest, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(digest)
}

/// A name from the configuration: of a user, an application entity or a destination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Name(String);

/// Why a text is no [`Name`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Snafu)]
#[snafu(display("a name has 1 to {LONGEST} characters, and no control characters"))]
pub struct NoName;

/// The characters of the longest name, in which an e-mail address has room.
const LONGEST: usize = 254;

impl Name {
    /// Takes a name that the configuration has. One that a peer has sent and that is not configured is not
    /// to be given here: it may be anything.
    ///
    /// # Errors
    /// [`NoName`].
    pub fn new(name: &str) -> Result<Self, NoName> {
        let length = name.chars().count();
        let is_long = !(1..=LONGEST).contains(&length);
        ensure!(!is_long && !name.contains(char::is_control), NoNameSnafu);
        Ok(Self(name.to_owned()))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A record as its line has it.
#[derive(Serialize)]
pub(super) struct Line<'a> {
    /// Its number, from 1.
    record: u64,
    /// The first and the last record of the call that wrote it: they are durable together.
    call: (u64, u64),
    time: &'a str,
    event: AuditEvent,
    #[serde(skip_serializing_if = "Option::is_none")]
    study: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    who: Option<&'a Name>,
    #[serde(skip_serializing_if = "<[_]>::is_empty", serialize_with = "detail")]
    detail: &'a [(&'static str, Fact)],
    previous: String,
}

fn detail<S: Serializer>(
    detail: &&[(&'static str, Fact)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(detail.len()))?;
    for (word, fact) in *detail {
        map.serialize_entry(word, fact)?;
    }
    map.end()
}

impl AuditRecord {
    /// The record's line: its number, those of its call, and the digest of the line before.
    pub(super) fn line(&self, record: u64, call: (u64, u64), previous: &[u8; 32]) -> Line<'_> {
        Line {
            record,
            call,
            time: &self.time,
            event: self.event,
            study: self.study,
            who: self.who.as_ref(),
            detail: &self.detail,
            previous: hex::encode(previous),
        }
    }

    /// The month of the record, as files are named by it; nothing where the time is none of RFC 3339.
    pub(super) fn month(&self) -> Option<&str> {
        is_time(self.time.as_bytes()).then(|| &self.time[..MONTH.len()])
    }
}

const MONTH: &str = "0000-00";
const SECOND: &str = "0000-00-00T00:00:00";

/// Whether a text has the form of a date and time (RFC 3339, 5.6).
fn is_time(text: &[u8]) -> bool {
    let Some((second, rest)) = text.split_at_checked(SECOND.len()) else {
        return false;
    };
    let fraction = match rest.strip_prefix(b".") {
        Some(digits) => {
            digits
                .iter()
                .take_while(|digit| digit.is_ascii_digit())
                .count()
                + 1
        }
        None => 0,
    };
    let zone = &rest[fraction..];
    let offset = zone.strip_prefix(b"+").or_else(|| zone.strip_prefix(b"-"));
    let is_zone = zone == b"Z" || offset.is_some_and(|offset| has_form(offset, b"00:00"));
    has_form(second, SECOND.as_bytes()) && fraction != 1 && is_zone
}

/// Whether a text has digits where a form has zeros, and is equal elsewhere.
fn has_form(text: &[u8], form: &[u8]) -> bool {
    let is_like = |(text, form): (&u8, &u8)| match form {
        b'0' => text.is_ascii_digit(),
        form => text == form,
    };
    text.len() == form.len() && text.iter().zip(form).all(is_like)
}

/// Whether a text has the form of a month.
pub(super) fn is_month(text: &str) -> bool {
    has_form(text.as_bytes(), MONTH.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_rfc_3339_are_taken_and_no_others() {
        for time in [
            "2026-11-30T23:59:59Z",
            "2026-11-30T23:59:59.123456Z",
            "2026-11-30T23:59:59+02:00",
            "2026-11-30T23:59:59.5-11:30",
        ] {
            assert!(is_time(time.as_bytes()), "{time}");
        }
        for time in [
            "",
            "2026-11-30",
            "2026-11-30 23:59:59Z",
            "2026-11-30T23:59:59",
            "2026-11-30T23:59:59.Z",
            "2026-11-30T23:59:59+0200",
            "../../-11-30T23:59:59Z",
            "2026-11-30T23:59:59Zé",
        ] {
            assert!(!is_time(time.as_bytes()), "{time}");
        }
    }

    #[test]
    fn a_line_says_what_there_is_to_say_and_no_more() {
        let mut record = AuditRecord {
            time: "2026-11-30T23:59:59Z".to_owned(),
            event: AuditEvent::ObjectKept,
            study: Some(7),
            who: Some(Name::new("SYMBIA1").unwrap()),
            detail: vec![
                ("arrival", Fact::Number(12)),
                ("answer", Fact::Word("success")),
            ],
        };
        let zeros = "0".repeat(64);
        let line = serde_json::to_string(&record.line(3, (2, 4), &[0; 32])).unwrap();
        assert_eq!(
            line,
            format!(
                r#"{{"record":3,"call":[2,4],"time":"2026-11-30T23:59:59Z","event":"objectKept","study":7,"who":"SYMBIA1","detail":{{"arrival":12,"answer":"success"}},"previous":"{zeros}"}}"#
            )
        );
        (record.study, record.who) = (None, None);
        record.detail.clear();
        let line = serde_json::to_string(&record.line(3, (2, 4), &[0; 32])).unwrap();
        assert_eq!(
            line,
            format!(
                r#"{{"record":3,"call":[2,4],"time":"2026-11-30T23:59:59Z","event":"objectKept","previous":"{zeros}"}}"#
            )
        );
    }

    #[test]
    fn a_name_is_short_and_has_no_line_in_it() {
        assert!(Name::new("Müller").is_ok());
        assert_eq!(Name::new(""), Err(NoName));
        assert_eq!(Name::new("a\nb"), Err(NoName));
        assert_eq!(Name::new(&"a".repeat(255)), Err(NoName));
    }
}
