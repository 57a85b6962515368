//! A proxy in this process, which fails as what stands before a store or an API server does.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::thread::sleep;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, future, stream};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::api;
use crate::cluster::{exported, through_outages};

/// What becomes of each request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing is amiss.
    None,
    /// It is answered so much later.
    Latency(Duration),
    /// It goes nowhere, and nothing comes back.
    Hang,
    /// It is done, and nothing comes back.
    OneWay,
    /// It goes nowhere, and this comes back: a status, a type of content and a body.
    Refusal(StatusCode, &'static str, &'static str),
    /// It is done, and the connection breaks off in the middle of the answer.
    Cut,
    /// It is done, and the answer has half of its bytes and says that this is all.
    Short,
}

/// What a proxy that wants to know who is there gives in the place of anything.
const SIGN_IN: Fault = Fault::Refusal(
    StatusCode::OK,
    "text/html",
    "<html><body>Please sign in</body></html>",
);

/// The longest body of a request.
const LONGEST: usize = 1 << 26;

type Forward = Box<dyn Fn(Request<Bytes>) -> BoxFuture<'static, Response> + Send + Sync>;

struct Shared {
    forward: Forward,
    fault: watch::Sender<Fault>,
    failed: AtomicUsize,
    passed: AtomicUsize,
}

/// A proxy that listens until this process ends.
pub(crate) struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("should start"));

impl Proxy {
    /// Before the S3 server, at an address that pods reach.
    pub(crate) fn before_the_store() -> Self {
        let store = exported("AWS_ENDPOINT_URL");
        let host = store.rsplit_once(':').expect("should have a port").0;
        let host = host.trim_start_matches("http://").to_owned();
        let client = reqwest::Client::new();
        let forward = move |request: Request<Bytes>| {
            let asked = client.request(
                request.method().clone(),
                format!("{store}{}", request.uri()),
            );
            to_store(asked, request).boxed()
        };
        Self::listen(&host, Box::new(forward))
    }

    /// Before the API server, for processes of this machine, which are its administrators.
    pub(crate) fn before_the_api_server() -> Self {
        let forward = |request: Request<Bytes>| to_api_server(request).boxed();
        Self::listen("127.0.0.1", Box::new(forward))
    }

    fn listen(host: &str, forward: Forward) -> Self {
        let shared = Arc::new(Shared {
            forward,
            fault: watch::channel(Fault::None).0,
            failed: AtomicUsize::new(0),
            passed: AtomicUsize::new(0),
        });
        let router = Router::new().fallback(pass).with_state(shared.clone());
        let listener = RUNTIME.block_on(TcpListener::bind((host, 0)));
        let listener = listener.expect("should be a free port");
        let address = listener.local_addr().expect("should have an address");
        RUNTIME.spawn(async { axum::serve(listener, router).await });
        Self { address, shared }
    }

    /// Where it listens.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Fails in some ways, and then in those that need no word of the server's.
    pub(crate) fn fail_in_turn(&self, own: &[Fault]) {
        let any = [
            SIGN_IN,
            Fault::Cut,
            Fault::Short,
            Fault::OneWay,
            Fault::Hang,
        ];
        for fault in own.iter().chain(&any) {
            self.fail(*fault, Duration::from_secs(6));
        }
    }

    /// Fails so until somebody has met it and for a while from then on, and waits until somebody has
    /// passed again.
    fn fail(&self, fault: Fault, duration: Duration) {
        let Shared { failed, passed, .. } = &*self.shared;
        failed.store(0, Ordering::Relaxed);
        self.shared.fault.send_replace(fault);
        wait_for_one(failed, &format!("nobody has met {fault:?}"));
        sleep(duration);
        passed.store(0, Ordering::Relaxed);
        self.shared.fault.send_replace(Fault::None);
        wait_for_one(passed, &format!("nobody has come after {fault:?}"));
    }
}

fn wait_for_one(count: &AtomicUsize, otherwise: &str) {
    through_outages(|| match count.load(Ordering::Relaxed) {
        0 => Err(otherwise),
        _ => Ok(()),
    });
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.fault.send_replace(Fault::None);
    }
}

async fn pass(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let mut faults = shared.fault.subscribe();
    let fault = *faults.borrow_and_update();
    let count = match fault {
        Fault::None => &shared.passed,
        _ => &shared.failed,
    };
    count.fetch_add(1, Ordering::Relaxed);
    let forward = async {
        let (head, body) = request.into_parts();
        match to_bytes(body, LONGEST).await {
            Ok(body) => (shared.forward)(Request::from_parts(head, body)).await,
            Err(_) => StatusCode::BAD_REQUEST.into_response(),
        }
    };
    match fault {
        Fault::None => forward.await,
        Fault::Latency(by) => {
            tokio::time::sleep(by).await;
            forward.await
        }
        Fault::Hang => silence(faults).await,
        Fault::OneWay => {
            drop(forward.await);
            silence(faults).await
        }
        Fault::Refusal(status, kind, body) => {
            (status, [(header::CONTENT_TYPE, kind)], body).into_response()
        }
        Fault::Cut => cut(forward.await),
        Fault::Short => short(forward.await).await,
    }
}

/// Nothing, for as long as the fault lasts; then the gateway gives up.
async fn silence(mut faults: watch::Receiver<Fault>) -> Response {
    // The sender lives as long as the process.
    let _ = faults.changed().await;
    StatusCode::GATEWAY_TIMEOUT.into_response()
}

/// Half of the answer's first piece, and then an error.
fn cut(answer: Response) -> Response {
    let halved = |bytes: Bytes| bytes.slice(..bytes.len() / 2);
    answer.map(|body| {
        let pieces = body.into_data_stream().take(1);
        let half = pieces.map(move |piece| piece.map(halved).map_err(std::io::Error::other));
        let broken = stream::once(future::ready(Err(std::io::Error::other("cut"))));
        Body::from_stream(half.chain(broken))
    })
}

/// Half of the answer as if it were all of it.
async fn short(answer: Response) -> Response {
    let (mut head, body) = answer.into_parts();
    let bytes = to_bytes(body, LONGEST).await.unwrap_or_default();
    head.headers.remove(header::CONTENT_LENGTH);
    let half = bytes.slice(..bytes.len() / 2);
    Response::from_parts(head, Body::from(half))
}

/// Asks the store, with the signature that the request came with.
async fn to_store(asked: reqwest::RequestBuilder, request: Request<Bytes>) -> Response {
    let (head, body) = request.into_parts();
    let asked = asked.headers(head.headers);
    let Ok(answer) = asked.body(body).send().await else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    let (status, headers) = (answer.status(), answer.headers().clone());
    match answer.bytes().await {
        Ok(bytes) => (status, headers, bytes).into_response(),
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    }
}

async fn to_api_server(request: Request<Bytes>) -> Response {
    let (mut head, body) = request.into_parts();
    head.headers.remove(header::HOST);
    let request = Request::from_parts(head, kube::client::Body::from(body.to_vec()));
    match api::client().send(request).await {
        Ok(answer) => answer.map(Body::new),
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    }
}
