//! DICOM messages: commands, reports of storage commitment, and all that a peer says on a connection.

use attrium_dimse::fuzzing;

/// What a peer says from its first byte on: it has an association or has none, and no object is answered with
/// success that was not finished.
pub fn association(bytes: &[u8]) -> bool {
    fuzzing::association(bytes)
}

/// A report of storage commitment: what it names can be asked for.
pub fn commitment(bytes: &[u8]) -> bool {
    fuzzing::report(bytes)
}

/// A command: it is read back as it was.
pub fn dimse(bytes: &[u8]) -> bool {
    fuzzing::command(bytes)
}
