//! Small resources, their Jobs and a scripted API server for tests.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Request, Response};
use k8s_openapi::api::batch::v1::Job;
use kube::Client;
use kube::client::Body;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::sleep;
use tower::service_fn;

use super::created_resource::{CreatedResource, WholeResource};
use super::job::StageJob;
use super::names::StageNames;
use super::{Allowance, Settings};
use attrium_api::{ModelPlace, Resource, TrainingRunSpec, Uid, manifest};
use attrium_workflow::{Plan, StageKind};

/// The uid of the resources here.
pub(super) const UID: &str = "7e3f4f4e-3a51-4f2a-9a0e-0d5b8c1f2a34";

pub(super) fn uid(text: &str) -> Uid {
    Uid::new(text).expect("should not be empty")
}

/// The resource of a manifest as a cluster has it.
pub(super) fn resource(text: &str) -> CreatedResource {
    let parsed = manifest::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let mut resource = parsed.into_iter().next().expect("should be one");
    let metadata = resource.metadata_mut();
    metadata.uid = Some(UID.to_owned());
    metadata.generation = Some(1);
    CreatedResource::new(resource).expect("a uid")
}

/// A training run whose spec has more lines: of YAML, with two spaces in front.
pub(super) fn training_run(lines: &str) -> CreatedResource {
    training_run_of("{architecture: Residual}", lines)
}

/// A training run whose network starts from a model.
pub(super) fn training_run_from(model: &str) -> CreatedResource {
    training_run_of(
        &format!("{{architecture: Residual, startFrom: {model}}}"),
        "",
    )
}

fn training_run_of(network: &str, lines: &str) -> CreatedResource {
    resource(&format!(
        "apiVersion: attrium.dev/v1alpha1
kind: TrainingRun
metadata: {{name: small, namespace: hospital}}
spec:
  images: s3://scans/
  labels: s3://scans/labels.csv
  output: s3://models/
  tasks: [Positive]
  networks: [{network}]
  publish: {{architecture: Residual, task: Positive, method: Refit}}
{lines}
"
    ))
}

/// A screening job whose spec has more lines.
pub(super) fn screening_job(lines: &str) -> CreatedResource {
    resource(&format!(
        "apiVersion: attrium.dev/v1alpha1
kind: ScreeningJob
metadata: {{name: archive, namespace: hospital}}
spec:
  images: s3://scans/
  output: s3://models/
  shards: 3
{lines}
"
    ))
}

/// A resource as it would be read from the API server.
pub(super) fn whole(resource: &CreatedResource) -> WholeResource {
    WholeResource::new(resource.clone())
}

/// The spec of a training run, to be changed.
pub(super) fn training_spec(resource: &mut CreatedResource) -> &mut TrainingRunSpec {
    match resource.resource_mut() {
        Resource::TrainingRun(run) => &mut run.spec,
        Resource::ScreeningJob(_) => panic!("should be a training run"),
    }
}

pub(super) fn settings() -> Settings {
    Settings {
        image: "registry.example/attrium:1".to_owned(),
        cuda_image: "registry.example/attrium:1-cuda".to_owned(),
        image_pull_policy: None,
        trusted_keys: Vec::new(),
        require_signed: false,
        allowance: Allowance::default(),
    }
}

/// The Job of a stage.
pub(super) fn job(
    resource: &CreatedResource,
    kind: StageKind,
    model: Option<ModelPlace<'_>>,
) -> Job {
    job_with(resource, kind, model, &settings())
}

/// The Job of a stage under an administrator's settings.
pub(super) fn job_with(
    resource: &CreatedResource,
    kind: StageKind,
    model: Option<ModelPlace<'_>>,
    settings: &Settings,
) -> Job {
    let plan = Plan::new(resource);
    let stage = plan.stages.iter().find(|stage| stage.kind == kind);
    StageJob {
        resource: &whole(resource),
        stage: stage.expect("should be a stage of the plan"),
        names: &StageNames::new(resource, kind, 0),
        model,
        settings,
    }
    .build()
}

/// What a scripted API server expects, and what it answers.
#[derive(Debug)]
pub(super) struct Answer {
    method: &'static str,
    path: String,
    body: Vec<(&'static str, Value)>,
    code: u16,
    answer: Value,
    pause: Duration,
}

impl Answer {
    fn new(method: &'static str, path: &str, code: u16, answer: Value) -> Self {
        Self {
            method,
            path: path.to_owned(),
            body: Vec::new(),
            code,
            answer,
            pause: Duration::ZERO,
        }
    }

    /// A read, by the end of its path.
    pub(super) fn get(path: &str, object: &impl Serialize) -> Self {
        Self::new("GET", path, 200, json(object))
    }

    /// A creation.
    pub(super) fn post(path: &str, object: &impl Serialize) -> Self {
        Self::new("POST", path, 201, json(object))
    }

    /// A replacement.
    pub(super) fn put(path: &str, object: &impl Serialize) -> Self {
        Self::new("PUT", path, 200, json(object))
    }

    /// A patch.
    pub(super) fn patch(path: &str, object: &impl Serialize) -> Self {
        Self::new("PATCH", path, 200, json(object))
    }

    /// A deletion.
    pub(super) fn delete(path: &str) -> Self {
        Self::new("DELETE", path, 200, status(200, "Success"))
    }

    /// A request that is refused.
    pub(super) fn refuse(method: &'static str, path: &str, code: u16, reason: &str) -> Self {
        Self::new(method, path, code, status(code, reason))
    }

    /// A creation whose fields the API server finds invalid.
    pub(super) fn invalid(path: &str, field: &str) -> Self {
        let mut answer = status(422, "Invalid");
        answer["details"] = json!({"causes": [{"field": field, "reason": "FieldValueInvalid"}]});
        Self::new("POST", path, 422, answer)
    }

    /// A creation that an admission policy refuses.
    pub(super) fn deny(path: &str, code: u16, message: &str) -> Self {
        let mut answer = status(code, "Invalid");
        answer["message"] = message.into();
        answer["details"] = json!({"causes": [{"message": message}]});
        Self::new("POST", path, code, answer)
    }

    /// The same answer to another method.
    pub(super) fn asked(self, method: &'static str) -> Self {
        Self { method, ..self }
    }

    /// A request whose body has a value at a place; null stands for nothing too.
    pub(super) fn with_body(mut self, pointer: &'static str, value: impl Into<Value>) -> Self {
        self.body.push((pointer, value.into()));
        self
    }

    /// A request that is answered after a while.
    pub(super) fn after(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }
}

fn json(object: &impl Serialize) -> Value {
    serde_json::to_value(object).expect("should be JSON")
}

fn status(code: u16, reason: &str) -> Value {
    let word = if code < 300 { "Success" } else { "Failure" };
    json!({
        "kind": "Status", "apiVersion": "v1", "status": word, "code": code, "reason": reason,
        "message": format!("the server says {reason}"),
    })
}

/// An API server that expects requests in an order, and nothing else.
#[derive(Clone, Default)]
pub(super) struct Server(Arc<Mutex<Script>>);

#[derive(Default)]
struct Script {
    answers: VecDeque<Answer>,
    complaints: Vec<String>,
}

impl Server {
    /// Every request has come as it should, whatever came after them.
    pub(super) fn done_so_far(&self) {
        let script = self.0.lock().expect("no panic");
        assert!(script.answers.is_empty(), "missing: {:?}", script.answers);
    }

    /// Every request has come as it should, and no other.
    pub(super) fn done(&self) {
        let script = self.0.lock().expect("no panic");
        assert!(
            script.complaints.is_empty(),
            "{}",
            script.complaints.join("; ")
        );
        assert!(script.answers.is_empty(), "missing: {:?}", script.answers);
    }

    fn answer(&self, method: &str, path: &str, body: &Value) -> (u16, Value, Duration) {
        let mut script = self.0.lock().expect("no panic");
        let Some(expected) = script.answers.pop_front() else {
            script
                .complaints
                .push(format!("{method} {path} is one too many"));
            return (500, status(500, "Unexpected"), Duration::ZERO);
        };
        if method != expected.method || !path.ends_with(&expected.path) {
            let complaint = format!("{method} {path} in place of {expected:?}");
            script.complaints.push(complaint);
        }
        for (pointer, value) in &expected.body {
            let found = body.pointer(pointer).unwrap_or(&Value::Null);
            if found != value {
                let complaint = format!("{pointer} is {found}, not {value}: {method} {path}");
                script.complaints.push(complaint);
            }
        }
        (expected.code, expected.answer, expected.pause)
    }
}

/// A client of a scripted API server.
pub(super) fn server(answers: Vec<Answer>) -> (Client, Server) {
    let server = Server::default();
    server.0.lock().expect("no panic").answers = answers.into();
    let answering = server.clone();
    let service = service_fn(move |request: Request<Body>| {
        let server = answering.clone();
        async move {
            let (parts, body) = request.into_parts();
            let bytes = body.collect_bytes().await?;
            let body = serde_json::from_slice(&bytes).unwrap_or_default();
            let (method, path) = (parts.method.as_str(), parts.uri.path());
            let (code, answer, pause) = server.answer(method, path, &body);
            sleep(pause).await;
            let answer = Body::from(serde_json::to_vec(&answer).expect("JSON"));
            let response = Response::builder().status(code).body(answer);
            Ok::<_, kube::Error>(response.expect("a response"))
        }
    });
    (Client::new(service, "default"), server)
}
