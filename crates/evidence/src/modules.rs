//! The modules that report and image share (PS3.3, C.7 and C.12.1).

use dicom_core::VR;
use dicom_dictionary_std::{tags, uids};

use super::decision::{Decision, Reference};
use super::element::DataSet;
use super::encoding::Encoding;
use super::error::Error;
use super::identity::{Identity, ResultKind, result_uid, series_uid};
use super::source::Source;
use super::write::{self, Meta};

/// Who makes reports and images.
pub(crate) const MANUFACTURER: &str = "attrium";

/// What a list of series shows of these.
const SERIES_DESCRIPTION: &str = "attrium: research use only";

/// Numbers that cameras do not come to.
const REPORT_SERIES: &str = "9001";
const IMAGE_SERIES: &str = "9002";

/// A result as a DICOM file, in Explicit VR Little Endian.
///
/// Its `Debug` shows neither bytes nor the study's identifiers.
#[derive(Clone, PartialEq, Eq)]
pub struct Composed {
    /// SOP Class UID.
    pub sop_class_uid: String,
    /// Series Instance UID.
    pub series_instance_uid: String,
    /// SOP Instance UID.
    pub sop_instance_uid: String,
    /// The file (PS3.10).
    pub bytes: Vec<u8>,
}

impl Composed {
    /// How another object names this one.
    pub fn reference(&self) -> Reference {
        Reference {
            sop_class_uid: self.sop_class_uid.clone(),
            series_instance_uid: self.series_instance_uid.clone(),
            sop_instance_uid: self.sop_instance_uid.clone(),
        }
    }
}

impl std::fmt::Debug for Composed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Composed")
            .field("sop_class_uid", &self.sop_class_uid)
            .finish_non_exhaustive()
    }
}

/// What a result is made of, and by whom.
#[derive(Clone, Copy)]
pub(crate) struct Origin<'a> {
    pub source: &'a Source,
    pub decision: &'a Decision,
    pub identity: &'a Identity,
}

impl Origin<'_> {
    /// Patient, study, series, equipment and SOP common: all of a result but what it shows.
    pub(crate) fn modules(&self, kind: ResultKind) -> DataSet {
        let Identity {
            composed_at,
            software_version,
            station,
            ..
        } = self.identity;
        let (modality, number) = match kind {
            ResultKind::Report => ("SR", REPORT_SERIES),
            ResultKind::Image => ("OT", IMAGE_SERIES),
        };
        let reference = self.reference(kind);
        let revision = self.decision.revision.to_string();
        DataSet::new()
            .and(self.source.inherited.clone())
            .text(
                tags::STUDY_INSTANCE_UID,
                VR::UI,
                &self.source.study_instance_uid,
            )
            .text(
                tags::SERIES_INSTANCE_UID,
                VR::UI,
                &reference.series_instance_uid,
            )
            .text(tags::SERIES_NUMBER, VR::IS, number)
            .text(tags::SERIES_DESCRIPTION, VR::LO, SERIES_DESCRIPTION)
            .text(tags::MODALITY, VR::CS, modality)
            .text(tags::MANUFACTURER, VR::LO, MANUFACTURER)
            .text(tags::MANUFACTURER_MODEL_NAME, VR::LO, MANUFACTURER)
            .required(tags::DEVICE_SERIAL_NUMBER, VR::LO, station)
            .required(tags::SOFTWARE_VERSIONS, VR::LO, software_version)
            .text(tags::SOP_CLASS_UID, VR::UI, &reference.sop_class_uid)
            .text(tags::SOP_INSTANCE_UID, VR::UI, &reference.sop_instance_uid)
            .text(tags::INSTANCE_CREATION_DATE, VR::DA, &composed_at.date())
            .text(tags::INSTANCE_CREATION_TIME, VR::TM, &composed_at.time())
            .text(tags::INSTANCE_NUMBER, VR::IS, &revision)
            .text(tags::CONTENT_DATE, VR::DA, &composed_at.date())
            .text(tags::CONTENT_TIME, VR::TM, &composed_at.time())
    }

    /// The identifiers of the result.
    pub(crate) fn reference(&self, kind: ResultKind) -> Reference {
        let Identity {
            station, inputs, ..
        } = self.identity;
        let digest = &self.decision.model.digest;
        let study = &self.source.study_instance_uid;
        let class = match kind {
            ResultKind::Report => uids::COMPREHENSIVE3_DSR_STORAGE,
            ResultKind::Image => uids::SECONDARY_CAPTURE_IMAGE_STORAGE,
        };
        let revision = self.decision.revision;
        Reference {
            sop_class_uid: class.to_owned(),
            series_instance_uid: series_uid(station, study, digest, kind),
            sop_instance_uid: result_uid(station, study, inputs, digest, kind, revision),
        }
    }

    /// The source, or its frame where it has several (PS3.3, 10.3).
    pub(crate) fn source_image(&self) -> DataSet {
        let source = self.source;
        let image = referenced(&source.sop_class_uid, &source.sop_instance_uid);
        if source.frames == 1 {
            return image;
        }
        let frame = self.decision.frame().to_string();
        image.text(tags::REFERENCED_FRAME_NUMBER, VR::IS, &frame)
    }

    /// The result as a file.
    pub(crate) fn composed(&self, kind: ResultKind, set: &DataSet) -> Result<Composed, Error> {
        let Reference {
            sop_class_uid,
            series_instance_uid,
            sop_instance_uid,
        } = self.reference(kind);
        let meta = Meta {
            sop_class_uid: &sop_class_uid,
            sop_instance_uid: &sop_instance_uid,
            transfer_syntax: uids::EXPLICIT_VR_LITTLE_ENDIAN,
            encoding: Encoding::EXPLICIT,
        };
        let bytes = write::file(&meta, set)?;
        Ok(Composed {
            sop_class_uid,
            series_instance_uid,
            sop_instance_uid,
            bytes,
        })
    }
}

/// An object, by its class and its UID (PS3.3, table 10-11).
pub(crate) fn referenced(class: &str, instance: &str) -> DataSet {
    DataSet::new()
        .text(tags::REFERENCED_SOP_CLASS_UID, VR::UI, class)
        .text(tags::REFERENCED_SOP_INSTANCE_UID, VR::UI, instance)
}
