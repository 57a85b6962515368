//! From where an image looks at the patient, by the codes and the words that objects name it with.

use serde::Serialize;
use strum::{Display, EnumString, IntoStaticStr};

use super::dicom::Code;

/// The side from which an image shows the patient.
#[derive(Clone, Copy, Debug, Display, PartialEq, Eq, Hash, Serialize)]
pub enum View {
    /// From the front.
    Anterior,
    /// From the back.
    Posterior,
    /// From a side or obliquely.
    Other,
}

/// How the view of an image is known, the surest first.
#[derive(
    Clone,
    Copy,
    Debug,
    Display,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    EnumString,
    IntoStaticStr,
)]
pub enum ViewSource {
    /// View Code Sequence (0054,0220).
    ViewCode,
    /// Image ID (0054,0400).
    ImageId,
    /// Series Description (0008,103E).
    SeriesDescription,
    /// GE's private names, (0011,xx12) or (0011,xx30).
    GePrivate,
    /// Nothing says it, so the first detector's image is taken for the anterior.
    FirstDetector,
}

/// Nuclear medicine projections by the code of SNOMED CT and its retired SNOMED-RT style code
/// (PS3.16, CID 26; the pairs are in PS3.16, Annex O), and the plain directions "anterior" and
/// "posterior", which some exporters write instead.
const CODES: &[(&str, &str, View)] = &[
    ("399321004", "G-5215", View::Anterior),
    ("255549009", "R-404CC", View::Anterior),
    ("399001007", "G-5216", View::Posterior),
    ("255551008", "R-404CE", View::Posterior),
    ("399074003", "G-5207", View::Other),
    ("399136008", "G-5209", View::Other),
    ("399108003", "G-5206", View::Other),
    ("399075002", "G-5208", View::Other),
    ("399118008", "G-5223", View::Other),
    ("399297009", "G-5222", View::Other),
    ("49370004", "G-A104", View::Other),
    ("399012007", "G-5220", View::Other),
    ("399300004", "G-5221", View::Other),
    ("399268006", "G-5224", View::Other),
    ("399159002", "G-5225", View::Other),
    ("24422004", "G-A147", View::Other),
    ("81654009", "G-A138", View::Other),
    ("30730003", "G-A145", View::Other),
    ("62824007", "G-A117", View::Other),
    ("399089007", "G-5210", View::Other),
    ("399273000", "G-5212", View::Other),
    ("103340004", "G-A186", View::Other),
    ("131185001", "G-A18A", View::Other),
    ("131186000", "G-A18B", View::Other),
];

/// The view that a coded entry names.
///
/// The value decides where its scheme is SNOMED's under any of its designators (PS3.16, 8.1;
/// 99SDM and SNM3 are what older objects write); otherwise the meaning's words do.
pub(super) fn of_code(code: &Code) -> Option<View> {
    let coded = CODES.iter().find_map(|&(current, retired, view)| {
        let value = match code.scheme.as_str() {
            "SCT" | "2.16.840.1.113883.6.96" => current,
            "SRT" | "SNM3" | "99SDM" => retired,
            _ => return None,
        };
        (code.value == value).then_some(view)
    });
    coded.or_else(|| of_text(&code.meaning))
}

/// Words that say which way a detector looks, as they are typed.
const ANTERIOR: &[&str] = &["ANT", "ANTE", "WBANT", "ANTWB"];
const POSTERIOR: &[&str] = &["POST", "WBPOST", "POSTWB"];
const OTHER: &[&str] = &[
    "LAO", "RAO", "LPO", "RPO", "OBL", "OBLIQUE", "LAT", "LATERAL", "LLAT", "RLAT",
];

/// What follows "post" where it means "after".
const AFTER: &[&str] = &[
    "INJ",
    "INJECTION",
    "OP",
    "OPERATION",
    "SURGERY",
    "THERAPY",
    "TX",
    "TREATMENT",
    "CHEMO",
    "RT",
    "VOID",
    "EXERCISE",
    "STRESS",
    "CONTRAST",
    "PROCESSED",
    "PROCESSING",
    "H",
    "HR",
    "HRS",
    "HOUR",
    "HOURS",
    "MIN",
    "MDP",
    "HDP",
    "HMDP",
    "DPD",
    "DOSE",
    "IV",
];

/// The view that a free text names, if it names just one.
pub(super) fn of_text(text: &str) -> Option<View> {
    let words = words(text);
    let mut found = None;
    for (position, word) in words.iter().enumerate() {
        let next = words.get(position + 1).map(String::as_str);
        let Some(view) = of_word(word, next) else {
            continue;
        };
        match found {
            _ if view == View::Other => return Some(View::Other),
            Some(other) if other != view => return None,
            _ => found = Some(view),
        }
    }
    found
}

fn of_word(word: &str, next: Option<&str>) -> Option<View> {
    if ANTERIOR.contains(&word) || word.starts_with("ANTER") {
        Some(View::Anterior)
    } else if word.starts_with("POSTER") {
        Some(View::Posterior)
    } else if POSTERIOR.contains(&word) {
        let after = next.is_some_and(|next| AFTER.contains(&next));
        (!after).then_some(View::Posterior)
    } else {
        OTHER.contains(&word).then_some(View::Other)
    }
}

/// The words of a text in capitals; a change from small to capital letters parts words too.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut previous = ' ';
    for letter in text.chars() {
        let starts_word = letter.is_ascii_uppercase() && previous.is_ascii_lowercase();
        if starts_word || !letter.is_ascii_alphabetic() {
            words.push(String::new());
        }
        if letter.is_ascii_alphabetic()
            && let Some(word) = words.last_mut()
        {
            word.push(letter.to_ascii_uppercase());
        }
        previous = letter;
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(value: &str, scheme: &str, meaning: &str) -> Code {
        Code {
            value: value.to_owned(),
            scheme: scheme.to_owned(),
            meaning: meaning.to_owned(),
        }
    }

    #[test]
    fn current_and_retired_codes_name_the_same_view() {
        for (value, scheme) in [
            ("399321004", "SCT"),
            ("G-5215", "SRT"),
            ("G-5215", "SNM3"),
            ("G-5215", "99SDM"),
        ] {
            assert_eq!(of_code(&code(value, scheme, "")), Some(View::Anterior));
        }
        for (value, scheme) in [("399001007", "SCT"), ("G-5216", "SRT")] {
            assert_eq!(of_code(&code(value, scheme, "")), Some(View::Posterior));
        }
    }

    #[test]
    fn a_code_of_another_scheme_counts_by_its_meaning_only() {
        assert_eq!(of_code(&code("G-5215", "99LOCAL", "")), None);
        assert_eq!(of_code(&code("399321004", "SRT", "")), None);
        assert_eq!(
            of_code(&code("7", "99LOCAL", "Posterior projection")),
            Some(View::Posterior)
        );
    }

    #[test]
    fn a_code_outweighs_its_meaning() {
        assert_eq!(
            of_code(&code("399001007", "SCT", "Anterior")),
            Some(View::Posterior)
        );
    }

    #[test]
    fn texts_name_views_by_whole_words() {
        let cases: &[(&str, Option<View>)] = &[
            ("WB_ANT", Some(View::Anterior)),
            ("Anterior whole body", Some(View::Anterior)),
            ("WholeBodyAnt", Some(View::Anterior)),
            ("ANTERIOR/ANT", Some(View::Anterior)),
            ("POSTERIOR_E", Some(View::Posterior)),
            ("wb post", Some(View::Posterior)),
            ("ANT+POST", None),
            ("BONE 3H POST INJ", None),
            ("ANT 3H POST INJECTION", Some(View::Anterior)),
            ("BONE POST MDP", None),
            ("POST 3 HRS", None),
            ("WB 3h post HMDP", None),
            ("WHOLE BODY_E", None),
            ("IMPLANT", None),
            ("COMPOST", None),
            ("RAO", Some(View::Other)),
            ("ANT OBLIQUE", Some(View::Other)),
            ("", None),
        ];
        for &(text, view) in cases {
            assert_eq!(of_text(text), view, "{text}");
        }
    }
}
