use super::{TaskRef, Work};

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Every task has ended well, and every gate has passed.
    Succeeded,
    /// Every task has ended well, and a gate was missed: nothing is published.
    GateMissed,
    /// A task has failed.
    Failed,
    /// It was asked to stop; run again, it goes on.
    Interrupted,
}

/// A task that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The task.
    pub task: TaskRef,
    /// What it was to do.
    pub work: Work,
    /// 42 where its data is bad, 43 where the configuration is, anything else where another try
    /// might do.
    pub exit_code: i32,
    /// What happened, as a sentence that a person can act on.
    pub sentence: String,
}

/// The failure that weighs most: a bad configuration, then bad data, then any other.
pub fn gravest<'a>(failures: impl IntoIterator<Item = &'a Failure>) -> Option<&'a Failure> {
    let weight = |failure: &&Failure| match failure.exit_code {
        43 => 0,
        42 => 1,
        _ => 2,
    };
    // Of several that weigh the same the first is told.
    failures.into_iter().min_by_key(weight)
}
