//! The way between a process and the API server: a request stays on its way until the simulation lets it go on.

use std::sync::{Arc, Mutex};

use http::header::DATE;
use http::{Request, Response};
use kube::Client;
use kube::client::Body;
use serde_json::Value;
use tokio::sync::oneshot;
use tower::service_fn;

use crate::clock::ServerClock;
use crate::lease::Leadership;

/// What a process hears of a request: a code and a body, or that there is no answer.
pub(super) type Answer = Option<Answered>;

/// An answer, and when it was given, as its `Date` has it.
#[derive(Clone, Debug)]
pub(super) struct Answered {
    pub(super) code: u16,
    pub(super) body: Value,
    pub(super) date: String,
}

/// A request on its way.
#[derive(Debug)]
pub(super) struct OnItsWay {
    /// The process that has sent it.
    pub(super) process: u64,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) body: Value,
    /// Whether its process believed to lead as it was sent.
    pub(super) led: bool,
    /// What the server has answered, once it has.
    pub(super) answer: Option<Answer>,
    listener: oneshot::Sender<Answer>,
}

impl OnItsWay {
    /// The answer reaches the process, if it still waits.
    pub(super) fn arrive(self) {
        let answer = self.answer.flatten();
        let _ = self.listener.send(answer);
    }

    /// Whether nobody waits for the answer any more.
    pub(super) fn is_given_up(&self) -> bool {
        self.listener.is_closed()
    }
}

/// What is on its way.
#[derive(Clone, Debug, Default)]
pub(super) struct Network(Arc<Mutex<Vec<OnItsWay>>>);

impl Network {
    pub(super) fn with<T>(&self, use_them: impl FnOnce(&mut Vec<OnItsWay>) -> T) -> T {
        use_them(&mut self.0.lock().expect("no panic"))
    }

    /// The client of a process.
    pub(super) fn client(
        &self,
        process: u64,
        leadership: &Leadership,
        clock: &ServerClock,
    ) -> Client {
        let all = (self.clone(), leadership.clone(), clock.clone());
        let service = service_fn(move |request: Request<Body>| {
            let (network, leadership, clock) = all.clone();
            async move {
                let (parts, body) = request.into_parts();
                let bytes = body.collect_bytes().await?;
                let (listener, answer) = oneshot::channel();
                let sent = OnItsWay {
                    process,
                    method: parts.method.to_string(),
                    path: parts.uri.path().to_owned(),
                    query: parts.uri.query().unwrap_or_default().to_owned(),
                    body: serde_json::from_slice(&bytes).unwrap_or_default(),
                    led: leadership.is_leader(),
                    answer: None,
                    listener,
                };
                network.with(|on_their_way| on_their_way.push(sent));
                let answer = answer.await.ok().flatten();
                let Answered { code, body, date } = answer.ok_or_else(no_answer)?;
                let body = Body::from(serde_json::to_vec(&body).expect("JSON"));
                let response = Response::builder().status(code).header(DATE, date);
                let response = response.body(body).expect("a response");
                clock.observe(response.headers());
                Ok::<_, kube::Error>(response)
            }
        });
        Client::new(service, "default")
    }
}

fn no_answer() -> kube::Error {
    let error = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
    kube::Error::Service(error.into())
}
