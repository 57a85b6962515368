use snafu::{OptionExt, ResultExt, Snafu};

use super::element::{DataSet, Encoding, Malformed};
use super::{AttributeName, TransferSyntax, Value};

/// Length of the preamble before `DICM` (PS3.10, 7.1).
const PREAMBLE: usize = 128;

/// A DICOM file whose elements have been found.
pub struct DicomFile<'a> {
    pub transfer_syntax: TransferSyntax,
    pub data_set: DataSet<'a>,
}

/// Why bytes are no DICOM file that attrium reads.
#[derive(Debug, Snafu)]
pub enum FileError {
    #[snafu(display("neither preamble nor file meta information"))]
    NotDicom,
    #[snafu(display("the transfer syntax is missing or none that attrium reads"))]
    UnsupportedTransferSyntax,
    #[snafu(display("the file meta information is broken"))]
    Meta { source: Malformed },
    #[snafu(display("the data set is broken"))]
    DataSetBroken { source: Malformed },
}

/// Finds the elements of a DICOM file, whether or not it has a preamble.
///
/// # Errors
/// [`FileError`] where there is no such file.
pub fn open(bytes: &[u8]) -> Result<DicomFile<'_>, FileError> {
    let meta_start = meta_start(bytes).context(NotDicomSnafu)?;
    let (meta_length, transfer_syntax) = read_meta(&bytes[meta_start..])?;
    let data_set = DataSet::find(
        &bytes[meta_start + meta_length..],
        transfer_syntax.encoding(),
    )
    .context(DataSetBrokenSnafu)?;
    Ok(DicomFile {
        transfer_syntax,
        data_set,
    })
}

/// Where the file meta information starts: after `DICM`, or at once in files without a preamble.
fn meta_start(bytes: &[u8]) -> Option<usize> {
    const GROUP_LENGTH: &[u8] = b"\x02\x00\x00\x00UL\x04\x00";
    if bytes.get(PREAMBLE..PREAMBLE + 4) == Some(b"DICM") {
        Some(PREAMBLE + 4)
    } else if bytes.starts_with(b"DICM") {
        Some(4)
    } else if bytes.starts_with(GROUP_LENGTH) {
        Some(0)
    } else {
        None
    }
}

/// The length of the file meta information in bytes and the transfer syntax it names (PS3.10, 7.1).
fn read_meta(bytes: &[u8]) -> Result<(usize, TransferSyntax), FileError> {
    let (meta, length) =
        DataSet::find_group(bytes, 0x0002, Encoding::EXPLICIT_LITTLE).context(MetaSnafu)?;
    let uid = match meta
        .element(AttributeName::TransferSyntaxUid)
        .map(|element| element.value)
    {
        Some(Value::Plain(uid)) => uid,
        _ => return UnsupportedTransferSyntaxSnafu.fail(),
    };
    let transfer_syntax =
        TransferSyntax::from_uid(trim_uid(uid)).context(UnsupportedTransferSyntaxSnafu)?;
    Ok((length, transfer_syntax))
}

/// A UID without the padding that makes its length even (PS3.5, 9.1).
pub fn trim_uid(uid: &[u8]) -> &[u8] {
    let mut uid = uid.trim_ascii_end();
    while let [rest @ .., 0 | b' '] = uid {
        uid = rest;
    }
    uid
}
