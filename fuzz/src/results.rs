//! Objects as results refer to them, and as research may have them.

use attrium_evidence::{Source, deidentify};

/// The key of the copies; any will do.
const KEY: &[u8] = b"a key of sixteen";

/// An object whose results are to be filed with it. Where it is one, a copy that identifies nobody is another: with
/// other identifiers, and as many rows, columns and frames.
pub fn source(bytes: &[u8]) -> bool {
    let Ok(source) = Source::read(bytes) else {
        return false;
    };
    let Ok(copy) = deidentify(bytes, KEY, -1000) else {
        return true;
    };
    let copy = Source::read(&copy).expect("a copy should be an object");
    assert_ne!(copy.sop_instance_uid(), source.sop_instance_uid());
    assert_ne!(copy.study_instance_uid(), source.study_instance_uid());
    let size = |it: &Source| (it.rows(), it.columns(), it.frames());
    assert_eq!(size(&copy), size(&source));
    true
}
