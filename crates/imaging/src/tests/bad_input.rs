//! Objects that cannot be used: each has its own reason, none costs more than its bytes.

use dicom_core::VR;
use dicom_core::value::PrimitiveValue;
use dicom_dictionary_std::{tags, uids};
use proptest::prelude::*;

use super::object::{ANTERIOR, ScanBuilder, body, coded, scan, unnamed};
use crate::{Error, read_anterior};
use attrium_types::LossyPolicy;

fn reason(bytes: &[u8]) -> &'static str {
    read_anterior(bytes, LossyPolicy::Accept)
        .expect_err("should not be read")
        .reason()
}

#[test]
fn bytes_that_are_not_a_dicom_file_are_named_so() {
    assert_eq!(reason(b""), "not-dicom");
    assert_eq!(reason(b"study,grade\n1,2\n"), "not-dicom");
    assert_eq!(reason(&[0; 4096]), "not-dicom");
    assert_eq!(reason(b"\x89PNG\r\n\x1a\n"), "not-dicom");
}

#[test]
fn a_file_that_is_cut_anywhere_is_an_error() {
    let bytes = scan().bytes();
    let pixels = bytes.len() - 2 * body().len();
    for length in [
        132,
        140,
        200,
        400,
        pixels - 5,
        pixels,
        pixels + 1,
        bytes.len() - 1,
    ] {
        let reason = reason(&bytes[..length]);
        assert!(
            ["truncated", "malformed", "transfer-syntax"].contains(&reason),
            "{length}: {reason}"
        );
    }
    assert_eq!(reason(&bytes[..bytes.len() - 1]), "truncated");
}

#[test]
fn what_follows_the_pixel_data_does_not_matter() {
    let mut bytes = scan().bytes();
    bytes.extend_from_slice(&[0; 300]);
    assert!(read_anterior(&bytes, LossyPolicy::Quarantine).is_ok());
}

#[test]
fn a_file_without_preamble_is_read() {
    let bytes = scan().bytes();
    assert!(read_anterior(&bytes[128..], LossyPolicy::Quarantine).is_ok());
}

#[test]
fn an_object_without_pixel_data_says_so() {
    assert_eq!(scan().without(tags::PIXEL_DATA).reason(), "no-pixel-data");
    let icon = vec![coded(ANTERIOR, "SCT")];
    let ends_in_a_sequence = scan().items(tags::ICON_IMAGE_SEQUENCE, icon);
    let reason = ends_in_a_sequence.without(tags::PIXEL_DATA).reason();
    assert_eq!(reason, "no-pixel-data");
}

#[test]
fn an_object_of_another_modality_says_which() {
    let error = scan().text(tags::MODALITY, VR::CS, "CT").read();
    assert!(error.is_err_and(|error| error.to_string().contains("CT")));
}

#[test]
fn text_of_the_object_is_not_in_an_error() {
    let error = scan().text(tags::MODALITY, VR::CS, "DOE JOHN").read();
    let error = error.expect_err("another modality");
    assert_eq!(error.reason(), "modality");
    assert!(!error.to_string().contains("DOE"), "{error}");
}

#[test]
fn an_object_of_another_class_is_refused() {
    let positron = "1.2.840.10008.5.1.4.1.1.128";
    assert_eq!(
        scan().text(tags::SOP_CLASS_UID, VR::UI, positron).reason(),
        "sop-class"
    );
}

#[test]
fn a_secondary_capture_needs_nuclear_medicines_attributes() {
    let capture = uids::SECONDARY_CAPTURE_IMAGE_STORAGE;
    let with = scan().text(tags::SOP_CLASS_UID, VR::UI, capture);
    assert!(with.read().is_ok());
    let without = unnamed()
        .text(tags::SOP_CLASS_UID, VR::UI, capture)
        .without(tags::DETECTOR_VECTOR)
        .without(tags::NUMBER_OF_DETECTORS)
        .without(tags::ENERGY_WINDOW_VECTOR)
        .without(tags::NUMBER_OF_ENERGY_WINDOWS);
    assert_eq!(without.reason(), "not-counts");
}

#[test]
fn colour_and_inverted_scales_are_not_counts() {
    let tag = tags::PHOTOMETRIC_INTERPRETATION;
    for interpretation in ["RGB", "MONOCHROME1", "YBR_FULL"] {
        assert_eq!(
            scan().text(tag, VR::CS, interpretation).reason(),
            "photometric"
        );
    }
    assert!(scan().text(tag, VR::CS, "PALETTE COLOR").read().is_ok());
    assert_eq!(
        scan().numbers(tags::SAMPLES_PER_PIXEL, &[3]).reason(),
        "photometric"
    );
}

#[test]
fn an_impossible_size_is_refused_before_anything_is_set_aside() {
    let huge = scan()
        .numbers(tags::ROWS, &[60_000])
        .numbers(tags::COLUMNS, &[60_000]);
    assert_eq!(huge.reason(), "impossible-size");
    let frames = scan().text(tags::NUMBER_OF_FRAMES, VR::IS, "2147483647");
    assert_eq!(frames.reason(), "impossible-size");
    let more = scan().numbers(tags::ROWS, &[401]);
    assert_eq!(more.reason(), "pixel-data-too-short");
}

#[test]
fn attributes_that_make_no_sense_are_named() {
    let cases: Vec<(ScanBuilder, &str)> = vec![
        (scan().without(tags::ROWS), "Rows (0028,0010) is missing"),
        (
            scan().numbers(tags::ROWS, &[0]),
            "Rows (0028,0010) cannot be 0",
        ),
        (scan().text(tags::ROWS, VR::LO, "many"), "does not fit it"),
        (
            scan().text(tags::NUMBER_OF_FRAMES, VR::IS, "two"),
            "is not a number",
        ),
        (scan().numbers(tags::BITS_ALLOCATED, &[12]), "cannot be 12"),
        (scan().numbers(tags::BITS_ALLOCATED, &[32]), "cannot be 32"),
        (scan().numbers(tags::BITS_STORED, &[17]), "cannot be 17"),
        (scan().numbers(tags::HIGH_BIT, &[16]), "cannot be 16"),
        (
            scan().numbers(tags::PIXEL_REPRESENTATION, &[2]),
            "cannot be 2",
        ),
        (scan().text(tags::RESCALE_SLOPE, VR::DS, "0"), "cannot be 0"),
        (
            scan().text(tags::RESCALE_SLOPE, VR::DS, "NaN"),
            "cannot be NaN",
        ),
        (
            scan().items(tags::PIXEL_SPACING, vec![coded("1", "2")]),
            "does not fit it",
        ),
        (
            scan().without(tags::STUDY_INSTANCE_UID),
            "Study Instance UID",
        ),
    ];
    for (scan, message) in cases {
        match scan.read() {
            Err(Error::Attribute { source }) => {
                assert!(source.to_string().contains(message), "{source}");
            }
            other => panic!("{message}: {other:?}"),
        }
    }
}

#[test]
fn unsupported_transfer_syntaxes_are_refused() {
    let mut bytes = scan().bytes();
    let uid = b"1.2.840.10008.1.2.1\0";
    let at = bytes
        .windows(uid.len())
        .position(|window| window == uid)
        .expect("the syntax");
    bytes[at..at + uid.len()].copy_from_slice(b"1.2.840.10008.1.2.9\0");
    assert_eq!(reason(&bytes), "transfer-syntax");
}

/// Elements of a data set that nest `depth` sequences, of undefined or of defined length.
fn nested(depth: usize, is_defined: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    for level in 0..depth {
        let rest = 20 * (depth - level) as u32;
        let length = |length: u32| if is_defined { length } else { u32::MAX }.to_le_bytes();
        bytes.extend_from_slice(b"\x54\x00\x22\x00SQ\x00\x00");
        bytes.extend_from_slice(&length(rest - 12));
        bytes.extend_from_slice(b"\xFE\xFF\x00\xE0");
        bytes.extend_from_slice(&length(rest - 20));
    }
    bytes
}

fn with_data_set(data_set: &[u8]) -> Vec<u8> {
    let bytes = scan().bytes();
    let first = b"\x08\x00\x08\x00CS";
    let at = bytes
        .windows(first.len())
        .position(|window| window == first)
        .expect("Image Type");
    [&bytes[..at], data_set].concat()
}

#[test]
fn sequences_that_nest_too_deep_are_refused_and_not_followed() {
    for is_defined in [false, true] {
        assert_eq!(
            reason(&with_data_set(&nested(100_000, is_defined))),
            "malformed"
        );
    }
}

#[test]
fn more_elements_than_any_object_has_are_refused_before_they_are_kept() {
    let with_items = |count: usize| {
        let item = b"\xFE\xFF\x00\xE0\0\0\0\0".repeat(count);
        let length = (item.len() as u32).to_le_bytes();
        with_data_set(&[b"\x08\x00\x15\x11SQ\0\0", &length[..], &item].concat())
    };
    assert_eq!(reason(&with_items(1_000_000)), "malformed");
    assert_ne!(reason(&with_items(1000)), "malformed");
}

#[test]
fn a_length_that_the_bytes_do_not_back_is_refused() {
    for header in [
        b"\x09\x00\x10\x10OB\0\0\xFE\xFF\xFF\xFF",
        b"\x09\x00\x10\x10UN\0\0\xFE\xFF\xFF\x7F",
    ] {
        assert_eq!(reason(&with_data_set(header)), "truncated");
    }
}

#[test]
fn what_follows_a_length_of_no_whole_numbers_is_still_read() {
    let bytes = scan().bytes();
    let before = b"\x20\x00\x0D\x00UI";
    let places = bytes.windows(before.len());
    let at = places.zip(0..).find(|(it, _)| it == before);
    let (head, tail) = bytes.split_at(at.expect("Study Instance UID").1);
    for (vr, length) in [(b"US", 3), (b"UL", 6), (b"AT", 2), (b"FD", 12), (b"SL", 26)] {
        let odd = [&b"\x19\x00\x10\x10"[..], vr, &[length, 0]].concat();
        let odd = [odd, vec![7; length.into()]].concat();
        let read = read_anterior(&[head, &odd, tail].concat(), LossyPolicy::Quarantine);
        assert!(read.is_ok(), "{length}");
    }
}

#[test]
fn a_compressed_frame_of_another_size_is_refused() {
    for name in [
        "rle.dcm",
        "jpeg2000-lossless.dcm",
        "nm-wholebody-anterior.dcm",
    ] {
        let path = format!("{}/../../tests/data/{name}", env!("CARGO_MANIFEST_DIR"));
        let mut bytes = std::fs::read(path).expect("should be in tests/data");
        let columns = b"\x28\x00\x11\x00US\x02\x00";
        let at = bytes
            .windows(8)
            .position(|window| window == columns)
            .expect("Columns");
        bytes[at + 8] += 2;
        assert_eq!(reason(&bytes), "pixel-data", "{name}");
    }
}

#[test]
fn huffman_tables_that_the_scan_does_not_use_cost_nothing() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/data/jpeg-lossless-1.dcm"
    );
    let bytes = std::fs::read(path).expect("should be in tests/data");
    let start = bytes
        .windows(3)
        .position(|window| window == b"\xFF\xD8\xFF")
        .expect("a JPEG image");
    // Tables of no use: no prefix code has three codes of one bit.
    let table = [&b"\xFF\xC4\x00\x16\x01\x03"[..], &[0; 15], &[0; 3]].concat();
    let tables = table.repeat(100_000);
    let (head, frame) = bytes.split_at(start + 2);
    let mut crowded = [head, &tables, frame].concat();
    let length: &mut [u8; 4] = (&mut crowded[start - 4..start])
        .try_into()
        .expect("4 bytes");
    *length = (u32::from_le_bytes(*length) + tables.len() as u32).to_le_bytes();
    let read =
        |bytes: &[u8]| read_anterior(bytes, LossyPolicy::Quarantine).expect("should be read");
    let before = std::time::Instant::now();
    assert_eq!(read(&crowded).counts, read(&bytes).counts);
    assert!(before.elapsed().as_secs() < 5, "{:?}", before.elapsed());
}

/// An object of JPEG Lossless with another precision in its frame header.
fn with_precision(bytes: &[u8], precision: u8) -> Vec<u8> {
    let header = b"\xFF\xC3\0\x0B";
    let mut places = bytes.windows(4).zip(4..);
    let (_, at) = places.find(|(it, _)| it == header).expect("a frame header");
    let mut bytes = bytes.to_vec();
    bytes[at] = precision;
    bytes
}

#[test]
fn a_jpeg_lossless_sample_of_more_bits_than_its_frame_states_is_refused() {
    let file = "/../../tests/data/jpeg-lossless-1.dcm";
    let path = format!("{}{file}", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(path).expect("should be in tests/data");
    assert_eq!(with_precision(&bytes, 12), bytes);
    assert_eq!(reason(&with_precision(&bytes, 8)), "pixel-data");
}

#[test]
fn a_jpeg_lossless_frame_of_more_bits_than_are_allocated_is_refused() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../fuzz/corpus/dicom/JPEGLosslessSV1.dcm"
    );
    let bytes = std::fs::read(path).expect("should be in the corpus");
    assert_eq!(with_precision(&bytes, 8), bytes);
    let error = read_anterior(&with_precision(&bytes, 16), LossyPolicy::Quarantine);
    let error = error.expect_err("should be refused").to_string();
    assert!(error.contains("other bits than the header says"), "{error}");
}

/// Real and written objects in every form of pixel data.
fn seeds() -> Vec<Vec<u8>> {
    let names = [
        "rle",
        "jpeg2000-lossless",
        "implicit-little",
        "explicit-big",
        "nm-wholebody-anterior",
    ];
    let path = |name| format!("{}/../../tests/data/{name}.dcm", env!("CARGO_MANIFEST_DIR"));
    let mut seeds: Vec<_> = names
        .map(|name| std::fs::read(path(name)).expect("should be in tests/data"))
        .into();
    seeds.push(ScanBuilder::of(&[body()]).views(&[ANTERIOR]).bytes());
    seeds.push(
        scan()
            .put(tags::PIXEL_SPACING, VR::DS, PrimitiveValue::from("1"))
            .bytes(),
    );
    seeds
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn damaged_objects_are_read_or_refused_but_never_a_panic(
        seed in prop::sample::select(seeds()),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        length in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = seed;
        for (place, byte) in damage {
            // Most of an object is pixels: damage its headers as often.
            let reach = if byte % 2 == 0 { bytes.len() } else { bytes.len().min(1500) };
            let at = place.index(reach);
            bytes[at] = byte;
        }
        if let Some(length) = length {
            bytes.truncate(length.index(bytes.len()));
        }
        let _ = read_anterior(&bytes, LossyPolicy::Accept);
    }
}
