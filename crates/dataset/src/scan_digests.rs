//! What tells whether a scan is one that a model was trained on, as digests under a salt.
//!
//! They are made of what the object says by itself, so that whoever holds the object elsewhere, without the labels and
//! the secret of the training, makes the same ones. None of them can be read back; who guesses an identifier can try it.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use super::keyed_digest;
use attrium_imaging::{AnteriorImage, Image, PatientId};

/// Bytes of a digest that are kept. Of 10,000 scans beside a cohort of 10,000 one in 10^11 such comparisons would
/// find a digest that is there by chance alone.
const KEPT: usize = 8;
/// Bytes of a salt.
const SALT: usize = 16;
/// Rounds of the digest of a Patient ID: as many times longer it takes to try every number that a hospital may have
/// given.
const ROUNDS: u32 = 1024;

/// What makes the digests of one cohort others than those of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Salt([u8; SALT]);

impl Salt {
    /// The salt of a cohort, by the digest of its labels ([`Pseudonyms::digest`](super::Pseudonyms::digest)), which it
    /// does not tell: the same however often the cohort is read.
    pub fn of_labels(digest: &str) -> Self {
        let digest = Sha256::new()
            .chain_update("attrium: the salt of a cohort ")
            .chain_update(digest)
            .finalize();
        Self(first(&digest))
    }
}

/// A digest of which only a part is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShortDigest([u8; KEPT]);

/// What stands for a patient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PatientDigest {
    /// Of the Patient ID.
    pub id: ShortDigest,
    /// One byte that follows from ID and date of birth, where that is stated: enough to tell most patients apart whom
    /// two hospitals have given one number, and too little to tell the date.
    pub birth: Option<u8>,
}

/// What stands for a scan under one salt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ScanDigests {
    /// Of the Study Instance UID.
    pub study: ShortDigest,
    /// Of the patient, where the object tells.
    pub patient: Option<PatientDigest>,
    /// Of the anterior image's counts.
    pub image: ShortDigest,
}

/// What identifies a scan, to be digested; never for a log or an artefact.
///
/// `Debug` shows none of it.
#[derive(Clone, PartialEq)]
pub struct ScanIdentity {
    study: String,
    patient: Option<PatientId>,
    birth_date: Option<i64>,
    image: [u8; 32],
}

impl ScanIdentity {
    /// What identifies an anterior image: the Study Instance UID without padding, the Patient ID as [`PatientId`] has it,
    /// without its issuer, which exports leave out, the date of birth, and the counts.
    pub fn of(image: &AnteriorImage) -> Self {
        let is_padding = |c: char| c.is_whitespace() || c == '\0';
        Self {
            study: image.study.as_str().trim_matches(is_padding).to_owned(),
            patient: image.provenance.patient.clone(),
            birth_date: image.provenance.birth_date,
            image: counts_digest(&image.counts),
        }
    }

    /// The digests under a salt.
    pub fn under(&self, salt: Salt) -> ScanDigests {
        let key = Sha256::digest(salt.0).into();
        let digest = |parts: &[&[u8]]| ShortDigest(first(&keyed_digest::of(&key, parts)));
        ScanDigests {
            study: digest(&[b"study ", self.study.as_bytes()]),
            patient: self.patient.as_ref().map(|id| self.patient_under(id, salt)),
            image: digest(&[b"image ", &self.image]),
        }
    }

    fn patient_under(&self, id: &PatientId, salt: Salt) -> PatientDigest {
        let password = Sha256::digest(id.as_str()).into();
        let salt = [b"patient ".as_slice(), &salt.0].concat();
        let digest = keyed_digest::slow(&password, &salt, ROUNDS);
        let birth = self.birth_date.map(|days| {
            let [birth, ..] = keyed_digest::of(&digest, &[b"birth ", &days.to_le_bytes()]);
            birth
        });
        PatientDigest {
            id: ShortDigest(first(&digest)),
            birth,
        }
    }
}

impl fmt::Debug for ScanIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScanIdentity(redacted)")
    }
}

/// The SHA-256 of an image's rows, columns and counts, within the smallest rectangle that holds every count: a copy with
/// another margin has the same.
fn counts_digest(image: &Image<f32>) -> [u8; 32] {
    let is_empty = |row: &&[f32]| row.iter().all(|count| *count == 0.0);
    let rows = || image.pixels.chunks_exact(image.columns.max(1));
    let top = rows().take_while(is_empty).count();
    let below = rows().rev().take_while(is_empty).count();
    let rows = rows().take(image.rows.saturating_sub(below)).skip(top);
    let before = |row: &[f32]| row.iter().take_while(|count| **count == 0.0).count();
    let behind = |row: &[f32]| row.iter().rev().take_while(|count| **count == 0.0).count();
    let left = rows.clone().map(before).min().unwrap_or(0);
    let right = rows.clone().map(behind).min().unwrap_or(0);
    let width = rows
        .clone()
        .next()
        .map_or(0, |row| row.len() - left - right);
    let mut digest = Sha256::new();
    for size in [rows.len(), width] {
        digest.update((size as u64).to_le_bytes());
    }
    let mut line = Vec::with_capacity(2 * width);
    for row in rows {
        put_counts(&mut line, row.get(left..left + width).unwrap_or_default());
        digest.update(&line);
    }
    digest.finalize().into()
}

/// Counts as bytes in the place of others, in a simple loop where all are whole.
fn put_counts(line: &mut Vec<u8>, counts: &[f32]) {
    line.resize(2 * counts.len(), 0);
    let mut are_whole = true;
    let (words, _) = line.as_chunks_mut::<2>();
    for (word, &count) in words.iter_mut().zip(counts) {
        let whole = count as u16;
        are_whole &= f32::from(whole) == count && whole != u16::MAX;
        *word = whole.to_le_bytes();
    }
    if !are_whole {
        line.clear();
        counts.iter().for_each(|&count| put_count(line, count));
    }
}

/// Two bytes of a whole count, as a camera's are; of any other 0xFFFF, and four that hold it.
fn put_count(line: &mut Vec<u8>, count: f32) {
    let whole = count as u16;
    if f32::from(whole) == count && whole != u16::MAX {
        line.extend(whole.to_le_bytes());
    } else {
        line.extend(u16::MAX.to_le_bytes());
        line.extend(count.to_le_bytes());
    }
}

/// As many bytes from the start of a digest.
fn first<const N: usize>(digest: &[u8]) -> [u8; N] {
    let mut kept = [0; N];
    kept.iter_mut()
        .zip(digest)
        .for_each(|(to, from)| *to = *from);
    kept
}

/// A text that is no digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotADigest;

/// So many bytes, of small hexadecimal digits alone.
fn parse<const N: usize>(text: &str) -> Result<[u8; N], NotADigest> {
    let mut bytes = [0; N];
    let is_small = !text.bytes().any(|byte| byte.is_ascii_uppercase());
    match hex::decode_to_slice(text, &mut bytes) {
        Ok(()) if is_small => Ok(bytes),
        _ => Err(NotADigest),
    }
}

impl fmt::Display for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl FromStr for Salt {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        parse(text).map(Self)
    }
}

impl fmt::Display for ShortDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl FromStr for ShortDigest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        parse(text).map(Self)
    }
}

/// 16 digits, and where the date of birth is known a hyphen and two more.
impl fmt::Display for PatientDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.birth {
            Some(birth) => write!(f, "{}-{birth:02x}", self.id),
            None => self.id.fmt(f),
        }
    }
}

impl FromStr for PatientDigest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        let Some((id, birth)) = text.split_once('-') else {
            let id = text.parse()?;
            return Ok(Self { id, birth: None });
        };
        let [birth] = parse(birth)?;
        Ok(Self {
            id: id.parse()?,
            birth: Some(birth),
        })
    }
}

impl ScanDigests {
    /// The columns of a table that keeps them.
    pub const COLUMNS: [&'static str; 3] = ["study_digest", "patient_digest", "image_digest"];

    /// The values of [`Self::COLUMNS`]; that of the patient is empty where nothing tells.
    pub fn columns(&self) -> [String; 3] {
        let patient = self.patient.map(|patient| patient.to_string());
        [
            self.study.to_string(),
            patient.unwrap_or_default(),
            self.image.to_string(),
        ]
    }

    /// Reads the values of [`Self::COLUMNS`].
    ///
    /// # Errors
    /// One of them is no digest.
    pub fn parse([study, patient, image]: [&str; 3]) -> Result<Self, NotADigest> {
        let patient = Some(patient).filter(|text| !text.is_empty());
        Ok(Self {
            study: study.parse()?,
            patient: patient.map(str::parse).transpose()?,
            image: image.parse()?,
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A scan by its texts and its counts.
    pub(crate) fn identity(
        study: &str,
        patient: &str,
        born: Option<i64>,
        count: f32,
    ) -> ScanIdentity {
        ScanIdentity {
            study: study.to_owned(),
            patient: PatientId::new(patient),
            birth_date: born,
            image: counts_digest(&image(2, 2, &[count, 1.0, 2.0, 3.0])),
        }
    }

    fn image(rows: usize, columns: usize, pixels: &[f32]) -> Image<f32> {
        Image {
            rows,
            columns,
            pixels: pixels.to_vec(),
        }
    }

    fn salt(text: &str) -> Salt {
        Salt::of_labels(text)
    }

    #[test]
    fn the_same_scan_has_the_same_digests_wherever_it_is_read() {
        let here = identity("1.2.3", "pat 00-17", Some(7), 5.0).under(salt("a"));
        assert_eq!(
            here,
            identity("1.2.3", "PAT00-17", Some(7), 5.0).under(salt("a"))
        );
        let other = identity("1.2.3", "pat 00-17", Some(7), 5.0).under(salt("b"));
        assert_ne!(here.study, other.study);
        assert_ne!(here.image, other.image);
        assert_ne!(here.patient.map(|it| it.id), other.patient.map(|it| it.id));
    }

    #[test]
    fn each_digest_is_of_its_own_and_of_nothing_else() {
        let under = |scan: ScanIdentity| scan.under(salt("a"));
        let scan = under(identity("1.2.3", "4711", Some(7), 5.0));
        let study = under(identity("1.2.4", "4711", Some(7), 5.0));
        assert_ne!(study.study, scan.study);
        assert_eq!((study.patient, study.image), (scan.patient, scan.image));
        let image = under(identity("1.2.3", "4711", Some(7), 6.0));
        assert_ne!(image.image, scan.image);
        assert_eq!((image.study, image.patient), (scan.study, scan.patient));
        let [one, other] = [7, 8].map(|born| under(identity("1.2.3", "4711", Some(born), 5.0)));
        let [one, other] = [one.patient.unwrap(), other.patient.unwrap()];
        assert_eq!(one.id, other.id);
        assert_ne!(one.birth, other.birth);
        let unstated = under(identity("1.2.3", "4711", None, 5.0)).patient.unwrap();
        assert_eq!((unstated.id, unstated.birth), (one.id, None));
        assert_eq!(
            under(identity("1.2.3", "anonymous", None, 5.0)).patient,
            None
        );
    }

    #[test]
    fn the_patients_digest_is_the_slow_one() {
        let scan = identity("1.2.3", "4711", None, 5.0);
        let salt = salt("a");
        let password = Sha256::digest("4711").into();
        let message = [b"patient ".as_slice(), &salt.0].concat();
        let slow = keyed_digest::slow(&password, &message, 1024);
        let found = scan.under(salt).patient.unwrap().id.to_string();
        assert_eq!(found, hex::encode(&slow[..8]));
    }

    #[test]
    fn a_margin_without_counts_does_not_make_another_image() {
        let small = image(2, 2, &[0.0, 1.0, 2.0, 3.0]);
        let wide = image(
            4,
            4,
            &[
                0.0, 0.0, 0.0, 0.0, //
                0.0, 0.0, 1.0, 0.0, //
                0.0, 2.0, 3.0, 0.0, //
                0.0, 0.0, 0.0, 0.0,
            ],
        );
        assert_eq!(counts_digest(&small), counts_digest(&wide));
        let turned = image(2, 2, &[3.0, 2.0, 1.0, 0.0]);
        assert_ne!(counts_digest(&small), counts_digest(&turned));
        let line = image(1, 4, &[0.0, 1.0, 2.0, 3.0]);
        let flat = image(1, 3, &[1.0, 2.0, 3.0]);
        assert_eq!(counts_digest(&line), counts_digest(&flat));
        assert_ne!(
            counts_digest(&image(3, 1, &[1.0, 2.0, 3.0])),
            counts_digest(&flat)
        );
        let empty = counts_digest(&image(3, 2, &[0.0; 6]));
        assert_eq!(empty, counts_digest(&image(1, 1, &[0.0])));
    }

    #[test]
    fn counts_that_are_not_whole_or_too_large_are_told_apart() {
        let counts = [0.5, 1.0, 65_534.0, 65_535.0, 65_536.0, 1e9, 65_535.5];
        let digests: std::collections::BTreeSet<_> = counts
            .iter()
            .map(|&count| counts_digest(&image(1, 2, &[count, 3.0])))
            .collect();
        assert_eq!(digests.len(), counts.len());
        assert_eq!(
            counts_digest(&image(1, 3, &[3.0, -0.0, 4.0])),
            counts_digest(&image(1, 3, &[3.0, 0.0, 4.0]))
        );
    }

    #[test]
    fn what_identifies_a_scan_is_not_printed() {
        let printed = format!("{:?}", identity("1.2.3", "4711", Some(7), 5.0));
        assert_eq!(printed, "ScanIdentity(redacted)");
    }

    proptest! {
        #[test]
        fn digests_read_back_as_they_were_written(
            bytes in any::<[u8; 8]>(), id in any::<[u8; 8]>(), birth in any::<Option<u8>>(), has in any::<bool>(),
        ) {
            let patient = PatientDigest { id: ShortDigest(id), birth };
            let digests = ScanDigests {
                study: ShortDigest(bytes),
                patient: has.then_some(patient),
                image: ShortDigest(id),
            };
            let columns = digests.columns();
            let columns = [0, 1, 2].map(|at| columns[at].as_str());
            prop_assert_eq!(ScanDigests::parse(columns), Ok(digests));
        }

        #[test]
        fn no_text_but_its_own_is_a_digest(text in "[0-9a-fA-F-]{0,20}") {
            if let Ok(digest) = text.parse::<PatientDigest>() {
                prop_assert_eq!(digest.to_string(), text);
            }
        }

        #[test]
        fn every_count_of_an_image_matters(
            pixels in prop::collection::vec(0_u8..4, 12), place in 0_usize..12,
        ) {
            let pixels: Vec<f32> = pixels.into_iter().map(f32::from).collect();
            let mut changed = pixels.clone();
            changed[place] += 7.0;
            let part: Vec<f32> = pixels.iter().map(|count| count + 0.5).collect();
            prop_assert_ne!(counts_digest(&image(3, 4, &pixels)), counts_digest(&image(3, 4, &part)));
            prop_assert_ne!(counts_digest(&image(3, 4, &pixels)), counts_digest(&image(3, 4, &changed)));
        }
    }
}
