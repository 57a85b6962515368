//! Unique identifiers as they come from a peer (PS3.5, 9.1).
//!
//! Never: an identifier in a log or an error.

use std::fmt;

/// The longest identifier there may be, in characters.
const LONGEST: usize = 64;

/// Whether a text is an identifier: components of digits, and no more than 64 characters.
///
/// A component may start with a zero, which the standard forbids and scanners write all the same.
/// Nothing else passes, so that no identifier can be read as a path.
pub(crate) fn is_uid(text: &str) -> bool {
    let is_component = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    text.len() <= LONGEST && text.split('.').all(is_component)
}

/// An identifier without the padding that makes its length even.
///
/// That is one zero (PS3.5, 9.1); senders are known to use spaces and several of either.
pub(crate) fn trimmed(text: &str) -> &str {
    text.trim_matches(['\0', ' '])
}

/// Stands in for an identifier where a value is shown.
pub(crate) struct Hidden;

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_components_of_digits_up_to_64_characters() {
        for good in [
            "1",
            "1.2.840.10008.1.1",
            "2.25.0",
            "1.02.3",
            &"1".repeat(64),
        ] {
            assert!(is_uid(good), "{good}");
        }
        let long = "1".repeat(65);
        for bad in [
            "", ".", "1.", ".1", "1..2", "../1", "1.2/3", "1.a", " 1", "1\0", "١", &long,
        ] {
            assert!(!is_uid(bad), "{bad}");
        }
    }

    #[test]
    fn padding_of_either_kind_is_removed() {
        assert_eq!(trimmed("1.2\0"), "1.2");
        assert_eq!(trimmed(" 1.2  \0\0"), "1.2");
    }
}
