//! The modules of the Nuclear Medicine Image IOD (DICOM PS3.3, table A.5-1), one function each.

use dicom_core::{PrimitiveValue, Tag, VR};
use dicom_dictionary_std::{tags, uids};

use super::attributes::Attributes;
use super::codes::{ANTERIOR, HEAD_FIRST, POSTERIOR, RECUMBENT, SUPINE, TECHNETIUM};
use super::source::{ObjectSource, Side};
use crate::scanner::{ObjectLayout, ViewNaming};
use crate::tracer;

pub(super) fn patient(out: &mut Attributes, source: &ObjectSource<'_>) {
    let (study, person) = (source.study, &source.study.person);
    out.text(
        tags::PATIENT_NAME,
        VR::PN,
        format!("PHANTOM^{:06}", study.patient),
    )
    .text(tags::PATIENT_ID, VR::LO, study.patient_id())
    .text(
        tags::PATIENT_BIRTH_DATE,
        VR::DA,
        format!("{:04}0701", study.date.year - study.age),
    )
    .text(tags::PATIENT_SEX, VR::CS, person.sex.to_string())
    .text(
        tags::PATIENT_COMMENTS,
        VR::LT,
        "Synthetic: this patient never was",
    );
}

pub(super) fn study(out: &mut Attributes, source: &ObjectSource<'_>) {
    let study = source.study;
    let description = if source.whole_body() {
        "Whole Body Bone".to_owned()
    } else {
        format!("Cardiac {} Planar", study.tracer)
    };
    out.text(tags::STUDY_INSTANCE_UID, VR::UI, study.study_uid.clone())
        .text(tags::STUDY_DATE, VR::DA, study.date.date())
        .text(tags::STUDY_TIME, VR::TM, study.date.time(0))
        .empty(tags::REFERRING_PHYSICIAN_NAME, VR::PN)
        .text(tags::STUDY_ID, VR::SH, format!("{}", study.number + 1))
        .text(
            tags::ACCESSION_NUMBER,
            VR::SH,
            format!("PH{:08}", study.number + 1),
        )
        .text(tags::STUDY_DESCRIPTION, VR::LO, description)
        .text(tags::PATIENT_AGE, VR::AS, format!("{:03}Y", study.age));
}

pub(super) fn series(out: &mut Attributes, source: &ObjectSource<'_>) {
    let date = source.study.date;
    let mut description = String::from(if source.whole_body() {
        "WHOLE BODY"
    } else {
        "THORAX STATIC"
    });
    if let (ViewNaming::ImageId, [side]) = (source.study.scanner.naming, source.sides) {
        description = format!("{description} {}", side.name());
    }
    out.text(tags::MODALITY, VR::CS, "NM")
        .text(tags::SERIES_INSTANCE_UID, VR::UI, source.series_uid.clone())
        .integer(tags::SERIES_NUMBER, 1)
        .text(tags::SERIES_DATE, VR::DA, date.date())
        .text(tags::SERIES_TIME, VR::TM, date.time(60))
        .text(tags::SERIES_DESCRIPTION, VR::LO, description)
        .text(
            tags::PROTOCOL_NAME,
            VR::LO,
            source.study.person.protocol.to_string(),
        )
        .text(
            tags::BODY_PART_EXAMINED,
            VR::CS,
            if source.whole_body() {
                "WHOLEBODY"
            } else {
                "CHEST"
            },
        )
        .text(
            tags::FRAME_OF_REFERENCE_UID,
            VR::UI,
            source.frame_of_reference_uid.clone(),
        )
        .empty(tags::POSITION_REFERENCE_INDICATOR, VR::LO);
}

/// NM/PET Patient Orientation (C.8.4.6).
pub(super) fn orientation(out: &mut Attributes, source: &ObjectSource<'_>) {
    let retired = retired_codes(source);
    let mut recumbent = RECUMBENT.item(retired);
    recumbent.sequence(
        tags::PATIENT_ORIENTATION_MODIFIER_CODE_SEQUENCE,
        vec![SUPINE.item(retired)],
    );
    out.sequence(tags::PATIENT_ORIENTATION_CODE_SEQUENCE, vec![recumbent])
        .sequence(
            tags::PATIENT_GANTRY_RELATIONSHIP_CODE_SEQUENCE,
            vec![HEAD_FIRST.item(retired)],
        );
}

pub(super) fn equipment(out: &mut Attributes, source: &ObjectSource<'_>) {
    let scanner = source.study.scanner;
    out.text(tags::MANUFACTURER, VR::LO, scanner.manufacturer)
        .text(tags::MANUFACTURER_MODEL_NAME, VR::LO, scanner.model)
        .text(tags::INSTITUTION_NAME, VR::LO, "Phantom Hospital")
        .text(tags::STATION_NAME, VR::SH, "PHANTOM")
        .text(tags::DEVICE_SERIAL_NUMBER, VR::LO, "0")
        .text(
            tags::SOFTWARE_VERSIONS,
            VR::LO,
            concat!("attrium ", env!("CARGO_PKG_VERSION")),
        );
}

pub(super) fn image(out: &mut Attributes, source: &ObjectSource<'_>) {
    let date = source.study.date;
    let kind = if source.whole_body() {
        "ORIGINAL\\PRIMARY\\WHOLE BODY\\EMISSION"
    } else {
        "ORIGINAL\\PRIMARY\\STATIC\\EMISSION"
    };
    out.text(
        tags::SOP_CLASS_UID,
        VR::UI,
        uids::NUCLEAR_MEDICINE_IMAGE_STORAGE,
    )
    .text(tags::SOP_INSTANCE_UID, VR::UI, source.instance_uid.clone())
    .text(tags::SPECIFIC_CHARACTER_SET, VR::CS, "ISO_IR 100")
    .text(tags::IMAGE_TYPE, VR::CS, kind)
    .integer(tags::INSTANCE_NUMBER, source.instance as u64)
    .text(tags::CONTENT_DATE, VR::DA, date.date())
    .text(tags::CONTENT_TIME, VR::TM, date.time(120))
    .text(tags::ACQUISITION_DATE, VR::DA, date.date())
    .text(tags::ACQUISITION_TIME, VR::TM, date.time(60))
    .text(tags::QUALITY_CONTROL_IMAGE, VR::CS, "YES")
    .text(tags::BURNED_IN_ANNOTATION, VR::CS, "NO")
    .text(tags::LOSSY_IMAGE_COMPRESSION, VR::CS, "00")
    .text(
        tags::IMAGE_COMMENTS,
        VR::LT,
        "Synthetic: drawn by attrium, nobody was scanned",
    );
    if source.study.scanner.layout == ObjectLayout::TwoObjects {
        let name = match (source.study.scanner.naming, source.sides) {
            (ViewNaming::ImageId, [side]) => side.name(),
            _ => "PLANAR",
        };
        out.text(tags::IMAGE_ID, VR::SH, name);
    }
}

pub(super) fn pixels(out: &mut Attributes, source: &ObjectSource<'_>) {
    let views = source.views;
    let frames = source.sides.iter().map(|side| side.counts(views));
    let largest = frames.flatten().copied().max().unwrap_or(0);
    // Scanners of some makers write counts as signed numbers.
    let signed = source.study.scanner.signed && largest <= 0x7fff;
    let (vr, pixels) = source.pixel_data();
    let spacing = format!("{0:.4}\\{0:.4}", views.pixel_mm);
    out.words(tags::SAMPLES_PER_PIXEL, &[1])
        .text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2")
        .words(tags::ROWS, &[views.rows as u16])
        .words(tags::COLUMNS, &[views.columns as u16])
        .words(tags::BITS_ALLOCATED, &[16])
        .words(tags::BITS_STORED, &[16])
        .words(tags::HIGH_BIT, &[15])
        .words(tags::PIXEL_REPRESENTATION, &[u16::from(signed)])
        .text(tags::PIXEL_SPACING, VR::DS, spacing)
        .decimal(tags::WINDOW_CENTER, 0.5 * f64::from(largest))
        .decimal(tags::WINDOW_WIDTH, f64::from(largest.max(1)))
        .put(tags::PIXEL_DATA, vr, pixels);
}

/// NM Multi-frame (C.8.4.8).
pub(super) fn frames(out: &mut Attributes, source: &ObjectSource<'_>) {
    let frames = source.sides.len() as u16;
    let pointer = [tags::ENERGY_WINDOW_VECTOR, tags::DETECTOR_VECTOR];
    let detectors: Vec<u16> = (1..=frames).collect();
    out.integer(tags::NUMBER_OF_FRAMES, u64::from(frames))
        .put(
            tags::FRAME_INCREMENT_POINTER,
            VR::AT,
            PrimitiveValue::Tags(pointer.as_slice().into()),
        )
        .words(tags::ENERGY_WINDOW_VECTOR, &vec![1; source.sides.len()])
        .words(tags::NUMBER_OF_ENERGY_WINDOWS, &[1])
        .words(tags::DETECTOR_VECTOR, &detectors)
        .words(tags::NUMBER_OF_DETECTORS, &[frames]);
}

/// NM Image (C.8.4.9): how it was acquired.
pub(super) fn acquisition(out: &mut Attributes, source: &ObjectSource<'_>) {
    let total = source.total();
    // Whole-body scans move at about 12 cm a minute; statics take five minutes.
    let milliseconds = if source.whole_body() {
        (source.views.scanned_mm / 2.0 * 1000.0) as u64
    } else {
        300_000
    };
    out.integer(tags::COUNTS_ACCUMULATED, total)
        .text(tags::ACQUISITION_TERMINATION_CONDITION, VR::CS, "TIME")
        .integer(tags::ACTUAL_FRAME_DURATION, milliseconds)
        .integer(tags::COUNT_RATE, total / (milliseconds / 1000).max(1))
        .text(tags::CORRECTED_IMAGE, VR::CS, "NRGY\\LIN\\UNIF");
    if source.whole_body() {
        out.decimal(tags::TABLE_HEIGHT, 650.0)
            .decimal(tags::TABLE_TRAVERSE, source.views.scanned_mm)
            .decimal(tags::SCAN_VELOCITY, 2.0)
            .text(tags::WHOLE_BODY_TECHNIQUE, VR::CS, "1PS")
            .integer(tags::SCAN_LENGTH, source.views.scanned_mm as u64);
    }
}

/// NM Isotope (C.8.4.10).
pub(super) fn isotope(out: &mut Attributes, source: &ObjectSource<'_>) {
    let mut range = Attributes::new();
    range
        .decimal(tags::ENERGY_WINDOW_LOWER_LIMIT, 126.5)
        .decimal(tags::ENERGY_WINDOW_UPPER_LIMIT, 154.5);
    let mut window = Attributes::new();
    window
        .text(tags::ENERGY_WINDOW_NAME, VR::SH, "Tc-99m")
        .sequence(tags::ENERGY_WINDOW_RANGE_SEQUENCE, vec![range]);
    out.sequence(tags::ENERGY_WINDOW_INFORMATION_SEQUENCE, vec![window])
        .sequence(
            tags::RADIOPHARMACEUTICAL_INFORMATION_SEQUENCE,
            vec![radiopharmaceutical(source)],
        );
}

/// What was injected, when, and how much of it (500 to 700 MBq: paper, "Data").
fn radiopharmaceutical(source: &ObjectSource<'_>) -> Attributes {
    let study = source.study;
    let retired = retired_codes(source);
    let names = tracer::names(study.tracer);
    let injected = study.date.before(60 * study.uptake_minutes);
    let megabecquerels = 500 + study.number % 200;
    let mut tracer = Attributes::new();
    tracer
        .text(
            tags::RADIOPHARMACEUTICAL,
            VR::LO,
            names[study.number as usize % names.len()],
        )
        .text(tags::RADIOPHARMACEUTICAL_ROUTE, VR::LO, "Intravenous route")
        // Images follow a minute after the study's own time.
        .text(
            tags::RADIOPHARMACEUTICAL_START_TIME,
            VR::TM,
            injected.time(60),
        )
        .text(
            tags::RADIONUCLIDE_TOTAL_DOSE,
            VR::DS,
            megabecquerels.to_string(),
        )
        .sequence(
            tags::RADIONUCLIDE_CODE_SEQUENCE,
            vec![TECHNETIUM.item(retired)],
        );
    if let Some(concept) = tracer::concept(study.tracer) {
        tracer.sequence(
            tags::RADIOPHARMACEUTICAL_CODE_SEQUENCE,
            vec![concept.item(retired)],
        );
    }
    tracer
}

/// NM Detector (C.8.4.11): an item for each frame's detector.
pub(super) fn detectors(out: &mut Attributes, source: &ObjectSource<'_>) {
    let items = source
        .sides
        .iter()
        .map(|side| detector(*side, source))
        .collect();
    out.sequence(tags::DETECTOR_INFORMATION_SEQUENCE, items);
}

fn detector(side: Side, source: &ObjectSource<'_>) -> Attributes {
    let scanner = source.study.scanner;
    let mut item = Attributes::new();
    item.text(tags::COLLIMATOR_GRID_NAME, VR::SH, "LEHR")
        .text(tags::COLLIMATOR_TYPE, VR::CS, "PARA")
        .text(tags::FIELD_OF_VIEW_SHAPE, VR::CS, "RECTANGLE")
        .empty(tags::FOCAL_DISTANCE, VR::IS)
        .decimal(
            tags::START_ANGLE,
            if side == Side::Anterior { 0.0 } else { 180.0 },
        );
    geometry(&mut item, side, source);
    let named = match scanner.naming {
        ViewNaming::SnomedCt => Some(false),
        ViewNaming::Srt => Some(true),
        ViewNaming::ImageId | ViewNaming::Private => None,
    };
    if let Some(retired) = named {
        let concept = match side {
            Side::Anterior => &ANTERIOR,
            Side::Posterior => &POSTERIOR,
        };
        item.sequence(tags::VIEW_CODE_SEQUENCE, vec![concept.item(retired)]);
    }
    item
}

/// Image Orientation (Patient) and Image Position (Patient): type 2, and only newer scanners fill them.
fn geometry(item: &mut Attributes, side: Side, source: &ObjectSource<'_>) {
    let position: Tag = tags::IMAGE_POSITION_PATIENT;
    if source.study.scanner.naming != ViewNaming::SnomedCt {
        item.empty(tags::IMAGE_ORIENTATION_PATIENT, VR::DS)
            .empty(position, VR::DS);
        return;
    }
    let half_width = 0.5 * source.views.pixel_mm * (source.views.columns as f64 - 1.0);
    let (orientation, left, depth) = match side {
        Side::Anterior => ("1\\0\\0\\0\\0\\-1", -half_width, -300.0),
        Side::Posterior => ("-1\\0\\0\\0\\0\\-1", half_width, 300.0),
    };
    item.text(tags::IMAGE_ORIENTATION_PATIENT, VR::DS, orientation)
        .text(position, VR::DS, format!("{left:.3}\\{depth:.1}\\0.0"));
}

/// Whether a scanner writes the retired SRT codes.
fn retired_codes(source: &ObjectSource<'_>) -> bool {
    source.study.scanner.naming != ViewNaming::SnomedCt
}
