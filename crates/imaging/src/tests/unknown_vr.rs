//! Elements that an archive did not know and wrote as UN (PS3.5, 6.2.2), and file meta information that is not
//! to the letter.

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;

use super::object::{
    ANTERIOR, COLUMNS, POSTERIOR, ROWS, ScanBuilder, back, body, image_of, scan, unnamed,
};
use crate::{Error, ViewSource, Warning, judge, read_anterior};
use attrium_types::{LossyPolicy, Tracer};

/// The data set of an object as its elements: tag, value representation and value.
type Elements = Vec<(Tag, [u8; 2], Vec<u8>)>;

/// The elements of an object's data set, in explicit VR little endian.
fn elements(scan: ScanBuilder) -> Elements {
    let explicit = data_set(&scan.bytes());
    let mut rest = &explicit[..];
    let mut elements = Vec::new();
    while !rest.is_empty() {
        let number = |at: usize| u16::from_le_bytes([rest[at], rest[at + 1]]);
        let tag = Tag(number(0), number(2));
        let vr = [rest[4], rest[5]];
        let is_long = [b"OB", b"OW", b"SQ", b"UN", b"UT"].contains(&&vr);
        let (start, length) = if is_long {
            let length = [rest[8], rest[9], rest[10], rest[11]];
            (12, u32::from_le_bytes(length))
        } else {
            (8, number(6).into())
        };
        let end = match length {
            u32::MAX => start + sequence_length(&rest[start..]),
            length => start + length as usize,
        };
        elements.push((tag, vr, rest[start..end].to_vec()));
        rest = &rest[end..];
    }
    elements
}

/// Bytes up to and with the end of the outermost sequence.
fn sequence_length(bytes: &[u8]) -> usize {
    let mut depth = 1;
    let mut at = 0;
    while depth > 0 {
        match &bytes[at..at + 4] {
            b"\xFE\xFF\xDD\xE0" => depth -= 1,
            [_, _, _, _] if bytes[at + 4..].starts_with(b"SQ\0\0\xFF\xFF\xFF\xFF") => depth += 1,
            _ => {}
        }
        at += 1;
    }
    at + 7
}

/// Bytes of an item with a delimiter before that, those of items within it included.
fn item_length(bytes: &[u8]) -> usize {
    let mut depth = 0;
    let mut at = 0;
    loop {
        match &bytes[at..at + 4] {
            b"\xFE\xFF\x00\xE0" => depth += 1,
            b"\xFE\xFF\x0D\xE0" if depth == 1 => return at,
            b"\xFE\xFF\x0D\xE0" => depth -= 1,
            _ => {}
        }
        at += 1;
    }
}

/// What follows the file meta information, whose length it states.
fn data_set(bytes: &[u8]) -> Vec<u8> {
    let length = bytes[140..144].try_into().expect("four bytes");
    bytes[144 + u32::from_le_bytes(length) as usize..].to_vec()
}

fn meta(bytes: &[u8]) -> Vec<u8> {
    bytes[132..bytes.len() - data_set(bytes).len()].to_vec()
}

/// The elements of a sequence's items in implicit VR little endian, with items of undefined length or not.
fn implicit(value: &[u8], undefined: bool) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = value;
    while rest.len() >= 8 && rest.starts_with(b"\xFE\xFF\x00\xE0") {
        let end = item_length(rest);
        let inner = implicit_elements(&rest[8..end], undefined);
        let length = if undefined {
            u32::MAX
        } else {
            inner.len() as u32
        };
        out.extend_from_slice(&rest[..4]);
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&inner);
        if undefined {
            out.extend_from_slice(b"\xFE\xFF\x0D\xE0\0\0\0\0");
        }
        rest = &rest[end + 8..];
    }
    out
}

/// Text elements, explicit, without their value representations.
fn implicit_elements(bytes: &[u8], undefined: bool) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = bytes;
    while let [g0, g1, e0, e1, v0, v1, ..] = *rest {
        let tag = [g0, g1, e0, e1];
        let (start, length) = if [v0, v1] == *b"SQ" {
            (12, sequence_length(&rest[12..]))
        } else {
            (8, usize::from(u16::from_le_bytes([rest[6], rest[7]])))
        };
        let value = &rest[start..start + length];
        let value = if [v0, v1] == *b"SQ" {
            implicit(value, undefined)
        } else {
            value.to_vec()
        };
        out.extend_from_slice(&tag);
        out.extend_from_slice(&(value.len() as u32).to_le_bytes());
        out.extend_from_slice(&value);
        rest = &rest[start + length..];
    }
    out
}

/// The object with some of its elements as UN; sequences in one of three forms.
fn with_unknown(scan: ScanBuilder, unknown: &[Tag], undefined: bool) -> Vec<u8> {
    let plain = ScanBuilder::of(&[body()]).bytes();
    let mut bytes = [&plain[..132], &meta(&plain)].concat();
    for (tag, vr, value) in elements(scan) {
        let is_sequence = vr == *b"SQ";
        let is_unknown = unknown.contains(&tag);
        let value = if is_sequence && is_unknown {
            implicit(&value, undefined)
        } else {
            value
        };
        bytes.extend_from_slice(&tag.0.to_le_bytes());
        bytes.extend_from_slice(&tag.1.to_le_bytes());
        let is_open = is_sequence && (undefined || !is_unknown);
        if is_unknown || is_sequence || vr == *b"OW" {
            bytes.extend_from_slice(if is_unknown { b"UN" } else { &vr });
            bytes.extend_from_slice(&[0, 0]);
            let length = if is_open {
                u32::MAX
            } else {
                value.len() as u32
            };
            bytes.extend_from_slice(&length.to_le_bytes());
        } else {
            bytes.extend_from_slice(&vr);
            bytes.extend_from_slice(&(value.len() as u16).to_le_bytes());
        }
        bytes.extend_from_slice(&value);
        if is_open && is_unknown {
            bytes.extend_from_slice(b"\xFE\xFF\xDD\xE0\0\0\0\0");
        }
    }
    bytes
}

fn read(bytes: &[u8]) -> Result<crate::AnteriorImage, Error> {
    read_anterior(bytes, LossyPolicy::Accept)
}

#[test]
fn unknown_elements_are_what_the_dictionary_says() {
    let all = [
        tags::DETECTOR_INFORMATION_SEQUENCE,
        tags::DETECTOR_VECTOR,
        tags::NUMBER_OF_DETECTORS,
        tags::ENERGY_WINDOW_VECTOR,
        tags::NUMBER_OF_ENERGY_WINDOWS,
        tags::ENERGY_WINDOW_INFORMATION_SEQUENCE,
        tags::IMAGE_TYPE,
        tags::PIXEL_SPACING,
        tags::ROWS,
        tags::COLUMNS,
        tags::MODALITY,
        tags::NUMBER_OF_FRAMES,
        tags::PIXEL_DATA,
    ];
    for undefined in [false, true] {
        let two = ScanBuilder::of(&[back(), body()])
            .views(&[POSTERIOR, ANTERIOR])
            .energy_windows(&[1, 1], &[[126.0, 154.0]]);
        let image = read(&with_unknown(two, &all, undefined)).expect("should be read");
        assert_eq!(image.counts, image_of(&body(), ROWS, COLUMNS));
        assert_eq!(image.view_source, ViewSource::ViewCode);
        assert_eq!(image.pixel_spacing_mm, Some([2.4, 2.4]));
        assert_eq!(image.warnings, []);
    }
}

#[test]
fn what_an_archive_did_not_know_is_no_silence() {
    let unknown = |scan: ScanBuilder, tag| read(&with_unknown(scan, &[tag], false));
    let reason = |scan, tag| {
        let read = unknown(scan, tag).and_then(|image| judge(image, Tracer::ALL));
        let read = read.map(|_| "it is used");
        read.expect_err("should not be used").reason()
    };
    let behind = unnamed().text(tags::IMAGE_ID, VR::SH, "POSTERIOR");
    assert_eq!(reason(behind, tags::IMAGE_ID), "no-anterior");
    let behind = unnamed().text(tags::SERIES_DESCRIPTION, VR::LO, "WB POST");
    assert_eq!(reason(behind, tags::SERIES_DESCRIPTION), "no-anterior");
    let prone = scan().text(tags::PATIENT_POSITION, VR::CS, "HFP");
    let image = unknown(prone, tags::PATIENT_POSITION).expect("should be read");
    assert_eq!(image.warnings, [Warning::Prone]);
    let lossy = scan().text(tags::LOSSY_IMAGE_COMPRESSION, VR::CS, "01");
    let image = unknown(lossy, tags::LOSSY_IMAGE_COMPRESSION).expect("should be read");
    assert_eq!(image.warnings, [Warning::Lossy]);
    let doubled = scan().text(tags::RESCALE_SLOPE, VR::DS, "2");
    let image = unknown(doubled, tags::RESCALE_SLOPE).expect("should be read");
    let counts: f64 = body().into_iter().map(f64::from).sum();
    assert_eq!(image.counts.sum(), 2.0 * counts);
    let side = 256;
    let pelvis = ScanBuilder::of(&[vec![9; side * side]])
        .views(&[ANTERIOR])
        .numbers(tags::ROWS, &[side as u16])
        .numbers(tags::COLUMNS, &[side as u16])
        .text(
            tags::IMAGE_TYPE,
            VR::CS,
            r"ORIGINAL\PRIMARY\STATIC\EMISSION",
        )
        .text(tags::BODY_PART_EXAMINED, VR::CS, "PELVIS");
    assert_eq!(reason(pelvis, tags::BODY_PART_EXAMINED), "not-thorax");
}

/// An object with some bytes before its pixel data.
fn with_private(private: &[u8]) -> Vec<u8> {
    let bytes = scan().bytes();
    let pixels = bytes.len() - 2 * body().len() - 12;
    [&bytes[..pixels], private, &bytes[pixels..]].concat()
}

#[test]
fn private_sequences_that_nobody_needs_are_passed_over() {
    let creator = b"\x55\x00\x10\x00LO\x0C\x00GEMS_XELPRV_";
    let item = |inner: &[u8]| {
        let length = (inner.len() as u32).to_le_bytes();
        [&b"\xFE\xFF\x00\xE0"[..], &length, inner].concat()
    };
    let open = |inner: &[u8]| {
        let item = &b"\xFE\xFF\x00\xE0\xFF\xFF\xFF\xFF"[..];
        [item, inner, b"\xFE\xFF\x0D\xE0\0\0\0\0"].concat()
    };
    let end = b"\xFE\xFF\xDD\xE0\0\0\0\0";
    let text = b"\x08\x00\x00\x01\x04\x00\x00\x00CODE";
    let explicit = b"\x08\x00\x00\x01SH\x04\x00CODE";
    let private = b"\x13\x00\x1C\x10\x04\x00\x00\x00\xDE\xAD\xBE\xEF";
    let nested = [&b"\x08\x00\x40\x11\xFF\xFF\xFF\xFF"[..], &open(text), end].concat();
    let head = b"\x55\x00\x52\x10UN\0\0\xFF\xFF\xFF\xFF";
    for inner in [
        item(text),
        open(text),
        open(private),
        open(&nested),
        item(&nested),
        open(explicit),
        open(b""),
        Vec::new(),
    ] {
        let undefined = [creator, &head[..], &inner, end].concat();
        assert!(read(&with_private(&undefined)).is_ok(), "{inner:?}");
        let length = (inner.len() as u32).to_le_bytes();
        let defined = [creator, &head[..8], &length, &inner].concat();
        assert!(read(&with_private(&defined)).is_ok(), "{inner:?}");
    }
}

#[test]
fn an_unknown_sequence_that_holds_no_items_is_unreadable_only_where_it_is_needed() {
    let broken = |tag: &[u8]| [tag, b"UN\0\0\x04\0\0\0", b"\xDE\xAD\xBE\xEF"].concat();
    let referenced = broken(b"\x08\x00\x40\x11");
    assert!(read(&with_private(&referenced)).is_ok());
    let detectors = broken(b"\x54\x00\x22\x00");
    let error = read(&with_private(&detectors)).map(|_| "it is read");
    assert_eq!(error.expect_err("should not be read").reason(), "attribute");
}

#[test]
fn file_meta_information_that_is_not_to_the_letter_is_read() {
    let bytes = scan().bytes();
    let (preamble, meta, set) = (&bytes[..132], meta(&bytes), data_set(&bytes));
    let private = &b"\x02\x00\x02\x01OB\0\0\x04\0\0\0\x01\x02\x03\x04"[..];
    let length = |off: i32| {
        let stated = i32::from_le_bytes(meta[8..12].try_into().expect("four bytes"));
        [&meta[..8], &(stated + off).to_le_bytes(), &meta[12..]].concat()
    };
    let implicit_element = &b"\x02\x00\x03\x00\x0A\0\0\x002.25.90111"[..];
    for meta in [
        meta[12..].to_vec(),
        length(2),
        length(-2),
        [&meta, private].concat(),
        [&meta, implicit_element].concat(),
    ] {
        assert!(read(&[preamble, &meta, &set].concat()).is_ok());
    }
}

#[test]
fn a_dicomdir_is_named_so() {
    let mut bytes = scan().bytes();
    let class = b"1.2.840.10008.5.1.4.1.1.20";
    let at = bytes.windows(class.len()).position(|it| it == class);
    let at = at.expect("Media Storage SOP Class UID");
    bytes[at..at + class.len()].copy_from_slice(b"1.2.840.10008.1.3.10\0\0\0\0\0\0");
    let error = read(&bytes).map(|_| "it is read");
    assert_eq!(error.expect_err("should not be read").reason(), "directory");
}
