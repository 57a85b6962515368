//! A disk in memory whose power can be cut, for tests.
//!
//! It keeps what a process sees (the page cache) apart from what is on the device: bytes get there by a sync
//! of their file, names by a sync of their folder, and nothing else does it. What a cut leaves is the worst
//! that a local file system may leave, not what one of them does: of the bytes of a file that were not
//! synced, none, some or garbage; of the names in a folder that were made, changed or removed since its last
//! sync, any part, each on its own. A seed decides.
//!
//! Operations that change the disk are numbered from 0, and each of them may be the one at which the power
//! goes or that fails.

mod disk;
mod random;
mod state;
mod tree;

pub use disk::SimulatedDisk;
pub use state::{Fault, Operation};
