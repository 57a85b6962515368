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
mod objects;
mod one_object;
mod preprocess;
mod provenance;
mod publish;
mod refit;
mod results;
mod run;
mod screen;
mod screening;
pub mod screening_table;
mod summarize;
mod tasks;
mod train;
mod training_report;

pub use alert::Alerts;
pub use attrium_workflow::{Progress, Summary, Unit};
pub use execute::{Cause, Execute, Interrupt, NoProgress, ProgressSink, TaskContext, TaskError};
pub use model::{ModelError, open_model};
pub use run::store_options;
pub use screen::activation_maps;
pub use screening::{Candidate, Decision, Scan, Screened, Screener, ScreeningError};
pub use tasks::Tasks;
