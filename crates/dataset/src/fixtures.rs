//! Records and crops for this crate's tests.

use super::{Covariates, Record};
use attrium_imaging::{Acquisition, CROP_PIXELS, CROP_SIZE, CropRectangle, ViewSource};
use attrium_types::{CropMode, Grade};

/// A whole-body record of a study.
pub(super) fn record(study: u32) -> Record {
    Record {
        study,
        patient: study / 2,
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
        view_source: ViewSource::ViewCode,
        acquisition: Acquisition::WholeBody,
        counts: 3_596_452.25,
        synthetic: true,
        warnings: vec!["stray-counts".to_owned(), "lossy".to_owned()],
    }
}

/// A crop whose pixels are all of one count.
pub(super) fn crop(count: f32) -> Vec<f32> {
    vec![count; CROP_PIXELS]
}
