//! Records and crops for this crate's tests.

use super::{Covariates, Delay, Preference, Record, ScanDigests};
use attrium_imaging::{
    Acquisition, CROP_PIXELS, CROP_SIZE, CropRectangle, HeartRatios, Origin, ViewSource,
};
use attrium_types::{CropMode, Grade};

/// A whole-body record of a study.
pub(super) fn record(study: u32) -> Record {
    Record {
        study,
        patient: study / 2,
        names_patient: true,
        patient_id: None,
        object: format!("sealed {study}"),
        digests: ScanDigests::parse([
            &format!("{study:016x}"),
            &format!("{:016x}-0a", study / 2),
            &format!("{study:016x}"),
        ])
        .ok(),
        grade: Grade::ALL[study as usize % 4],
        covariates: Covariates {
            age: Some(77.1),
            sex: Some("F".to_owned()),
            indication: Some("suspected, \"ATTR\"; heart".to_owned()),
            scanner: None,
            protocol: Some("Ganzkörper".to_owned()),
            metastases: Some(false),
            second_reader: Some(Grade::ALL[3]),
        },
        rectangle: CropRectangle {
            mode: CropMode::Robust,
            top: 204,
            left: 64,
            height: CROP_SIZE,
            width: CROP_SIZE,
        },
        preference: Preference {
            origin: Origin::Original,
            view_source: ViewSource::ViewCode,
            delay: Delay::Usual,
            acquired: Some(1000),
            acquisition: Acquisition::WholeBody,
        },
        scanner_model: "symbia".parse().ok(),
        counts: 3_596_452.25,
        ratios: HeartRatios {
            contralateral: Some(1.25),
            rib: Some(1.5),
            whole_body: None,
        },
        synthetic: true,
        warnings: vec!["stray-counts".to_owned(), "lossy".to_owned()],
    }
}

/// A crop whose pixels are all of one count.
pub(super) fn crop(count: f32) -> Vec<f32> {
    vec![count; CROP_PIXELS]
}
