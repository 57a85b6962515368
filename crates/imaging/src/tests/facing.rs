//! Front told from back on phantoms and on the real scan.

use attrium_phantom::{Protocol, Study, SyntheticCohort, Views, scan};
use attrium_types::LossyPolicy;

use super::object::image_of;
use crate::facing::Facing;
use crate::{Acquisition, Image, read_anterior};

fn studies(protocol: Protocol, count: usize) -> impl Iterator<Item = Study> {
    let cohort = SyntheticCohort::new(u32::MAX, 2024);
    let studies = (0..).map(move |number| cohort.study(number));
    let of_protocol = move |study: &Study| study.person.protocol == protocol;
    studies.filter(of_protocol).take(count)
}

fn images(study: &Study) -> [Image<f32>; 2] {
    let Views {
        rows,
        columns,
        anterior,
        posterior,
        ..
    } = scan(study);
    [anterior, posterior].map(|counts| image_of(&counts, rows, columns))
}

fn mirrored(image: &Image<f32>) -> Image<f32> {
    let rows = image.pixels.chunks_exact(image.columns);
    let pixels = rows.flat_map(|row| row.iter().rev().copied()).collect();
    Image {
        pixels,
        ..image.clone()
    }
}

/// How many of so many phantoms are told, in pairs and each by itself.
fn assert_told(protocol: Protocol, acquisition: Acquisition, count: usize, told: [usize; 3]) {
    let mut found = [0; 3];
    for study in studies(protocol, count) {
        let [front, back] = images(&study);
        let pairs = [(&front, &back), (&back, &front)];
        let [first, second] = pairs.map(|(one, two)| Facing::of_first(one, two, acquisition));
        assert_ne!(first, Facing::Back);
        assert_ne!(second, Facing::Front);
        found[0] += usize::from(first == Facing::Front && second == Facing::Back);
        let [front, back] = [front, back].map(|image| Facing::of(&image, acquisition));
        assert_ne!(back, Facing::Front);
        assert_ne!(front, Facing::Back);
        found[1] += usize::from(front == Facing::Front);
        found[2] += usize::from(back == Facing::Back);
    }
    let enough = found.iter().zip(told).all(|(&found, told)| found >= told);
    assert!(enough, "{protocol:?}: {found:?} of {count}");
}

#[test]
fn of_phantoms_fronts_and_backs_are_told_and_none_is_taken_for_the_other() {
    let (whole, fixed) = (Acquisition::WholeBody, Acquisition::Static);
    assert_told(Protocol::WholeBody, whole, 30, [29, 26, 28]);
    // Of statics only two are told from each other.
    assert_told(Protocol::ThoracicStatic, fixed, 30, [22, 0, 0]);
}

fn real_scan() -> Image<f32> {
    let file = "/../../tests/data/nm-wholebody-anterior.dcm";
    let path = format!("{}{file}", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(path).expect("the real scan");
    let image = read_anterior(&bytes, LossyPolicy::Quarantine).expect("should be read");
    image.counts
}

#[test]
fn the_real_scan_shows_the_front_and_its_mirror_image_too() {
    let image = real_scan();
    for image in [mirrored(&image), image] {
        assert_eq!(Facing::of(&image, Acquisition::WholeBody), Facing::Front);
    }
}

#[test]
fn the_real_scan_shows_the_front_at_a_tenth_of_its_counts() {
    let mut state = 1_u64;
    let mut is_kept = || {
        // Numerical Recipes' generator, of which the upper bits are used.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33).is_multiple_of(10)
    };
    let mut image = real_scan();
    for count in &mut image.pixels {
        *count = (0..*count as u32).filter(|_| is_kept()).count() as f32;
    }
    assert!((image.sum() / 359_645.0 - 1.0).abs() < 0.02);
    assert_eq!(Facing::of(&image, Acquisition::WholeBody), Facing::Front);
}

#[test]
fn of_a_scan_and_its_mirror_image_neither_is_the_front() {
    let image = real_scan();
    let first = Facing::of_first(&image, &mirrored(&image), Acquisition::WholeBody);
    assert_eq!(first, Facing::Unclear);
}

#[test]
fn an_image_without_a_body_shows_no_side() {
    let flat = |count| Image {
        rows: 300,
        columns: 150,
        pixels: vec![count; 300 * 150],
    };
    for acquisition in [Acquisition::WholeBody, Acquisition::Static] {
        for image in [flat(0.0), flat(7.0)] {
            assert_eq!(Facing::of(&image, acquisition), Facing::Unclear);
        }
    }
}
