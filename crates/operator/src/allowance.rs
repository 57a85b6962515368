//! What the administrator of a cluster allows resources to bring into their pods: images, service accounts,
//! Secrets and kinds of volumes.
//!
//! Pure. Whatever a resource can bring in is listed in one place, `brought`, with the field that names it.

use std::fmt;

use k8s_openapi::api::core::v1::{Container, PodSpec, PodTemplateSpec, Volume};
use serde_json::Value;

use super::Settings;
use attrium_api::{Resource, Webhook};

/// What resources may bring into their pods; where there is no list everything is allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowance {
    /// Images beside the operator's own.
    pub images: Option<Patterns>,
    /// Service accounts beside the namespace's `default`.
    pub service_accounts: Option<Patterns>,
    /// Secrets.
    pub secrets: Option<Patterns>,
    /// Kinds of volumes, such as `persistentVolumeClaim`.
    pub volumes: Option<Patterns>,
}

/// Names that are allowed: whole ones, or with `*` for any characters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patterns(Vec<String>);

impl Patterns {
    /// The patterns of a text that has commas between them; none where it is empty.
    pub fn parse(text: &str) -> Self {
        let patterns = text.split(',').map(str::trim);
        let patterns = patterns.filter(|pattern| !pattern.is_empty());
        Self(patterns.map(str::to_owned).collect())
    }

    fn allow(&self, name: &str) -> bool {
        self.0.iter().any(|pattern| matches(pattern, name))
    }
}

impl fmt::Display for Patterns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

/// Whether a name is of a pattern, in which `*` stands for any characters, none among them.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(mut left) = name.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        match left.find(part) {
            Some(at) => left = &left[at + part.len()..],
            None => return false,
        }
    }
    left.ends_with(last)
}

/// What can be brought into a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Image,
    ServiceAccount,
    Secret,
    Volume,
}

/// Something that a resource brings into its pods.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Brought {
    what: What,
    /// The name, or the kind of a volume.
    name: String,
    /// The field that says so.
    field: String,
}

/// The most that a refusal names.
const MAX_NAMED: usize = 8;

/// What a resource brings into its pods that is not allowed, as a sentence.
pub(super) fn refused(settings: &Settings, resource: &Resource) -> Option<String> {
    let sentences = brought(resource)
        .into_iter()
        .filter_map(|brought| brought.refused(settings));
    let sentences: Vec<_> = sentences.take(MAX_NAMED).collect();
    (!sentences.is_empty()).then(|| sentences.join("; "))
}

impl Brought {
    fn new(what: What, name: impl Into<String>, field: impl Into<String>) -> Self {
        let (name, field) = (name.into(), field.into());
        Self { what, name, field }
    }

    /// The sentence of a refusal, if it is refused.
    fn refused(&self, settings: &Settings) -> Option<String> {
        let Allowance {
            images,
            service_accounts,
            secrets,
            volumes,
        } = &settings.allowance;
        let (list, own, noun) = match self.what {
            What::Image => (images, "attrium's own", "the image"),
            What::ServiceAccount => (service_accounts, "default", "the service account"),
            What::Secret => (secrets, "", "the Secret"),
            What::Volume => (volumes, "attrium's own", "a volume of the kind"),
        };
        let list = list.as_ref()?;
        let (name, field) = (&self.name, &self.field);
        if list.allow(name) || self.is_own(settings) {
            return None;
        }
        let list = list.to_string();
        let allowed = [own, list.as_str()].into_iter().filter(|it| !it.is_empty());
        let allowed = match allowed.collect::<Vec<_>>().join(", ") {
            none if none.is_empty() => "none is".to_owned(),
            allowed => format!("allowed are {allowed}"),
        };
        Some(format!(
            "{field} names {noun} {name}, which the administrator does not allow: {allowed}"
        ))
    }

    /// Whether pods have it without being told.
    fn is_own(&self, settings: &Settings) -> bool {
        match self.what {
            What::Image => self.name == settings.image || self.name == settings.cuda_image,
            What::ServiceAccount => self.name == "default",
            What::Secret | What::Volume => false,
        }
    }
}

/// Everything that a resource brings into its pods, at whatever stage.
fn brought(resource: &Resource) -> Vec<Brought> {
    let (compute, storage) = (resource.compute(), resource.storage());
    let mut all = Vec::new();
    if let Some(image) = &compute.image {
        all.push(Brought::new(What::Image, image, "spec.compute.image"));
    }
    if let Some(secret) = &storage.credentials_secret {
        let field = "spec.storage.credentialsSecret";
        all.push(Brought::new(What::Secret, secret, field));
    }
    if storage.ca_bundle.is_some() {
        let field = "spec.storage.caBundle";
        all.push(Brought::new(What::Volume, "configMap", field));
    }
    if let Resource::ScreeningJob(job) = resource
        && let Some(alert) = &job.spec.alert
    {
        all.extend(by_webhook(&alert.webhook));
    }
    if let Some(template) = &compute.pod_template {
        all.extend(by_template(template));
    }
    all
}

/// What an alert brings in: a token and an address.
fn by_webhook(webhook: &Webhook) -> impl Iterator<Item = Brought> {
    let token = webhook.secret.as_ref();
    let token = token.map(|secret| (secret, "spec.alert.webhook.secret"));
    let url = webhook.url_from.as_ref();
    let url = url.map(|it| (&it.secret, "spec.alert.webhook.urlFrom.secret"));
    let named = token.into_iter().chain(url);
    named.map(|(secret, field)| Brought::new(What::Secret, secret, field))
}

/// Where a resource's template stands.
const TEMPLATE: &str = "spec.compute.podTemplate.spec";

/// What a template brings in: of its fields these can be set (`pod_template::allowed`).
fn by_template(template: &PodTemplateSpec) -> Vec<Brought> {
    let Some(spec) = &template.spec else {
        return Vec::new();
    };
    let PodSpec {
        containers,
        image_pull_secrets,
        service_account_name,
        volumes,
        ..
    } = spec;
    let mut all = Vec::new();
    if let Some(account) = service_account_name {
        let field = format!("{TEMPLATE}.serviceAccountName");
        all.push(Brought::new(What::ServiceAccount, account, field));
    }
    for (index, secret) in image_pull_secrets.iter().flatten().enumerate() {
        let field = format!("{TEMPLATE}.imagePullSecrets[{index}]");
        all.push(Brought::new(What::Secret, &secret.name, field));
    }
    for (index, container) in containers.iter().enumerate() {
        all.extend(by_container(container, index));
    }
    for (index, volume) in volumes.iter().flatten().enumerate() {
        all.extend(by_volume(volume, &format!("{TEMPLATE}.volumes[{index}]")));
    }
    all
}

/// The Secrets of a container's environment.
fn by_container(container: &Container, index: usize) -> Vec<Brought> {
    let place = format!("{TEMPLATE}.containers[{index}]");
    let variables = container.env.iter().flatten().enumerate();
    let variables = variables.filter_map(|(index, variable)| {
        let secret = variable.value_from.as_ref()?.secret_key_ref.as_ref()?;
        let field = format!("{place}.env[{index}]");
        Some(Brought::new(What::Secret, &secret.name, field))
    });
    let sources = container.env_from.iter().flatten().enumerate();
    let sources = sources.filter_map(|(index, source)| {
        let secret = source.secret_ref.as_ref()?;
        let field = format!("{place}.envFrom[{index}]");
        Some(Brought::new(What::Secret, &secret.name, field))
    });
    variables.chain(sources).collect()
}

/// The kinds of a volume, and the Secrets that it makes files of.
fn by_volume(volume: &Volume, field: &str) -> Vec<Brought> {
    let kinds = kinds(volume).into_iter();
    let mut all: Vec<_> = kinds
        .map(|kind| Brought::new(What::Volume, kind, field))
        .collect();
    let mut add = |secret: &str| all.push(Brought::new(What::Secret, secret, field));
    if let Some(name) = volume
        .secret
        .as_ref()
        .and_then(|it| it.secret_name.as_deref())
    {
        add(name);
    }
    let projected = volume.projected.iter().flat_map(|it| &it.sources);
    for source in projected.flatten() {
        if let Some(secret) = &source.secret {
            add(&secret.name);
        }
    }
    if let Some(csi) = &volume.csi {
        if let Some(secret) = &csi.node_publish_secret_ref {
            add(&secret.name);
        }
        // Drivers take the names of Secrets as attributes too.
        for (attribute, value) in csi.volume_attributes.iter().flatten() {
            if attribute.to_ascii_lowercase().contains("secret") {
                add(value);
            }
        }
    }
    all
}

/// What a volume is of, by the names of Kubernetes' fields: those of a projected volume's sources too.
fn kinds(volume: &Volume) -> Vec<String> {
    let volume = serde_json::to_value(volume).unwrap_or_default();
    let fields = |value: &Value| -> Vec<String> {
        let fields = value.as_object().into_iter().flatten();
        fields.map(|(name, _)| name.clone()).collect()
    };
    let mut kinds = fields(&volume);
    kinds.retain(|field| field != "name");
    let sources = volume["projected"]["sources"].as_array();
    kinds.extend(sources.into_iter().flatten().flat_map(fields));
    if kinds.is_empty() {
        // Kubernetes' own default.
        kinds.push("emptyDir".to_owned());
    }
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

#[cfg(test)]
mod tests;
