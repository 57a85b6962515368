//! `attrium verify`: whether a model is what somebody has approved.

use std::io;
use std::path::PathBuf;

use snafu::{ResultExt, Snafu};

use super::keys;
use super::output::{self, Format};
use attrium_tasks::{ApprovedModel, ModelError, verify_model};
use attrium_workflow::TaskExit;

/// Verifies a model: every byte of its bundle, and the signature beside it.
///
/// The exit code is 0 where the bundle is whole and signed by one of the keys, 42 where it is not, and 43
/// where a key or a place cannot be used.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  attrium verify s3://models/approved/Residual-Positive/ --public-key approval.pub"
)]
pub(super) struct Args {
    /// The folder of a model bundle: a path or a URI.
    #[arg(value_name = "BUNDLE")]
    bundle: String,
    /// A public key of minisign's, or its file. May be given up to 16 times: one of them has to have signed.
    #[arg(long = "public-key", value_name = "KEY", required = true)]
    public_keys: Vec<String>,
    /// Certificate authorities to trust beside the system's, as PEM.
    #[arg(long, value_name = "FILE")]
    ca_bundle: Option<PathBuf>,
    /// How the result is printed.
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

/// Why a model is not verified.
#[derive(Debug, Snafu)]
pub(super) enum Error {
    #[snafu(transparent)]
    Key { source: keys::Error },
    #[snafu(transparent)]
    Model { source: ModelError },
    #[snafu(display("cannot write to standard output"))]
    Print { source: io::Error },
}

impl Error {
    /// What the process ends with: a bundle that is not what was approved is bad data here, since it is what
    /// was asked about.
    pub(super) fn exit(&self) -> TaskExit {
        match self {
            Self::Key { .. } => TaskExit::BadConfiguration,
            Self::Model {
                source: ModelError::Bundle { .. },
            } => TaskExit::BadData,
            Self::Model { source } => source.exit(),
            Self::Print { .. } => TaskExit::Retry,
        }
    }
}

/// Verifies the bundle, and prints who has signed it.
pub(super) fn run(args: &Args) -> Result<(), Error> {
    let keys = keys::public_keys(&args.public_keys)?;
    let options = keys::store_options(args.ca_bundle.as_deref())?;
    let approved = verify_model(&args.bundle, &options, keys)?;
    output::print_as(args.output, &approved, table).context(PrintSnafu)
}

/// What people are told of an approved model.
pub(super) fn table(approved: &ApprovedModel) -> String {
    let ApprovedModel {
        uri,
        digest,
        signed_by,
        comment,
    } = approved;
    let comment = comment.replace('\t', ", ");
    format!("{uri}\nsigned by: {signed_by}\ndigest: {digest}\ncomment: {comment}\n")
}
