//! What all crates of attrium share: questions, architectures, grades, metrics, decimals.
//!
//! [`random`] names the streams of random numbers, [`text`] formats what people read. Nothing here does IO, and nothing knows a
//! cluster.

mod architecture;
mod cohort_knowledge;
mod crop_mode;
mod decimal;
mod grade;
mod initial_weights;
mod intensity;
mod lossy_policy;
mod metric;
mod preferred_acquisition;
pub mod random;
mod target;
pub mod text;
mod tracer;

pub use architecture::Architecture;
pub use cohort_knowledge::CohortKnowledge;
pub use crop_mode::CropMode;
pub use decimal::{Decimal, NotDecimal};
pub use grade::{Grade, UnknownGrade};
pub use initial_weights::InitialWeights;
pub use intensity::Intensity;
pub use lossy_policy::LossyPolicy;
pub use metric::Metric;
pub use preferred_acquisition::PreferredAcquisition;
pub use target::Target;
pub use tracer::Tracer;
