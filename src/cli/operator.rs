//! `attrium operator`: the process that runs on a cluster.

use std::convert::Infallible;
use std::net::SocketAddr;

use http::Uri;

use attrium_bundle::{InvalidPublicKey, PublicKey};
use attrium_operator as operator;
use attrium_operator::{Allowance, Error, Options, Patterns, Settings};

/// Runs the operator: on a cluster, resources become Jobs and end with their results.
///
/// It works within a cluster, or from outside by what KUBECONFIG names. Of several replicas one
/// acts at a time. It waits for whatever is missing and never ends by itself; SIGTERM and Ctrl-C
/// end it gracefully. /healthz, /readyz and /metrics are served over HTTP.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  attrium operator --watch-namespaces nuclear-medicine,research")]
pub(super) struct Args {
    /// The namespaces to look after, separated by commas [default: all of them].
    #[arg(
        long,
        env = "ATTRIUM_WATCH_NAMESPACES",
        value_name = "A,B",
        value_delimiter = ','
    )]
    watch_namespaces: Vec<String>,
    /// The image of pods.
    #[arg(
        long,
        env = "ATTRIUM_IMAGE",
        value_name = "REF",
        default_value = concat!("ghcr.io/attrium/attrium:", env!("CARGO_PKG_VERSION"))
    )]
    image: String,
    /// The image of pods that hold a GPU [default: the image, with `-cuda` behind its tag; that very
    /// image where a digest names it].
    #[arg(long, env = "ATTRIUM_CUDA_IMAGE", value_name = "REF")]
    cuda_image: Option<String>,
    /// When a node pulls an image [default: the kubelet's own rule].
    #[arg(
        long,
        env = "ATTRIUM_IMAGE_PULL_POLICY",
        value_name = "POLICY",
        value_parser = ["Always", "IfNotPresent", "Never"]
    )]
    image_pull_policy: Option<String>,
    /// A public key of minisign's whose signature approves a model. May be given up to 16 times.
    #[arg(long = "trusted-key", value_name = "KEY", value_parser = key)]
    trusted_keys: Vec<String>,
    /// Refuse every model, to screen with or to start a training from, that is not signed by a trusted key.
    #[arg(long, requires = "trusted_keys")]
    require_signed: bool,
    #[command(flatten)]
    allow: Allow,
    /// The namespace of the Lease that replicas vie for.
    #[arg(
        long,
        env = "ATTRIUM_LEASE_NAMESPACE",
        value_name = "NAMESPACE",
        default_value = "default"
    )]
    lease_namespace: String,
    /// The name of that Lease.
    #[arg(
        long,
        env = "ATTRIUM_LEASE_NAME",
        value_name = "NAME",
        default_value = "attrium-operator"
    )]
    lease_name: String,
    /// Where health and metrics are served; the default is every address, of IPv4 and of IPv6.
    #[arg(
        long,
        env = "ATTRIUM_LISTEN",
        value_name = "ADDRESS",
        default_value = "[::]:8080"
    )]
    listen: SocketAddr,
    /// How many resources are worked on at a time.
    #[arg(
        long,
        env = "ATTRIUM_MAX_CONCURRENT_RECONCILES",
        value_name = "N",
        default_value_t = 16,
        value_parser = clap::value_parser!(u16).range(1..=1024)
    )]
    max_concurrent_reconciles: u16,
    /// What tells this replica from the others: a pod's name [default: the host's name].
    #[arg(long, env = "ATTRIUM_IDENTITY", value_name = "NAME")]
    identity: Option<String>,
    /// Only ask the operator at this address, such as http://attrium:8080, whether it is ready.
    #[arg(long, value_name = "URL")]
    check: Option<Uri>,
}

/// What resources may bring into their pods.
#[derive(Debug, clap::Args)]
struct Allow {
    /// The images that a resource may name beside attrium's own: names, with `*` for any characters
    /// [default: any; none where it is empty].
    #[arg(long, value_name = "A,B", value_parser = patterns)]
    allow_images: Option<Patterns>,
    /// The service accounts that a resource may name beside `default` [default: any].
    #[arg(long, value_name = "A,B", value_parser = patterns)]
    allow_service_accounts: Option<Patterns>,
    /// The Secrets that a resource may name [default: any].
    #[arg(long, value_name = "A,B", value_parser = patterns)]
    allow_secrets: Option<Patterns>,
    /// The kinds of volumes that a resource may name, such as persistentVolumeClaim [default: any].
    #[arg(long, value_name = "A,B", value_parser = patterns)]
    allow_volumes: Option<Patterns>,
}

impl From<Allow> for Allowance {
    fn from(allow: Allow) -> Self {
        Self {
            images: allow.allow_images,
            service_accounts: allow.allow_service_accounts,
            secrets: allow.allow_secrets,
            volumes: allow.allow_volumes,
        }
    }
}

fn patterns(text: &str) -> Result<Patterns, Infallible> {
    Ok(Patterns::parse(text))
}

/// The image of pods that hold a GPU where none is named: what stands behind a digest cannot be guessed.
fn cuda_image(image: &str) -> String {
    let suffix = if image.contains('@') { "" } else { "-cuda" };
    format!("{image}{suffix}")
}

/// Runs the operator until it is told to stop.
///
/// # Errors
/// What keeps it from starting.
pub(super) fn run(args: Args) -> Result<(), Error> {
    if let Some(address) = args.check {
        return operator::probe(&address);
    }
    let cuda_image = args.cuda_image.unwrap_or_else(|| cuda_image(&args.image));
    operator::run(&Options {
        settings: Settings {
            image: args.image,
            cuda_image,
            image_pull_policy: args.image_pull_policy,
            trusted_keys: args.trusted_keys,
            require_signed: args.require_signed,
            allowance: args.allow.into(),
        },
        namespaces: args.watch_namespaces,
        lease_namespace: args.lease_namespace,
        lease_name: args.lease_name,
        identity: args.identity.unwrap_or_else(identity),
        listen: args.listen,
        max_concurrent_reconciles: usize::from(args.max_concurrent_reconciles),
    })
}

/// A public key, as it is handed to pods.
fn key(text: &str) -> Result<String, InvalidPublicKey> {
    let key: PublicKey = text.parse()?;
    Ok(key.to_string())
}

/// A pod's host has the pod's name, which its next container may go on with; elsewhere two
/// processes may share a host.
fn identity() -> String {
    let host = std::env::var("HOSTNAME").unwrap_or_else(|_| "attrium".to_owned());
    match std::env::var_os("KUBERNETES_SERVICE_HOST") {
        Some(_) => host,
        None => format!("{host}-{}", std::process::id()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn args(words: &[&str]) -> Args {
        let line = [&["operator"], words].concat();
        Line::try_parse_from(line).expect("a command line").args
    }

    #[test]
    fn no_list_allows_everything_and_an_empty_one_nothing() {
        assert_eq!(Allowance::from(args(&[]).allow), Allowance::default());
        let words = ["--allow-images=mirror.example/*,x", "--allow-secrets="];
        let expected = Allowance {
            images: Some(Patterns::parse("mirror.example/*,x")),
            secrets: Some(Patterns::parse("")),
            ..Allowance::default()
        };
        assert_eq!(Allowance::from(args(&words).allow), expected);
    }

    #[test]
    fn the_image_for_gpus_follows_from_a_tag_and_not_from_a_digest() {
        assert_eq!(
            cuda_image("mirror:5000/attrium:1"),
            "mirror:5000/attrium:1-cuda"
        );
        assert_eq!(cuda_image("attrium@sha256:0"), "attrium@sha256:0");
    }

    #[test]
    fn the_operator_listens_at_every_address_of_both_families() {
        assert!(args(&[]).listen.is_ipv6() && args(&[]).listen.ip().is_unspecified());
    }
}
