//! The settings of all pods, which the operator is started with.

use super::Allowance;

/// What the pods of every resource have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The image of pods that compute on the processor.
    pub image: String,
    /// The image of pods that hold a GPU.
    pub cuda_image: String,
    /// When a node pulls the image: Always, IfNotPresent or Never; the kubelet's own rule where
    /// absent.
    pub image_pull_policy: Option<String>,
    /// The public keys whose signatures approve models.
    pub trusted_keys: Vec<String>,
    /// Whether every model that is screened with or started from has to be signed by one of them.
    pub require_signed: bool,
    /// What resources may bring into their pods.
    pub allowance: Allowance,
}
