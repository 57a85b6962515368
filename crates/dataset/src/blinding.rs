//! Words that say nothing to whoever does not hold `labels.csv`: digests, sealed texts and shifted times.
//!
//! The shards of a run have to agree on which objects are of one patient, which are copies and what an object is
//! called, each of which it sees alone. Their tables therefore hold these words instead. The secret is made of the
//! seed and of all rows of `labels.csv`, which are in no artefact: who holds the labels can undo it, and so finds the
//! way back as with pseudonyms; another run of other labels or another seed has other words for the same patient.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;

use super::keyed_digest;

/// Bytes of a digest that are kept: enough that no two differ by chance alone.
const KEPT: usize = 16;
/// Bits of the greatest number of minutes by which a study's times are shifted.
const SHIFT_BITS: u32 = 40;

/// What words are blinded with.
#[derive(Clone, PartialEq)]
pub(super) struct Blinding {
    secret: [u8; 32],
}

/// What a digest is of, so that one never stands for another.
#[derive(Clone, Copy, Debug)]
enum Purpose {
    Patient,
    Pixels,
    Seal,
    Stream,
    Shift,
}

impl Blinding {
    pub(super) fn new(secret: [u8; 32]) -> Self {
        Self { secret }
    }

    /// What stands for a patient.
    pub(super) fn patient(&self, id: &str) -> String {
        hex::encode(&self.digest(Purpose::Patient, id.as_bytes())[..KEPT])
    }

    /// What stands for the pixels of a crop, so that copies are known.
    pub(super) fn pixels(&self, counts: &[f32]) -> String {
        let bytes: Vec<u8> = counts
            .iter()
            .flat_map(|count| count.to_le_bytes())
            .collect();
        hex::encode(&self.digest(Purpose::Pixels, &bytes)[..KEPT])
    }

    /// Minutes since a moment that is another for each study, so that only differences within it tell anything.
    pub(super) fn minutes(&self, study: u32, minutes: i64) -> i64 {
        let [a, b, c, d, e, f, g, h, ..] = self.digest(Purpose::Shift, &study.to_le_bytes());
        let shift = u64::from_le_bytes([a, b, c, d, e, f, g, h]) >> (u64::BITS - SHIFT_BITS);
        minutes + shift as i64
    }

    /// A text that [`Self::open`] reads: its digest, then it itself under ChaCha20 with a key that the digest gives,
    /// so that equal texts are sealed equally.
    pub(super) fn seal(&self, text: &str) -> String {
        let digest = &self.digest(Purpose::Seal, text.as_bytes())[..KEPT];
        let mut sealed = digest.to_vec();
        sealed.extend(self.under_stream(digest, text.as_bytes()));
        hex::encode(sealed)
    }

    /// The text that was sealed; none where it was sealed with another secret or has changed.
    pub(super) fn open(&self, sealed: &str) -> Option<String> {
        let sealed = hex::decode(sealed).ok()?;
        let (digest, text) = sealed.split_at_checked(KEPT)?;
        let text = String::from_utf8(self.under_stream(digest, text)).ok()?;
        (self.digest(Purpose::Seal, text.as_bytes())[..KEPT] == *digest).then_some(text)
    }

    /// Bytes, each under its own of the stream.
    fn under_stream(&self, start: &[u8], bytes: &[u8]) -> Vec<u8> {
        let mut mixed = vec![0; bytes.len()];
        ChaCha20Rng::from_seed(self.digest(Purpose::Stream, start)).fill_bytes(&mut mixed);
        mixed
            .iter_mut()
            .zip(bytes)
            .for_each(|(under, byte)| *under ^= byte);
        mixed
    }

    /// HMAC-SHA-256 of a message, which no message for another purpose has.
    fn digest(&self, purpose: Purpose, message: &[u8]) -> [u8; 32] {
        keyed_digest::of(&self.secret, &[&[purpose as u8], message])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 4] = [
        "",
        "a.dcm",
        "2014/Köln/IM-0001.dcm",
        "a/rather/long/key/that/takes/more/than/a/block/of/the/stream.dcm",
    ];

    fn blinding(secret: u8) -> Blinding {
        Blinding::new([secret; 32])
    }

    #[test]
    fn who_holds_the_secret_opens_what_was_sealed_and_nobody_else() {
        for key in KEYS {
            let sealed = blinding(1).seal(key);
            assert_eq!(blinding(1).open(&sealed).as_deref(), Some(key));
            assert_eq!(blinding(2).open(&sealed), None);
            assert_eq!(blinding(1).seal(key), sealed, "it does not change");
            assert!(key.is_empty() || !sealed.contains(&hex::encode(key)));
        }
    }

    #[test]
    fn a_sealed_text_that_has_changed_is_refused() {
        let sealed = blinding(1).seal("2014/a.dcm");
        for place in 0..sealed.len() {
            let mut changed = sealed.clone().into_bytes();
            changed[place] = if changed[place] == b'0' { b'1' } else { b'0' };
            let changed = String::from_utf8(changed).expect("text");
            assert_eq!(blinding(1).open(&changed), None, "{place}");
        }
        for text in ["", "00", "no hexadecimal digits"] {
            assert_eq!(blinding(1).open(text), None);
        }
    }

    #[test]
    fn what_stands_for_a_patient_is_another_in_another_run() {
        assert_eq!(blinding(1).patient("4711"), blinding(1).patient("4711"));
        assert_ne!(blinding(1).patient("4711"), blinding(1).patient("4712"));
        assert_ne!(blinding(1).patient("4711"), blinding(2).patient("4711"));
        assert_eq!(blinding(1).patient("4711").len(), 2 * KEPT);
    }

    #[test]
    fn times_keep_their_differences_within_a_study_alone() {
        let blinding = blinding(1);
        let at = |study, minutes| blinding.minutes(study, minutes);
        assert_eq!(at(1, 1_000_180) - at(1, 1_000_000), 180);
        assert_ne!(at(1, 1_000_000), at(2, 1_000_000));
        assert_ne!(at(1, 1_000_000), 1_000_000);
    }
}
