//! Writes what the network that tells a thorax is fitted on: crops of phantoms, and of all that is none.
//!
//! `cargo run --release -p attrium-imaging --example thorax -- SEED STUDIES FOLDER` writes `features.f32`, of
//! each crop the values of [`thorax::features`], and `labels.csv`, a line for each: what it shows, and of whom.

use std::error::Error;
use std::fs;
use std::path::Path;

use attrium_imaging::{AnteriorImage, CROP_SIZE, Image, crop, read_anterior, thorax};
use attrium_phantom::wrong::{WrongKind, valid_study, wrong_object};
use attrium_phantom::{Protocol, Study, SyntheticCohort, dicom, scan};
use attrium_types::{CropMode, LossyPolicy};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

/// A crop's features, what it shows, and more about it.
type Row = (Vec<f32>, String, String);

/// The last row and column of a crop.
const LAST: usize = CROP_SIZE - 1;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [seed, studies, folder] = &arguments[..] else {
        return Err("give a seed, a number of studies and a folder".into());
    };
    let (seed, studies): (u64, u32) = (seed.parse()?, studies.parse()?);
    let rows: Vec<Row> = (0..studies)
        .into_par_iter()
        .flat_map_iter(|number| of_study(seed, number))
        .collect();
    write(Path::new(folder), &rows)
}

fn write(folder: &Path, rows: &[Row]) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(folder)?;
    let features: Vec<u8> = rows
        .iter()
        .flat_map(|row| row.0.iter().flat_map(|value| value.to_le_bytes()))
        .collect();
    fs::write(folder.join("features.f32"), features)?;
    let lines: String = rows
        .iter()
        .map(|(_, shows, of)| format!("{shows},{of}\n"))
        .collect();
    fs::write(folder.join("labels.csv"), lines)?;
    Ok(())
}

/// A valid study and one of a bright heart, moved and resized crops of them, all that is no thorax in them, a drawing
/// and four planted objects.
fn of_study(seed: u64, number: u32) -> Vec<Row> {
    let mut random = ChaCha8Rng::seed_from_u64(seed ^ (u64::from(number) << 32));
    let mut rows = Vec::new();
    for study in [valid_study(seed, number), bright_heart(seed, number)] {
        let of = format!("{:?}-{number}", study.grade);
        let crops = of_objects(&study, &mut random);
        let row = |(shows, crop): (&str, Vec<f32>)| {
            (thorax::features(&crop), shows.to_owned(), of.clone())
        };
        rows.extend(crops.into_iter().map(row));
    }
    let drawing = thorax::features(&drawn(&mut random));
    rows.push((drawing, "drawn".to_owned(), number.to_string()));
    for serial in 4 * number..4 * number + 4 {
        let kind = WrongKind::ALL[serial as usize % WrongKind::ALL.len()];
        let seed = seed * 1_000_003 + u64::from(serial) / WrongKind::ALL.len() as u64;
        rows.extend(of_planted(kind, seed));
    }
    rows
}

/// A study of grade 3: the brighter the heart the fainter the bones, and the more like a blood pool.
fn bright_heart(seed: u64, number: u32) -> Study {
    let cohort = SyntheticCohort::new(u32::MAX, !seed);
    let bright = cohort
        .clone()
        .with_grades([0.0, 0.0, 0.0, 1.0])
        .unwrap_or(cohort);
    let mut study = bright.study(number);
    study.person.protocol = if number.is_multiple_of(2) {
        Protocol::ThoracicStatic
    } else {
        Protocol::WholeBody
    };
    study
}

fn of_objects(study: &Study, random: &mut ChaCha8Rng) -> Vec<(&'static str, Vec<f32>)> {
    let mut crops = Vec::new();
    for object in dicom::objects(study, &scan(study)) {
        let bytes = dicom::encode(object, study.scanner.implicit);
        // The image of the other detector is none to crop.
        let image = bytes
            .ok()
            .and_then(|bytes| read_anterior(&bytes, LossyPolicy::Accept).ok());
        if let Some(image) = image {
            crops.extend(of_image(&image, random));
        }
    }
    crops
}

fn of_image(image: &AnteriorImage, random: &mut ChaCha8Rng) -> Vec<(&'static str, Vec<f32>)> {
    let Ok(found) = crop(image, CropMode::Robust) else {
        return Vec::new();
    };
    let (top, left) = (found.rectangle.top as f64, found.rectangle.left as f64);
    let mut crops = vec![("thorax", found.counts.clone())];
    for _ in 0..2 {
        let [down, right] = [
            random.random_range(-7.0..7.0),
            random.random_range(-6.0..6.0),
        ];
        let zoom = random.random_range(0.85..1.2);
        crops.push((
            "moved",
            window(&image.counts, top + down, left + right, zoom),
        ));
    }
    for _ in 0..4 {
        let zoom: f64 = random.random_range(0.5..2.0);
        let y = random.random_range(-64.0..image.counts.rows as f64 - 64.0);
        let x = random.random_range(-64.0..image.counts.columns as f64 - 64.0);
        let is_far = (y - top).hypot(x - left) > 56.0 || !(0.7..1.5).contains(&zoom);
        let elsewhere = window(&image.counts, y, x, zoom);
        if is_far && elsewhere.iter().sum::<f32>() > 500.0 {
            crops.push(("elsewhere", elsewhere));
        }
    }
    crops.extend(distorted(&found.counts, random));
    crops
}

/// A planted object that is read: what of it has to be seen.
fn of_planted(kind: WrongKind, seed: u64) -> Option<Row> {
    let planted = wrong_object(kind, seed);
    let bytes = dicom::encode(planted.object, planted.implicit).ok()?;
    let image = read_anterior(&bytes, LossyPolicy::Accept).ok()?;
    let found = crop(&image, CropMode::Robust).ok()?;
    Some((
        thorax::features(&found.counts),
        kind.to_string(),
        planted.stated.to_string(),
    ))
}

/// A crop of another place and size, by the nearest pixel; nothing lies outside the image.
fn window(image: &Image<f32>, top: f64, left: f64, zoom: f64) -> Vec<f32> {
    let centre = CROP_SIZE as f64 / 2.0;
    let at = |start: f64, place: usize| start + centre + (place as f64 - centre) / zoom;
    let mut pixels = Vec::with_capacity(CROP_SIZE * CROP_SIZE);
    for row in 0..CROP_SIZE {
        for column in 0..CROP_SIZE {
            let (y, x) = (at(top, row), at(left, column));
            let inside = y >= 0.0 && x >= 0.0 && y < image.rows as f64 && x < image.columns as f64;
            pixels.push(if inside {
                image.pixels[y as usize * image.columns + x as usize]
            } else {
                0.0
            });
        }
    }
    pixels
}

/// Two of the ways in which a crop of a thorax is none.
fn distorted(crop: &[f32], random: &mut ChaCha8Rng) -> [(&'static str, Vec<f32>); 2] {
    let shuffled: Vec<usize> = (0..16).map(|_| random.random_range(0..16)).collect();
    let mut one = || match random.random_range(0..7) {
        0 => (
            "upside-down",
            rearranged(crop, |row, column| (LAST - row, column)),
        ),
        1 => ("turned", rearranged(crop, |row, column| (column, row))),
        2 => (
            "turned",
            rearranged(crop, |row, column| (column, LAST - row)),
        ),
        3 => (
            "two",
            rearranged(crop, |row, column| (row, 2 * column % CROP_SIZE)),
        ),
        4 => (
            "two",
            rearranged(crop, |row, column| (2 * row % CROP_SIZE, column)),
        ),
        5 => ("inverted", inverted(crop)),
        _ => {
            let block = |row, column| shuffled[row / 32 * 4 + column / 32];
            let from = |row, column| {
                let block = block(row, column);
                (block / 4 * 32 + row % 32, block % 4 * 32 + column % 32)
            };
            ("shuffled", rearranged(crop, from))
        }
    };
    [one(), one()]
}

fn rearranged(crop: &[f32], from: impl Fn(usize, usize) -> (usize, usize)) -> Vec<f32> {
    let places = 0..CROP_SIZE * CROP_SIZE;
    let places = places.map(|place| from(place / CROP_SIZE, place % CROP_SIZE));
    places
        .map(|(row, column)| crop[row * CROP_SIZE + column])
        .collect()
}

fn inverted(crop: &[f32]) -> Vec<f32> {
    let mut sorted = crop.to_vec();
    sorted.sort_unstable_by(f32::total_cmp);
    let most = sorted[sorted.len() * 99 / 100];
    crop.iter().map(|count| (most - count).max(0.0)).collect()
}

/// Something that is no patient: noise of any grain, blobs, bars, gradients.
fn drawn(random: &mut ChaCha8Rng) -> Vec<f32> {
    let size = CROP_SIZE;
    let level = 0.2_f32 * 200.0_f32.powf(random.random());
    let mut pixels = vec![level * random.random::<f32>(); size * size];
    let shapes = random.random_range(0..12);
    for _ in 0..shapes {
        let [y, x]: [f32; 2] = [
            random.random_range(-20.0..148.0),
            random.random_range(-20.0..148.0),
        ];
        let [h, w]: [f32; 2] = [
            random.random_range(2.0..60.0),
            random.random_range(2.0..60.0),
        ];
        let gain = level * random.random_range(-1.0..12.0_f32);
        let round = random.random::<f32>() < 0.6;
        for (place, pixel) in pixels.iter_mut().enumerate() {
            let dy = ((place / size) as f32 - y) / h;
            let dx = ((place % size) as f32 - x) / w;
            if round {
                *pixel += gain * (-dy * dy - dx * dx).exp();
            } else if dy.abs() < 1.0 && dx.abs() < 1.0 {
                *pixel += gain;
            }
        }
    }
    let grain = random.random_range(0.0..1.0_f32);
    pixels.iter_mut().for_each(|pixel| {
        *pixel = (pixel.max(0.0) * (1.0 + grain * random.random_range(-1.0..1.0_f32))).round();
    });
    pixels
}
