//! Tests of the crate as a whole, on real, written and damaged objects.

mod admission;
mod archive;
mod bad_input;
mod facing;
mod heart;
mod object;
mod orientation;
mod planted;
mod privacy;
mod size;
mod units;
mod unknown_vr;
mod views;
