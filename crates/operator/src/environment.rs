//! The environment of a stage's pods: credentials by reference, threads, a home that can be written.
//!
//! Pure, and without a secret: the kubelet fills in what a `secretKeyRef` names, and says in the
//! pod's own status where a Secret or one of its keys is missing.

use k8s_openapi::api::core::v1::{EnvVar, EnvVarSource, ResourceFieldSelector, SecretKeySelector};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::job::StageJob;
use attrium_api::{CONTAINER, Resource};
use attrium_workflow::StageKind;

/// The variables of a cloud's credentials, which are the Secret's keys too, and whether a pod can
/// do without.
const S3: &[(&str, bool)] = &[
    ("AWS_ACCESS_KEY_ID", false),
    ("AWS_SECRET_ACCESS_KEY", false),
    ("AWS_SESSION_TOKEN", true),
];
const GOOGLE: &[(&str, bool)] = &[("GOOGLE_SERVICE_ACCOUNT_KEY", false)];
const AZURE: &[(&str, bool)] = &[
    ("AZURE_STORAGE_ACCOUNT_NAME", false),
    ("AZURE_STORAGE_ACCOUNT_KEY", false),
];

/// The variables of a stage's container.
pub(super) fn variables(stage: &StageJob<'_>) -> Vec<EnvVar> {
    let home = EnvVar {
        name: "HOME".to_owned(),
        value: Some("/tmp".to_owned()),
        value_from: None,
    };
    let mut variables = vec![home];
    variables.extend(threads(stage.resource));
    variables.extend(credentials(stage));
    variables.extend(alert(stage));
    variables
}

/// The token for a screening's webhook, and its address, where Secrets have them and it may have to be sent.
fn alert(stage: &StageJob<'_>) -> Vec<EnvVar> {
    let Resource::ScreeningJob(job) = &***stage.resource else {
        return Vec::new();
    };
    let is_sender = stage.stage.kind == StageKind::Summarize;
    let Some(alert) = job.spec.alert.as_ref().filter(|_| is_sender) else {
        return Vec::new();
    };
    let webhook = &alert.webhook;
    let token = webhook.secret.as_ref();
    let token = token.map(|secret| from_secret("ATTRIUM_ALERT_TOKEN", secret, "token", false));
    let url = webhook.url_from.as_ref();
    let url = url.map(|it| from_secret("ATTRIUM_ALERT_URL", &it.secret, "url", false));
    token.into_iter().chain(url).collect()
}

/// Without a limit a task sees all processors of its node: it then takes as many as it requests.
fn threads(resource: &Resource) -> Option<EnvVar> {
    let resources = resource.compute().resources.as_ref()?;
    let is_shared = resources.requests.contains_key("cpu") && !resources.limits.contains_key("cpu");
    is_shared.then(|| EnvVar {
        name: "ATTRIUM_THREADS".to_owned(),
        value: None,
        value_from: Some(EnvVarSource {
            resource_field_ref: Some(ResourceFieldSelector {
                container_name: Some(CONTAINER.to_owned()),
                divisor: Some(Quantity("1".to_owned())),
                resource: "requests.cpu".to_owned(),
            }),
            ..EnvVarSource::default()
        }),
    })
}

/// The credentials for every cloud that a URI of the resource names.
fn credentials(stage: &StageJob<'_>) -> Vec<EnvVar> {
    let Some(secret) = &stage.resource.storage().credentials_secret else {
        return Vec::new();
    };
    let places = places(stage);
    let uses = |scheme: &str| places.iter().any(|place| place.starts_with(scheme));
    let clouds = [("s3://", S3), ("gs://", GOOGLE), ("az://", AZURE)];
    let keys = clouds
        .iter()
        .filter(|(scheme, _)| uses(scheme))
        .flat_map(|(_, keys)| *keys);
    keys.map(|(key, optional)| from_secret(key, secret, key, *optional))
        .collect()
}

/// A variable whose value is a key of a Secret.
fn from_secret(name: &str, secret: &str, key: &str, optional: bool) -> EnvVar {
    EnvVar {
        name: name.to_owned(),
        value: None,
        value_from: Some(EnvVarSource {
            secret_key_ref: Some(SecretKeySelector {
                key: key.to_owned(),
                name: secret.to_owned(),
                optional: optional.then_some(true),
            }),
            ..EnvVarSource::default()
        }),
    }
}

/// Every place that a task may open.
fn places<'a>(stage: &StageJob<'a>) -> Vec<&'a str> {
    let resource: &'a Resource = stage.resource;
    let mut places = vec![resource.images(), resource.output()];
    match resource {
        Resource::TrainingRun(run) => {
            places.push(&run.spec.labels);
            let networks = run.spec.networks.iter();
            places.extend(networks.filter_map(|it| it.pretrained_weights.as_deref()));
            let models = run.spec.starting_models();
            places.extend(models.filter_map(|it| it.uri.as_deref()));
        }
        Resource::ScreeningJob(job) => places.extend(job.spec.labels.as_deref()),
    }
    places.extend(stage.model.or_else(|| resource.model()).map(|it| it.uri));
    places
}
