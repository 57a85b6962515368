//! Any bytes as a file of weights: read or refused, never a panic, and nothing in them is run.
#![no_main]

use attrium_nn::PretrainedWeights;
use attrium_types::Architecture;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = PretrainedWeights::read(bytes.to_vec(), Architecture::VGG16);
});
