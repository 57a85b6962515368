//! The networks of the paper and attrium's own, and what they compute: logits, probabilities, activation maps.
//!
//! A [`Network`] is made from a seed or from the bytes of a safetensors file, and gives such bytes
//! back. Everything here is a function of its arguments: initial weights and dropout masks come
//! from a counter-based generator, never from a global one, so that networks may be trained side by
//! side in one process. Nothing here reads or writes files, normalises images or chooses weights:
//! that is left to the callers.
//!
//! The networks are written in Burn's operations and run on whatever [`Device`] they are made on;
//! [`cpu`] and [`gpu`] are the two that this crate knows. On a CPU the layers before the head of
//! Linear, Residual and Heart run on [`attrium_engine`], which `engine_operation` makes one operation of
//! Burn's, and `convolve` and `normalize` have faster operations for the ImageNet networks.

mod activation_map;
mod batch_norm;
mod burn_cpu;
mod convolution;
mod convolve;
mod device;
mod engine_operation;
mod error;
mod forward_pass;
mod grad_cam;
mod grey;
mod head;
mod heart;
mod import;
mod inception_v3;
mod isa;
mod layer;
mod layout;
mod linear;
pub mod loss;
mod mobilenet;
mod network;
mod normalize;
mod residual;
mod resnet50;
mod size;
mod stack;
mod training_step;
mod transfer;
mod vgg16;
mod weights;

#[cfg(test)]
mod imagenet_tests;
#[cfg(test)]
mod reference_tests;

pub use activation_map::ActivationMap;
pub use attrium_engine::keep_freed_memory;
pub use batch_norm::BatchNorm;
pub use burn::tensor::Device;
pub use convolution::Convolution;
pub use device::{cpu, gpu};
pub use error::Error;
pub use forward_pass::ForwardPass;
pub use grad_cam::GradCam;
pub use grey::Grey;
pub use head::Head;
pub use heart::Heart;
pub use import::{PretrainedWeights, WeightsError};
pub use inception_v3::InceptionV3;
pub use layer::Layer;
pub use layout::Layout;
pub use mobilenet::MobileNet;
pub use network::Network;
pub use network::{floats, image_tensor};
pub use resnet50::ResNet50;
pub use size::{IMAGE_PIXELS, IMAGE_SIZE};
pub use stack::Stack;
pub use training_step::TrainingStep;
pub use transfer::{Base, Transfer};
pub use vgg16::Vgg16;
