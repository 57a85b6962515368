//! Approving a model: a person signs its bundle, and anybody verifies the signature.

use k8s_openapi::jiff::Timestamp;
use serde::Serialize;
use snafu::{ResultExt, Snafu};

use super::bundle_folder::{BundleFolder, BundleSnafu, ModelError};
use attrium_bundle as bundle;
use attrium_bundle::{CHECKSUMS, Demands, KeyError, Model, PublicKey, SignaturePolicy, SigningKey};
use attrium_nn as nn;
use attrium_storage::StorageOptions;

/// A bundle that somebody has approved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApprovedModel {
    /// The bundle's folder.
    pub uri: String,
    /// The bundle's digest.
    pub digest: String,
    /// The id of the key that has signed it.
    pub signed_by: String,
    /// What was signed with it.
    pub comment: String,
}

/// Why a bundle is not signed.
#[derive(Debug, Snafu)]
pub enum SignError {
    /// The bundle cannot be used, or the signature cannot be put beside it.
    #[snafu(transparent)]
    Model {
        /// Why.
        source: ModelError,
    },
    /// The key cannot be used.
    #[snafu(display("the key cannot be used"))]
    Key {
        /// Why.
        source: KeyError,
    },
}

/// Signs the bundle in a folder, once every byte of it was checked and its networks were read, and puts the
/// signature beside it, in the place of another one.
///
/// # Errors
/// [`SignError`].
pub fn sign_model(
    uri: &str,
    options: &StorageOptions,
    key: &SigningKey,
    now: Timestamp,
) -> Result<ApprovedModel, SignError> {
    let folder = BundleFolder::open(uri, options)?;
    let checksums = folder.checksums()?;
    let files = folder.files(checksums.clone())?;
    let model = Model::open(&files, &nn::cpu()).context(BundleSnafu { uri })?;
    let comment = comment(&model, now);
    let signature = key.sign(&checksums, &comment).context(KeySnafu)?;
    folder.put_signature(signature)?;
    Ok(ApprovedModel {
        uri: uri.to_owned(),
        digest: model.digest,
        signed_by: key.public().context(KeySnafu)?.id().to_string(),
        comment,
    })
}

/// What is signed with a bundle, in the form of minisign's own comments.
fn comment(model: &Model, now: Timestamp) -> String {
    let manifest = &model.manifest;
    let fields = [
        format!("timestamp:{}", now.as_second()),
        format!("file:{CHECKSUMS}"),
        "hashed".to_owned(),
        format!("bundle:{}-{}", manifest.architecture, manifest.target),
        format!("digest:{}", model.digest),
        format!("date:{}", now.strftime("%Y-%m-%d")),
    ];
    fields.join("\t")
}

/// Verifies that the bundle in a folder is whole, byte by byte, and signed by one of these keys.
///
/// # Errors
/// [`ModelError`].
pub fn verify_model(
    uri: &str,
    options: &StorageOptions,
    trusted: Vec<PublicKey>,
) -> Result<ApprovedModel, ModelError> {
    let demands = Demands {
        digest: None,
        signatures: SignaturePolicy {
            trusted,
            required: true,
        },
    };
    let folder = BundleFolder::open(uri, options)?;
    let checksums = folder.checksums()?;
    let signature = folder.signature()?;
    let proof = demands.check(&checksums, signature.as_deref());
    let proof = proof.context(BundleSnafu { uri })?;
    bundle::compare(&folder.files(checksums)?).context(BundleSnafu { uri })?;
    let (signed_by, comment) = proof
        .approval
        .map(|approval| (approval.key.to_string(), approval.comment))
        .unwrap_or_default();
    Ok(ApprovedModel {
        uri: uri.to_owned(),
        digest: proof.digest,
        signed_by,
        comment,
    })
}
