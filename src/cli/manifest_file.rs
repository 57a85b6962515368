//! Manifests as files, or on standard input.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use attrium_api::manifest::{self, Violations};

/// The text of a manifest, or of standard input where the path is `-`; no more than a manifest may have, and one byte.
///
/// # Errors
/// A file that cannot be read.
pub(super) fn read(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    let most = manifest::MAX_BYTES as u64 + 1;
    if path == Path::new("-") {
        io::stdin().take(most).read_to_end(&mut bytes)?;
    } else {
        File::open(path)?.take(most).read_to_end(&mut bytes)?;
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A line for everything that is wrong with a manifest.
pub(super) fn lines(path: &Path, violations: &Violations) -> Vec<String> {
    let line = |violation| format!("  {}: {violation}", path.display());
    violations.iter().map(line).collect()
}
