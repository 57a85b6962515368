//! Which frame is taken for the anterior.

use dicom_core::value::PrimitiveValue;
use dicom_core::{Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::InMemDicomObject;

use super::object::{
    ANTERIOR, COLUMNS, POSTERIOR, ROWS, ScanBuilder, back, body, coded, image_of, scan, sequence,
    silhouette, unnamed,
};
use crate::{ViewSource, Warning, read_anterior};
use attrium_types::LossyPolicy;

#[test]
fn a_coded_anterior_is_found_in_either_order() {
    for (frames, views) in [
        ([body(), back()], [ANTERIOR, POSTERIOR]),
        ([back(), body()], [POSTERIOR, ANTERIOR]),
    ] {
        let image = ScanBuilder::of(&frames)
            .views(&views)
            .read()
            .expect("should be read");
        assert_eq!(image.counts, image_of(&body(), ROWS, COLUMNS));
        assert_eq!(image.view_source, ViewSource::ViewCode);
        assert_eq!(image.warnings, []);
    }
}

#[test]
fn the_detector_vector_maps_frames_to_views() {
    let image = ScanBuilder::of(&[back(), body()])
        .detectors(&[2, 1])
        .views(&[ANTERIOR, POSTERIOR])
        .read()
        .expect("should be read");
    assert_eq!(image.counts, image_of(&body(), ROWS, COLUMNS));
}

#[test]
fn a_posterior_frame_is_never_used_for_an_anterior() {
    assert_eq!(
        ScanBuilder::of(&[back()]).views(&[POSTERIOR]).reason(),
        "no-anterior"
    );
    // Not even where the other detector's view is not named and it is not the first.
    let both = ScanBuilder::of(&[back(), back()]);
    assert_eq!(both.views(&[POSTERIOR, POSTERIOR]).reason(), "no-anterior");
    for (tag, vr) in [(tags::IMAGE_ID, VR::SH), (tags::SERIES_DESCRIPTION, VR::LO)] {
        let labelled = ScanBuilder::of(&[back()]).text(tag, vr, "WB POSTERIOR");
        assert_eq!(labelled.reason(), "no-anterior");
    }
}

#[test]
fn an_oblique_is_no_anterior() {
    let left_anterior_oblique = "399074003";
    assert_eq!(
        scan().views(&[left_anterior_oblique]).reason(),
        "no-anterior"
    );
}

#[test]
fn two_anteriors_are_too_many() {
    let both = ScanBuilder::of(&[body(), body()]);
    assert_eq!(
        both.views(&[ANTERIOR, ANTERIOR]).reason(),
        "several-anteriors"
    );
    let twice = ScanBuilder::of(&[body(), body()]).detectors(&[1, 1]);
    assert_eq!(twice.views(&[ANTERIOR]).reason(), "several-anteriors");
}

#[test]
fn texts_name_the_view_where_no_code_does() {
    let by_image_id = unnamed().text(tags::IMAGE_ID, VR::SH, "WB_ANT");
    let by_series = unnamed().text(tags::SERIES_DESCRIPTION, VR::LO, "Whole body anterior");
    for (scan, source) in [
        (by_image_id, ViewSource::ImageId),
        (by_series, ViewSource::SeriesDescription),
    ] {
        let image = scan.read().expect("should be read");
        assert_eq!(image.view_source, source);
        assert_eq!(image.warnings, []);
    }
}

#[test]
fn a_text_of_the_whole_object_names_neither_of_two_detectors() {
    for text in [
        "WB BONE 3H POST",
        "BONE POST MDP",
        "POST 3 HRS",
        "POSTERIOR",
        "WB ANT",
    ] {
        for frames in [[body(), back()], [back(), body()]] {
            let both = ScanBuilder::of(&frames).text(tags::SERIES_DESCRIPTION, VR::LO, text);
            let image = both.read().expect("should be read");
            assert_eq!(image.counts, image_of(&body(), ROWS, COLUMNS), "{text}");
            assert_eq!(image.view_source, ViewSource::Image);
            assert_eq!(image.warnings, [Warning::ViewFromImage]);
        }
    }
    // Where the other detector's view is coded, the text is this one's.
    let second = ScanBuilder::of(&[back(), back()]).views(&["", POSTERIOR]);
    let second = second.text(tags::IMAGE_ID, VR::SH, "POST");
    assert_eq!(second.reason(), "no-anterior");
}

#[test]
fn an_oblique_in_a_protocols_name_loses_no_whole_body_scan() {
    let oblique = ScanBuilder::of(&[body(), back()]).text(tags::IMAGE_ID, VR::SH, "RAO");
    assert_eq!(oblique.reason(), "no-anterior");
    for protocol in ["WB + LAT SKULL", "BONE WB OBL", "WB LAO RAO"] {
        let named = |scan: ScanBuilder| scan.text(tags::SERIES_DESCRIPTION, VR::LO, protocol);
        let source = |scan: ScanBuilder| named(scan).read().expect("should be read").view_source;
        assert_eq!(source(unnamed()), ViewSource::Image);
        assert_eq!(source(scan()), ViewSource::ViewCode);
        let by_image_id = unnamed().text(tags::IMAGE_ID, VR::SH, "ANT");
        assert_eq!(source(by_image_id), ViewSource::ImageId);
    }
}

#[test]
fn each_value_of_a_name_is_that_of_its_frame() {
    let names = |scan: ScanBuilder, text: &str| {
        let texts = [
            scan.text(tags::IMAGE_ID, VR::SH, text),
            ScanBuilder::of(&[back(), body()]).text(tags::SERIES_DESCRIPTION, VR::LO, text),
            ge(ScanBuilder::of(&[back(), body()]), 0x1012, text),
            ge(ScanBuilder::of(&[back(), body()]), 0x1030, text),
        ];
        texts.map(|scan| scan.read().expect("should be read").counts)
    };
    for text in [
        r"POSTERIOR\ANTERIOR",
        r"WB_POS\WB_ANT",
        r"hinten\vorne",
        r"dos\face",
        r"bak\fram",
    ] {
        for counts in names(ScanBuilder::of(&[back(), body()]), text) {
            assert_eq!(counts, image_of(&body(), ROWS, COLUMNS), "{text}");
        }
    }
    // A single frame has no others: the text is one.
    for text in [r"WB\POSTERIOR", "WB POS", "coeur dos"] {
        let single = ScanBuilder::of(&[back()]).text(tags::IMAGE_ID, VR::SH, text);
        assert_eq!(single.reason(), "no-anterior", "{text}");
    }
}

#[test]
fn each_value_of_a_name_is_that_of_its_detector_where_there_are_as_many() {
    let frames = [back(), body(), back(), back()];
    let named = ScanBuilder::of(&frames)
        .detectors(&[1, 2, 1, 2])
        .energy_windows(&[1, 1, 2, 2], &[[126.0, 154.0], [100.0, 120.0]])
        .text(tags::IMAGE_ID, VR::SH, r"POST\ANT");
    let image = named.read().expect("should be read");
    assert_eq!(image.counts, image_of(&body(), ROWS, COLUMNS));
}

#[test]
fn the_view_code_of_an_object_itself_is_that_of_its_only_frame() {
    let entry = || vec![coded(POSTERIOR, "SCT")];
    let behind = unnamed().items(tags::VIEW_CODE_SEQUENCE, entry());
    assert_eq!(behind.reason(), "no-anterior");
    let both = ScanBuilder::of(&[body(), back()]).items(tags::VIEW_CODE_SEQUENCE, entry());
    let image = both.read().expect("should be read");
    assert_eq!(image.view_source, ViewSource::Image);
}

#[test]
fn names_with_more_or_fewer_values_than_frames_are_the_whole_objects() {
    let text = r"RAO\RPO\LAT";
    let two = ScanBuilder::of(&[back(), body()]).text(tags::IMAGE_ID, VR::SH, text);
    assert_eq!(two.reason(), "no-anterior");
}

#[test]
fn the_image_id_outweighs_the_series_description() {
    let image = unnamed().text(tags::IMAGE_ID, VR::SH, "ANT").text(
        tags::SERIES_DESCRIPTION,
        VR::LO,
        "posterior",
    );
    assert_eq!(
        image.read().expect("should be read").view_source,
        ViewSource::ImageId
    );
}

fn ge(scan: ScanBuilder, element: u16, value: &str) -> ScanBuilder {
    scan.text(Tag(0x0011, 0x0010), VR::LO, "GEMS_GENIE_1")
        .text(Tag(0x0011, element), VR::LO, value)
}

#[test]
fn ge_private_names_come_after_the_standard_ones() {
    for element in [0x1012, 0x1030] {
        let image = ge(unnamed(), element, "ANT_E")
            .read()
            .expect("should be read");
        assert_eq!(image.view_source, ViewSource::GePrivate);
        assert_eq!(ge(unnamed(), element, "POST_E").reason(), "no-anterior");
        let labelled = ge(unnamed(), element, "POST_E").text(tags::IMAGE_ID, VR::SH, "ANT");
        assert_eq!(
            labelled.read().expect("should be read").view_source,
            ViewSource::ImageId
        );
    }
}

#[test]
fn a_private_block_of_another_creator_says_nothing() {
    let scan = unnamed()
        .text(Tag(0x0011, 0x0010), VR::LO, "SOMEONE ELSE")
        .text(Tag(0x0011, 0x1012), VR::LO, "POST");
    let image = scan.read().expect("should be read");
    assert_eq!(image.view_source, ViewSource::Image);
}

#[test]
fn the_second_detector_alone_is_not_taken_for_the_first() {
    assert_eq!(
        ScanBuilder::of(&[back()]).detectors(&[2]).reason(),
        "no-anterior"
    );
    let second = unnamed()
        .text(Tag(0x0011, 0x0010), VR::LO, "GEMS_GENIE_1")
        .put(Tag(0x0011, 0x1015), VR::SL, PrimitiveValue::from(2_i32));
    assert_eq!(second.reason(), "no-anterior");
}

#[test]
fn ges_detector_number_counts_where_the_object_does_not_say_that_it_is_a_number() {
    let posterior = |vr, number| {
        unnamed()
            .text(tags::IMAGE_ID, VR::SH, "WHOLE BODY_E")
            .text(Tag(0x0011, 0x0010), VR::LO, "GEMS_GENIE_1")
            .put(Tag(0x0011, 0x1015), vr, number)
    };
    let implicit = posterior(VR::SL, PrimitiveValue::from(2_i32));
    let bytes = implicit.bytes_in(uids::IMPLICIT_VR_LITTLE_ENDIAN);
    let error = read_anterior(&bytes, LossyPolicy::Quarantine).expect_err("no anterior");
    assert_eq!(error.reason(), "no-anterior");
    let unknown = |bytes: &[u8]| posterior(VR::UN, PrimitiveValue::U8(bytes.into()));
    assert_eq!(unknown(&[2, 0, 0, 0]).reason(), "no-anterior");
    assert_eq!(unknown(&[2, 0]).reason(), "no-anterior");
    for first_or_none in [&[1, 0, 0, 0][..], &[1, 0], &[]] {
        let image = unknown(first_or_none).read().expect("should be read");
        assert_eq!(image.warnings, [Warning::ViewFromImage]);
    }
}

#[test]
fn the_photopeak_is_chosen_among_energy_windows() {
    let frames = [back(), back(), back(), body()];
    let image = ScanBuilder::of(&frames)
        .detectors(&[1, 2, 1, 2])
        .energy_windows(&[1, 1, 2, 2], &[[100.0, 120.0], [126.0, 154.0]])
        .views(&[POSTERIOR, ANTERIOR])
        .read()
        .expect("should be read");
    assert_eq!(image.counts, image_of(&body(), ROWS, COLUMNS));
    assert_eq!(image.warnings, []);
}

#[test]
fn of_windows_that_hold_the_photopeak_the_better_centred_is_chosen() {
    let image = ScanBuilder::of(&[back(), body()])
        .detectors(&[1, 1])
        .energy_windows(&[1, 2], &[[50.0, 300.0], [130.0, 150.0]])
        .views(&[ANTERIOR])
        .read()
        .expect("should be read");
    assert_eq!(image.counts, image_of(&body(), ROWS, COLUMNS));
}

#[test]
fn a_scatter_window_alone_is_refused() {
    let scatter = scan().energy_windows(&[1], &[[100.0, 120.0]]);
    assert_eq!(scatter.reason(), "no-photopeak");
}

#[test]
fn of_silent_energy_windows_the_first_is_taken_with_a_warning() {
    let image = ScanBuilder::of(&[body(), back()])
        .detectors(&[1, 1])
        .energy_windows(&[1, 2], &[])
        .views(&[ANTERIOR])
        .read()
        .expect("should be read");
    assert_eq!(image.counts, image_of(&body(), ROWS, COLUMNS));
    assert_eq!(image.warnings, [Warning::AssumedPhotopeak]);
}

#[test]
fn frames_without_vectors_follow_the_standards_order_with_a_warning() {
    let image = ScanBuilder::of(&[back(), body()])
        .views(&[POSTERIOR, ANTERIOR])
        .without(tags::DETECTOR_VECTOR)
        .without(tags::ENERGY_WINDOW_VECTOR)
        .read()
        .expect("should be read");
    assert_eq!(image.counts, image_of(&body(), ROWS, COLUMNS));
    assert_eq!(image.warnings, [Warning::AssumedFrameOrder]);
}

#[test]
fn detectors_that_are_not_counted_are_those_that_are_described() {
    for (frames, views) in [
        ([back(), body()], [POSTERIOR, ANTERIOR]),
        ([body(), back()], [ANTERIOR, POSTERIOR]),
    ] {
        let image = ScanBuilder::of(&frames)
            .views(&views)
            .without(tags::DETECTOR_VECTOR)
            .without(tags::NUMBER_OF_DETECTORS)
            .read()
            .expect("should be read");
        assert_eq!(image.counts, image_of(&body(), ROWS, COLUMNS));
        assert_eq!(image.warnings, [Warning::AssumedFrameOrder]);
    }
}

#[test]
fn a_frame_that_was_taken_out_of_an_object_is_found_by_its_only_detector() {
    let number_of_another = scan().detectors(&[2]).views(&[ANTERIOR]);
    assert!(number_of_another.read().is_ok());
    let vectors_of_all = scan()
        .numbers(tags::DETECTOR_VECTOR, &[1, 2])
        .numbers(tags::ENERGY_WINDOW_VECTOR, &[1, 1]);
    assert!(vectors_of_all.read().is_ok());
    let of_two = ScanBuilder::of(&[body()])
        .views(&[POSTERIOR, ANTERIOR])
        .numbers(tags::DETECTOR_VECTOR, &[1, 2]);
    assert_eq!(of_two.reason(), "frame-vectors");
}

#[test]
fn frames_that_do_not_match_their_vectors_are_refused() {
    let long = ScanBuilder::of(&[body(), back()]).detectors(&[1, 2, 1]);
    assert_eq!(long.reason(), "frame-vectors");
    let three = ScanBuilder::of(&[body(), back(), back()])
        .without(tags::DETECTOR_VECTOR)
        .numbers(tags::NUMBER_OF_DETECTORS, &[2]);
    assert_eq!(three.reason(), "frame-vectors");
}

fn seen_from_behind(scan: ScanBuilder) -> ScanBuilder {
    scan.text(tags::PATIENT_ORIENTATION, VR::CS, r"R\F")
}

#[test]
fn an_orientation_from_behind_outweighs_a_text_but_not_a_code() {
    let labelled = unnamed().text(tags::IMAGE_ID, VR::SH, "ANT");
    assert_eq!(seen_from_behind(labelled).reason(), "view-conflict");
    let coded = seen_from_behind(scan()).read().expect("should be read");
    assert_eq!(coded.warnings, [Warning::OrientationContradictsView]);
}

fn of_one(pixels: Vec<u16>) -> ScanBuilder {
    ScanBuilder::of(&[pixels])
}

#[test]
fn an_orientation_names_the_view_where_nothing_else_does() {
    for behind in [back(), silhouette()] {
        assert_eq!(seen_from_behind(of_one(behind)).reason(), "no-anterior");
    }
    let before = |pixels| of_one(pixels).text(tags::PATIENT_ORIENTATION, VR::CS, r"L\F");
    for front in [body(), silhouette()] {
        let image = before(front).read().expect("should be read");
        assert_eq!(image.view_source, ViewSource::Orientation);
        assert_eq!(image.warnings, []);
    }
    // The image itself contradicts it.
    assert_eq!(seen_from_behind(unnamed()).reason(), "view-conflict");
    assert_eq!(before(back()).reason(), "view-conflict");
    // Copied from one detector to the other it names neither.
    let both = |frames: [Vec<u16>; 2]| {
        let both = ScanBuilder::of(&frames);
        both.text(tags::PATIENT_ORIENTATION, VR::CS, r"L\F")
    };
    let image = both([back(), body()]).read().expect("should be read");
    assert_eq!(image.view_source, ViewSource::Image);
    assert_eq!(both([body(), body()]).reason(), "view-unknown");
}

#[test]
fn where_nothing_names_a_view_the_image_itself_tells_it_or_the_object_is_set_aside() {
    let image = unnamed().read().expect("should be read");
    assert_eq!(image.view_source, ViewSource::Image);
    assert_eq!(image.warnings, [Warning::ViewFromImage]);
    assert_eq!(of_one(back()).reason(), "no-anterior");
    assert_eq!(of_one(silhouette()).reason(), "view-unknown");
    let two = |frames: [Vec<u16>; 2]| ScanBuilder::of(&frames).reason();
    let mirrored = |pixels: Vec<u16>| -> Vec<u16> {
        let rows = pixels.chunks(COLUMNS);
        rows.flat_map(|row| row.iter().rev().copied()).collect()
    };
    assert_eq!(two([body(), mirrored(body())]), "view-unknown");
    assert_eq!(two([back(), back()]), "view-unknown");
    assert_eq!(two([silhouette(), silhouette()]), "view-unknown");
}

fn lying(scan: ScanBuilder, position: &str) -> ScanBuilder {
    scan.text(tags::PATIENT_POSITION, VR::CS, position)
}

#[test]
fn of_a_prone_patient_codes_are_followed_and_texts_are_not() {
    for position in ["HFP", "FFP"] {
        let image = lying(scan(), position).read().expect("should be read");
        assert_eq!(image.warnings, [Warning::Prone]);
        let miscoded = of_one(back()).views(&[ANTERIOR]);
        assert_eq!(lying(miscoded, position).reason(), "view-conflict");
        for text in ["ANT", "POST"] {
            let named = |pixels| of_one(pixels).text(tags::IMAGE_ID, VR::SH, text);
            let image = lying(named(body()), position)
                .read()
                .expect("should be read");
            assert_eq!(image.view_source, ViewSource::Image);
            assert_eq!(image.warnings, [Warning::Prone, Warning::ViewFromImage]);
            assert_eq!(lying(named(back()), position).reason(), "no-anterior");
            assert_eq!(
                lying(named(silhouette()), position).reason(),
                "view-unknown"
            );
        }
    }
    let named = unnamed().text(tags::IMAGE_ID, VR::SH, "ANT");
    let image = lying(named, "HFS").read().expect("should be read");
    assert_eq!(image.view_source, ViewSource::ImageId);
}

#[test]
fn a_code_that_says_prone_outweighs_the_position() {
    let coded_as = |posture: &str, scheme| {
        let modifier = vec![coded(posture, scheme)];
        let mut recumbent = coded("102538003", "SCT");
        recumbent.put(sequence(
            tags::PATIENT_ORIENTATION_MODIFIER_CODE_SEQUENCE,
            modifier,
        ));
        scan().items(tags::PATIENT_ORIENTATION_CODE_SEQUENCE, vec![recumbent])
    };
    for (prone, supine, scheme) in [
        ("1240000", "40199007", "SCT"),
        ("F-10310", "F-10340", "SRT"),
    ] {
        let image = lying(coded_as(prone, scheme), "HFS")
            .read()
            .expect("should be read");
        assert_eq!(image.warnings, [Warning::Prone]);
        let image = lying(coded_as(supine, scheme), "HFP")
            .read()
            .expect("should be read");
        assert_eq!(image.warnings, []);
    }
}

#[test]
fn a_view_code_that_is_no_sequence_is_an_attribute_error() {
    let mut detector = InMemDicomObject::new_empty();
    detector.put_str(tags::VIEW_CODE_SEQUENCE, VR::LO, "ANTERIOR");
    let scan = scan().items(tags::DETECTOR_INFORMATION_SEQUENCE, vec![detector]);
    assert_eq!(scan.reason(), "attribute");
}
