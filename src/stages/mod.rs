//! What a task does, and what it is told and tells while it does it.

mod execute;

pub use execute::{
    Cause, Execute, Interrupt, NoProgress, Progress, ProgressSink, Summary, TaskContext, TaskError,
    Unit,
};
