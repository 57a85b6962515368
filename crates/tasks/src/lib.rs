//! What a task does, and what it is told and tells while it does it.
//!
//! One file a stage. A stage reads and writes a store, and leaves the imaging, the training and
//! the numbers to the modules of those names. It never talks to a cluster.

mod alert;
mod approval;
mod artefact_error;
mod attempt;
mod baseline;
mod bundle_folder;
mod calibrate;
mod combination;
mod csv_table;
mod earlier_runs;
mod evaluate;
mod execute;
mod failure;
mod fitting;
mod inputs;
mod misclassified;
mod model;
mod model_facts;
mod monitor;
mod object_batches;
mod overlap;
mod preprocess;
mod provenance;
mod publication;
mod publish;
mod recheck;
mod reference;
mod refit;
mod rejection;
mod results;
mod screen;
mod screener;
pub mod screening_table;
mod starting_weights;
#[cfg(test)]
mod store_tests;
mod study_selection;
mod summarize;
mod task_io;
mod tasks;
#[cfg(test)]
mod tests;
mod train;
mod training_report;
mod unanswered;
mod uncertainty;

pub use alert::Alerts;
pub use approval::{ApprovedModel, SignError, sign_model, verify_model};
pub use artefact_error::ArtefactError;
pub use attrium_workflow::{Progress, Summary, Unit};
pub use bundle_folder::ModelError;
pub use calibrate::{CalibratedModel, Calibration, CalibrationError, calibrate_model};
pub use execute::{Cause, Execute, Interrupt, NoProgress, ProgressSink, TaskContext, TaskError};
pub use inputs::{read_artefact, read_summaries};
pub use model::open_model;
pub use rejection::Rejection;
pub use screen::activation_maps;
pub use screener::{Candidate, Scan, Screened, Screener, ScreeningDecision, ScreeningError};
pub use task_io::store_options;
pub use tasks::Tasks;
