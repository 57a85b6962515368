//! What holds for every page, whatever is in it.

use super::fixture;
use crate::report::{screening_report, training_report};
