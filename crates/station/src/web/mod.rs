//! The page for technicians and physicians, and the same for programs.
//!
//! Names of patients are read from an object when a page of its study is shown, and kept nowhere else. Whoever gets in is
//! known by name and token, but for the socket in the spool's folder, which is for whoever may read that. Encryption is
//! a reverse proxy's part.

mod control;
mod page;
mod users;
mod views;

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use snafu::{OptionExt, ResultExt, Snafu, ensure};
use tokio::net::{TcpListener, UnixListener};

use crate::secrets::{SecretError, Secrets};
use crate::shared::Shared;
use attrium_api::WebSpec;
pub use control::{Control, ControlError};
pub(crate) use users::Users;
pub use users::{Role, UserLine, user_line};

/// Why there is no page.
#[derive(Debug, Snafu)]
pub enum WebError {
    /// The address.
    #[snafu(display("web.address is {text}, which is no address of a machine"))]
    Address {
        /// What stands there.
        text: String,
    },
    /// Everybody would get in.
    #[snafu(display(
        "web.address is {address}, where others get in: name web.usersSecret with those who may, or use 127.0.0.1"
    ))]
    Open {
        /// The address.
        address: IpAddr,
    },
    /// The secret of the users.
    #[snafu(transparent)]
    Secret {
        /// The reason.
        source: SecretError,
    },
    /// A line of the users' file.
    #[snafu(display(
        "line {line} of the secret's file users is no user: `attrium station user` writes such lines"
    ))]
    User {
        /// The line, from 1.
        line: usize,
    },
    /// A port that cannot be listened on.
    #[snafu(display("nothing can be listened for on {address}: is another process there?"))]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The reason.
        source: io::Error,
    },
}

/// The page, before anybody is let in.
pub(crate) struct Web {
    listener: TcpListener,
    users: Option<Users>,
}

impl Web {
    /// Binds the page's port.
    ///
    /// # Errors
    /// [`WebError`].
    pub(crate) async fn bind(spec: &WebSpec, secrets: &Secrets) -> Result<Self, WebError> {
        let text = &spec.address;
        let address: IpAddr = text.parse().ok().context(AddressSnafu { text })?;
        let users = match &spec.users_secret {
            Some(secret) => Some(Users::parse(&secrets.file(secret, "users")?)?),
            None => None,
        };
        ensure!(
            users.is_some() || address.is_loopback(),
            OpenSnafu { address }
        );
        let address = SocketAddr::new(address, spec.port);
        let listener = TcpListener::bind(address).await;
        Ok(Self {
            listener: listener.context(ListenSnafu { address })?,
            users,
        })
    }

    /// Where people open it.
    pub(crate) fn url(&self, spec: &WebSpec) -> String {
        let own = || {
            let address = self.listener.local_addr();
            address.map_or(String::new(), |address| format!("http://{address}"))
        };
        let url = spec.url.clone().unwrap_or_else(own);
        url.trim_end_matches('/').to_owned()
    }

    /// Serves the page and the socket until it is told to stop.
    pub(crate) async fn serve(
        self,
        shared: Arc<Shared>,
        stop: impl Future<Output = ()> + Send + 'static,
    ) {
        let control = control::listen(shared.spool.root());
        let page = page::router(shared.clone(), self.users);
        let page = axum::serve(self.listener, page).with_graceful_shutdown(stop);
        let served = tokio::select! {
            served = page => served,
            served = serve_control(control, control::router(shared)) => served,
        };
        if let Err(error) = served {
            tracing::error!("The page is not served any more: {error}");
        }
    }
}

async fn serve_control(listener: io::Result<UnixListener>, router: Router) -> io::Result<()> {
    match listener {
        Ok(listener) => axum::serve(listener, router).await,
        Err(error) => {
            tracing::error!("`attrium station` cannot ask this station: {error}");
            std::future::pending().await
        }
    }
}
