//! Objects without what tells whose they are.

mod common;

use attrium_evidence::{Error, deidentify, secondary_capture};
use attrium_imaging::read_anterior;
use attrium_phantom::dicom::{PLANTED_DATE, plant};
use attrium_types::LossyPolicy;
use common::{data, file, identity, objects, put_bytes, scan};
use dicom_core::value::{DataSetSequence, Value};
use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::{InMemDicomObject, from_reader};

const KEY: &[u8] = b"a key of thirty-two bytes or so.";
const MARKER: &str = "ZQSECRET";

const TEXTS: &[VR] = &[
    VR::AE,
    VR::AS,
    VR::CS,
    VR::DA,
    VR::DS,
    VR::DT,
    VR::IS,
    VR::LO,
    VR::LT,
    VR::PN,
    VR::SH,
    VR::ST,
    VR::TM,
    VR::UC,
    VR::UI,
    VR::UN,
    VR::UR,
    VR::UT,
];

/// Without these an object is refused.
const NEEDED: &[Tag] = &[tags::SOP_CLASS_UID, tags::PHOTOMETRIC_INTERPRETATION];

fn read(bytes: &[u8]) -> InMemDicomObject {
    from_reader(bytes).expect("should be DICOM").into_inner()
}

fn holds(bytes: &[u8], text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let bytes = bytes.to_ascii_lowercase();
    bytes.windows(text.len()).any(|at| at == text.as_bytes())
}

/// Writes the marker into every text, or behind it, in nested items and private groups too.
fn marked(object: &InMemDicomObject, behind: bool) -> InMemDicomObject {
    let mut marked = InMemDicomObject::new_empty();
    for element in object.iter() {
        let (tag, vr) = (element.header().tag, element.header().vr);
        match element.value() {
            Value::Sequence(sequence) => {
                let items = sequence.items().iter().map(|item| {
                    let mut item = self::marked(item, behind);
                    add(&mut item);
                    item
                });
                let items: Vec<InMemDicomObject> = items.collect();
                marked.put(DataElement::new(tag, VR::SQ, DataSetSequence::from(items)));
            }
            Value::Primitive(_) if TEXTS.contains(&vr) && !NEEDED.contains(&tag) => {
                let before = element.to_str().unwrap_or_default().into_owned();
                let text = if behind {
                    format!("{before} {MARKER}")
                } else {
                    MARKER.to_owned()
                };
                put_bytes(&mut marked, tag, vr, text.as_bytes());
            }
            _ => {
                marked.put(element.clone());
            }
        }
    }
    marked
}

/// Adds the marker where objects may have texts: private blocks, unknown sequences, and a kept number as a text.
fn add(object: &mut InMemDicomObject) {
    let marker = MARKER.as_bytes();
    for (tag, vr) in [
        (Tag(0x0009, 0x0010), VR::LO),
        (Tag(0x0009, 0x1001), VR::UT),
        (Tag(0x0009, 0x1002), VR::UN),
        (Tag(0x0029, 0x1010), VR::OB),
        (tags::ROWS, VR::LO),
        (tags::IMAGE_COMMENTS, VR::LT),
        (tags::PATIENT_COMMENTS, VR::LT),
        (tags::PIXEL_SPACING, VR::LO),
        (Tag(0x6000, 0x3000), VR::OW),
        (Tag(0xFFFC, 0xFFFC), VR::OB),
    ] {
        put_bytes(object, tag, vr, marker);
    }
    let mut private = InMemDicomObject::new_empty();
    put_bytes(&mut private, tags::PATIENT_NAME, VR::PN, marker);
    put_bytes(&mut private, tags::CODE_MEANING, VR::LO, marker);
    for tag in [Tag(0x0009, 0x1003), tags::REQUEST_ATTRIBUTES_SEQUENCE] {
        let items = DataSetSequence::from(vec![private.clone()]);
        object.put(DataElement::new(tag, VR::SQ, items));
    }
}

#[test]
fn no_text_of_an_object_passes() {
    for number in 0..6 {
        for object in objects(number) {
            for behind in [false, true] {
                let mut marked = marked(&object, behind);
                add(&mut marked);
                for implicit in [false, true] {
                    let bytes = attrium_phantom::dicom::encode(marked.clone(), implicit);
                    let bytes = bytes.expect("should encode");
                    assert!(holds(&bytes, MARKER));
                    let cleaned = deidentify(&bytes, KEY, -17).expect("should clean");
                    assert!(!holds(&cleaned, MARKER), "object of study {number}");
                }
            }
        }
    }
}

#[test]
fn a_planted_object_reads_as_before_and_holds_nothing_planted() {
    for number in 0..12 {
        for object in objects(number) {
            let mut planted = object.clone();
            plant(&mut planted, "Zquirk", "774411990");
            let cleaned = deidentify(&file(&planted), KEY, 40).expect("should clean");
            for text in ["Zquirk", "774411990", PLANTED_DATE, "PHANTOM"] {
                assert!(!holds(&cleaned, text), "{text} of study {number}");
            }
            let uid = object
                .element(tags::SOP_INSTANCE_UID)
                .expect("should be there");
            assert!(!holds(&cleaned, &uid.to_str().expect("should be text")));
            let unplanted = deidentify(&file(&object), KEY, 40).expect("should clean");
            let read = |bytes: &[u8]| read_anterior(bytes, LossyPolicy::Quarantine);
            if let (Ok(before), Ok(after)) = (read(&file(&object)), read(&unplanted)) {
                assert_eq!(before.scanner, after.scanner, "study {number}");
            }
            match (read(&file(&object)), read(&cleaned)) {
                (Ok(before), Ok(after)) => {
                    assert_eq!(before.counts, after.counts);
                    assert_eq!(before.tracer, after.tracer, "study {number}");
                    assert_eq!(before.phase, after.phase, "study {number}");
                    assert_eq!(before.pixel_spacing_mm, after.pixel_spacing_mm);
                    assert!(after.synthetic);
                }
                (Err(before), Err(after)) => assert_eq!(before.reason(), after.reason()),
                (before, after) => assert_eq!(before.is_ok(), after.is_ok(), "study {number}"),
            }
        }
    }
}

#[test]
fn pixels_and_transfer_syntax_stay_as_they_are() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data");
    let mut objects = 0;
    for entry in std::fs::read_dir(folder).expect("should be there") {
        let name = entry.expect("should be listed").file_name();
        let name = name.to_str().expect("should be text");
        if !name.ends_with(".dcm") {
            continue;
        }
        let bytes = data(name);
        let (before, after) = match deidentify(&bytes, KEY, 3) {
            Ok(cleaned) => (from_reader(&bytes[..]), from_reader(&cleaned[..])),
            Err(error) => panic!("{name}: {error}"),
        };
        let (before, after) = (before.expect("DICOM"), after.expect("DICOM"));
        assert_eq!(
            before.meta().transfer_syntax(),
            after.meta().transfer_syntax(),
            "{name}"
        );
        let pixels = |object: &InMemDicomObject| {
            object
                .element(tags::PIXEL_DATA)
                .expect("should have pixels")
                .value()
                .clone()
        };
        assert!(pixels(&before) == pixels(&after), "{name}");
        objects += 1;
    }
    assert!(objects > 20);
}

#[test]
fn one_key_gives_one_pseudonym_and_another_key_another() {
    let texts = |bytes: &[u8], tag: Tag| {
        let object = read(bytes);
        let element = object.element(tag).expect("should be there");
        element.to_str().expect("should be text").into_owned()
    };
    // A scanner of two objects.
    let study = (0..)
        .map(objects)
        .find(|objects| objects.len() == 2)
        .expect("should be one");
    let clean =
        |at: usize, key: &[u8]| deidentify(&file(&study[at]), key, 1).expect("should clean");
    let (first, second) = (clean(0, KEY), clean(1, KEY));
    let other = clean(0, b"another key that is long enough.");
    for tag in [
        tags::PATIENT_ID,
        tags::STUDY_INSTANCE_UID,
        tags::SERIES_INSTANCE_UID,
    ] {
        assert_eq!(texts(&first, tag), texts(&second, tag));
        assert_ne!(texts(&first, tag), texts(&other, tag));
    }
    assert_ne!(
        texts(&first, tags::SOP_INSTANCE_UID),
        texts(&second, tags::SOP_INSTANCE_UID)
    );
    assert_eq!(first, clean(0, KEY));
}

#[test]
fn dates_move_and_what_was_done_is_said() {
    let mut object = scan(0).object;
    object.put(DataElement::new(
        tags::STUDY_DATE,
        VR::DA,
        PrimitiveValue::from("20240228"),
    ));
    let cleaned = read(&deidentify(&file(&object), KEY, 2).expect("should clean"));
    let text = |tag: Tag| {
        let element = cleaned.element(tag).expect("should be there");
        element
            .to_str()
            .expect("should be text")
            .trim_end()
            .to_owned()
    };
    assert_eq!(text(tags::STUDY_DATE), "20240301");
    assert_eq!(text(tags::PATIENT_BIRTH_DATE), "");
    assert_eq!(text(tags::PATIENT_IDENTITY_REMOVED), "YES");
    assert_eq!(
        text(tags::LONGITUDINAL_TEMPORAL_INFORMATION_MODIFIED),
        "MODIFIED"
    );
    let methods = cleaned
        .element(tags::DEIDENTIFICATION_METHOD_CODE_SEQUENCE)
        .expect("should be there")
        .items()
        .expect("should be items");
    let codes = methods
        .iter()
        .map(|item| item.element(tags::CODE_VALUE).expect("a code"));
    let codes: Vec<String> = codes
        .map(|code| code.to_str().expect("text").trim_end().to_owned())
        .collect();
    assert_eq!(codes, ["113100", "113105", "113107", "113108"]);
}

#[test]
fn an_object_whose_pixels_may_show_a_name_is_refused() {
    let scan = scan(0);
    let mut burned = scan.object.clone();
    put_bytes(&mut burned, tags::BURNED_IN_ANNOTATION, VR::CS, b"YES");
    assert_eq!(deidentify(&file(&burned), KEY, 0), Err(Error::MayShowText));
    let image = secondary_capture(
        &scan.source(),
        &scan.decision(),
        &identity(),
        &scan.pictures(),
    );
    let image = image.expect("should compose").bytes;
    assert_eq!(deidentify(&image, KEY, 0), Err(Error::MayShowText));
    assert_eq!(
        deidentify(&file(&scan.object), b"short", 0),
        Err(Error::Key { least: 16 })
    );
}
