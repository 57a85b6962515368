//! Tests of the room as a whole, on real, written and damaged objects.

mod archive;
mod bad_input;
mod lying;
mod object;
mod privacy;
mod size;
mod views;
