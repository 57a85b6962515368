//! What a task does, and what it is told and tells while it does it.
//!
//! One file a stage. A stage reads and writes a store, and leaves the imaging, the training and
//! the numbers to the modules of those names. It never talks to a cluster.

mod alert;
mod baseline;
mod combination;
mod evaluate;
mod execute;
mod failure;
mod fitting;
mod model;
mod object_batches;
mod preprocess;
mod provenance;
mod publish;
mod refit;
mod rejection;
mod results;
mod screen;
mod screener;
pub mod screening_table;
#[cfg(test)]
mod store_tests;
mod study_selection;
mod summarize;
mod task_io;
mod tasks;
mod train;
mod training_report;

pub use alert::Alerts;
pub use attrium_workflow::{Progress, Summary, Unit};
pub use execute::{Cause, Execute, Interrupt, NoProgress, ProgressSink, TaskContext, TaskError};
pub use model::{ModelError, open_model};
pub use rejection::Rejection;
pub use screen::activation_maps;
pub use screener::{Candidate, Scan, Screened, Screener, ScreeningDecision, ScreeningError};
pub use task_io::store_options;
pub use tasks::Tasks;
