//! Shares on the command line: decimal numbers within their ranges.

use attrium_types::Decimal;

/// A share from 0 to 1.
pub(super) fn share(text: &str) -> Result<Decimal, String> {
    let share: Decimal = text.parse().map_err(|error| format!("{error}"))?;
    if share.value() <= 1.0 {
        Ok(share)
    } else {
        Err("use a number from 0 to 1".to_owned())
    }
}

/// A share above 0, at most 1.
pub(super) fn positive_share(text: &str) -> Result<Decimal, String> {
    let share = share(text)?;
    if share.value() > 0.0 {
        Ok(share)
    } else {
        Err("use a number above 0".to_owned())
    }
}

/// A share above 0 and below 1.
pub(super) fn part(text: &str) -> Result<Decimal, String> {
    let share = positive_share(text)?;
    if share.value() < 1.0 {
        Ok(share)
    } else {
        Err("use a number below 1".to_owned())
    }
}
