//! Who made a result, when and of what; and what follows from that, its identifiers.

use sha2::{Digest, Sha256};

/// Who makes results, and of what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The station's name, which tells its results from those of another.
    pub station: String,
    /// The version of its software.
    pub software_version: String,
    /// When the result is made, by the station's clock.
    pub composed_at: Moment,
    /// The digests of the objects of the study that the decision is on, in the order of their arrival.
    pub inputs: Vec<String>,
}

/// A moment in the station's local time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Year.
    pub year: u16,
    /// Month, from 1.
    pub month: u8,
    /// Day of the month, from 1.
    pub day: u8,
    /// Hour.
    pub hour: u8,
    /// Minute.
    pub minute: u8,
    /// Second.
    pub second: u8,
}

impl Moment {
    /// A date (DA; PS3.5, 6.2).
    pub(crate) fn date(self) -> String {
        let (year, month, day) = (self.year % 10_000, self.month, self.day);
        format!("{year:04}{month:02}{day:02}")
    }

    /// A time (TM).
    pub(crate) fn time(self) -> String {
        format!("{:02}{:02}{:02}", self.hour, self.minute, self.second)
    }
}

/// What a result is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultKind {
    /// The structured report.
    Report,
    /// The image.
    Image,
}

impl ResultKind {
    const fn name(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::Image => "image",
        }
    }
}

/// The SOP Instance UID of a result. Equal arguments give equal UIDs, so that an archive keeps one of a result that is
/// delivered twice, or by two stations of one name.
pub fn result_uid(
    station: &str,
    study_uid: &str,
    inputs: &[String],
    model_digest: &str,
    kind: ResultKind,
    revision: u32,
) -> String {
    let revision = revision.to_string();
    let mut parts = vec![
        "instance",
        station,
        study_uid,
        model_digest,
        kind.name(),
        &revision,
    ];
    parts.extend(inputs.iter().map(String::as_str));
    uid(&parts)
}

/// The Series Instance UID of a model's results of one kind on one study, whatever their revision.
pub fn series_uid(station: &str, study_uid: &str, model_digest: &str, kind: ResultKind) -> String {
    uid(&["series", station, study_uid, model_digest, kind.name()])
}

/// The UID of a station, as an observer of reports (PS3.16, TID 1004).
pub(crate) fn device_uid(station: &str) -> String {
    uid(&["device", station])
}

/// The UID of what is reported of one study (PS3.16, TID 1410): the same in all revisions, so that readers can follow
/// it.
pub(crate) fn tracking_uid(station: &str, study_uid: &str) -> String {
    uid(&["tracking", station, study_uid])
}

/// The UID of a UUID of version 8 that is made of texts (PS3.5, B.2; RFC 9562, 5.8). Each is preceded by its length,
/// so that no two lists of texts are alike.
fn uid(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    uid_of(&hash.finalize())
}

/// The UID of the first 128 bits of a digest.
pub(crate) fn uid_of(digest: &[u8]) -> String {
    let mut uuid = [0; 16];
    for (to, from) in uuid.iter_mut().zip(digest) {
        *to = *from;
    }
    uuid[6] = uuid[6] & 0x0f | 0x80;
    uuid[8] = uuid[8] & 0x3f | 0x80;
    format!("2.25.{}", u128::from_be_bytes(uuid))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(station: &str, inputs: &[&str], kind: ResultKind, revision: u32) -> String {
        let inputs: Vec<String> = inputs.iter().map(|&it| it.to_owned()).collect();
        result_uid(station, "2.25.1", &inputs, "sha256:0", kind, revision)
    }

    #[test]
    fn equal_arguments_give_equal_uids_and_others_do_not() {
        use ResultKind::{Image, Report};
        let uid = of("a", &["x", "y"], Report, 1);
        assert_eq!(uid, of("a", &["x", "y"], Report, 1));
        let others = [
            of("b", &["x", "y"], Report, 1),
            of("a", &["xy"], Report, 1),
            of("a", &["y", "x"], Report, 1),
            of("a", &["x", "y"], Image, 1),
            of("a", &["x", "y"], Report, 2),
            of("a", &["x", "y", ""], Report, 1),
        ];
        assert!(others.iter().all(|other| *other != uid));
    }

    #[test]
    fn a_uid_is_that_of_a_uuid_of_version_8() {
        let uid = series_uid("a", "2.25.1", "sha256:0", ResultKind::Report);
        let number: u128 = uid
            .strip_prefix("2.25.")
            .and_then(|number| number.parse().ok())
            .expect("should be a number");
        assert!(uid.len() <= 64 && !uid.starts_with("2.25.0"));
        assert_eq!((number >> 76 & 0xf, number >> 62 & 0x3), (8, 2));
    }

    #[test]
    fn a_digest_always_gives_the_same_uid() {
        // SHA-256 of nothing, its version and variant set.
        let digest = Sha256::digest([]);
        assert_eq!(
            uid_of(&digest),
            "2.25.302652579918966106791432553938847512868"
        );
    }
}
