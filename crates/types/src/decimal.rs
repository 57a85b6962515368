//! Decimal numbers as strings, as resources hold them.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use snafu::Snafu;

/// A number that is not negative, written as a decimal string such as `"0.88"` or `"1e-4"`.
///
/// A string, since a float does not survive every client of the Kubernetes API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Decimal {
    text: String,
}

/// The pattern of a decimal string, in the regular expressions that a CRD understands.
const PATTERN: &str = r"^[0-9]{1,8}(\.[0-9]{1,12})?([eE][-+]?[0-9]{1,2})?$";
const MAX_LENGTH: usize = 25;

/// A string that is not a decimal number.
#[derive(Clone, Debug, PartialEq, Eq, Snafu)]
#[snafu(display(
    "{text:?} is not a decimal string: write a number such as \"0.88\" or \"1e-4\", \
     with at most 12 decimals"
))]
pub struct NotDecimal {
    text: String,
}

impl Decimal {
    /// A decimal that this program itself writes.
    pub fn literal(text: &'static str) -> Self {
        debug_assert!(is_decimal(text), "{text:?} should be a decimal");
        Self {
            text: text.to_owned(),
        }
    }

    /// The number: finite and not negative.
    pub fn value(&self) -> f64 {
        self.text.parse().unwrap_or_default()
    }

    /// The decimal string of a number that is neither negative nor NaN, at a number of decimals.
    pub fn rounded(value: f64, decimals: usize) -> Option<Self> {
        Self::from_str(&format!("{value:.*}", decimals.min(12))).ok()
    }
}

impl FromStr for Decimal {
    type Err = NotDecimal;

    fn from_str(text: &str) -> Result<Self, NotDecimal> {
        if is_decimal(text) {
            Ok(Self {
                text: text.to_owned(),
            })
        } else {
            Err(NotDecimal {
                text: text.chars().take(40).collect(),
            })
        }
    }
}

/// Whether a text matches [`PATTERN`].
fn is_decimal(text: &str) -> bool {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    digits(whole, 8)
        && fraction.is_none_or(|fraction| digits(fraction, 12))
        && exponent
            .is_none_or(|exponent| digits(exponent.strip_prefix(['-', '+']).unwrap_or(exponent), 2))
}

fn digits(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl TryFrom<String> for Decimal {
    type Error = NotDecimal;

    fn try_from(text: String) -> Result<Self, NotDecimal> {
        text.parse()
    }
}

impl From<Decimal> for String {
    fn from(decimal: Decimal) -> Self {
        decimal.text
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl JsonSchema for Decimal {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Decimal".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "maxLength": MAX_LENGTH, "pattern": PATTERN })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_strings_have_the_value_that_they_show() {
        for (text, value) in [("0.88", 0.88), ("1e-4", 1e-4), ("1", 1.0), ("2.5E+1", 25.0)] {
            assert_eq!(text.parse::<Decimal>().expect("a decimal").value(), value);
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "", "-1", "0,88", "NaN", "inf", ".5", "5.", "1e", "1e999", "0x1", " 1", "１",
        ] {
            assert!(text.parse::<Decimal>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_number_is_rounded_to_its_decimals() {
        let text = |value| Decimal::rounded(value, 4).map(|decimal| decimal.to_string());
        assert_eq!(text(0.876_54).as_deref(), Some("0.8765"));
        assert_eq!(text(f64::NAN), None);
        assert_eq!(text(-0.5), None);
    }
}
