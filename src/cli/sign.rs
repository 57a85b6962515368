//! `attrium sign`: a person approves a model.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use k8s_openapi::jiff::Timestamp;
use serde::Serialize;
use snafu::{ResultExt, Snafu, ensure};

use super::output::{self, Format};
use super::{keys, verify};
use attrium_bundle::{KeyError, NewKeys, SigningKey};
use attrium_tasks::{SignError, sign_model};
use attrium_workflow::TaskExit;

/// Approves a model: signs its bundle with a secret key of minisign's.
///
/// Every byte of the bundle is checked first. The signature goes beside it, as SHA256SUMS.minisig, in the
/// place of another one; `attrium verify` and `minisign -V` verify it. A password is asked for at the
/// terminal, or read from a file.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  attrium sign --generate --key approval.key\n  attrium sign s3://models/approved/Residual-Positive/ --key approval.key"
)]
pub(super) struct Args {
    /// The folder of a model bundle: a path or a URI.
    #[arg(
        value_name = "BUNDLE",
        required_unless_present = "generate",
        conflicts_with = "generate"
    )]
    bundle: Option<String>,
    /// The file of the secret key.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// A file whose first line is the key's password [default: it is asked for].
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Make a key pair: the secret key in the file of --key, the public one beside it, in a file whose name
    /// ends in .pub.
    #[arg(long)]
    generate: bool,
    /// Certificate authorities to trust beside the system's, as PEM.
    #[arg(long, value_name = "FILE")]
    ca_bundle: Option<PathBuf>,
    /// How the result is printed.
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

/// Why nothing was signed.
#[derive(Debug, Snafu)]
pub(super) enum Error {
    #[snafu(transparent)]
    File { source: keys::Error },
    #[snafu(display("the key {} cannot be used", path.display()))]
    Key { path: PathBuf, source: KeyError },
    #[snafu(transparent)]
    Sign { source: SignError },
    #[snafu(display(
        "a password cannot be asked for here: run this at a terminal, or give --password-file"
    ))]
    Ask { source: io::Error },
    #[snafu(display("the two passwords differ: try again"))]
    Differ,
    #[snafu(display(
        "{} cannot be made: name a new file in a folder that you may write to, whose name does not end in .pub",
        path.display()
    ))]
    Make { path: PathBuf, source: io::Error },
    #[snafu(display("cannot write to standard output"))]
    Print { source: io::Error },
}

impl Error {
    /// What the process ends with.
    pub(super) fn exit(&self) -> TaskExit {
        match self {
            Self::Sign {
                source: SignError::Model { source },
            } => source.exit(),
            Self::File { .. }
            | Self::Key { .. }
            | Self::Sign { .. }
            | Self::Ask { .. }
            | Self::Differ
            | Self::Make { .. } => TaskExit::BadConfiguration,
            Self::Print { .. } => TaskExit::Retry,
        }
    }
}

/// Signs a bundle, or makes a key pair.
pub(super) fn run(args: &Args) -> Result<(), Error> {
    match &args.bundle {
        Some(bundle) => sign(args, bundle),
        None => generate(args),
    }
}

fn sign(args: &Args, bundle: &str) -> Result<(), Error> {
    let path = &args.key;
    let text = keys::read(path)?;
    let password = if SigningKey::has_password(&text).context(KeySnafu { path })? {
        Some(password(args, "Password of the key: ")?)
    } else {
        None
    };
    let key = SigningKey::open(&text, password.as_deref()).context(KeySnafu { path })?;
    let options = keys::store_options(args.ca_bundle.as_deref())?;
    let approved = sign_model(bundle, &options, &key, Timestamp::now())?;
    output::print_as(args.output, &approved, verify::table).context(PrintSnafu)
}

/// The first line of the file of a password, or what somebody types.
fn password(args: &Args, prompt: &str) -> Result<String, Error> {
    match &args.password_file {
        Some(file) => {
            let text = keys::read(file)?;
            Ok(text.lines().next().unwrap_or_default().to_owned())
        }
        None => rpassword::prompt_password(prompt).context(AskSnafu),
    }
}

/// A key pair that was made.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Generated {
    public_key: String,
    id: String,
    public_file: String,
}

fn generate(args: &Args) -> Result<(), Error> {
    let path = &args.key;
    let public_file = path.with_extension("pub");
    for file in [path, &public_file] {
        let is_free = !file.exists() && *path != public_file;
        let taken = || io::Error::from(io::ErrorKind::AlreadyExists);
        is_free
            .then_some(())
            .ok_or_else(taken)
            .context(MakeSnafu { path: file })?;
    }
    let password = new_password(args)?;
    let NewKeys {
        secret,
        public,
        key,
    } = SigningKey::generate(&password).context(KeySnafu { path })?;
    make(path, &secret, 0o600)?;
    make(&public_file, &public, 0o644)?;
    let generated = Generated {
        public_key: key.to_string(),
        id: key.id().to_string(),
        public_file: public_file.to_string_lossy().into_owned(),
    };
    let table = |it: &Generated| {
        format!(
            "public key: {}\nid: {}\nfile: {}\n",
            it.public_key, it.id, it.public_file
        )
    };
    output::print_as(args.output, &generated, table).context(PrintSnafu)
}

/// The password of a new key, typed twice.
fn new_password(args: &Args) -> Result<String, Error> {
    let first = password(args, "Password for the new key: ")?;
    if args.password_file.is_none() {
        let second = password(args, "The same again: ")?;
        ensure!(first == second, DifferSnafu);
    }
    Ok(first)
}

/// Makes a file that is not there yet.
fn make(path: &Path, text: &str, mode: u32) -> Result<(), Error> {
    let mut file = OpenOptions::new();
    let file = file.write(true).create_new(true).mode(mode).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .context(MakeSnafu { path })
}
