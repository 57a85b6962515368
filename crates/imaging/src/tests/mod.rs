//! Tests of the crate as a whole, on real, written and damaged objects.

mod archive;
mod bad_input;
mod facing;
mod gate;
mod object;
mod orientation;
mod privacy;
mod size;
mod units;
mod unknown_vr;
mod views;
