//! Errors of the engine: a program or data that do not fit, and too little memory.

use snafu::Snafu;

/// Why a program could not be made or run.
#[derive(Debug, PartialEq, Eq, Snafu)]
#[snafu(visibility(pub(super)))]
pub enum Error {
    /// The operations do not make a program.
    #[snafu(display("operation {operation} of the layer program {fault}"))]
    Program {
        /// The operation, counted from 0.
        operation: usize,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// Something has another size than the program expects.
    #[snafu(display("{found} values instead of {expected} for {what}"))]
    Size {
        /// What it is.
        what: &'static str,
        /// How many values it has.
        found: usize,
        /// How many values it should have.
        expected: usize,
    },
    /// Memory is short.
    #[snafu(display("no {bytes} bytes of memory are left for a batch: use a smaller one"))]
    Memory {
        /// How many bytes were asked for.
        bytes: usize,
    },
}

/// Checks the size of something given.
pub(super) fn check(what: &'static str, found: usize, expected: usize) -> Result<(), Error> {
    snafu::ensure!(
        found == expected,
        SizeSnafu {
            what,
            found,
            expected
        }
    );
    Ok(())
}
