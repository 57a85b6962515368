//! Tests of the crate as a whole, on real, written and damaged objects.

mod archive;
mod bad_input;
mod gate;
mod object;
mod orientation;
mod privacy;
mod size;
mod views;
