//! Why the operator cannot start, and why a reconciliation fails.

use std::io;
use std::net::SocketAddr;

use attrium_workflow::TaskExit;
use snafu::Snafu;

/// Why the operator could not be started, or what it was doing failed.
#[derive(Debug, Snafu)]
#[snafu(visibility(pub(super)))]
pub enum Error {
    /// There is no way to the cluster.
    #[snafu(display(
        "cannot tell how the cluster is reached: run within it, or name a kubeconfig by KUBECONFIG"
    ))]
    Configuration {
        /// The reason.
        source: kube::config::InferConfigError,
    },
    /// The configuration of the cluster's client is of no use.
    #[snafu(display("the way to the cluster cannot be used"))]
    Client {
        /// The reason.
        source: kube::Error,
    },
    /// The runtime could not be started.
    #[snafu(display("the operator's threads cannot be started"))]
    Runtime {
        /// The reason.
        source: io::Error,
    },
    /// The address is taken.
    #[snafu(display("cannot listen on {address}: choose another address by --listen"))]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The reason.
        source: io::Error,
    },
    /// The API server has not done what it was asked for.
    #[snafu(display("cannot {what}"))]
    Request {
        /// What it was asked for.
        what: String,
        /// The reason.
        source: kube::Error,
    },
    /// The API server does not create now what it was asked for, and may later.
    #[snafu(display("{message}"))]
    Refused {
        /// The reason, as a sentence for the resource's status.
        message: String,
    },
    /// The decision was made of a resource that has changed since.
    #[snafu(display("the resource has changed meanwhile"))]
    Stale,
    /// Another operator leads.
    #[snafu(display("another operator leads"))]
    NotLeading,
}

impl Error {
    pub(super) fn request(what: impl Into<String>, source: kube::Error) -> Self {
        let what = what.into();
        Self::Request { what, source }
    }

    /// What the process ends with.
    pub const fn exit(&self) -> TaskExit {
        match self {
            Self::Configuration { .. } | Self::Client { .. } | Self::Listen { .. } => {
                TaskExit::BadConfiguration
            }
            _ => TaskExit::Retry,
        }
    }
}
