//! The bundle that comes with attrium, on the real scan and on phantoms that it has not seen.

use std::fs;
use std::path::{Path, PathBuf};

use attrium_bundle::{Demands, Model, model_card};
use attrium_evaluation::positive_probability;
use attrium_imaging::{crop, read_anterior};
use attrium_nn as nn;
use attrium_nn::GradCam;
use attrium_storage::StorageOptions;
use attrium_tasks::open_model;
use attrium_types::{CropMode, LossyPolicy, Target};
use serde_json::Value;

use crate::cohort::{files, scratch};
use crate::program::attrium;

/// Tests run in the folder of the package.
const BUNDLE: &str = "models/heart-perugini";
const LARGEST: u64 = 1_500_000;
const STUDIES: u32 = 24;
/// Where the heart is in a crop of it, 128 x 128 pixels for 192 mm x 192 mm.
const HEART: (std::ops::Range<usize>, std::ops::Range<usize>) = (32..96, 32..96);

fn model() -> Model {
    let demands = Demands::default();
    open_model(BUNDLE, &demands, &StorageOptions::default(), &nn::cpu()).expect("should be whole")
}

/// Phantoms of one grade; returns the folder of their objects.
fn phantoms(name: &str, shares: &str) -> PathBuf {
    let out = scratch(name);
    let studies = STUDIES.to_string();
    let drawn = ["phantom", "--seed", "97", "--studies", &studies];
    let chosen = ["--grades", shares, "--out", out.to_str().unwrap()];
    attrium(drawn.into_iter().chain(chosen)).ok();
    out.join("images")
}

/// The counts of the anterior crops of a folder.
fn crops(images: &Path) -> Vec<Vec<f32>> {
    let objects = files(images).into_iter();
    let read = objects.filter_map(|key| {
        let bytes = fs::read(images.join(key)).unwrap();
        let image = read_anterior(&bytes, LossyPolicy::Quarantine).ok()?;
        let crop = crop(&image, CropMode::Heart).expect("should hold a crop");
        Some(crop.counts)
    });
    let crops: Vec<_> = read.collect();
    assert_eq!(crops.len(), STUDIES as usize, "one anterior view a study");
    crops
}

/// The share of a map within the heart; none where the map is empty.
fn share_in_heart(map: &GradCam) -> Option<f32> {
    let total: f32 = map.values.iter().sum();
    let rows = (0..map.height).filter(|row| HEART.0.contains(&centre(*row, map.height)));
    let inside = rows.flat_map(|row| {
        let columns = (0..map.width).filter(|column| HEART.1.contains(&centre(*column, map.width)));
        columns.map(move |column| map.values[row * map.width + column])
    });
    (total > 0.0).then(|| inside.sum::<f32>() / total)
}

/// The middle of a map's pixel, in pixels of the crop.
fn centre(index: usize, size: usize) -> usize {
    (2 * index + 1) * 128 / (2 * size)
}

/// The mean share of a model's maps within the heart.
fn mean_share(model: &Model, crops: &[Vec<f32>]) -> f32 {
    let maps = crops
        .iter()
        .map(|crop| model.grad_cam(crop).unwrap().unwrap());
    let shares: Vec<f32> = maps.filter_map(|map| share_in_heart(&map)).collect();
    assert!(2 * shares.len() > crops.len(), "most maps are empty");
    shares.iter().sum::<f32>() / shares.len() as f32
}

fn screen(scan: &str) -> Value {
    let arguments = ["screen", "--model", BUNDLE, "-o", "json", scan];
    serde_json::from_str(&attrium(arguments).ok()).expect("should be JSON")
}

#[test]
fn the_bundle_that_comes_with_attrium_is_small_and_says_that_it_is_synthetic() {
    let folder = Path::new(BUNDLE);
    let sizes = files(folder).into_iter();
    let size: u64 = sizes
        .map(|name| fs::metadata(folder.join(name)).unwrap().len())
        .sum();
    assert!(size < LARGEST, "{size} bytes");
    let model = model();
    assert!(model.manifest.synthetic);
    assert!(model.cohort.is_some());
    let card = fs::read_to_string(folder.join("MODEL_CARD.md")).unwrap();
    assert!(card.contains("**Synthetic: "), "{card}");
    assert_eq!(card, model_card(&model.manifest, model.cohort.as_ref()));
}

#[test]
fn the_bundle_that_comes_with_attrium_finds_a_real_scan_without_uptake_negative() {
    let told = screen("tests/data/nm-wholebody-anterior.dcm");
    assert_eq!(told["studies"][0]["decision"], "negative", "{told}");
}

#[test]
fn the_bundle_that_comes_with_attrium_tells_phantoms_with_uptake_from_those_without() {
    let model = model();
    let positive = |crops: Vec<Vec<f32>>| -> Vec<f64> {
        let answers = model.probabilities(&crops.concat()).unwrap().into_iter();
        answers
            .map(|grades| positive_probability(Target::Perugini, &grades))
            .collect()
    };
    let with = positive(crops(&phantoms("shipped-told-3", "0,0,0,1")));
    let without = positive(crops(&phantoms("shipped-told-0", "1,0,0,0")));
    let pairs = with
        .iter()
        .flat_map(|one| without.iter().map(move |other| one > other));
    let right = pairs.filter(|is| *is).count() as f64;
    let auc = right / (with.len() * without.len()) as f64;
    assert!(auc > 0.95, "AUC {auc}");
}

#[test]
fn what_speaks_for_a_positive_lies_more_in_the_heart_where_there_is_uptake() {
    let model = model();
    let with = mean_share(&model, &crops(&phantoms("shipped-maps-3", "0,0,0,1")));
    let without = mean_share(&model, &crops(&phantoms("shipped-maps-0", "1,0,0,0")));
    assert!(with > without, "{with} of grade 3, {without} of grade 0");
}
