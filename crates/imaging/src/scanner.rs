//! Which camera made an image, by a word that is not the object's own.
//!
//! The model's name is free text, which an archive may have put anything into: what is passed on is a word of the list
//! below, or else `unlisted-` and a digest too short for anything to be read of it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use snafu::{OptionExt, Snafu};

/// What the name of a model begins with or holds, in capital letters and digits alone, and the word for it. The first
/// that fits counts.
const MODELS: &[(&str, &str)] = &[
    ("ECAM", "e.cam"),
    ("CCAM", "c.cam"),
    ("INTEVO", "symbia-intevo"),
    ("SYMBIAEVO", "symbia-evo"),
    ("PROSPECTA", "symbia-pro.specta"),
    ("SYMBIA", "symbia"),
    ("MULTISPECT", "multispect"),
    ("DIACAM", "diacam"),
    ("ORBITER", "orbiter"),
    ("INFINIA", "infinia"),
    ("MILLENNIUM", "millennium"),
    ("VARICAM", "varicam"),
    ("DISCOVERYNMCT670", "discovery-670"),
    ("DISCOVERY670", "discovery-670"),
    ("DISCOVERYNM630", "discovery-630"),
    ("DISCOVERYNM530", "discovery-530"),
    ("DISCOVERY", "discovery"),
    ("NMCT8", "nm-ct-800"),
    ("NM8", "nm-800"),
    ("OPTIMA", "optima"),
    ("STARGUIDE", "starguide"),
    ("BRIGHTVIEW", "brightview"),
    ("FORTE", "forte"),
    ("SKYLIGHT", "skylight"),
    ("PRECEDENCE", "precedence"),
    ("VERTEX", "vertex"),
    ("CARDIOMD", "cardio-md"),
    ("AXIS", "axis"),
    ("IRIX", "irix"),
    ("PRISM", "prism"),
    ("ANYSCAN", "anyscan"),
    ("NUCLINE", "nucline"),
    ("VERITON", "veriton"),
    ("DSPECT", "d-spect"),
    ("GCA", "gca"),
    ("HELIX", "helix"),
    ("SOPHY", "sophy"),
];

/// What stands before the digest of a name that is not listed.
const UNLISTED: &str = "unlisted-";

/// A camera's model, as a word of small letters, digits, hyphens and full stops.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ScannerModel(String);

/// A text that is no word for a camera's model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Snafu)]
#[snafu(display("no word for a scanner's model"))]
pub struct NoScannerModel;

impl ScannerModel {
    /// The model that Manufacturer's Model Name (0008,1090) names; none where it names nothing.
    pub fn named(name: &str) -> Option<Self> {
        let letters: String = name
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|letter| letter.to_ascii_uppercase())
            .collect();
        if letters.is_empty() {
            return None;
        }
        let known = MODELS.iter().find(|(part, _)| letters.contains(part));
        Some(Self(match known {
            Some((_, word)) => (*word).to_owned(),
            None => format!("{UNLISTED}{:04x}", digest(&letters)),
        }))
    }

    /// The word.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// 16 bits of a name: FNV-1a of 32 bits, its halves together.
fn digest(name: &str) -> u32 {
    let step = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    let hash = name.bytes().fold(0x811c_9dc5, step);
    (hash >> 16) ^ (hash & 0xffff)
}

impl FromStr for ScannerModel {
    type Err = NoScannerModel;

    fn from_str(word: &str) -> Result<Self, NoScannerModel> {
        let digits = word.strip_prefix(UNLISTED);
        let is_digest = digits.is_some_and(|digits| {
            digits.len() == 4
                && digits
                    .bytes()
                    .all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'))
        });
        let is_known = is_digest || MODELS.iter().any(|(_, known)| *known == word);
        is_known
            .then(|| Self(word.to_owned()))
            .context(NoScannerModelSnafu)
    }
}

impl TryFrom<String> for ScannerModel {
    type Error = NoScannerModel;

    fn try_from(word: String) -> Result<Self, NoScannerModel> {
        word.parse()
    }
}

impl From<ScannerModel> for String {
    fn from(model: ScannerModel) -> Self {
        model.0
    }
}

impl fmt::Display for ScannerModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(name: &str) -> String {
        let model = ScannerModel::named(name).expect("a model");
        model.to_string()
    }

    #[test]
    fn a_camera_is_the_same_word_however_its_name_is_typed() {
        for (name, expected) in [
            ("ECAM", "e.cam"),
            ("e.cam Signature", "e.cam"),
            ("Symbia T", "symbia"),
            ("Symbia Intevo 16", "symbia-intevo"),
            ("INFINIA", "infinia"),
            ("Discovery NM/CT 670", "discovery-670"),
            ("BrightView XCT", "brightview"),
            ("AnyScan", "anyscan"),
        ] {
            assert_eq!(word(name), expected, "{name}");
        }
        for nothing in ["", "  ", "-", "\0"] {
            assert_eq!(ScannerModel::named(nothing), None);
        }
    }

    #[test]
    fn of_a_name_that_is_not_listed_no_letter_is_passed_on() {
        let planted = word("MAIER 4711");
        assert!(planted.starts_with(UNLISTED) && planted.len() == UNLISTED.len() + 4);
        assert_eq!(planted, word("Maier-4711"));
        assert_ne!(planted, word("MAIER 4712"));
    }

    #[test]
    fn only_words_of_its_own_are_read_back() {
        for name in ["ECAM", "Discovery NM/CT 670", "somebody's camera"] {
            let model = ScannerModel::named(name).expect("a model");
            assert_eq!(model.as_str().parse(), Ok(model));
        }
        for word in [
            "",
            "ECAM",
            "unlisted-",
            "unlisted-00g0",
            "unlisted-00000",
            "maier",
        ] {
            assert_eq!(word.parse::<ScannerModel>(), Err(NoScannerModel), "{word}");
        }
    }
}
