//! Scans, decisions on them and the pictures of these, for tests.

#![allow(dead_code, reason = "each test file uses a part")]

use std::path::PathBuf;

use attrium_evidence::{
    Decision, HeartMeasure, Identity, ModelName, Moment, Pictures, Rectangle, Source, Synthetic,
};
use attrium_imaging::{AnteriorImage, CROP_PIXELS, CROP_SIZE, Crop, Heart, HeartRegions};
use attrium_phantom::{ObjectLayout, SyntheticCohort};
use attrium_types::{CropMode, LossyPolicy};
use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;

/// A phantom's scan, as a station has it when it reports.
pub(crate) struct Scan {
    pub(crate) object: InMemDicomObject,
    pub(crate) image: AnteriorImage,
    pub(crate) crop: Crop,
    pub(crate) heart: Option<Heart>,
    pub(crate) heat: Vec<f32>,
    /// The anterior frame, counted from 1.
    pub(crate) frame: u32,
}

/// The objects of a phantom's study.
pub(crate) fn objects(number: u32) -> Vec<InMemDicomObject> {
    let study = SyntheticCohort::new(u32::MAX, 7).study(number);
    attrium_phantom::dicom::objects(&study, &attrium_phantom::scan(&study))
}

/// The first of a study's objects that has the anterior view.
pub(crate) fn scan(number: u32) -> Scan {
    let objects = objects(number).into_iter();
    let layout = SyntheticCohort::new(u32::MAX, 7)
        .study(number)
        .scanner
        .layout;
    let frame = if layout == ObjectLayout::PosteriorFirst {
        2
    } else {
        1
    };
    let mut read = objects.filter_map(|object| {
        let image = attrium_imaging::read_anterior(&file(&object), LossyPolicy::Quarantine).ok()?;
        Some((object, image))
    });
    let (object, image) = read.next().expect("should have an anterior view");
    let crop = attrium_imaging::crop(&image, CropMode::Robust).expect("should have a thorax");
    let heart = Heart::find(&image);
    let on_crop = heart.map(|heart| heart.regions.on(&crop.rectangle));
    let heat = heat(&crop.counts, on_crop.as_ref());
    Scan {
        object,
        image,
        crop,
        heart,
        heat,
        frame,
    }
}

/// An object as a file in Explicit VR Little Endian.
pub(crate) fn file(object: &InMemDicomObject) -> Vec<u8> {
    attrium_phantom::dicom::encode(object.clone(), false).expect("should encode")
}

/// Something like an activation map: warm where there are counts around the heart.
fn heat(counts: &[f32], regions: Option<&HeartRegions>) -> Vec<f32> {
    let most = counts.iter().copied().fold(1.0, f32::max);
    let at = |pixel: usize| {
        let (row, column) = ((pixel / CROP_SIZE) as f64, (pixel % CROP_SIZE) as f64);
        let near = regions.map_or(0.0, |regions| {
            let heart = regions.heart;
            let down = (row - heart.row) / heart.height;
            let right = (column - heart.column) / heart.width;
            (-(down * down + right * right)).exp()
        });
        (near as f32 + 0.3 * (counts[pixel] / most)).min(1.0)
    };
    (0..CROP_PIXELS).map(at).collect()
}

impl Scan {
    pub(crate) fn source(&self) -> Source {
        Source::read(&file(&self.object)).expect("should be a source")
    }

    /// A positive decision, on the frame as it is stored: a phantom is stored upright.
    pub(crate) fn decision(&self) -> Decision {
        let rectangle = self.crop.rectangle;
        let measure = |heart: Heart| HeartMeasure {
            ellipse: heart.regions.heart,
            heart_to_contralateral: heart.ratios.contralateral,
        };
        Decision {
            positive: true,
            positive_probability: 0.932,
            threshold: 0.41,
            doubts: Vec::new(),
            warnings: Vec::new(),
            frame: Some(self.frame),
            crop: Rectangle {
                top: rectangle.top as f64,
                left: rectangle.left as f64,
                height: rectangle.height as f64,
                width: rectangle.width as f64,
            },
            heart: self.heart.map(measure),
            model: ModelName {
                name: "Heart Positive".to_owned(),
                version: "1.2".to_owned(),
                digest: format!("sha256:{}", "5f0c".repeat(16)),
            },
            synthetic: Synthetic {
                scan: true,
                model: false,
            },
            revision: 1,
            predecessor: None,
        }
    }

    pub(crate) fn pictures(&self) -> Pictures<'_> {
        Pictures {
            counts: &self.crop.counts,
            heat: Some(&self.heat),
            regions: self
                .heart
                .map(|heart| heart.regions.on(&self.crop.rectangle)),
        }
    }
}

pub(crate) fn identity() -> Identity {
    Identity {
        station: "bone-scans".to_owned(),
        software_version: "0.1.0".to_owned(),
        composed_at: Moment {
            year: 2026,
            month: 11,
            day: 29,
            hour: 10,
            minute: 42,
            second: 7,
        },
        inputs: vec![format!("sha256:{}", "0".repeat(64))],
    }
}

/// An object of the repository's test data.
pub(crate) fn data(name: &str) -> Vec<u8> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    std::fs::read(root.join("../../tests/data").join(name)).expect("should be there")
}

/// Replaces a value by bytes that are no text yet.
pub(crate) fn put_bytes(object: &mut InMemDicomObject, tag: Tag, vr: VR, bytes: &[u8]) {
    let mut padded = bytes.to_vec();
    if padded.len() % 2 == 1 {
        padded.push(b' ');
    }
    object.put(DataElement::new(
        tag,
        vr,
        PrimitiveValue::U8(padded.as_slice().into()),
    ));
}

/// The decision without a heart.
pub(crate) fn without_heart(mut decision: Decision) -> Decision {
    decision.heart = None;
    decision
}

/// The decision of a scan below the threshold.
pub(crate) fn negative(mut decision: Decision) -> Decision {
    decision.positive = false;
    decision.positive_probability = 0.07;
    decision
}

/// Names that break what reads them carelessly; each is legal.
pub(crate) const HOSTILE: &[(Tag, VR, &str)] = &[
    (
        tags::PATIENT_NAME,
        VR::PN,
        "<script>alert(1)</script>^'; DROP TABLE study;--^^==",
    ),
    (tags::PATIENT_ID, VR::LO, "../../etc/passwd%00${jndi:ldap}"),
    (tags::ACCESSION_NUMBER, VR::SH, "\"&lt;$(id)`"),
    (
        tags::STUDY_DESCRIPTION,
        VR::LO,
        "=HYPERLINK(0) %s%n {{7*7}}",
    ),
    (tags::REFERRING_PHYSICIAN_NAME, VR::PN, "A^B^C^D^E=F^G=H"),
    (tags::STUDY_ID, VR::SH, "-rf *"),
];
