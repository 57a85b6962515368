//! Connects to a destination, over TLS where that is asked for.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use snafu::{OptionExt, ResultExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::Destination;
use super::error::{Error, LateSnafu, TlsSnafu, UnreachableSnafu, UnusableSnafu};

/// A connection, secured or not.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Stream for T {}

/// Connects within the deadline.
pub(super) async fn connect(destination: &Destination) -> Result<Box<dyn Stream>, Error> {
    let host = destination.host.as_str();
    let port = destination.port;
    let within = destination.deadlines.connect;
    let connected = TcpStream::connect((host, port));
    let stream = in_time(within, connected, "to take the connection").await?;
    let stream = stream.context(UnreachableSnafu { host, port })?;
    let _ = stream.set_nodelay(true);
    let Some(tls) = &destination.tls else {
        return Ok(Box::new(stream));
    };
    let name = ServerName::try_from(host.to_owned()).ok();
    let reason = "its name can be in no certificate";
    let name = name.context(UnusableSnafu { reason })?;
    let handshake = TlsConnector::from(Arc::clone(tls)).connect(name, stream);
    let stream = in_time(within, handshake, "to agree on TLS").await?;
    Ok(Box::new(stream.context(TlsSnafu { host, port })?))
}

/// What comes of a wait, where it does in time.
async fn in_time<T>(
    within: Duration,
    wait: impl Future<Output = io::Result<T>>,
    to: &'static str,
) -> Result<io::Result<T>, Error> {
    timeout(within, wait).await.ok().context(LateSnafu { to })
}
