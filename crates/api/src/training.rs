//! Networks, folds, augmentation and fit of a training.

use kube::core::Rule;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use super::{ModelSource, limits};
use attrium_types::{Architecture, Decimal};

/// A network to be trained.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = only_imagenet_is_pretrained)]
#[schemars(transform = one_origin)]
pub struct Network {
    /// The architecture: Linear (four blocks of six 3x3 convolutions), Residual (the same with a
    /// skip connection around every other convolution), VGG16, ResNet50, InceptionV3 or MobileNet, all
    /// of the paper; or Heart, attrium's own, which is trained as training.heart says.
    pub architecture: Architecture,
    /// Weights of ImageNet to start from, for VGG16, ResNet50, InceptionV3 and MobileNet: a file of
    /// Keras (.h5), torchvision (.pth or .safetensors) or timm (.safetensors). A URI or path, as for
    /// images. Default: none, so that the network starts from random weights. At most 1024
    /// characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::URI))]
    #[schemars(transform = limits::uri)]
    pub pretrained_weights: Option<String>,
    /// The model to start from in place of random weights, for few scans of another camera or another
    /// hospital: a bundle of this architecture that was trained on the same crop and the same intensity, of
    /// which each fold takes a member, with its normalisation. For another task than the bundle's the
    /// network begins with a new head. None of the scans that the bundle was trained on may be among this
    /// run's images: predictions of them would not be of scans that the network has not seen. Exactly one
    /// of uri and trainingRun; of all networks one may name a trainingRun. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_from: Option<ModelSource>,
}

fn only_imagenet_is_pretrained(schema: &mut Schema) {
    let rule = Rule::new(
        "!has(self.pretrainedWeights) || !(self.architecture in ['Linear', 'Residual', 'Heart'])",
    )
    .message("Linear, Residual and Heart have no weights of ImageNet: leave pretrainedWeights out")
    .field_path(".pretrainedWeights");
    limits::add(schema, rule);
}

fn one_origin(schema: &mut Schema) {
    let rule = Rule::new("!has(self.pretrainedWeights) || !has(self.startFrom)")
        .message("starts from two places: leave out pretrainedWeights or startFrom")
        .field_path(".startFrom");
    limits::add(schema, rule);
}

/// How the data are split: stratified by class, and all scans of a patient in one fold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct CrossValidation {
    /// The number of folds; each class needs as many patients at least. Default: 5. From 2 to 20.
    #[schemars(range(min = 2, max = 20))]
    pub folds: u32,
    /// Decides every random choice of the run: folds, pseudonyms, first weights, augmentation,
    /// the order of batches. Default: 1. From 0 to 4294967295.
    pub seed: u32,
}

impl Default for CrossValidation {
    fn default() -> Self {
        Self { folds: 5, seed: 1 }
    }
}

/// The random copies that a network trains on, drawn once for each fold from its training part; Heart's
/// are drawn anew for each epoch, one of each study.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct AugmentationSpec {
    /// The number of images that each fold trains on, but for Heart; the proportions of the classes are kept.
    /// Default: 5330. From 1 to 200000.
    #[schemars(range(min = 1, max = 200_000))]
    pub images: u32,
    /// The largest shift in x and in y, either way, in percent of the crop's side. Default: 10.
    /// From 0 to 50.
    #[schemars(range(max = 50))]
    pub shift_percent: u32,
    /// The largest rotation, either way, in degrees. Default: 20. From 0 to 180.
    #[schemars(range(max = 180))]
    pub rotation_degrees: u32,
    /// The largest change of scale, either way, in percent. Default: 20. From 0 to 50.
    #[schemars(range(max = 50))]
    pub scale_percent: u32,
    /// The largest loss of counts, in percent: each copy keeps a share of its source's counts that is drawn
    /// between what this leaves and all, each count by chance, as a shorter scan would have. A network so
    /// learns noise as well as place. Default: 90. From 0 to 95.
    #[schemars(range(max = 95))]
    pub exposure_percent: u32,
}

impl Default for AugmentationSpec {
    fn default() -> Self {
        Self {
            images: 5330,
            shift_percent: 10,
            rotation_degrees: 20,
            scale_percent: 20,
            exposure_percent: 90,
        }
    }
}

/// How much the classes weigh in the loss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum ClassWeights {
    /// A class weighs n / (k * n_c): all images over classes times the class's images.
    #[default]
    Balanced,
    /// Every class weighs the same.
    None,
}

/// How Heart is trained: AdamW on the binary cross-entropy of each threshold between classes, one
/// cycle of the learning rate, and a moving average of the weights.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HeartTraining {
    /// The number of steps, a batch each, that a training takes at least; whole epochs are trained.
    /// Default: 500. From 1 to 1000000.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub steps: u32,
    /// The number of images in a batch. Default: 32. From 2 to 1024.
    #[schemars(range(min = 2, max = 1024))]
    pub batch_size: u32,
    /// The highest learning rate of the cycle, as a decimal string. Default: "3e-3". Above 0, at most 1.
    #[schemars(transform = limits::positive_share)]
    pub learning_rate: Decimal,
    /// What each step takes away of a weight, times the learning rate, as a decimal string. Default:
    /// "0.02". From 0 to 1.
    #[schemars(transform = limits::share)]
    pub weight_decay: Decimal,
}

impl Default for HeartTraining {
    fn default() -> Self {
        Self {
            steps: 500,
            batch_size: 32,
            learning_rate: Decimal::literal("3e-3"),
            weight_decay: Decimal::literal("0.02"),
        }
    }
}

/// The fit of the paper's networks: Adam on the weighted cross-entropy (paper, "Training").
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(transform = rate_only_falls)]
pub struct TrainingSpec {
    /// The number of passes over the augmented images. Default: 50. From 1 to 1000.
    #[schemars(range(min = 1, max = 1000))]
    pub epochs: u32,
    /// The number of images in a batch. Default: 128. From 2 to 1024.
    #[schemars(range(min = 2, max = 1024))]
    pub batch_size: u32,
    /// Adam's learning rate at the start, as a decimal string. Default: "1e-4". Above 0, at most 1.
    #[schemars(transform = limits::positive_share)]
    pub learning_rate: Decimal,
    /// The learning rate below which it is never reduced, as a decimal string. Default: "1e-7".
    /// Above 0, at most learningRate.
    #[schemars(transform = limits::positive_share)]
    pub min_learning_rate: Decimal,
    /// The number of epochs without a lower validation loss after which the learning rate is
    /// reduced tenfold. Default: 2. From 1 to 100.
    #[schemars(range(min = 1, max = 100))]
    pub patience: u32,
    /// The share of each fold's training studies that is set aside for the validation loss, before
    /// augmentation and all studies of a patient together, in percent. Default: 10. From 1 to 50.
    #[schemars(range(min = 1, max = 50))]
    pub validation_percent: u32,
    /// How much the classes weigh in the loss: Balanced gives class c of k the weight
    /// n / (k * n_c), where n images train and n_c of them are of the class; None gives all the
    /// same. Default: Balanced.
    pub class_weights: ClassWeights,
    /// The number of epochs between two checkpoints. Default: 1. From 1 to 1000.
    #[schemars(range(min = 1, max = 1000))]
    pub checkpoint_epochs: u32,
    /// How Heart is trained, of which the other fields but classWeights and checkpointEpochs say
    /// nothing.
    pub heart: HeartTraining,
}

fn rate_only_falls(schema: &mut Schema) {
    let rule = Rule::new("double(self.minLearningRate) <= double(self.learningRate)")
        .message("is above learningRate: the rate only ever falls")
        .field_path(".minLearningRate");
    limits::add(schema, rule);
}

impl Default for TrainingSpec {
    fn default() -> Self {
        Self {
            epochs: 50,
            batch_size: 128,
            learning_rate: Decimal::literal("1e-4"),
            min_learning_rate: Decimal::literal("1e-7"),
            patience: 2,
            validation_percent: 10,
            class_weights: ClassWeights::default(),
            checkpoint_epochs: 1,
            heart: HeartTraining::default(),
        }
    }
}
