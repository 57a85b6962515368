//! Pixels of planted objects that are not counts, and what their attributes say of them.

use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::InMemDicomObject;

use super::views::{Depth, Picture};

/// Rows of a bitmap that is no larger than a static.
const STATIC_ROWS: usize = 256;

/// Writes pixels of 8 bits, and the counts that a processed image was made of.
pub(super) fn write(object: &mut InMemDicomObject, picture: &Picture, stated: bool) {
    if let Some(counts) = picture.accumulated {
        put(
            object,
            tags::COUNTS_ACCUMULATED,
            VR::IS,
            counts.to_string().into(),
        );
        if stated {
            let kind = "DERIVED\\SECONDARY\\WHOLE BODY\\EMISSION";
            put(object, tags::IMAGE_TYPE, VR::CS, kind.into());
        }
    }
    if picture.views.rows == STATIC_ROWS {
        let kind = "ORIGINAL\\PRIMARY\\STATIC\\EMISSION";
        put(object, tags::IMAGE_TYPE, VR::CS, kind.into());
    }
    match picture.depth {
        Depth::Counts => {}
        Depth::Grey => eight_bits(object, picture, 1),
        Depth::Colour => {
            put(
                object,
                tags::PHOTOMETRIC_INTERPRETATION,
                VR::CS,
                "RGB".into(),
            );
            put(object, tags::SAMPLES_PER_PIXEL, VR::US, 3u16.into());
            put(object, tags::PLANAR_CONFIGURATION, VR::US, 0u16.into());
            eight_bits(object, picture, 3);
        }
    }
}

/// Turns an object into a Secondary Capture object (PS3.3, A.8).
pub(super) fn capture(object: &mut InMemDicomObject) {
    let class = uids::SECONDARY_CAPTURE_IMAGE_STORAGE;
    put(object, tags::SOP_CLASS_UID, VR::UI, class.into());
    put(object, tags::CONVERSION_TYPE, VR::CS, "WSD".into());
    put(
        object,
        tags::IMAGE_TYPE,
        VR::CS,
        "DERIVED\\SECONDARY".into(),
    );
    put(object, tags::BURNED_IN_ANNOTATION, VR::CS, "YES".into());
}

fn eight_bits(object: &mut InMemDicomObject, picture: &Picture, samples: usize) {
    let shades = picture.views.anterior.iter().map(|shade| *shade as u8);
    let bytes: Vec<u8> = shades
        .flat_map(|shade| std::iter::repeat_n(shade, samples))
        .collect();
    for (tag, value) in [
        (tags::BITS_ALLOCATED, 8u16),
        (tags::BITS_STORED, 8),
        (tags::HIGH_BIT, 7),
        (tags::PIXEL_REPRESENTATION, 0),
    ] {
        put(object, tag, VR::US, value.into());
    }
    put(object, tags::WINDOW_CENTER, VR::DS, "128".into());
    put(object, tags::WINDOW_WIDTH, VR::DS, "256".into());
    let pixels = PrimitiveValue::U8(bytes.into());
    put(object, tags::PIXEL_DATA, VR::OB, pixels);
}

pub(super) fn put(object: &mut InMemDicomObject, tag: Tag, vr: VR, value: PrimitiveValue) {
    object.put(DataElement::new(tag, vr, value));
}
