//! A run whose network starts from a file of weights.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use attrium_workflow::artefacts::{METRICS, STATUS};
use safetensors::tensor::{Dtype, TensorView};
use serde_json::Value;

use crate::cohort::scratch;
use crate::manifest::{self, training, training_prefix, with};
use crate::program::{Ended, run};

/// The smallest of the networks, as timm names its tensors.
fn shapes() -> BTreeMap<String, Vec<usize>> {
    let mut shapes = BTreeMap::new();
    let mut layer = |convolution: String, norm: String, shape: [usize; 4]| {
        shapes.insert(format!("{convolution}.weight"), shape.to_vec());
        for part in ["weight", "bias", "running_mean", "running_var"] {
            shapes.insert(format!("{norm}.{part}"), vec![shape[0]]);
        }
    };
    layer("conv_stem".to_owned(), "bn1".to_owned(), [32, 3, 3, 3]);
    let mut before = 32;
    for (stage, (channels, count)) in [(64, 1), (128, 2), (256, 2), (512, 6), (1024, 2)]
        .into_iter()
        .enumerate()
    {
        for block in 0..count {
            let block = format!("blocks.{stage}.{block}");
            let depthwise = format!("{block}.conv_dw");
            layer(depthwise, format!("{block}.bn1"), [before, 1, 3, 3]);
            let pointwise = format!("{block}.conv_pw");
            layer(pointwise, format!("{block}.bn2"), [channels, before, 1, 1]);
            before = channels;
        }
    }
    shapes
}

fn weights() -> Vec<u8> {
    let tensors: Vec<(String, Vec<usize>, Vec<u8>)> = shapes()
        .into_iter()
        .map(|(name, shape)| {
            let count = shape.iter().product::<usize>();
            let fan_in = (count / shape[0]) as f32;
            let value = |index: usize| match shape.len() {
                1 => 0.5_f32,
                _ => (2.0 / fan_in).sqrt() * (0.37 * (index * index % 9973) as f32).sin(),
            };
            let bytes = (0..count).flat_map(|index| value(index).to_le_bytes());
            let bytes: Vec<u8> = bytes.collect();
            (name, shape, bytes)
        })
        .collect();
    let views = tensors.iter().map(|(name, shape, bytes)| {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap();
        (name.as_str(), view)
    });
    safetensors::serialize(views, None).unwrap()
}

/// Trains a network from a file with these bytes.
fn train(folder: &Path, architecture: &str, bytes: &[u8]) -> (PathBuf, Ended) {
    let file = folder.join("weights");
    fs::write(&file, bytes).unwrap();
    let out = folder.join("results");
    let networks = format!(
        "  networks: [{{architecture: {architecture}, pretrainedWeights: {}}}]",
        file.display()
    );
    let text = with(&training(&out), "networks", &networks);
    let ended = run(&[&manifest::write(&folder.join("run.yaml"), &text)]);
    (training_prefix(&out), ended)
}

#[test]
fn a_run_from_weights_says_so_in_metrics_status_and_report() {
    let (prefix, ended) = train(&scratch("pretrained"), "MobileNet", &weights());
    ended.ok();
    let metrics: Value = serde_json::from_slice(&fs::read(prefix.join(METRICS)).unwrap()).unwrap();
    assert_eq!(metrics["results"][0]["architecture"], "MobileNet");
    assert_eq!(metrics["results"][0]["pretrained"], true);
    let status = fs::read_to_string(prefix.join(STATUS)).unwrap();
    assert!(status.contains("pretrained: true"), "{status}");
    let report = fs::read_to_string(prefix.join("report/index.html")).unwrap();
    assert!(report.contains("pretrained: true"));
    assert!(report.contains("block 5"));
}

#[test]
fn weights_that_do_not_fit_end_a_run_before_it_trains() {
    let whole = weights();
    for (name, architecture, bytes, words) in [
        ("cut-weights", "MobileNet", &whole[..5_000_000], "cut short"),
        (
            "other-weights",
            "VGG16",
            &whole[..],
            "are of MobileNet, not of VGG16",
        ),
    ] {
        let (prefix, ended) = train(&scratch(name), architecture, bytes);
        ended.fails_with(43, &[words]);
        assert!(!prefix.join("train").join(architecture).exists());
    }
}
