//! Synthetic bone scans with the paper's demographics: images and labels of invented patients.
//!
//! A [`SyntheticCohort`] says which patients and studies there are; [`scan`] draws a study's two views;
//! [`dicom`] writes them as Nuclear Medicine Image objects; [`archive`] lays them out in a folder with
//! `labels.csv`. Everything is a function of (seed, study number). Every object says that it is synthetic
//! (Quality Control Image (0028,0300) is YES).
//!
//! Never reads real images, and never claims that a result on phantoms says anything about patients.

pub mod archive;
pub mod dicom;

mod anatomy;
mod blur;
mod cohort;
mod demographics;
mod error;
mod field;
mod random;
mod raster;
mod reading;
mod scanner;
mod tracer;
mod ventricle;
mod view;
pub mod wrong;

pub use cohort::{Date, Study, SyntheticCohort};
pub use demographics::{Indication, Person, Protocol, Sex};
pub use error::Error;
pub use reading::Uptake;
pub use scanner::{ObjectLayout, PrivateGroup, SCANNERS, Scanner, ViewNaming};
pub use ventricle::{Ventricle, ventricle};
pub use view::{Views, scan};
