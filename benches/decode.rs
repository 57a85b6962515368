//! How long reading and cropping a scan takes.
//!
//! `decode FILE SAMPLES` prints two JSON lists of seconds, one for each reader: attrium's, from the
//! object's bytes to what a network sees of the crop that was admitted, and what it would be built on
//! otherwise, dicom-rs from the bytes to the decoded frame alone. `benches/run` calls it.

use std::error::Error;
use std::hint::black_box;
use std::io::Write;
use std::time::Instant;
use std::{env, fs, io};

use attrium_imaging::{admit, intensities, read_anterior};
use attrium_types::{CropMode, Intensity, LossyPolicy, Tracer};
use dicom_pixeldata::PixelDecoder;

fn main() -> Result<(), Box<dyn Error>> {
    // `cargo bench` adds its own flag.
    let arguments: Vec<String> = env::args()
        .skip(1)
        .filter(|flag| flag != "--bench")
        .collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [file, samples] => {
            // As the commands that screen and preprocess do.
            attrium_nn::keep_freed_memory();
            print_times(&fs::read(file)?, samples.parse()?)
        }
        _ => {
            writeln!(io::stderr(), "skipped: benches/run gives the arguments")?;
            Ok(())
        }
    }
}

fn print_times(bytes: &[u8], samples: usize) -> Result<(), Box<dyn Error>> {
    let attrium = times(samples, || Ok(black_box(preprocess(bytes)?.len())))?;
    let dicom_rs = times(samples, || {
        let object = dicom_object::from_reader(bytes)?;
        Ok(black_box(object.decode_pixel_data_frame(0)?.data().len()))
    })?;
    let times = serde_json::json!({ "attrium": attrium, "dicom-rs": dicom_rs });
    writeln!(io::stdout(), "{times}")?;
    Ok(())
}

fn times(
    samples: usize,
    work: impl Fn() -> Result<usize, Box<dyn Error>>,
) -> Result<Vec<f64>, Box<dyn Error>> {
    (0..samples)
        .map(|_| {
            let start = Instant::now();
            work()?;
            Ok(start.elapsed().as_secs_f64())
        })
        .collect()
}

fn preprocess(bytes: &[u8]) -> Result<Vec<f32>, attrium_imaging::Error> {
    let image = read_anterior(bytes, LossyPolicy::Quarantine)?;
    let crop = admit(image, Tracer::ALL, CropMode::Robust)?.crop;
    Ok(intensities(&crop.counts, Intensity::default()))
}
