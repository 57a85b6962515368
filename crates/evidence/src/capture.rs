//! The image: a Secondary Capture (PS3.3, A.8.1) that shows what was decided, in pixels.
//!
//! For whoever has no viewer of reports. Its modality is OT, so that no router takes it for a scan to be screened.
//! Never: anything that identifies a patient in its pixels.

use dicom_core::VR;
use dicom_dictionary_std::tags;

use super::codes;
use super::decision::Decision;
use super::element::DataSet;
use super::error::{Error, PngSnafu};
use super::identity::{Identity, ResultKind};
use super::modules::{Composed, Origin};
use super::picture::{HEIGHT, Pictures, WIDTH, drawn};
use super::source::Source;
use super::words;

/// Shows in a secondary capture image what was decided on a scan.
///
/// # Errors
/// As [`structured_report`](super::structured_report()), and [`Error::PictureSize`].
pub fn secondary_capture(
    source: &Source,
    decision: &Decision,
    identity: &Identity,
    pictures: &Pictures<'_>,
) -> Result<Composed, Error> {
    decision.check_on(source)?;
    let origin = Origin {
        source,
        decision,
        identity,
    };
    let pixels = drawn(decision, pictures)?;
    let set = origin
        .modules(ResultKind::Image)
        .and(general_image(&origin))
        .and(image_pixel(pixels.as_flattened().to_vec()));
    origin.composed(ResultKind::Image, &set)
}

/// The picture of [`secondary_capture`] as a PNG.
///
/// # Errors
/// [`Error::Number`], [`Error::Contradiction`] and [`Error::PictureSize`].
pub fn picture_png(decision: &Decision, pictures: &Pictures<'_>) -> Result<Vec<u8>, Error> {
    decision.check()?;
    let pixels = drawn(decision, pictures)?;
    encoded(pixels.as_flattened()).map_err(|_| PngSnafu.build())
}

fn encoded(pixels: &[u8]) -> Result<Vec<u8>, png::EncodingError> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, WIDTH as u32, HEIGHT as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(file)
}

/// General Image and SC Equipment (C.7.6.1 and C.8.6.1), and where the image is from.
fn general_image(origin: &Origin<'_>) -> DataSet {
    let purpose = vec![codes::SOURCE_IMAGE.item()];
    let source = origin
        .source_image()
        .items(tags::PURPOSE_OF_REFERENCE_CODE_SEQUENCE, purpose);
    let set = DataSet::new()
        .text(tags::CONVERSION_TYPE, VR::CS, "WSD")
        .text(tags::BODY_PART_EXAMINED, VR::CS, "CHEST")
        .empty(tags::PATIENT_ORIENTATION, VR::CS)
        .texts(tags::IMAGE_TYPE, VR::CS, &["DERIVED", "SECONDARY"])
        .text(tags::IMAGE_COMMENTS, VR::LT, words::NOTICE)
        .text(
            tags::DERIVATION_DESCRIPTION,
            VR::ST,
            "Crop of a scan, and where a neural network looked on it. Research use only.",
        )
        .items(tags::SOURCE_IMAGE_SEQUENCE, vec![source])
        .text(tags::BURNED_IN_ANNOTATION, VR::CS, "NO")
        .text(tags::LOSSY_IMAGE_COMPRESSION, VR::CS, "00");
    if origin.decision.synthetic.any() {
        return set.text(tags::QUALITY_CONTROL_IMAGE, VR::CS, "YES");
    }
    set
}

/// Image Pixel (C.7.6.3).
fn image_pixel(pixels: Vec<u8>) -> DataSet {
    DataSet::new()
        .word(tags::SAMPLES_PER_PIXEL, 3)
        .text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "RGB")
        .word(tags::PLANAR_CONFIGURATION, 0)
        .word(tags::ROWS, HEIGHT as u16)
        .word(tags::COLUMNS, WIDTH as u16)
        .word(tags::BITS_ALLOCATED, 8)
        .word(tags::BITS_STORED, 8)
        .word(tags::HIGH_BIT, 7)
        .word(tags::PIXEL_REPRESENTATION, 0)
        .with(tags::PIXEL_DATA, VR::OB, pixels)
}
