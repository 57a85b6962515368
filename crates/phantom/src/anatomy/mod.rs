//! A patient's anatomy: which solids there are, and how much tracer each takes up.
//!
//! Breadths and depths are in mm of a person 1.73 m long from the vertex to the toes of a pointed
//! foot, heights in thousandths of that length; [`Body`] scales both. Activities are concentrations
//! relative to muscle.

mod body;
mod devices;
mod fractures;
mod heart;
mod joints;
mod lesions;
mod limbs;
mod muscles;
mod organs;
mod pelvis;
mod posture;
mod skull;
mod soft_tissue;
mod surgery;
mod thorax;
mod tracers;

pub(super) use body::Body;
pub(super) use tracers::{Biodistribution, draw as draw_other, hands};

use super::cohort::Study;
use super::random::{Purpose, Stream};
use super::raster::Canvas;

/// The body of a study's patient, as it lies in that study. Bone has what the heart left of the tracer.
pub(super) fn body(study: &Study) -> Body {
    let mut shape = Stream::new(study.seed, Purpose::Body, study.patient);
    let mut posture = Stream::new(study.seed, Purpose::Posture, study.number);
    let mut body = Body::draw(&study.person, &mut shape, &mut posture);
    body.bone *= study.uptake.left_for_bone();
    body
}

/// Draws a study's patient onto a canvas: where the body attenuates and where the tracer is.
pub(super) fn draw(canvas: &mut Canvas, body: &Body, study: &Study) {
    let of_study = |purpose| Stream::new(study.seed, purpose, study.number);
    let of_patient = |purpose| Stream::new(study.seed, purpose, study.patient);
    let mut kinetics = of_study(Purpose::Kinetics);
    let mut lesions = of_patient(Purpose::Lesions);
    let mut tissue = of_patient(Purpose::SoftTissue);
    soft_tissue::draw(canvas, body);
    bones(canvas, body);
    let pool = kinetics.bounded_normal(0.22, 0.13, 1.6) * kinetics.factor(0.15);
    let mut heart = of_patient(Purpose::Heart);
    heart::draw(canvas, body, study.uptake, pool, &mut heart);
    organs::draw(canvas, body, &mut kinetics, &mut tissue);
    muscles::draw(canvas, body, &mut tissue);
    joints::draw(canvas, body, &mut lesions);
    fractures::draw(canvas, body, &mut of_patient(Purpose::Fractures));
    if study.person.metastases {
        lesions::metastases(canvas, body, &mut lesions);
    }
    surgery::draw(canvas, body, &mut of_patient(Purpose::Surgery));
    lesions::injection_site(canvas, body, &mut of_study(Purpose::InjectionSite));
    devices::draw(canvas, body, &mut of_patient(Purpose::Devices));
}

fn bones(canvas: &mut Canvas, body: &Body) {
    skull::draw(canvas, body);
    thorax::draw(canvas, body);
    pelvis::draw(canvas, body);
    limbs::draw(canvas, body);
}

/// The middle of the left ventricle in the body's frame, in mm.
#[cfg(test)]
pub(super) fn left_ventricle(body: &Body) -> (f64, f64) {
    let heart = heart::part(body, (10.0, 8.0), [1.0; 3], 0.0);
    (heart.x, heart.y)
}
