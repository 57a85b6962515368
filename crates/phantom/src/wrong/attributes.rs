//! What planted objects say of themselves, in words and codes; or that they say nothing.

use dicom_core::value::Value;
use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;

use super::WrongKind;
use super::bitmap::{capture, put};
use crate::cohort::Study;
use crate::dicom::{
    Attributes, Concept, GALLIUM, GALLIUM_CITRATE, INDIUM, IODIDE, IODINE, PENTETREOTIDE,
    SESTAMIBI, TECHNETIUM,
};
use crate::random::Stream;
use crate::scanner::ViewNaming;

/// Words by which sites name a region or a phase, and the Body Part Examined (0018,0015) of it.
struct Words {
    part: &'static str,
    descriptions: &'static [&'static str],
}

/// A tracer that is none of bone: its name, its codes, and its energy window in keV.
struct OtherTracer {
    names: &'static [&'static str],
    pharmaceutical: &'static Concept,
    radionuclide: &'static Concept,
    window: [f64; 2],
}

/// Makes an object say what it is, where it is `stated`, or else nothing of it.
pub(super) fn label(
    object: &mut InMemDicomObject,
    kind: WrongKind,
    stated: bool,
    study: &Study,
    stream: &mut Stream,
) {
    hush(object, study);
    if kind == WrongKind::ScreenCapture {
        capture(object);
    }
    if let Some(tracer) = other_tracer(kind) {
        say_tracer(object, &tracer, study, stream);
    }
    match (words(kind), stated) {
        (Some(words), true) => say(object, &words, study, stream),
        (Some(_), false) if kind.is_early() => {
            // Without the time of the injection nobody knows the phase but who looks.
            object.update_value(tags::RADIOPHARMACEUTICAL_INFORMATION_SEQUENCE, |value| {
                if let Value::Sequence(items) = value {
                    for item in items.items_mut() {
                        item.remove_element(tags::RADIOPHARMACEUTICAL_START_TIME);
                    }
                }
            });
        }
        _ => {}
    }
}

impl WrongKind {
    fn is_early(self) -> bool {
        matches!(self, Self::BloodPool | Self::ChestBloodPool)
    }
}

/// Takes away what the phantom's own study says of region and protocol.
fn hush(object: &mut InMemDicomObject, study: &Study) {
    object.remove_element(tags::BODY_PART_EXAMINED);
    object.remove_element(tags::PROTOCOL_NAME);
    let series = if study.scanner.naming == ViewNaming::ImageId {
        "NM ANTERIOR"
    } else {
        "NM"
    };
    put(object, tags::STUDY_DESCRIPTION, VR::LO, "NM".into());
    put(object, tags::SERIES_DESCRIPTION, VR::LO, series.into());
    for tag in [
        Tag(0x0009, 0x10f0),
        Tag(0x0009, 0x1010),
        Tag(0x0019, 0x10f1),
    ] {
        if object.get(tag).is_some() {
            put(object, tag, VR::LO, "NM".into());
        }
    }
}

fn say(object: &mut InMemDicomObject, words: &Words, study: &Study, stream: &mut Stream) {
    let choices = vec![1.0; words.descriptions.len()];
    let description = words.descriptions[stream.choose(&choices)];
    let series = if study.scanner.naming == ViewNaming::ImageId {
        format!("{description} ANTERIOR")
    } else {
        description.to_owned()
    };
    // One of both is enough for a reader; scanners fill either.
    let (by_part, by_words) = match stream.choose(&[1.0; 3]) {
        0 => (true, true),
        1 => (!words.part.is_empty(), words.part.is_empty()),
        _ => (false, true),
    };
    if by_part && !words.part.is_empty() {
        put(object, tags::BODY_PART_EXAMINED, VR::CS, words.part.into());
    }
    if by_words {
        put(object, tags::SERIES_DESCRIPTION, VR::LO, series.into());
    }
}

fn words(kind: WrongKind) -> Option<Words> {
    let (part, descriptions): (_, &[_]) = match kind {
        WrongKind::BloodPool | WrongKind::ChestBloodPool => (
            "",
            &[
                "BLOOD POOL 5 MIN",
                "Weichteilphase",
                "Fruehphase",
                "Temps precoce tissulaire",
                "fase precoz",
                "EARLY PHASE",
                "veriallasvaihe",
            ],
        ),
        WrongKind::Pelvis => (
            "PELVIS",
            &[
                "PELVIS",
                "Becken",
                "Bassin",
                "Bacino",
                "Lantio",
                "Pelvis estatica",
            ],
        ),
        WrongKind::Knees => (
            "KNEE",
            &[
                "KNEES",
                "Knie beidseits",
                "Genoux",
                "Rodillas",
                "Polvet",
                "Ginocchia",
            ],
        ),
        WrongKind::Skull => (
            "SKULL",
            &["SKULL", "Schaedel", "Crane", "Craneo", "Kallo", "Cranio"],
        ),
        WrongKind::Hands => (
            "HAND",
            &["HANDS", "Haende", "Mains", "Manos", "Kadet", "Mani"],
        ),
        WrongKind::Feet => (
            "FOOT",
            &["FEET", "Fuesse", "Pieds", "Pies", "Jalat", "Piedi"],
        ),
        WrongKind::Flood => ("", &["FLOOD", "INTRINSIC UNIFORMITY", "QC"]),
        WrongKind::DualIsotope => ("", &["DUAL ISOTOPE", "Tc99m / second isotope"]),
        WrongKind::ScreenCapture => ("", &["SCREEN CAPTURE", "Screenshot", "Results page"]),
        _ => return None,
    };
    Some(Words { part, descriptions })
}

fn other_tracer(kind: WrongKind) -> Option<OtherTracer> {
    let (names, pharmaceutical, radionuclide, window): (&[_], _, _, _) = match kind {
        WrongKind::Perfusion => (
            &["Tc99m Sestamibi", "99mTc-MIBI", "Cardiolite"],
            &SESTAMIBI,
            &TECHNETIUM,
            [126.5, 154.5],
        ),
        WrongKind::Iodide => (
            &["I-131 Sodium Iodide", "131I", "Iodine 131"],
            &IODIDE,
            &IODINE,
            [327.6, 400.4],
        ),
        WrongKind::Octreotide => (
            &["In-111 Octreotide", "Octreoscan", "111In-pentetreotide"],
            &PENTETREOTIDE,
            &INDIUM,
            [220.5, 269.5],
        ),
        WrongKind::Gallium => (
            &["Ga-67 Citrate", "67Ga", "Gallium citrate"],
            &GALLIUM_CITRATE,
            &GALLIUM,
            [166.5, 203.5],
        ),
        _ => return None,
    };
    Some(OtherTracer {
        names,
        pharmaceutical,
        radionuclide,
        window,
    })
}

/// Names the tracer by its name, by its code or by both; energy limits are there or not.
fn say_tracer(
    object: &mut InMemDicomObject,
    tracer: &OtherTracer,
    study: &Study,
    stream: &mut Stream,
) {
    let retired = study.scanner.naming != ViewNaming::SnomedCt;
    let way = stream.choose(&[1.0; 3]);
    let mut item = Attributes::new();
    if way != 1 {
        let name = tracer.names[stream.choose(&vec![1.0; tracer.names.len()])];
        item.text(tags::RADIOPHARMACEUTICAL, VR::LO, name);
    }
    if way != 0 {
        item.sequence(
            tags::RADIOPHARMACEUTICAL_CODE_SEQUENCE,
            vec![tracer.pharmaceutical.item(retired)],
        );
    }
    item.sequence(
        tags::RADIONUCLIDE_CODE_SEQUENCE,
        vec![tracer.radionuclide.item(retired)],
    );
    let mut window = Attributes::new();
    if stream.chance(0.5) {
        let mut range = Attributes::new();
        range
            .decimal(tags::ENERGY_WINDOW_LOWER_LIMIT, tracer.window[0])
            .decimal(tags::ENERGY_WINDOW_UPPER_LIMIT, tracer.window[1]);
        window.sequence(tags::ENERGY_WINDOW_RANGE_SEQUENCE, vec![range]);
    }
    let mut isotope = Attributes::new();
    isotope
        .sequence(tags::RADIOPHARMACEUTICAL_INFORMATION_SEQUENCE, vec![item])
        .sequence(tags::ENERGY_WINDOW_INFORMATION_SEQUENCE, vec![window]);
    for element in isotope.into_object() {
        object.put(element);
    }
    // GE repeats the isotope in a private element.
    if object.get(Tag(0x0011, 0x100d)).is_some() {
        object.remove_element(Tag(0x0011, 0x100d));
    }
}
