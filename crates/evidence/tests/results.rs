//! What reports and images say, and of what they say nothing.

mod common;

use attrium_evidence::{
    Amended, Decision, Error, Pictures, Predecessor, ResultKind, Source, deidentify, picture_png,
    result_uid, secondary_capture, series_uid, structured_report,
};
use common::{HOSTILE, Scan, data, file, identity, negative, put_bytes, scan, without_heart};
use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::{InMemDicomObject, from_reader};
use proptest::prelude::*;

fn read(bytes: &[u8]) -> InMemDicomObject {
    from_reader(bytes).expect("should be DICOM").into_inner()
}

fn report(scan: &Scan, decision: &Decision) -> InMemDicomObject {
    let report = structured_report(&scan.source(), decision, &identity());
    read(&report.expect("should compose").bytes)
}

fn text(object: &InMemDicomObject, tag: Tag) -> String {
    let element = object.element(tag).expect("should be there");
    let text = element.to_str().expect("should be text");
    text.trim_end_matches([' ', '\0']).to_owned()
}

fn items(object: &InMemDicomObject, tag: Tag) -> &[InMemDicomObject] {
    object
        .element(tag)
        .expect("should be there")
        .items()
        .expect("should be items")
}

fn meaning(item: &InMemDicomObject, tag: Tag) -> String {
    text(&items(item, tag)[0], tags::CODE_MEANING)
}

/// Every item of a report, the root first.
fn tree(root: &InMemDicomObject) -> Vec<&InMemDicomObject> {
    let content = root.element(tags::CONTENT_SEQUENCE).ok();
    let content = content
        .and_then(|content| content.items())
        .unwrap_or_default();
    let mut all = vec![root];
    all.extend(content.iter().flat_map(tree));
    all
}

/// The items with a name.
fn named<'a>(root: &'a InMemDicomObject, name: &str) -> Vec<&'a InMemDicomObject> {
    let is_named = |item: &&InMemDicomObject| {
        item.element(tags::CONCEPT_NAME_CODE_SEQUENCE).is_ok()
            && meaning(item, tags::CONCEPT_NAME_CODE_SEQUENCE) == name
    };
    tree(root).into_iter().filter(is_named).collect()
}

fn number(root: &InMemDicomObject, name: &str) -> String {
    let measured = items(named(root, name)[0], tags::MEASURED_VALUE_SEQUENCE);
    text(&measured[0], tags::NUMERIC_VALUE)
}

fn comments(root: &InMemDicomObject) -> Vec<String> {
    let comments = named(root, "Comment").into_iter();
    comments.map(|item| text(item, tags::TEXT_VALUE)).collect()
}

#[test]
fn equal_arguments_give_equal_bytes() {
    let scan = scan(0);
    let compose = || {
        let (source, decision) = (scan.source(), scan.decision());
        let report = structured_report(&source, &decision, &identity()).expect("should compose");
        let image = secondary_capture(&source, &decision, &identity(), &scan.pictures());
        (report, image.expect("should compose"))
    };
    assert!(compose() == compose());
}

#[test]
fn uids_follow_from_station_study_inputs_model_and_revision() {
    let scan = scan(0);
    let (source, decision, identity) = (scan.source(), scan.decision(), identity());
    let report = structured_report(&source, &decision, &identity).expect("should compose");
    let (station, study) = (&identity.station, source.study_instance_uid());
    let digest = &decision.model.digest;
    let kind = ResultKind::Report;
    let instance = result_uid(station, study, &identity.inputs, digest, kind, 1);
    assert_eq!(report.sop_instance_uid, instance);
    assert_eq!(
        report.series_instance_uid,
        series_uid(station, study, digest, kind)
    );
    let image = secondary_capture(&source, &decision, &identity, &scan.pictures());
    let image = image.expect("should compose");
    assert_ne!(image.sop_instance_uid, report.sop_instance_uid);
    assert_ne!(image.series_instance_uid, report.series_instance_uid);
    let set = read(&report.bytes);
    assert_eq!(text(&set, tags::SOP_INSTANCE_UID), instance);
    assert_eq!(text(&set, tags::STUDY_INSTANCE_UID), study);
}

#[test]
fn a_positive_report_says_what_where_and_by_what() {
    let scan = scan(0);
    let set = report(&scan, &scan.decision());
    assert_eq!(text(&set, tags::VERIFICATION_FLAG), "UNVERIFIED");
    assert_eq!(text(&set, tags::PRELIMINARY_FLAG), "PRELIMINARY");
    let finding = named(&set, "Finding")[0];
    let concept = meaning(finding, tags::CONCEPT_CODE_SEQUENCE);
    assert_eq!(concept, "Suspected cardiac amyloidosis");
    assert_eq!(number(&set, "Certainty of Finding"), "93.2");
    assert_eq!(number(&set, "Probability of cardiac amyloidosis"), "93.2");
    assert_eq!(number(&set, "Least probability that is positive"), "41");
    let version = text(named(&set, "Algorithm Version")[0], tags::TEXT_VALUE);
    assert_eq!(version, format!("1.2 {}", scan.decision().model.digest));
    let comments = comments(&set);
    assert!(
        comments[0].starts_with("Research use only."),
        "{comments:?}"
    );
    assert!(
        comments[1].starts_with("SYNTHETIC: the scan shows a phantom"),
        "{comments:?}"
    );
    assert_eq!(comments.len(), 2);
}

#[test]
fn a_negative_report_never_names_its_region_a_suspicion() {
    let scan = scan(0);
    let set = report(&scan, &negative(scan.decision()));
    let concept = meaning(named(&set, "Finding")[0], tags::CONCEPT_CODE_SEQUENCE);
    assert_eq!(concept, "No suspicion of cardiac amyloidosis");
    let answer = named(&set, "Suspicion of cardiac amyloidosis")[0];
    assert_eq!(meaning(answer, tags::CONCEPT_CODE_SEQUENCE), "No");
    assert_eq!(number(&set, "Certainty of Finding"), "93");
    assert_eq!(number(&set, "Probability of cardiac amyloidosis"), "7");
}

#[test]
fn the_region_is_the_heart_and_else_the_crop() {
    let scan = scan(0);
    let points = |decision: &Decision| {
        let set = report(&scan, decision);
        let region = named(&set, "Image Region")[0];
        assert_eq!(text(region, tags::GRAPHIC_TYPE), "POLYLINE");
        let data = region.element(tags::GRAPHIC_DATA).expect("should be there");
        let points = data.to_multi_float32().expect("should be numbers");
        assert_eq!(points[..2], points[points.len() - 2..], "should be closed");
        points
    };
    let crop = scan.crop.rectangle;
    let (top, left) = (crop.top as f32, crop.left as f32);
    let corners = [
        left,
        top,
        left + 128.0,
        top,
        left + 128.0,
        top + 128.0,
        left,
        top + 128.0,
        left,
        top,
    ];
    assert_eq!(points(&without_heart(scan.decision())), corners);
    let mut decision = scan.decision();
    let heart = decision.heart.as_mut().expect("should have a heart");
    let ellipse = heart.ellipse;
    let outline = points(&decision);
    assert_eq!(outline.len(), 98);
    let right = ellipse.column + 0.5 + 0.5 * ellipse.width;
    assert!((f64::from(outline[0]) - right).abs() < 1e-3);
    // What reaches beyond the image is cut off, and what lies beside it is no region.
    let heart = decision.heart.as_mut().expect("should have a heart");
    heart.ellipse.row = -1.0;
    assert!(
        points(&decision)
            .iter()
            .all(|coordinate| *coordinate >= 0.0)
    );
    let heart = decision.heart.as_mut().expect("should have a heart");
    heart.ellipse.row = -999.0;
    let refused = structured_report(&scan.source(), &decision, &identity());
    assert_eq!(refused, Err(Error::Region));
}

#[test]
fn the_frame_of_a_multi_frame_source_is_named() {
    let mut scans = (0..).map(scan);
    let several = scans
        .find(|scan| scan.source().frames() == 2)
        .expect("should be one");
    let mut decision = several.decision();
    decision.frame = Some(2);
    let set = report(&several, &decision);
    let all = tree(&set);
    let images = all.iter().filter(|item| {
        item.element(tags::VALUE_TYPE).is_ok() && text(item, tags::VALUE_TYPE) == "IMAGE"
    });
    let frames: Vec<String> = images
        .map(|item| {
            text(
                &items(item, tags::REFERENCED_SOP_SEQUENCE)[0],
                tags::REFERENCED_FRAME_NUMBER,
            )
        })
        .collect();
    assert_eq!(frames, ["2"]);
    for frame in [None, Some(0), Some(3)] {
        decision.frame = frame;
        let refused = structured_report(&several.source(), &decision, &identity());
        assert!(matches!(refused, Err(Error::Frame { frames: 2, .. })));
    }
}

#[test]
fn a_second_revision_names_and_amends_its_predecessor() {
    let scan = scan(0);
    let first = structured_report(&scan.source(), &scan.decision(), &identity());
    let first = first.expect("should compose");
    let mut decision = negative(scan.decision());
    decision.revision = 2;
    decision.predecessor = Some(Predecessor {
        reference: first.reference(),
        amended: Some(Amended::Positive),
    });
    let set = report(&scan, &decision);
    let study = &items(&set, tags::PREDECESSOR_DOCUMENTS_SEQUENCE)[0];
    let series = &items(study, tags::REFERENCED_SERIES_SEQUENCE)[0];
    assert_eq!(
        text(series, tags::SERIES_INSTANCE_UID),
        first.series_instance_uid
    );
    let document = &items(series, tags::REFERENCED_SOP_SEQUENCE)[0];
    assert_eq!(
        text(document, tags::REFERENCED_SOP_INSTANCE_UID),
        first.sop_instance_uid
    );
    assert_ne!(text(&set, tags::SOP_INSTANCE_UID), first.sop_instance_uid);
    assert_eq!(
        text(&set, tags::SERIES_INSTANCE_UID),
        first.series_instance_uid
    );
    assert_eq!(text(&set, tags::INSTANCE_NUMBER), "2");
    assert!(
        comments(&set)
            .iter()
            .any(|it| it.contains("AMENDED") && it.contains("POSITIVE"))
    );
}

#[test]
fn names_go_over_in_the_bytes_that_they_have() {
    let names: [(&[u8], &[u8]); 4] = [
        (b"ISO_IR 100", b"Buc^J\xe9r\xf4me"),
        (b"ISO_IR 192", "Wang^XiaoDong=王^小東".as_bytes()),
        (
            b"\\ISO 2022 IR 87",
            b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B",
        ),
        (b"nonsense", b"\xff\xfe\x80^\\x"),
    ];
    for (set, name) in names {
        let mut scan = scan(0);
        put_bytes(&mut scan.object, tags::SPECIFIC_CHARACTER_SET, VR::CS, set);
        put_bytes(&mut scan.object, tags::PATIENT_NAME, VR::PN, name);
        put_bytes(&mut scan.object, tags::STUDY_DESCRIPTION, VR::LO, name);
        let source = scan.source();
        let report = structured_report(&source, &scan.decision(), &identity());
        let image = secondary_capture(&source, &scan.decision(), &identity(), &scan.pictures());
        for composed in [report, image] {
            let bytes = composed.expect("should compose").bytes;
            let count = |wanted: &[u8]| {
                bytes
                    .windows(wanted.len())
                    .filter(|it| *it == wanted)
                    .count()
            };
            assert_eq!((count(set), count(name)), (1, 2));
        }
    }
}

#[test]
fn what_the_source_does_not_say_is_there_and_empty() {
    let scan = scan(0);
    for name in [
        "anterior-first.dcm",
        "implicit-little.dcm",
        "explicit-big.dcm",
    ] {
        let source = Source::read(&data(name)).expect("should be a source");
        assert_eq!((source.rows(), source.columns()), (160, 144), "{name}");
        let mut decision = without_heart(scan.decision());
        decision.frame = Some(1);
        decision.crop.top = 0.0;
        decision.crop.left = 0.0;
        let report = structured_report(&source, &decision, &identity()).expect("should compose");
        let set = read(&report.bytes);
        for tag in [
            tags::STUDY_DATE,
            tags::STUDY_TIME,
            tags::ACCESSION_NUMBER,
            tags::STUDY_ID,
        ] {
            assert_eq!(text(&set, tag), "", "{name}");
        }
        assert_eq!(text(&set, tags::PATIENT_NAME), "Phantom^Small");
    }
}

#[test]
fn a_source_without_its_identifiers_or_its_size_is_refused() {
    let object = scan(0).object;
    for tag in [
        tags::STUDY_INSTANCE_UID,
        tags::SERIES_INSTANCE_UID,
        tags::SOP_INSTANCE_UID,
        tags::ROWS,
        tags::COLUMNS,
    ] {
        let mut lacking = object.clone();
        lacking.remove_element(tag);
        if tag == tags::SOP_INSTANCE_UID {
            // The writer wants one: an empty one is none.
            put_bytes(&mut lacking, tag, VR::UI, b"");
        }
        let refused = Source::read(&file(&lacking)).map(|_| ());
        assert_eq!(refused, Err(Error::Attribute { tag }));
    }
    let mut without_frames = object.clone();
    put_bytes(&mut without_frames, tags::NUMBER_OF_FRAMES, VR::IS, b"0");
    assert!(Source::read(&file(&without_frames)).is_err());
    assert_eq!(Source::read(b"no DICOM").map(|_| ()), Err(Error::NotDicom));
}

#[test]
fn a_decision_that_cannot_be_is_refused() {
    let scan = scan(0);
    let refused = |change: &dyn Fn(&mut Decision)| {
        let mut decision = scan.decision();
        change(&mut decision);
        structured_report(&scan.source(), &decision, &identity()).expect_err("should be refused")
    };
    assert_eq!(refused(&|it| it.positive = false), Error::Contradiction);
    let agreeing = Predecessor {
        reference: structured_report(&scan.source(), &scan.decision(), &identity())
            .expect("should compose")
            .reference(),
        amended: Some(Amended::Positive),
    };
    let error = refused(&|it| it.predecessor = Some(agreeing.clone()));
    assert_eq!(error, Error::Contradiction);
    for size in [f64::NAN, f64::INFINITY, 0.0] {
        let error = refused(&|it| {
            let heart = it.heart.as_mut().expect("should have a heart");
            heart.ellipse.height = size;
        });
        assert_eq!(error, Error::Region);
    }
    for number in [f64::NAN, f64::INFINITY, -0.1, 1.1] {
        let error = refused(&|it| it.positive_probability = number);
        assert!(matches!(
            error,
            Error::Number {
                name: "probability",
                ..
            }
        ));
    }
    assert!(matches!(
        refused(&|it| it.threshold = f64::NAN),
        Error::Number { .. }
    ));
    assert_eq!(refused(&|it| it.crop.left = 1e9), Error::Region);
    assert_eq!(refused(&|it| it.crop.height = f64::NAN), Error::Region);
    let pictures = Pictures {
        counts: &[0.0; 4],
        ..scan.pictures()
    };
    let error = picture_png(&scan.decision(), &pictures);
    assert!(matches!(error, Err(Error::PictureSize { pixels: 4, .. })));
}

#[test]
fn an_image_holds_the_picture_and_no_name_in_it() {
    let mut scan = scan(0);
    for (tag, vr, text) in HOSTILE {
        put_bytes(&mut scan.object, *tag, *vr, text.as_bytes());
    }
    let image = secondary_capture(
        &scan.source(),
        &scan.decision(),
        &identity(),
        &scan.pictures(),
    );
    let set = read(&image.expect("should compose").bytes);
    assert_eq!(text(&set, tags::MODALITY), "OT");
    assert_eq!(text(&set, tags::BURNED_IN_ANNOTATION), "NO");
    assert_eq!(text(&set, tags::QUALITY_CONTROL_IMAGE), "YES");
    let pixels = set.element(tags::PIXEL_DATA).expect("should be there");
    let pixels = pixels.to_bytes().expect("should be bytes");
    assert_eq!(pixels.len(), 1024 * 704 * 3);
    // The picture is made of decision and crop alone: the source is no argument of it.
    let file = picture_png(&scan.decision(), &scan.pictures()).expect("should encode");
    let mut reader = png::Decoder::new(std::io::Cursor::new(file))
        .read_info()
        .expect("a PNG");
    let mut drawn = vec![0; reader.output_buffer_size().expect("should be small")];
    reader.next_frame(&mut drawn).expect("should decode");
    assert!(pixels == drawn);
}

#[test]
fn counts_and_heat_that_are_no_numbers_are_drawn_as_none() {
    let scan = scan(0);
    let mut counts = scan.crop.counts.clone();
    let mut heat = scan.heat.clone();
    (counts[7], counts[8], heat[7], heat[8]) = (f32::NAN, f32::INFINITY, f32::NAN, -1.0);
    for counts in [counts, vec![0.0; 128 * 128], vec![f32::NAN; 128 * 128]] {
        let pictures = Pictures {
            counts: &counts,
            heat: Some(&heat),
            ..scan.pictures()
        };
        assert!(picture_png(&scan.decision(), &pictures).is_ok());
    }
}

#[test]
fn neither_debug_nor_an_error_holds_a_text_of_the_object() {
    let mut scan = scan(0);
    let secret = "Zquirk";
    for tag in [
        tags::PATIENT_NAME,
        tags::PATIENT_ID,
        tags::STUDY_DESCRIPTION,
    ] {
        put_bytes(&mut scan.object, tag, VR::LO, secret.as_bytes());
    }
    let source = scan.source();
    let report = structured_report(&source, &scan.decision(), &identity()).expect("should compose");
    let shown = format!("{source:?} {report:?}");
    assert!(
        !shown.contains(secret) && !shown.contains(source.study_instance_uid()),
        "{shown}"
    );
    let mut long = scan.object.clone();
    let bytes = secret.repeat(1 << 14);
    long.put(DataElement::new(
        tags::ISSUER_OF_PATIENT_ID,
        VR::UT,
        PrimitiveValue::from(bytes),
    ));
    put_bytes(&mut long, tags::NUMBER_OF_FRAMES, VR::IS, secret.as_bytes());
    let error = Source::read(&file(&long)).expect_err("should be refused");
    assert!(!format!("{error} {error:?}").contains(secret));
}

proptest! {
    #[test]
    fn damaged_objects_end_no_program(at in 0_usize..6_000, byte: u8, length in 0_usize..8_000) {
        let mut bytes = data("anterior-first.dcm");
        let end = bytes.len() - length;
        let place = at.min(end - 1);
        bytes[place] = byte;
        let _ = Source::read(&bytes[..end]).map(|_| ());
        let _ = deidentify(&bytes[..end], &[7; 32], 5).map(|_| ());
    }
}
