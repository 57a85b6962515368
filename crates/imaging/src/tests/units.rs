//! Pixels that are counts, and pixels that are not.

use dicom_core::VR;
use dicom_core::value::PrimitiveValue;
use dicom_dictionary_std::tags;

use super::object::{ANTERIOR, COLUMNS, ROWS, ScanBuilder, body, image_of, scan};
use crate::{Warning, crop};
use attrium_types::CropMode;

/// The body with its edges padded.
fn padded(padding: u16) -> Vec<u16> {
    let mut pixels = body();
    pixels[..20 * COLUMNS].fill(padding);
    pixels
        .chunks_mut(COLUMNS)
        .for_each(|row| row[..8].fill(padding));
    pixels
}

#[test]
fn padding_is_no_count_whatever_its_sign_and_its_value_representation() {
    let count = 20 * COLUMNS + 8 * (ROWS - 20);
    for (stored, signed, vr, value) in [
        (65535, 0, VR::US, PrimitiveValue::from(65535_u16)),
        (65535, 0, VR::SS, PrimitiveValue::from(-1_i16)),
        (0x8000, 1, VR::SS, PrimitiveValue::from(i16::MIN)),
        (0x8000, 1, VR::US, PrimitiveValue::from(0x8000_u16)),
        (4000, 0, VR::US, PrimitiveValue::from(4000_u16)),
    ] {
        let scan = ScanBuilder::of(&[padded(stored)])
            .views(&[ANTERIOR])
            .numbers(tags::PIXEL_REPRESENTATION, &[signed])
            .put(tags::PIXEL_PADDING_VALUE, vr, value);
        let image = scan.read().expect("should be read");
        assert_eq!(image.counts, image_of(&body(), ROWS, COLUMNS));
        assert_eq!(image.warnings, [Warning::Padding { count }]);
    }
    let range = ScanBuilder::of(&[padded(4005)])
        .views(&[ANTERIOR])
        .numbers(tags::PIXEL_PADDING_VALUE, &[4010])
        .numbers(tags::PIXEL_PADDING_RANGE_LIMIT, &[4000]);
    let image = range.read().expect("should be read");
    assert_eq!(image.counts, image_of(&body(), ROWS, COLUMNS));
    let of_none = scan().numbers(tags::PIXEL_PADDING_VALUE, &[0]);
    assert_eq!(of_none.read().expect("should be read").warnings, []);
}

#[test]
fn a_slope_that_makes_no_whole_counts_is_named() {
    let rescaled = |slope: &str| scan().text(tags::RESCALE_SLOPE, VR::DS, slope);
    let half = rescaled("0.5").read().expect("should be read");
    assert_eq!(half.warnings, [Warning::FractionalCounts]);
    assert_eq!(rescaled("0.01").reason(), "rescaled");
    assert_eq!(rescaled("2.8707939353E-06").reason(), "rescaled");
    assert_eq!(
        rescaled("1000").read().expect("should be read").warnings,
        []
    );
}

#[test]
fn the_sum_is_compared_with_counts_accumulated() {
    let found: f64 = body().into_iter().map(f64::from).sum();
    let stated = |counts: f64| scan().text(tags::COUNTS_ACCUMULATED, VR::IS, &counts.to_string());
    for near in [found, (0.97 * found).round(), 0.0] {
        assert_eq!(stated(near).read().expect("should be read").warnings, []);
    }
    for stated_counts in [2.0 * found, (0.5 * found).round()] {
        let image = stated(stated_counts).read().expect("should be read");
        let expected = Warning::CountsDiffer {
            stated: stated_counts,
            found,
        };
        assert_eq!(image.warnings, [expected]);
    }
    let of_both = ScanBuilder::of(&[body(), body()])
        .views(&[ANTERIOR, super::object::POSTERIOR])
        .text(tags::COUNTS_ACCUMULATED, VR::IS, &(2.0 * found).to_string());
    assert_eq!(of_both.read().expect("should be read").warnings, []);
    let unreadable = scan().text(tags::COUNTS_ACCUMULATED, VR::IS, "many");
    assert!(unreadable.read().is_ok());
}

/// The body in 8 bits, each count changed.
fn in_eight_bits(change: impl Fn(u16) -> u16) -> ScanBuilder {
    let pixels: Vec<u8> = body()
        .into_iter()
        .map(|count| change(count).min(255) as u8)
        .collect();
    scan()
        .numbers(tags::BITS_ALLOCATED, &[8])
        .numbers(tags::BITS_STORED, &[8])
        .numbers(tags::HIGH_BIT, &[7])
        .put(tags::PIXEL_DATA, VR::OB, PrimitiveValue::U8(pixels.into()))
}

#[test]
fn counts_of_few_photons_pass_in_eight_bits_and_pictures_do_not() {
    let few = |count: u16| match count {
        0 => 0,
        15 => 1,
        count => count / 6,
    };
    assert!(in_eight_bits(few).read().is_ok());
    // Its brightest spot at the last value; all of it saturated; scaled up so that 1 and 2 are missing.
    assert_eq!(in_eight_bits(|it| it * 255 / 200).reason(), "picture");
    assert_eq!(in_eight_bits(|it| it * 12).reason(), "picture");
    assert_eq!(in_eight_bits(|it| few(it) * 5).reason(), "picture");
}

#[test]
fn an_image_that_is_cut_at_its_largest_value_is_a_picture_in_any_bits() {
    let cut = |pixels: Vec<u16>, most: u16| {
        let pixels = pixels.into_iter().map(|it| (it * 9).min(most)).collect();
        ScanBuilder::of(&[pixels]).views(&[ANTERIOR]).reason()
    };
    assert_eq!(cut(body(), 255), "picture");
    assert_eq!(cut(body(), 300), "picture");
}

#[test]
fn floating_point_pixels_are_named_and_not_missed() {
    let floats = PrimitiveValue::F32(vec![1.0; ROWS * COLUMNS].into());
    let floating = scan()
        .without(tags::PIXEL_DATA)
        .put(tags::FLOAT_PIXEL_DATA, VR::OF, floats);
    assert_eq!(floating.reason(), "float-pixels");
}

/// The body with each of its rows or columns twice.
fn doubled(rows: usize, columns: usize) -> ScanBuilder {
    let pixels = body();
    let doubled = (0..rows * ROWS).flat_map(|row| {
        let of_row = &pixels[row / rows * COLUMNS..][..COLUMNS];
        of_row.iter().flat_map(move |&count| vec![count; columns])
    });
    ScanBuilder::of(&[doubled.collect()])
        .views(&[ANTERIOR])
        .numbers(tags::ROWS, &[(rows * ROWS) as u16])
        .numbers(tags::COLUMNS, &[(columns * COLUMNS) as u16])
}

#[test]
fn pixels_that_are_not_square_become_square() {
    for (rows, columns, spacing) in [(1, 2, r"2.4\1.2"), (2, 1, r"1.2\2.4")] {
        let scan = doubled(rows, columns).text(tags::PIXEL_SPACING, VR::DS, spacing);
        let image = scan.read().expect("should be read");
        assert_eq!((image.counts.rows, image.counts.columns), (ROWS, COLUMNS));
        assert_eq!(image.pixel_spacing_mm, Some([2.4, 2.4]));
        assert!(matches!(
            image.warnings[..],
            [Warning::PixelsNotSquare { .. }]
        ));
        let top = crop(&image, CropMode::Robust)
            .expect("a crop")
            .rectangle
            .top;
        let plain = super::object::scan().read().expect("should be read");
        let of_plain = crop(&plain, CropMode::Robust).expect("a crop");
        assert_eq!(top, of_plain.rectangle.top);
    }
}

#[test]
fn the_odder_side_of_a_pixel_is_the_one_that_is_said() {
    for spacing in [r"2.26\4.80", r"4.80\2.26"] {
        let image = scan().text(tags::PIXEL_SPACING, VR::DS, spacing);
        let said = image.read().expect("should be read").warnings;
        let [
            Warning::PixelsNotSquare { .. },
            Warning::UnusualPixelSize { millimetres },
        ] = said[..]
        else {
            panic!("{said:?}");
        };
        assert!((millimetres - 4.8).abs() < 0.05, "{millimetres}");
    }
}

#[test]
fn a_pixel_size_that_is_not_stated_is_said() {
    for unstated in [
        scan().without(tags::PIXEL_SPACING),
        scan().text(tags::PIXEL_SPACING, VR::DS, r"0\0"),
        scan().text(tags::PIXEL_SPACING, VR::DS, "2.26"),
    ] {
        let image = unstated.read().expect("should be read");
        assert_eq!(image.warnings, [Warning::PixelSizeNotStated]);
    }
}
