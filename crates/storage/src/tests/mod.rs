//! What every store has to do, and what is special about folders and buckets.

mod contract;
mod folder;
mod responses;

use super::*;

/// The keys of a list, sorted.
fn keys(storage: &Storage) -> Vec<String> {
    let mut keys: Vec<String> = storage
        .list()
        .unwrap()
        .map(|object| object.unwrap().name().to_owned())
        .collect();
    keys.sort();
    keys
}

/// An error with its chain of causes, as it is printed.
fn chain(error: &Error) -> String {
    snafu::Report::from_error(error).to_string()
}
