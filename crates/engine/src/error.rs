use snafu::Snafu;

/// Why a program could not be made or run.
#[derive(Debug, PartialEq, Eq, Snafu)]
#[snafu(visibility(pub(super)))]
pub enum Error {
    /// The operations do not make a program.
    #[snafu(display("operation {operation} of the layer program {fault}"))]
    Program {
        /// Counted from 0.
        operation: usize,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// What was given has another size than the program takes.
    #[snafu(display("{what} has {found} values instead of {expected}"))]
    Size {
        /// Its name.
        what: &'static str,
        /// How many it has.
        found: usize,
        /// How many it should have.
        expected: usize,
    },
    /// There is not enough memory.
    #[snafu(display("no {bytes} bytes of memory are left for a batch: use a smaller one"))]
    Memory {
        /// How many were asked for.
        bytes: usize,
    },
}

/// Checks a size at the entrance.
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
