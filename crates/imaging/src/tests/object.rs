//! A small whole-body scan as a DICOM object, to be changed in one place by each test.

use dicom_core::value::{DataSetSequence, PrimitiveValue, Value};
use dicom_core::{DataElement, Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};

use crate::{AnteriorImage, Error, Image, judge, read_anterior};
use attrium_types::{LossyPolicy, Tracer};

pub(super) const ROWS: usize = 400;
pub(super) const COLUMNS: usize = 160;

/// Every pixel of a posterior frame has this many counts more.
pub(super) const POSTERIOR_OFFSET: u16 = 100;

/// The view by name.
pub(super) const ANTERIOR: &str = "399321004";
pub(super) const POSTERIOR: &str = "399001007";

/// A body in rows 40 to 359: a head, a trunk with a spine, two legs with a gap between them.
fn figure(face: u16, sternum: u16, lumbar: u16, bladder: u16) -> Vec<u16> {
    let mut pixels = vec![0; ROWS * COLUMNS];
    for row in 40..360 {
        for column in 0..COLUMNS {
            let off = column.abs_diff(COLUMNS / 2);
            let count = match row {
                62..78 if off < 6 => face,
                40..80 if off < 14 => 30,
                80..120 if off < 4 => sternum,
                120..178 if off < 4 => lumbar,
                178..200 if off < 6 => bladder,
                80..200 if off < 40 => 20,
                200..360 if (8..20).contains(&off) => 15,
                _ => 0,
            };
            pixels[row * COLUMNS + column] = count;
        }
    }
    // The patient's left hand only, so that a mirrored image would show.
    pixels[190 * COLUMNS + 130] = 200;
    pixels
}

/// A body as seen from the front.
pub(super) fn body() -> Vec<u16> {
    figure(120, 40, 26, 60)
}

/// The body as seen from behind, unlike the front in every pixel with counts.
pub(super) fn back() -> Vec<u16> {
    let pixels = figure(30, 900, 900, 900).into_iter();
    let unlike = |count| {
        if count == 0 {
            0
        } else {
            count + POSTERIOR_OFFSET
        }
    };
    pixels.map(unlike).collect()
}

/// A body of which the counts do not tell from which side it is seen.
pub(super) fn silhouette() -> Vec<u16> {
    figure(60, 40, 34, 34)
}

/// An object of one frame, coded as anterior.
pub(super) fn scan() -> ScanBuilder {
    unnamed().views(&[ANTERIOR])
}

/// An object of one frame, whose view nothing names.
pub(super) fn unnamed() -> ScanBuilder {
    ScanBuilder::of(&[body()])
}

/// An object, to be changed attribute by attribute.
pub(super) struct ScanBuilder {
    set: InMemDicomObject,
}

impl ScanBuilder {
    /// An object with these frames, whose views it does not name.
    pub(super) fn of(frames: &[Vec<u16>]) -> Self {
        let set = InMemDicomObject::new_empty();
        let count = frames.len();
        let pixels: Vec<u16> = frames.concat();
        Self { set }
            .text(
                tags::SOP_CLASS_UID,
                VR::UI,
                uids::NUCLEAR_MEDICINE_IMAGE_STORAGE,
            )
            .text(tags::SOP_INSTANCE_UID, VR::UI, "2.25.10")
            .text(tags::STUDY_INSTANCE_UID, VR::UI, "2.25.11")
            .text(tags::MODALITY, VR::CS, "NM")
            .text(
                tags::IMAGE_TYPE,
                VR::CS,
                r"ORIGINAL\PRIMARY\WHOLE BODY\EMISSION",
            )
            .text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2")
            .text(tags::NUMBER_OF_FRAMES, VR::IS, &count.to_string())
            .text(tags::PIXEL_SPACING, VR::DS, r"2.4\2.4")
            .numbers(tags::SAMPLES_PER_PIXEL, &[1])
            .numbers(tags::ROWS, &[ROWS as u16])
            .numbers(tags::COLUMNS, &[COLUMNS as u16])
            .numbers(tags::BITS_ALLOCATED, &[16])
            .numbers(tags::BITS_STORED, &[16])
            .numbers(tags::HIGH_BIT, &[15])
            .numbers(tags::PIXEL_REPRESENTATION, &[0])
            .detectors(&(1..=count as u16).collect::<Vec<_>>())
            .numbers(tags::ENERGY_WINDOW_VECTOR, &vec![1; count])
            .numbers(tags::NUMBER_OF_ENERGY_WINDOWS, &[1])
            .put(tags::PIXEL_DATA, VR::OW, PrimitiveValue::U16(pixels.into()))
    }

    pub(super) fn detectors(self, vector: &[u16]) -> Self {
        let count = vector.iter().copied().max().unwrap_or(1);
        self.numbers(tags::DETECTOR_VECTOR, vector)
            .numbers(tags::NUMBER_OF_DETECTORS, &[count])
    }

    /// Names the view of each detector by its SNOMED CT code; an empty code leaves it out.
    pub(super) fn views(self, codes: &[&str]) -> Self {
        let detectors = codes.iter().map(|code| {
            let mut detector = InMemDicomObject::new_empty();
            if !code.is_empty() {
                let entry = coded(code, "SCT");
                detector.put(sequence(tags::VIEW_CODE_SEQUENCE, vec![entry]));
            }
            detector
        });
        let detectors = detectors.collect();
        self.items(tags::DETECTOR_INFORMATION_SEQUENCE, detectors)
    }

    /// States the range of each energy window in keV.
    pub(super) fn energy_windows(self, vector: &[u16], ranges: &[[f64; 2]]) -> Self {
        let windows = ranges.iter().map(|[lower, upper]| {
            let mut range = InMemDicomObject::new_empty();
            for (tag, limit) in [
                (tags::ENERGY_WINDOW_LOWER_LIMIT, lower),
                (tags::ENERGY_WINDOW_UPPER_LIMIT, upper),
            ] {
                range.put(DataElement::new(tag, VR::DS, limit.to_string()));
            }
            let mut window = InMemDicomObject::new_empty();
            window.put(sequence(tags::ENERGY_WINDOW_RANGE_SEQUENCE, vec![range]));
            window
        });
        let windows = windows.collect();
        self.numbers(tags::ENERGY_WINDOW_VECTOR, vector)
            .numbers(
                tags::NUMBER_OF_ENERGY_WINDOWS,
                &[vector.iter().copied().max().unwrap_or(1)],
            )
            .items(tags::ENERGY_WINDOW_INFORMATION_SEQUENCE, windows)
    }

    pub(super) fn text(self, tag: Tag, vr: VR, text: &str) -> Self {
        self.put(tag, vr, PrimitiveValue::from(text))
    }

    pub(super) fn numbers(self, tag: Tag, numbers: &[u16]) -> Self {
        self.put(tag, VR::US, PrimitiveValue::U16(numbers.into()))
    }

    pub(super) fn put(mut self, tag: Tag, vr: VR, value: PrimitiveValue) -> Self {
        self.set.put(DataElement::new(tag, vr, value));
        self
    }

    pub(super) fn items(mut self, tag: Tag, items: Vec<InMemDicomObject>) -> Self {
        self.set.put(sequence(tag, items));
        self
    }

    pub(super) fn without(mut self, tag: Tag) -> Self {
        self.set.remove_element(tag);
        self
    }

    pub(super) fn set(self) -> InMemDicomObject {
        self.set
    }

    pub(super) fn bytes(self) -> Vec<u8> {
        self.bytes_in(uids::EXPLICIT_VR_LITTLE_ENDIAN)
    }

    pub(super) fn bytes_in(self, transfer_syntax: &str) -> Vec<u8> {
        let meta = FileMetaTableBuilder::new()
            .transfer_syntax(transfer_syntax)
            .media_storage_sop_class_uid(uids::NUCLEAR_MEDICINE_IMAGE_STORAGE)
            .media_storage_sop_instance_uid("2.25.10");
        let file = self
            .set
            .with_meta(meta)
            .expect("should have its meta information");
        let mut bytes = Vec::new();
        file.write_all(&mut bytes).expect("should be written");
        bytes
    }

    pub(super) fn read(self) -> Result<AnteriorImage, Error> {
        read_anterior(&self.bytes(), LossyPolicy::Quarantine)
    }

    /// The reason why it cannot be used.
    pub(super) fn reason(self) -> &'static str {
        let used = self.read().and_then(|image| judge(image, Tracer::ALL));
        let used = used.map(|_| "it is used");
        used.expect_err("should not be used").reason()
    }
}

pub(super) fn coded(value: &str, scheme: &str) -> InMemDicomObject {
    let mut entry = InMemDicomObject::new_empty();
    entry.put(DataElement::new(tags::CODE_VALUE, VR::SH, value));
    entry.put(DataElement::new(
        tags::CODING_SCHEME_DESIGNATOR,
        VR::SH,
        scheme,
    ));
    entry
}

pub(super) fn sequence(tag: Tag, items: Vec<InMemDicomObject>) -> dicom_object::mem::InMemElement {
    DataElement::new(tag, VR::SQ, Value::Sequence(DataSetSequence::from(items)))
}

/// What an image has to hold.
pub(super) fn image_of(pixels: &[u16], rows: usize, columns: usize) -> Image<f32> {
    Image {
        rows,
        columns,
        pixels: pixels.iter().copied().map(f32::from).collect(),
    }
}
