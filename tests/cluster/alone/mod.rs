//! Scenarios that stop or change what all share, and therefore run one at a time.

mod outages;
mod release;
mod schema;
