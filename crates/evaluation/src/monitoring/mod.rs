//! Whether what a model is given, and what it makes of it, is still as in the cohort that it was trained on.
//!
//! A [`Reference`] keeps how counts, heart-to-contralateral ratio, score, warnings and scanners were spread in the
//! cohort, in a hundred steps and without any study's own value. A [`Monitor`] is given the scans of a job in their
//! order and keeps a control chart of each feature, of all scans and of each scanner. The charts are sequential: an
//! alarm is raised at the scan at which there is enough evidence, and hardly ever without a reason, whatever the size of
//! the reference.
//!
//! Never: a study's own value in a reference; a date or an identifier.

mod chart;
mod distribution;
mod feature;
#[cfg(test)]
mod golden;
mod limit;
mod mix;
mod monitor;
mod reference;
mod row;
#[cfg(test)]
mod tests;

pub use distribution::Distribution;
pub use feature::{Direction, Feature};
pub use limit::HORIZON;
pub use monitor::{LEAST_SCANS, Monitor, MonitoredScan};
pub use reference::{
    LEAST_REFERENCE, Reference, ReferenceGroup, ReferenceShare, ReferenceStudy, ScannerReference,
};
pub use row::{ComparedWith, MonitorRow, MonitorState, Monitoring, TENTHS};
