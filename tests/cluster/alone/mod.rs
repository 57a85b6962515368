//! Scenarios that stop or change what all share, and therefore run one at a time.

mod losses;
mod partition;
mod release;
mod schema;
