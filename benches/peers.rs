//! How long the networks take, for `benches/peers.py`, which gives the commands.
//!
//! Each line of standard input is `MODE ARCHITECTURE BATCH TIMES`, with a mode of `train` or `infer`;
//! the answer is a JSON list of the seconds of so many steps or passes, of which the first ever is slow.
//! A step is [`Fit::step`], with Burn's Adam, and a pass is [`Network::forward`]: what the program
//! itself calls.

use std::error::Error;
use std::hint::black_box;
use std::io::{self, BufRead, Write};
use std::time::Instant;

use attrium_nn::{IMAGE_PIXELS, IMAGE_SIZE, Network, cpu, keep_freed_memory};
use attrium_training::{Fit, FitConfig, FitData, Recipe, TrainingImages};
use attrium_types::Architecture;
use burn::tensor::{Tensor, TensorData};

const CLASSES: usize = 4;
/// The steps of an epoch; no measurement takes as many.
const STEPS: usize = 4;

type Work = Box<dyn FnMut() -> Result<(), Box<dyn Error>>>;

fn main() -> Result<(), Box<dyn Error>> {
    // As `attrium run` does.
    keep_freed_memory();
    let mut kept: Option<(String, Work)> = None;
    for line in io::stdin().lock().lines() {
        let line = line?;
        let (name, times) = line.rsplit_once(' ').ok_or("no TIMES in a command")?;
        let same = kept.as_ref().is_some_and(|(kept, _)| kept == name);
        let mut work = match kept.take() {
            Some((_, work)) if same => work,
            _ => prepare(name)?,
        };
        let mut seconds = Vec::new();
        for _ in 0..times.parse()? {
            let start = Instant::now();
            work()?;
            seconds.push(start.elapsed().as_secs_f64());
        }
        writeln!(io::stdout(), "{}", serde_json::json!(seconds))?;
        kept = Some((name.to_owned(), work));
    }
    Ok(())
}

fn prepare(name: &str) -> Result<Work, Box<dyn Error>> {
    let [mode, architecture, batch] = name.split(' ').collect::<Vec<_>>()[..] else {
        return Err("a command is MODE ARCHITECTURE BATCH TIMES".into());
    };
    let architecture = Architecture::ALL
        .iter()
        .copied()
        .find(|known| known.to_string() == architecture)
        .ok_or("a network that is not known")?;
    let batch = batch.parse()?;
    match mode {
        "train" => training(architecture, batch),
        _ => inference(architecture, batch),
    }
}

/// Steps through epochs of a few batches, without a validation between them.
fn training(architecture: Architecture, batch: usize) -> Result<Work, Box<dyn Error>> {
    let count = STEPS * batch;
    let config = FitConfig {
        architecture,
        classes: CLASSES,
        epochs: u32::MAX,
        batch_size: batch,
        learning_rate: 1e-4,
        recipe: Recipe::Paper {
            min_learning_rate: 1e-7,
            patience: 2,
        },
        seed: 1,
    };
    let data = FitData {
        images: TrainingImages::Ready(images(count)),
        labels: (0..count).map(|image| image % CLASSES).collect(),
        class_weights: vec![0.5, 1.0, 1.5, 2.0],
        validation_images: Vec::new(),
        validation_labels: Vec::new(),
    };
    let mut fit = Fit::new(config, data, &cpu())?;
    Ok(Box::new(move || {
        black_box(fit.step()?);
        Ok(())
    }))
}

fn inference(architecture: Architecture, batch: usize) -> Result<Work, Box<dyn Error>> {
    let network = Network::new(architecture, CLASSES, 1, &cpu())?;
    let shape = [batch, 1, IMAGE_SIZE, IMAGE_SIZE];
    let images: Tensor<4> = Tensor::from_data(TensorData::new(images(batch), shape), &cpu());
    Ok(Box::new(move || {
        black_box(network.forward(images.clone()).into_data());
        Ok(())
    }))
}

/// Any values between -1 and 1: the time does not depend on them.
fn images(count: usize) -> Vec<f32> {
    (0..count * IMAGE_PIXELS)
        .map(|at| (at.wrapping_mul(2_654_435_761) % 2001) as f32 / 1000.0 - 1.0)
        .collect()
}
