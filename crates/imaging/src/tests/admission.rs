//! Tracers and delays, as objects state them, and what becomes of the object.

use dicom_core::value::{DataSetSequence, Value};
use dicom_core::{DataElement, VR};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;

use super::object::{ScanBuilder, coded, scan};
use crate::{StatedPhase, StatedTracer, Warning, judge};
use attrium_types::Tracer;

/// A radiopharmaceutical by its name.
fn named(name: &str) -> InMemDicomObject {
    let mut item = InMemDicomObject::new_empty();
    item.put(DataElement::new(tags::RADIOPHARMACEUTICAL, VR::LO, name));
    item
}

/// One by a code of SNOMED CT in a sequence.
fn of_code(sequence: dicom_core::Tag, value: &str) -> InMemDicomObject {
    let mut item = InMemDicomObject::new_empty();
    let entry = DataSetSequence::from(vec![coded(value, "SCT")]);
    item.put(DataElement::new(sequence, VR::SQ, Value::Sequence(entry)));
    item
}

fn given(items: Vec<InMemDicomObject>) -> ScanBuilder {
    scan().items(tags::RADIOPHARMACEUTICAL_INFORMATION_SEQUENCE, items)
}

/// A scan with HMDP, given and taken at these times of a day.
fn at(start: &str, acquisition: &str) -> ScanBuilder {
    let mut item = named("HMDP");
    item.put(DataElement::new(
        tags::RADIOPHARMACEUTICAL_START_TIME,
        VR::TM,
        start,
    ));
    given(vec![item]).text(tags::ACQUISITION_TIME, VR::TM, acquisition)
}

/// The codes of the warnings that the gate adds, or the reason why it sets the object aside.
fn outcome(scan: ScanBuilder) -> Result<Vec<&'static str>, &'static str> {
    let mut image = scan.read().expect("should be read");
    // What is drawn has no noise.
    image.dispersion = None;
    let before = image.warnings.len();
    match judge(image, Tracer::ALL) {
        Ok(image) => Ok(image.warnings[before..].iter().map(Warning::code).collect()),
        Err(error) => Err(error.reason()),
    }
}

#[test]
fn bone_tracers_are_known_by_their_names_and_trade_names() {
    for (name, tracer) in [
        ("HMDP", Tracer::Hmdp),
        ("Tc-99m HDP", Tracer::Hmdp),
        ("TechneScan HDP", Tracer::Hmdp),
        ("99mTc-oxidronate", Tracer::Hmdp),
        ("TECEOS (DPD)", Tracer::Dpd),
        ("Tc99m-PYP", Tracer::Pyp),
        ("Technetium pyrophosphate", Tracer::Pyp),
        ("pyrofosfaatti", Tracer::Pyp),
        ("MDP", Tracer::Mdp),
        ("medronate", Tracer::Mdp),
    ] {
        let image = given(vec![named(name)]).read().expect("should be read");
        assert_eq!(image.tracer, StatedTracer::Bone(tracer), "{name}");
    }
}

#[test]
fn other_radiopharmaceuticals_are_set_aside_by_name_and_by_code() {
    for name in [
        "MIBI",
        "Tc-99m tetrofosmin",
        "MAG3",
        "pertechnetate",
        "I-123 MIBG",
        "Tl-201 thallium",
        "F-18 FDG",
    ] {
        assert_eq!(
            outcome(given(vec![named(name)])),
            Err("other-tracer"),
            "{name}"
        );
    }
    // Sestamibi, iodine-131, indium-111 (PS3.16, CID 25 and 18).
    for (sequence, value) in [
        (tags::RADIOPHARMACEUTICAL_CODE_SEQUENCE, "424299003"),
        (tags::RADIONUCLIDE_CODE_SEQUENCE, "1368003"),
        (tags::RADIONUCLIDE_CODE_SEQUENCE, "56609000"),
    ] {
        let item = of_code(sequence, value);
        assert_eq!(outcome(given(vec![item])), Err("other-tracer"), "{value}");
    }
    let both = vec![
        named("HMDP"),
        of_code(tags::RADIONUCLIDE_CODE_SEQUENCE, "56609000"),
    ];
    assert_eq!(outcome(given(both)), Err("other-tracer"));
}

#[test]
fn what_is_not_said_or_not_understood_is_warned_of() {
    assert_eq!(
        outcome(scan()),
        Ok(vec!["tracer-not-stated", "delay-not-stated"])
    );
    for name in ["Tc99m", "tracer 7", "HDP/MDP"] {
        let expected = Ok(vec!["unknown-tracer", "delay-not-stated"]);
        assert_eq!(outcome(given(vec![named(name)])), expected, "{name}");
    }
    let mdp = Ok(vec!["insensitive-tracer", "delay-not-stated"]);
    assert_eq!(outcome(given(vec![named("MDP")])), mdp);
}

#[test]
fn a_tracer_that_is_not_accepted_is_set_aside() {
    let image = given(vec![named("MDP")]).read().expect("should be read");
    let error = judge(image, &[Tracer::Hmdp, Tracer::Pyp]).expect_err("not accepted");
    assert_eq!(error.reason(), "tracer-not-accepted");
    assert!(error.to_string().contains("MDP"), "{error}");
}

#[test]
fn early_images_are_set_aside_and_unusual_delays_are_told() {
    assert_eq!(outcome(at("0900", "090500")), Err("early-phase"));
    assert_eq!(outcome(at("0900", "095959")), Err("early-phase"));
    assert_eq!(outcome(at("0900", "101500")), Ok(vec!["unusual-delay"]));
    assert_eq!(outcome(at("0900", "121500")), Ok(vec![]));
    assert_eq!(outcome(at("2300", "0215")), Ok(vec![]));
    assert_eq!(outcome(at("0900", "160000")), Ok(vec!["unusual-delay"]));
    let pool = |tag, name| at("0900", "1215").text(tag, VR::LO, name);
    for tag in [tags::SERIES_DESCRIPTION, tags::PROTOCOL_NAME] {
        assert_eq!(outcome(pool(tag, "WB BLOOD POOL")), Err("early-phase"));
    }
}

#[test]
fn times_of_two_dates_that_do_not_belong_together_are_unclear() {
    let mut item = named("HMDP");
    item.put(DataElement::new(
        tags::RADIOPHARMACEUTICAL_START_DATE_TIME,
        VR::DT,
        "20200101090000",
    ));
    let taken = |date| {
        given(vec![item.clone()])
            .text(tags::ACQUISITION_DATE, VR::DA, date)
            .text(tags::ACQUISITION_TIME, VR::TM, "120000")
    };
    let minutes = |date| taken(date).read().expect("should be read").phase;
    assert_eq!(minutes("20200101"), StatedPhase::Late { minutes: 180 });
    assert_eq!(minutes("20191231"), StatedPhase::Unclear);
    assert_eq!(minutes("20200201"), StatedPhase::Unclear);
    assert_eq!(outcome(taken("20191231")), Ok(vec!["delay-unclear"]));
}
