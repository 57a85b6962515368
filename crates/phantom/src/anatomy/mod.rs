//! A patient's anatomy: which solids there are, and how much tracer each takes up.
//!
//! Breadths and depths are in mm of a person 1.73 m long from the vertex to the toes of a pointed
//! foot, heights in thousandths of that length; [`Body`] scales both. Activities are concentrations
//! relative to muscle.

mod body;
mod joints;
mod lesions;
mod limbs;
mod organs;
mod pelvis;
mod skull;
mod soft_tissue;
mod thorax;

pub(super) use body::Body;

use super::cohort::Study;
use super::random::{Purpose, Stream};
use super::raster::Canvas;

/// Draws a study's patient onto a canvas: where the body attenuates and where the tracer is.
pub(super) fn draw(canvas: &mut Canvas, body: &Body, study: &Study) {
    let mut kinetics = Stream::new(study.seed, Purpose::Kinetics, study.number);
    let mut lesions = Stream::new(study.seed, Purpose::Lesions, study.patient);
    soft_tissue::draw(canvas, body);
    skull::draw(canvas, body);
    thorax::draw(canvas, body);
    pelvis::draw(canvas, body);
    limbs::draw(canvas, body);
    organs::draw(canvas, body, study.uptake, &mut kinetics);
    joints::draw(canvas, body, &mut lesions);
    if study.person.metastases {
        lesions::metastases(canvas, body, &mut lesions);
    }
    lesions::injection_site(canvas, body, &mut kinetics);
}
