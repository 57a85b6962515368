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
use super::raster::{Canvas, Solid};

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
    organs::draw(
        canvas,
        body,
        &mut kinetics,
        &mut of_patient(Purpose::Kidneys),
    );
    muscles::draw(canvas, body, &mut tissue);
    joints::draw(canvas, body, &mut lesions);
    fractures::draw(canvas, body, &mut of_patient(Purpose::Fractures));
    if study.person.metastases {
        lesions::metastases(canvas, body, &mut lesions);
    }
    surgery::draw(canvas, body, &mut of_patient(Purpose::Surgery));
    lesions::injection_site(canvas, body, &mut of_study(Purpose::InjectionSite));
    devices::draw(canvas, body, |part| {
        Stream::part(study.seed, Purpose::Devices, study.patient, part)
    });
}

fn bones(canvas: &mut Canvas, body: &Body) {
    skull::draw(canvas, body);
    thorax::draw(canvas, body);
    pelvis::draw(canvas, body);
    limbs::draw(canvas, body);
}

/// The left ventricle as it is seen from the front.
pub(super) fn left_ventricle(body: &Body) -> Solid {
    heart::left_ventricle(body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::Geometry;
    use crate::{Indication, SyntheticCohort};

    const PATIENTS: u32 = 1_000;

    fn canvas() -> Canvas {
        let mut canvas = Canvas::new(Geometry {
            rows: 380,
            columns: 120,
            pixel_mm: 5.0,
            column: 60.0,
            row: 4.0,
            pivot_y: 0.0,
            angle: 0.0,
            turn_mm: 0.0,
        });
        canvas.thickness.fill(200.0);
        canvas
    }

    /// The share of patients in whom something is drawn.
    fn share(draw: impl Fn(&mut Canvas, &Body, u32) -> bool) -> f64 {
        let cohort = SyntheticCohort::new(PATIENTS, 22);
        let drawn = (0..PATIENTS)
            .filter(|number| draw(&mut canvas(), &body(&cohort.study(*number)), *number));
        drawn.count() as f64 / f64::from(PATIENTS)
    }

    fn shows(canvas: &Canvas) -> bool {
        canvas
            .layers
            .iter()
            .flatten()
            .any(|activity| *activity > 0.0)
    }

    #[test]
    fn findings_are_as_frequent_as_the_documentation_says() {
        // The standard error of each share is below 0.013.
        let stream = |purpose, number| Stream::new(22, purpose, number);
        let metal = share(|canvas, body, number| {
            let mut plain = body.clone();
            plain.breasts = [0.0; 2];
            devices::draw(canvas, &plain, |part| {
                Stream::part(22, Purpose::Devices, number, part)
            });
            canvas.shield.iter().any(|power| *power > 0.0)
        });
        // One of 6, 5, 3 and 4 %, or several.
        assert!((metal - 0.168).abs() < 0.04, "{metal}");
        let broken = share(|canvas, body, number| {
            fractures::draw(canvas, body, &mut stream(Purpose::Fractures, number));
            shows(canvas)
        });
        assert!((broken - 0.154).abs() < 0.04, "{broken}");
        let strained = share(|canvas, body, number| {
            muscles::draw(canvas, body, &mut stream(Purpose::SoftTissue, number));
            shows(canvas)
        });
        assert!((strained - 0.06).abs() < 0.03, "{strained}");
        let injected = share(|canvas, body, number| {
            lesions::injection_site(canvas, body, &mut stream(Purpose::InjectionSite, number));
            shows(canvas)
        });
        assert!((injected - 0.55).abs() < 0.06, "{injected}");
    }

    #[test]
    fn a_mastectomy_follows_a_breast_cancer_and_nothing_else() {
        let cohort = SyntheticCohort::new(PATIENTS * 4, 23);
        let (mut lost, mut patients) = (0.0, 0.0);
        for study in (0..cohort.len()).map(|number| cohort.study(number)) {
            let one_sided = body(&study).breasts.contains(&0.0);
            if study.person.indication == Indication::BreastCancer {
                patients += 1.0;
                lost += f64::from(u8::from(one_sided));
            } else {
                // A man's may be thin, and is on both sides.
                assert!(!one_sided);
            }
        }
        assert!(
            (lost / patients - 0.45_f64).abs() < 0.08,
            "{}",
            lost / patients
        );
    }
}
