//! Writes what the network that finds the heart is fitted on: windows of phantoms, and where their hearts are.
//!
//! `cargo run --release -p attrium-imaging --example heart -- SEED STUDIES FOLDER` writes `windows.u16`, of each
//! study the counts of `SIDE` x `SIDE` pixels around its crop, and `hearts.csv`, a line for each: grade, rows and
//! columns of the heart's middle and of its mirror image's in the window, height and width of the region in
//! pixels, the true ratio, and the millimetres of a pixel.

use std::error::Error;
use std::fs;
use std::path::Path;

use attrium_imaging::{AnteriorImage, CROP_SIZE, CropRectangle, crop, read_anterior};
use attrium_phantom::wrong::valid_study;
use attrium_phantom::{Study, dicom, scan, ventricle};
use attrium_types::{CropMode, LossyPolicy};
use rayon::iter::{IntoParallelIterator, ParallelIterator};

/// Rows and columns of a window: the crop and a margin around it.
const SIDE: usize = CROP_SIZE + 2 * MARGIN;
const MARGIN: usize = 24;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [seed, studies, folder] = &arguments[..] else {
        return Err("give a seed, a number of studies and a folder".into());
    };
    let (seed, studies): (u64, u32) = (seed.parse()?, studies.parse()?);
    let rows: Vec<(Vec<u8>, String)> = (0..studies)
        .into_par_iter()
        .filter_map(|number| of_study(&valid_study(seed, number)))
        .collect();
    let folder = Path::new(folder);
    fs::create_dir_all(folder)?;
    let (windows, lines): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
    fs::write(folder.join("windows.u16"), windows.concat())?;
    fs::write(folder.join("hearts.csv"), lines.concat())?;
    Ok(())
}

fn of_study(study: &Study) -> Option<(Vec<u8>, String)> {
    let views = scan(study);
    let image = dicom::objects(study, &views)
        .into_iter()
        .find_map(|object| {
            let bytes = dicom::encode(object, study.scanner.implicit).ok()?;
            read_anterior(&bytes, LossyPolicy::Accept).ok()
        })?;
    let found = crop(&image, CropMode::Robust).ok()?.rectangle;
    let heart = ventricle(study);
    // The image may have fewer pixels than the view.
    let scale = image.counts.rows as f64 / views.rows as f64;
    let place = |at: f64, start: usize| (at + 0.5) * scale - 0.5 - start as f64 + MARGIN as f64;
    let pixel_mm = views.pixel_mm / scale;
    let numbers = [
        place(heart.row, found.top),
        place(heart.column, found.left),
        place(heart.mirrored_row, found.top),
        place(heart.mirrored_column, found.left),
        heart.height_mm / pixel_mm,
        heart.width_mm / pixel_mm,
        heart.contralateral_ratio,
        pixel_mm,
    ];
    let numbers = numbers.map(|number| format!("{number:.4}")).join(",");
    let line = format!("{},{numbers}\n", study.grade.value());
    Some((window(&image, found), line))
}

/// The counts of a window; nothing lies outside the image.
fn window(image: &AnteriorImage, crop: CropRectangle) -> Vec<u8> {
    let counts = &image.counts;
    let at = |start: usize, place: usize| (start + place).checked_sub(MARGIN);
    let mut bytes = Vec::with_capacity(2 * SIDE * SIDE);
    for row in 0..SIDE {
        for column in 0..SIDE {
            let place = at(crop.top, row)
                .zip(at(crop.left, column))
                .filter(|&(row, column)| row < counts.rows && column < counts.columns);
            let count = place.map_or(0.0, |(row, column)| {
                counts.pixels[row * counts.columns + column]
            });
            bytes.extend((count as u16).to_le_bytes());
        }
    }
    bytes
}
