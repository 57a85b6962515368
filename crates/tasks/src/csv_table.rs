//! A table in CSV, held in memory.

use super::TaskError;
use super::failure::OrFail;

/// A table of so many columns.
pub(super) fn table<const COLUMNS: usize>(
    header: [&str; COLUMNS],
    rows: impl Iterator<Item = [String; COLUMNS]>,
) -> Result<Vec<u8>, TaskError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(header).or_retry()?;
    for row in rows {
        writer.write_record(row).or_retry()?;
    }
    writer
        .into_inner()
        .map_err(|error| TaskError::retry(error.into_error()))
}
